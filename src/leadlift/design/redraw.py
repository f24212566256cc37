"""p-values by drawing the lot again: what would totals by arm look like if only the lot had made them?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from leadlift.base.arrays import Codes, Floats

REDRAWS = 999
LEAST_P = 1 / (REDRAWS + 1)
# Once so many draws are as far apart as the lot that was drawn, its p-value is known well enough.
ENOUGH = 20
# Of more units a sample is taken: a thousand draws of a million would take minutes and show no more.
MOST_UNITS = 100_000


def redrawn_p(totals: Floats, arm: Codes, cell: Codes, arms: int, rng: np.random.Generator) -> float:
    """p-value of units' totals not depending on their arms, by drawing the lot again.

    The statistic looks for one column that is far apart and for many that are a little: see `_distance`. The lot is
    drawn again by shuffling arms over the units of each cell: exact for hashed lots, given how many each arm got, and
    cautious for blocked ones, whose blocks are narrower. Drawing ends once the p-value is known to be large.

    Args:
        totals: of each unit, shape (units, columns); the units' order does not matter.
        arm: arm codes, shape (units,).
        cell: codes of cells of constant propensities, 0 .. cells - 1, shape (units,).
        arms: how many there are.
        rng: source of the draws.

    References:
        Besag, Clifford (1991), Sequential Monte Carlo p-values, Biometrika 78, 301-304.
    """
    # The order of the rows decides nothing: units that are alike are interchangeable.
    place = np.lexsort((*totals.T[::-1], arm, cell))
    totals, arm, cell = totals[place], arm[place], cell[place]
    if len(arm) > MOST_UNITS:
        some = np.sort(rng.choice(len(arm), MOST_UNITS, replace=False))
        totals, arm, cell = totals[some], arm[some], cells_of(cell[some])
    columns = _within_cells(np.atleast_2d(totals.T), cell)
    if len(columns) == 0:
        return 1.0
    whitening = _whitening(columns)
    found = _distance(columns, whitening, arm, arms) * (1 - 1e-9)
    order = np.argsort(cell, kind="stable")
    beyond, drawn = 0, np.empty_like(arm)
    for number in range(1, REDRAWS + 1):
        drawn[order] = arm[np.argsort(cell + rng.random(len(cell)))]
        beyond += bool(_distance(columns, whitening, drawn, arms) >= found)
        if beyond == ENOUGH:
            return beyond / number
    return (beyond + 1) * LEAST_P


def _within_cells(columns: Floats, cell: Codes) -> Floats:
    """Columns less their cells' means, in standard deviations; those that vary in no cell are left out."""
    sizes = np.bincount(cell)
    centred = np.array([column - (np.bincount(cell, weights=column) / sizes)[cell] for column in columns])
    spread = centred.std(axis=1)
    varies = spread > 1e-9 * np.maximum(np.abs(columns).max(axis=1), 1e-300)
    return np.asarray(centred[varies] / spread[varies, None])


def _whitening(columns: Floats) -> Floats:
    """The map that makes columns uncorrelated with variance 1; what others say already is left out."""
    values, vectors = np.linalg.eigh(columns @ columns.T / columns.shape[1])
    kept = values > 1e-6 * values[-1]
    return np.asarray((vectors[:, kept] / np.sqrt(values[kept])).T)


def _distance(columns: Floats, whitening: Floats, arm: Codes, arms: int) -> float:
    """How far apart the arms are: the larger of two chi-squares' -log p, of the worst column and of all together.

    In large samples the worst of k columns' sum over arms of n (mean of the arm)^2 is a chi-square, times k for having
    looked for it, and so is the sum over uncorrelated columns (Hansen, Bowers 2008, Statistical Science 23, 219-236).
    Drawing the lot again makes the result right in small ones too, and for having taken the larger.
    """
    n = np.maximum(np.bincount(arm, minlength=arms), 1)
    means = np.array([np.bincount(arm, weights=column, minlength=arms) for column in columns]) / n
    worst = float((n * means**2).sum(axis=1).max())
    alone = stats.chi2.logsf(worst, arms - 1) + np.log(len(columns))
    if len(columns) == 1:
        return float(-alone)
    together = float((n * (whitening @ means) ** 2).sum())
    return float(max(-alone, -stats.chi2.logsf(together, len(whitening) * (arms - 1))))


def cells_of(*keys: Any) -> Codes:
    """Codes of the cells that cross these keys, each of shape (units,) or (units, columns)."""
    frame = pd.concat([pd.DataFrame(np.asarray(key)) for key in keys], axis=1, ignore_index=True)
    rounded = frame.apply(lambda column: column.round(12) if column.dtype == float else column)
    return np.asarray(rounded.groupby(list(rounded.columns), dropna=False, sort=True).ngroup(), dtype=np.intp)
