"""A bundle: what goes out comes in elsewhere, the same in everything."""

import contextlib
import json
import tempfile
import zipfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refvideo_nb.core.job import SETTLED, JobRecord, State
from refvideo_nb.core.pricing import Estimate
from refvideo_nb.core.provenance import shareable
from refvideo_nb.core.request import Frame, VideoRequest
from refvideo_nb.errors import LedgerError
from refvideo_nb.ledger.bundle import write_bundle, write_folder
from refvideo_nb.ledger.unbundle import Bundle
from refvideo_nb.ledger.unpack import unpacked
from tests.ledger.bundles import CLIP, NAMES, PICTURE, facts, failed, job, opened_home, reference, sha

# --- what goes out ------------------------------------------------------------------------------------------------


def test_a_colleague_has_the_same_jobs_and_sends_the_same_bytes_on(archive, there, tmp_path):
    assert there.take(archive) == []
    kept = there.ledger.get("rv-20270115-aaaaaa")
    assert kept == msgspec.structs.replace(job(), polling_url=None, imported=True)
    assert there.media.video(kept.id).read_bytes() == CLIP
    assert there.media.read(kept.request.references[0]) == PICTURE
    assert there.ledger.get("rv-20270115-bbbbbb").error == "moderation"
    on = tmp_path / "on.zip"
    write_bundle(there.ledger.jobs(), there.media, on, made_by="1")
    assert on.read_bytes() == archive.read_bytes()


def test_the_same_jobs_give_the_same_bytes_in_any_order(archive, here, tmp_path):
    again = tmp_path / "again.zip"
    write_bundle([failed(), job(), job()], here.media, again, made_by="1")
    assert again.read_bytes() == archive.read_bytes()


def test_every_file_is_listed_with_its_hash(archive):
    with zipfile.ZipFile(archive) as opened:
        manifest = json.loads(opened.read("manifest.json"))
        for name, listed in manifest["files"].items():
            assert listed == {"sha256": sha(opened.read(name)), "bytes": len(opened.read(name))}
        assert sorted(manifest["files"]) == sorted([*NAMES, f"references/{sha(PICTURE)}.jpg"])
        assert {i.filename for i in opened.infolist()} == {*manifest["files"], "manifest.json"}


def test_no_signature_and_no_folder_goes_out(here, tmp_path):
    url = "https://me:WORD@cdn.example/cat.jpg?X-Signature=SIGNED#SIGNED"
    references = (
        reference("cat", url=url, source=url),
        reference("cup", source="/home/SECRET/cup.jpg", note=f"was at {url}"),
        reference("hat", source="C:\\Users\\SECRET\\hat.jpg", url="https://cdn.example/hat.jpg"),
    )
    request = VideoRequest(prompt="@cat", references=references, frames=(Frame("first", reference(url=url)),))
    record = here.keep(failed(request=request, error=f"not to be had at {url}, sorry", notes=(f"see {url}",)))
    write_bundle([record], here.media, tmp_path / "a.zip", made_by="1")
    write_folder([record], here.media, tmp_path / "a", made_by="1")
    for data in ((tmp_path / "a.zip").read_bytes(), (tmp_path / "a" / f"{record.id}.json").read_bytes()):
        assert b"not to be had at https://cdn.example/cat.jpg sorry" in data
        assert b"cup.jpg" in data
        assert b"https://cdn.example/hat.jpg" in data
        for secret in (b"SIGNED", b"SECRET", b"WORD"):
            assert secret not in data


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda home: home.media.video(job().id).unlink(), r"gone .*: make its request again"),
        (lambda home: home.media.video(job().id).write_bytes(b"another"), r"no longer what came .*delete it"),
    ],
)
def test_a_clip_that_is_gone_or_another_one_is_told(here, tmp_path, break_it, said):
    record = here.keep(job())
    break_it(here)
    for write, to in ((write_bundle, "a.zip"), (write_folder, "a")):
        with pytest.raises(LedgerError, match=said) as told:
            write([record], here.media, tmp_path / to, made_by="1")
        assert "\n" not in str(told.value)
        assert not (tmp_path / to).exists()
    with pytest.raises(LedgerError, match="bring its bundle in again"):
        write_bundle([msgspec.structs.replace(record, imported=True)], here.media, tmp_path / "a.zip", made_by="1")


