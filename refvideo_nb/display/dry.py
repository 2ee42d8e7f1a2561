"""A dry run: what would be sent, and about what it would cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refvideo_nb.core.pricing import about
from refvideo_nb.display.exact import exact_json
from refvideo_nb.display.page import clip, harmless, render
from refvideo_nb.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from refvideo_nb.core.catalogue import Model
    from refvideo_nb.core.pricing import Estimate
    from refvideo_nb.core.references import CompiledPrompt
    from refvideo_nb.display.page import Bundle

__all__ = ["dry_run"]

_MOST = 40_000  # characters


def dry_run(
    *,
    body: Mapping[str, Any],
    compiled: CompiledPrompt,
    prices: Estimate | None,
    notes: Sequence[str],
    model: Model,
    simulated: bool,
) -> Bundle:
    """The exact JSON, the compiled prompt and the about-cost; nothing was sent.

    Parameters
    ----------
    body : mapping
        What ``POST /videos`` would carry. Data URLs are shortened here only.
    compiled : CompiledPrompt
    prices : Estimate or None
    notes : sequence of str
        Hints and warnings.
    model : Model
    simulated : bool
        Whether the simulator would answer.
    """
    text = exact_json(body)
    cost = about(prices)
    working = one_line(prices.working) if prices else "it needs a duration, a resolution and a known price"
    said = [one_line(n) for n in notes]
    where = "the simulator would answer, without cost" if simulated else "live: it would be paid"
    html = render(
        "dry.html",
        json=text,
        prompt=clip(compiled.text, _MOST),
        cost=cost,
        working=working,
        notes=said,
        model=model,
        where=where,
    )
    lines = [f"dry run: nothing was sent; {where}", f"{one_line(model.id, limit=80)} · {cost} ({working})", *said, text]
    return {"text/html": html, "text/plain": harmless("\n".join(lines))}
