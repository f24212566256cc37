"""p-values by drawing the lot again: what would totals by arm look like if only the lot had made them?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Floats

REDRAWS = 999
# Once so many draws are as far apart as the lot that was drawn, its p-value is known well enough.
ENOUGH = 20


def redrawn_p(totals: Floats, arm: Codes, cell: Codes, arms: int, rng: np.random.Generator) -> float:
    """p-value of units' totals not depending on their arms, by drawing the lot again.

    The statistic is the sum of squares between arms of the units' totals, less their cell's mean. The lot is drawn
    again by shuffling arms over the units of each cell: exact for hashed lots, given how many each arm got, and
    cautious for blocked ones, whose blocks are narrower. Drawing ends once the p-value is known to be large.

    Args:
        totals: of each unit, shape (units, columns).
        arm: arm codes, shape (units,).
        cell: codes of cells of constant propensities, 0 .. cells - 1, shape (units,).
        arms: how many there are.
        rng: source of the draws.

    References:
        Besag, Clifford (1991), Sequential Monte Carlo p-values, Biometrika 78, 301-304.
    """
    columns = np.atleast_2d(totals.T)
    sizes = np.bincount(cell)
    centred = np.array([column - (np.bincount(cell, weights=column) / sizes)[cell] for column in columns])
    found = between_arms(centred, arm, arms) * (1 - 1e-9)
    order = np.argsort(cell, kind="stable")
    beyond, drawn = 0, np.empty_like(arm)
    for number in range(1, REDRAWS + 1):
        drawn[order] = arm[np.argsort(cell + rng.random(len(cell)))]
        beyond += bool(between_arms(centred, drawn, arms) >= found)
        if beyond == ENOUGH:
            return beyond / number
    return (beyond + 1) / (REDRAWS + 1)


def between_arms(columns: Floats, arm: Codes, arms: int) -> float:
    """Sum over arms and columns of n (mean of the arm)^2; `columns` has shape (columns, units)."""
    n = np.maximum(np.bincount(arm, minlength=arms), 1)
    sums = np.array([np.bincount(arm, weights=column, minlength=arms) for column in columns])
    return float((sums**2 / n).sum())


def cells_of(*keys: Any) -> Codes:
    """Codes of the cells that cross these keys, each of shape (units,) or (units, columns)."""
    frame = pd.concat([pd.DataFrame(np.asarray(key)) for key in keys], axis=1, ignore_index=True)
    rounded = frame.apply(lambda column: column.round(12) if column.dtype == float else column)
    return np.asarray(rounded.groupby(list(rounded.columns), dropna=False, sort=True).ngroup(), dtype=np.intp)
