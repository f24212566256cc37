"""Intervals that hold at every look at once, for whoever watches an experiment while it runs."""

from __future__ import annotations

import numpy as np

from leadlift.base.problems import stop
from leadlift.inference.intervals import Interval


def asymptotic_sequence(value: float, se: float, n: int, *, tuned_at: int, level: float) -> Interval:
    """One term of an asymptotic confidence sequence: all terms hold together with about `level`.

    value ± se sqrt(n) sqrt(2 (n rho^2 + 1) / (n rho)^2 log(sqrt(n rho^2 + 1) / alpha)), with
    rho^2 = (-2 log alpha + log(1 - 2 log alpha)) / tuned_at, which makes it about narrowest at `tuned_at` leads.

    Args:
        value: estimate after n leads, outcome units.
        se: its standard error, outcome units.
        n: leads so far, at least 1.
        tuned_at: leads at which the sequence should be narrowest; fixed before the first look.
        level: confidence, inside (0, 1).

    Returns:
        The interval, outcome units.

    Raises:
        DataError: a level outside (0, 1), or numbers of leads below 1.

    References:
        Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2024), Annals of Statistics 52, 2613-2640.

    Examples:
        >>> interval = asymptotic_sequence(0.29, 0.125, 6868, tuned_at=5000, level=0.95)
        >>> round(interval.lower, 2), round(interval.upper, 2)
        (-0.09, 0.67)
    """
    if not 0 < level < 1 or n < 1 or tuned_at < 1:
        rule = "a level inside (0, 1), and 1 lead or more"
        found = f"level {level:g}, {n:,} leads, tuned at {tuned_at:,}"
        raise stop("a confidence sequence", "sequence", rule, found, "change them")
    alpha = 1 - level
    rho2 = (-2 * np.log(alpha) + np.log(1 - 2 * np.log(alpha))) / tuned_at
    grown = n * rho2 + 1
    half = se * np.sqrt(n) * np.sqrt(2 * grown / (n**2 * rho2) * np.log(np.sqrt(grown) / alpha))
    return Interval(float(value - half), float(value + half))
