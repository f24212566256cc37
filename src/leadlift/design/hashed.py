"""The hashed lot: a unit's arm is where its bucket falls, for leads that keep arriving."""

from __future__ import annotations

import numpy as np

from leadlift.base.arrays import Codes, Floats


def hashed_arms(bucket: Floats, shares: Floats) -> Codes:
    """The arm in whose part of the line from 0 to 1 each bucket falls; arms lie one after the other.

    Args:
        bucket: uniform in [0, 1), shape (n,).
        shares: P(arm), shape (arms,) or, by unit, (n, arms); rows add up to 1.

    Returns: arm codes, shape (n,).

    >>> hashed_arms(np.array([0.0, 0.499, 0.5, 0.999]), np.array([0.5, 0.5])).tolist()
    [0, 0, 1, 1]
    """
    # The last arm's upper end is 1, whatever rounding makes of the sum.
    upper = np.atleast_2d(np.cumsum(shares, axis=-1))[:, :-1]
    code = np.zeros(len(bucket), dtype=np.intp)
    for column in upper.T:
        code += bucket >= column
    return code