@pytest.mark.parametrize("state", sorted(set(State) - SETTLED))
def test_what_has_not_ended_stays(here, tmp_path, state):
    with pytest.raises(LedgerError, match=f"{job().id} is {state}: wait until it has ended"):
        write_bundle([job(state=state)], here.media, tmp_path / "a.zip", made_by="1")
    with pytest.raises(LedgerError, match="only what has ended is brought in"):
        here.ledger.bring_in([(job(state=state), "")])


def test_a_reference_that_was_removed_is_named_all_the_same(here, there, tmp_path):
    record = here.keep(job(), pictures=())
    write_bundle([record], here.media, tmp_path / "a.zip", made_by="1")
    there.take(tmp_path / "a.zip")
    assert there.ledger.get(record.id).request.references[0].name == "cat"
    write_folder([record], here.media, tmp_path / "a", made_by="1")
    assert json.loads((tmp_path / "a" / f"{record.id}.json").read_text())["references"][0]["file"] is None


def test_a_place_that_cannot_be_written_is_told(here, tmp_path):
    (tmp_path / "file").touch()
    for write in (write_bundle, write_folder):
        with pytest.raises(LedgerError, match="choose another place"):
            write([here.keep(job())], here.media, tmp_path / "file" / "a.zip", made_by="1")


def test_a_folder_holds_each_clip_with_its_provenance(here, tmp_path):
    folder = tmp_path / "out"
    write_folder([here.keep(job()), here.keep(failed())], here.media, folder, made_by="1")
    held = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    picture = f"references/{sha(PICTURE)}.jpg"
    assert sorted(held) == sorted(
        [picture, "rv-20270115-aaaaaa.json", "rv-20270115-aaaaaa.mp4", "rv-20270115-bbbbbb.json"]
    )
    about = json.loads(held["rv-20270115-aaaaaa.json"])
    assert sha(held[about["video"]["file"]]) == about["video"]["sha256"]
    assert about["references"][0]["file"] == picture
    assert json.loads(held["rv-20270115-bbbbbb.json"])["video"] is None
    write_folder([job()], here.media, folder, made_by="1")
    assert (folder / "rv-20270115-aaaaaa.json").read_bytes() == held["rv-20270115-aaaaaa.json"]


# --- what comes in ------------------------------------------------------------------------------------------------


def test_a_job_that_is_here_already_is_told_and_gets_its_clip_back(archive, here):
    before = here.seen()
    assert sorted(here.take(archive)) == ["rv-20270115-aaaaaa", "rv-20270115-bbbbbb"]
    assert here.seen() == before, "a job of our own stays our own"
    here.media.video("rv-20270115-aaaaaa").unlink()
    here.take(archive)
    assert here.seen() == before


@pytest.mark.parametrize("clip", [b"the clip of another job", None])
def test_another_job_of_the_same_id_stays(archive, there, clip):
    mine = there.keep(job(request=VideoRequest(prompt="another"), video=facts(b"the clip of another job")))
    there.media.video(mine.id).unlink() if clip is None else there.media.video(mine.id).write_bytes(clip)
    before = there.seen()
    with pytest.raises(LedgerError, match=r"another job is here as rv-20270115-aaaaaa: .*nothing was brought in"):
        there.take(archive)
    assert there.seen() == before


def interrupt_after(bundle, home, does):
    with unpacked(bundle, home.media, home.ledger):
        does()
        raise KeyboardInterrupt


def test_what_fails_in_between_leaves_nothing(archive, there):
    before, meanwhile = there.seen(), []
    with pytest.raises(KeyboardInterrupt):
        interrupt_after(Bundle.open(archive), there, lambda: meanwhile.append(there.seen()))
    assert there.seen() == before != meanwhile[0]


def test_what_somebody_else_brought_in_meanwhile_stays(archive, there):
    bundle = Bundle.open(archive)
    with pytest.raises(KeyboardInterrupt):
        interrupt_after(bundle, there, lambda: there.ledger.bring_in([(r, r.id) for r in bundle.records]))
    assert there.media.video("rv-20270115-aaaaaa").read_bytes() == CLIP
    assert there.media.read(reference()) == PICTURE


