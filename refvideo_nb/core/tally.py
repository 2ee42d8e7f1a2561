"""How a sweep stands: its cells by state, what they cost, what failed and why; kept up to date cell by cell."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

from refvideo_nb.core.sweep import standing
from refvideo_nb.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from refvideo_nb.core.design import Design
    from refvideo_nb.core.sweep import Cell, Place

__all__ = ["STANDINGS", "Tally"]

STANDINGS = ("done", "running", "waiting", "failed", "unknown", "refused", "forgotten")
"""What a cell can be, in the order in which it is told."""

_NEVER = ("", 0.0)
_MOST_LABEL = 40  # characters of each level in the name of a row: prompts are long, and what comes after them counts


class Tally:
    """Every cell's standing, and their sums.

    Parameters
    ----------
    design : Design
    cells : sequence of Cell
        As they were planned, in the design's order.
    spent : Decimal
        USD that are gone beside what the cells' jobs cost.
    """

    def __init__(self, design: Design, cells: Sequence[Cell], *, spent: Decimal = Decimal(0)) -> None:
        self.design, self.cells = design, cells
        self._places: dict[int, Place] = {}
        self._stands = [standing(cell, None) for cell in cells]
        self._seen = dict.fromkeys((cell.number for cell in cells), _NEVER)
        self.spent = spent

    @property
    def seen(self) -> dict[int, tuple[str, float]]:
        """Of each cell the job that was told last, and when that had changed: what is newer is news."""
        return self._seen

    def take(self, places: Iterable[Place]) -> None:
        """What became of some cells."""
        for place in places:
            before = self._places.get(place.number)
            self.spent += place.charge - (before.charge if before is not None else Decimal(0))
            self._places[place.number] = place
            self._stands[place.number - 1] = standing(self.cells[place.number - 1], place)
            changed = place.record.updated if place.record is not None else 0.0
            self._seen[place.number] = (place.job_id or "", changed)

    def stands(self) -> list[str]:
        """Where each cell stands."""
        return self._stands

    def counts(self, numbers: Iterable[int] | None = None) -> Counter[str]:
        """How many cells stand where, of all or of some."""
        return Counter(self._stands if numbers is None else (self._stands[n - 1] for n in numbers))

    @property
    def reused(self) -> int:
        """How many cells paid nothing, since their job was there before or is another cell's."""
        return sum(place.reused for place in self._places.values())

    def place(self, number: int) -> Place | None:
        """What became of one cell."""
        return self._places.get(number)

    def troubles(self) -> list[tuple[str, str, list[int]]]:
        """What failed, was refused or is of unknown outcome: its standing, why, and which cells; most cells first."""
        found: dict[tuple[str, str], list[int]] = {}
        for cell, stands in zip(self.cells, self._stands, strict=True):
            if stands in {"failed", "unknown", "refused"}:
                place = self._places.get(cell.number)
                error = place.record.error if place is not None and place.record is not None else ""
                found.setdefault((stands, "; ".join(cell.refused) or error), []).append(cell.number)
        ordered = sorted(found.items(), key=lambda item: -len(item[1]))
        return [(stands, why, numbers) for (stands, why), numbers in ordered]

    def rows(self, most: int = 200) -> list[tuple[str, range]]:
        """The cells as rows of a grid: the slowest dimensions make the rows, the others stand in them.

        Parameters
        ----------
        most : int
            Rows; a design that would need more has one row for each level of fewer dimensions.

        Returns
        -------
        list of (str, range)
            What the cells of a row have in common, and their numbers.
        """
        shape = self.design.shape
        count, used = 1, 0
        while used < len(shape) - 1 and count * shape[used] <= most:
            count, used = count * shape[used], used + 1
        size = len(self.cells) // count
        found = []
        for n in range(count):
            numbers = range(n * size + 1, (n + 1) * size + 1)
            levels = self.design.levels(numbers[0])[:used]
            axes = zip(self.design.dimensions, levels, strict=False)
            labels = [a.labels[level] for dimension, level in axes for a in dimension]
            found.append((" · ".join(one_line(label, limit=_MOST_LABEL) for label in labels), numbers))
        return found
