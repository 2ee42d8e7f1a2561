"""The request that a form would send, in every form in which it can be written; the key is in none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refvideo_nb.client.wire import payload
from refvideo_nb.display import words
from refvideo_nb.display.source import Asked, Source, as_cell, as_json, as_python
from refvideo_nb.notebook.form.before import FORMS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from refvideo_nb.display.asked import Given
    from refvideo_nb.engine.draft import Draft

__all__ = ["texts"]


def texts(
    draft: Draft, *, references: Iterable[Given], frames: Iterable[Given], max_cost: Any, fresh: bool
) -> dict[str, Source]:
    """The texts by the names of `FORMS`, each of them or the reason why there is none.

    Parameters
    ----------
    draft : Draft
    references, frames : iterable of Given
        How code would name them.
    max_cost : str or None
        USD.
    fresh : bool
    """
    request = draft.request

    def address(reference: Any) -> str:
        return reference.url or f"data:{reference.media_type};base64,… ({words.nbytes(reference.nbytes)})"

    body = payload(request, prompt=draft.compiled.text, address=address, session_id="rv-… (the job's own id)")
    asked = Asked(
        prompt=request.prompt,
        model=request.model,
        references=tuple(references),
        frames=tuple(frames),
        duration=request.duration,
        resolution=request.resolution,
        aspect_ratio=request.aspect_ratio,
        size=request.size,
        seed=request.seed,
        generate_audio=request.generate_audio,
        provider=request.provider,
        max_cost=max_cost,
        fresh=fresh,
    )
    made = (Source(draft.compiled.text), as_json(body), as_cell(asked), as_python(asked))
    return dict(zip(FORMS, made, strict=True))
