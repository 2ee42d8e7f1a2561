"""The two frames that an image may fix; they exclude references, and say so."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import ipywidgets

from refvideo_nb.core.request import Frame
from refvideo_nb.display.form import messages_html
from refvideo_nb.engine.intake import Named, keep, load
from refvideo_nb.errors import RefVideoError, one_line
from refvideo_nb.notebook.form.fields import LABELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from refvideo_nb.core.catalogue import ImageLimits
    from refvideo_nb.notebook.session import Session

__all__ = ["FrameField"]


class FrameField:
    """One frame, by address, path or variable.

    Parameters
    ----------
    position : {"first", "last"}
    session, namespace, changed : callable
        As for the strip of references.
    """

    def __init__(
        self,
        position: Literal["first", "last"],
        *,
        session: Callable[[], Session],
        namespace: Callable[[], Mapping[str, Any]],
        changed: Callable[[], None],
    ) -> None:
        self.position = position
        self._session, self._namespace, self._changed = session, namespace, changed
        self._limits: ImageLimits | None = None
        self._said = ipywidgets.HTML()
        self._text = ipywidgets.Text(
            description=f"{position.capitalize()} frame",
            placeholder="none",
            continuous_update=False,
            style=LABELS,
            layout={"width": "auto", "max_width": "420px"},
        )
        self._text.observe(lambda _: self._read_anew(), "value")
        self.box = ipywidgets.VBox([self._text, self._said])
        self.frame: Frame | None = None
        self.problem = ""
        self.busy = False

    @property
    def said(self) -> str:
        """How it is named in code; empty for no frame."""
        return str(self._text.value).strip()

    def put(self, source: str) -> None:
        """Choose a source, or none."""
        self._text.value = source

    def allow(self, allowed: bool, why: str) -> None:
        """Whether a frame may be given; a frame that is there can always be removed."""
        self._text.disabled = not allowed and not self.said
        self._text.tooltip = why or f"The {self.position} frame of the clip"
        self._text.placeholder = why or "none: an address, path or variable"

    def fit(self, limits: ImageLimits | None) -> None:
        """The limits of the model that is chosen now."""
        if limits != self._limits:
            self._limits = limits
            if self.said:
                self._read_anew()

    def _read_anew(self) -> None:
        self.frame, self.problem, self.busy = None, "", bool(self.said)
        self._said.value = ""
        self._changed()
        if self.busy:
            session = self._session()
            session.engine.spawn(self._read(session, self.said))

    async def _read(self, session: Session, said: str) -> None:
        namespace = self._namespace()
        source: Any = namespace[said] if said.isidentifier() and said in namespace else said
        found, problem = None, ""
        try:
            named = Named(f"{self.position} frame", source, given=True)
            image = await keep(await load(named, allow_loopback=session.simulated), session.media, limits=self._limits)
            found = Frame(self.position, replace(image, source=image.source or said))
        except RefVideoError as error:
            problem = one_line(error)
        except Exception as error:  # noqa: BLE001 - nobody else would tell the person who waits for it
            problem = f"{self.position} frame cannot be read: {type(error).__name__}: {one_line(error, limit=160)}"
        # Not on the engine's loop, which must not wait for whoever holds the form.
        await asyncio.to_thread(self._arrived, said, found, problem)

    def _arrived(self, said: str, found: Frame | None, problem: str) -> None:
        if said != self.said:
            return  # something else was typed meanwhile
        self.frame, self.problem, self.busy = found, problem, False
        self._said.value = messages_html([problem] if problem else [])
        self._changed()
