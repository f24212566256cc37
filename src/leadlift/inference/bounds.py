"""Bounds on what no data show: shares of leads by how they would respond, from the arms' means alone.

Of no lead are both answers seen, with and without the touch. With p1 and p0 the shares that buy in either case, the
share of persuadables (buy if touched, not else) lies between max(0, p1 - p0) and min(p1, 1 - p0), and so on: Frechet's
bounds. They are sharp: without further assumptions nothing more can be said.

References: Frechet (1951); Manski (1997); Imbens, Manski (2004), Confidence intervals for partially identified
parameters; Stoye (2009).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import optimize, special

from leadlift.base.record import Record
from leadlift.inference._arrays import Floats, checked_level

Kind = Literal["persuadable", "sure_thing", "lost_cause", "do_not_disturb"]
# Two estimates within so many errors of each other can't be told apart.
CLOSE = 3.0
KINDS: tuple[Kind, ...] = ("persuadable", "sure_thing", "lost_cause", "do_not_disturb")


@dataclass(frozen=True)
class Bounds(Record):
    """Bounds of a share with an interval that holds the share itself (not the whole region between the bounds).

    Attributes:
        kind: `persuadable`, `sure_thing`, `lost_cause` or `do_not_disturb`.
        lower, upper: the bounds, inside [0, 1].
        interval_lower, interval_upper: Imbens and Manski's interval; NaN without an error.
    """

    kind: Kind
    lower: float
    upper: float
    interval_lower: float
    interval_upper: float


def response_bounds(treated: float, control: float, covariance: Floats, *, level: float) -> tuple[Bounds, ...]:
    """Shares of persuadables, sure things, lost causes and do-not-disturbs, each with an interval.

    The upper bound is the smaller of two estimates; where these can't be told apart, both are given more room.

    Args:
        treated: share with the outcome under the touch, p1.
        control: share with the outcome without, p0.
        covariance: of (p1, p0), shape (2, 2).
        level: confidence, inside (0, 1).

    Returns: one for each of `KINDS`, in that order.

    Raises:
        DataError: a level outside (0, 1).

    Examples:
        >>> found = response_bounds(0.3, 0.2, np.diag([1e-4, 1e-4]), level=0.95)
        >>> [(one.kind, round(one.lower, 2), round(one.upper, 2)) for one in found[:2]]
        [('persuadable', 0.1, 0.3), ('sure_thing', 0.0, 0.2)]
    """
    checked_level(level)
    # Each line is (constant, weight of p1, weight of p0); the lower bound is the largest, the upper one the smallest.
    lines: dict[Kind, tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]] = {
        "persuadable": ([(0, 0, 0), (0, 1, -1)], [(0, 1, 0), (1, 0, -1)]),
        "sure_thing": ([(0, 0, 0), (-1, 1, 1)], [(0, 1, 0), (0, 0, 1)]),
        "lost_cause": ([(0, 0, 0), (1, -1, -1)], [(1, -1, 0), (1, 0, -1)]),
        "do_not_disturb": ([(0, 0, 0), (0, -1, 1)], [(0, 0, 1), (1, -1, 0)]),
    }
    return tuple(_bounds(kind, *lines[kind], np.array([treated, control]), covariance, level) for kind in KINDS)


def _bounds(
    kind: Kind,
    below: list[tuple[int, int, int]],
    above: list[tuple[int, int, int]],
    means: Floats,
    covariance: Floats,
    level: float,
) -> Bounds:
    low, low_se, _ = _lines(below, means, covariance)
    high, high_se, contend = _lines(above, means, covariance)
    lower, upper = float(np.clip(low.max(), 0, 1)), float(np.clip(high.min(), 0, 1))
    if not np.isfinite([*low_se, *high_se]).all():
        return Bounds(kind, lower, upper, np.nan, np.nan)
    se = float(max(low_se[low.argmax()], high_se[high.argmin()]))
    c = imbens_manski(upper - lower, se, level)
    # The smaller of two numbers that can't be told apart is below both: each then gets half of the chance to miss.
    wide = imbens_manski(upper - lower, se, 1 - (1 - level) / 2) if contend else c
    ends = float((low - c * low_se).max()), float((high + wide * high_se).min())
    return Bounds(kind, lower, upper, max(0.0, ends[0]), min(1.0, ends[1]))


def _lines(lines: list[tuple[int, int, int]], means: Floats, covariance: Floats) -> tuple[Floats, Floats, bool]:
    """Values of two lines in the means, their errors, and whether they can't be told apart."""
    weights = np.array([line[1:] for line in lines], dtype=np.float64)
    values = np.array([line[0] for line in lines]) + weights @ means
    errors = np.sqrt(np.maximum(np.einsum("ki,ij,kj->k", weights, covariance, weights), 0.0))
    gap = weights[0] - weights[1]
    gap_se = float(np.sqrt(max(gap @ covariance @ gap, 0.0)))
    return values, errors, bool(abs(values[0] - values[1]) < CLOSE * gap_se)


def imbens_manski(width: float, se: float, level: float) -> float:
    """The factor of the errors at both ends: between the one-sided and the two-sided normal quantile.

        Phi(c + width / se) - Phi(-c) = level

    Examples:
        >>> round(imbens_manski(0.0, 1.0, 0.95), 3), round(imbens_manski(10.0, 1.0, 0.95), 3)
        (1.96, 1.645)
    """
    if se <= 0:
        return float(special.ndtri(level))
    ratio = max(width, 0.0) / se
    low, high = special.ndtri(level), special.ndtri((1 + level) / 2)
    return float(optimize.brentq(lambda c: special.ndtr(c + ratio) - special.ndtr(-c) - level, low - 1e-6, high + 1e-6))
