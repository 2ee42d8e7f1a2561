"""From numbers to a word and a sentence, which promise no more than the numbers do."""

from __future__ import annotations

__all__ = ["SMALL", "sentence", "verdict"]

SMALL = 0.05
"""Share of the frame below which a place is too small to judge."""
CHANCE = 0.05  # the highest p that is not put down to chance
FAR, SOME = 3.0, 1.645  # z that is called far above chance, and above it
MOST, COPIES, PARTLY, OWN = 0.8, 0.5, 0.1, 0.5  # shares of frames


def verdict(
    *,
    role: str,
    p: float,
    coverage: float,
    strength: float | None,
    copied: float,
    area: float | None,
    binding: float | None,
) -> str:
    """One of ``"followed"``, ``"partly"``, ``"not found"``, ``"copied"``, ``"too small to judge"``.

    Parameters
    ----------
    role : str
    p, coverage, copied, area, binding
        As of `refvideo_nb.core.adherence.Score`.
    strength : float or None
        Mean z over covered frames: what is there for a few seconds only is lost in a mean over all.
    """
    if copied >= COPIES:
        return "copied"
    far = (strength or 0.0) >= FAR
    # Of faces the limit is known from elsewhere, and negatives are too few for a small p.
    if p > CHANCE and not (coverage >= PARTLY and (far or role == "face")):
        return "not found"
    # A place that is nearer to another reference shows that one, and this one not.
    if not coverage or (binding is not None and binding < OWN):
        return "not found"
    if role == "subject" and area is not None and area < SMALL and not far:
        return "too small to judge"
    return "followed" if coverage >= MOST else "partly"


def sentence(
    *,
    name: str,
    role: str,
    verdict: str,
    z: float,
    strength: float | None,
    coverage: float,
    copied: float,
    first: bool,
    taken: str | None,
) -> str:
    """The same for people.

    Parameters
    ----------
    name, role, verdict, z, coverage, copied
    strength : float or None
        As of `verdict`.
    first : bool
        Whether the first frame is the picture itself.
    taken : str or None
        The reference that most of its places are nearer to, where they are not its own.

    Examples
    --------
    >>> sentence(
    ...     name="pack", role="subject", verdict="partly", z=3.9, strength=6.2, coverage=0.81, copied=0, first=False,
    ...     taken=None,
    ... )
    'pack: visible in 81 % of frames, far above chance (z 6.2), not copied; look-alikes not excluded'
    """
    if verdict == "not found":
        if taken is not None:
            return f"{name}: not found; what is like it is nearer to {taken}"
        missed = f"; below {_percent(SMALL)} of the frame it would be missed" if role == "subject" else ""
        return f"{name}: not found, {_level(z)}{missed}"
    level = _level(z if strength is None else strength)
    if verdict == "too small to judge":
        return f"{name}: what may be it has less than {_percent(SMALL)} of the frame, too small to judge ({level})"
    copy = f"copied in {_percent(copied)} of all" if copied else "not copied"
    if first:
        copy += ", and the first frame is the picture itself"
    what = {"style": "the look is like it", "scene": "the place is like it", "face": "the face is seen"}
    proxy = {"style": "; told by whole frames, a proxy", "scene": "; told by whole frames, a proxy"}
    rest = proxy.get(role, "" if copied else "; look-alikes not excluded")
    return f"{name}: {what.get(role, 'visible')} in {_percent(coverage)} of frames, {level}, {copy}{rest}"


def _level(z: float) -> str:
    return f"{'far above' if z >= FAR else 'above' if z >= SOME else 'no more than'} chance (z {z:.1f})"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"
