"""What is offered is what `check` lets pass, for every captured model and for made-up ones."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from refvideo_nb.client.models import captured
from refvideo_nb.core.catalogue import Model, ReferenceSupport
from refvideo_nb.core.checks import check
from refvideo_nb.core.choices import Selection, choices, narrow
from refvideo_nb.core.references import Reference
from refvideo_nb.core.request import Frame, VideoRequest

MODELS = captured().models
IMAGE = Reference(name="a", kind="image", sha256="", media_type="image/png", nbytes=1)
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda m: m.id)
both = pytest.mark.parametrize("with_references", [False, True], ids=["alone", "references"])


def problems(model, *, with_references=False, **settings):
    """The fields that `check` complains of."""
    references = (IMAGE,) if with_references else ()
    found = check(VideoRequest(prompt="x", model=model.id, references=references, **settings), model)
    return {p.field for p in found} - {"references"}


def anything(name, unlikely):
    """Every value that some model lists, and some that none does."""
    return {v for m in MODELS for v in getattr(m, name) or ()} | set(unlikely)


UNIVERSE = {
    "duration": anything("durations", range(1, 40)),
    "resolution": anything("resolutions", ["8K", "240p"]),
    "aspect_ratio": anything("aspect_ratios", ["2:1"]),
    "size": anything("sizes", [(1, 1), (640, 641)]),
}
OFFERED = {"duration": "durations", "resolution": "resolutions", "aspect_ratio": "aspect_ratios", "size": "sizes"}


@each_model
@both
def test_every_combination_that_is_offered_passes(model, with_references):
    found = choices(model, with_references=with_references)
    shapes = [
        {"resolution": r, "aspect_ratio": a}
        for r, a in product((*(found.resolutions or ("8K",)), None), (*(found.aspect_ratios or ("2:1",)), None))
    ] + [{"size": s} for s in found.sizes or ((7, 7),)]
    sounds = (None, False) if found.audio is False else (None, False, True)
    seeds = (None,) if found.seed is False else (None, 0, -7)
    provider = {"p": dict.fromkeys(found.provider, 1)} if found.provider else {}
    for duration, shape, sound, seed in product((*(found.durations or (99,)), None), shapes, sounds, seeds):
        settings = {"duration": duration, "generate_audio": sound, "seed": seed, "provider": provider, **shape}
        assert not problems(model, with_references=with_references, **settings), settings


@each_model
@both
@pytest.mark.parametrize("field", UNIVERSE)
def test_what_is_not_offered_fails_where_the_list_speaks(model, with_references, field):
    offered = getattr(choices(model, with_references=with_references), OFFERED[field])
    taken = {v for v in UNIVERSE[field] if field not in problems(model, with_references=with_references, **{field: v})}
    assert taken == (UNIVERSE[field] if offered is None else set(offered))


@each_model
def test_sound_seed_and_options_are_offered_as_they_are_taken(model):
    found = choices(model, with_references=False)
    assert ("generate_audio" in problems(model, generate_audio=True)) == (found.audio is False)
    assert ("seed" in problems(model, seed=1)) == (found.seed is False)
    assert "provider" in problems(model, provider={"p": {"no_such_option": 1}})


@each_model
@both
def test_frames_are_offered_as_they_are_taken(model, with_references):
    offered = choices(model, with_references=with_references).frames
    for position in ("first", "last"):
        refused = "frames" in problems(model, with_references=with_references, frames=(Frame(position, IMAGE),))
        assert refused == (offered is not None and position not in offered)


@each_model
def test_as_many_references_as_are_offered(model):
    found = choices(model, with_references=True)

    def refused(kinds):
        references = tuple(replace(IMAGE, name=f"r{n}", kind=k) for n, k in enumerate(kinds))
        return check(VideoRequest(prompt="x", model=model.id, references=references), model)

    if found.max_images is None:
        assert not refused(["image"] * 60)
    else:
        assert not refused(["image"] * found.max_images)
        assert refused(["image"] * (found.max_images + 1))
    if found.max_references:
        rest = found.max_references - found.max_images
        mixed = ["image"] * found.max_images + [found.kinds[-1]] * rest
        assert not refused(mixed)
        assert refused([*mixed, found.kinds[-1]])
    for kind in ("image", "video", "audio"):
        assert bool(refused([kind])) == (kind not in found.kinds)


@pytest.mark.parametrize(
    ("model", "with_references", "name", "says"),
    [
        ("x-ai/grok-imagine-video", True, "durations", "with references: at most 10 s"),
        ("x-ai/grok-imagine-video", False, "frames", "it fixes the first frame only"),
        ("alibaba/wan-2.7", True, "frames", "frames and references exclude each other"),
        ("runway/gen-4.5", True, "max_images", "it takes no references (text and first frame only)"),
        ("runway/gen-4.5", False, "audio", "it makes no sound"),
        ("minimax/hailuo-3", False, "seed", "it takes no seed"),
    ],
)
def test_what_narrows_is_said(models, model, with_references, name, says):
    assert choices(models[model], with_references=with_references).why[name] == says


def test_nothing_is_said_where_nothing_is_narrowed(models):
    assert choices(models["bytedance/seedance-2.0"], with_references=False).why == {}
    assert "resolutions" not in choices(models["x-ai/grok-imagine-video"], with_references=True).why
    known = {*choices(MODELS[0], with_references=True).__struct_fields__}
    assert all(set(choices(m, with_references=w).why) <= known for m in MODELS for w in (True, False))


def test_a_list_that_is_silent_still_has_limits_with_references():
    model = Model(id="a/b", references=ReferenceSupport(max_seconds=3, resolutions=("480p",)))
    alone, beside = (choices(model, with_references=w) for w in (False, True))
    assert (alone.durations, alone.resolutions, alone.frames) == (None, None, None)
    assert (beside.durations, beside.resolutions, beside.frames) == ((1, 2, 3), ("480p",), ())


few = st.none() | st.lists(st.sampled_from([2, 4, 5, 8, 12]), max_size=3, unique=True).map(tuple)
names = st.lists(st.sampled_from(["480p", "720p", "4K"]), max_size=3, unique=True).map(tuple)
shapes = st.lists(st.sampled_from([(640, 640), (1280, 720)]), max_size=2, unique=True).map(tuple)
made_up = st.builds(
    Model,
    id=st.just("a/b"),
    durations=few,
    resolutions=st.none() | names,
    aspect_ratios=st.none() | st.just(("16:9",)),
    sizes=st.none() | shapes,
    frame_types=st.none() | st.sampled_from([(), ("first_frame",), ("last_frame",), ("first_frame", "last_frame")]),
    audio=st.none() | st.booleans(),
    seed=st.none() | st.booleans(),
    passthrough=st.sampled_from([(), ("watermark",)]),
    references=st.builds(
        ReferenceSupport,
        status=st.sampled_from(["documented", "unknown", "none"]),
        max_images=st.none() | st.sampled_from([0, 1, 3]),
        max_seconds=st.none() | st.sampled_from([3, 5, 10]),
        resolutions=names,
    ),
)
any_model = st.sampled_from(MODELS) | made_up
selections = st.builds(
    Selection,
    duration=st.none() | st.integers(0, 40),
    resolution=st.none() | st.sampled_from(["480p", "720p", "4k", "8K"]),
    aspect_ratio=st.none() | st.sampled_from(["16:9", "2:1"]),
    size=st.none() | st.sampled_from([(1280, 720), (640, 640), (0, 5)]),
    seed=st.none() | st.sampled_from([0, -1, 2**60]),
    generate_audio=st.none() | st.booleans(),
    provider=st.dictionaries(
        st.sampled_from(["x", "simulator"]),
        st.dictionaries(st.sampled_from(["watermark", "cfg"]), st.sampled_from([1, float("nan")]), min_size=1),
    ),
    frames=st.lists(st.sampled_from(["first", "last"]), unique=True).map(tuple),
)
SETTINGS = [*Selection.__struct_fields__]


def asked(selection, **changes):
    values = {name: getattr(selection, name) for name in SETTINGS} | changes
    return values | {"frames": tuple(Frame(p, IMAGE) for p in values["frames"])}


@given(made_up, st.booleans())
def test_what_is_offered_passes_for_any_model(model, with_references):
    for field, name in OFFERED.items():
        offered = getattr(choices(model, with_references=with_references), name)
        taken = {v for v in UNIVERSE[field] if not problems(model, with_references=with_references, **{field: v})}
        if offered is None:
            assert taken == UNIVERSE[field]
        else:
            assert taken == set(offered)


@given(selections, any_model, st.booleans())
def test_what_is_left_may_be_sent(selection, model, with_references):
    found = narrow(selection, model, with_references=with_references)
    assert not problems(model, with_references=with_references, **asked(found.selection))
    assert narrow(found.selection, model, with_references=with_references) == replace(found, notes=())
    changed = [n for n in SETTINGS if n != "resolution" and getattr(found.selection, n) != getattr(selection, n)]
    assert bool(found.notes) == bool(changed or (found.selection.resolution is None and selection.resolution))
    assert all(note.isprintable() and note.endswith("(taken out)") for note in found.notes)


@given(selections, any_model, st.booleans())
def test_what_is_fine_stays(selection, model, with_references):
    found = narrow(selection, model, with_references=with_references).selection
    bad = problems(model, with_references=with_references, **asked(selection, resolution=found.resolution))
    for name in {"duration", "aspect_ratio", "seed", "generate_audio"} - bad:
        assert getattr(found, name) == getattr(selection, name)


def test_notes_name_the_bad_value_and_the_allowed_ones(models):
    picked = Selection(
        duration=12,
        resolution="4k",
        aspect_ratio="21:9",
        seed=7,
        generate_audio=True,
        provider={"google": {"negativePrompt": "x", "cfg": 1}},
        frames=("first", "last"),
    )
    found = narrow(picked, models["google/veo-3.1"], with_references=False)
    assert found.selection == replace(
        picked, duration=None, resolution="4K", aspect_ratio=None, provider={"google": {"negativePrompt": "x"}}
    )
    assert found.notes == (
        (
            "provider option 'cfg' is not passed through for google/veo-3.1; allowed: personGeneration, aspectRatio, "
            "negativePrompt, conditioningScale, enhancePrompt (taken out)"
        ),
        "duration 12 s is not offered by google/veo-3.1; allowed: 4, 6, 8 (taken out)",
        "aspect ratio '21:9' is not offered by google/veo-3.1; allowed: 16:9, 9:16 (taken out)",
    )


def test_a_size_stays_once_the_resolution_beside_it_is_gone(models):
    grok = models["x-ai/grok-imagine-video"]
    found = narrow(Selection(resolution="4K", size=(1280, 720)), grok, with_references=False)
    assert found.selection == Selection(size=(1280, 720))
    assert narrow(Selection(resolution="720p", size=(1280, 720)), grok, with_references=False).selection == Selection(
        resolution="720p"
    )


def test_one_frame_may_stay(models):
    found = narrow(Selection(frames=("first", "last")), models["x-ai/grok-imagine-video"], with_references=False)
    assert found.selection.frames == ("first",)
    assert "fixes no last frame; allowed: first" in found.notes[0]
    assert narrow(Selection(frames=("first",)), models["alibaba/wan-2.7"], with_references=True).selection.frames == ()


def test_what_the_model_lacks_altogether_is_not_the_settings_fault(models):
    assert narrow(Selection(duration=5), models["runway/gen-4.5"], with_references=True).notes == ()


def test_options_of_the_simulator_stay_in_the_simulator(models):
    picked = Selection(provider={"simulator": {"area": 0.2}})
    wan = models["alibaba/wan-3.0"]
    assert narrow(picked, wan, with_references=False, simulated=True).selection == picked
    assert narrow(picked, wan, with_references=False).selection == Selection()
