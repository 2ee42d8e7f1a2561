"""A bundle: what goes out comes in elsewhere, the same in everything, and nothing of a hostile one does."""

import contextlib
import dataclasses
import hashlib
import io
import json
import tempfile
import zipfile
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refvideo_nb.core.job import SETTLED, JobRecord, State, VideoFacts
from refvideo_nb.core.pricing import Estimate
from refvideo_nb.core.provenance import shareable
from refvideo_nb.core.references import Reference
from refvideo_nb.core.request import Frame, VideoRequest
from refvideo_nb.errors import LedgerError
from refvideo_nb.ledger import unbundle
from refvideo_nb.ledger.bundle import write_bundle, write_folder
from refvideo_nb.ledger.media import MediaStore
from refvideo_nb.ledger.store import Ledger
from refvideo_nb.ledger.unbundle import Bundle
from refvideo_nb.ledger.unpack import unpacked

CLIP = b"\x00\x00\x00\x18ftypmp42" + b"a clip of 4 seconds" * 500
PICTURE = b"\xff\xd8 a picture of a cat"
NAMES = ("jobs/rv-20270115-aaaaaa.json", "jobs/rv-20270115-bbbbbb.json", "videos/rv-20270115-aaaaaa.mp4")


def sha(data):
    return hashlib.sha256(data).hexdigest()


def facts(data, **more):
    values = {"width": 864, "height": 496, "seconds": 4.0, "fps": 24.0, "frames": 96, "audio": False}
    return VideoFacts(sha256=sha(data), nbytes=len(data), **(values | more))


def reference(name="cat", data=PICTURE, **more):
    values = {"kind": "image", "media_type": "image/jpeg", "width": 451, "height": 300, "source": "photos/cat.jpg"}
    return Reference(name=name, sha256=sha(data), nbytes=len(data), **(values | more))


@dataclasses.dataclass
class Home:
    """A ledger and its files."""

    folder: Path
    ledger: Ledger
    media: MediaStore

    def keep(self, record, *, clip=CLIP, pictures=(PICTURE,)):
        """A job as if it had been made here."""
        for picture in pictures:
            self.media.put(picture, "image/jpeg")
        if record.state is State.DOWNLOADED:
            self.media.video(record.id).write_bytes(clip)
        self.ledger.bring_in([(record, record.id)])
        return record

    def seen(self):
        """Everything that somebody could notice."""
        files = {p.relative_to(self.folder).as_posix(): p for p in self.folder.rglob("*")}
        held = {n: p.read_bytes() if p.is_file() else None for n, p in files.items() if "ledger.sqlite" not in n}
        return held, self.ledger.jobs()

    def take(self, path):
        """Bring a bundle in."""
        bundle = Bundle.open(path)
        with unpacked(bundle, self.media, self.ledger):
            return self.ledger.bring_in([(r, f"of {r.id}") for r in bundle.records])


@contextlib.contextmanager
def opened_home(folder):
    with contextlib.closing(Ledger(folder, clock=lambda: 1_800_000_500.0)) as ledger:
        yield Home(folder, ledger, MediaStore(folder))


@pytest.fixture
def here(tmp_path):
    with opened_home(tmp_path / "here") as home:
        yield home


@pytest.fixture
def there(tmp_path):
    with opened_home(tmp_path / "there") as home:
        yield home


def job(job_id="rv-20270115-aaaaaa", **more):
    request = VideoRequest(prompt="@cat & <b>", references=(reference(),), duration=4, seed=7)
    values = {
        "state": State.DOWNLOADED,
        "request": request,
        "sent_prompt": "[Image1] & <b>",
        "created": 1_800_000_000.0,
        "updated": 1_800_000_042.0,
        "submitted": 1_800_000_001.0,
        "finished": 1_800_000_041.0,
        "estimate": Estimate(Decimal("0.2"), Decimal("0.3"), "4 s x USD 0.05"),
        "cost": Decimal("0.25"),
        "base_url": "https://openrouter.ai/api/v1",
        "api_id": "gen-vid-1",
        "api_status": "completed",
        "polling_url": "https://openrouter.ai/api/v1/videos/gen-vid-1?token=SIGNED",
        "video": facts(CLIP),
    }
    return JobRecord(id=job_id, **(values | more))


