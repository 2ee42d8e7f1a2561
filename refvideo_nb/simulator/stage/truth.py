"""What was really drawn, frame by frame: measured from the masks, not from the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from refvideo_nb.simulator.stage.actor import scaled

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from refvideo_nb.simulator.stage.actor import Drawn

_HALF = 128  # of 255: a pixel belongs to a subject that covers at least half of it
_LEAST_LEFT = 0.1  # of itself: a subject that others hide further than this is not visible


class TruthLog:
    """Collects the truth while a film is drawn."""

    def __init__(self, references: int, width: int, height: int) -> None:
        self._pixels = width * height
        self._whole = [0, 0, width, height]
        self._rows: list[dict[str, list[Any]]] = [{"visible": [], "box": [], "area": []} for _ in range(references)]

    def note(self, drawn: Mapping[int, Drawn]) -> None:
        """Note one frame.

        Parameters
        ----------
        drawn
            What was drawn by the reference's index, from the back to the front.
        """
        seen = dict(self._seen(drawn))
        for index, row in enumerate(self._rows):
            box, area = seen.get(index, (None, 0.0))
            row["visible"].append(box is not None)
            row["box"].append(box)
            row["area"].append(round(area, 6))

    def note_copy(self, index: int | None) -> None:
        """Note a frame that one reference fills (None: a frame without any reference)."""
        for each, row in enumerate(self._rows):
            row["visible"].append(each == index)
            row["box"].append(self._whole if each == index else None)
            row["area"].append(1.0 if each == index else 0.0)

    def tell(self) -> list[dict[str, Any]]:
        """The references in order, as the truth's JSON has them."""
        return [{"index": index, **row} for index, row in enumerate(self._rows)]

    def _seen(self, drawn: Mapping[int, Drawn]) -> list[tuple[int, tuple[list[int] | None, float]]]:
        items = list(drawn.items())
        found: list[tuple[int, tuple[list[int] | None, float]]] = []
        for place, (index, one) in enumerate(items):
            left = one.alpha
            for _, front in items[place + 1 :]:
                left = _hide(left, one, front)
            area = int(left.sum()) / 255
            inside = left >= _HALF
            down, across = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
            if not len(down) or (left is not one.alpha and area < one.alpha.sum() / 255 * _LEAST_LEFT):
                continue
            box = [one.left + int(across[0]), one.top + int(down[0])]
            box += [one.left + int(across[-1]) + 1, one.top + int(down[-1]) + 1]
            found.append((index, (box, area / self._pixels)))
        return found


def _hide(left: npt.NDArray[np.uint8], one: Drawn, front: Drawn) -> npt.NDArray[np.uint8]:
    """What is left of a shape behind another one."""
    x0, y0 = max(one.left, front.left), max(one.top, front.top)
    x1 = min(one.left + one.alpha.shape[1], front.left + front.alpha.shape[1])
    y1 = min(one.top + one.alpha.shape[0], front.top + front.alpha.shape[0])
    if x0 >= x1 or y0 >= y1:
        return left
    left = left.copy()
    cover = front.alpha[y0 - front.top : y1 - front.top, x0 - front.left : x1 - front.left]
    part = left[y0 - one.top : y1 - one.top, x0 - one.left : x1 - one.left]
    part[:] = scaled(part, 255 - cover)
    return left
