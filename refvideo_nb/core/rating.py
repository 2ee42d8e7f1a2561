"""What a person says of a clip, to be held against what was measured of it."""

from __future__ import annotations

import math

import msgspec

from refvideo_nb.errors import InvalidRequestError, one_line

__all__ = ["Rating"]

_LONGEST = 200  # characters


class Rating(msgspec.Struct, frozen=True, kw_only=True):
    """One person's judgement of one thing in one clip.

    Attributes
    ----------
    video_sha256 : str
        Hexadecimal, of the clip's file: what was rated, whatever it is called.
    reference : str
        The name of the reference that it is about; empty for the clip as a whole.
    criterion : str
        What was asked, such as ``"looks like it"``.
    value : float
        The answer. What its scale is belongs to the criterion: only ranks are compared.
    rater : str
        Who; empty where nobody said.
    when : float
        Seconds since the epoch.
    """

    video_sha256: str
    reference: str
    criterion: str
    value: float
    rater: str = ""
    when: float = 0.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise InvalidRequestError(
                f"a rating of {self.value!r} cannot be ranked: give a number", field="value", value=self.value
            )
        for field in ("reference", "criterion", "rater"):
            text = getattr(self, field)
            if len(text) > _LONGEST or not text.isprintable() or (field == "criterion" and not text):
                raise InvalidRequestError(
                    f"{field}={one_line(repr(text), limit=60)} cannot be used: give one line of "
                    f"{'1' if field == 'criterion' else '0'} to {_LONGEST} characters",
                    field=field,
                    value=text,
                )
