"""Evidence against a planned split that holds at every look, however often one looks: a multinomial e-process."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln, xlogy

from leadlift.base.problems import stop
from leadlift.inference._arrays import Floats

# How far shares are expected to be off where they are off, as the units of a Dirichlet prior around the planned ones.
# A hundred looks for gaps that a thousand units show; more looks for smaller gaps, and is blind to all in small logs.
CONCENTRATION = 100.0


def split_log_evidence(counts: Any, shares: Any, *, concentration: float = CONCENTRATION) -> Floats:
    """Log evidence against the planned shares after each look.

    The evidence is the likelihood of the units so far, averaged over shares drawn from a Dirichlet distribution around
    the planned ones, over their likelihood under the planned shares:

        E_n = B(c s + n) / B(c s) / prod_a s_a^n_a      (B: the multivariate beta function)

    Where each unit's arm is drawn by itself with the planned shares, E is a martingale that starts at 1, so it ever
    exceeds 1/u with probability u at most: 1/max E is a p-value at every look. Evidence of independent cells, each
    with shares of its own, multiplies.

    Args:
        counts: new units in each arm at each look, shape (looks, arms).
        shares: planned shares, shape (arms,), above 0; rescaled to add up to 1.
        concentration: c, units of prior; fixed before the first look.

    Returns: log E after each look, shape (looks,).

    Raises:
        DataError: shapes differ, a share is not positive, or a count is below 0.

    References:
        Lindon, Malek (2022), Anytime-valid inference for multinomial count data, NeurIPS 35.

    Examples:
        >>> split_log_evidence([[50, 50], [30, 10]], [0.5, 0.5]).round(2).tolist()
        [-0.35, 0.4]
    """
    found, planned = np.atleast_2d(np.asarray(counts, dtype=np.float64)), np.asarray(shares, dtype=np.float64)
    if planned.ndim != 1 or planned.size < 2 or found.shape[1] != planned.size or planned.min() <= 0:
        shown = f"counts of shape {found.shape}, shares {planned.tolist()}"
        raise stop("a split", "split", "a positive share for each of two arms or more", shown, "pass all arms")
    if not np.isfinite(found).all() or found.min(initial=0) < 0 or concentration <= 0:
        raise stop("a split", "split", "counts are 0 or more", f"{found.min(initial=0):g}", "count units")
    planned = planned / planned.sum()
    units = found.cumsum(axis=0)
    prior = concentration * planned
    averaged = (gammaln(prior + units) - gammaln(prior)).sum(axis=1)
    averaged += gammaln(concentration) - gammaln(concentration + units.sum(axis=1))
    return np.asarray(averaged - xlogy(units, planned).sum(axis=1), dtype=np.float64)


def anytime_p(log_evidence: Any) -> float:
    """The p-value at the last of these looks: one over the largest evidence so far, at most 1.

    >>> anytime_p(split_log_evidence([[500, 500], [600, 400], [700, 300]], [0.5, 0.5])) < 1e-9
    True
    """
    largest = float(np.max(log_evidence, initial=0.0))
    return float(np.exp(-largest))
