"""``%refvideo score``: what a line asks for, measured and shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from refvideo_nb.errors import one_line
from refvideo_nb.notebook.job import Job
from refvideo_nb.notebook.options import line_parser, named_reference, named_role

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["score", "score_parser"]


def score_parser() -> argparse.ArgumentParser:
    """What stands after ``%refvideo score``, as `argparse` knows it."""
    made = line_parser("%refvideo score")
    add = made.add_argument
    add("clip", metavar="CLIP", help="a variable that holds a job, an id, or the path of a video")
    add(
        *("-r", "--ref"),
        action="append",
        default=[],
        metavar="[NAME=]SOURCE",
        help="measure against this instead of the job's own references; repeatable, twice a name: one subject",
    )
    add(
        *("--role",),
        action="append",
        default=[],
        metavar="NAME=ROLE",
        help="subject, style, scene or face: how a reference is measured; repeatable",
    )
    add(
        *("--negative",),
        action="append",
        default=[],
        metavar="SOURCE",
        help="a further unrelated picture, which tells what chance gives; repeatable",
    )
    add("-e", "--embedder", metavar="NAME", default="efficientnet-lite0", help="the network, or the folder of one")
    add("--frames", metavar="N", help="how many frames (default: 32), or all")
    add("--every", metavar="S", help="seconds between frames, instead")
    add("-o", "--out", metavar="NAME", help="the variable that holds the report")
    return made


def score(words: Sequence[str], shell: Any) -> None:
    """Run the line.

    Raises
    ------
    UsageError, RefVideoError
        In one line.
    """
    if not words:
        raise UsageError("%refvideo score: give a job's variable or id, or the path of a video; %refvideo? shows more")
    given = score_parser().parse_args(list(words))
    if given.out is not None and not given.out.isidentifier():
        raise UsageError(f"%refvideo score: --out {one_line(given.out, limit=40)!r} is no name for a variable")
    from refvideo_nb.notebook.adherence import adherence  # noqa: PLC0415 - the package's help needs no numpy

    space = shell.user_ns
    references: dict[str, list[Any]] | list[Any] | None = None
    named = [named_reference(text, space) for text in given.ref]
    if named and all(one.given for one in named):
        references = {}
        for one in named:
            references.setdefault(one.name, []).append(one.source)
    elif named:
        references = named
    report = adherence(
        _clip(given.clip, space),
        references,
        roles=dict(named_role(text) for text in given.role) or None,
        embedder=given.embedder,
        negatives=[named_reference(text, space) for text in given.negative] or None,
        **_frames(given.frames, given.every),
    )
    if given.out:
        space[given.out] = report
    report.show()


def _clip(word: str, space: dict[str, Any]) -> Any:
    """A job or a path that a variable holds; else an id or a path as it was typed."""
    name = word.strip("{}").removesuffix(".id")
    held = space.get(name) if name.isidentifier() else None
    if isinstance(held, Job | Path) or (isinstance(held, str) and not Path(word).exists()):
        return held
    if not Path(word).expanduser().exists() and "." not in word and "/" not in word and not word.startswith("rv-"):
        raise UsageError(
            f"%refvideo score: {one_line(word, limit=60)!r} is no variable that holds a job or a path, no id, no file"
        )
    return word


def _frames(frames: str | None, every: str | None) -> dict[str, Any]:
    """How many, as the call takes it."""
    if frames is not None and every is not None:
        raise UsageError("%refvideo score: --frames and --every cannot both be kept: give one of them")
    if every is not None:
        return {"every": _number("--every", every, float)}
    if frames is None:
        return {}
    return {"frames": None if frames == "all" else _number("--frames", frames, int)}


def _number(option: str, text: str, kind: type[int | float]) -> float:
    try:
        value = kind(text)
    except ValueError:
        value = kind(0)
    if not 0 < value < float("inf"):
        raise UsageError(f"%refvideo score: {option} {one_line(text, limit=40)!r} cannot be used: give more than 0")
    return value
