"""Planning a sweep: from lists of values to cells that are checked, priced and looked up in the ledger.

Each reference is read and hashed once, however many cells use it, and nothing is written
but its bytes in the media store.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Iterable, Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

from refvideo_nb.core.checks import FRAMES_OR_REFERENCES, find_model
from refvideo_nb.core.fields import fields_in, fill
from refvideo_nb.core.pricing import estimate
from refvideo_nb.core.request import Frame
from refvideo_nb.core.sweep import Axis, Cell, Plan, design_of
from refvideo_nb.engine.draft import fingerprint, review
from refvideo_nb.engine.intake import Loaded, Named, keep, load, named_sources
from refvideo_nb.engine.wish import Wish, frame_position, roles_of
from refvideo_nb.errors import InvalidRequestError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refvideo_nb.core.catalogue import ImageLimits, Model
    from refvideo_nb.core.pricing import Estimate
    from refvideo_nb.core.references import Reference
    from refvideo_nb.core.request import VideoRequest
    from refvideo_nb.core.sweep import Design, Label
    from refvideo_nb.ledger.media import MediaStore
    from refvideo_nb.ledger.store import Ledger

__all__ = ["VARIED", "SweepWish", "plan", "sweep_wish"]

_BEFORE = ("prompt",)
_AFTER = (
    *("references", "frames", "model", "duration", "resolution", "aspect_ratio", "size", "generate_audio"),
    *("provider", "seed"),
)
VARIED = (*_BEFORE, *_AFTER)
"""Arguments of a request that may be lists; in a design the later ones vary faster.

