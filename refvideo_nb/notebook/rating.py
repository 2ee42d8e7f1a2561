"""What people say of clips, entered by hand or from a table, and how far each metric agrees with them.

Nothing that this package measures was validated by people. With ratings of one's own one can
see, for one's own clips, whether a metric ranks them as people do, and how sure that is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refvideo_nb.core.rating import Rating
from refvideo_nb.errors import InvalidRequestError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from refvideo_nb.notebook.ratingcard import RatingCard

__all__ = ["METRICS", "agreement", "rate"]

CRITERION = "looks like it"
METRICS = ("adherence", "covered", "z", "coverage", "longest_gap", "stability", "sameness", "copied", "binding")
"""Columns of a summary that ratings are compared with."""


def rate(
    job_or_path: Any,
    ratings: Mapping[str, float] | None = None,
    *,
    criterion: str = CRITERION,
    rater: str = "",
) -> RatingCard | None:
    """Say how well a clip follows its references, as a person sees it.

    Parameters
    ----------
    job_or_path : Job, str or pathlib.Path
        A finished job, its id, or a video file.
    ratings : mapping of str to float, optional
        ``{reference: value}``, and ``""`` for the clip as a whole. Without it a card asks, as the
        last line of a cell, from 1 to 5.
    criterion : str
        What is judged. Only ratings of one criterion are compared with each other, by rank.
    rater : str
        Who judges; whoever rates the same again has changed their mind.

    Returns
    -------
    RatingCard or None
        The card; None where `ratings` were given.

    Raises
    ------
    InvalidRequestError
        For a reference that is not the job's, or a value that is no number.
    """
    from refvideo_nb.notebook.compared import find_video  # noqa: PLC0415 - the package is light until used
    from refvideo_nb.notebook.current import current_session  # noqa: PLC0415 - as above

    path, job = find_video(job_or_path)
    session = job._session if job else current_session()  # noqa: SLF001 - a job is how its session is reached
    names = [r.name for r in job.record.request.references if r.kind != "audio"] if job else []
    video = _sha256_of(path, job)
    if ratings is None:
        from refvideo_nb.notebook.ratingcard import RatingCard  # noqa: PLC0415 - widgets load only where they show

        return RatingCard(
            session.ledger.ratings, video, job.id if job else path.name, names, criterion=criterion, rater=rater
        )
    for name in ratings:
        if name and job and name not in names:
            raise InvalidRequestError(
                f"{one_line(name, limit=40)!r} is no reference of {job.id}; there are {', '.join(names) or 'none'}",
                field="ratings",
                value=name,
                allowed=names,
            )
    session.ledger.ratings.keep(
        Rating(video_sha256=video, reference=name, criterion=criterion, value=_number(name, value), rater=rater)
        for name, value in ratings.items()
    )
    return None


def _sha256_of(path: Any, job: Any) -> str:
    from refvideo_nb.media.video import probe  # noqa: PLC0415 - loads PyAV

    facts = job.record.video if job else None
    return str((facts or probe(path)).sha256)


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InvalidRequestError(
            f"the rating {one_line(repr(value), limit=40)} of {name!r} is no number", field="ratings", value=value
        ) from None


def agreement(
    reports: Iterable[Any], ratings: pd.DataFrame | None = None, *, criterion: str = CRITERION
) -> pd.DataFrame:
    """How far each metric ranks clips as people do: Spearman's correlation with its 95 % interval.

    Every reference of every report is one pair, its ratings being averaged over raters. An interval
    that reaches 0 says that nothing can be told yet, and none of it speaks for other clips than these.
    Pairs of one clip are somewhat alike: with several references a clip the interval is a little narrow.
    Of `longest_gap`, `stability` and `copied` less is better: there a good metric correlates negatively.

    Parameters
    ----------
    reports : iterable of AdherenceReport
        Of different clips.
    ratings : pandas.DataFrame, optional
        Columns ``video`` (as the reports call it: the job's id, or the file's name), ``reference``
        and ``rating``, one row a judgement; else what `rate` has kept.
    criterion : str
        Which of the kept ratings.

    Returns
    -------
    pandas.DataFrame
        A row for each metric: ``metric``, ``n`` (pairs), ``spearman``, ``low``, ``high``; missing
        where there are fewer than four pairs, or nothing varies.

    Raises
    ------
    InvalidRequestError
        For a table without these columns.
    """
    from refvideo_nb.core.optional import needed  # noqa: PLC0415 - the package is light until used
    from refvideo_nb.measure.intervals import spearman  # noqa: PLC0415 - as above

    pandas = needed("pandas", what="a table of agreement")
    given = list(reports)
    said = _kept(given, criterion) if ratings is None else _from_table(ratings)
    found = pandas.concat([r.summary() for r in given], ignore_index=True) if given else pandas.DataFrame()
    people = [said.get((v, r), []) for v, r in zip(found.get("video", ()), found.get("reference", ()), strict=True)]
    judged = [sum(values) / len(values) if values else float("nan") for values in people]
    rows = []
    for metric in METRICS:
        values = [float(v) for v in found.get(metric, ())]
        pairs = [(a, b) for a, b in zip(values, judged, strict=True) if a == a and b == b]  # noqa: PLR0124 - not NaN
        told = spearman([a for a, _ in pairs], [b for _, b in pairs]) if pairs else None
        low_mid_high = told or (float("nan"),) * 3
        rows.append((metric, len(pairs), *low_mid_high))
    table: pd.DataFrame = pandas.DataFrame(rows, columns=["metric", "n", "spearman", "low", "high"])
    return table


def _kept(reports: list[Any], criterion: str) -> dict[tuple[str, str], list[float]]:
    """What the home folder has: by the report's name of the video, and the reference."""
    from refvideo_nb.notebook.current import current_session  # noqa: PLC0415 - as above

    names = {r.report.video_sha256: r.report.video for r in reports}
    found: dict[tuple[str, str], list[float]] = {}
    for one in current_session().ledger.ratings.of(names):
        if one.criterion == criterion:
            found.setdefault((names[one.video_sha256], one.reference), []).append(one.value)
    return found


def _from_table(ratings: Any) -> dict[tuple[str, str], list[float]]:
    wanted = ["video", "reference", "rating"]
    missing = [name for name in wanted if name not in getattr(ratings, "columns", ())]
    if missing:
        raise InvalidRequestError(
            f"ratings has no column {', '.join(missing)}: give a DataFrame with {', '.join(wanted)}",
            field="ratings",
            allowed=wanted,
        )
    found: dict[tuple[str, str], list[float]] = {}
    for video, reference, value in ratings[wanted].itertuples(index=False):
        if value == value:  # noqa: PLR0124 - a missing one
            found.setdefault((str(video), str(reference)), []).append(_number(str(reference), value))
    return found
