"""The API's JSON: whatever comes ends in a value or in our own error."""

import contextlib
import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from refvideo_nb.client.wire import (
    JobAnswer,
    Usage,
    decode,
    encode_body,
    error_text,
    payload,
    read_job,
    read_models,
    read_support,
)
from refvideo_nb.core.references import Reference
from refvideo_nb.core.request import Frame, VideoRequest
from refvideo_nb.errors import InvalidRequestError, MalformedAnswerError

FULL = {
    "id": "gen-vid-1767225600-abcdefghij0123456789",
    "generation_id": "gen-1",
    "polling_url": "/api/v1/videos/gen-vid-1",
    "status": "completed",
    "unsigned_urls": ["https://openrouter.ai/api/v1/videos/gen-vid-1/content?index=0"],
    "urls": ["https://cdn.example/x.mp4?signature=secret"],
    "expires_at": 1767229200,
    "usage": {"cost": 0.1697, "is_byok": False},
    "something_new": {"nested": [1, 2]},
}


def job(**fields):
    return read_job(json.dumps({"id": "a", **fields}).encode(), what="a poll")


def test_a_full_answer():
    answer = read_job(json.dumps(FULL).encode(), what="a poll")
    assert (answer.id, answer.status) == (FULL["id"], "completed")
    assert answer.cost == Decimal("0.1697")
    assert answer.unsigned_urls == FULL["unsigned_urls"]
    assert answer.urls == FULL["urls"]
    assert answer.polling_url == FULL["polling_url"]
    assert "secret" not in repr(answer)


def test_the_least_answer():
    answer = read_job(b'{"id":"a"}', what="the submit")
    assert (answer.id, answer.status, answer.cost, answer.error_text) == ("a", "pending", None, "")


@pytest.mark.parametrize(
    "status",
    ["pending", "in_progress", "completed", "failed", "cancelled", "expired", "dreaming", "<b>"],
)
def test_the_statuses_are_open(status):
    assert job(status=status).status == status


@pytest.mark.parametrize(
    "fields",
    [
        {"usage": "much"},
        {"usage": {"cost": "much"}},
        {"usage": {"cost": []}},
        {"usage": 7},
        {"unsigned_urls": "https://x.example"},
        {"unsigned_urls": [1, None]},
        {"urls": {"0": "x"}},
        {"polling_url": 5},
        {"generation_id": {}},
        {"status": None},
    ],
)
def test_what_is_not_needed_for_the_video_does_not_lose_it(fields):
    answer = job(**fields)
    assert answer.id == "a"
    assert (answer.cost, answer.unsigned_urls, answer.urls, answer.polling_url) == (None, None, None, None)


@pytest.mark.parametrize(
    ("cost", "is_now"),
    [
        ("0.1", Decimal("0.1")),
        ('"0.25"', Decimal("0.25")),
        ("0", 0),
        *((odd, None) for odd in ("null", "-1", "1e999999999", "1e400", '"NaN"', '"Infinity"', "true")),
    ],
)
def test_a_bill_that_makes_no_sense_is_none(cost, is_now):
    assert read_job(b'{"id":"a","usage":{"cost":' + cost.encode() + b"}}", what="a poll").cost == is_now


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"a"',
        b"7",
        b"NaN",
        b"{",
        b'{"id":1}',
        b'{"id":null}',
        b'{"id":""}',
        b'{"id":"a\\u0000b"}',
        b'{"id":"a\\nb"}',
        b'{"id":"\\ud800"}',
        b'{"id":"' + b"x" * 513 + b'"}',
        b'{"id":"a","status":7}',
        b'{"id":"a","status":["completed"]}',
        b'{"id":"a","x":NaN}',
        b'{"id":"a","x":Infinity}',
        b'\xff\xfe{"id":"a"}',
        b'{"id":"\xff"}',
        b"[" * 100_000,
        b'{"id":"a","error":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"<!DOCTYPE html><title>Just a moment...</title>",
        b"\x1f\x8b\x08\x00",
    ],
)
def test_what_is_no_answer(data):
    with pytest.raises(MalformedAnswerError) as caught:
        read_job(data, what="a poll")
    assert "a poll" in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_deep_but_whole_json_among_what_we_do_not_read():
    deep = b'{"id":"a","extra":' + b"[" * 200 + b"]" * 200 + b',"n":' + b"9" * 5000 + b"}"
    with contextlib.suppress(MalformedAnswerError):
        assert read_job(deep, what="a poll").id == "a"


