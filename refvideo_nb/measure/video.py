"""A video and its references in, a report out: the one entry of this room."""

from __future__ import annotations

import contextlib
import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from refvideo_nb.core.adherence import ROLES, UNVALIDATED, Measured, Report
from refvideo_nb.errors import InvalidRequestError, one_line
from refvideo_nb.measure.calibration import calibrate, grouped
from refvideo_nb.measure.copies import POINTS, Original
from refvideo_nb.measure.embedders import DEFAULT, Embedder, find_embedder
from refvideo_nb.measure.embedders.protocol import products
from refvideo_nb.measure.faces import SAME_PERSON, SPREAD, Faces, find_faces
from refvideo_nb.measure.looks import Anywhere, AtFaces, Look, Whole
from refvideo_nb.measure.observe import CUT, HOLD, STILL, observe
from refvideo_nb.measure.pool import ENOUGH, Pool, bundled, portraits
from refvideo_nb.measure.scores import scored
from refvideo_nb.measure.search import CELL, MOST_OVERLAP, SHORT_SIDE, SMALLEST, TOP
from refvideo_nb.measure.targets import Given, Images, Vectors, embedded, read

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


__all__ = ["SAME_SUBJECT", "VERSION", "measure_video"]

VERSION = 1
"""Counted up where the same video would get other numbers: what was kept before is then measured anew."""

SAME_SUBJECT = 0.5
"""Cosine with a reference from which on a negative counts as the same subject, and is left out."""
_VERSIONS = (
    "refvideo-nb",
    "av",
    "matplotlib",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pillow",
    "scikit-image",
)


def measure_video(
    path: Path,
    references: Sequence[Given],
    *,
    embedder: str | os.PathLike[str] | Embedder = DEFAULT,
    frames: int | None = 32,
    every: float | None = None,
    negatives: Sequence[Given] = (),
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    video: str | None = None,
) -> Report:
    """Measure how well a video followed its references.

    Needs no ledger, key or network (but for embedders that must be fetched once), and
    everything that it takes can be sent to another process.

    Parameters
    ----------
    path : pathlib.Path
        A film of any kind that PyAV reads.
    references : sequence of Given
        One or more, of different names. A subject is looked for in every part of the frame;
        a style or a scene is compared with whole frames: a look has no place, and a place is
        what is around the subjects, while a search would be content with a poster of it. (Of
        11 places, seen whole to closely and covered to none, a quarter or a half by a subject,
        the two tell the right one apart equally well: mean AUC .944 whole, .942 by search.)
    embedder : str, path or Embedder
        As of `refvideo_nb.measure.embedders.find_embedder`.
    frames : int or None
        How many, at equal distances in time; None (with no `every`) takes all.
    every : float, optional
        Seconds between frames, instead.
    negatives : sequence of Given
        Further unrelated pictures, such as other jobs' references. Of what is alike to a
        reference all is left out.
    seed : int
        Of everything random: the same arguments give the same report.
    threads : int, optional
        All cores by default; a worker of several should have cores / workers.
    progress : callable, optional
        Called with the number of frames that are done.
    video : str, optional
        What the report calls it; the file's name by default.

    Returns
    -------
    Report

    Raises
    ------
    InvalidRequestError
        Where a setting cannot be used.
    BadReferenceError
        Where a picture cannot be read.
    DownloadError
        Where the file cannot be decoded.
    MissingDependencyError
        With the command that installs what is missing.
    """
    _check(references)
    network = find_embedder(embedder, threads=1)
    read_ones = [read(reference) for reference in references]
    measured, images = tuple(facts for facts, _ in read_ones), [pictures for _, pictures in read_ones]
    others = [(facts, pictures) for facts, pictures in map(read, negatives)]
    looks, names = _looks(measured, images, others, network)
    observed = observe(
        path,
        looks,
        [Original.of(pictures) for pictures in images],
        embedder=network,
        frames=frames,
        every=every,
        threads=threads,
        seen=progress,
    )
    calibrated = [
        calibrate(
            observed.similarity[:, column],
            grouped(observed.chance[column], len(images[column]), seed=seed),
            names=names[column],
            limit=(SAME_PERSON, SPREAD) if reference.role == "face" else None,
        )
        for column, reference in enumerate(measured)
    ]
    scores, confusion = scored(observed, calibrated, measured, seed=seed)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Report(
        video=video or path.name,
        video_sha256=digest,
        seconds=observed.seconds,
        width=observed.width,
        height=observed.height,
        references=measured,
        times=observed.times,
        similarity=observed.similarity,
        z=np.stack([c.z for c in calibrated], axis=1),
        boxes=observed.boxes,
        copies=observed.copies,
        negatives={one.name: c.negatives for one, c in zip(measured, calibrated, strict=True)},
        confusion=confusion,
        scores=scores,
        settings=_settings(network, measured, names, frames=frames, every=every, seed=seed),
        notes=_notes(measured, names),
    )


