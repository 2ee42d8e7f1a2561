"""Planning a sweep: from lists of values to cells that are checked, priced and looked up in the ledger.

Each reference is read and hashed once, however many cells use it, and nothing is written
but its bytes in the media store.
"""

from __future__ import annotations

import asyncio
import os
from itertools import product
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.checks import FRAMES_OR_REFERENCES, find_model
from refvideo_nb.core.design import design_of
from refvideo_nb.core.fields import fill
from refvideo_nb.core.pricing import estimate
from refvideo_nb.core.request import Frame
from refvideo_nb.core.sweep import Cell, Plan
from refvideo_nb.engine.draft import fingerprint, review
from refvideo_nb.engine.intake import Loaded, Named, keep, load, named_sources
from refvideo_nb.engine.sweep_wish import SweepWish, axes_of, check_fields, levels_of, plain
from refvideo_nb.engine.wish import frame_position, roles_of
from refvideo_nb.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from refvideo_nb.core.catalogue import ImageLimits, Model
    from refvideo_nb.core.design import Design
    from refvideo_nb.core.job import State
    from refvideo_nb.core.pricing import Estimate
    from refvideo_nb.core.references import Reference
    from refvideo_nb.core.request import VideoRequest
    from refvideo_nb.ledger.media import MediaStore
    from refvideo_nb.ledger.store import Ledger

__all__ = ["plan"]


async def plan(
    asked: SweepWish,
    *,
    models: Sequence[Model],
    media: MediaStore,
    ledger: Ledger,
    address: str,
    simulated: bool,
    fresh: bool = False,
) -> Plan:
    """Check, price and look up every cell; sends nothing.

    Parameters
    ----------
    asked : SweepWish
    models : sequence of Model
        The model list.
    media : MediaStore
        Where the references' bytes are kept.
    ledger : Ledger
        Where earlier jobs of the same requests are looked for.
    address : str
        The API's; part of what makes two requests the same.
    simulated : bool
        Whether the simulator will answer.
    fresh : bool
        Whether earlier jobs are left alone, so that each cell is paid for.

    Returns
    -------
    Plan

    Raises
    ------
    InvalidRequestError
        Where the design is none, a model or a reference is not there, or no cell at all can be sent.
    """
    used = [find_model(str(m), models) for m in asked.axes.get("model", (asked.wish.model,))]
    check_fields(asked)
    levels = levels_of(asked)
    design = design_of(axes_of(levels), asked.zipped)
    taken = await _Taken.of(asked, used, media=media, simulated=simulated)
    work = _Work(asked, levels, design=design, models=used, taken=taken, address=address, simulated=simulated)
    # In a thread: thousands of checks take a second, in which the polls of other jobs go on.
    cells = await asyncio.to_thread(lambda: tuple(work.cells()))
    if not fresh:
        cells = tuple(_each_once(cells))
    sendable = [c for c in cells if not c.refused]
    if not sendable:
        raise InvalidRequestError(f"no cell of this sweep can be sent: {cells[0].refused[0]}")
    earlier: dict[int, tuple[str, State]] = {}
    if not fresh:
        found = await asyncio.to_thread(ledger.sweeps.earlier, [c.fingerprint for c in sendable])
        earlier = {c.number: found[c.fingerprint] for c in sendable if c.fingerprint in found}
    return Plan(design=design, cells=cells, earlier=earlier, fresh=fresh, simulated=simulated)


def _each_once(cells: Iterable[Cell]) -> Iterator[Cell]:
    """The cells, of those with the same request only the first: others would be no more samples."""
    first: dict[str, int] = {}
    for cell in cells:
        same = cell.number if cell.refused else first.setdefault(cell.fingerprint, cell.number)
        if same != cell.number:
            why = f"it is the same request as cell {same}: the same job, not one more sample; fresh pays for it anew"
            yield msgspec.structs.replace(cell, refused=(why,), fingerprint="")
        else:
            yield cell


