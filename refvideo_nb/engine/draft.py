"""Drafting: from a person's arguments to a request that is checked, priced and ready to send.

Everything that can be wrong is found here, before anything is written or paid.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.client.wire import payload
from refvideo_nb.core.catalogue import Model
from refvideo_nb.core.checks import FRAMES_OR_REFERENCES, check, find_model, notes
from refvideo_nb.core.pricing import Estimate, about, estimate, limit_of, usd
from refvideo_nb.core.references import CompiledPrompt, compile_prompt
from refvideo_nb.core.request import Frame, VideoRequest
from refvideo_nb.core.roles import Part, Role, hints
from refvideo_nb.engine.intake import Named, data_url, named_sources, take_in
from refvideo_nb.engine.wish import frame_position, roles_of, settings_of
from refvideo_nb.errors import BudgetError, InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.core.references import Reference
    from refvideo_nb.engine.wish import Wish
    from refvideo_nb.ledger.media import MediaStore

__all__ = ["Draft", "Review", "body_of", "draft", "fingerprint", "redraft", "review"]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A request that may be sent.

    Attributes
    ----------
    request : VideoRequest
    model : Model
    compiled : CompiledPrompt
        The prompt in the model's words.
    prices : Estimate or None
        USD.
    notes : tuple of str
        What a person should know; nothing of it forbids sending.
    hints : tuple of str
        Those of them that are about the prompt's words.
    """

    request: VideoRequest
    model: Model
    compiled: CompiledPrompt
    prices: Estimate | None
    notes: tuple[str, ...]
    hints: tuple[str, ...] = ()


async def draft(wish: Wish, *, models: Iterable[Model], media: MediaStore, simulated: bool) -> Draft:
    """Check and price a wish, taking in its references.

    Parameters
    ----------
    wish : Wish
    models : iterable of Model
        The model list.
    media : MediaStore
        Where the references' bytes are kept.
    simulated : bool
        Whether the simulator will answer.

    Returns
    -------
    Draft

    Raises
    ------
    InvalidRequestError
        The first thing that is wrong, with what is allowed.
    """
    model = find_model(str(wish.model), models)
    request = settings_of(wish, model)
    sources = named_sources(wish.references)
    frames = [(frame_position(p), Named(f"{p} frame", s, given=True)) for p, s in (wish.frames or {}).items()]
    # The cheap checks come first: nobody waits for a download to be told of a wrong duration.
    _raise_first(check(request, model, simulated=simulated))
    if sources and frames:
        raise InvalidRequestError(FRAMES_OR_REFERENCES, field="frames")
    limits = model.references.images
    roles = roles_of(wish.roles, [s.name for s in sources])
    taken = [await take_in(s, media, limits=limits, allow_loopback=simulated) for s in sources]
    references = [msgspec.structs.replace(r, role=roles.get(r.name, "")) for r in taken]
    images = [(p, await take_in(s, media, limits=limits, allow_loopback=simulated)) for p, s in frames]
    found = review(wish, model, references=references, frames=[Frame(p, r) for p, r in images], simulated=simulated)
    _raise_first(found.problems)
    assert found.draft is not None
    return found.draft


class Review(msgspec.Struct, frozen=True):
    """What is to be said of a wish whose references are at hand.

    Attributes
    ----------
    problems : list of InvalidRequestError
        Each with the field that it is about; empty where it may be sent.
    draft : Draft or None
        What would be sent; there as soon as the fields can be read at all, even where
        there are problems.
    """

    problems: list[InvalidRequestError]
    draft: Draft | None


