"""A form in a person's hands: fields and buttons by what is written on them, and what can be read."""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
from PIL import Image

from refvideo_nb.notebook import current
from refvideo_nb.notebook.api import form as make_form
from refvideo_nb.notebook.copying import CopyButton
from refvideo_nb.notebook.form import Form
from refvideo_nb.simulator import Simulator

PATIENCE = 30  # seconds
# USD 0.05
CHEAP = {"model": "x-ai/grok-imagine-video", "duration": 1, "resolution": "480p", "aspect_ratio": "1:1"}
_changes = threading.Condition()


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(seconds=0.1) as made:
        yield made


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("form") / "home"


@pytest.fixture
def environment(
    simulator: Simulator, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[pytest.MonkeyPatch]:
    """A session of its own, at a simulator that wants a key."""
    monkeypatch.setattr(current, "_sessions", {})
    for name in ("REFVIDEO_SESSION_BUDGET", "REFVIDEO_CONFIRM_ABOVE", "REFVIDEO_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "OPENROUTER_API_KEY": simulator.api_key,
        "OPENROUTER_BASE_URL": simulator.base_url,
        "REFVIDEO_HOME": str(home),
        "REFVIDEO_POLL_INTERVAL": "0.05",
        "REFVIDEO_SIMULATOR_SECONDS": "0.1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    told = ipywidgets.Widget.notify_change

    def notify_change(self: Any, change: Any) -> None:
        told(self, change)
        with _changes:
            _changes.notify_all()

    # Whatever happens in a form is seen in one of its widgets, whichever thread it comes from.
    monkeypatch.setattr(ipywidgets.Widget, "notify_change", notify_change)
    yield monkeypatch
    for session in list(current._sessions.values()):
        session.close()


class Hands:
    """A form, its variables, and a person."""

    def __init__(self, form: Form) -> None:
        self.form = form

    def widgets(self) -> Iterator[Any]:
        """Everything on the page, in the order in which it stands there."""

        def walk(widget: Any) -> Iterator[Any]:
            if widget.layout is not None and getattr(widget.layout, "display", None) == "none":
                return
            yield widget
            for child in getattr(widget, "children", ()):
                yield from walk(child)

        return walk(self.form.widget)

    def field(self, label: str, nth: int = 0) -> Any:
        found = [w for w in self.widgets() if getattr(w, "description", None) == label]
        assert len(found) > nth, f"no {label!r} on the page"
        return found[nth]

    def fill(self, label: str, value: Any, nth: int = 0) -> None:
        self.field(label, nth).value = value

    def click(self, label: str, nth: int = 0) -> None:
        button = self.field(label, nth)
        assert isinstance(button, ipywidgets.Button)
        if not button.disabled:  # as in a browser
            button.click()

    def says(self, *texts: str) -> bool:
        return all(t in self.text for t in texts)

    @property
    def text(self) -> str:
        """All that can be read, without its markup."""
        html = " ".join(str(w.value) for w in self.widgets() if isinstance(w, ipywidgets.HTML))
        return " ".join(re.sub(r"<[^>]*>", " ", html).replace("&#39;", "'").replace("&gt;", ">").split())

    def beside(self, label: str) -> str:
        """What is said right below a field."""
        holder = next(w for w in self.widgets() if self.field(label) in getattr(w, "children", ()))
        said = holder.children[holder.children.index(self.field(label)) + 1]
        return " ".join(re.sub(r"<[^>]*>", " ", said.value).replace("&#39;", "'").split())

    @property
    def names(self) -> list[str]:
        """Of the references, in their order."""
        return [i.reference.name for i in self.form._strip.items]

    def request(self, kind: str) -> str:
        """The text behind `See the request`."""
        if not self.field_is_there("Hide the request"):
            self.fill("See the request", True)
        next(w for w in self.widgets() if isinstance(w, ipywidgets.ToggleButtons)).value = kind
        return str(next(w for w in self.widgets() if isinstance(w, CopyButton)).text)

    def field_is_there(self, label: str) -> bool:
        return any(getattr(w, "description", None) == label for w in self.widgets())

    def until(self, fits: Callable[[], object], what: str = "it") -> None:
        """Wait until it fits, looking after each change of any widget."""
        end = time.monotonic() + PATIENCE
        with _changes:
            while not fits():
                left = end - time.monotonic()
                assert left > 0, f"{what} did not come; the form says: {self.text}"
                _changes.wait(min(left, 0.2))  # some things are no widget's

    def settled(self) -> None:
        """Wait until nothing is being read any more."""
        self.until(lambda: not self.field("Generate").disabled, "the end of reading")

    def job_ended(self) -> None:
        assert self.form.job is not None
        self.form.job.wait(PATIENCE)
        self.until(lambda: self.field_is_there("Show"), "the card of the ended job")


@pytest.fixture
def namespace() -> dict[str, Any]:
    """The notebook's variables."""
    return {}


@pytest.fixture
def opened(environment: pytest.MonkeyPatch, namespace: dict[str, Any]) -> Callable[..., Hands]:
    """``opened(**defaults)``: a form, as a cell makes it."""
    environment.setattr("refvideo_nb.notebook.form.form._namespace", lambda: namespace)

    def open_(prompt: str = "", **given: Any) -> Hands:
        hands = Hands(make_form(prompt, **given))
        hands.settled()
        return hands

    return open_


def png(colour: str = "red", size: tuple[int, int] = (320, 240)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()
