"""A line of the table: what was measured, of us and of the others, and whether the goal holds."""

import statistics
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Goal:
    """What is asked of a value."""

    text: str
    holds: bool


@dataclass(frozen=True)
class Line:
    """One measured thing.

    Attributes
    ----------
    row : str
        The row of the table that it belongs to.
    what : str
    ours : float
        The median.
    unit : str
    beside : dict of str to float
        The medians of the others, in the same unit.
    goals : list of Goal
    samples : int
        How many measurements ours is the median of.
    ratios : dict of str to float
        Ours to another's: the median of the ratios within each round, where both ran one after the other.
    """

    row: str
    what: str
    ours: float
    unit: str
    samples: int
    beside: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)


def median_line(row, what, unit, rounds, *, at_most=None, at_least=None, ratios=None, ratios_at_least=None):
    """A line of rounds in which everybody was measured once.

    Parameters
    ----------
    rounds : list of dict of str to float
        ``{"ours": …, "another": …}`` for each.
    at_most, at_least : float, optional
        The goal for ours, in this unit.
    ratios, ratios_at_least : dict of str to float, optional
        The goal for ours to another's.
    """
    names = list(rounds[0])
    medians = {name: statistics.median(r[name] for r in rounds) for name in names}
    shares = {n: statistics.median(r["ours"] / r[n] for r in rounds) for n in names if n != "ours"}
    ours = medians.pop("ours")
    goals = []
    if at_most is not None:
        goals.append(Goal(f"≤ {at_most:g} {unit}".strip(), ours <= at_most))
    if at_least is not None:
        goals.append(Goal(f"≥ {at_least:g} {unit}".strip(), ours >= at_least))
    goals += [Goal(f"≤ {most:g} × {n}", shares[n] <= most) for n, most in (ratios or {}).items()]
    goals += [Goal(f"≥ {least:g} × {n}", shares[n] >= least) for n, least in (ratios_at_least or {}).items()]
    return Line(row, what, ours, unit, len(rounds), medians, shares, goals)


def quantile(values, share):
    """The value below which this share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def shown(value, unit):
    """A number with the digits that it deserves."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 4
    return f"{value:.{digits}f} {unit}".strip()


def table(lines):
    """Markdown."""
    rows = ["| row | what | ours | beside it | ours ÷ theirs | goal | holds |", "|---|---|---|---|---|---|---|"]
    for line in lines:
        beside = " · ".join(f"{name} {shown(value, line.unit)}" for name, value in line.beside.items())
        ratios = " · ".join(f"{name} {ratio:.2f}" for name, ratio in line.ratios.items())
        goals = "; ".join(g.text for g in line.goals)
        holds = "; ".join("yes" if g.holds else "**no**" for g in line.goals)
        rows.append(
            f"| {line.row} | {line.what} | {shown(line.ours, line.unit)} | {beside} | {ratios} | {goals} | {holds} |"
        )
    return "\n".join(rows)
