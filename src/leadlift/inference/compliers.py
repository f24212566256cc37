"""The complier average: what a touch does where the lot decided whether there was one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from leadlift.base.record import Record
from leadlift.inference._arrays import checked_level
from leadlift.inference.estimates import Estimate

SetKind = Literal["interval", "outside", "everything", "none"]


@dataclass(frozen=True)
class ComplierAverage(Record):
    """A complier average and its Anderson-Rubin set.

    Attributes:
        value: effect on the outcome over effect on being touched, outcome units; NaN if the lot moved no touch.
        lower, upper: the ends of the set; NaN where it has none.
        kind: `interval`: all numbers from lower to upper; `outside`: all but those between them; `everything`: the
            lot moved too few touches to exclude any number; `none`: too few units for an error.
    """

    value: float
    lower: float
    upper: float
    kind: SetKind


def complier_average(outcome: Estimate, touched: Estimate, *, level: float) -> ComplierAverage:
    """The ratio of two effects on the same units, with the set of all ratios that the lot does not reject.

    A ratio b is in the set if the effect on `outcome - b touched`, which is none for the true b, is not told from 0.
    That holds however weakly the lot moved touches, where intervals around the ratio fail. Assumes that the lot
    works through touches alone, and that nobody is touched only because the lot said control.

    Args:
        outcome: effect of the lot on the outcome, outcome units.
        touched: effect of the lot on being touched, as a share, by the same estimator on the same units.
        level: confidence, inside (0, 1).

    Raises:
        DataError: a level outside (0, 1).

    References:
        Anderson, Rubin (1949); Imbens, Angrist (1994); Andrews, Stock, Sun (2019).

    Examples:
        >>> whole = Estimate(1.0, np.zeros(4), 4, 3.0, 0.0)
        >>> effect = Estimate(0.5, np.array([0.1, 0.1, -0.1, -0.1]), 4, 3.0, 0.2)
        >>> complier_average(effect, whole, level=0.95).to_dict()
        {'value': 0.5, 'lower': -0.136..., 'upper': 1.136..., 'kind': 'interval'}
    """
    tail = (1 - checked_level(level)) / 2
    nothing = float("nan")
    value = outcome.value / touched.value if touched.value else nothing
    if "none" in (outcome.method, touched.method) or not np.isfinite(outcome.value + touched.value):
        return ComplierAverage(value, nothing, nothing, "none")
    critical = float(stats.t.isf(tail, outcome.df)) ** 2
    a = touched.value**2 - critical * float(touched.influence @ touched.influence)
    b = outcome.value * touched.value - critical * float(outcome.influence @ touched.influence)
    c = outcome.value**2 - critical * float(outcome.influence @ outcome.influence)
    # The set is where a x^2 - 2 b x + c <= 0.
    inside = b**2 - a * c
    if a == 0 or inside <= 0:
        return ComplierAverage(value, nothing, nothing, "everything")
    root = float(np.sqrt(inside))
    lower, upper = sorted(((b - root) / a, (b + root) / a))
    return ComplierAverage(value, lower, upper, "interval" if a > 0 else "outside")
