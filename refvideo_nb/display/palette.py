"""One colour a reference, the same in thumbnail, prompt, sheet and curve.

Every colour keeps a contrast of at least 3:1 on white and on #161618. No colour
can keep the 4.5:1 that text needs on both, so a colour only ever underlines a
name or draws a line; the name itself is written in the text's own colour.
"""

from __future__ import annotations

__all__ = ["COLOURS", "reference_colour"]

COLOURS = (
    "#2f6fed",  # blue
    "#0f9488",  # teal
    "#d9480f",  # orange
    "#9b51e0",  # purple
    "#e0457e",  # pink
    "#5c940d",  # green
    "#94700a",  # ochre
    "#1098bd",  # cyan
    "#b5269e",  # magenta
    "#74808c",  # slate
)


def reference_colour(index: int) -> str:
    """The colour of a reference by its place in the request, as ``"#rrggbb"``.

    Parameters
    ----------
    index : int
        From 0; after the last colour they start again, and the names tell them apart.

    Examples
    --------
    >>> reference_colour(0)
    '#2f6fed'
    >>> reference_colour(10) == reference_colour(0)
    True
    """
    return COLOURS[index % len(COLOURS)]
