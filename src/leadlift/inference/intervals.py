"""Intervals and p-values of single numbers: Student's t, and the score interval of a difference in proportions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, stats

from leadlift.base.problems import stop
from leadlift.base.record import Record
from leadlift.inference._arrays import Floats, checked_level, finite_columns


@dataclass(frozen=True)
class Interval(Record):
    """A confidence interval, in the units of what it is about; NaN where there is no error.

    Attributes:
        lower: lower end.
        upper: upper end.
    """

    lower: float
    upper: float


@dataclass(frozen=True)
class ScoreInterval(Record):
    """A difference in proportions with its score interval.

    Attributes:
        value: treated minus control, cells weighted, in proportions (0.05 is five points).
        lower: lower end, at least -1.
        upper: upper end, at most 1.
        p_value: two-sided, of no difference.
    """

    value: float
    lower: float
    upper: float
    p_value: float


def t_interval(value: float, se: float, df: float, level: float) -> Interval:
    """value ± t(df) se, two-sided.

    Args:
        value: estimate, outcome units.
        se: standard error, outcome units; NaN gives NaN ends.
        df: degrees of freedom; infinity gives the normal interval.
        level: confidence, inside (0, 1).

    Returns:
        The interval, outcome units.

    Raises:
        DataError: a level outside (0, 1).

    Examples:
        >>> interval = t_interval(1.0, 0.5, 10, 0.95)
        >>> round(interval.lower, 4), round(interval.upper, 4)
        (-0.1141, 2.1141)
    """
    half = float(stats.t.ppf((1 + checked_level(level)) / 2, df)) * se
    return Interval(value - half, value + half)


def p_value(value: float, se: float, df: float) -> float:
    """Two-sided p-value of a value of 0.

    Args:
        value: estimate, outcome units.
        se: standard error, outcome units.
        df: degrees of freedom.

    Returns:
        The p-value; NaN without an error, and where an error of 0 leaves nothing to compare with (but 1 if the
        value is 0 as well).

    Examples:
        >>> round(p_value(1.0, 0.5, 10), 4)
        0.0734
    """
    if np.isnan(se) or se <= 0:
        return 1.0 if value == 0 and se == 0 else float("nan")
    return float(2 * stats.t.sf(abs(value) / se, df))


def miettinen_nurminen(
    events_treated: Any,
    n_treated: Any,
    events_control: Any,
    n_control: Any,
    *,
    level: float,
    weights: Any = None,
    design_effect: float = 1.0,
) -> ScoreInterval:
    """Stratified score interval of a difference in proportions, treated minus control.

    The interval holds every difference d that the score test keeps: in each cell the variance is taken at the likeliest
    proportions that differ by d, times n/(n-1). It works with no events at all, where a t interval has no width. In
    cells of a few leads the test may keep two stretches of differences: the interval spans both, so that it can hold 0
    where the p-value is below 1 - level.

    Args:
        events_treated: leads with the outcome, treated arm, by cell, shape (cells,) or a number.
        n_treated: leads of the treated arm, likewise, at least 1.
        events_control: leads with the outcome, control.
        n_control: leads of control, at least 1.
        level: confidence, inside (0, 1).
        weights: cell weights, such as the number of all leads in the cell; None: leads of both arms.
        design_effect: variance of the clustered estimate over that of independent leads; below 1 counts as 1.

    Returns:
        The difference, its interval and p-value.

    Raises:
        DataError: a cell without leads in an arm, more events than leads, negative weights, or a level outside (0, 1).

    References:
        Miettinen, Nurminen (1985), Statistics in Medicine 4, 213-226.

    Examples:
        >>> none = miettinen_nurminen(0, 40, 0, 40, level=0.95)
        >>> none.value, round(none.lower, 4), round(none.upper, 4), none.p_value
        (0.0, -0.0886, 0.0886, 1.0)
    """
    where = "a score interval"
    x1, n1, x0, n0 = finite_columns(
        where,
        events_treated=np.atleast_1d(events_treated),
        n_treated=np.atleast_1d(n_treated),
        events_control=np.atleast_1d(events_control),
        n_control=np.atleast_1d(n_control),
    )
    if not x1.size or (x1 > n1).any() or (x0 > n0).any() or (np.r_[x1, x0] < 0).any() or (np.r_[n1, n0] < 1).any():
        rule, fix = "0 <= events <= leads, and both arms have leads in every cell", "merge cells first"
        raise stop(where, "counts", rule, f"{x1.size:,} cells that don't all hold to it", fix)
    cell_share = _shares(n1 + n0 if weights is None else weights, x1.size)
    estimate = float(cell_share @ (x1 / n1 - x0 / n0))
    inflation = max(1.0, design_effect)

    def z(difference: float) -> float:
        variance = inflation * float(cell_share**2 @ score_variance(x1, n1, x0, n0, difference))
        gap = estimate - difference
        return 0.0 if gap == 0 else float(gap / np.sqrt(max(variance, 1e-300)))

    critical = float(stats.norm.ppf((1 + checked_level(level)) / 2))
    lower = _inverted(lambda d: z(d) - critical, -1.0, estimate, at_limit=-1.0)
    upper = _inverted(lambda d: z(d) + critical, estimate, 1.0, at_limit=1.0)
    return ScoreInterval(estimate, lower, upper, float(2 * stats.norm.sf(abs(z(0.0)))))


def _shares(weights: Any, cells: int) -> Floats:
    (values,) = finite_columns("a score interval", weights=np.atleast_1d(weights))
    if values.shape != (cells,) or (values < 0).any() or values.sum() <= 0:
        rule = "`weights` has one non-negative number per cell"
        raise stop("a score interval", "weights", rule, f"shape {values.shape}", "pass cell sizes")
    shares: Floats = values / values.sum()
    return shares


def _inverted(test: Callable[[float], float], low: float, high: float, *, at_limit: float) -> float:
    """Where `test`, which falls from above 0 to below 0, is 0; `at_limit` if it doesn't cross."""
    if low >= high or test(low) * test(high) > 0:
        return at_limit
    return float(optimize.brentq(test, low, high, xtol=1e-12))


def score_variance(x1: Floats, n1: Floats, x0: Floats, n0: Floats, difference: float) -> Floats:
    """Variance of p1 - p0 at the likeliest proportions that differ by `difference`, by cell, shape (cells,)."""
    p0 = restricted_control_rate(x1, n1, x0, n0, difference)
    p1 = np.clip(p0 + difference, 0, 1)
    n = n1 + n0
    variance: Floats = (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) * n / (n - 1)
    return variance


def restricted_control_rate(x1: Floats, n1: Floats, x0: Floats, n0: Floats, difference: float) -> Floats:
    """The likeliest control proportion if treated is `difference` above it: a root of a cubic, shape (cells,)."""
    n, x, d = n1 + n0, x1 + x0, difference
    a, b = n, (n1 + 2 * n0) * d - n - x
    c, e = (n0 * d - n - 2 * x0) * d + x, x0 * d * (1 - d)
    shift = b / (3 * a)
    q = shift**3 - b * c / (6 * a**2) + e / (2 * a)
    p = np.where(q >= 0, 1.0, -1.0) * np.sqrt(np.maximum(shift**2 - c / (3 * a), 0))
    ratio = np.divide(q, p**3, out=np.zeros_like(q), where=np.abs(p) > 1e-100)
    angle = (np.pi + np.arccos(np.clip(ratio, -1, 1))) / 3
    rate: Floats = np.clip(2 * p * np.cos(angle) - shift, max(0.0, -d), min(1.0, 1 - d))
    return rate
