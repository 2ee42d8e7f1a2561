"""A sweep on a page: its plan before it is paid, and how it stands from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refvideo_nb.core.pricing import about, usd
from refvideo_nb.core.sweep import SweepState
from refvideo_nb.core.tally import STANDINGS
from refvideo_nb.display import words
from refvideo_nb.display.page import harmless, render
from refvideo_nb.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from refvideo_nb.core.design import Design
    from refvideo_nb.core.sweep import Cell, Plan, SweepRecord
    from refvideo_nb.core.tally import Tally
    from refvideo_nb.display.page import Bundle

__all__ = ["COLOURS", "axes_line", "cells_line", "plan_bundle", "sweep_bundle", "sweep_head", "sweeps_table"]

COLOURS = {
    "done": "#0f9488",
    "running": "#2f6fed",
    "waiting": "#9aa0a6",
    "failed": "#d9480f",
    "unknown": "#9b51e0",
    "refused": "#74808c",
    "forgotten": "#74808c",
}
_MOST_ROWS = 24
_MOST_TROUBLES = 8
_MOST_LEVELS = 4
_MOST_RUNS = 6


def plan_bundle(plan: Plan, *, how: Sequence[str] = ()) -> Bundle:
    """What a sweep will do.

    Parameters
    ----------
    plan : Plan
    how : sequence of str
        What to do next, in words.
    """
    pay, bare = plan.to_pay, plan.unestimated
    head = f"A sweep of {_count(len(plan.cells), 'cell')}: {_count(len(pay), 'job')} to pay"
    if pay:
        head += f", {about(plan.cost)} in all" if len(bare) < len(pay) else ", no estimate"
    lines = [axes_line(plan.design)]
    if plan.earlier:
        lines.append(f"{_count(len(plan.earlier), 'cell')} in the ledger already: not paid again (fresh pays anew)")
    warnings = []
    if bare:
        warnings.append(f"no estimate for {cells_line([c.number for c in bare])}: set duration and resolution")
    refused = [f"refused: {one_line(why)} ({cells_line(numbers)})" for why, numbers in plan.reasons()]
    notes = dict.fromkeys(one_line(note) for cell in pay for note in cell.notes)
    heads, rows = ["model", "cells", "to pay", "each", "in all"], _by_model(plan)
    return _bundle(
        head=head, lines=lines, warnings=warnings, heads=heads, rows=rows, troubles=_some(refused),
        foot=[*_some([f"note: {n}" for n in notes]), *how], simulated=plan.simulated,
    )  # fmt: skip


def _by_model(plan: Plan) -> list[list[str]]:
    models: dict[str, list[Cell]] = {}
    for cell in plan.cells:
        models.setdefault(cell.request.model if cell.request else "not readable", []).append(cell)
    paid = {c.number for c in plan.to_pay}
    rows = []
    for model, cells in models.items():
        prices = [c.estimate for c in cells if c.number in paid and c.estimate is not None]
        each = all_ = "no estimate"
        if prices:
            low, high = min(p.low for p in prices), max(p.high for p in prices)
            each = _range(low, high)
            all_ = _range(sum(p.low for p in prices), sum(p.high for p in prices))  # type: ignore[arg-type]
        count = sum(c.number in paid for c in cells)
        if not count:
            each = all_ = ""
        rows.append([one_line(model, limit=60), f"{len(cells):,}", f"{count:,}", each, all_])
    return rows


def _range(low: Decimal, high: Decimal) -> str:
    first, last = usd(low), usd(high)
    return first if first == last else f"{first}–{last.removeprefix('USD ')}"


def sweep_head(record: SweepRecord, tally: Tally, *, state: str) -> tuple[str, list[str]]:
    """The line that a sweep shows, and those below it.

    Parameters
    ----------
    record : SweepRecord
    tally : Tally
    state : str
        The sweep's state, in a word.
    """
    counts = tally.counts()
    total = len(tally.cells)
    said = [f"{counts[s]:,} {s}" for s in STANDINGS if counts[s] and s != "done"]
    head = " · ".join([f"Sweep {state}", f"{counts['done']:,} of {total:,} done", *said])
    limit = f" of at most {usd(record.max_cost)}" if record.max_cost is not None else ", no limit"
    lines = [f"{usd(tally.spent)}{limit}" + (f" · {tally.reused:,} reused" if tally.reused else "") + f" · {record.id}"]
    return head, lines


def sweep_bundle(record: SweepRecord, tally: Tally, *, state: str, grid: bool = True) -> Bundle:
    """How a sweep stands, as a still picture; without `grid`, without the cells by row."""
    head, lines = sweep_head(record, tally, state=state)
    counts, total = tally.counts(), max(len(tally.cells), 1)
    bar = [{"width": round(100 * counts[s] / total, 3), "colour": COLOURS[s]} for s in STANDINGS if counts[s]]
    used = [s for s in STANDINGS if counts[s]]
    rows = []
    if grid:
        for label, numbers in tally.rows(_MOST_ROWS):
            here = tally.counts(numbers)
            rows.append([one_line(label, limit=90) or "all", *(f"{here[s]:,}" if here[s] else "" for s in used)])
    warnings = []
    if record.state is SweepState.STOPPED:
        warnings.append(f"it stopped: {one_line(record.reason)}; %refvideo resume {record.id} goes on")
    elif state == "interrupted":
        warnings.append(f"its kernel has ended: %refvideo resume {record.id} goes on, and nothing is paid twice")
    troubles = [f"{s}: {one_line(why) or 'no reason given'} ({cells_line(ns)})" for s, why, ns in tally.troubles()]
    return _bundle(
        head=head, lines=[*lines, axes_line(record.design)], warnings=warnings, heads=["", *used], rows=rows,
        troubles=_some(troubles), foot=[], simulated=record.simulated, bar=bar,
        bar_says=", ".join(f"{counts[s]} {s}" for s in used),
    )  # fmt: skip


def sweeps_table(rows: Sequence[tuple[SweepRecord, str]]) -> Bundle:
    """The sweeps of a home folder, each with its state."""
    cells = [
        [
            record.id,
            state + (" (simulated)" if record.simulated else ""),
            words.when(record.created).removesuffix(" UTC")[:16],
            axes_line(record.design),
            usd(record.max_cost) if record.max_cost is not None else "no limit",
            one_line(record.reason, limit=100),
        ]
        for record, state in rows
    ]
    from refvideo_nb.display.tables import table_bundle  # noqa: PLC0415 - drawing loads the templates

    return table_bundle(
        ["sweep", "state", "created", "design", "at most", "why it stopped"], cells, _count(len(cells), "sweep"),
        wrap={3, 5},
    )  # fmt: skip


def axes_line(design: Design) -> str:
    """Such as ``2 prompts × 2 models × 4 seeds``, with the levels where they are few and short.

    Examples
    --------
    >>> from refvideo_nb.core.design import Axis, Design
    >>> axes_line(Design(((Axis("model", ("a/b", "c/d")),), (Axis("seed", (0, 1, 2, 3, 4)),))))
    'model (a/b, c/d) × seed (0 … 4: 5 levels)'
    """
    return " × ".join(" with ".join(_axis(a.name, a.labels) for a in axes) for axes in design.dimensions) or "one cell"


def _axis(name: str, labels: Sequence[object]) -> str:
    shown = [one_line(v, limit=40) for v in labels]
    if len(shown) > _MOST_LEVELS:
        return f"{name} ({shown[0]} … {shown[-1]}: {len(shown)} levels)"
    return f"{name} ({', '.join(shown)})"


def cells_line(numbers: Sequence[int]) -> str:
    """Such as ``cells 1–3, 7``; at most six of their ranges.

    Examples
    --------
    >>> cells_line([4]), cells_line([1, 2, 3, 7])
    ('cell 4', 'cells 1–3, 7')
    """
    runs = words.ranges(numbers).split(", ")
    if len(runs) > _MOST_RUNS:
        return f"{len(numbers):,} cells: {', '.join(runs[:_MOST_RUNS])}, …"
    return f"{'cell' if len(numbers) == 1 else 'cells'} {', '.join(runs)}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST_TROUBLES
    return lines if more <= 0 else [*lines[:_MOST_TROUBLES], f"and {more} more"]


def _bundle(
    *,
    head: str,
    lines: Sequence[str],
    warnings: Sequence[str],
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    troubles: Sequence[str],
    foot: Sequence[str],
    simulated: bool,
    bar: Sequence[dict[str, object]] = (),
    bar_says: str = "",
) -> Bundle:
    html = render(
        "sweep.html", head=head, lines=lines, warnings=warnings, heads=heads, rows=rows, troubles=troubles, foot=foot,
        simulated=simulated, bar=bar, bar_says=bar_says,
    )  # fmt: skip
    widths = [max(len(r[n]) for r in [heads, *rows]) for n in range(len(heads))]
    table = (
        ["  ".join(v.ljust(w) for v, w in zip(r, widths, strict=True)).rstrip() for r in [heads, *rows]] if rows else []
    )
    plain = [("simulated · " if simulated else "") + head, *lines, *warnings, *table, *troubles, *foot]
    return {"text/html": html, "text/plain": harmless("\n".join(plain))}
