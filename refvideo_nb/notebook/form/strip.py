"""The strip of references: add by address, path, variable or upload; order, rename, remove, give a role."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets

from refvideo_nb.core.references import Reference, check_name
from refvideo_nb.display.asked import Given
from refvideo_nb.display.form import messages_html, tile_html
from refvideo_nb.engine.intake import Loaded, Named, keep, load, named_sources
from refvideo_nb.errors import BadReferenceError, RefVideoError, one_line
from refvideo_nb.notebook.form.fields import LABELS
from refvideo_nb.notebook.form.tile import Item, tile
from refvideo_nb.notebook.jobcard import button, guarded

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from refvideo_nb.core.catalogue import ImageLimits
    from refvideo_nb.notebook.session import Session

__all__ = ["Strip"]

_UPLOADS = (
    "An upload passes the notebook server's websocket, which drops more than about 10 MB without a word: "
    "larger files by their path or address"
)
_PICTURES = {".jpg", ".jpeg", ".png", ".webp"}
_MOST_OFFERED = 60
_FITTING = "the references, as this model takes them"
_ROW = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "6px"}


class Strip:
    """The references, in the order in which they are sent.

    Parameters
    ----------
    session : callable
        Gives the session.
    namespace : callable
        Gives the notebook's variables.
    changed : callable
        Called without arguments when anything changed, on any thread.
    roles : mapping of str to str
        What may be chosen as a role, and what it says.
    lock : RLock
        The form's: references come in on threads of their own.
    """

    def __init__(
        self,
        *,
        session: Callable[[], Session],
        namespace: Callable[[], Mapping[str, Any]],
        changed: Callable[[], None],
        roles: Mapping[str, str],
        lock: threading.RLock,
    ) -> None:
        self._session, self._namespace, self._changed, self._roles = session, namespace, changed, roles
        self._lock = lock
        self._items: list[Item] = []
        self._reading: list[str] = []
        self._taken = 0
        self._limits: ImageLimits | None = None
        self._source = ipywidgets.Combobox(
            description="Reference",
            placeholder="https address, path or variable",
            style=LABELS,
            layout={"flex": "1 1 280px", "max_width": "420px"},
        )
        self._name = ipywidgets.Text(
            description="Name",
            placeholder="from the file",
            style={"description_width": "44px"},
            layout={"width": "190px"},
        )
        # Not while somebody types: a keyboard's Enter, or the button.
        self._source.continuous_update = False
        self._upload = ipywidgets.FileUpload(
            description="Upload", multiple=True, accept="image/*,video/mp4,audio/*", tooltip=_UPLOADS
        )
        self._upload.observe(lambda change: guarded(lambda: self._uploaded(change["new"]), self._tell), "value")
        self._said = ipywidgets.HTML()
        self._tiles = ipywidgets.HBox(layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="14px"))
        add = button("Add", lambda: guarded(self._add, self._tell), tip="Add this reference")
        row = ipywidgets.HBox([self._source, self._name, add, self._upload], layout=ipywidgets.Layout(**_ROW))
        hint = ipywidgets.HTML(messages_html([], [_UPLOADS]))
        self.box = ipywidgets.VBox([row, hint, self._said, self._tiles])
        self.offer()

    @property
    def items(self) -> tuple[Item, ...]:
        """Those that are read, in order."""
        return tuple(self._items)

    @property
    def references(self) -> tuple[Reference, ...]:
        """What would be sent."""
        return tuple(replace(item.reference, role=item.role) for item in self._items)

    @property
    def busy(self) -> tuple[str, ...]:
        """The sources that are still being read."""
        return tuple(self._reading)

    @property
    def problems(self) -> list[str]:
        """What prevents sending: a reference that this model cannot take at all."""
        return [item.problem for item in self._items if item.problem]

    def offer(self) -> None:
        """Offer the notebook's pictures and those of its folder, for choosing instead of typing."""
        names = [n for n, v in list(self._namespace().items()) if not n.startswith("_") and _is_picture(v)]
        try:
            files = [p.name for p in sorted(Path.cwd().iterdir()) if p.suffix.lower() in _PICTURES]
        except OSError:
            files = []
        offered = tuple([*names, *files][:_MOST_OFFERED])
        if offered != self._source.options:
            self._source.options = offered

    def clear(self) -> None:
        """Start anew."""
        self._items.clear()
        self._draw()

    def say(self, problems: list[str], notes: list[str]) -> None:
        """What the checks say of the references as a whole."""
        waiting = [f"reading {one_line(name, limit=60)} …" for name in self._reading]
        self._said.value = messages_html(problems, [*waiting, *notes])

    def _tell(self, problem: str) -> None:
        self._said.value = messages_html([problem])

    def _add(self) -> None:
        text = self._source.value.strip()
        if not text:
            raise BadReferenceError(
                "no reference is given: type an https address, a path or the name of a variable", field="references"
            )
        self.take(text, name=self._name.value.strip() or None)
        self._source.value = self._name.value = ""

    def _uploaded(self, files: Any) -> None:
        for file in files:
            name = str(file["name"])
            # Read while the message is here: the front end's memory goes with the next upload.
            self.take(bytes(file["content"]), name=None, label=name)
        if files:
            self._upload.value = ()

    def take(self, source: Any, *, name: str | None = None, label: str = "", role: str = "") -> None:
        """Begin to read a source; it appears when it is there.

        Parameters
        ----------
        source : object
            As `generate` takes it; a text that is the name of a variable stands for its value.
        name : str, optional
            What the prompt calls it.
        label : str
            Where it came from, for people.
        role : str
            What it is there for.

        Raises
        ------
        BadReferenceError
            For a name that a prompt cannot say, or one that is there already.
        """
        given: Given | None = None
        variable = None if isinstance(source, str | bytes) else self._variable(source)
        if variable is not None:
            given, label = Given(name or "", variable, variable=True), label or f"variable {variable}"
        elif isinstance(source, str):
            given = Given(name or "", source, variable=source.isidentifier() and source in self._namespace())
            if given.variable:
                name, label, source = name or source, label or f"variable {source}", self._namespace()[source]
        if name is not None:
            self._free(check_name(name))
        word = name or variable or (_word(label) if given is None else "")
        (named,) = named_sources([Named(word, source, given=bool(word), label=label)])
        shown = label or (given.source if given else "a picture")
        self._reading.append(shown)
        self._taken += 1
        self._changed()
        session = self._session()
        session.engine.spawn(self._read(session, named, shown, given, turn=self._taken, role=role))

    async def _read(
        self, session: Session, named: Named, shown: str, given: Given | None, *, turn: int, role: str
    ) -> None:
        item, problem = None, ""
        try:
            item = await self._made(session, await load(named, allow_loopback=session.simulated), given, turn)
            item.role = role
        except RefVideoError as error:
            problem = one_line(error)
        except Exception as error:  # noqa: BLE001 - nobody else would tell the person who waits for it
            problem = f"reference {named.name!r} cannot be read: {type(error).__name__}: {one_line(error, limit=160)}"
        # Not on the engine's loop: it would wait there for whoever holds the form, and every job with it.
        await asyncio.to_thread(self._arrived, shown, item, problem)

    def _arrived(self, shown: str, item: Item | None, problem: str) -> None:
        with self._lock:
            self._reading.remove(shown)
            if item is not None:
                name, count = item.reference.name, 2
                while any(other.reference.name == item.reference.name for other in self._items):
                    item.reference = replace(item.reference, name=f"{name}_{count}")
                    count += 1
                # In the order in which they were given, whichever is read first.
                later = (n for n, other in enumerate(self._items) if other.turn > item.turn)
                self._items.insert(next(later, len(self._items)), item)
                self._draw()
            self._changed()
            if problem:
                self._tell(problem)

    async def _made(self, session: Session, loaded: Loaded, given: Given | None, turn: int) -> Item:
        limits = self._limits
        reference = await keep(loaded, session.media, limits=limits)
        while limits != self._limits:  # another model was chosen meanwhile
            limits = self._limits
            reference = await keep(loaded, session.media, limits=limits)
        # An upload has no name in code: its file in the media store stands for it.
        given = given or Given("", _short(session.media.path(reference.sha256, reference.media_type)))
        return Item(loaded, replace(reference, named=True), given, turn)

    def fit(self, limits: ImageLimits | None) -> None:
        """Make every picture anew as another model takes it, from the bytes that were read first."""
        if limits == self._limits:
            return
        self._limits = limits
        if self._items:
            session = self._session()
            self._reading.append(_FITTING)
            session.engine.spawn(self._fit(session, tuple(self._items), limits))

    async def _fit(self, session: Session, items: tuple[Item, ...], limits: ImageLimits | None) -> None:
        made: list[Reference | str] = []
        for item in items:
            try:
                made.append(await keep(item.loaded, session.media, limits=limits))
            except Exception as error:  # noqa: BLE001 - nobody else would tell the person who waits for it
                made.append(one_line(error))
        await asyncio.to_thread(self._fitted, items, made, limits)

    def _fitted(self, items: tuple[Item, ...], made: list[Reference | str], limits: ImageLimits | None) -> None:
        with self._lock:
            self._reading.remove(_FITTING)
            if limits == self._limits:
                for item, found in zip(items, made, strict=True):
                    if isinstance(found, str):
                        item.problem = found
                    else:
                        item.reference, item.problem = replace(found, name=item.reference.name, named=True), ""
            self._draw()
            self._changed()

    def restore(self, session: Session, references: tuple[Reference, ...]) -> list[str]:
        """The references of an earlier job, from the media store; the names of those whose bytes are gone."""
        gone = []
        self._items.clear()
        for reference in references:
            data = session.media.read(reference)
            if data is None:
                gone.append(reference.name)
                continue
            self._taken += 1
            named = Named(reference.name, reference.url or data, given=True, label=reference.source)
            said = reference.url or _short(session.media.path(reference.sha256, reference.media_type))
            given = Given(reference.name, said)
            loaded = Loaded(named, data, reference.url, reference.source)
            self._items.append(Item(loaded, reference, given, self._taken, reference.role))
        self._draw()
        return gone

    def _variable(self, value: Any) -> str | None:
        """What the notebook calls this very object, if it has a name there."""
        names = [n for n, v in list(self._namespace().items()) if v is value and n.isidentifier() and n[0] != "_"]
        return names[0] if names else None

    def _free(self, name: str) -> None:
        if any(item.reference.name == name for item in self._items):
            raise BadReferenceError(
                f"two references are called {name!r}: give each its own name", field="references", value=name
            )

    def _draw(self) -> None:
        old = self._tiles.children
        read = self._session().media.read
        last = len(self._items) - 1
        self._tiles.children = [
            tile(
                item,
                picture=tile_html(item.reference, n, read),
                roles=self._roles,
                rename=partial(self._try, self._rename, item),
                give_role=partial(self._give_role, item),
                earlier=partial(self._move, item, -1) if n else None,
                later=partial(self._move, item, 1) if n < last else None,
                remove=partial(self._remove, item),
            )
            for n, item in enumerate(self._items)
        ]
        for each in old:
            each.close()

    def _try(self, does: Callable[..., None], *given: Any) -> None:
        guarded(lambda: does(*given), self._tell)

    def _rename(self, item: Item, name: str) -> None:
        if name == item.reference.name:
            return
        try:
            self._free(check_name(name))
        except RefVideoError:
            self._draw()  # with the name that it still has
            raise
        item.reference = replace(item.reference, name=name, named=True)
        self._draw()
        self._changed()

    def _give_role(self, item: Item, role: str) -> None:
        item.role = role
        self._changed()

    def _move(self, item: Item, by: int) -> None:
        at = self._items.index(item)
        to = min(max(at + by, 0), len(self._items) - 1)
        self._items.insert(to, self._items.pop(at))
        self._draw()
        self._changed()

    def _remove(self, item: Item) -> None:
        self._items.remove(item)
        self._draw()
        self._changed()


def _is_picture(value: Any) -> bool:
    """Whether a variable can be a reference picture; looks, and imports nothing."""
    if hasattr(value, "getbands") and hasattr(value, "save"):
        return True
    shape = getattr(value, "shape", None)
    return (
        isinstance(shape, tuple)
        and len(shape) in {2, 3}
        and str(getattr(value, "dtype", "")) == "uint8"
        and min(shape[:2]) >= 16  # noqa: PLR2004 - pixels; smaller is no picture
    )


def _short(path: Path) -> str:
    """A path as somebody in this folder would write it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _word(label: str) -> str:
    """A name for the prompt from a file's name."""
    word = re.sub(r"[^A-Za-z0-9_]+", "_", Path(label).stem).strip("_")[:40]
    return word if word[:1].isalpha() else f"image_{time.time_ns() % 1000}"
