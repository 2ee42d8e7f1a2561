"""What people call for sweeps: sweep, sweeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refvideo_nb.core.pricing import limit_of
from refvideo_nb.core.request import DEFAULT_MODEL
from refvideo_nb.errors import InvalidRequestError, PlanError, one_line
from refvideo_nb.notebook.current import current_session
from refvideo_nb.notebook.sweep import AT_ONCE, Sweep

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from refvideo_nb.engine.sweep_wish import SweepWish
    from refvideo_nb.notebook.session import Session

__all__ = ["made", "sweep", "sweeps"]

_MOST_AT_ONCE = 1000


def sweep(
    prompt: str | Sequence[str],
    *,
    references: Mapping[str, Any] | Iterable[Any] | None = None,
    roles: Mapping[str, str] | None = None,
    model: str | Sequence[str] = DEFAULT_MODEL,
    duration: int | Iterable[int] | None = None,
    resolution: str | Iterable[str] | None = None,
    aspect_ratio: str | Iterable[str] | None = None,
    size: str | tuple[int, int] | Sequence[str | tuple[int, int]] | None = None,
    seed: int | Iterable[int] | None = None,
    generate_audio: bool | Sequence[bool] | None = None,
    provider: Mapping[str, Mapping[str, Any]] | Sequence[Mapping[str, Mapping[str, Any]]] | None = None,
    frames: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    fields: Mapping[str, Any] | None = None,
    zipped: str | Iterable[str] = (),
    max_cost: float | str | None = None,
    at_once: int = AT_ONCE,
    fresh: bool = False,
) -> Sweep:
    """Compare settings: one job for each combination of the values that are lists.

    First comes the plan, which costs nothing: every combination is checked, priced and looked up
    in the ledger. **Nothing is sent** before the plan is confirmed with ``sweep.start()``, or
    `max_cost` covers all of it and no model refuses a cell.

    Parameters
    ----------
    prompt, model, duration, resolution, aspect_ratio, size, seed, generate_audio
        As for :func:`generate`, or a list of such values. All lists are crossed; the order of the
        cells is that of the arguments here: prompts vary slowest, seeds fastest.
    references, frames
        As for :func:`generate`, or a list of dicts, one dict for each level. A list of sources is
        one level: the references of every job.
    roles : mapping, optional
        ``{reference name: role}``, for all cells.
    provider : mapping or list of mappings, optional
        As for :func:`generate`.
    fields : mapping of str to list, optional
        Values for ``{{name}}`` in the prompts, crossed like everything else.
    zipped : str or iterable of str, optional
        Arguments and fields that are walked together, level by level, instead of being crossed.
    max_cost : float or str, optional
        USD for all its jobs together. Where it covers the upper estimate of every cell that would
        be paid, the sweep starts at once. While it runs, no job is sent that could lead above it:
        jobs in flight count with their upper estimate, finished ones with their bill, and a model
        whose bills come above its estimates is counted higher from then on.
    at_once : int
        The most jobs in flight.
    fresh : bool
        Pay for each cell anew; without it, the jobs of the very same requests that the ledger has
        are not paid again, and a cell that is the same as another is refused.

    Returns
    -------
    Sweep
        Planned or, with `max_cost`, started.

    Raises
    ------
    InvalidRequestError
        The design is none, or no cell of it can be sent.
    PlanError
        `max_cost` does not cover the plan, a cell has no estimate, or a model refuses some cells;
        its ``plan`` says all of it, and nothing was sent.
    """
    from refvideo_nb.engine.sweep_wish import sweep_wish  # noqa: PLC0415 - importing the package stays light
    from refvideo_nb.engine.wish import Wish  # noqa: PLC0415 - as above

    given: dict[str, Any] = {
        "prompt": prompt,
        "references": references,
        "roles": roles,
        "frames": frames,
        "model": model,
        "duration": duration,
        "resolution": resolution,
        "aspect_ratio": aspect_ratio,
        "size": size,
        "seed": seed,
        "generate_audio": generate_audio,
        "provider": provider,
    }
    asked = sweep_wish(Wish(**given), fields=fields, zipped=zipped)
    return made(current_session(), asked, max_cost=max_cost, at_once=at_once, fresh=fresh)


def made(session: Session, asked: SweepWish, *, max_cost: Any, at_once: Any, fresh: bool) -> Sweep:
    """The sweep of a wish: planned and, where `max_cost` covers it, started; see `sweep`."""
    from refvideo_nb.engine.wish import whole_number  # noqa: PLC0415 - as above

    limit, most = limit_of(max_cost), whole_number("at_once", at_once, least=1)
    if most is None or most > _MOST_AT_ONCE:
        raise InvalidRequestError(
            f"at_once {one_line(at_once, limit=40)!r} cannot be used: give a number from 1 to {_MOST_AT_ONCE}",
            field="at_once",
            value=at_once,
        )
    plan = session.plan(asked, fresh=fresh)
    planned = Sweep(session, plan=plan, at_once=most)
    if limit is None:
        return planned
    if plan.refused:
        reason, numbers = plan.reasons()[0]
        raise PlanError(
            f"{len(plan.refused)} of {len(plan.cells)} cells are refused, such as cell {numbers[0]}: "
            f"{one_line(reason)}. Compare something else, or leave max_cost out and start(max_cost=…) the others; "
            "nothing was sent",
            plan=plan,
            field="sweep",
        )
    return planned.start(max_cost=limit)


def sweeps() -> list[Sweep]:
    """The sweeps of this home folder, newest first."""
    session = current_session()
    return [Sweep(session, sweep_id=record.id) for record in session.ledger.sweeps.all()]
