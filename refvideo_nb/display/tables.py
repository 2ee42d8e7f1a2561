"""Two lists: the models and what they take, the jobs and where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refvideo_nb.core.pricing import about, estimate, usd
from refvideo_nb.core.references import Reference
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.display import words
from refvideo_nb.display.page import harmless, render
from refvideo_nb.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from refvideo_nb.core.catalogue import Model
    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.display.page import Bundle

__all__ = ["findings_table", "jobs_table", "models_table", "table_bundle"]

_ANY_IMAGE = Reference(name="image", kind="image", sha256="", media_type="image/png", nbytes=0)


def models_table(models: Sequence[Model], *, duration: int = 4) -> Bundle:
    """What each model takes, and about what a clip costs.

    Parameters
    ----------
    models : sequence of Model
    duration : int
        Seconds of the clip that is priced, at the model's first resolution and aspect ratio,
        with one image as a reference where it takes any.
    """
    heads = [
        "model",
        "references",
        "naming",
        "seconds",
        "resolutions",
        "sound",
        "seed",
        "price of a clip",
        "evidence",
    ]
    rows = [_model_row(m, duration) for m in models]
    return table_bundle(heads, rows, f"{len(models)} models" if len(models) != 1 else "1 model", wrap={1, 4, 8})


def _model_row(model: Model, duration: int) -> list[str]:
    support = model.references
    none = support.status == "none"
    return [
        model.id,
        "none" if none else f"{words.kinds(support)} · {support.status}",
        "" if none else str(support.naming),
        words.ranges(model.durations),
        ", ".join(model.resolutions or ()),
        _yes(model.audio),
        _yes(model.seed),
        _price(model, duration),
        support.evidence,
    ]


def _price(model: Model, duration: int) -> str:
    seconds = min(model.durations or (duration,), key=lambda offered: abs(offered - duration))
    offered = model.resolutions or ()
    resolution = "720p" if "720p" in offered else offered[0] if offered else None
    request = VideoRequest(
        prompt="",
        model=model.id,
        references=() if model.references.status == "none" else (_ANY_IMAGE,),
        duration=seconds,
        resolution=resolution,
        aspect_ratio="16:9" if "16:9" in (model.aspect_ratios or ("16:9",)) else None,
    )
    return f"{about(estimate(request, model))} ({seconds} s{f', {resolution}' if resolution else ''})"


def _yes(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def jobs_table(records: Sequence[JobRecord]) -> Bundle:
    """The jobs, newest first."""
    ordered = sorted(records, key=lambda r: r.created, reverse=True)
    heads = ["job", "state", "model", "prompt", "created", "cost", "file"]
    rows = [_job_row(r) for r in ordered]
    return table_bundle(heads, rows, f"{len(ordered)} jobs" if len(ordered) != 1 else "1 job", wrap={2, 3})


def _job_row(record: JobRecord) -> list[str]:
    facts = record.video
    return [
        record.id,
        words.state_words(record) + (" (simulated)" if record.simulated else ""),
        record.request.model,
        one_line(record.request.prompt, limit=60),
        words.when(record.created).removesuffix(" UTC")[:16],
        f"billed {usd(record.cost)}" if record.cost is not None else about(record.estimate),
        words.nbytes(facts.nbytes) if facts else "",
    ]


def findings_table(findings: Sequence[tuple[str, str, str]]) -> Bundle:
    """What was looked at, what was found, and what to do."""
    rows = [[what, found, todo or "ok"] for what, found, todo in findings]
    wrong = sum(bool(todo) for _, _, todo in findings)
    said = "all is well" if not wrong else "1 thing to look at" if wrong == 1 else f"{wrong} things to look at"
    return table_bundle(["what", "found", "to do"], rows, said, wrap={1, 2}, widest=160)


def table_bundle(
    heads: list[str], rows: list[list[str]], caption: str, *, wrap: Collection[int], widest: int = 48
) -> Bundle:
    """A list as a table.

    Parameters
    ----------
    heads : list of str
    rows : list of list of str
    caption : str
        Below it.
    wrap : collection of int
        Columns whose text may break into lines.
    widest : int
        Characters of a column where there is only plain text.
    """
    cells = [[one_line(c, limit=160) for c in row] for row in rows]
    html = render("table.html", heads=heads, rows=cells, caption=caption, wrap=wrap)
    widths = [min(widest, max([len(h), *(len(r[n]) for r in cells)])) for n, h in enumerate(heads)]
    lines = ["  ".join(_fit(c, w) for c, w in zip(row, widths, strict=True)).rstrip() for row in [heads, *cells]]
    return {"text/html": html, "text/plain": harmless("\n".join([*lines, caption]))}


def _fit(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else text[: width - 1] + "…"
