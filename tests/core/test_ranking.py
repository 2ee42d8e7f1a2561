"""The order of the models, and the honesty of its reasons."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from refvideo_nb.client.models import captured
from refvideo_nb.core.catalogue import Model, ReferenceSupport
from refvideo_nb.core.checks import check
from refvideo_nb.core.pricing import about
from refvideo_nb.core.ranking import Need, rank
from refvideo_nb.core.request import VideoRequest

ALL = captured().models
ORDERS = ("cost", "quality", "speed", "name")


def ids(ranked):
    return [r.model.id for r in ranked]


def fit(ranked):
    return [r for r in ranked if not r.excluded_because]


@pytest.mark.parametrize("by", ORDERS)
def test_every_model_is_there_once_with_a_reason(by):
    ranked = rank(ALL, by=by, need=Need(references=2, duration=5))
    assert sorted(ids(ranked)) == sorted(m.id for m in ALL)
    assert all(r.reason.isprintable() and r.reason for r in ranked)
    assert [bool(r.excluded_because) for r in ranked] == sorted(bool(r.excluded_because) for r in ranked)


def test_by_cost_the_second_counts(models):
    ranked = rank(ALL, by="cost")
    found = {r.model.id: r for r in ranked}
    assert ids(ranked)[0] == "heygen/heygen-video-1"
    veo, kling = found["google/veo-3.1-fast"], found["kwaivgi/kling-video-o1"]
    assert (veo.clip, about(veo.price)) == ("4 s, 720p, 16:9", "about USD 0.32 to 0.40")
    assert veo.reason == "about USD 0.08 to 0.10 a second: about USD 0.32 to 0.40 for 4 s, 720p, 16:9"
    assert (kling.clip, about(kling.price)) == ("5 s, 720p, 16:9", "about USD 0.56")
    seconds = [r.price.high / int(r.clip.split()[0]) for r in ranked]
    assert seconds == sorted(seconds)
    assert found["minimax/hailuo-3"].clip == "5 s, 2K, 16:9"


def test_the_clip_that_is_needed_is_priced():
    ranked = rank(ALL, by="cost", need=Need(references=3, duration=8, resolution="720p", aspect_ratio="9:16"))
    assert {r.clip for r in fit(ranked)} == {"8 s, 720p, 9:16, 3 images"}
    [grok] = [r for r in ranked if r.model.id.startswith("x-ai/")]
    assert grok.price.high == Decimal("0.07") * 8 + 3 * Decimal("0.002")


def test_without_a_known_price_a_model_is_last_and_says_so():
    priced, silent = Model(id="z/z", prices={"duration_seconds": "9"}), Model(id="a/a", prices={"mystery": "1"})
    ranked = rank([silent, priced], by="cost")
    assert ids(ranked) == ["z/z", "a/a"]
    assert ranked[1].price is None
    assert ranked[1].reason == "unknown: its price list gives no estimate for 5 s, 720p, 16:9"


def test_by_speed_the_id_speaks_and_the_rest_is_unknown():
    ranked = rank(ALL, by="speed")
    said = {r.model.id: r.reason for r in ranked}
    assert set(ids(ranked)[:2]) == {"bytedance/seedance-2.0-fast", "google/veo-3.1-fast"}
    assert ids(ranked)[2] == "x-ai/grok-imagine-video"
    assert ids(ranked)[3:5] == ["kwaivgi/kling-v3.0-std", "kwaivgi/kling-video-o1"]
    assert "'fast': the API guide's rule of thumb, not measured" in said["google/veo-3.1-fast"]
    assert said["x-ai/grok-imagine-video"].startswith("quick, since its description says 'Fast 1-15 s clips")
    assert all(reason.startswith("unknown") for reason in (r.reason for r in ranked[5:]))
    assert all("not measured" in reason for reason in (r.reason for r in ranked[:5]))


@pytest.mark.parametrize(
    ("model_id", "description", "says"),
    [
        ("a/breakfast-1", "", "unknown"),
        ("fast/video", "", "unknown"),
        ("a/b", "Good at fast-moving action and quick cuts.", "unknown"),
        ("a/b", "Generates faster than before.", "quick, since its description says 'faster than before.'"),
        ("a/b-lite", "", "rather quick, since its id says 'lite'"),
        ("a/b-pro", "", "slow, since its id says 'pro'"),
        ("a/b-pro-fast", "", "quick, since its id says 'fast'"),
    ],
)
def test_where_speed_is_read(model_id, description, says):
    [found] = rank([Model(id=model_id, description=description)], by="speed")
    assert found.reason.startswith(says)


def test_by_quality_the_resolution_stands_in():
    ranked = rank(ALL, by="quality")
    said = {r.model.id: r.reason for r in ranked}
    assert set(ids(ranked)[:3]) == {"bytedance/seedance-2.0", "google/veo-3.1", "google/veo-3.1-fast"}
    assert set(ids(ranked)[3:5]) == {"minimax/hailuo-3", "heygen/heygen-video-1"}
    assert said["google/veo-3.1"] == "up to 4K: the API guide takes that for quality; not measured"
    sized = Model(id="a/sized", sizes=((1920, 1080), (1280, 720)))
    ranked = rank([Model(id="a/a"), sized, Model(id="a/b", resolutions=("720p",))], by="quality")
    assert ids(ranked) == ["a/sized", "a/b", "a/a"]
    assert ranked[0].reason.startswith("up to 1920x1080")
    assert ranked[2].reason.startswith("unknown")


def test_quality_with_references_is_what_they_leave():
    model = Model(
        id="a/b",
        resolutions=("720p", "4K"),
        references=ReferenceSupport(status="documented", resolutions=("720p",)),
    )
    assert rank([model], by="quality")[0].reason.startswith("up to 4K")
    assert rank([model], by="quality", need=Need(references=1))[0].reason.startswith("up to 720p")


def test_by_name_is_the_order_of_the_ids():
    assert ids(rank(ALL, by="name")) == sorted(m.id for m in ALL)


def test_equals_are_ordered_by_cost():
    cheap, dear = (Model(id=i, resolutions=("720p",), prices={"duration_seconds": p}) for i, p in ("z1", "a9"))
    assert ids(rank([dear, cheap], by="quality")) == ["z", "a"]


@pytest.mark.parametrize(
    ("need", "excluded", "says"),
    [
        (Need(references=1), {"runway/gen-4.5"}, "takes no references"),
        (Need(references=4), {"runway/gen-4.5", "google/veo-3.1", "google/veo-3.1-fast"}, "reference"),
        (Need(audio=True), {"runway/gen-4.5", "heygen/heygen-video-1"}, "makes no sound"),
        (Need(seed=True), {"minimax/hailuo-3", "kwaivgi/kling-v3.0-std", "kwaivgi/kling-video-o1"}, "takes no seed"),
        (Need(duration=30), {m.id for m in ALL} - {"bytedance/seedance-2.5", "alibaba/wan-3.0"}, "30 s"),
        (Need(duration=12, references=1, max_price=Decimal(1)), None, None),
        (
            Need(resolution="4k"),
            {m.id for m in ALL} - {"bytedance/seedance-2.0", "google/veo-3.1", "google/veo-3.1-fast"},
            "not offered",
        ),
        (
            Need(aspect_ratio="3:2"),
            {m.id for m in ALL} - {"x-ai/grok-imagine-video"},
            "not offered",
        ),
    ],
)
def test_what_is_needed_leaves_out_what_lacks_it(need, excluded, says):
    ranked = rank(ALL, by="cost", need=need)
    out = {r.model.id: r.excluded_because for r in ranked if r.excluded_because}
    if excluded is None:  # the ten seconds that Grok makes with references, and the price of the others
        assert "too long for x-ai/grok-imagine-video with references" in out["x-ai/grok-imagine-video"][0]
        assert "is more than USD 1.00" in out["bytedance/seedance-2.0-fast"][0]
        return
    assert set(out) == excluded
    assert all(any(says in because for because in why) for why in out.values())


def test_what_does_is_what_may_be_sent(reference):
    need = Need(references=2, duration=5, resolution="720p", aspect_ratio="16:9", seed=True, audio=True)
    pictures = (reference("a"), reference("b"))
    for found in rank(ALL, by="speed", need=need):
        request = VideoRequest(
            prompt="x", model=found.model.id, references=pictures, duration=5, resolution="720p", aspect_ratio="16:9",
            seed=1, generate_audio=True,
        )  # fmt: skip
        assert bool(check(request, found.model)) == bool(found.excluded_because)


def test_without_an_estimate_a_limit_leaves_out():
    [found] = rank([Model(id="a/b")], by="cost", need=Need(max_price=Decimal("0.5")))
    assert found.excluded_because == ("there is no estimate for 5 s, 720p, 16:9 to compare with USD 0.50",)


def test_what_is_not_known_comes_after_what_is_and_may_be_tried():
    ranked = rank(ALL, by="cost", need=Need(references=2))
    unsure = [r.model.id for r in fit(ranked) if r.unsure]
    assert ids(fit(ranked))[-len(unsure) :] == unsure
    assert {"kwaivgi/kling-v3.0-std", "google/veo-3.1", "alibaba/wan-2.6"} <= set(unsure)
    said = {r.model.id: r.unsure for r in ranked}
    assert "they may be ignored" in said["google/veo-3.1"][0]
    assert said["minimax/hailuo-3"] == ("how many references it takes is not published",)
    assert said["bytedance/seedance-2.0-fast"] == ()


def test_a_list_that_is_silent_is_unsure():
    need = Need(duration=5, resolution="720p", aspect_ratio="16:9", audio=True, seed=True)
    [found] = rank([Model(id="a/b")], by="name", need=need)
    assert not found.excluded_because
    assert len(found.unsure) == 5
    assert "the model list does not say which durations it takes" in found.unsure


def test_a_hostile_list_gives_one_line(models):
    nasty = replace(
        models["google/veo-3.1"], description="fast\x1b[31m\nnext", resolutions=("4K\n\x1b[2J",), aspect_ratios=("\n",)
    )
    for by in ORDERS:
        [found] = rank([nasty], by=by)
        assert found.reason.isprintable()
        assert found.clip.isprintable()