Fields of the prompt come right after it.
"""

_MOST_LABEL = 80  # characters


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SweepWish:
    """A sweep as it was asked for: nothing is checked yet.

    Attributes
    ----------
    wish : Wish
        What all cells have in common; of a varied argument, its first level.
    axes : mapping of str to tuple
        The levels of each varied argument, by its name.
    fields : mapping of str to tuple
        The levels of each ``{{field}}`` of the prompts.
    zipped : tuple of str
        Arguments and fields that are walked together.
    """

    wish: Wish
    axes: Mapping[str, tuple[Any, ...]]
    fields: Mapping[str, tuple[Any, ...]]
    zipped: tuple[str, ...] = ()


def sweep_wish(wish: Wish, *, fields: Mapping[str, Any] | None = None, zipped: str | Iterable[str] = ()) -> SweepWish:
    """Find out which arguments of a wish are lists of levels.

    Parameters
    ----------
    wish : Wish
        Its arguments may be lists. ``references`` and ``frames`` are varied where they are lists of
        mappings or of lists; ``size`` where it is a list of texts or pairs.
    fields : mapping, optional
        Levels of ``{{name}}`` in the prompts; a single value is one level.
    zipped : str or iterable of str

    Raises
    ------
    InvalidRequestError
    """
    axes = {name: levels for name in VARIED if (levels := _levels(name, getattr(wish, name))) is not None}
    first = {name: levels[0] for name, levels in axes.items() if levels}
    if fields is not None and not isinstance(fields, Mapping):
        raise InvalidRequestError("fields cannot be used: give {name: [value, …]}", field="fields")
    filled = {str(name): _several(value) for name, value in (fields or {}).items()}
    for name in filled:
        if name in VARIED:
            raise InvalidRequestError(
                f"the field {name!r} is called like an argument: give it another name", field="fields", value=name
            )
    tied = (zipped,) if isinstance(zipped, str) else tuple(zipped)
    return SweepWish(wish=dataclasses.replace(wish, **first), axes=axes, fields=filled, zipped=tied)


def _several(value: Any) -> tuple[Any, ...]:
    single = isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable)
    return (value,) if single else tuple(value)


def _levels(name: str, value: Any) -> tuple[Any, ...] | None:
    """The levels of an argument; None where it is one value."""
    if value is None or isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        return None
    if name == "size" and isinstance(value, (list, tuple)) and all(isinstance(v, int) for v in value):
        return None  # (width, height)
    if name in {"references", "frames"}:
        if not isinstance(value, (list, tuple)):
            return None
        several = [v is None or isinstance(v, (Mapping, list, tuple)) for v in value]
        if not all(several):
            if any(isinstance(v, Mapping) for v in value):
                raise InvalidRequestError(
                    f"{name} mixes levels and sources: give a list of dicts, one dict for each level", field=name
                )
            return None  # the sources of one job, as for a single one
    return tuple(value)


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
    _check_fields(asked)
    levels = _all_levels(asked)
    design = design_of([Axis(name, _labels(name, values)) for name, values in levels.items()], asked.zipped)
    taken = await _Taken.of(asked, used, media=media, simulated=simulated)
    work = _Work(asked, levels, design=design, models=used, taken=taken, address=address, simulated=simulated)
    # In a thread: thousands of checks take a second, in which the polls of other jobs go on.
    cells = await asyncio.to_thread(lambda: tuple(work.cells()))
    sendable = [c for c in cells if not c.refused]
    if not sendable:
        raise InvalidRequestError(f"no cell of this sweep can be sent: {cells[0].refused[0]}")
    twins: dict[int, int] = {}
    earlier: dict[int, Any] = {}
    if not fresh:
        first: dict[str, int] = {}
        for cell in sendable:
            if first.setdefault(cell.fingerprint, cell.number) != cell.number:
                twins[cell.number] = first[cell.fingerprint]
        found = await asyncio.to_thread(ledger.sweeps.earlier, list(first))
        earlier = {c.number: found[c.fingerprint] for c in sendable if c.fingerprint in found}
        twins = {n: other for n, other in twins.items() if n not in earlier}
    return Plan(design=design, cells=cells, earlier=earlier, twins=twins, fresh=fresh, simulated=simulated)


def _all_levels(asked: SweepWish) -> dict[str, tuple[Any, ...]]:
    """Every axis with its levels, slowest first."""
    varied = asked.axes
    return (
        {name: varied[name] for name in _BEFORE if name in varied}
        | dict(asked.fields)
        | {name: varied[name] for name in _AFTER if name in varied}
    )


def _check_fields(asked: SweepWish) -> None:
    prompts = [p for p in asked.axes.get("prompt", (asked.wish.prompt,)) if isinstance(p, str)]
    there = {name for prompt in prompts for name in fields_in(prompt)}
    for name in asked.fields:
        if name not in there:
            raise InvalidRequestError(
                f"no prompt has the field {{{{{one_line(name, limit=40)}}}}}: write it where its value belongs",
                field="fields",
                value=name,
                allowed=sorted(there),
            )
    for name in sorted(there - set(asked.fields)):
        raise InvalidRequestError(
            f"the prompt has the field {{{{{name}}}}}, for which there is no value: "
            f"give fields={{{name!r}: [value, …]}}, or write \\{{{{{name}}}}} for those very characters",
            field="fields",
            value=name,
        )


def _labels(name: str, values: tuple[Any, ...]) -> tuple[Label, ...]:
    """What people call the levels of an axis; each has another name."""
    if name not in {"references", "frames", "provider", "size"}:
        return tuple(_label(_plain(value)) for value in values)
    if name == "size":
        return tuple("x".join(map(str, v)) if isinstance(v, (list, tuple)) else str(v) for v in values)
    described = [one_line(_described(name, v), limit=_MOST_LABEL) or "none" for v in values]
    if name == "provider":
        return tuple(described)
    # Two arrays look the same here, and are not: they are told apart by their place.
    return tuple(d if described.count(d) == 1 else f"{d} ({n})" for n, d in enumerate(described, start=1))


def _label(value: Any) -> Label:
    return value if value is None or isinstance(value, (str, int, float)) else one_line(value, limit=_MOST_LABEL)


def _plain(value: Any) -> Any:
    """A scalar of numpy as Python's own."""
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "shape", None) == () else value


def _described(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "provider" and isinstance(value, Mapping):
        return ", ".join(f"{s}.{k}={v}" for s, o in value.items() if isinstance(o, Mapping) for k, v in o.items())
    items = value.items() if isinstance(value, Mapping) else ((n.name, n.source) for n in named_sources(value))
    return ", ".join(f"{key}={source}" if (source := _source(each)) else str(key) for key, each in items)


def _source(source: Any) -> str:
    if not isinstance(source, (str, os.PathLike)) or str(source).startswith("data:"):
        return ""
    return str(source).partition("?")[0].rstrip("/").replace("\\", "/").rpartition("/")[2]


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
        for index, level in enumerate(asked.axes.get("references", (wish.references,))):
            sources = named_sources(level)
            roles = roles_of(wish.roles, [s.name for s in sources])
            for limits in wanted:
                found = [dataclasses.replace(await each(s, limits), role=roles.get(s.name, "")) for s in sources]
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
        values = {name: _plain(self._levels[name][level]) for name, level in at.items() if name in asked.axes}
        wish = dataclasses.replace(asked.wish, **values)
        if isinstance(wish.prompt, str) and "{{" in wish.prompt:
            filled = {name: str(_plain(asked.fields[name][at[name]])) for name in asked.fields}
            wish = dataclasses.replace(wish, prompt=fill(wish.prompt, filled.__getitem__))
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