LEAVES = st.none() | st.booleans() | st.integers() | st.integers(10**18, 10**40) | st.floats() | st.text(max_size=8)
KEYS = st.sampled_from(list(FULL)) | st.text(max_size=5)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=12
)
LIKE_ANSWERS = st.dictionaries(st.sampled_from(list(FULL)), JSON, max_size=8) | st.fixed_dictionaries(
    {"id": st.text(min_size=1, max_size=4)}, optional=dict.fromkeys(["status", "usage", "urls", "unsigned_urls"], JSON)
)
MODEL_KEYS = ["id", "name", "supported_durations", "supported_sizes", "pricing_skus", "seed"]
LIKE_MODELS = st.dictionaries(st.sampled_from(MODEL_KEYS), JSON, max_size=6)


@st.composite
def mangled(draw):
    """Bytes that are none of it, or an answer with something else in its midst."""
    whole = json.dumps(draw(LIKE_ANSWERS)).encode()
    at = draw(st.integers(0, 80))
    return draw(st.binary(max_size=60) | st.just(whole[:at] + draw(st.binary(max_size=3)) + whole[at:]))


MANGLED = mangled()


@settings(max_examples=400, deadline=None)
@given((LIKE_ANSWERS | JSON).map(lambda v: json.dumps(v).encode()) | MANGLED)
@example(b'{"id":"a","usage":{"cost":1e5000}}')
def test_any_answer_is_read_or_malformed(data):
    try:
        answer = read_job(data, what="a poll")
    except MalformedAnswerError:
        return
    assert isinstance(answer.id, str)
    assert isinstance(answer.status, str)
    assert answer.cost is None or answer.cost >= 0
    assert answer.error_text.isprintable()
    assert all(isinstance(u, str) for u in [*(answer.urls or ()), *(answer.unsigned_urls or ())])


@settings(max_examples=250, deadline=None)
@given(JSON.map(lambda v: json.dumps({"error": v}).encode()) | JSON.map(lambda v: json.dumps(v).encode()) | MANGLED)
def test_any_refusal_gives_a_text(data):
    text = error_text(data)
    assert text.isprintable()
    assert len(text) <= 2400


@settings(max_examples=250, deadline=None)
@given(st.lists(LIKE_MODELS | JSON, max_size=4).map(lambda v: json.dumps({"data": v}).encode()) | MANGLED)
def test_any_model_list_is_read_or_malformed(data):
    try:
        models = read_models(data, {})
    except MalformedAnswerError:
        return
    assert models
    assert all(m.id for m in models)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b'{"error":{"code":400,"message":"Duration 99s is not supported"}}', "Duration 99s is not supported"),
        (b'{"error":{"code":400,"message":"no","metadata":{"raw":"too long"}},"user_id":"u"}', "no (too long)"),
        (b'{"error":{"message":{"message":"inner"}}}', "inner"),
        (b'{"error":{"message":null}}', ""),
        (b'{"error":{"message":["a",1]}}', "['a', 1]"),
        (b'{"error":{"message":"\\u001b[31mred"}}', "[31mred"),
        (b'{"error":{"message":"x","metadata":[1]}}', "x"),
        (b'{"error":"just text"}', '{"error":"just text"}'),
        (b"<html>\n502 Bad Gateway</html>", "a web page"),
        (b"", ""),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"null", "null"),
    ],
)
def test_error_envelopes_of_all_shapes(data, text):
    assert error_text(data) == text


@pytest.mark.parametrize(
    ("error", "text"),
    [("no face", "no face"), ({"message": "inner"}, "inner"), (None, ""), ({"a": 1}, "{'a': 1}"), (7, "7")],
)
def test_the_error_of_a_failed_job(error, text):
    assert job(status="failed", error=error).error_text == text


