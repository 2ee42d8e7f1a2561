"""A look at the form as it is now: everything that is wrong with it, and what would be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.catalogue import Model
from refvideo_nb.core.checks import FRAMES_OR_REFERENCES, find_model
from refvideo_nb.engine.draft import Draft, review
from refvideo_nb.engine.wish import Wish
from refvideo_nb.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from refvideo_nb.notebook.form.frames import FrameField
    from refvideo_nb.notebook.form.settings import SettingFields
    from refvideo_nb.notebook.form.strip import Strip

__all__ = ["Look", "look"]


class Look(msgspec.Struct):
    """What was found.

    Attributes
    ----------
    problems : list of InvalidRequestError
        Each with the field that it is about.
    model : Model or None
        The one that is chosen, if there is such a one.
    draft : Draft or None
        What would be sent, as far as it can be said.
    whole : bool
        Whether the draft says all that was asked for; a setting that cannot even be read is missing in it.
    waiting : tuple of str
        What is still being read.
    """

    problems: list[InvalidRequestError] = msgspec.field(default_factory=list)
    model: Model | None = None
    draft: Draft | None = None
    whole: bool = True
    waiting: tuple[str, ...] = ()

    @property
    def sendable(self) -> Draft | None:
        """What may be sent as it is; None where something stands in its way."""
        return None if self.problems or self.waiting else self.draft

    @property
    def notes(self) -> list[str]:
        """What is worth knowing, and is not said beside a field already."""
        if self.draft is None:
            return []
        beside = {*self.draft.hints, *(f"reference {r.name}: {r.note}" for r in self.draft.request.references)}
        return [n for n in self.draft.notes if n not in beside]

    def of(self, name: str) -> list[str]:
        """The problems of one field."""
        return [str(p) for p in self.problems if p.field == name]

    def add(self, problems: Iterable[InvalidRequestError]) -> None:
        """More problems; those that are known already are not said twice."""
        known = {str(p) for p in self.problems}
        self.problems += [p for p in problems if str(p) not in known]


def look(
    model_id: str,
    models: Iterable[Model],
    *,
    prompt: str,
    settings: SettingFields,
    strip: Strip,
    frames: Sequence[FrameField],
    simulated: bool,
) -> Look:
    """Look at the parts of the form; reads no file, asks nobody, and changes nothing.

    Parameters
    ----------
    model_id : str
    models : iterable of Model
    prompt : str
    settings, strip, frames
        The parts.
    simulated : bool
        Whether the simulator will answer.
    """
    said = [f for f in frames if f.said]
    found = Look(waiting=(*strip.busy, *(f.said for f in said if f.busy)))
    try:
        found.model = find_model(model_id, models)
    except InvalidRequestError as error:
        found.problems.append(error)
        return found
    wish = Wish(prompt=prompt, model=model_id, **settings.values())
    try:
        wish = msgspec.structs.replace(wish, provider=settings.provider())
    except InvalidRequestError as error:
        found.problems.append(error)
        found.whole = False
    images = [f.frame for f in frames if f.frame is not None]
    while found.draft is None:
        reviewed = review(wish, found.model, references=strip.references, frames=images, simulated=simulated)
        found.add(reviewed.problems)
        found.draft = reviewed.draft
        if found.draft is None:
            found.whole = False
            (problem,) = reviewed.problems
            if problem.field not in settings.fields:
                break  # without its prompt there is nothing to look at
            # A value that cannot be read hides nothing of what is wrong with the others.
            unsaid: dict[str, Any] = {problem.field: None}
            wish = msgspec.structs.replace(wish, **unsaid)
    if strip.references and said:
        found.add([InvalidRequestError(FRAMES_OR_REFERENCES, field="frames")])
    found.add(InvalidRequestError(p, field="references") for p in strip.problems)
    found.add(InvalidRequestError(f.problem, field="frames", value=f.position) for f in said if f.problem)
    return found
