"""Balance of features between arms: standardised differences, and an omnibus p-value by drawing the lot again."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Column, Floats
from leadlift.base.records import BalanceRow
from leadlift.data import AssignmentLog

REDRAWS = 199
# Drawing again costs a pass over the units each time; a sample this large says as much.
MOST_UNITS = 50_000
MOST_LEVELS = 20


def balance_rows(log: AssignmentLog) -> list[BalanceRow]:
    """Standardised difference of each feature, arm minus control: difference in means over the pooled spread.

    A text feature counts by the level that differs most; missing values count as a level of their own.
    """
    rows = []
    for name in log.features.columns:
        table = numeric_view(log.features[name])
        for arm in log.treated_arms:
            contrast = log.contrast(arm)
            differences = [standardised(column, contrast) for column in table.T]
            worst = max(differences, key=abs, default=0.0)
            rows.append(BalanceRow(str(name), arm, worst))
    return rows


def standardised(values: Floats, contrast: Codes) -> float:
    """Difference in means over the root mean variance of the two arms; 0 for a constant."""
    treated, control = values[contrast == 1], values[contrast == 0]
    spread = np.sqrt((treated.var() + control.var()) / 2)
    return float((treated.mean() - control.mean()) / spread) if spread > 0 else 0.0


def numeric_view(column: Column) -> Floats:
    """A feature as columns of numbers, shape (n, k): itself with gaps filled by its mean, and indicators of levels."""
    missing = column.isna().to_numpy()
    parts = []
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        filled = np.where(missing, values[~missing].mean() if (~missing).any() else 0.0, values)
        parts.append(filled)
    else:
        codes, levels = pd.factorize(column)
        common = np.argsort(-np.bincount(codes[codes >= 0], minlength=len(levels)), kind="stable")[:MOST_LEVELS]
        parts += [(codes == level).astype(np.float64) for level in sorted(common)]
    if missing.any() and not missing.all():
        parts.append(missing.astype(np.float64))
    return np.column_stack(parts) if parts else np.zeros((len(column), 0))


def omnibus_p(log: AssignmentLog, rng: np.random.Generator) -> float | None:
    """p-value of all features being balanced, by drawing the lot again; None without features.

    The statistic is the sum over arms of the squared distance between the arm's feature means and everyone's. The lot
    is drawn again by shuffling arms over the units of each cell of constant propensity.
    """
    if log.features.shape[1] == 0:
        return None
    X = np.column_stack([numeric_view(log.features[name]) for name in log.features.columns])
    spread = X.std(axis=0)
    X = (X[:, spread > 0] - X[:, spread > 0].mean(axis=0)) / spread[spread > 0]
    if X.shape[1] == 0:
        return None
    units = _units(log)
    if len(units) > MOST_UNITS:
        units = np.sort(rng.choice(units, MOST_UNITS, replace=False))
    totals, arm, cell = _unit_totals(log, X, units)
    observed = _distance(totals, arm, len(log.arms))
    worse = sum(
        _distance(totals, _redrawn(arm, cell, rng), len(log.arms)) >= observed * (1 - 1e-12) for _ in range(REDRAWS)
    )
    return (worse + 1) / (REDRAWS + 1)


def _units(log: AssignmentLog) -> Codes:
    """First row of each unit that the lot drew: organisations where each has one arm, else leads."""
    if not organisations_whole(log):
        return np.arange(len(log))
    return np.unique(log.organisation, return_index=True)[1]


def organisations_whole(log: AssignmentLog) -> bool:
    """Whether all leads of each organisation have one arm."""
    first = np.unique(log.organisation, return_index=True)[1]
    return bool((log.arm == log.arm[first][log.organisation]).all())


def _unit_totals(log: AssignmentLog, X: Floats, units: Codes) -> tuple[Floats, Codes, Codes]:
    if len(units) == len(log) or not organisations_whole(log):
        return X[units], np.asarray(log.arm[units]), np.asarray(log.cell[units])
    sums: Floats = np.column_stack([np.bincount(log.organisation, weights=column) for column in X.T])
    return sums[log.organisation[units]], log.arm[units], log.cell[units]


def _distance(totals: Floats, arm: Codes, arms: int) -> float:
    centred = totals - totals.mean(axis=0)
    means = [centred[arm == a].mean(axis=0) for a in range(arms) if (arm == a).any()]
    return float(sum((mean**2).sum() for mean in means))


def _redrawn(arm: Codes, cell: Codes, rng: np.random.Generator) -> Codes:
    """Arms shuffled within cells."""
    shuffled = np.lexsort((rng.random(len(arm)), cell))
    original = np.argsort(cell, kind="stable")
    drawn = np.empty_like(arm)
    drawn[original] = arm[shuffled]
    return drawn