def failed(job_id="rv-20270115-bbbbbb", **more):
    return job(job_id, **({"state": State.FAILED, "video": None, "error": "moderation", "cost": None} | more))


@pytest.fixture
def archive(here, tmp_path):
    path = tmp_path / "two.zip"
    write_bundle([here.keep(job()), here.keep(failed())], here.media, path, made_by="1")
    return path


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


def repacked(archive, edit, *, rehash=True, **how):
    """The archive with `edit(files, manifest)` done to it; with hashes that fit, unless said otherwise."""
    with zipfile.ZipFile(archive) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    edit(files, manifest)
    if rehash and isinstance(manifest, dict):
        manifest["files"] = {n: {"sha256": sha(d), "bytes": len(d)} for n, d in files.items()}
    out = archive.with_name("hostile.zip")
    with zipfile.ZipFile(out, "w", **how) as made:
        for name, data in files.items():
            made.writestr(name, data)
        if manifest is not None:
            made.writestr("manifest.json", json.dumps(manifest))
    return out


def in_record(**changes):
    """An edit of the first job's record; a dot leads inside."""

    def edit(files, _):
        whole = json.loads(files[NAMES[0]])
        for path, value in changes.items():
            at = whole["record"]
            *way, last = path.split("__")
            for step in way:
                at = at[int(step) if step.isdigit() else step]
            at[int(last) if last.isdigit() else last] = value
        files[NAMES[0]] = json.dumps(whole).encode()

    return edit


def renamed(old, new):
    return lambda files, _: files.update({new: files.pop(old)})


