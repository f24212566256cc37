"""Tests of two samples from what sums keep of them: counts, means, variances. No row is read twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from leadlift.base.problems import stop
from leadlift.base.record import Record
from leadlift.inference.intervals import Interval, p_value, t_interval


@dataclass(frozen=True)
class Sample(Record):
    """What is kept of one arm.

    Attributes:
        n: leads, at least 2.
        mean: mean outcome, outcome units.
        variance: of the outcome, with n - 1, squared outcome units.
    """

    n: int
    mean: float
    variance: float

    def __post_init__(self) -> None:
        if self.n < 2 or not self.variance >= 0:
            found = f"{self.n:,} leads, variance {self.variance:g}"
            raise stop(
                "a sample", "sample", "two leads or more, and a variance that is not negative", found, "add leads"
            )


@dataclass(frozen=True)
class WelchTest(Record):
    """Treated less control, with Welch's error.

    Attributes:
        effect: difference in means, outcome units.
        interval: of the effect.
        relative_effect: effect over the control's mean; NaN if that is not positive.
        relative_interval: of the ratio of means, less 1, on the log scale; NaN unless both means are positive.
        statistic: effect over its standard error.
        df: Satterthwaite's degrees of freedom.
        p_value: two-sided.
    """

    effect: float
    interval: Interval
    relative_effect: float
    relative_interval: Interval
    statistic: float
    df: float
    p_value: float


def welch_test(treated: Sample, control: Sample, *, level: float) -> WelchTest:
    """Welch's t-test from two samples' sums.

    Raises:
        DataError: a level outside (0, 1), or no variance in either sample.

    Examples:
        >>> test = welch_test(Sample(3461, 0.70, 6.2**2), Sample(3407, 0.41, 3.9**2), level=0.95)
        >>> round(test.p_value, 4)
        0.0202
    """
    parts = (treated.variance / treated.n, control.variance / control.n)
    if sum(parts) == 0:
        raise stop("two samples", "variance", "outcomes vary", "both variances are 0", "look at the outcomes")
    effect, se = treated.mean - control.mean, float(np.sqrt(sum(parts)))
    df = _degrees(parts, treated.n, control.n)
    ratio = treated.mean / control.mean if control.mean > 0 else float("nan")
    return WelchTest(
        effect=effect,
        interval=t_interval(effect, se, df, level),
        relative_effect=ratio - 1,
        relative_interval=_ratio_interval(treated, control, level),
        statistic=effect / se,
        df=df,
        p_value=p_value(effect, se, df),
    )


def _ratio_interval(treated: Sample, control: Sample, level: float) -> Interval:
    if min(treated.mean, control.mean) <= 0:
        return Interval(float("nan"), float("nan"))
    parts = tuple(sample.variance / sample.n / sample.mean**2 for sample in (treated, control))
    df = _degrees((parts[0], parts[1]), treated.n, control.n)
    logs = t_interval(float(np.log(treated.mean / control.mean)), float(np.sqrt(sum(parts))), df, level)
    return Interval(float(np.expm1(logs.lower)), float(np.expm1(logs.upper)))


def _degrees(parts: tuple[float, float], n_treated: int, n_control: int) -> float:
    return sum(parts) ** 2 / (parts[0] ** 2 / (n_treated - 1) + parts[1] ** 2 / (n_control - 1))


@dataclass(frozen=True)
class ProportionsTest(Record):
    """Treated less control, in proportions (0.05 is five points).

    Attributes:
        effect: difference in proportions.
        interval: of the effect, with the error pooled under no difference; NaN for the exact tests, which have none.
        p_value: two-sided.
    """

    effect: float
    interval: Interval
    p_value: float


def proportions_test(
    events_treated: int,
    n_treated: int,
    events_control: int,
    n_control: int,
    *,
    method: Literal["pooled", "fisher", "boschloo"],
    level: float,
) -> ProportionsTest:
    """Classical tests of two proportions. Effects of studies use `miettinen_nurminen` where events are few.

    Raises:
        DataError: more events than leads, an empty arm, or a level outside (0, 1).

    Examples:
        >>> round(proportions_test(13, 47, 19, 53, method="pooled", level=0.95).p_value, 4)
        0.3809
    """
    counts = (events_treated, n_treated, events_control, n_control)
    if not (0 <= events_treated <= n_treated and 0 <= events_control <= n_control and min(n_treated, n_control) >= 1):
        found = f"{events_treated:,} of {n_treated:,} and {events_control:,} of {n_control:,}"
        raise stop("two proportions", "counts", "0 <= events <= leads, both arms with leads", found, "count again")
    effect = events_treated / n_treated - events_control / n_control
    if method == "pooled":
        return _pooled(effect, counts, level)
    table = [[events_treated, events_control], [n_treated - events_treated, n_control - events_control]]
    p = stats.fisher_exact(table).pvalue if method == "fisher" else stats.boschloo_exact(table).pvalue
    return ProportionsTest(effect, Interval(float("nan"), float("nan")), float(p))


def _pooled(effect: float, counts: tuple[int, int, int, int], level: float) -> ProportionsTest:
    events_treated, n_treated, events_control, n_control = counts
    rate = (events_treated + events_control) / (n_treated + n_control)
    se = float(np.sqrt(rate * (1 - rate) * (1 / n_treated + 1 / n_control)))
    return ProportionsTest(effect, t_interval(effect, se, np.inf, level), p_value(effect, se, np.inf))
