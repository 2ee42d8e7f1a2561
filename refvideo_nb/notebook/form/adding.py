"""Adding a reference: by address, path or variable, or from the computer on which the browser runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from refvideo_nb.display.form import messages_html
from refvideo_nb.errors import BadReferenceError
from refvideo_nb.notebook.form.fields import labelled
from refvideo_nb.notebook.form.sources import offered
from refvideo_nb.notebook.jobcard import button

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refvideo_nb.notebook.form.strip import Strip
    from refvideo_nb.notebook.form.turns import Turns

__all__ = ["Adding"]

_UPLOADS = (
    "An upload of more than about 10 MB is dropped without a word on its way (the notebook server's websocket): "
    "give larger files by path or address"
)


class Adding:
    """The row below the references.

    Parameters
    ----------
    strip : Strip
        Where they are added.
    turns : Turns
        The form's.

    Attributes
    ----------
    box : ipywidgets.VBox
        What is displayed.
    """

    def __init__(self, strip: Strip, turns: Turns) -> None:
        self._strip = strip
        self._source = labelled(
            ipywidgets.Combobox, "Reference", placeholder="https address, path or variable", flex="1 1 200px"
        )
        self._name = labelled(ipywidgets.Text, "Called", placeholder="as its file", flex="0 1 130px")
        self._upload = ipywidgets.FileUpload(
            description="Upload",
            multiple=True,
            accept="image/*,video/mp4,audio/*",
            tooltip=_UPLOADS,
            layout={"width": "auto"},
        )
        add = button("Add", turns.handler(self._add, strip.tell), tip="Add this reference")
        # The keyboard's Enter is as good as the button.
        entered = turns.handler(self._add, strip.tell)
        for field in (self._source, self._name):
            field.on_msg(lambda _, content, __: entered() if content.get("event") == "submit" else None)
        uploaded = turns.handler(self._uploaded, strip.tell)
        self._upload.observe(lambda change: uploaded(change["new"]), "value")
        row = ipywidgets.HBox(
            [self._source, self._name, add, self._upload],
            layout=ipywidgets.Layout(flex_flow="row wrap", align_items="flex-end", grid_gap="4px 8px"),
        )
        self.box = ipywidgets.VBox([row, ipywidgets.HTML(messages_html([], [_UPLOADS]))])

    def offer(self, namespace: Mapping[str, Any]) -> None:
        """Offer the notebook's pictures and those of its folder, for choosing instead of typing."""
        found = offered(namespace)
        if found != self._source.options:
            self._source.options = found

    def _add(self) -> None:
        self._strip.touched()
        text = self._source.value.strip()
        if not text:
            raise BadReferenceError(
                "no reference is given: type an https address, a path or the name of a variable", field="references"
            )
        self._strip.take(text, name=self._name.value.strip() or None)
        self._source.value = self._name.value = ""

    def _uploaded(self, files: Any) -> None:
        if not files:
            return
        self._strip.touched()
        for file in files:
            # Read while the message is here: the front end's memory goes with the next upload.
            self._strip.take(bytes(file["content"]), label=str(file["name"]))
        self._upload.value = ()
