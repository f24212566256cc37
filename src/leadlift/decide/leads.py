"""What a strategy may look at: leads as they were known before the lot, and what models predict. Never an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Column, Floats
from leadlift.base.problems import did_you_mean, stop
from leadlift.data import UNKNOWN_PROBLEM, AssignmentLog


@dataclass(frozen=True, eq=False)
class Leads:
    """Leads to be ranked.

    Attributes:
        columns: what is known of them before anyone is touched, shape (n, columns).
        score: conversion score, shape (n,), or None.
        cuts: where score groups begin, lowest first.
        arms: what they could be touched by.
        uplift: predicted for each arm by models that never saw their organisations, shape (n, arms), outcome units;
            None where no model was asked.
        worth: money per outcome, expected, shape (n,); None where that is not known.
        cost: money per touch, shape (arms,); 0 where nothing was said.
    """

    columns: pd.DataFrame
    score: Floats | None
    cuts: tuple[float, ...]
    arms: tuple[str, ...]
    uplift: Floats | None = None
    worth: Floats | None = None
    cost: Floats | None = None

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, name: str) -> Column:
        """A column that is known before the lot.

        Raises:
            DataError: there is none of that name.
        """
        if name not in self.columns.columns:
            hint = did_you_mean(name, map(str, self.columns.columns))
            raise stop("the leads", "strategy-column", f"`{name}` is a column of the leads", "there is none", hint)
        return self.columns[name]

    def take(self, rows: Codes) -> Leads:
        """Some of the leads."""

        def of(values: Floats | None) -> Floats | None:
            return None if values is None else values[rows]

        return Leads(
            self.columns.iloc[rows].reset_index(drop=True),
            of(self.score),
            self.cuts,
            self.arms,
            of(self.uplift),
            of(self.worth),
            self.cost,
        )


def leads_of(log: AssignmentLog, cuts: Sequence[float] = (), **more: Any) -> Leads:
    """The leads of a log, without their outcomes and arms."""
    given = log.score is not None and log.score_source == "given"
    return Leads(columns_of(log), log.score if given else None, tuple(cuts), log.treated_arms, **more)


def columns_of(log: AssignmentLog) -> pd.DataFrame:
    """What is known of a log's leads before the lot: features, the score, and the problem that was logged."""
    columns = log.known_before if len(log.known_before.columns) else pd.DataFrame(index=np.arange(len(log)))
    if log.problem is None:
        return columns
    problem = pd.Series(np.asarray(log.problem, dtype=object), index=columns.index)
    problem = problem.where(problem != UNKNOWN_PROBLEM, None)
    return columns.assign(**{name: problem for name in problem_names(log) if name not in columns})


def problem_names(log: AssignmentLog) -> tuple[str, ...]:
    """What a strategy may call the problem that was logged: `problem`, or its column; empty where none was."""
    return () if log.problem is None else tuple(dict.fromkeys(("problem", log.names["problem"])))
