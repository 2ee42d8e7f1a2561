"""Whether a frame is the picture of a reference itself, and not a scene with what it shows.

A copied frame earns the best similarity there is, so copying is counted apart: corners of both
pictures (ORB; Rublee et al. 2011) are matched, and those are counted that one shift, turn and
scaling explains (RANSAC; Fischler and Bolles 1981). Embeddings cannot tell the two: that of
another photograph of the same thing may be as near as that of the picture itself.

Only a picture that fills the frame counts. A carton whose printed face is rendered well matches
its photograph corner by corner too, and there the model did what was asked: looked for in a
window instead of the frame, every subject that was followed to the letter would be "copied".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from refvideo_nb.measure.embedders.runtime import needed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "EARLY",
    "POINTS",
    "Match",
    "Original",
    "Points",
    "copied_share",
    "copy_points",
    "first_frame_copy",
    "matching",
]

POINTS = 12
"""Matching points from which on a picture counts as copied. Measured: tests/measure/test_copies.py."""

EARLY = 0.25
"""Seconds from the beginning within which a copy counts as one of the first frame."""

_SIDE = 320  # pixels of the longer side of both, so that a small crop has corners too
_MOST = 500  # corners
_FAINT = 5  # grey levels by which a corner stands out; at more a smooth picture has none
_MARGIN = 16  # pixels without corners; half a patch, since crops are small
_RATIO = 0.8  # the nearest corner against the second nearest (Lowe 2004)
_OFF = 4.0  # pixels between where a corner is and where the fit puts it
_SMALLEST = 0.3  # scaling of a fit; less is corners that fall into one place
_FEWEST = 4  # corners that can disagree with a fit of four numbers
_FILLS = 0.92  # of the frame's width or height that a picture reaches over that fills it, bars beside it or not


class Points(msgspec.Struct, frozen=True, eq=False):
    """The corners of a picture.

    Attributes
    ----------
    places : ndarray
        ``(n, 2)`` float32: x and y in pixels of the picture made `width` by `height`.
    descriptors : ndarray
        ``(n, 32)`` uint8.
    width, height : int
        Its longer side has 320 pixels, so that a small crop is comparable with a large photograph.
    """

    places: NDArray[np.float32]
    descriptors: NDArray[np.uint8]
    width: int
    height: int

    @classmethod
    def of(cls, image: NDArray[np.uint8]) -> Points:
        """Those of ``(height, width, 3)`` uint8, RGB."""
        cv2 = needed("cv2")
        scale = _SIDE / max(image.shape[:2])
        # The pyramid that ORB looks at must have something left at its top.
        height, width = (max(2 * _MARGIN, round(side * scale)) for side in image.shape[:2])
        grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
        grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        orb = cv2.ORB_create(nfeatures=_MOST, fastThreshold=_FAINT, edgeThreshold=_MARGIN)
        corners, descriptors = orb.detectAndCompute(grey, None)
        places = np.array([corner.pt for corner in corners], dtype=np.float32).reshape(-1, 2)
        if descriptors is None:
            descriptors = np.empty((0, 32), dtype=np.uint8)
        return cls(places, descriptors, width, height)


class Original(msgspec.Struct, frozen=True, eq=False):
    """The corners of a reference, of each of its pictures, as it is and mirrored.

    Attributes
    ----------
    views : tuple of Points
    """

    views: tuple[Points, ...]

    @classmethod
    def of(cls, pictures: Iterable[NDArray[np.uint8]]) -> Original:
        """Those of pictures of one subject, each ``(height, width, 3)`` uint8, RGB."""
        return cls(tuple(Points.of(view) for picture in pictures for view in (picture, picture[:, ::-1])))


class Match(msgspec.Struct, frozen=True):
    """How a picture is found again in another one.

    Attributes
    ----------
    points : int
        Corners of both that one shift, turn and scaling brings together. Of unrelated photographs
        4 at most were seen, of re-encoded copies 19 to 384; 10 of one that is a mere silhouette.
    reach : float
        Share of the width or of the height, whichever is more, that the reference stretches
        over; more than 1 where it is cut.
    """

    points: int = 0
    reach: float = 0.0

    @property
    def fills(self) -> bool:
        """Whether the reference, found for sure, is as large as what it was found in."""
        return self.points >= POINTS and self.reach >= _FILLS


def matching(seen: Points, original: Original, *, fewest: int = _FEWEST) -> Match:
    """The best match of a frame, or of any picture, with a reference.

    Of the frame's corners those are kept whose nearest one in the reference is clearly nearer than
    the second nearest, each of the reference's once; then the similarity transform (shift, turn
    and one scaling, 4 numbers) that explains most of them is sought by RANSAC with a fixed seed.
    Its scaling is bounded: a fit that makes everything small puts any corner near its place.

    Parameters
    ----------
    seen : Points
    original : Original
    fewest : int
        Corners that look alike, below which no transform is sought.

    Returns
    -------
    Match
        Of the picture and the direction that has the most points.
    """
    return max((_match(seen, view, fewest) for view in original.views), key=lambda match: match.points, default=Match())


def copy_points(frame: NDArray[np.uint8], originals: Sequence[Original]) -> list[int]:
    """κ[t, r] of a frame: matching points of each reference where it fills the frame, else 0.

    Parameters
    ----------
    frame : ndarray
        ``(height, width, 3)`` uint8, RGB.
    originals : sequence of Original
    """
    seen = Points.of(frame)
    # With fewer corners that look alike there are fewer points, which fill nothing: most frames have no more.
    matches = [matching(seen, original, fewest=POINTS) for original in originals]
    return [match.points if match.fills else 0 for match in matches]


def copied_share(copies: NDArray[np.integer]) -> NDArray[np.float64]:
    """Share of frames that are the picture itself: mean over t of [κ[t, r] ≥ τ_c].

    Parameters
    ----------
    copies : ndarray
        ``(frames, references)`` or ``(frames,)`` integers, of :func:`copy_points`.

    Returns
    -------
    ndarray
        ``(references,)`` or ``()``, 0 to 1.
    """
    return np.asarray(np.mean(copies >= POINTS, axis=0), dtype=np.float64)


def first_frame_copy(copies: NDArray[np.integer], times: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the video begins with the picture: max over t ≤ 0.25 s of [κ[t, r] ≥ τ_c].

    Image-to-video models begin with their picture, and some reference-to-video models do the
    same instead of making a scene.

    Parameters
    ----------
    copies : ndarray
        ``(frames, references)`` or ``(frames,)`` integers.
    times : ndarray
        ``(frames,)``, seconds.

    Returns
    -------
    ndarray
        ``(references,)`` or ``()`` bool.
    """
    return np.asarray(np.any(copies[times <= EARLY] >= POINTS, axis=0), dtype=np.bool_)