class _Taken:
    """The references and frames of every level, as each model takes them."""

    def __init__(self) -> None:
        self._references: dict[tuple[int, ImageLimits], tuple[Reference, ...]] = {}
        self._frames: dict[tuple[int, ImageLimits], tuple[Frame, ...]] = {}

    @classmethod
    async def of(cls, asked: SweepWish, models: Sequence[Model], *, media: MediaStore, simulated: bool) -> _Taken:
        taken = cls()
        loaded: dict[Any, Loaded] = {}
        wanted = {model.references.images for model in models}

        async def each(named: Named, limits: ImageLimits) -> Reference:
            key = str(named.source) if isinstance(named.source, (str, os.PathLike)) else id(named.source)
            if key not in loaded:
                loaded[key] = await load(named, allow_loopback=simulated)
            once = loaded[key]
            label = named.label or once.url or once.label
            return await keep(Loaded(named, once.data, once.url, label, once.drawn), media, limits=limits)

        wish = asked.wish
        all_sources = [named_sources(level) for level in asked.axes.get("references", (wish.references,))]
        # A role is of use where some level has its reference; not every level needs to.
        roles = roles_of(wish.roles, list(dict.fromkeys(s.name for sources in all_sources for s in sources)))
        for index, sources in enumerate(all_sources):
            for limits in wanted:
                found = [msgspec.structs.replace(await each(s, limits), role=roles.get(s.name, "")) for s in sources]
                taken._references[index, limits] = tuple(found)
        for index, level in enumerate(asked.axes.get("frames", (wish.frames,))):
            anchors = [(frame_position(p), Named(f"{p} frame", s, given=True)) for p, s in (level or {}).items()]
            if anchors and any(taken._references.values()):
                raise InvalidRequestError(FRAMES_OR_REFERENCES, field="frames")
            for limits in wanted:
                taken._frames[index, limits] = tuple([Frame(p, await each(s, limits)) for p, s in anchors])
        return taken

    def references(self, level: int, model: Model) -> tuple[Reference, ...]:
        return self._references[level, model.references.images]

    def frames(self, level: int, model: Model) -> tuple[Frame, ...]:
        return self._frames[level, model.references.images]


class _Work:
    """Making the cells; plain computing, for a thread."""

    def __init__(
        self,
        asked: SweepWish,
        levels: Mapping[str, tuple[Any, ...]],
        *,
        design: Design,
        models: Sequence[Model],
        taken: _Taken,
        address: str,
        simulated: bool,
    ) -> None:
        self._asked, self._levels, self._design = asked, levels, design
        self._models = {model.id: model for model in models}
        self._taken, self._address, self._simulated = taken, address, simulated
        self._prices: dict[tuple[object, ...], Estimate | None] = {}

    def _price(self, request: VideoRequest, model: Model) -> Estimate | None:
        """The estimate, made once for all cells that differ in nothing that has a price."""
        key = (
            model.id, id(request.references), id(request.frames), request.duration, request.resolution,
            request.aspect_ratio, request.size, request.generate_audio,
        )  # fmt: skip
        if key not in self._prices:
            self._prices[key] = estimate(request, model)
        return self._prices[key]

    def cells(self) -> Iterable[Cell]:
        """Each cell, in the design's order."""
        names = [[axis.name for axis in axes] for axes in self._design.dimensions]
        for number, point in enumerate(product(*(range(n) for n in self._design.shape)), start=1):
            yield self._cell(number, {name: at for axes, at in zip(names, point, strict=True) for name in axes})

    def _cell(self, number: int, at: Mapping[str, int]) -> Cell:
        asked = self._asked
        values = {name: plain(self._levels[name][level]) for name, level in at.items() if name in asked.axes}
        wish = msgspec.structs.replace(asked.wish, **values)
        if isinstance(wish.prompt, str) and "{{" in wish.prompt:
            filled = {name: str(plain(asked.fields[name][at[name]])) for name in asked.fields}
            wish = msgspec.structs.replace(wish, prompt=fill(wish.prompt, filled.__getitem__))
        model = self._models[str(wish.model)]
        found = review(
            wish,
            model,
            references=self._taken.references(at.get("references", 0), model),
            frames=self._taken.frames(at.get("frames", 0), model),
            simulated=self._simulated,
            price=self._price,
        )
        draft, refused = found.draft, tuple(str(p) for p in found.problems)
        if draft is None:
            return Cell(number=number, request=None, refused=refused)
        return Cell(
            number=number,
            request=draft.request,
            sent_prompt=draft.compiled.text,
            fingerprint="" if refused else fingerprint(draft.request, draft.compiled.text, self._address),
            estimate=draft.prices,
            notes=draft.notes,
            refused=refused,
        )
