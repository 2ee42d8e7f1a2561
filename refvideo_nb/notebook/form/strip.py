"""The strip of references: what was added, in its order, each as the chosen model takes it.

Sources are read on the engine's loop, several at once; what comes of them arrives in
a turn of the form's.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets
import msgspec

from refvideo_nb.core.references import Reference, check_name
from refvideo_nb.display.asked import Given
from refvideo_nb.display.form import messages_html
from refvideo_nb.engine.intake import Loaded, Named, keep, load
from refvideo_nb.errors import BadReferenceError, RefVideoError, one_line
from refvideo_nb.notebook.form.sources import Told, short, told
from refvideo_nb.notebook.form.tile import Item, Tile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from refvideo_nb.core.catalogue import ImageLimits
    from refvideo_nb.notebook.form.turns import Turns
    from refvideo_nb.notebook.session import Session

__all__ = ["Strip"]

_FITTING = "the references, as this model takes them"


class _Reading(msgspec.Struct, eq=False):
    """A source that is being read."""

    told: Told
    turn: int


class Strip:
    """The references, in the order in which they are sent.

    Parameters
    ----------
    session, namespace : callable
        Give the session and the notebook's variables.
    turns : Turns
        The form's.

    Attributes
    ----------
    box : ipywidgets.VBox
        What is displayed.
    """

    def __init__(
        self, *, session: Callable[[], Session], namespace: Callable[[], Mapping[str, Any]], turns: Turns
    ) -> None:
        self._session, self._namespace, self._turns = session, namespace, turns
        self._items: list[Item] = []
        self._tiles: dict[Item, Tile] = {}
        self._reading: list[_Reading] = []
        self._taken = self._fits = 0
        self._limits: ImageLimits | None = None
        self._roles: dict[str, str] = {}
        self._troubles: list[str] = []
        self._said = ipywidgets.HTML()
        self._row = ipywidgets.HBox(layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="14px"))
        self.box = ipywidgets.VBox([self._row, self._said])

    @property
    def items(self) -> tuple[Item, ...]:
        """Those that are read, in order."""
        return tuple(self._items)

    @property
    def references(self) -> tuple[Reference, ...]:
        """What would be sent."""
        return tuple(msgspec.structs.replace(item.reference, role=item.role) for item in self._items)

    @property
    def busy(self) -> tuple[str, ...]:
        """The sources that are still being read."""
        fitting = (_FITTING,) if self._fits else ()
        return (*(r.told.label for r in self._reading), *fitting)

    @property
    def problems(self) -> list[str]:
        """What prevents sending: a reference that this model cannot take at all."""
        return [item.problem for item in self._items if item.problem]

    def say(self, problems: Sequence[str]) -> None:
        """What the checks say of the references as a whole."""
        waiting = [f"reading {one_line(name, limit=60)} …" for name in self.busy]
        self._said.value = messages_html([*self._troubles, *problems], waiting)

    def tell(self, problem: str) -> None:
        """Say what went wrong with a reference; it stays until something else is done with them."""
        self._troubles.append(problem)
        self._turns.changed()

    # --- reading -------------------------------------------------------------------------------------------

    def cast(self, roles: Mapping[str, str]) -> None:
        """What the references of these names, once they are there, are there for."""
        self._roles = dict(roles)

    def take(self, source: Any, *, name: str | None = None, label: str = "") -> None:
        """Begin to read a source; it appears when it is there.

        Parameters
        ----------
        source : object
            As `generate` takes it; a text that is the name of a variable stands for its value.
        name : str, optional
            What the prompt calls it.
        label : str
            Where it came from, for people.

        Raises
        ------
        BadReferenceError
            For a name that a prompt cannot say, or one that is there already.
        """
        what = told(source, self._namespace(), name=name, label=label)
        if name is not None:
            self._free(name)
        self._taken += 1
        reading = _Reading(what, self._taken)
        self._reading.append(reading)
        self._turns.changed()
        session = self._session()
        session.engine.spawn(self._read(session, reading))

    async def _read(self, session: Session, reading: _Reading) -> None:
        named, item, problem, limits = reading.told.named, None, "", self._limits
        try:
            loaded = await load(named, allow_loopback=session.simulated)
            limits = self._limits
            reference = await keep(loaded, session.media, limits=limits)
            # An upload has no name in code: its file in the media store stands for it.
            given = reading.told.given or _kept(session, reference)
            item = Item(loaded, msgspec.structs.replace(reference, named=True), given, reading.turn)
        except RefVideoError as error:
            problem = one_line(error)
        except Exception as error:  # noqa: BLE001 - nobody else would tell the person who waits for it
            problem = f"reference {named.name!r} cannot be read: {type(error).__name__}: {one_line(error, limit=160)}"
        # In a thread: whatever the form does then must not hold up the engine's loop.
        arrived = partial(self._arrived, reading, item, problem, made_for=(session, limits))
        await asyncio.to_thread(self._turns.leave, arrived, self.tell)

    def _arrived(
        self, reading: _Reading, item: Item | None, problem: str, *, made_for: tuple[Session, ImageLimits | None]
    ) -> None:
        if reading not in self._reading:
            return  # an earlier request took the place of all that was there
        self._reading.remove(reading)
        if item is not None:
            name, count = item.reference.name, 2
            while any(other.reference.name == item.reference.name for other in self._items):
                item.reference = msgspec.structs.replace(item.reference, name=f"{name}_{count}")
                count += 1
            item.role = self._roles.pop(item.reference.name, "")
            # In the order in which they were given, whichever is read first.
            later = (n for n, other in enumerate(self._items) if other.turn > item.turn)
            self._items.insert(next(later, len(self._items)), item)
            self._draw()
            session, limits = self._session(), self._limits
            if made_for != (session, limits):  # another model was chosen meanwhile
                self._make_fit(anew=made_for[0] is not session)
        if problem:
            self.tell(problem)
        self._turns.changed()

    def fit(self, limits: ImageLimits | None, *, anew: bool = False) -> None:
        """Make every picture anew as another model takes it, from the bytes that were read first.

        Parameters
        ----------
        limits : ImageLimits or None
        anew : bool
            Whether another session will send them: it has its own media store, and does not
            take every address that the one before took.
        """
        if limits != self._limits or anew:
            self._limits = limits
            self._make_fit(anew=anew)

    def _make_fit(self, *, anew: bool) -> None:
        if self._items:
            self._fits += 1
            session = self._session()
            session.engine.spawn(self._fit(session, tuple(self._items), self._limits, anew=anew))

    async def _fit(self, session: Session, items: tuple[Item, ...], limits: ImageLimits | None, *, anew: bool) -> None:
        made: list[tuple[Loaded, Reference] | str] = []
        for item in items:
            try:
                loaded = item.loaded
                if anew and loaded.url is not None:
                    loaded = await load(loaded.named, allow_loopback=session.simulated)
                made.append((loaded, await keep(loaded, session.media, limits=limits)))
            except Exception as error:  # noqa: BLE001 - nobody else would tell the person who waits for it
                made.append(one_line(error))
        await asyncio.to_thread(self._turns.leave, partial(self._fitted, items, made, limits), self.tell)

    def _fitted(
        self, items: tuple[Item, ...], made: list[tuple[Loaded, Reference] | str], limits: ImageLimits | None
    ) -> None:
        self._fits -= 1
        if limits == self._limits:
            for item, found in zip(items, made, strict=True):
                if isinstance(found, str):
                    item.problem = found
                else:
                    item.loaded, reference = found
                    item.reference, item.problem = (
                        msgspec.structs.replace(reference, name=item.reference.name, named=True),
                        "",
                    )
        self._draw()
        self._turns.changed()

    def restore(self, references: Sequence[Reference]) -> list[str]:
        """The references of an earlier job, from the media store; the names of those whose bytes are gone."""
        session, gone = self._session(), []
        self._items, self._reading, self._troubles = [], [], []
        for reference in references:
            data = session.media.read(reference)
            if data is None:
                gone.append(reference.name)
                continue
            self._taken += 1
            named = Named(reference.name, reference.url or data, given=True, label=reference.source)
            loaded = Loaded(named, data, reference.url, reference.source)
            given = Given(reference.name, reference.url) if reference.url else _kept(session, reference)
            self._items.append(Item(loaded, reference, given, self._taken, reference.role))
        self._draw()
        return gone

    # --- what people do with them --------------------------------------------------------------------------

    def touched(self) -> None:
        """Something is done with the references: what was said of an earlier attempt is over."""
        self._troubles = []
        self._turns.changed()

    def _free(self, name: str) -> None:
        check_name(name)
        names = [item.reference.name for item in self._items]
        names += [r.told.named.name for r in self._reading if r.told.named.given]
        if name in names:
            raise BadReferenceError(
                f"two references are called {name!r}: give each its own name", field="references", value=name
            )

    def _draw(self) -> None:
        read, last = self._session().media.read, len(self._items) - 1
        for item in set(self._tiles) - set(self._items):
            self._tiles.pop(item).close()
        for n, item in enumerate(self._items):
            if item not in self._tiles:
                self._tiles[item] = Tile(item, self._deeds(item))
            self._tiles[item].draw(n, last=n == last, read=read)
        self._row.children = [self._tiles[item].box for item in self._items]

    def _deeds(self, item: Item) -> dict[str, Callable[..., None]]:
        deeds: dict[str, Callable[..., None]] = {
            "rename": partial(self._rename, item),
            "give_role": partial(self._give_role, item),
            "earlier": partial(self._move, item, -1),
            "later": partial(self._move, item, 1),
            "remove": partial(self._remove, item),
        }
        return {name: self._turns.handler(does, self.tell) for name, does in deeds.items()}

    def _rename(self, item: Item, name: str) -> None:
        if name == item.reference.name:
            return
        self.touched()
        try:
            self._free(name)
            item.reference = msgspec.structs.replace(item.reference, name=name, named=True)
        finally:
            self._draw()  # with the name that it still has, where the new one cannot be

    def _give_role(self, item: Item, role: str) -> None:
        item.role = role
        self._turns.changed()

    def _move(self, item: Item, by: int) -> None:
        if item not in self._items:
            return  # a second click on what is gone already
        self.touched()
        at = self._items.index(item)
        to = min(max(at + by, 0), len(self._items) - 1)
        self._items.insert(to, self._items.pop(at))
        self._draw()

    def _remove(self, item: Item) -> None:
        if item in self._items:
            self.touched()
            self._items.remove(item)
            self._draw()


def _kept(session: Session, reference: Reference) -> Given:
    """Its file in the media store."""
    return Given(reference.name, short(session.media.path(reference.sha256, reference.media_type)))
