"""A few cells of a sweep, picked by their levels, for the eye."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refvideo_nb.errors import InvalidRequestError, one_line
from refvideo_nb.notebook.comparing import compare
from refvideo_nb.notebook.job import Job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refvideo_nb.core.design import Label
    from refvideo_nb.notebook.comparing import Comparison
    from refvideo_nb.notebook.sweep_cell import SweepCell
    from refvideo_nb.notebook.sweep_results import SweepResults

__all__ = ["compare_slice"]

_MOST = 9
_LABEL = 60  # characters


def compare_slice(sweep: SweepResults, levels: Mapping[str, Any], *, title: str) -> Comparison:
    """See `Sweep.compare`."""
    axes = {axis.name: axis.labels for axes in sweep.design.dimensions for axis in axes}
    wanted = {name: _levels(name, given, axes) for name, given in levels.items()}
    cells = [c for c in sweep.cells if all(c.settings[name] in some for name, some in wanted.items())]
    clips: dict[str, SweepCell] = {}
    for cell in cells:
        if cell.state == "done" and cell.record is not None:
            clips.setdefault(cell.record.id, cell)
    # What all of them share needs no word.
    varied = [name for name in axes if len({str(c.settings[name]) for c in clips.values()}) > 1]
    if not 1 <= len(clips) <= _MOST:
        left = [name for name in axes if name not in wanted] or list(axes)
        raise InvalidRequestError(
            f"{len(clips)} clips of {len(cells)} cells cannot be shown side by side: "
            + (f"give levels of {', '.join(left)}, so that 1 to {_MOST} are left" if clips else "none of them is done"),
            field="levels",
            value=dict(levels),
        )
    labels = [one_line(" · ".join(_word(n, c.settings[n]) for n in varied), limit=_LABEL) for c in clips.values()]
    jobs = [Job(sweep._session, job_id) for job_id in clips]  # noqa: SLF001 - a sweep is how its session is reached
    return compare(*jobs, labels=labels if varied else None, title=title)


def _word(name: str, level: Label) -> str:
    return level if isinstance(level, str) else f"{name} {level}"


def _levels(name: str, given: Any, axes: Mapping[str, tuple[Any, ...]]) -> list[Any]:
    if name not in axes:
        raise InvalidRequestError(
            f"{one_line(name, limit=40)!r} is no axis of this sweep; there are {', '.join(axes) or 'none'}",
            field=name,
            allowed=list(axes),
        )
    some = list(given) if isinstance(given, list | tuple | range | set) else [given]
    for level in some:
        if level not in axes[name]:
            shown = ", ".join(one_line(repr(v), limit=40) for v in axes[name][:8])
            raise InvalidRequestError(
                f"{name} has no level {one_line(repr(level), limit=60)}; there are {shown}",
                field=name,
                value=level,
                allowed=axes[name],
            )
    return some
