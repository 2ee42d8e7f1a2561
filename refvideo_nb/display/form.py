"""The still parts of the form: messages, facts of a model, thumbnails, the price before paying."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refvideo_nb.core.pricing import about
from refvideo_nb.display import words
from refvideo_nb.display.page import clip, render
from refvideo_nb.display.palette import reference_colour
from refvideo_nb.display.pictures import Box, thumbnail_url
from refvideo_nb.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from refvideo_nb.core.catalogue import Model
    from refvideo_nb.core.pricing import Estimate
    from refvideo_nb.core.references import Reference

__all__ = ["cost_html", "head_html", "heading_html", "messages_html", "model_html", "text_html", "tile_html"]

_TILE = Box(width=160, height=120, side=160, most_bytes=24_000)
_MOST = 40_000  # characters


def messages_html(problems: Iterable[str], notes: Iterable[str] = ()) -> str:
    """What is wrong, with a mark and read out at once, and what is worth knowing; empty for nothing."""
    wrong, known = [one_line(p) for p in problems], [one_line(n) for n in notes]
    return render("messages.html", problems=wrong, notes=known) if wrong or known else ""


def heading_html(text: str) -> str:
    """The heading of a section."""
    return render("heading.html", text=text)


def head_html(*, simulated: bool, address: str, note: str = "") -> str:
    """Who will answer: the simulator, which takes no money, or the API.

    Parameters
    ----------
    simulated : bool
    address : str
        Of the API; empty for the embedded simulator.
    note : str
        On the list of models.
    """
    return render("head.html", simulated=simulated, address=address, note=one_line(note))


def model_html(model: Model, *, price: Estimate | None, clip_words: str) -> str:
    """What a model takes, about what a clip costs, and what is known of its references.

    Parameters
    ----------
    model : Model
    price : Estimate or None
        Of the clip that `clip_words` describes.
    clip_words : str
        Such as ``"4 s, 720p"``.
    """
    facts = words.model_facts(model)
    return render("model.html", facts=facts, price=f"{about(price)} for {clip_words}", evidence=model.references)


def tile_html(reference: Reference, index: int, read: Callable[[Reference], bytes | None]) -> str:
    """The thumbnail of a reference, with its size and what was done to it on the way in."""
    picture = thumbnail_url(reference, _TILE, read)
    size = f"{reference.width}×{reference.height} px" if reference.width else ""
    length = f"{reference.seconds:.1f} s" if reference.seconds else ""
    facts = [reference.kind if reference.kind != "image" else "", size, length, words.nbytes(reference.nbytes)]
    return render(
        "tile.html",
        picture=picture,
        box=_TILE,
        reference=reference,
        colour=reference_colour(index),
        facts=" · ".join(f for f in facts if f),
        source=one_line(reference.source, limit=60),
    )


def cost_html(prices: Estimate | None, *, simulated: bool, left: str = "") -> str:
    """About what the request costs, with its working, before it is paid.

    Parameters
    ----------
    prices : Estimate or None
    simulated : bool
        Whether nothing will be paid at all.
    left : str
        What the session's budget leaves, in words; empty without a budget.
    """
    working = one_line(prices.working) if prices else "it needs a duration, a resolution and a known price"
    return render(
        "cost.html", cost=about(prices), working=working, known=prices is not None, simulated=simulated, left=left
    )


def text_html(text: str) -> str:
    """A text as it is, to read and to copy."""
    return render("text.html", text=clip(text, _MOST))