def _match(seen: Points, view: Points, fewest: int) -> Match:
    a, b = _alike(seen, view)
    if len(a) < fewest:
        return Match()
    cv2 = needed("cv2")
    fit, fits = cv2.estimateAffinePartial2D(b, a, method=cv2.RANSAC, ransacReprojThreshold=_OFF, maxIters=1000)
    if fit is None:
        return Match()
    scaling = math.hypot(fit[0, 0], fit[1, 0])
    if not _SMALLEST < scaling < 1 / _SMALLEST:
        return Match()
    return Match(int(np.count_nonzero(fits)), _reach(fit, view, seen))


def _alike(seen: Points, view: Points) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Places of both whose corners look alike, ``(n, 2)`` each."""
    cv2 = needed("cv2")
    if min(len(seen.places), len(view.places)) < _FEWEST:
        return seen.places[:0], view.places[:0]
    # What cv2.BFMatcher.knnMatch is made of, without an object for each pair.
    off, which = cv2.batchDistance(seen.descriptors, view.descriptors, dtype=cv2.CV_32S, normType=cv2.NORM_HAMMING, K=2)
    nearest: dict[int, int] = {}
    for number in np.flatnonzero(off[:, 0] < _RATIO * off[:, 1]).tolist():
        corner = int(which[number, 0])
        if corner not in nearest or off[number, 0] < off[nearest[corner], 0]:
            nearest[corner] = number
    return seen.places[list(nearest.values())], view.places[list(nearest)]


def _reach(fit: NDArray[np.float64], view: Points, seen: Points) -> float:
    """How far the reference stretches over what was seen, by its corners as the fit puts them."""
    corners = np.array([[0, 0], [view.width, 0], [view.width, view.height], [0, view.height]], dtype=np.float64)
    put = corners @ fit[:, :2].T + fit[:, 2]
    return float((np.ptp(put, axis=0) / (seen.width, seen.height)).max())
