"""Balance of features between arms: standardised differences, and an omnibus p-value by drawing the lot again."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Column, Floats
from leadlift.base.records import BalanceRow
from leadlift.data import AssignmentLog
from leadlift.design.redraw import cells_of, redrawn_p

# Drawing again costs a pass over the units each time; a sample this large says as much.
MOST_UNITS = 20_000
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
            differences = [standardised(column, contrast, log.weight) for column in table.T]
            worst = max(differences, key=abs, default=0.0)
            rows.append(BalanceRow(str(name), arm, worst))
    return rows


def standardised(values: Floats, contrast: Codes, weight: Floats | None = None) -> float:
    """Difference in (weighted) means over the root mean variance of the two arms; 0 for a constant."""
    means, variances = [], []
    for arm in (1, 0):
        inside = contrast == arm
        share = None if weight is None else weight[inside]
        means.append(np.average(values[inside], weights=share))
        variances.append(np.average((values[inside] - means[-1]) ** 2, weights=share))
    spread = np.sqrt(sum(variances) / 2)
    return float((means[0] - means[1]) / spread) if spread > 0 else 0.0


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
    """p-value of all features being balanced, by drawing the lot again; None without features that vary.

    Features are summed over the leads of each unit that the lot drew: of each organisation, or each lead.
    """
    if log.features.shape[1] == 0:
        return None
    X = np.column_stack([numeric_view(log.features[name]) for name in log.features.columns])
    spread = X.std(axis=0)
    X = (X[:, spread > 0] - X[:, spread > 0].mean(axis=0)) / spread[spread > 0]
    if X.shape[1] == 0:
        return None
    by_organisation = log.drawn.unit == "organisations"
    unit = log.organisation if by_organisation else np.arange(len(log), dtype=np.intp)
    first = np.unique(unit, return_index=True)[1]
    totals: Floats = np.column_stack([np.bincount(unit, weights=column) for column in X.T])
    arm, cell = log.arm[first], log.cell[first]
    if len(first) > MOST_UNITS:
        some = np.sort(rng.choice(len(first), MOST_UNITS, replace=False))
        totals, arm, cell = totals[some], arm[some], cell[some]
    return redrawn_p(totals, arm, cells_of(cell), len(log.arms), rng)
