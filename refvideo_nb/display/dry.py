"""A dry run: what would be sent, and about what it would cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from refvideo_nb.core.pricing import about
from refvideo_nb.display import words
from refvideo_nb.display.page import clip, harmless, render
from refvideo_nb.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from refvideo_nb.core.catalogue import Model
    from refvideo_nb.core.pricing import Estimate
    from refvideo_nb.core.references import CompiledPrompt
    from refvideo_nb.display.page import Bundle

__all__ = ["dry_run"]

_MOST = 40_000  # characters of the JSON
_MOST_URL = 200


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
    text = clip(json.dumps(_shorten(body), indent=2, ensure_ascii=False), _MOST)
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


def _shorten(value: Any) -> Any:
    """The same structure with data URLs cut behind their type, and their size said."""
    if isinstance(value, str):
        head, comma, data = value.partition(";base64,")
        if comma and head.startswith("data:") and len(value) > _MOST_URL:
            return f"{head};base64,… ({words.nbytes(len(data) * 3 // 4)})"
        return value
    if isinstance(value, dict):
        return {k: _shorten(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_shorten(v) for v in value]
    return value