def review(
    wish: Wish,
    model: Model,
    *,
    references: Iterable[Reference],
    frames: Iterable[Frame] = (),
    simulated: bool,
    price: Callable[[VideoRequest, Model], Estimate | None] = estimate,
) -> Review:
    """Everything that is wrong with a wish, and what it would cost; reads and writes nothing.

    Parameters
    ----------
    wish : Wish
        Its own references and frames are not looked at.
    model : Model
    references : iterable of Reference
    frames : iterable of Frame
    simulated : bool
        Whether the simulator will answer.
    price : callable
        Gives the estimate; one that remembers saves time where many wishes are alike.
    """
    try:
        request = settings_of(wish, model)
    except InvalidRequestError as error:
        return Review([error], None)
    audio = request.generate_audio
    request = msgspec.structs.replace(
        request,
        references=tuple(references),
        frames=tuple(frames),
        # A model without sound refuses the field itself; silence is what it makes anyway.
        generate_audio=None if audio is False and model.audio is not True else audio,
    )
    problems = check(request, model, simulated=simulated)
    compiled = compile_prompt(request.prompt, request.references, model.references.naming)
    prices = price(request, model)
    try:
        _within(prices, wish.max_cost)
    except InvalidRequestError as error:
        problems.append(error)
    spoken = _prompt_hints(request)
    said = (*notes(request, model), *_hints(request, compiled), *spoken)
    found = Draft(request=request, model=model, compiled=compiled, prices=prices, notes=said, hints=spoken)
    return Review(problems, found)


def _raise_first(problems: list[InvalidRequestError]) -> None:
    if problems:
        raise problems[0]


def _within(prices: Estimate | None, max_cost: Any) -> None:
    limit = limit_of(max_cost)
    if limit is None:
        return
    if prices is None:
        raise BudgetError(
            f"there is no estimate to compare with max_cost {usd(limit)}: set duration and resolution, "
            "or leave max_cost out; nothing was sent",
            field="max_cost",
            value=limit,
        )
    if prices.high > limit:
        raise BudgetError(
            f"{about(prices)} is more than max_cost {usd(limit)}: raise it, or ask for less; nothing was sent",
            field="max_cost",
            value=limit,
        )


def _hints(request: VideoRequest, compiled: CompiledPrompt) -> list[str]:
    said = [f"reference {r.name}: {r.note}" for r in request.references if r.note]
    if compiled.unknown:
        names = ", ".join(f"@{n}" for n in compiled.unknown)
        known = ", ".join(f"@{r.name}" for r in request.references) or "none"
        said.append(f"{names} in the prompt is no reference and is sent as written; references: {known}")
    return said


def _prompt_hints(request: VideoRequest) -> tuple[str, ...]:
    parts = [Part(r.name, Role(r.role) if r.role else None, r.sha256) for r in request.references]
    return hints(request.prompt, parts)


def body_of(request: VideoRequest, *, prompt: str, media: MediaStore, session_id: str) -> dict[str, Any]:
    """The exact JSON of a submit, references by their address or as data URLs."""

    def address(reference: Reference) -> str:
        if reference.url is not None:
            return reference.url
        data = media.read(reference)
        if data is None:
            raise InvalidRequestError(
                f"the bytes of reference {reference.name!r} are gone from the media store: give it again",
                field="references",
            )
        return data_url(data, reference.media_type)

    return payload(request, prompt=prompt, address=address, session_id=session_id)


def redraft(record: JobRecord, model: Model | None, *, max_cost: Any = None) -> Draft:
    """The draft of an earlier job, to be sent again as it was, if ``max_cost`` covers it."""
    model = model or Model(id=record.request.model)
    compiled = compile_prompt(record.request.prompt, record.request.references, model.references.naming)
    prices = estimate(record.request, model)
    _within(prices, max_cost)
    return Draft(
        request=record.request,
        model=model,
        # What was sent then, even where the naming of the model is known better now.
        compiled=msgspec.structs.replace(compiled, text=record.sent_prompt),
        prices=prices,
        notes=record.notes,
    )


def fingerprint(request: VideoRequest, prompt: str, address: str = "") -> str:
    """What makes two requests the same: API, settings, compiled prompt and the references' bytes."""
    body = payload(request, prompt=prompt, address=lambda reference: reference.sha256)
    return hashlib.sha256(msgspec.json.encode([address, body], order="sorted")).hexdigest()