def test_an_archive_that_changes_between_looking_and_unpacking(archive, there):
    before = there.seen()
    bundle = Bundle.open(archive)
    data = archive.read_bytes()
    archive.write_bytes(data.replace(CLIP[:-4], CLIP[:-4][::-1]))
    with pytest.raises(LedgerError, match="nothing was brought in"), unpacked(bundle, there.media, there.ledger):
        pytest.fail("it is not unpacked")
    archive.write_bytes(data[:100])
    with pytest.raises(LedgerError, match="cannot be unpacked"), unpacked(bundle, there.media, there.ledger):
        pytest.fail("it is not unpacked")
    assert there.seen() == before


def test_a_clip_of_nobody_in_its_place_is_replaced(archive, there):
    there.media.video("rv-20270115-aaaaaa").write_bytes(b"left by a crash")
    there.take(archive)
    assert there.media.video("rv-20270115-aaaaaa").read_bytes() == CLIP


# --- properties ---------------------------------------------------------------------------------------------------

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
line = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20)
moment = st.floats(0, 2e9)
amount = st.decimals(0, 10**6, allow_nan=False, allow_infinity=False, places=6)
pictures = st.binary(min_size=1, max_size=30)


@st.composite
def jobs(draw, job_id):
    shown = draw(st.lists(pictures, max_size=3, unique=True))
    references = tuple(
        reference(f"r{n}", data, source=draw(text), note=draw(text), named=draw(st.booleans()))
        for n, data in enumerate(shown)
    )
    clip = draw(st.binary(min_size=1, max_size=200))
    state = draw(st.sampled_from(sorted(SETTLED)))
    record = JobRecord(
        id=job_id,
        state=state,
        request=VideoRequest(
            prompt=draw(text),
            model=draw(line),
            references=references,
            duration=draw(st.none() | st.integers(1, 60)),
            size=draw(st.none() | st.tuples(st.integers(1, 9999), st.integers(1, 9999))),
            seed=draw(st.none() | st.integers(-(2**63), 2**63 - 1)),
            provider=draw(st.dictionaries(line, st.dictionaries(line, text | st.integers(0, 9) | st.none()))),
        ),
        sent_prompt=draw(text),
        created=draw(moment),
        updated=draw(moment),
        submitted=draw(st.none() | moment),
        estimate=draw(st.none() | st.builds(Estimate, amount, amount, text)),
        cost=draw(st.none() | amount),
        simulated=draw(st.booleans()),
        base_url=draw(st.sampled_from(["", "https://openrouter.ai/api/v1", "http://127.0.0.1:5000/api/v1"])),
        api_id=draw(st.none() | line),
        api_status=draw(text),
        polling_url=draw(st.none() | text),
        polls=draw(st.integers(0, 99)),
        error=draw(text),
        notes=tuple(draw(st.lists(text, max_size=3))),
        video=facts(clip) if state is State.DOWNLOADED or draw(st.booleans()) else None,
    )
    return record, clip, shown


@settings(max_examples=40, deadline=None)
@given(first=jobs("rv-a"), second=jobs("rv-b"))
def test_any_jobs_come_in_as_they_went_out(first, second):
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as homes:
        here = homes.enter_context(opened_home(Path(place) / "here"))
        there = homes.enter_context(opened_home(Path(place) / "there"))
        for record, clip, shown in (first, second):
            here.keep(record, clip=clip, pictures=shown)
        sent, on = Path(place) / "a.zip", Path(place) / "b.zip"
        write_bundle(here.ledger.jobs(), here.media, sent, made_by="1")
        there.take(sent)
        for record, clip, shown in (first, second):
            kept = there.ledger.get(record.id)
            assert kept == msgspec.structs.replace(shareable(record), imported=True)
            assert shareable(kept) == shareable(record) == shareable(shareable(record))
            assert [there.media.read(r) for r in kept.request.references] == shown
            if record.state is State.DOWNLOADED:
                assert there.media.video(record.id).read_bytes() == clip
        write_bundle(there.ledger.jobs(), there.media, on, made_by="1")
        assert on.read_bytes() == sent.read_bytes()
        assert sorted(here.take(on)) == ["rv-a", "rv-b"], "they are the same jobs still"
