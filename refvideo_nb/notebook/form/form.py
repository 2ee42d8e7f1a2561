"""The form itself: its parts on the page, and what happens between them."""

from __future__ import annotations

import threading
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets
from IPython.display import display

from refvideo_nb.client.wire import payload
from refvideo_nb.core.checks import FRAMES_OR_REFERENCES, find_model
from refvideo_nb.core.pricing import usd
from refvideo_nb.core.roles import Role
from refvideo_nb.display import source, words
from refvideo_nb.display.form import head_html, heading_html, messages_html, model_html
from refvideo_nb.engine.draft import review
from refvideo_nb.engine.wish import Wish
from refvideo_nb.errors import InvalidRequestError, one_line
from refvideo_nb.notebook.current import current_session
from refvideo_nb.notebook.environment import Place, current_shell, place
from refvideo_nb.notebook.form.before import Before
from refvideo_nb.notebook.form.fields import LABELS
from refvideo_nb.notebook.form.frames import FrameField
from refvideo_nb.notebook.form.sending import Sending
from refvideo_nb.notebook.form.settings import SettingFields
from refvideo_nb.notebook.form.strip import Strip
from refvideo_nb.notebook.jobcard import button, guarded
from refvideo_nb.notebook.progress import view_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refvideo_nb.core.catalogue import Model
    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.core.request import VideoRequest
    from refvideo_nb.engine.draft import Draft, Review
    from refvideo_nb.notebook.job import Job
    from refvideo_nb.notebook.session import Session

__all__ = ["Form"]

