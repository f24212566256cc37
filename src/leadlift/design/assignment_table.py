"""The columns of the `assignments` table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Column
from leadlift.base.experiment import ExperimentConfig
from leadlift.data import DrawInfo
from leadlift.design.strata import group_codes

PREFIX = "propensity_"
# The rule that chose the arms: the design's shares. Later rounds name the policy they learnt.
POLICY = "design"


def coded(code: Codes, names: Sequence[str]) -> Column:
    """A text column from codes, kept as codes: millions of leads share a few words; -1 is missing.

    >>> coded(np.array([1, 0, -1]), ["control", "call"]).tolist()
    ['call', 'control', nan]
    """
    categories: Any = pd.Series(list(names), dtype="str")
    return pd.Series(pd.Categorical.from_codes(code, categories))


def assignment_table(
    rows: pd.DataFrame, features: Sequence[str], config: ExperimentConfig, info: DrawInfo, now: pd.Timestamp
) -> pd.DataFrame:
    """Leads with their lot as the `assignments` table has them, with a column `propensity_<arm>` for each arm.

    Args:
        rows: leads with unit, stratum, arm, propensities and holdout.
        features: columns of `rows` that are logged as they were known.
        config: names the score groups.
        info: what the draw says of itself.
        now: when the lot was drawn, UTC.
    """
    n = len(rows)
    columns: dict[str, Any] = {"experiment": _constant(info.experiment, n), "round": np.full(n, info.round, np.int32)}
    columns |= {name: rows[name] for name in ("lead_id", "organisation_id", "unit_id", "stratum")}
    if "score" in rows:
        columns["score"] = rows["score"]
        if info.score_cuts is not None:
            code = group_codes(rows["score"].to_numpy(), info.score_cuts)
            columns["score_group"] = coded(code, config.score_groups.names)
    columns |= {name: rows[name] for name in (*(["problem"] if "problem" in rows else []), *features, "treatment")}
    columns |= {name: _propensity(rows, name) for name in (f"{PREFIX}{arm}" for arm in info.arms)}
    columns |= {"propensity_holdout": rows["propensity_holdout"]}
    columns |= {name: rows[name].astype(bool) for name in ("holdout", "late")}
    columns |= {"policy": _constant(POLICY, n), "design_digest": _constant(info.design_digest, n)}
    columns["assigned_at"] = pd.Series(pd.DatetimeIndex([now]).as_unit("us").repeat(n))
    return pd.DataFrame(columns)


def _propensity(rows: pd.DataFrame, name: str) -> Column:
    """An arm's propensities; 0 where a unit was drawn in a round without it."""
    return rows[name].fillna(0.0) if name in rows else pd.Series(0.0, index=rows.index)


def _constant(word: str, n: int) -> Column:
    return coded(np.zeros(n, dtype=np.intp), [word])
