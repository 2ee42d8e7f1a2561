"""The form itself: its parts on the page, and what happens between them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ipywidgets
from IPython.display import display

from refvideo_nb.core.catalogue import Model
from refvideo_nb.core.choices import choices
from refvideo_nb.core.pricing import usd
from refvideo_nb.display.asked import Given
from refvideo_nb.display.form import head_html, heading_html, messages_html
from refvideo_nb.errors import one_line
from refvideo_nb.notebook.alive import show_alive
from refvideo_nb.notebook.current import current_session
from refvideo_nb.notebook.environment import Place, current_shell, place
from refvideo_nb.notebook.form.adding import Adding
from refvideo_nb.notebook.form.before import Before
from refvideo_nb.notebook.form.frames import FrameField
from refvideo_nb.notebook.form.look import Look, look
from refvideo_nb.notebook.form.model import ModelField
from refvideo_nb.notebook.form.prompt import PromptField
from refvideo_nb.notebook.form.sending import Sending
from refvideo_nb.notebook.form.settings import PAIRS, SettingFields
from refvideo_nb.notebook.form.start import named, usable_roles, usable_settings
from refvideo_nb.notebook.form.strip import Strip
from refvideo_nb.notebook.form.texts import texts
from refvideo_nb.notebook.form.turns import Turns
from refvideo_nb.notebook.jobcard import guarded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.core.request import VideoRequest
    from refvideo_nb.display.source import Source
    from refvideo_nb.engine.draft import Draft
    from refvideo_nb.notebook.job import Job
    from refvideo_nb.notebook.session import Session

__all__ = ["Form"]


class Form:
    """Choose, see, check, pay, watch; made by :func:`refvideo_nb.form`.

    Parameters
    ----------
    defaults : mapping
        The arguments of `generate` to start from.
    confirm_above : float or str, optional
        USD; what is estimated above it, or cannot be, is asked once more.

    Attributes
    ----------
    widget : ipywidgets.VBox
        What is displayed.
    """

    def __init__(self, defaults: Mapping[str, Any], *, confirm_above: Any = None) -> None:
        self._session = current_session()
        # Kept, and not asked for at every look: that could wait for the network, on a thread that must not.
        self._catalogue = self._session.catalogue()
        self._look: Look | None = None
        self._fitted_for = self._session
        self._taken_out: list[str] = []
        self._narrowed: tuple[Model, bool, Session] | None = None
        turns = self._turns = Turns(lambda: guarded(self._refresh, self._tell))
        parts: dict[str, Any] = {"session": lambda: self._session, "namespace": _namespace, "turns": turns}
        self._head = ipywidgets.HTML()
        self._model = ModelField(turns, self._tell)
        self._strip = Strip(**parts)
        self._adding = Adding(self._strip, turns)
        self._prompt = PromptField(turns, self._tell)
        self._settings = SettingFields(turns.changed)
        self._frames = (FrameField("first", **parts), FrameField("last", **parts))
        self._before = Before(self._texts, turns, self._tell)
        self._sending = Sending(ready=self._ready, load=self._load, confirm_above=confirm_above, turns=turns)
        self.widget = self._laid_out()
        with turns:
            self._start_from(dict(defaults))
            turns.changed()

    def _laid_out(self) -> Any:
        frames = ipywidgets.GridBox([f.box for f in self._frames], layout=ipywidgets.Layout(**PAIRS))
        left = _column("3 1 380px", _heading("References"), self._strip.box, self._adding.box, self._prompt.box)
        right = _column("2 1 300px", _heading("Settings"), self._settings.box, frames)
        columns = ipywidgets.HBox(
            [left, right], layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="8px 36px", margin="6px 0 0 0")
        )
        box = ipywidgets.VBox(
            [self._head, self._model.box, columns, _heading("Before paying"), self._before.box, self._sending.box],
            layout=ipywidgets.Layout(max_width="1040px", grid_gap="4px"),
        )
        box.add_class("refvideo-form")
        return box

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs that this form made, newest first."""
        return tuple(self._sending.jobs)

    @property
    def job(self) -> Job | None:
        """The newest of them."""
        return next(iter(self._sending.jobs), None)

    # --- what it starts from -------------------------------------------------------------------------------

    def _start_from(self, given: dict[str, Any]) -> None:
        """Whatever cannot be used is told in the form, and the rest is taken."""
        tell = self._strip.tell
        self._model.offer(self._catalogue.models)
        self._model.value = str(given.pop("model"))
        self._prompt.value = str(given.pop("prompt") or "")
        roles, problems = usable_roles(given.pop("roles"))
        self._strip.cast(roles)
        references, frames = given.pop("references"), given.pop("frames") or {}
        take = self._turns.handler(lambda name, source: self._strip.take(source, name=name), tell)
        guarded(lambda: [take(name, source) for name, source in named(references)], tell)
        for frame in self._frames:
            if frame.position in frames:
                frame.put(frames[frame.position])
        for problem in problems:
            tell(problem)
        self._settings.put(usable_settings(given, Model(id=self._model.value)))

    def load(self, record: JobRecord) -> None:
        """Put the request of an earlier job into the form.

        Parameters
        ----------
        record : JobRecord
        """
        self._turns.handler(self._load, self._tell)(record)

    def _load(self, record: JobRecord) -> None:
        gone = self._fill(record.request)
        self._turns.changed()
        if gone:
            self._strip.tell(f"the bytes of {', '.join(gone)} are gone from the media store: add them again")
        if record.request.previous_job_id is not None:
            self._strip.tell(f"{record.id} extended another job, which a form does not: %%refvideo --extend does")

    def _fill(self, request: VideoRequest) -> list[str]:
        """Put a request into the fields; the names of references whose bytes are gone."""
        media = self._session.media
        gone = self._strip.restore(request.references)
        for frame in self._frames:
            image = next((f.image for f in request.frames if f.position == frame.position), None)
            frame.put("" if image is None else image.url or str(media.path(image.sha256, image.media_type)))
        self._prompt.value = request.prompt
        self._model.value = request.model
        # First of all what may be chosen, then the choice.
        self._narrow()
        values = {n: getattr(request, n) for n in self._settings.fields if hasattr(request, n)}
        self._settings.put({**values, "provider": request.provider})
        return gone

    # --- looking -------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Look at everything anew: what is wrong, what it costs, what would be sent."""
        self._turns.changed()

    def _refresh(self) -> None:
        self._adding.offer(_namespace())
        session = self._session
        self._head.value = head_html(simulated=session.simulated, address=session.address, note=self._catalogue.note)
        self._narrow()
        found = self._look = look(
            self._model.value,
            self._catalogue.models,
            prompt=self._prompt.value,
            settings=self._settings,
            strip=self._strip,
            frames=self._frames,
            simulated=session.simulated,
        )
        self._say(found)
        self._sending.looked_at(session, found)

    def _narrow(self) -> None:
        """Narrow every field to what the model takes, where that is not what it was narrowed to."""
        session, with_references = self._session, bool(self._strip.items)
        model = next((m for m in self._catalogue.models if m.id == self._model.value), None)
        if model is None or (model, with_references, session) == self._narrowed:
            return
        # Another session has its own media store, and may refuse an address that the one before took.
        moved, self._fitted_for = self._fitted_for is not session, session
        before, self._narrowed = self._narrowed, (model, with_references, session)
        if before is None or before[0] != model:
            self._taken_out.clear()
        limits = model.references.images
        self._strip.fit(limits, anew=moved)
        for frame in self._frames:
            frame.fit(limits, anew=moved)
        self._taken_out += self._settings.narrow(model, with_references=with_references, simulated=session.simulated)
        self._model.show(model, self._taken_out)

    def _say(self, found: Look) -> None:
        """Each problem beside the field that it is about; the others, and how many there are, below."""
        draft, prompt = found.draft, self._prompt.value
        if found.model is None:
            self._model.say(found.of("model"))
            self._narrowed = None  # its facts are shown again when it is chosen again
        self._strip.say(found.of("references"))
        # An empty prompt is how everybody begins: it is told below, not shouted beside the field.
        begun = bool(prompt.strip())
        self._prompt.say(found.of("prompt") if begun else [], draft.hints if draft and begun else [])
        self._model.references = len(self._strip.items)
        self._prompt.offer([item.reference.name for item in self._strip.items])
        self._settings.say(found.problems)
        offered = choices(found.model, with_references=bool(self._strip.items)) if found.model else None
        for frame in self._frames:
            frame.say(found.problems, offered)
        placed = {"model", "references", "frames", "provider", *self._settings.fields, *(["prompt"] if begun else [])}
        rest = [str(p) for p in found.problems if p.field not in placed]
        if beside := len(found.problems) - len(rest):
            rest.append(f"{beside} {'thing' if beside == 1 else 'things'} to mend above")
        notes = [f"reading {one_line(w, limit=60)}: Generate waits for it" for w in found.waiting]
        self._before.say(
            draft.prices if draft else None,
            simulated=self._session.simulated,
            left=self._budget_left(),
            problems=rest,
            notes=[*notes, *found.notes],
        )

    def _budget_left(self) -> str:
        session = self._session
        if session.budget is None:
            return ""
        return f"{usd(max(session.budget - session.spent(), Decimal(0)))} left of the session's {usd(session.budget)}"

    def _texts(self) -> dict[str, Source]:
        """The request in all its forms, as far as it can be written."""
        if self._look is None or self._look.draft is None or not self._look.whole:
            return {}
        namespace = _namespace()
        return texts(
            self._look.draft,
            references=[Given(i.reference.name, i.said.source, i.said.variable) for i in self._strip.items],
            frames=[Given(f.position, f.said, f.said in namespace) for f in self._frames if f.said],
            max_cost=self._settings.fields["max_cost"].value,
            fresh=self._sending.fresh,
        )

    # --- sending -------------------------------------------------------------------------------------------

    def _ready(self) -> tuple[Session, Draft | None, bool]:
        """The session of the environment as it is now, what may be sent, and whether the form showed another one."""
        if (shell := current_shell()) is not None and (magics := shell.meta.get("refvideo_nb")) is not None:
            magics._limit()  # noqa: SLF001 - what %config allows to be spent counts here too
        session = current_session()
        moved = session is not self._session
        if moved:
            # A key was set, or taken away, since the form was drawn.
            self._session, self._catalogue = session, session.catalogue()
            self._model.offer(self._catalogue.models)
        self._refresh()
        return session, self._look.sendable if self._look else None, moved

    def _tell(self, problem: str) -> None:
        self._sending.tell(problem)

    def _ipython_display_(self) -> None:
        if (where := place(current_shell())) in {Place.SCRIPT, Place.TERMINAL}:
            print("the form needs a notebook: refvideo_nb.generate(…) does the same without one")  # noqa: T201 - to whoever asked for it
            return
        text = "The form of refvideo_nb needs its kernel: run this cell. What it made stands below."
        still = {"text/plain": text, "text/html": messages_html([], [text])}
        if where is Place.HEADLESS:  # nobody is there to fill it in
            display(still, raw=True)  # type: ignore[no-untyped-call]
            return
        show_alive(self.widget, still, hides=self._sending.page)
        self._sending.make_place()

    def close(self) -> None:
        """Take the form off the page; its jobs go on."""
        self.widget.close()


def _heading(text: str) -> Any:
    return ipywidgets.HTML(heading_html(text))


def _column(flex: str, *parts: Any) -> Any:
    layout = ipywidgets.Layout(flex=flex, flex_flow="column", min_width="0", grid_gap="4px", overflow="visible")
    return ipywidgets.VBox(parts, layout=layout)


def _namespace() -> Mapping[str, Any]:
    shell = current_shell()
    return shell.user_ns if shell is not None else {}
