"""A report of adherence as one JSON document, and back; what comes from elsewhere is checked.

Numbers and texts can be read by people and by other programs; arrays are their bytes in
base64, beside their type and shape. Only what opens a report imports this: it needs numpy.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, get_args

import msgspec
import numpy as np

from refvideo_nb.core.adherence import ROLES, Report, Score
from refvideo_nb.errors import LedgerError, one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Document", "Scored", "read_report", "read_scores", "report_key", "write_report"]

FORMAT = "refvideo_nb report"
VERSION = 1
_SHA = re.compile(r"[0-9a-f]{64}\Z")
_MOST_SIDE = 100_000  # pixels
_LONGEST = 1e6  # seconds
_MOST_TEXT = 2000  # characters of one line


class _Head(msgspec.Struct):
    format: str
    version: int


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A report as it is kept.

    Attributes
    ----------
    asked : dict
        JSON values: what was asked for, before anything was measured.
    report : Report
    format, version : str, int
    """

    asked: dict[str, Any]
    report: Report
    format: str = FORMAT
    version: int = VERSION

    @property
    def key(self) -> str:
        """What it is found again by."""
        return report_key(self.report.video_sha256, self.asked)


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of a kept report without its arrays: thousands of them are read at once.

    Attributes
    ----------
    video_sha256 : str
    scores : tuple of Score
    settings : msgspec.Raw
        JSON; see :class:`.core.adherence.Report`.
    """

    video_sha256: str
    scores: tuple[Score, ...]
    settings: msgspec.Raw


class _ScoredDocument(msgspec.Struct):
    format: str
    version: int
    asked: msgspec.Raw
    report: Scored


class _Array(msgspec.Struct):
    dtype: str
    shape: tuple[int, ...]
    data: str


def report_key(video_sha256: str, asked: Mapping[str, Any]) -> str:
    """The same for the same film, measured for the same in the same way, and only then: hexadecimal."""
    return hashlib.sha256(msgspec.json.encode([video_sha256, asked], order="deterministic")).hexdigest()


def write_report(report: Report, asked: Mapping[str, Any]) -> bytes:
    """A report as a document; the same report gives the same bytes."""
    document = Document(asked=dict(asked), report=report)
    return msgspec.json.encode(document, enc_hook=_packed, order="deterministic")


def read_report(data: bytes) -> Document:
    """A document that was written here or elsewhere.

    Raises
    ------
    LedgerError
        Where it is none, of another version, or its parts do not fit together.
    """
    try:
        head = _HEAD.decode(data)
        if (head.format, head.version) != (FORMAT, VERSION):
            raise LedgerError(
                f"it is {one_line(head.format, limit=40)!r} of version {head.version}; this refvideo_nb reads "
                f"{FORMAT!r} of version {VERSION}: pip install -U refvideo-nb"
            )
        document = _DOCUMENT.decode(data)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise LedgerError(f"a report cannot be read ({one_line(error, limit=120)})") from None
    for fits, what in _checks(document.report):
        if not fits:
            raise LedgerError(f"a report cannot be used: {what}")
    return document


def read_scores(data: bytes, *, said: dict[tuple[type, bytes], Any]) -> tuple[dict[str, Any], Scored]:
    """What was asked for and the numbers of a document that this home folder keeps.

    Parameters
    ----------
    data : bytes
    said : dict
        What other documents said, kept up here: what thousands say alike is held once, as one object.

    Raises
    ------
    LedgerError
        Where it is none, or of another version.
    """
    try:
        found = _SCORED.decode(data)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise LedgerError(f"a report cannot be read ({one_line(error, limit=120)})") from None
    if (found.format, found.version) != (FORMAT, VERSION):
        raise LedgerError(f"a report of version {found.version} cannot be read")
    # Copies: raw bytes would hold on to the whole document.
    asked, settings = (dict, bytes(found.asked)), (msgspec.Raw, bytes(found.report.settings))
    try:
        known = said[asked] if asked in said else said.setdefault(asked, _ASKED.decode(asked[1]))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise LedgerError(f"a report cannot be read ({one_line(error, limit=120)})") from None
    shared = said.setdefault(settings, msgspec.Raw(settings[1]))
    return known, msgspec.structs.replace(found.report, settings=shared)


def _packed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        little = value.astype(value.dtype.newbyteorder("<"))
        data = base64.b64encode(little.tobytes()).decode("ascii")
        return {"dtype": little.dtype.str, "shape": list(value.shape), "data": data}
    if isinstance(value, np.generic):
        return value.item()
    raise NotImplementedError(type(value).__name__)


def _unpacked(type_: Any, value: Any) -> Any:
    """An array of the type that the field has; nothing else needs help."""
    packed = msgspec.convert(value, _Array)
    dtype = np.dtype(get_args(get_args(type_)[1])[0]).newbyteorder("<")
    if packed.dtype != dtype.str:
        raise ValueError(f"an array is of type {one_line(packed.dtype, limit=20)!r} instead of {dtype.str!r}")
    try:
        if min(packed.shape, default=0) < 0:  # which numpy would work out
            raise ValueError(packed.shape)
        data = base64.b64decode(packed.data, validate=True)
        found = np.frombuffer(data, dtype=dtype).reshape(packed.shape)
    except (binascii.Error, ValueError, OverflowError):
        raise ValueError("the bytes of an array are not those of its shape") from None
    return found.astype(dtype.newbyteorder("="))  # a copy, which may be written to


_Checks = Iterator[tuple[bool, str]]  # whether something is as it must be, and how it is


def _checks(report: Report) -> _Checks:
    names = [reference.name for reference in report.references]
    frames, references = len(report.times), len(names)
    yield _SHA.match(report.video_sha256) is not None, "its video has no hash"
    yield 0 < report.width < _MOST_SIDE and 0 < report.height < _MOST_SIDE, "its video has no size"
    yield 0 <= report.seconds < _LONGEST, "its video has no length"
    yield frames > 0 and references > 0, "it holds no frame or no reference"
    yield len(set(names)) == references, "two of its references have one name"
    yield [score.reference for score in report.scores] == names, "its scores are not those of its references"
    yield set(report.negatives) == set(names), "its negatives are not those of its references"
    for reference in report.references:
        yield reference.role in ROLES, f"{one_line(reference.name, limit=40)!r} has no role that is known"
        yield all(_SHA.match(sha) for sha in reference.sha256), "a picture of it has no hash"
    shapes: dict[str, tuple[NDArray[Any], tuple[int, ...]]] = {
        "times": (report.times, (frames,)),
        "similarity": (report.similarity, (frames, references)),
        "z": (report.z, (frames, references)),
        "boxes": (report.boxes, (frames, references, 4)),
        "copies": (report.copies, (frames, references)),
        "confusion": (report.confusion, (references, references)),
    }
    for negatives in report.negatives.values():
        for name in ("mean", "low", "high"):
            shapes[f"{name} {id(negatives)}"] = (getattr(negatives, name), (frames,))
    for name, (array, shape) in shapes.items():
        yield array.shape == shape, f"its {name.split()[0]} are of shape {array.shape} instead of {shape}"
        yield bool(np.all(np.isfinite(array))), f"its {name.split()[0]} are not all numbers"
    texts = [report.video, *names, *report.notes]
    texts += [text for score in report.scores for text in (score.role, score.verdict, score.sentence)]
    yield all(len(text) <= _MOST_TEXT for text in texts), "one of its texts is too long"


# Made here, once: two threads that make what msgspec knows of a type at the same moment end the process.
_HEAD = msgspec.json.Decoder(_Head)
_ASKED = msgspec.json.Decoder(dict[str, Any])
_SCORED = msgspec.json.Decoder(_ScoredDocument)
_DOCUMENT = msgspec.json.Decoder(Document, dec_hook=_unpacked)
