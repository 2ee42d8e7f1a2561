"""The player widget: what it shows is set here, how it plays stands in the JavaScript beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from refvideo_nb.notebook.player.source import script, style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Player"]

_PART = 4_000_000  # bytes of one message: the page stays at hand meanwhile


class Player(anywidget.AnyWidget):
    """Videos and references on one clock.

    Neither a video nor a picture is part of the widget's state, and so of no notebook: the
    page fetches a file from the Jupyter server where that offers it, and else asks for its
    bytes here, once.

    Parameters
    ----------
    facts : mapping
        What `refvideo_nb.display.sides.player_facts` makes.
    files : sequence of pathlib.Path
        The videos.
    pictures : sequence of bytes or None
        The references, encoded, or None where there is nothing to show.
    time : float
        Seconds to begin at.

    Attributes
    ----------
    words : dict
        The texts around the videos.
    references, videos : list of dict
        What is shown of each.
    time : float
        Seconds. It follows the page about four times a second, and setting it seeks there.
    instead : str
        A class: elements of it are hidden for as long as the player is on their page.
    """

    _esm = script()
    _css = style()

    words = traitlets.Dict().tag(sync=True)
    references = traitlets.List(traitlets.Dict()).tag(sync=True)
    videos = traitlets.List(traitlets.Dict()).tag(sync=True)
    time = traitlets.Float(0.0, min=0.0).tag(sync=True)
    instead = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        facts: Mapping[str, Any],
        *,
        files: Sequence[Path],
        pictures: Sequence[bytes | None] = (),
        time: float = 0.0,
    ) -> None:
        self._files: list[Any] = list(files)
        self._pictures: list[Any] = list(pictures)
        words = {key: value for key, value in facts.items() if key not in {"references", "videos"}}
        videos = [{**video, "file": _place(file)} for video, file in zip(facts["videos"], files, strict=True)]
        super().__init__(words=words, references=list(facts["references"]), videos=videos, time=time)
        self.on_msg(self._heard)

    def _heard(self, _: Any, content: Any, __: Any) -> None:
        """The page asks for the bytes of a video or of a reference."""
        kind, index = (content.get(k) for k in ("ask", "index")) if isinstance(content, dict) else (None, None)
        held: list[Any] = self._files if kind == "video" else self._pictures if kind == "reference" else []
        if type(index) is not int or not 0 <= index < len(held):
            return
        answer = {"kind": kind, "index": index}
        try:
            data = held[index].read_bytes() if kind == "video" else held[index]
        except OSError:
            data = None
        if not data:
            self.send({**answer, "problem": "the file is gone" if kind == "video" else "no picture"})
            return
        media_type = "video/mp4" if kind == "video" else "image/jpeg"
        parts = [data[at : at + _PART] for at in range(0, len(data), _PART)]
        for part, piece in enumerate(parts):
            self.send({**answer, "part": part, "parts": len(parts), "type": media_type}, buffers=[piece])


def _place(file: Path) -> dict[str, str]:
    """Where a file is, as far as the page has to know to find it on its server; a home folder is not told."""
    path = file.absolute()
    home = Path.home()
    shown = f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else path.as_posix()
    here = Path.cwd()
    return {"path": shown} | ({"beside": path.relative_to(here).as_posix()} if path.is_relative_to(here) else {})