_ROLES = {role.value: role.meaning for role in Role}
_COLUMN = {"flex_flow": "column", "grid_gap": "4px", "min_width": "0"}


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
        self._lock = threading.RLock()
        self._review: Review | None = None
        self._narrowed: object = None
        self._drawn = False
        changed = self.refresh
        self._head = ipywidgets.HTML()
        self._model = ipywidgets.Combobox(
            description="Model", style=LABELS, layout={"flex": "1 1 280px", "max_width": "420px"}, ensure_option=False
        )
        self._model.continuous_update = False
        self._model.observe(lambda _: self.refresh(), "value")
        self._model_said = ipywidgets.HTML()
        self._choosing = ipywidgets.VBox()
        self._choose = button(
            "Compare models", self._toggle_models, tip="A table of all models, by need, cost and quality"
        )
        self._strip = Strip(session=self._at, namespace=_namespace, changed=changed, roles=_ROLES, lock=self._lock)
        self._prompt = ipywidgets.Textarea(
            description="Prompt",
            placeholder="What the clip shows. @name stands for a reference",
            rows=5,
            style=LABELS,
            layout={"width": "auto"},
        )
        self._prompt.observe(lambda _: self.refresh(), "value")
        self._names = ipywidgets.HBox(
            layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="4px", margin="0 0 0 96px")
        )
        self._prompt_said = ipywidgets.HTML()
        self._settings = SettingFields(changed)
        parts: dict[str, Any] = {"session": self._at, "namespace": _namespace, "changed": changed}
        self._frames = (FrameField("first", **parts), FrameField("last", **parts))
        self._before = Before(self._texts)
        self._sending = Sending(
            current=self._current, ready=self._ready, load=self.load, confirm_above=confirm_above, lock=self._lock
        )
        for copy in self._before.copy.values():
            copy.observe(lambda change: self._sending.seen_on(change["new"]), "page")
        self.widget = self._laid_out()
        self._start_from(defaults)

    def _laid_out(self) -> Any:
        column = partial(ipywidgets.VBox, layout=ipywidgets.Layout(flex="1 1 400px", **_COLUMN))
        model = ipywidgets.HBox(
            [self._model, self._choose], layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="6px")
        )

        def heading(text: str) -> Any:
            return ipywidgets.HTML(heading_html(text))

        left = column(
            [
                *(heading("Model"), model, self._model_said, self._choosing),
                *(heading("References"), self._strip.box),
                *(heading("Prompt"), self._prompt, self._names, self._prompt_said),
            ]
        )
        right = column([heading("Settings"), self._settings.box, *(f.box for f in self._frames)])
        columns = ipywidgets.HBox([left, right], layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="8px 32px"))
        return ipywidgets.VBox(
            [self._head, columns, heading("Before paying"), self._before.box, self._sending.box],
            layout=ipywidgets.Layout(max_width="1080px", grid_gap="2px"),
        )

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs that this form made, newest first."""
        return tuple(self._sending.jobs)

    @property
    def job(self) -> Job | None:
        """The newest of them."""
        return next(iter(self._sending.jobs), None)

    # --- what it starts from -------------------------------------------------------------------------------

    def _start_from(self, defaults: Mapping[str, Any]) -> None:
        given = dict(defaults)
        self._model.options = tuple(m.id for m in self._catalogue.models)
        self._model.value = str(given.pop("model"))
        self._prompt.value = str(given.pop("prompt") or "")
        roles = given.pop("roles") or {}
        for name, each in _items(given.pop("references", None)):
            self._strip.take(each, name=name, role=roles.get(name, ""))
        for frame in self._frames:
            if given.get("frames", {}) and frame.position in given["frames"]:
                frame.put(str(given["frames"][frame.position]))
        given.pop("frames", None)
        self._settings.put(given)
        self._drawn = True
        self.refresh()

    def load(self, record: JobRecord) -> None:
        """Put the request of an earlier job into the form.

        Parameters
        ----------
        record : JobRecord
        """
        guarded(lambda: self._load(record), self._tell)

    def _load(self, record: JobRecord) -> None:
        self._drawn = False  # one look at the end, and not one for each field
        try:
            gone = self._fill(record.request)
        finally:
            self._drawn = True
        self._refresh()
        if gone:
            self._tell(f"the bytes of {', '.join(gone)} are gone from the media store: add them again")

    def _fill(self, request: VideoRequest) -> list[str]:
        """Put a request into the fields; the names of references whose bytes are gone."""
        gone = self._strip.restore(self._at(), request.references)
        for frame in self._frames:
            kept = next((f.image for f in request.frames if f.position == frame.position), None)
            frame.put("" if kept is None else kept.url or str(self._at().media.path(kept.sha256, kept.media_type)))
        self._prompt.value = request.prompt
        self._model.value = request.model
        values = {n: getattr(request, n) for n in self._settings.fields if hasattr(request, n)}
        self._settings.put({**values, "provider": request.provider})
        return gone

    # --- what is chosen ------------------------------------------------------------------------------------

    def _at(self) -> Session:
        return self._session

    def _wish(self, settings: Mapping[str, Any]) -> Wish:
        return Wish(prompt=self._prompt.value, model=self._model.value.strip(), **settings)

    def _model_now(self) -> Model:
        return find_model(self._model.value.strip(), self._catalogue.models)

    def _narrow(self) -> None:
        """Narrow everything to what the model takes, where that is another than before."""
        model = self._model_now()
        now = (model, bool(self._strip.items), self._session.simulated)
        if now == self._narrowed:
            return
        self._narrowed = now
        limits = model.references.images
        self._strip.fit(limits)
        for frame in self._frames:
            frame.fit(limits)
        notes = self._settings.narrow(model, with_references=now[1], simulated=now[2])
        self._model_said.value = _facts(model) + messages_html([], notes)

    def refresh(self) -> None:
        """Look at everything anew: what is wrong, what it costs, what would be sent."""
        guarded(self._refresh, self._tell)

    def _refresh(self) -> None:
        with self._lock:
            if not self._drawn:
                return  # the parts are still being made
            self._sending.withdraw()
            self._strip.offer()
            session = self._session
            self._head.value = head_html(
                simulated=session.simulated, address=session.settings.base_url, note=self._catalogue.note
            )
            problems = self._look(session)
            waiting = [*self._strip.busy, *(f.said for f in self._frames if f.busy)]
            self._sending.waiting = bool(waiting)
            draft = self._review.draft if self._review else None
            self._say(problems, draft, waiting)

    def _look(self, session: Session) -> list[InvalidRequestError]:
        """Every problem of the request as it is now."""
        self._review = None
        try:
            model = self._model_now()
            self._narrow()
            settings = self._settings.values()
        except InvalidRequestError as error:
            return [error]
        if self._strip.references and any(f.said for f in self._frames):
            extra = [InvalidRequestError(FRAMES_OR_REFERENCES, field="frames")]
        else:
            extra = []
        found = review(
            self._wish(settings),
            model,
            references=self._strip.references,
            frames=[f.frame for f in self._frames if f.frame is not None],
            simulated=session.simulated,
        )
        extra += [InvalidRequestError(p, field="references") for p in self._strip.problems]
        extra += [InvalidRequestError(f.problem, field="frames") for f in self._frames if f.problem]
        known = {str(p) for p in found.problems}
        found.problems.extend(p for p in extra if str(p) not in known)
        self._review = found
        return found.problems

    def _say(self, problems: list[InvalidRequestError], draft: Draft | None, waiting: list[str]) -> None:
        here = {k: [str(p) for p in problems if p.field == k] for k in ("prompt", "references", "model")}
        self._settings.say(problems)
        prompt = self._prompt.value
        spoken = draft.hints if draft and prompt.strip() else ()
        # An empty prompt is how everybody begins: it is told below, not shouted beside the field.
        shown = [p for p in here["prompt"] if prompt.strip()]
        self._prompt_said.value = messages_html(shown, spoken)
        self._strip.say(here["references"], [])
        with_references = bool(self._strip.items)
        for frame in self._frames:
            frame.allow(not with_references, FRAMES_OR_REFERENCES.partition(":")[0] if with_references else "")
        self._offer_names()
        if here["model"]:
            self._narrowed = None
            self._model_said.value = messages_html(here["model"])
        placed = {"prompt", "references", "model", *self._settings.fields, "provider"}
        rest = [str(p) for p in problems if p.field not in placed or (p.field == "prompt" and not prompt.strip())]
        waits = [f"reading {one_line(w, limit=60)}: Generate waits for it" for w in waiting]
        beside = len(problems) - len(rest)
        count = [f"{beside} {'thing' if beside == 1 else 'things'} to mend above" if beside else ""]
        notes = [n for n in draft.notes if n not in draft.hints] if draft else []
        self._before.say(
            draft.prices if draft else None,
            simulated=self._session.simulated,
            left=self._budget_left(),
            problems=[w for w in (*rest, *count) if w],
            notes=[*waits, *notes],
        )

    def _budget_left(self) -> str:
        session = self._session
        if session.budget is None:
            return ""
        return f"{usd(max(session.budget - session.spent(), Decimal(0)))} left of the session's {usd(session.budget)}"

    def _offer_names(self) -> None:
        names = [i.reference.name for i in self._strip.items]
        if [b.description for b in self._names.children] == [f"@{n}" for n in names]:
            return
        old = self._names.children
        self._names.children = [
            button(f"@{name}", partial(self._insert, name), tip=f"Put @{name} at the end of the prompt")
            for name in names
        ]
        for each in old:
            each.close()

    def _insert(self, name: str) -> None:
        text = self._prompt.value
        self._prompt.value = f"{text}{'' if not text or text[-1].isspace() else ' '}@{name} "

    def _texts(self) -> dict[str, str]:
        """The request in all its forms, for reading and copying; the key is in none."""
        draft = self._review.draft if self._review else None
        if draft is None:
            return {}
        request = draft.request

        def address(reference: Any) -> str:
            return reference.url or f"data:{reference.media_type};base64,… ({words.nbytes(reference.nbytes)})"

        body = payload(request, prompt=draft.compiled.text, address=address, session_id="rv-… (the job's own id)")
        given = source.Asked(
            prompt=request.prompt,
            model=request.model,
            references=tuple(source.Given(i.reference.name, i.said.source, i.said.variable) for i in self._strip.items),
            frames=tuple(source.Given(f.position, f.said, f.said in _namespace()) for f in self._frames if f.said),
            duration=request.duration,
            resolution=request.resolution,
            aspect_ratio=request.aspect_ratio,
            size=request.size,
            seed=request.seed,
            generate_audio=request.generate_audio,
            provider=request.provider,
            max_cost=self._settings.fields["max_cost"].value,
            fresh=self._sending.fresh,
        )
        made = {"JSON": source.as_json(body), "Cell": source.as_cell(given), "Python": source.as_python(given)}
        return {"Prompt as sent": draft.compiled.text} | {k: v.text or v.reason for k, v in made.items()}

    # --- sending -------------------------------------------------------------------------------------------

    def _current(self) -> tuple[Session, bool]:
        """The session of the environment as it is now, and whether it is another than was shown."""
        session = current_session()
        moved = session is not self._session
        if moved:
            # A key was set, or taken away, since the form was drawn.
            self._session, self._catalogue = session, session.catalogue()
            self._model.options = tuple(m.id for m in self._catalogue.models)
        self._refresh()
        return session, moved

    def _ready(self) -> Draft | None:
        """What may be sent as it is; None where something stands in its way, which is said already."""
        found = self._review
        if found is None or found.problems or self._sending.waiting:
            return None
        return found.draft

    def _tell(self, problem: str) -> None:
        self._sending.tell(problem)

    def _toggle_models(self) -> None:
        guarded(self._show_models, self._tell)

    def _show_models(self) -> None:
        if self._choosing.children:
            self._choosing.children = ()
            return
        from refvideo_nb.notebook.chooser import ModelTable  # noqa: PLC0415 - only where somebody looks

        table = ModelTable(self._catalogue.models)
        table.observe(self._choose_model)
        self._choosing.children = (table.box,)

    def _choose_model(self, model_id: str) -> None:
        self._model.value = model_id

    def _ipython_display_(self) -> None:
        if place(current_shell()) in {Place.SCRIPT, Place.TERMINAL}:
            print("the form needs a notebook: refvideo_nb.generate(…) does the same without one")  # noqa: T201 - to whoever asked for it
            return
        text = "The form of refvideo_nb needs its kernel: run this cell. What it made stands below."
        bundle = {**view_of(self.widget), "text/plain": text, "text/html": messages_html([], [text])}
        display(bundle, raw=True)  # type: ignore[no-untyped-call]
        self._sending.make_place()

    def close(self) -> None:
        """Take the form off the page; its jobs go on."""
        self.widget.close()


def _namespace() -> Mapping[str, Any]:
    shell = current_shell()
    return shell.user_ns if shell is not None else {}


def _items(references: Any) -> list[tuple[str | None, Any]]:
    if references is None:
        return []
    if hasattr(references, "items"):
        return list(references.items())
    return [(None, source_) for source_ in references]


def _facts(model: Model) -> str:
    from refvideo_nb.core.ranking import rank  # noqa: PLC0415 - with its one use

    (ranked,) = rank([model], by="cost")
    return model_html(model, price=ranked.price, clip_words=ranked.clip)
