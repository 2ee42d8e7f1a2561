"""A bundle that somebody made or changed by hand: it is refused in one line, and nothing of it stays."""

import io
import json
import zipfile

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refvideo_nb.errors import LedgerError
from refvideo_nb.ledger import unbundle
from refvideo_nb.ledger.bundle import write_bundle
from refvideo_nb.ledger.unbundle import Bundle
from tests.ledger.bundles import CLIP, NAMES, PICTURE, failed, job, opened_home, sha

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


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
