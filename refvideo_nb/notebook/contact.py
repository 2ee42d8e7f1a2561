"""References and frames of clips as one picture for a paper."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from refvideo_nb.errors import InvalidRequestError, one_line
from refvideo_nb.notebook.exporting import checked_path

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from refvideo_nb.display.figure import Strip
    from refvideo_nb.display.sides import Side

__all__ = ["Sheet", "contact_sheet"]

_WIDTHS, _DPIS = (300, 12_000), (36, 1200)
_SHOWN = 1050  # pixels of the copy that a notebook keeps


class Sheet(bytes):
    """A PNG; a notebook shows and keeps a small copy of it, of a few hundred kB."""

    __slots__ = ()

    def _repr_jpeg_(self) -> bytes:
        from PIL import Image  # noqa: PLC0415 - the package is light until it is used

        out = io.BytesIO()
        with Image.open(io.BytesIO(self)) as sheet:
            sheet.thumbnail((_SHOWN, 4 * _SHOWN), Image.Resampling.LANCZOS)
            sheet.save(out, "JPEG", quality=85, optimize=True, progressive=True)
        return out.getvalue()

    def __repr__(self) -> str:
        return f"<Sheet of {len(self):,} bytes>"


def contact_sheet(
    *jobs_or_paths: Any,
    to: str | os.PathLike[str] | None = None,
    references: Mapping[str, Any] | Iterable[Any] | None = None,
    labels: Sequence[str] | None = None,
    width: int = 2100,
    dpi: int = 300,
) -> Sheet:
    """References and evenly spaced frames of each clip as one picture, ready for a paper.

    Parameters
    ----------
    *jobs_or_paths : Job, str or pathlib.Path
        One to nine: finished jobs, their ids, or any video files of this machine.
    to : str or os.PathLike, optional
        A ``.png`` file to write.
    references : mapping of str to source, or iterable of source, optional
        What to show instead of the jobs' own references; sources as for `refvideo_nb.generate`.
    labels : sequence of str, optional
        One for each video; else, of several, what a run differs in, its job's id, or the file's name.
    width : int
        Pixels; by default seven inches.
    dpi : int
        Dots per inch: how large the text is in pixels, and what the file says of its size.

    Returns
    -------
    Sheet
        The PNG as bytes, the same for the same input; a notebook shows a small copy.

    Raises
    ------
    InvalidRequestError
        For a job without a video, a file that is none, or a width or resolution of no use.
    BadReferenceError, DownloadError
        Naming the file that cannot be read.
    LedgerError
        Where the file cannot be written.
    """
    from refvideo_nb.display.figure import figure  # noqa: PLC0415 - drawing loads Pillow and PyAV
    from refvideo_nb.display.sides import LETTERS  # noqa: PLC0415 - as above
    from refvideo_nb.ledger.media import write_whole  # noqa: PLC0415 - as above
    from refvideo_nb.notebook.compared import references_of, sides_of  # noqa: PLC0415 - as above

    path = None if to is None else checked_path(to, "to")
    if path is not None and path.suffix.lower() != ".png":
        raise InvalidRequestError(
            f"{one_line(path, limit=160)} is no name of a PNG: let it end in .png", field="to", value=to
        )
    for name, value, (least, most) in (("width", width, _WIDTHS), ("dpi", dpi, _DPIS)):
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise InvalidRequestError(
                f"{name} {one_line(value, limit=40)} cannot be used: give a whole number from {least} to {most}",
                field=name,
                value=value,
            )
    sides, jobs = sides_of(jobs_or_paths, labels=labels)
    names = [f"{letter}  {side.label}" for letter, side in zip(LETTERS, sides, strict=False)]
    if len(sides) == 1:
        names = list(labels or [""])
    strips = [_strip(side, name) for side, name in zip(sides, names, strict=True)]
    made = Sheet(figure(strips, references=references_of(jobs, instead=references), width=width, dpi=dpi))
    if path is not None:
        with write_whole(path, advice="choose another place") as file:
            file.write(made)
    return made


def _strip(side: Side, name: str) -> Strip:
    from refvideo_nb.display.figure import Strip  # noqa: PLC0415 - as above
    from refvideo_nb.display.sides import SIMULATED  # noqa: PLC0415 - as above
    from refvideo_nb.display.words import settings  # noqa: PLC0415 - as above

    facts, record = side.facts, side.record
    said = [] if record is None else [*settings(record), *([SIMULATED] if record.simulated else [])]
    return Strip(
        video=side.video,
        seconds=facts.seconds,
        width=facts.width,
        height=facts.height,
        name=name,
        caption=" · ".join(said),
    )
