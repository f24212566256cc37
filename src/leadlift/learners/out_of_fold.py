"""Out-of-fold predictions of a log's leads, and how they go out as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Floats
from leadlift.data import AssignmentLog
from leadlift.data.door import like_frame


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Predictions for leads by models that never saw their organisations.

    Attributes:
        uplift: by learner, shape (n, arms - 1), outcome units; arms in the order of `log.treated_arms`.
        outcomes: expected outcome under each arm, shape (n, arms), control first: the nuisances of per-lead scores.
        fold: fold of each lead, shape (n,); with several repeats, of the first.
        first: `outcomes` by the first draw's models alone, shape (n, arms). Within one of its folds these come from
            models of other organisations only, which means over draws do not: what is to be cut into groups.
        repeats: how many draws of folds the predictions are means of.
    """

    uplift: Mapping[str, Floats]
    outcomes: Floats
    fold: Codes
    first: Floats
    repeats: int = 1

    def frame(self, log: AssignmentLog, like: Any = None) -> Any:
        """A row per lead, in the order of the frame that the log was made from.

        Args:
            log: the leads.
            like: a frame of the library that the answer is to be of, such as the log's own; None: pandas. A DuckDB
                relation is answered in Arrow.

        Returns: `lead_id` (the row number when there is none), `treatment`, `fold`, `uplift_<learner>`
        (`uplift_<learner>[<arm>]` with more than two arms), outcome units.
        """
        table = lead_table(log).assign(fold=self.fold, **uplift_columns(log, self.uplift))
        return like_frame(in_input_order(log, table), like)


def lead_table(log: AssignmentLog) -> pd.DataFrame:
    """A row per lead in the log's order: `lead_id`, or the row number when there is none, and `treatment`."""
    names = log.position if log.lead_id is None else log.lead_id
    return pd.DataFrame({"lead_id": names, "treatment": np.array(log.arms, dtype=object)[log.arm]})


def uplift_columns(log: AssignmentLog, uplift: Mapping[str, Floats]) -> dict[str, Floats]:
    """Predictions of each learner, shape (n, arms - 1), by the name of their column."""
    one = len(log.treated_arms) == 1
    return {
        f"uplift_{learner}" if one else f"uplift_{learner}[{arm}]": values[:, index]
        for learner, values in uplift.items()
        for index, arm in enumerate(log.treated_arms)
    }


def in_input_order(log: AssignmentLog, table: pd.DataFrame) -> pd.DataFrame:
    """Rows in the log's order put into that of its input."""
    return table.iloc[np.argsort(log.position, kind="stable")].reset_index(drop=True)
