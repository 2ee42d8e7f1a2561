"""The settings of the form: each narrowed to what the chosen model takes."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import ipywidgets

from refvideo_nb.core.choices import Selection, choices, narrow
from refvideo_nb.display.form import messages_html
from refvideo_nb.engine.wish import provider_options, whole_number
from refvideo_nb.errors import RefVideoError
from refvideo_nb.notebook.form.fields import Field, labelled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from refvideo_nb.core.catalogue import Model
    from refvideo_nb.core.choices import Choices
    from refvideo_nb.errors import InvalidRequestError

__all__ = ["PAIRS", "SettingFields"]

PAIRS = {"grid_template_columns": "repeat(auto-fit, minmax(150px, 1fr))", "grid_gap": "2px 12px", "overflow": "visible"}
_SOUND = (("with sound", True), ("silent", False))


class SettingFields:
    """Duration, resolution, aspect ratio, size, seed, sound, provider options and the limit on cost.

    Parameters
    ----------
    changed : callable
        Called without arguments when a person changed one of them.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self.fields = {
            "duration": Field("Duration", example="seconds", changed=changed),
            "resolution": Field("Resolution", example="such as 720p", changed=changed),
            "aspect_ratio": Field("Aspect ratio", example="such as 16:9", changed=changed),
            "size": Field("Size", example="such as 1280x720", changed=changed),
            "seed": Field("Seed", example="a new one each time", changed=changed),
            "generate_audio": Field("Audio", offered=_SOUND, changed=changed),
            "max_cost": Field("Max cost", example="USD, such as 0.50", changed=changed),
        }
        self._provider = labelled(ipywidgets.Textarea, "Provider options", rows=2, continuous_update=False)
        self._provider.observe(lambda _: changed(), "value")
        self._provider_said = ipywidgets.HTML()
        grid = ipywidgets.GridBox([f.box for f in self.fields.values()], layout=ipywidgets.Layout(**PAIRS))
        self.box = ipywidgets.VBox([grid, self._provider, self._provider_said])

    def values(self) -> dict[str, Any]:
        """What was chosen, by the names of `generate`'s arguments; without the provider's options."""
        return {name: field.value for name, field in self.fields.items()}

    def provider(self) -> dict[str, dict[str, Any]] | None:
        """The provider's options.

        Raises
        ------
        InvalidRequestError
            For a line that is none.
        """
        return provider_options(self._provider.value.splitlines())

    def put(self, values: Mapping[str, Any]) -> None:
        """Choose these; what is not named stays."""
        for name, value in values.items():
            if name == "provider":
                self._provider.value = value if isinstance(value, str) else "\n".join(provider_lines(value or {}))
            else:
                shown = f"{value[0]}x{value[1]}" if name == "size" and isinstance(value, list | tuple) else value
                self.fields[name].put(shown)

    def narrow(self, model: Model, *, with_references: bool, simulated: bool) -> tuple[str, ...]:
        """Offer what a model takes, keep what still fits, and say what did not."""
        offered = choices(model, with_references=with_references)
        before, texts = self._selection(), self.values()
        narrowed = narrow(before, model, with_references=with_references, simulated=simulated)
        self._offer(offered)
        left = narrowed.selection
        for name in ("duration", "resolution", "aspect_ratio", "seed", "generate_audio"):
            if getattr(left, name) != getattr(before, name) or self.fields[name].value is None:
                self.fields[name].put(getattr(left, name))
        if left.size != before.size:
            self.put({"size": left.size})
        if left.provider != before.provider:
            self.put({"provider": left.provider})
        keys = ", ".join(offered.provider)
        self._provider.disabled = not (offered.provider or self._provider.value or simulated)
        self._provider.tooltip = f"Allowed keys: {keys}" if keys else "This model passes no options through"
        self._provider.placeholder = f"SLUG.KEY=VALUE a line\nkeys: {keys}" if keys else "this model takes none"
        # What was typed freely, and is no value at all, has no place in a list either.
        lost = [n for n, f in self.fields.items() if texts[n] and f.value is None and getattr(before, n, "") is None]
        return (*narrowed.notes, *(f"{n.replace('_', ' ')} {texts[n]!r} is not offered (taken out)" for n in lost))

    def _offer(self, offered: Choices) -> None:
        why = offered.why
        plain: tuple[tuple[str, Sequence[Any] | None, str], ...] = (
            ("duration", offered.durations, "durations"),
            ("resolution", offered.resolutions, "resolutions"),
            ("aspect_ratio", offered.aspect_ratios, "aspect_ratios"),
        )
        for name, values, reason in plain:
            unit = " s" if name == "duration" else ""
            pairs = None if values is None else [(f"{v}{unit}", v) for v in values]
            self.fields[name].offer(pairs, why=why.get(reason, ""))
        sizes = None if offered.sizes is None else [(f"{w}×{h}", f"{w}x{h}") for w, h in offered.sizes]
        self.fields["size"].offer(sizes, why=why.get("sizes", "Pixels, instead of resolution and aspect ratio"))
        if offered.seed is False:
            self.fields["seed"].offer([], why=why.get("seed", ""))
        else:
            self.fields["seed"].offer(None)
        self.fields["generate_audio"].offer([] if offered.audio is False else _SOUND, why=why.get("audio", ""))

    def _selection(self) -> Selection:
        """The choice as far as it can be read; what cannot is complained of elsewhere."""
        field = self.fields
        size = str(field["size"].value or "").lower().replace("×", "x").partition("x")
        try:
            provider = self.provider() or {}
        except RefVideoError:
            provider = {}
        return Selection(
            duration=_number(field["duration"].value),
            resolution=field["resolution"].value,
            aspect_ratio=field["aspect_ratio"].value,
            size=(int(size[0]), int(size[2])) if size[0].isdecimal() and size[2].isdecimal() else None,
            seed=_number(field["seed"].value),
            generate_audio=field["generate_audio"].value,
            provider=provider,
        )

    def say(self, problems: Sequence[InvalidRequestError]) -> None:
        """Each problem beside the field that it is about."""
        said: defaultdict[str, list[str]] = defaultdict(list)
        for problem in problems:
            said[problem.field or ""].append(str(problem))
        for name, field in self.fields.items():
            field.say(said[name])
        self._provider_said.value = messages_html(said["provider"])


def provider_lines(provider: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Provider options as the magic and the form write them."""
    return [f"{slug}.{key}={json.dumps(value)}" for slug, options in provider.items() for key, value in options.items()]


def _number(value: Any) -> int | None:
    try:
        return whole_number("value", value)
    except RefVideoError:
        return None
