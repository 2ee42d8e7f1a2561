"""The card of a job as it is now, drawn with what its session has at hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from refvideo_nb.notebook.session import Session

__all__ = ["card_of", "get_ready"]


def _relative(path: Path) -> str | None:
    """`path` as a link from the notebook's folder, or None where it lies outside it."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return None


async def card_of(session: Session, job_id: str) -> dict[str, str]:
    """What a job looks like now, as a MIME bundle; drawn off the kernel's thread."""
    import asyncio  # noqa: PLC0415 - importing the package stays light

    from refvideo_nb.display.card import card  # noqa: PLC0415 - drawing loads Pillow and PyAV

    record = session.ledger.get(job_id)
    path = session.media.video(record.id)
    # A card is not worth a request: the list is used if it is there.
    model = next((m for m in session.known_models if m.id == record.request.model), None)
    return await asyncio.to_thread(
        card,
        record,
        reference_bytes=session.media.read,
        video=path if record.video is not None and path.exists() else None,
        model=model,
        embed_bytes=session.settings.embed_bytes,
        link=_relative(path),
    )


async def get_ready() -> None:
    """Load what draws cards, so that the first one need not wait for it."""
    import asyncio  # noqa: PLC0415 - as above

    def load() -> None:
        from refvideo_nb.display.card import warm  # noqa: PLC0415 - as above

        warm()

    await asyncio.to_thread(load)
