"""Is a split the one that was planned? p-values of counts per arm against shares."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy import stats

from leadlift.base.problems import stop

SplitTest = Literal["chi2", "binomial", "normal", "normal_corrected"]


def sample_ratio_p(counts: Any, shares: Any, *, method: SplitTest = "chi2") -> float:
    """p-value of the split being the planned one.

    Args:
        counts: units found in each arm, shape (arms,); units are what the lot drew.
        shares: planned shares, shape (arms,); rescaled to add up to 1.
        method: `chi2` for any number of arms; for two arms also the exact `binomial`, and `normal` with or without
            continuity correction.

    Returns:
        The two-sided p-value.

    Raises:
        DataError: lengths differ, a share is not positive, no unit is there, or three arms with a test for two.

    Examples:
        >>> round(sample_ratio_p([310, 98, 95], [0.6, 0.2, 0.2]), 4)
        0.7402
        >>> round(sample_ratio_p([53, 47], [1, 1], method="binomial"), 4)
        0.6173
    """
    found, planned = np.asarray(counts, dtype=np.float64), np.asarray(shares, dtype=np.float64)
    fits = found.shape == planned.shape and found.size >= 2 and (method == "chi2" or found.size == 2)
    if not fits or planned.min() <= 0 or found.min() < 0 or found.sum() == 0:
        rule = "a count and a positive share for each of two arms or more; only chi2 takes more than two"
        shown = f"counts {found.tolist()}, shares {planned.tolist()}, method {method}"
        raise stop("a split", "split", rule, shown, "pass all arms")
    planned = planned / planned.sum()
    total = float(found.sum())
    if method == "chi2":
        return float(stats.chisquare(found, total * planned).pvalue)
    if method == "binomial":
        return float(stats.binomtest(round(found[0]), round(total), float(planned[0])).pvalue)
    off = abs(found[0] - total * planned[0])
    off = max(off - 0.5, 0.0) if method == "normal_corrected" else off
    return float(2 * stats.norm.sf(off / np.sqrt(total * planned[0] * planned[1])))
