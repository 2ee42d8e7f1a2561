"""The two frames that an image may fix; they exclude references, and say so."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import ipywidgets
import msgspec

from refvideo_nb.core.request import Frame
from refvideo_nb.display.form import messages_html
from refvideo_nb.engine.intake import Named, keep, load
from refvideo_nb.errors import RefVideoError, one_line
from refvideo_nb.notebook.form.fields import labelled
from refvideo_nb.notebook.form.sources import short, variable_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from refvideo_nb.core.catalogue import ImageLimits
    from refvideo_nb.core.choices import Choices
    from refvideo_nb.errors import InvalidRequestError
    from refvideo_nb.notebook.form.turns import Turns
    from refvideo_nb.notebook.session import Session

__all__ = ["FrameField"]

# A field is not as wide as the whole reason, which its tooltip says.
_LONG, _SHORT = "frames and references exclude each other", "not with references"


class FrameField:
    """One frame, by address, path or variable.

    Parameters
    ----------
    position : {"first", "last"}
    session, namespace : callable
        Give the session and the notebook's variables.
    turns : Turns
        The form's.

    Attributes
    ----------
    box : ipywidgets.VBox
        What is displayed.
    frame : Frame or None
        What would be sent.
    problem : str
        Why it cannot be sent, or "".
    busy : bool
        Whether it is still being read.
    """

    def __init__(
        self,
        position: Literal["first", "last"],
        *,
        session: Callable[[], Session],
        namespace: Callable[[], Mapping[str, Any]],
        turns: Turns,
    ) -> None:
        self.position = position
        self._session, self._namespace, self._turns = session, namespace, turns
        self._limits: ImageLimits | None = None
        self._nameless: Any = None
        self._said = ipywidgets.HTML()
        self._text = labelled(ipywidgets.Text, f"{position.capitalize()} frame", continuous_update=False)
        read_anew = turns.handler(self._read_anew, self._tell)
        self._text.observe(lambda _: read_anew(), "value")
        self.box = ipywidgets.VBox([self._text, self._said])
        self.frame: Frame | None = None
        self.problem = ""
        self.busy = False

    @property
    def said(self) -> str:
        """How it is named in code; empty for no frame."""
        return str(self._text.value).strip()

    def put(self, source: Any) -> None:
        """Choose a source; "" for none."""
        named = source if isinstance(source, str) else variable_of(source, self._namespace())
        # What has no name is shown as a path of the media store as soon as it is there.
        self._nameless = source if named is None else None
        self._text.value = "a picture" if named is None else named

    def say(self, problems: Sequence[InvalidRequestError], offered: Choices | None) -> None:
        """What is wrong, and whether a frame may be given at all; one that is there can always be removed.

        Parameters
        ----------
        problems : sequence of InvalidRequestError
            Of the whole request.
        offered : Choices or None
            What the model takes.
        """
        refused = offered is not None and offered.frames is not None and self.position not in offered.frames
        why = offered.why.get("frames", "it fixes no frames") if offered is not None and refused else ""
        self._text.disabled = bool(why) and not self.said
        self._text.tooltip = why or f"The {self.position} frame of the clip"
        self._text.placeholder = why.replace(_LONG, _SHORT) or "address, path, variable"
        # A problem of both names no single position.
        mine = [
            str(p)
            for p in problems
            if p.field == "frames" and (p.value == self.position or not isinstance(p.value, str))
        ]
        self._said.value = messages_html(mine if self.said else [])

    def fit(self, limits: ImageLimits | None, *, anew: bool = False) -> None:
        """The limits of the model that is chosen now; `anew` where another session will send it."""
        if limits != self._limits or anew:
            self._limits = limits
            if self.said:
                self._read_anew()

    def _tell(self, problem: str) -> None:
        self.problem = problem
        self._turns.changed()

    def _read_anew(self) -> None:
        self.frame, self.busy = None, bool(self.said)
        self._tell("")
        if self.busy:
            session = self._session()
            session.engine.spawn(self._read(session, self.said, self._limits))

    def _source(self, said: str) -> Any:
        if self._nameless is not None:
            return self._nameless
        namespace = self._namespace()
        return namespace[said] if said.isidentifier() and said in namespace else said

    async def _read(self, session: Session, said: str, limits: ImageLimits | None) -> None:
        found, problem = None, ""
        try:
            named = Named(f"{self.position} frame", self._source(said), given=True)
            image = await keep(await load(named, allow_loopback=session.simulated), session.media, limits=limits)
            found = Frame(self.position, msgspec.structs.replace(image, source=image.source or said))
        except RefVideoError as error:
            problem = one_line(error)
        except Exception as error:  # noqa: BLE001 - nobody else would tell the person who waits for it
            problem = f"{self.position} frame cannot be read: {type(error).__name__}: {one_line(error, limit=160)}"
        # In a thread: whatever the form does then must not hold up the engine's loop.
        arrived = partial(self._arrived, session, said, limits, found, problem)
        await asyncio.to_thread(self._turns.leave, arrived, self._tell)

    def _arrived(
        self, session: Session, said: str, limits: ImageLimits | None, found: Frame | None, problem: str
    ) -> None:
        if (said, limits, session) != (self.said, self._limits, self._session()):
            return  # something else was typed or chosen meanwhile, and is being read
        self.frame, self.busy = found, False
        self._tell(problem)
        if found is not None and self._nameless is not None:
            self.put(short(session.media.path(found.image.sha256, found.image.media_type)))