def _check(references: Sequence[Given]) -> None:
    names = [reference.name for reference in references]
    if not names:
        raise InvalidRequestError("there is no reference to measure: give one or more", field="references", value=())
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidRequestError(
            f"two references are called {one_line(repr(twice), limit=80)}: give each its own name, "
            "or several pictures of one subject as one reference",
            field="references",
            value=twice,
        )


def _looks(
    measured: Sequence[Measured],
    images: Sequence[Images],
    others: Sequence[tuple[Measured, Images]],
    network: Embedder,
) -> tuple[list[Look], list[tuple[str, ...]]]:
    """Who looks for which reference, and by column the names of the negatives that are looked for in the same way."""
    columns = {role: [c for c, one in enumerate(measured) if one.role == role] for role in ROLES}
    names: list[tuple[str, ...]] = [()] * len(measured)
    looks: list[Look] = []
    if by_embedding := [c for c in range(len(measured)) if measured[c].role != "face"]:
        vectors = {c: embedded(images[c], network) for c in by_embedding}
        pool = _pool(others, list(vectors.values()), network)
        for c in by_embedding:
            names[c] = pool.names
        if searched := columns["subject"]:
            looks.append(Anywhere(searched, [vectors[c] for c in searched], pool.vectors, embedder=network))
        if whole := sorted(columns["style"] + columns["scene"]):
            looks.append(Whole(whole, [vectors[c] for c in whole], pool.vectors))
    if faced := columns["face"]:
        faces = find_faces()
        people = [faces.of(images[c], name=measured[c].name) for c in faced]
        strangers, their_names = _strangers(others, people, faces)
        for c in faced:
            names[c] = their_names
        looks.append(AtFaces(faced, people, strangers, faces=faces))
    return looks, names


def _pool(others: Sequence[tuple[Measured, Images]], wanted: Sequence[Vectors], network: Embedder) -> Pool:
    """The negatives, without those that are a reference's own subject: they would be in the video."""
    pool = bundled(network)
    for facts, pictures in others:
        names = tuple(f"{facts.name}: {digest[:8]}" for digest in facts.sha256)
        pool += Pool(names=names, groups=(facts.name,) * len(names), vectors=embedded(pictures, network))
    alike = products(pool.vectors.fine, np.concatenate([vectors.fine for vectors in wanted]))
    same = np.asarray((alike >= SAME_SUBJECT).any(axis=1))
    return pool.without({group for group, is_same in zip(pool.groups, same, strict=True) if is_same})


def _strangers(
    others: Sequence[tuple[Measured, Images]], people: Sequence[NDArray[np.float32]], faces: Faces
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """The surest faces of other pictures, where they have one, without those of the people looked for."""
    pictures = portraits() + [(facts.name, picture) for facts, given in others for picture in given]
    found = [(name, faces.find(picture)[1][:1]) for name, picture in pictures]
    known = np.concatenate(people)
    strange = [
        (name, face) for name, face in found if len(face) and not (faces.alike(face, known) >= SAME_PERSON).any()
    ]
    return np.concatenate([face for _, face in strange] or [known[:0]]), tuple(name for name, _ in strange)


def _settings(
    network: Embedder,
    measured: Sequence[Measured],
    names: Sequence[tuple[str, ...]],
    *,
    frames: int | None,
    every: float | None,
    seed: int,
) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "embedder": network.name,
        "embedder_sha256": network.sha256,
        "preprocessing": network.preprocessing,
        "windows": {
            "short_side": SHORT_SIDE,
            "cell": CELL,
            "smallest": SMALLEST,
            "top": TOP,
            "most_overlap": MOST_OVERLAP,
        },
        "frames": frames,
        "every": every,
        "negatives": {one.name: list(own) for one, own in zip(measured, names, strict=True)},
        "negatives_anew": {"still": STILL, "hold": HOLD},
        "same_subject": SAME_SUBJECT,
        "cut": CUT,
        "copy_points": POINTS,
        "seed": seed,
        "versions": dict(_versions()),
    }
    if any(one.role == "face" for one in measured):
        faces = find_faces()
        settings |= {"faces": faces.name, "faces_sha256": faces.sha256, "same_person": SAME_PERSON}
    return settings


@cache  # each is looked up in the files of its package
def _versions() -> dict[str, str]:
    found = {}
    for package in _VERSIONS:
        with contextlib.suppress(PackageNotFoundError):  # OpenCV comes under several names
            found[package] = version(package)
    return found


def _notes(measured: Sequence[Measured], names: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    notes = [
        UNVALIDATED,
        "a look-alike of the same kind scores nearly as high as the subject itself",
    ]
    few = [len(own) for one, own in zip(measured, names, strict=True) if one.role != "face" and len(own) < ENOUGH]
    if few:
        notes.append(f"chance is told by {min(few)} unrelated pictures only: give more as negatives")
    if any(one.role in {"style", "scene"} for one in measured):
        notes.append("style and scene are told by whole frames, a proxy that also answers to what is in them")
    if any(one.role == "face" for one in measured):
        notes.append("faces are judged by the limit of their network; p says little, since few other faces are known")
    if any(len(one.sha256) > 1 for one in measured):
        notes.append("several pictures of one subject are held against as many unrelated ones, the best of each")
    return tuple(notes)
