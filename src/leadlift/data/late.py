"""Columns that betray that they were filled in after assignment. Used only where features were not named."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from leadlift.base.arrays import Codes, Column, Floats

# The lot makes a difference this unlikely once in a million columns.
UNLIKELY = 1e-6
# A level that settles the outcome, in at least this many leads.
SETTLED = 30


def late_columns(table: pd.DataFrame, outcome: Floats, arm: Codes) -> dict[str, str]:
    """Columns of `table` that differ between arms more than a lot allows, or that settle the outcome.

    Args:
        table: candidate features, shape (n, columns).
        outcome: shape (n,), may hold NaN.
        arm: arm codes, shape (n,).

    Returns: the reason by column name.
    """
    reasons = {}
    for name in table.columns:
        column = table[name]
        if _is_identifier(column):
            reasons[str(name)] = "another value in every row"
        elif _arms_differ(column, arm) < UNLIKELY:
            reasons[str(name)] = "differs between arms more than a lot allows"
        elif settles(column, outcome):
            reasons[str(name)] = "settles the outcome"
    return reasons


def _is_identifier(column: Column) -> bool:
    return (
        not pd.api.types.is_numeric_dtype(column.dtype)
        and len(column) > SETTLED
        and column.nunique() > 0.9 * len(column)
    )


def _arms_differ(column: Column, arm: Codes) -> float:
    """p-value of equal distributions over arms: rank test for numbers, chi-square for text and missing values."""
    p_missing = _chi_square(column.isna().to_numpy().astype(int), arm)
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return min(p_missing, _chi_square(pd.factorize(column)[0], arm))
    present = column.notna().to_numpy()
    groups = [column[present & (arm == a)] for a in np.unique(arm)]
    if min(map(len, groups)) == 0 or column[present].nunique() < 2:
        return p_missing
    return min(p_missing, float(stats.kruskal(*groups).pvalue))


def _chi_square(codes: Codes, arm: Codes) -> float:
    table = pd.crosstab(codes, arm).to_numpy()
    table = table[table.sum(axis=1) >= 10]
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[0] < 2 or table.shape[1] < 2:
        return 1.0
    return float(stats.chi2_contingency(table).pvalue)


def settles(column: Column, outcome: Floats) -> bool:
    """Whether values of the column leave nothing of the outcome open, as an outcome's own copy or part would."""
    present = column.notna().to_numpy() & ~np.isnan(outcome)
    if not present.any():
        return False
    codes = _few_levels(column[present])
    y = outcome[present]
    level = pd.DataFrame({"code": codes, "y": y}).groupby("code")["y"].agg(["size", "min", "max"])
    full = level[(level["size"] >= SETTLED) & (level["min"] == level["max"]) & (level["max"] > np.min(y))]
    return len(full) > 0


def _few_levels(column: Column, most: int = 50) -> Codes:
    """Level codes; a number with more levels than `most` is cut into twenty quantiles."""
    codes, values = pd.factorize(column)
    if len(values) <= most or not pd.api.types.is_numeric_dtype(column.dtype):
        return codes
    return np.asarray(pd.qcut(column, 20, labels=False, duplicates="drop"), dtype=np.intp)
