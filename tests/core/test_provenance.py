"""Where a clip comes from: all that it takes to repeat it, and nothing that opens a door."""

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refvideo_nb.core.job import JobRecord, State, VideoFacts
from refvideo_nb.core.pricing import Estimate
from refvideo_nb.core.provenance import provenance, shareable, without_query
from refvideo_nb.core.references import Reference
from refvideo_nb.core.request import Frame, VideoRequest


def reference(name="cat", **more):
    values = {"kind": "image", "sha256": "a" * 64, "media_type": "image/jpeg", "nbytes": 9, "width": 4, "height": 3}
    return Reference(name=name, **(values | more))


def job(request=(), **more):
    values = {
        "id": "rv-20270115-aaaaaa",
        "state": State.DOWNLOADED,
        "request": VideoRequest(prompt="@cat", **dict(request)),
        "sent_prompt": "[Image1]",
        "created": 1_795_436_569.0,
        "updated": 1_795_436_611.0,
    }
    return JobRecord(**(values | more))


def test_everything_that_repeats_it():
    facts = VideoFacts(sha256="b" * 64, nbytes=5, width=1280, height=720, seconds=4.0, fps=24.0, frames=96, audio=False)
    request = {
        "model": "a/b",
        "references": (reference(role="subject", source="cat.jpg", url="https://a.example/cat.jpg"),),
        "duration": 4,
        "resolution": "720p",
        "aspect_ratio": "16:9",
        "seed": 7,
        "generate_audio": False,
        "provider": {"a": {"mood": "calm"}},
        "previous_job_id": "gen-vid-0",
    }
    about = provenance(
        job(
            request,
            api_id="gen-vid-1",
            base_url="https://openrouter.ai/api/v1",
            estimate=Estimate(Decimal("0.20"), Decimal("0.30"), ""),
            cost=Decimal("0.25"),
            finished=1_795_436_611.0,
            notes=("a note",),
            video=facts,
        ),
        made_by="0.1.0",
    )
    assert about == json.loads(json.dumps(about)), "plain JSON values"
    settings = about.pop("settings")
    assert settings == {k: v for k, v in request.items() if k not in {"model", "references"}} | {"size": None}
    assert about == {
        "provenance": 1,
        "made_by": "refvideo_nb 0.1.0",
        "job": "rv-20270115-aaaaaa",
        "api_id": "gen-vid-1",
        "api": "https://openrouter.ai/api/v1",
        "simulated": False,
        "state": "downloaded",
        "error": None,
        "notes": ["a note"],
        "model": "a/b",
        "prompt": "@cat",
        "prompt_as_sent": "[Image1]",
        "references": [
            {
                "name": "cat",
                "role": "subject",
                "kind": "image",
                "sha256": "a" * 64,
                "media_type": "image/jpeg",
                "bytes": 9,
                "width": 4,
                "height": 3,
                "seconds": None,
                "url": "https://a.example/cat.jpg",
                "source": "cat.jpg",
                "changed": None,
            }
        ],
        "frames": {},
        "cost_estimated": {"low": "0.20", "high": "0.30"},
        "cost_billed": "0.25",
        "created": "2026-11-23T12:22:49+00:00",
        "submitted": None,
        "finished": "2026-11-23T12:23:31+00:00",
        "video": {
            "sha256": "b" * 64,
            "bytes": 5,
            "width": 1280,
            "height": 720,
            "seconds": 4.0,
            "fps": 24.0,
            "frames": 96,
            "audio": False,
        },
    }


def test_a_time_that_is_none_is_not_told():
    assert provenance(job(created=1e300), made_by="")["created"] is None


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("photos/cat.jpg", "photos/cat.jpg"),
        ("variable cat", "variable cat"),
        ("/home/me/cat.jpg", "cat.jpg"),
        ("~/me/cat.jpg", "cat.jpg"),
        ("C:\\Users\\me\\cat.jpg", "cat.jpg"),
        ("\\\\server\\me\\cat.jpg", "cat.jpg"),
        ("https://me:pw@a.example/cat.jpg?sig=1#2", "https://a.example/cat.jpg"),
        ("https://a.example?sig=1", "https://a.example"),
    ],
)
def test_where_a_reference_came_from(source, told):
    record = job({"frames": (Frame("last", reference(source=source)),)})
    assert provenance(record, made_by="")["frames"]["last"]["source"] == told


def test_an_address_with_a_query_is_no_address_any_more():
    signed, plain = "https://a.example/cat.jpg?sig=1", "https://a.example/cat.jpg"
    record = shareable(job({"references": (reference(url=signed), reference("cup", url=plain))}))
    assert [r.url for r in record.request.references] == [None, plain]


texts = st.text(max_size=30) | st.lists(
    st.sampled_from(["https://", "a@b", "?", "#", "/", "\\", "C:", "~", " ", "x", "://"]), max_size=12
).map("".join)


@given(url=st.none() | texts, source=texts, error=texts)
def test_doing_it_twice_changes_nothing_more(url, source, error):
    record = job(
        {"references": (reference(url=url, source=source),)},
        error=error,
        notes=(error,),
        polling_url=url,
        imported=True,
    )
    once = shareable(record)
    assert shareable(once) == once
    assert provenance(once, made_by="") == provenance(record, made_by="")
    kept = msgspec.structs.replace(once.request, references=record.request.references)
    assert kept == record.request, "what was asked for stays"


@given(texts)
def test_no_query_is_left(address):
    left = without_query(address)
    assert without_query(left) == left
    if "://" in address:
        assert "?" not in left
        assert "#" not in left
        assert left.partition("://")[2].partition("/")[0].count("@") == 0