HOSTILE = {
    "slip": (renamed(NAMES[2], "../../evil.mp4"), "is called '../../evil.mp4'"),
    "absolute": (renamed(NAMES[2], "/tmp/evil.mp4"), "is called"),
    "slip in a reference": (lambda f, _: f.update({f"references/../{'a' * 64}.jpg": b""}), "is called"),
    "other letters": (renamed(NAMES[2], "videos/rv-ａ.mp4"), "is called"),
    "folder": (lambda f, _: f.update({"videos/": b""}), "is called"),
    "stranger": (lambda f, _: f.update({"videos/rv-x.mp4": b"MZ"}), "belongs to no job"),
    "stranger's picture": (lambda f, _: f.update({f"references/{sha(b'x')}.jpg": b"x"}), "belongs to no job"),
    "picture of another hash": (lambda f, _: f.update({f"references/{sha(PICTURE)}.jpg": b"x"}), "not what was exp"),
    "another clip": (lambda f, _: f.update({NAMES[2]: b"another clip"}), "or another one"),
    "no clip": (lambda f, _: f.pop(NAMES[2]), "not in it"),
    "clip of a failed job": (lambda f, _: f.update({"videos/rv-20270115-bbbbbb.mp4": b"x"}), "or another one"),
    "job twice": (lambda _, m: m["jobs"].append(m["jobs"][0]), "a job twice"),
    "job that is not there": (lambda _, m: m["jobs"].append("rv-x"), "'rv-x' is not in it"),
    "job that is not named": (lambda _, m: m["jobs"].pop(1), "belongs to no job"),
    "path as a job": (lambda _, m: m["jobs"].append("../x"), "'../x' is not in it"),
    "version": (lambda _, m: m.update(version=2), "of version 2; this refvideo_nb reads .* of version 1: pip install"),
    "format": (lambda _, m: m.update(format="docx"), "'docx'"),
    "no manifest": (lambda f, m: m.clear() or f.clear(), "cannot be read"),
    "no job": (lambda f, _: f.update({NAMES[0]: b"[]"}), "cannot be read"),
    "deep": (lambda f, _: f.update({NAMES[0]: b'{"record":' + b"[" * 200_000}), "cannot be read"),
    "id": (in_record(id="rv-20270115-bbbbbb"), "its id is"),
    "running": (in_record(state="running"), "has not ended"),
    "api": (in_record(base_url="http://evil.example/api"), "its API is"),
    "api with a name": (in_record(base_url="https://openrouter.ai@evil.example"), "its API is"),
    "api id": (in_record(api_id="x\n\x1b[31m"), "id at the API"),
    "money": (in_record(cost="NaN"), "an amount is NaN"),
    "much money": (in_record(estimate__high="1e999999"), "an amount"),
    "money back": (in_record(cost="-1"), "an amount is -1"),
    "time": (in_record(created=1e300), "times is 1e\\+300"),
    "seed": (in_record(request__seed=10**30), "its seed is none"),
    "duration": (in_record(request__duration=10**4000), "its duration is none"),
    "polls": (in_record(polls=-1), "asked after"),
    "hash": (in_record(request__references__0__sha256="../../x"), "the hash of reference"),
    "file address": (in_record(request__references__0__url="file:///etc/passwd"), "the address of"),
    "path for an address": (in_record(request__references__0__url="/etc/passwd"), "the address of"),
    "signed address": (in_record(request__references__0__url="https://a.example/x?y"), "the address of"),
    "type": (in_record(request__references__0__media_type="text/html"), "of type 'text/html'"),
    "type breaks out": (in_record(request__references__0__media_type='image/jpeg"onload='), "of type"),
    "role": (in_record(request__references__0__role="king"), "role"),
    "name": (in_record(request__references__0__name="cat\n%refvideo"), "is called"),
    "pixels": (in_record(video__width=0), "sides that no clip has"),
    "length": (in_record(video__seconds=1e30), "its clip has"),
    "size": (in_record(request__size=[0, 10**12]), "its size is none"),
    "wrong size": (in_record(video__nbytes=1), "or another one"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_bundle_changes_nothing(archive, there, what):
    edit, said = HOSTILE[what]
    before = there.seen()
    with pytest.raises(LedgerError, match=said) as told:
        there.take(repacked(archive, edit))
    assert "\n" not in str(told.value)
    assert "\x1b" not in str(told.value)
    assert len(str(told.value)) < 500
    assert there.seen() == before
    assert not list(there.folder.parent.rglob("evil*"))


def test_hashes_that_do_not_fit(archive, there):
    def other_bytes(files, _):
        files[NAMES[0]] = files[NAMES[0]].replace(b"gen-vid-1", b"gen-vid-2")

    with pytest.raises(LedgerError, match=r"rv-20270115-aaaaaa\.json is not what was exported"):
        there.take(repacked(archive, other_bytes, rehash=False))
    with pytest.raises(LedgerError, match="not those that its manifest names"):
        there.take(repacked(archive, lambda f, _: f.update({"videos/rv-x.mp4": b""}), rehash=False))


def test_a_bomb_is_not_unfolded(archive, there):
    packed = repacked(archive, lambda *_: None, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(LedgerError, match="compressed or encrypted"):
        there.take(packed)
    # Many names for the same bytes of the archive: it unfolds though nothing is compressed.
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("jobs/rv-a.json", b" " * 1_000_000)
        (entry,) = made.infolist()
        for n in range(50):
            twin = zipfile.ZipInfo(f"jobs/rv-{n}.json")
            twin.header_offset, twin.CRC = entry.header_offset, entry.CRC
            twin.file_size = twin.compress_size = entry.file_size
            made.filelist.append(twin)
            made.NameToInfo[twin.filename] = twin
    archive.write_bytes(out.getvalue())
    with pytest.raises(LedgerError, match="together larger than itself"):
        there.take(archive)


def test_bounds(archive, there, monkeypatch):
    monkeypatch.setattr(unbundle, "_MOST_TEXT", 100)
    with pytest.raises(LedgerError, match="more than 100 bytes"):
        there.take(archive)
    monkeypatch.setattr(unbundle, "_MOST_FILES", 3)
    with pytest.raises(LedgerError, match="it holds 5 files; at most 3"):
        there.take(archive)


def test_twice_the_same_name(archive, there):
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(NAMES[0], b"{}")
    with pytest.raises(LedgerError, match="a file twice"):
        there.take(archive)


@pytest.mark.parametrize("data", [b"", b"PK", b"no archive at all", None])
def test_no_bundle(there, tmp_path, data):
    path = tmp_path / "x\x1b[31m.zip"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(LedgerError, match="no bundle that can be read" if data is not None else "is not there") as told:
        there.take(path)
    assert "\x1b" not in str(told.value)
    with pytest.raises(LedgerError, match="no bundle"):
        there.take(tmp_path)
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("word/document.xml", b"<xml/>")
    with pytest.raises(LedgerError, match=r"has no manifest\.json"):
        there.take(path)


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


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A bundle, and an empty home in which nothing of a hostile one may stay."""
    place = tmp_path_factory.mktemp("two")
    with opened_home(place / "here") as here, opened_home(place / "there") as there:
        write_bundle([here.keep(job()), here.keep(failed())], here.media, place / "two.zip", made_by="1")
        yield place / "two.zip", there


def undone(home):
    """Take out again what a mutation had no influence on."""
    for record in home.ledger.jobs():
        home.ledger.forget(record.id, even_unknown=True)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_broken_bytes_are_noticed_or_without_consequence(two, data):
    path, there = two
    whole = path.read_bytes()
    if data.draw(st.booleans()):
        broken = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        broken = bytearray(whole)
        # Most of it is the clip: what stands around it must come up, too.
        spots = st.one_of(st.integers(0, len(whole) - 1), st.integers(max(0, len(whole) - 4000), len(whole) - 1))
        for at in data.draw(st.lists(spots, min_size=1, max_size=4)):
            broken[at] = data.draw(st.integers(0, 255))
    hostile = path.with_name("broken.zip")
    hostile.write_bytes(broken)
    before = there.seen()
    try:
        there.take(hostile)
    except LedgerError:
        assert there.seen() == before
    else:
        assert there.ledger.get(job().id) == msgspec.structs.replace(job(), polling_url=None, imported=True)
        assert there.media.video(job().id).read_bytes() == CLIP
        undone(there)


nothing = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text
values = st.recursive(nothing, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3))


def places(value, way=()):
    """Every place in a JSON value."""
    yield way
    for step, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from places(inner, (*way, step))


def altered(data, value):
    """Put another value somewhere, or take away what is there."""
    *way, last = data.draw(st.sampled_from([w for w in places(value) if w]))
    at = value
    for step in way:
        at = at[step]
    same_type = {str: text, int: st.integers(), float: st.floats(allow_nan=False)}.get(type(at[last]), values)
    if data.draw(st.booleans()):
        at[last] = data.draw(same_type)
    elif data.draw(st.booleans()):
        at[last] = data.draw(values)
    else:
        del at[last]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_altered_json_is_refused_or_a_whole_job(two, data):
    path, there = two

    def edit(files, manifest):
        if data.draw(st.booleans()):
            altered(data, manifest)
            return
        name = data.draw(st.sampled_from(NAMES[:2]))
        whole = json.loads(files[name])
        altered(data, whole["record"])
        files[name] = json.dumps(whole).encode()

    before = there.seen()
    hostile = repacked(path, edit, rehash=data.draw(st.booleans()))
    try:
        there.take(hostile)
    except LedgerError:
        assert there.seen() == before
    else:
        # What came in is a job like any other: it can go out again.
        write_bundle(there.ledger.jobs(), there.media, path.with_name("out.zip"), made_by="1")
        Bundle.open(path.with_name("out.zip"))
        undone(there)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_names_and_files_in_other_places_are_refused(two, data):
    path, there = two

    def edit(files, _):
        one, other = data.draw(st.permutations(sorted(files)))[:2]
        match data.draw(st.sampled_from(["swap", "rename", "add", "drop"])):
            case "swap":
                files[one], files[other] = files[other], files[one]
            case "rename":
                files[data.draw(text.filter(lambda t: t and t not in files and "\x00" not in t))] = files.pop(one)
            case "add":
                files[data.draw(text.filter(lambda t: t and t not in files and "\x00" not in t))] = files[one]
            case "drop":
                # Without its picture a job is whole, as after it was removed.
                del files[data.draw(st.sampled_from(NAMES))]

    before = there.seen()
    with pytest.raises(LedgerError):
        there.take(repacked(path, edit, rehash=data.draw(st.booleans())))
    assert there.seen() == before