def entry(**fields):
    return {"id": "a/b", **fields}


def models(*entries):
    return read_models(json.dumps({"data": entries}).encode(), {})


def test_a_model_that_cannot_be_read_does_not_take_the_others_with_it():
    odd = [{"id": 7}, "x", entry(id="c/d", supported_durations=[4.5]), {"id": "g\x1b[2J"}, {"id": ""}]
    found = models(entry(), *odd, entry(id="e/f"))
    assert [m.id for m in found] == ["a/b", "e/f"]


def test_a_list_without_a_model_is_none():
    for data in (b'{"data":[]}', b'{"data":[1]}', b'{"data":{}}', b"[]", b""):
        with pytest.raises(MalformedAnswerError, match="model list"):
            read_models(data, {})


def test_a_model():
    [found] = models(
        entry(
            supported_sizes=["1280x720", "square", "9" * 5000 + "x1"],
            supported_frame_images=[],
            pricing_skus={"x": 0.1},
            supported_durations=None,
            supported_resolutions=[],
            seed=None,
            unknown=1,
        )
    )
    assert found.sizes == ((1280, 720),)
    assert found.frame_types == ()
    assert (found.durations, found.resolutions, found.seed) == (None, None, None)
    assert found.prices == {"x": "0.1"}
    assert models(entry())[0].frame_types is None
    assert models(entry())[0].references.status == "unknown"


def test_the_overlay_names_only_fields_that_are_read():
    read_support(b'{"read":"x","models":{"a/b":{"status":"none","naming":"at"}}}')
    with pytest.raises(msgspec.ValidationError):
        read_support(b'{"models":{"a/b":{"naming":"shouted"}}}')


PACK = Reference(name="pack", kind="image", sha256="0" * 64, media_type="image/png", nbytes=1)


def test_a_body_holds_what_was_asked_for_and_nothing_else():
    assert payload(VideoRequest(prompt="@x", model="a/b"), prompt="x", address=lambda r: r.name) == {
        "model": "a/b",
        "prompt": "x",
    }
    request = VideoRequest(
        prompt="x", model="a/b",
        references=(PACK, Reference(name="v", kind="video", sha256="", media_type="", nbytes=1)),
        duration=4, resolution="720p", aspect_ratio="16:9", seed=0, generate_audio=False,
        provider={"s": {"watermark": False}}, previous_job_id="gen-0",
    )  # fmt: skip
    body = payload(request, prompt="x", address=lambda r: f"data:{r.name}", session_id="rv-1")
    assert body == {
        "model": "a/b",
        "prompt": "x",
        "input_references": [
            {"type": "image_url", "image_url": {"url": "data:pack"}},
            {"type": "video_url", "video_url": {"url": "data:v"}},
        ],
        "duration": 4,
        "resolution": "720p",
        "aspect_ratio": "16:9",
        "seed": 0,
        "generate_audio": False,
        "previous_job_id": "gen-0",
        "provider": {"options": {"s": {"parameters": {"watermark": False}}}},
        "session_id": "rv-1",
    }
    assert json.loads(encode_body(body)) == body


def test_frames_and_size_in_a_body():
    request = VideoRequest(
        prompt="x", model="a/b", frames=(Frame("first", PACK), Frame("last", PACK)), size=(1280, 720)
    )
    body = payload(request, prompt="x", address=lambda r: r.name)
    assert body["size"] == "1280x720"
    assert [f["frame_type"] for f in body["frame_images"]] == ["first_frame", "last_frame"]
    assert body["frame_images"][0]["image_url"] == {"url": "pack"}


@pytest.mark.parametrize("value", [object(), "half \ud800", {1: object()}, {(1, 2): 3}])
def test_what_cannot_be_json_is_refused_before_it_is_sent(value):
    with pytest.raises(InvalidRequestError, match="JSON"):
        encode_body({"provider": value})


def test_decode_is_for_any_type():
    assert decode(b'{"cost":"0.1"}', msgspec.json.Decoder(Usage), what="x").cost == Decimal("0.1")
    assert JobAnswer(id="a").status == "pending"
