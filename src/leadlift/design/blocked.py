"""The blocked lot: permuted blocks inside strata, for a list at hand."""

from __future__ import annotations

import numpy as np

from leadlift.base.arrays import Codes, Column, Floats
from leadlift.design.hashing import buckets

# Shares that need a longer block than this are drawn with the whole stratum as one block.
LONGEST_BLOCK = 100
WHOLE = 1e-9


def blocked_arms(ids: Column, stratum: Codes, shares: Floats, salt: str) -> Codes:
    """Arms by permuted blocks: in each block every arm has its share of the units, to within one unit.

    A stratum's units stand in the order of their buckets and are cut into blocks. Where a block's share is no whole
    number, as in an incomplete last block, all arms are rounded at once by one uniform number of the block's own: arm
    a gets floor(m c_a + u) - floor(m c_(a-1) + u) of m units, where c cumulates the shares. Its mean is m times the
    arm's share, and the block's order is random, so P(arm) is the arm's share for every unit.

    Args:
        ids: identifiers of the units, shape (n,).
        stratum: stratum codes, shape (n,).
        shares: P(arm) by stratum, shape (strata, arms); rows add up to 1.
        salt: names the lot.

    Returns: arm codes, shape (n,); they don't depend on the order of the units.

    References: Madow (1949), systematic sampling, for the rounding.

    >>> import pandas as pd
    >>> arms = blocked_arms(pd.Series(list("abcdef")), np.zeros(6, np.intp), np.array([[0.5, 0.5]]), "spring-calls")
    >>> arms.tolist().count(1)
    3
    """
    n = len(ids)
    order = np.lexsort((buckets(ids, salt), stratum))
    place, length, first = _blocks(stratum[order], np.array([block_length(row) for row in shares]))
    starts = np.flatnonzero(first)
    luck = buckets(ids.iloc[order[starts]], f"{salt}/block")[np.cumsum(first) - 1]
    upper = np.cumsum(shares, axis=1)[:, :-1][stratum[order]]
    ends = np.floor(length[:, None] * upper + luck[:, None])
    arms = np.empty(n, dtype=np.intp)
    arms[order] = (ends <= place[:, None]).sum(axis=1)
    return arms


def block_length(shares: Floats) -> int:
    """Units in the shortest block in which every arm's share is a whole number; 0: no block up to 100 is.

    >>> block_length(np.array([0.5, 0.25, 0.25])), block_length(np.array([1 / 3, 2 / 3]))
    (4, 3)
    >>> block_length(np.array([0.123, 0.877]))
    0
    """
    for length in range(len(shares), LONGEST_BLOCK + 1):
        whole = shares * length
        if np.abs(whole - np.round(whole)).max() < WHOLE * length:
            return length
    return 0


def _blocks(stratum: Codes, wanted: Codes) -> tuple[Codes, Codes, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Each unit's place in its block, its block's length, and whether it is the first; units are sorted by stratum."""
    sizes = np.bincount(stratum, minlength=len(wanted))
    starts = np.cumsum(sizes) - sizes
    position = np.arange(len(stratum)) - starts[stratum]
    lengths = np.where(wanted > 0, wanted, np.maximum(sizes, 1))[stratum]
    place = position % lengths
    length = np.minimum(lengths, sizes[stratum] - (position - place))
    return place, length, place == 0
