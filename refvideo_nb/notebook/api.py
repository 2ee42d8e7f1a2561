"""What people call: generate, form, jobs, models, resume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refvideo_nb.core.request import DEFAULT_MODEL
from refvideo_nb.notebook.current import current_session
from refvideo_nb.notebook.environment import Place, place
from refvideo_nb.notebook.job import Job

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from refvideo_nb.core.catalogue import Model
    from refvideo_nb.notebook.form import Form

__all__ = ["allow_nested", "form", "generate", "jobs", "models", "resume"]


def generate(
    prompt: str,
    *,
    references: Mapping[str, Any] | Iterable[Any] | None = None,
    roles: Mapping[str, str] | None = None,
    model: str = DEFAULT_MODEL,
    duration: int | None = None,
    resolution: str | None = None,
    aspect_ratio: str | None = None,
    size: str | tuple[int, int] | None = None,
    seed: int | None = None,
    generate_audio: bool | None = None,
    provider: Mapping[str, Mapping[str, Any]] | None = None,
    frames: Mapping[str, Any] | None = None,
    previous_job_id: str | None = None,
    max_cost: float | str | None = None,
    fresh: bool = False,
) -> Job:
    """Start a reference-to-video job; it goes on in the background.

    The request is checked and priced first, written to the ledger, and sent once.

    Parameters
    ----------
    prompt : str
        What the clip shows. ``@name`` stands for a reference, ``@@`` for a literal ``@``.
    references : mapping of str to source, or iterable of source, optional
        They guide subject, identity or style. A source is an https address, a local path,
        a PIL image, an array ``(height, width, 3)`` uint8, or bytes.
    roles : mapping of str to str, optional
        ``{name: role}``, of ``"subject"``, ``"style"`` and ``"scene"``: what a reference is
        there for. It steers hints and is kept for measuring; the API has no roles.
    model : str
        A model id (see :func:`models`).
    duration : int, optional
        Seconds.
    resolution, aspect_ratio : str, optional
        Such as ``"720p"`` and ``"16:9"``.
    size : str or (int, int), optional
        Width and height in pixels, instead of the two above.
    seed : int, optional
        Repeats a result as far as the model honours it.
    generate_audio : bool, optional
        Whether there is sound.
    provider : mapping, optional
        ``{provider slug: {parameter: value}}``, only what the model passes through.
    frames : mapping, optional
        ``{"first": source, "last": source}`` fixes frames; not together with `references`.
    previous_job_id : str, optional
        A job that this one extends.
    max_cost : float or str, optional
        USD; refuses what is estimated above it, and what cannot be estimated.
    fresh : bool
        Pay for a new job even where this ledger has one of the very same request, finished
        or under way; without it that job is given back, and nothing is paid.

    Returns
    -------
    Job
        At once; ``job.wait()`` or ``await job`` waits for the video.

    Raises
    ------
    InvalidRequestError
        Before anything is sent: it names the bad value and the allowed ones.
    OutcomeUnknownError
        The very same request was sent before, and its answer was lost; `fresh` sends it again.
    LedgerError
        The home folder cannot be used; nothing is sent then.
    """
    from refvideo_nb.engine.wish import Wish  # noqa: PLC0415 - importing the package stays light

    session = current_session()
    draft = session.draft(
        Wish(
            prompt=prompt,
            references=references,
            roles=roles,
            frames=frames,
            model=model,
            duration=duration,
            resolution=resolution,
            aspect_ratio=aspect_ratio,
            size=size,
            seed=seed,
            generate_audio=generate_audio,
            provider=provider,
            previous_job_id=previous_job_id,
            max_cost=max_cost,
        )
    )
    record, reused = session.submit(draft, fresh=fresh)
    job = Job(session, record.id, reused=reused)
    if place() is not Place.SCRIPT:
        job.say_if_reused()
    return job


def form(
    prompt: str = "",
    *,
    references: Mapping[str, Any] | Iterable[Any] | None = None,
    roles: Mapping[str, str] | None = None,
    model: str = DEFAULT_MODEL,
    duration: int | None = None,
    resolution: str | None = None,
    aspect_ratio: str | None = None,
    size: str | tuple[int, int] | None = None,
    seed: int | None = None,
    generate_audio: bool | None = None,
    provider: Mapping[str, Mapping[str, Any]] | None = None,
    frames: Mapping[str, Any] | None = None,
    max_cost: float | str | None = None,
    confirm_above: float | str | None = None,
) -> Form:
    """Make the same request by hand: choose, see everything, check, and only then pay.

    Displayed as the last line of a cell, or by ``%refvideo form``.

    Parameters
    ----------
    prompt, references, roles, model, duration, resolution, aspect_ratio, size, seed, generate_audio
        As for :func:`generate`: what the form starts from.
    provider, frames, max_cost
        As above.
    confirm_above : float or str, optional
        USD; what is estimated above it, or cannot be estimated, is asked once more.
        By default ``REFVIDEO_CONFIRM_ABOVE``, else 1.00.

    Returns
    -------
    Form
        ``form.job`` is the newest job that it made, ``form.jobs`` all of them.

    Raises
    ------
    InvalidRequestError
        For a `confirm_above` that is no amount. Whatever else does not fit is said in the form.
    """
    from refvideo_nb.notebook.form import Form  # noqa: PLC0415 - widgets load only where they show

    given: dict[str, Any] = {
        "prompt": prompt,
        "references": references,
        "roles": roles,
        "model": model,
        "duration": duration,
        "resolution": resolution,
        "aspect_ratio": aspect_ratio,
        "size": size,
        "seed": seed,
        "generate_audio": generate_audio,
        "provider": provider,
        "frames": frames,
        "max_cost": max_cost,
    }
    return Form(given, confirm_above=confirm_above)


def jobs(*, limit: int | None = None) -> list[Job]:
    """The jobs of this home folder, newest first.

    Parameters
    ----------
    limit : int, optional
        At most so many.
    """
    session = current_session()
    return [Job(session, record.id) for record in session.ledger.jobs(limit=limit)]


def models() -> tuple[Model, ...]:
    """The video models, with what each takes and what is known of its references."""
    return current_session().catalogue().models


def resume() -> list[Job]:
    """Take up every unfinished job of this home folder; nothing is sent or paid again.

    Returns
    -------
    list of Job
        Those that are now watched.
    """
    from refvideo_nb.core.job import RESUMABLE  # noqa: PLC0415 - as above

    session = current_session()
    session.ledger.settle_abandoned()
    records = session.ledger.jobs(states=RESUMABLE)
    for record in records:
        session.engine.look_after(record.id)
    return [Job(session, record.id) for record in records]


def allow_nested() -> str:
    """Let code re-enter the kernel's own running loop (``asyncio.run`` in a cell, say).

    refvideo_nb itself never needs it: ``job.wait()`` and ``await job`` work everywhere.
    nest_asyncio2 is used where it is installed, since nest_asyncio loses cells on
    ipykernel 7.4.

    Returns
    -------
    str
        The package that was applied.
    """
    try:
        import nest_asyncio2 as nested  # noqa: PLC0415 - applied only when it is asked for
    except ImportError:
        import nest_asyncio as nested  # noqa: PLC0415 - as above
    nested.apply()
    return str(nested.__name__)
