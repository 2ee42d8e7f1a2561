"""The design of a sweep: what is varied, and how.

Axes have levels; axes that are walked together make one dimension; the dimensions
crossed make the design, and each of its points is a cell.
"""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import TYPE_CHECKING

import msgspec

from refvideo_nb.errors import InvalidRequestError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["MOST_CELLS", "Axis", "Design", "Label", "design_of"]

MOST_CELLS = 20_000
"""A larger design is refused: it is a slip more often than a wish."""

Label = str | int | float | bool | None


class Axis(msgspec.Struct, frozen=True):
    """What is varied, and the levels it takes, as people name them."""

    name: str
    labels: tuple[Label, ...]


class Design(msgspec.Struct, frozen=True):
    """The dimensions of a sweep, slowest first; the axes of one dimension are walked together."""

    dimensions: tuple[tuple[Axis, ...], ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """How many levels each dimension has."""
        return tuple(len(axes[0].labels) for axes in self.dimensions)

    def __len__(self) -> int:
        return prod(self.shape)

    def levels(self, number: int) -> tuple[int, ...]:
        """Which level of each dimension a cell has, from 0; cells are numbered from 1.

        Examples
        --------
        >>> Design(((Axis("prompt", ("a", "b")),), (Axis("seed", (1, 2, 3)),))).levels(5)
        (1, 1)
        """
        rest, found = number - 1, []
        for size in reversed(self.shape):
            rest, level = divmod(rest, size)
            found.append(level)
        return tuple(reversed(found))

    def settings(self, number: int) -> dict[str, Label]:
        """What makes a cell differ from the others: each axis with its level."""
        levels = self.levels(number)
        return {a.name: a.labels[n] for axes, n in zip(self.dimensions, levels, strict=True) for a in axes}


def design_of(axes: Sequence[Axis], zipped: Iterable[str] = ()) -> Design:
    """The design of these axes.

    Parameters
    ----------
    axes : sequence of Axis
        In the order in which they are walked, slowest first.
    zipped : iterable of str
        Names of axes that are walked together, level by level; all others are crossed.

    Raises
    ------
    InvalidRequestError
        For an axis without levels, two levels that are the same, axes of different lengths that
        are zipped, or a design of more than `MOST_CELLS` cells.
    """
    together = tuple(dict.fromkeys(zipped))
    names = [a.name for a in axes]
    for name in together:
        if name not in names:
            raise InvalidRequestError(
                f"zipped: {one_line(name, limit=40)!r} is no axis of this sweep; axes: {', '.join(names) or 'none'}",
                field="zipped",
                value=name,
                allowed=names,
            )
    tied = tuple(a for a in axes if a.name in together)
    for axis in axes:
        if not axis.labels:
            raise InvalidRequestError(f"{axis.name} has no level: give at least one value", field=axis.name)
    if len({len(a.labels) for a in tied}) > 1:
        lengths = ", ".join(f"{a.name} {len(a.labels)}" for a in tied)
        raise InvalidRequestError(f"zipped axes have the same number of levels; these have: {lengths}", field="zipped")
    dimensions = [(a,) for a in axes if a not in tied]
    if tied:
        dimensions.insert(sum(a not in tied for a in axes[: axes.index(tied[0])]), tied)  # type: ignore[arg-type]
    for dimension in dimensions:
        _all_different(dimension)
    design = Design(tuple(dimensions))
    if len(design) > MOST_CELLS:
        sizes = " × ".join(str(n) for n in design.shape)
        raise InvalidRequestError(
            f"{sizes} levels make {len(design):,} cells; at most {MOST_CELLS:,} are planned at once: "
            "make several sweeps"
        )
    return design


def _all_different(dimension: tuple[Axis, ...]) -> None:
    points = list(zip(*(a.labels for a in dimension), strict=True))
    # By type too: True is no 1 here.
    counts = Counter(tuple((type(v), v) for v in point) for point in points)
    twice = next((point for point, count in counts.items() if count > 1), None)
    if twice is not None:
        name = " with ".join(a.name for a in dimension)
        shown = ", ".join(one_line(v, limit=40) for _, v in twice)
        raise InvalidRequestError(
            f"{name} has the level {shown!r} more than once: the same request gives the same job, "
            "not one more sample; leave it out, or vary the seed",
            field=dimension[0].name,
        )
