"""Each refusal names the bad value and the allowed ones, for models as the API lists them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from refvideo_nb.core.catalogue import UNKNOWN_SUPPORT, ImageLimits, Model, ReferenceSupport
from refvideo_nb.core.checks import FRAMES_OR_REFERENCES, check, find_model, notes, spell_resolution
from refvideo_nb.core.request import Frame, VideoRequest
from refvideo_nb.errors import BadReferenceError, InvalidRequestError

FAST = "bytedance/seedance-2.0-fast"
GROK = "x-ai/grok-imagine-video"


@pytest.fixture
def problems(models):
    def ask(model=FAST, *, simulated=False, prompt="a cat", **settings):
        return check(VideoRequest(prompt=prompt, model=model, **settings), models[model], simulated=simulated)

    return ask


@pytest.fixture
def problem(problems):
    def ask(*args, **settings):
        [found] = problems(*args, **settings)
        assert str(found).isprintable()
        return found

    return ask


def test_what_the_guide_sends_is_fine(problems, reference):
    sent = {"duration": 4, "resolution": "720p", "aspect_ratio": "16:9", "generate_audio": False, "seed": 0}
    assert problems(**sent, references=(reference(),)) == []


@pytest.mark.parametrize(
    ("settings", "field", "value", "says"),
    [
        ({"duration": 99}, "duration", 99, "99 s is not offered by bytedance/seedance-2.0-fast; allowed: 4, 5, 6"),
        ({"duration": 0}, "duration", 0, "allowed: 4, 5"),
        ({"model": "google/veo-3.1", "duration": 5}, "duration", 5, "allowed: 4, 6, 8"),
        ({"resolution": "1080p"}, "resolution", "1080p", "resolution '1080p' is not offered by"),
        ({"resolution": "1080p"}, "resolution", "1080p", "allowed: 480p, 720p"),
        ({"model": "minimax/hailuo-3", "resolution": "720p"}, "resolution", "720p", "allowed: 2K"),
        ({"model": "google/veo-3.1", "aspect_ratio": "1:1"},
         "aspect_ratio", "1:1", "aspect ratio '1:1' is not offered by google/veo-3.1; allowed: 16:9, 9:16"),
        ({"size": (0, 720)}, "size", "0x720", "has no pixels"),
        ({"size": (640, 640)}, "size", "640x640", "allowed: 480x480, 480x640"),
        ({"size": (1280, 720), "resolution": "720p"}, "size", "1280x720", "give one or the other"),
        ({"size": (1280, 720), "aspect_ratio": "16:9"}, "size", "1280x720", "give one or the other"),
        ({"model": "minimax/hailuo-3", "seed": 1}, "seed", 1, "takes no seed"),
        ({"model": "kwaivgi/kling-video-o1", "seed": 0}, "seed", 0, "takes no seed"),
        ({"seed": 2**53}, "seed", 2**53, "from -9007199254740991 to 9007199254740991"),
        ({"model": "runway/gen-4.5", "generate_audio": True}, "generate_audio", True, "makes no sound"),
        ({"prompt": " \n"}, "prompt", " \n", "is empty"),
        ({"prompt": "x" * 100_001}, "prompt", None, "100001 characters; at most 100000"),
        ({"prompt": "half \ud800"}, "prompt", None, "lone surrogate"),
        ({"provider": {"seedance": {"cfg": 1}}}, "provider", "cfg",
         "'cfg' is not passed through for bytedance/seedance-2.0-fast; allowed: watermark, req_key"),
        ({"model": "alibaba/wan-3.0", "provider": {"x": {"y\x1b[2J": 1}}}, "provider", "y\x1b[2J", "allowed: none"),
        ({"provider": {"simulator": {"area": 0.2}}}, "provider", "simulator", "only in the simulator"),
        ({"provider": {"seedance": {"watermark": object()}}}, "provider", ...,
         "'seedance.watermark' is an object, which JSON does not have"),
        ({"provider": {"seedance": {"watermark": float("nan")}}}, "provider", ..., "which JSON does not have"),
        ({"provider": {"seedance": {"watermark": [{1: 2}]}}}, "provider", ..., "which JSON does not have"),
    ],
)  # fmt: skip
def test_settings(problem, settings, field, value, says):
    found = problem(**settings)
    assert isinstance(found, InvalidRequestError)
    assert found.field == field
    if value is not ...:
        assert found.value == value
    assert says in str(found)


def test_the_allowed_values_are_data_too(problem):
    assert problem(duration=99).allowed == tuple(range(4, 16))
    assert problem(resolution="1080p").allowed == ("480p", "720p")
    assert "1280x720" in problem(size=(1, 1)).allowed
    assert problem(provider={"x": {"y": 1}}).allowed == ("watermark", "req_key")


def test_every_problem_is_told_at_once(problems):
    assert [p.field for p in problems("minimax/hailuo-3", duration=1, resolution="1K", seed=1)] == [
        "duration",
        "resolution",
        "seed",
    ]


def test_what_holds_itself_is_no_option(problem):
    endless = []
    endless.append(endless)
    assert "JSON" in str(problem(provider={"s": {"watermark": endless}}))


def test_good_options_pass(problems):
    good = {"watermark": [1, 2.5, "é", None, True, {"a": [{}]}], "req_key": "x"}
    assert problems(provider={"seedance": good}) == []
    assert problems(simulated=True, provider={"simulator": {"presence": [[0, 2]]}}) == []


def test_what_the_list_does_not_say_is_not_refused(models, reference):
    silent = Model(id="new/model")
    request = VideoRequest(
        prompt="x", duration=99, resolution="8K", aspect_ratio="2:1", seed=1, generate_audio=True,
        references=(reference(),),
    )  # fmt: skip
    assert check(request, silent) == []
    assert check(replace(request, resolution=None, aspect_ratio=None, size=(7, 7)), silent) == []
    assert len(notes(request, silent)) == 3
    assert "not known whether new/model follows references" in notes(request, silent)[0]


def test_frames_and_references_exclude_each_other(problem, reference):
    found = problem(frames=(Frame("first", reference()),), references=(reference(),))
    assert str(found) == FRAMES_OR_REFERENCES
    assert found.field == "frames"


@pytest.mark.parametrize(
    ("model", "position", "allowed"),
    [("runway/gen-4.5", "last", "first"), (GROK, "last", "first"), ("alibaba/wan-2.6", "last", "first")],
)
def test_frames_that_a_model_does_not_fix(problem, reference, model, position, allowed):
    found = problem(model, frames=(Frame(position, reference()),))
    assert f"fixes no {position} frame; allowed: {allowed}" in str(found)
    assert found.allowed == (allowed,)


def test_frames_that_it_does(problems, reference):
    assert problems(frames=(Frame("first", reference()), Frame("last", reference()))) == []
    assert "allowed: none" in str(
        check(
            VideoRequest(prompt="x", frames=(Frame("first", reference()),)), Model(id="a/b", frame_types=())
        )[0]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("model", "most"), [(FAST, 9), ("bytedance/seedance-2.5", 30), ("alibaba/wan-3.0", 10), ("alibaba/wan-2.7", 5),
                        ("alibaba/happyhorse-1.1", 9), (GROK, 7), ("google/veo-3.1", 3), ("kwaivgi/kling-video-o1", 7)],
)  # fmt: skip
def test_the_number_of_references_is_the_models_own(problems, reference, model, most):
    images = tuple(reference(f"r{n}") for n in range(most + 1))
    assert problems(model, references=images[:most]) == []
    found = problems(model, references=images)[0]
    assert isinstance(found, BadReferenceError)
    assert f"{most + 1} reference images are more than {model} takes; allowed: at most {most}" in str(found)


def test_where_no_number_is_published_none_is_made_up(problems, reference):
    assert problems("minimax/hailuo-3", references=tuple(reference(f"r{n}") for n in range(40))) == []


def test_images_and_videos_are_counted_together(problem, reference):
    mixed = (*(reference(f"i{n}") for n in range(3)), *(reference(f"v{n}", "video") for n in range(3)))
    assert "6 references are more than alibaba/wan-2.7 takes; allowed: at most 5 in all" in str(
        problem("alibaba/wan-2.7", references=mixed)
    )


def test_a_model_without_references(problem, reference):
    found = problem("runway/gen-4.5", references=(reference(),))
    assert "runway/gen-4.5 takes no references (text and first frame only)" in str(found)
    assert "%refvideo models" in str(found)


@pytest.mark.parametrize(
    ("model", "kind", "allowed"),
    [(GROK, "video", "image"), (GROK, "audio", "image"), ("alibaba/wan-2.7", "audio", "image, video")],
)
def test_kinds_that_would_be_dropped_silently_are_refused(problem, reference, model, kind, allowed):
    found = problem(model, references=(reference("tune", kind),))
    assert f"'tune' is a{'n' if kind == 'audio' else ''} {kind}" in str(found)
    assert f"allowed: {allowed}" in str(found)


def test_kinds_that_are_honoured(problems, reference):
    assert problems(references=(reference("a"), reference("b", "video"), reference("c", "audio"))) == []


@pytest.mark.parametrize(
    ("model", "image", "says"),
    [
        (FAST, {"width": 299, "height": 400}, "at least 300 pixels"),
        (FAST, {"width": 6001, "height": 6001}, "at most 6000 pixels"),
        (FAST, {"width": 3000, "height": 1000}, "width / height must be at least 0.4 and at most 2.5"),
        (FAST, {"width": 390, "height": 1000}, "crop it"),
        ("alibaba/wan-3.0", {"nbytes": 10_000_001}, "at most 10 MB"),
        ("alibaba/wan-3.0", {"width": 359, "height": 500}, "at least 360 pixels"),
        ("kwaivgi/kling-video-o1", {"width": 200, "height": 200}, "(200x200, 1.0 MB)"),
    ],
)
def test_images_that_a_provider_does_not_take(problem, reference, model, image, says):
    found = problem(model, references=(reference("pack", **image),))
    assert isinstance(found, BadReferenceError)
    assert "'pack'" in str(found)
    assert says in str(found)


def test_limits_at_their_edge_are_fine(problems, reference):
    assert problems(references=(reference(width=300, height=750), reference("b", width=750, height=300))) == []


def test_one_sided_limits(reference):
    for limits, says in ((ImageLimits(max_ratio=2.0), "at most 2:"), (ImageLimits(min_ratio=5.0), "at least 5:")):
        model = Model(id="a/b", references=ReferenceSupport(images=limits))
        request = VideoRequest(prompt="x", references=(reference(width=3000, height=1000),))
        assert says in str(check(request, model)[0])


def test_with_references_a_model_may_take_less(problems, reference):
    long = problems(GROK, duration=12, references=(reference(),))
    assert [str(p) for p in long] == [
        "duration 12 s is too long for x-ai/grok-imagine-video with references; allowed: up to 10"
    ]
    assert problems(GROK, duration=12) == []
    model = Model(id="a/b", references=ReferenceSupport(resolutions=("480p",)))
    [found] = check(VideoRequest(prompt="x", resolution="720p", references=(reference(),)), model)
    assert "with references; allowed: 480p" in str(found)


def test_notes(models, reference):
    def said(model, **settings):
        return notes(VideoRequest(prompt="x", **settings), models[model])

    assert said(FAST, references=(reference(),), seed=1, generate_audio=True) == []
    assert "may be ignored" in said("google/veo-3.1", references=(reference(),))[0]
    assert "it is not known whether" in said("kwaivgi/kling-v3.0-std", references=(reference(),))[0]
    assert "it is not known whether" in said("alibaba/wan-2.6", references=(reference(),))[0]
    assert "takes a seed; it may refuse" in said(GROK, seed=1)[0]
    assert "makes sound; it may refuse" in said("alibaba/happyhorse-1.1", generate_audio=True)[0]
    assert said(GROK, generate_audio=False) == []


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("bytedance/seedance-2.0-fst", FAST),
        ("seedance-2.0-fast", FAST),
        ("veo-3.1", "google/veo-3.1"),
        ("Google/Veo-3.1", "google/veo-3.1"),
        ("grok-imagine", GROK),
        ("x-ai/grok-imagine-vide", GROK),
    ],
)
def test_a_wrong_model_gets_the_nearest(models, wrong, near):
    with pytest.raises(InvalidRequestError) as caught:
        find_model(wrong, models.values())
    assert f"{wrong!r} is not in the list" in str(caught.value)
    assert near in str(caught.value).split("did you mean", 1)[1]
    assert caught.value.allowed == tuple(models)


def test_what_is_near_nothing_gets_the_list(models):
    with pytest.raises(InvalidRequestError) as caught:
        find_model("\x1b[2J" + "q" * 500, models.values())
    assert str(caught.value).isprintable()
    assert all(m in str(caught.value) for m in models)
    assert find_model(FAST, models.values()) is models[FAST]


@pytest.mark.parametrize(
    ("model", "typed", "spelled"),
    [("google/veo-3.1", "4k", "4K"), (FAST, "720P", "720p"), (FAST, "hd", "hd"), ("minimax/hailuo-3", "2k", "2K")],
)
def test_a_resolution_is_spelled_as_the_api_does(models, model, typed, spelled):
    assert spell_resolution(typed, models[model]) == spelled


def test_a_resolution_of_an_unknown_model():
    assert spell_resolution("4k", Model(id="a/b")) == "4K"


@given(
    prompt=st.text(max_size=20),
    duration=st.none() | st.integers(),
    resolution=st.none() | st.text(max_size=8),
    size=st.none() | st.tuples(st.integers(), st.integers()),
    seed=st.none() | st.integers(),
    provider=st.dictionaries(
        st.text(max_size=5), st.dictionaries(st.text(max_size=5), st.text() | st.floats() | st.binary())
    ),
)
def test_check_never_raises_and_every_text_is_one_line(prompt, **settings):
    request = VideoRequest(prompt=prompt, **settings)
    for model in (Model(id="a/b"), Model(id="c/d", durations=(4,), sizes=((1, 1),), resolutions=("720p",), seed=False)):
        assert all(str(p).isprintable() for p in check(request, model))
    assert UNKNOWN_SUPPORT.status == "unknown"
