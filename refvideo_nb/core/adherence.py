"""What a measurement of adherence holds: arrays by frame and reference, one row of numbers a reference.

Adherence and copying are two numbers and never folded into one: a copied frame would
earn the best adherence there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

__all__ = ["ROLES", "UNVALIDATED", "Measured", "Negatives", "Report", "Score"]

ROLES = ("subject", "style", "scene", "face")
"""What a reference can be measured as; the first is taken where nobody said."""

UNVALIDATED = "nothing here was validated by people's judgement"
"""A note of every report."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """A reference as it was measured.

    Attributes
    ----------
    name : str
        No other reference of a report has it.
    role : str
        One of `ROLES`.
    sha256 : tuple of str
        Of each of its pictures; several pictures of one subject count as one reference.
    width, height : int
        Pixels of its first picture.
    """

    name: str
    role: str
    sha256: tuple[str, ...]
    width: int
    height: int


class Negatives(msgspec.Struct, frozen=True, kw_only=True):
    """What unrelated pictures score in the same video by the same search, for one reference.

    Attributes
    ----------
    names : tuple of str
        The K pictures, each with its origin. A reference of g pictures is held against groups of g.
    mean : ndarray
        ``(frames,)`` float32: their mean similarity in each frame.
    low, high : ndarray
        ``(frames,)`` float32: the 5th and the 95th percentile in each frame; the grey band of a figure.
    sigma : float
        Standard deviation around the frame's mean, pooled over frames: z is a similarity's distance from
        the frame's mean, in these.
    threshold : float
        The 95th percentile of all; a frame above it is covered.
    """

    names: tuple[str, ...]
    mean: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    sigma: float
    threshold: float


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One reference in numbers; None where a number does not apply or cannot be told.

    Attributes
    ----------
    reference, role : str
    adherence : float
        Mean similarity over all frames, -1 to 1.
    low, high : float
        Its 95 % interval, by a moving-block bootstrap over frames.
    covered : float or None
        Mean similarity over covered frames alone.
    z : float
        Standard deviations above what unrelated pictures score.
    p : float
        Share of unrelated pictures that score as much, 1 / (1 + K) to 1.
    coverage : float
        Share of frames above the threshold, 0 to 1.
    onset : float or None
        Seconds at which it is first covered; None where it never is.
    longest_gap : float
        Seconds of the longest run of frames that are not covered.
    stability : float or None
        Median change of similarity from frame to frame; less is steadier. None for a single frame.
    drift : float or None
        Theil-Sen slope of similarity, per second.
    sameness : float or None
        Mean similarity of the winning boxes of covered neighbours within one shot.
    copied : float
        Share of frames that are the picture itself, as it is or mirrored, 0 to 1.
    first_frame_copy : bool
        Whether one of those is within the first 0.25 s.
    binding : float or None
        Share of covered frames whose winning box is nearest to this reference and not to another.
    margin : float or None
        Mean distance in similarity to the nearest other reference, over covered frames.
    area : float or None
        Median share of the frame that the winning box has, over covered frames, 0 to 1.
    verdict : str
        ``"followed"``, ``"partly"``, ``"not found"``, ``"copied"`` or ``"too small to judge"``.
    sentence : str
        The same in plain words, for people.
    """

    reference: str
    role: str
    adherence: float
    low: float
    high: float
    covered: float | None
    z: float
    p: float
    coverage: float
    onset: float | None
    longest_gap: float
    stability: float | None
    drift: float | None
    sameness: float | None
    copied: float
    first_frame_copy: bool
    binding: float | None
    margin: float | None
    area: float | None
    verdict: str
    sentence: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How well a video followed its references.

    Attributes
    ----------
    video : str
        What it is called: a job's id, or a file's name.
    video_sha256 : str
        Hexadecimal, of the file.
    seconds : float
        How long it is.
    width, height : int
        Pixels of the video as it is shown, which `boxes` are measured in.
    references : tuple of Measured
        R of them, in the order of every array's columns.
    times : ndarray
        ``(frames,)`` float64, seconds.
    similarity : ndarray
        ``(frames, references)`` float32, -1 to 1: S[t, r], the best over the windows of the search.
    z : ndarray
        ``(frames, references)`` float32.
    boxes : ndarray
        ``(frames, references, 4)`` float32: x0, y0, x1, y1 of the winning window, pixels of the video.
        A reference that is measured on whole frames has the whole frame.
    copies : ndarray
        ``(frames, references)`` int32: matching points between the frame and the reference where the reference
        fills the frame, else 0.
    negatives : mapping of str to Negatives
        By the reference's name: what it has to beat depends on its role and on how many pictures it has.
    confusion : ndarray
        ``(references, references)`` int64: covered frames of the row's reference whose winning box is nearest
        to the column's. Zeros between roles, and where there are fewer than two subjects, or faces.
    scores : tuple of Score
        One a reference, in the same order.
    settings : mapping
        All that is needed to repeat it, as JSON values: embedder, hash, preprocessing, windows, frames,
        negatives, thresholds, seed, versions.
    notes : tuple of str
        What should be known of the numbers, one line each.
    """

    video: str
    video_sha256: str
    seconds: float
    width: int
    height: int
    references: tuple[Measured, ...]
    times: NDArray[np.float64]
    similarity: NDArray[np.float32]
    z: NDArray[np.float32]
    boxes: NDArray[np.float32]
    copies: NDArray[np.int32]
    negatives: Mapping[str, Negatives]
    confusion: NDArray[np.int64]
    scores: tuple[Score, ...]
    settings: Mapping[str, Any]
    notes: tuple[str, ...] = msgspec.field(default=())

    def covered(self) -> NDArray[np.bool_]:
        """``(frames, references)`` bool: where the similarity is above what the negatives reach."""
        limits = [self.negatives[r.name].threshold for r in self.references]
        return np.asarray(self.similarity > np.array(limits, dtype=np.float32), dtype=np.bool_)
