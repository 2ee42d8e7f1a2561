"""Bytes by their hash: whole or not at all, and the same that were kept."""

import hashlib
import threading
from pathlib import Path

import pytest

from refvideo_nb.core.references import Reference
from refvideo_nb.errors import LedgerError
from refvideo_nb.ledger.media import MediaStore, write_atomically

DATA = b"\x89PNG" + bytes(range(256)) * 50
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def media(tmp_path):
    return MediaStore(tmp_path)


def kept(sha256=SHA, media_type="image/png"):
    return Reference(name="x", kind="image", sha256=sha256, media_type=media_type, nbytes=1)


def files(tmp_path):
    return sorted(p for p in tmp_path.rglob("*") if p.is_file())


def test_put_and_read(media, tmp_path):
    assert media.put(DATA, "image/png") == SHA
    assert media.read(kept()) == DATA
    assert files(tmp_path) == [tmp_path / "media" / SHA[:2] / f"{SHA}.png"]
    assert media.put(DATA, "image/png") == SHA
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize(
    ("media_type", "suffix"),
    [
        ("image/jpeg", ".jpg"),
        ("image/webp", ".webp"),
        ("video/mp4", ".mp4"),
        ("audio/mpeg", ".mp3"),
        ("../../evil", ".bin"),
    ],
)
def test_the_suffix_is_ours(media, tmp_path, media_type, suffix):
    media.put(DATA, media_type)
    assert [p.name for p in files(tmp_path)] == [SHA + suffix]
    assert media.read(kept(media_type=media_type)) == DATA


def test_what_was_removed_is_none(media):
    media.put(DATA, "image/png")
    media.path(SHA, "image/png").unlink()
    assert media.read(kept()) is None


@pytest.mark.parametrize("now", [b"", DATA[:-1], DATA + b"x", b"something else"])
def test_what_was_changed_is_not_sent_for_it(media, now):
    media.put(DATA, "image/png")
    media.path(SHA, "image/png").write_bytes(now)
    assert media.read(kept()) is None
    media.put(DATA, "image/png")
    assert media.read(kept()) == DATA, "putting it again repairs it"


@pytest.mark.parametrize(
    "sha256", ["", "../../../etc/passwd", SHA.upper(), SHA + "\n", SHA[:-1], SHA[:-1] + "g", "/" * 64, "." * 64]
)
def test_a_hash_is_never_a_path(media, sha256):
    with pytest.raises(LedgerError, match="changed by something else"):
        media.path(sha256, "image/png")
    with pytest.raises(LedgerError):
        media.read(kept(sha256))


@pytest.mark.parametrize("job_id", ["", "../x", "a/b", "a\\b", "..", ".", "a\x00b", "/etc/passwd", "x" * 65, "rv-1\n"])
def test_an_id_is_never_a_path(media, job_id):
    with pytest.raises(LedgerError):
        media.video(job_id)


def test_where_a_clip_is(media, tmp_path):
    assert media.video("rv-20270115-abcdef") == tmp_path / "videos" / "rv-20270115-abcdef.mp4"


def test_many_at_once(media, tmp_path):
    threads = [threading.Thread(target=media.put, args=(DATA, "image/png")) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert media.read(kept()) == DATA
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("at", ["refvideo_nb.ledger.media.os.fsync", "pathlib.Path.replace"])
def test_a_full_disk_leaves_nothing(media, tmp_path, monkeypatch, at):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(at, full)
    with pytest.raises(LedgerError, match="No space left on device"):
        media.put(DATA, "image/png")
    assert files(tmp_path) == []


def test_an_interrupt_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("refvideo_nb.ledger.media.os.fsync", interrupt)
    path = tmp_path / "x.png"
    path.write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, DATA)
    assert files(tmp_path) == [path]
    assert path.read_bytes() == b"before"


def test_a_file_in_the_place_of_a_folder(media, tmp_path):
    (tmp_path / "media").write_text("a file")
    with pytest.raises(LedgerError, match="cannot be written"):
        media.put(DATA, "image/png")


def test_a_folder_that_was_removed_is_made_again(media, tmp_path):
    media.put(DATA, "image/png")
    for path in [*files(tmp_path), tmp_path / "media" / SHA[:2], tmp_path / "media"]:
        path.unlink() if path.is_file() else path.rmdir()
    media.put(DATA, "image/png")
    assert media.read(kept()) == DATA


def test_it_is_seen_whole_or_not(tmp_path, monkeypatch):
    seen = []
    replace = Path.replace

    def watched(self, target):
        seen.append((Path(target).exists(), self.read_bytes() == DATA))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    write_atomically(tmp_path / "x.png", DATA)
    assert seen == [(False, True)]
