"""Money that an outcome brings, and what a touch costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from leadlift.base.arrays import Codes, Floats, floats
from leadlift.base.errors import ConfigError
from leadlift.base.problems import Problems, did_you_mean, listed, share
from leadlift.base.strategies import ValueConfig
from leadlift.data import AssignmentLog

WHERE = "the money"
LEDGER_VALUE = "value (ledger)"


@dataclass(frozen=True, eq=False)
class Money:
    """What is known of money, besides the log.

    Attributes:
        unit: such as EUR.
        brought: money that each lead brought, shape (n,).
        worth: money per outcome as known before the lot, shape (n,); None: what was brought is only known afterwards.
        cost: per touch, shape (treated arms,).
    """

    unit: str
    brought: Floats
    worth: Floats | None
    cost: Floats

    def worth_from(self, log: AssignmentLog, rows: Codes) -> Floats:
        """Money per outcome for every lead, shape (n,): as known, else the mean of `rows`."""
        if self.worth is not None:
            return self.worth
        total = float(log.outcome[rows].sum())
        return np.full(len(log), float(self.brought[rows].sum()) / total if total else 0.0)

    def scores(self, log: AssignmentLog, scores: Floats, rows: Codes, other: Codes) -> Floats:
        """Per-lead scores of money after the touch's cost.

        With y the outcome, m its model, v the money brought and r the worth of an outcome, the scores of v adjusted by
        r m are r G plus the weighted residual v - r y: no model of money is needed.

        Args:
            log: the leads.
            scores: per-lead scores of the outcome by treated arm, shape (rows, arms).
            rows: the leads that they are of.
            other: leads of other organisations, to learn r from.

        Returns: shape (rows, arms), money.
        """
        worth = self.worth_from(log, other)[rows]
        rest = self.brought[rows] - worth * log.outcome[rows]
        net = np.empty_like(scores)
        for k in range(scores.shape[1]):
            weight = (log.arm[rows] == k + 1) / log.propensities[rows, k + 1]
            weight = weight - (log.arm[rows] == 0) / log.propensities[rows, 0]
            net[:, k] = worth * scores[:, k] + weight * rest - self.cost[k]
        return net


def money_of(log: AssignmentLog, value: ValueConfig | None, costs: Mapping[str, float] | None) -> Money | None:
    """The money of a study; None where nothing says what an outcome is worth.

    Raises:
        ConfigError: costs that miss an arm or name an unknown one, or money without a unit.
        DataError: a column that can't be used.
    """
    problems = Problems(WHERE)
    _check_costs(log, costs, problems)
    worth, brought = _worth(log, value, problems)
    priced = value is not None or costs is not None
    if priced and (value is None or value.unit is None):
        problems.add(
            "no-unit",
            "money has a unit",
            "`value` has none" if value is not None else "`decide.costs` without `value`",
            "`value: {per_outcome: 1200, unit: EUR}`, or `{column: amount, unit: EUR}`",
            ConfigError,
        )
    problems.stop_if_any()
    if value is None or value.unit is None or brought is None:
        return None
    return Money(value.unit, brought, worth, _costs(log, costs))


def _check_costs(log: AssignmentLog, costs: Mapping[str, float] | None, problems: Problems) -> None:
    if costs is None:
        return
    missing = [arm for arm in log.treated_arms if arm not in costs]
    unknown = [arm for arm in costs if arm not in log.arms]
    if missing:
        rule, found = "every arm that touches has a cost", f"none for {listed(missing)}"
        problems.add("cost-missing", rule, found, f"add them: `costs: {{{missing[0]}: 35}}`; 0 is a cost", ConfigError)
    if unknown:
        rule, hint = "costs are of arms of the log", did_you_mean(unknown[0], log.treated_arms)
        problems.add("cost-arm", rule, f"no lead has the arm {listed(unknown)}", hint, ConfigError)
    if costs.get(log.arms[0]):
        rule, found = "control is not touched, so it costs nothing", f"{log.arms[0]}: {costs[log.arms[0]]:g}"
        problems.add("cost-control", rule, found, "leave it out", ConfigError)


def _costs(log: AssignmentLog, costs: Mapping[str, float] | None) -> Floats:
    """Cost of a touch by arm: as said, else the mean over the arm's leads in the log, else 0."""
    if costs is not None:
        return np.array([costs[arm] for arm in log.treated_arms])
    if log.cost is None:
        return np.zeros(len(log.treated_arms))
    return np.array([float(np.nanmean(log.cost[log.arm == k + 1])) for k in range(len(log.treated_arms))])


def _worth(log: AssignmentLog, value: ValueConfig | None, problems: Problems) -> tuple[Floats | None, Floats | None]:
    """Money per outcome as known before the lot (None: not known), and money brought."""
    if value is None:
        return None, None
    if value.per_outcome is not None:
        worth = np.full(len(log), value.per_outcome)
        return worth, worth * log.outcome
    column = value.column or ""
    if column in log.known_before.columns:
        worth = floats(log.known_before[column])
        missing = int((~np.isfinite(worth)).sum())
        if missing:
            rule, fix = f"every lead has a worth in `{column}`", "fill it, or use `per_outcome`"
            problems.add("value-missing", rule, f"none in {share(missing, len(log))}", fix)
        return worth, worth * log.outcome
    if column == log.names.get("outcome"):
        return np.ones(len(log)), log.outcome
    # A ledger's own value was made from this very column.
    if log.value is not None and log.names["value"] in (column, LEDGER_VALUE):
        brought = np.where(np.isfinite(log.value), log.value, 0.0)
        return (np.ones(len(log)) if log.outcome_kind == "money" else None), brought
    hint = did_you_mean(column, [*map(str, log.known_before.columns), *filter(None, [log.names.get("value")])])
    rule = "`value.column` is a feature, the outcome, or the log's value"
    fix = f"what each lead brought is named in `data.value: {column}`; {hint}"
    problems.add("value-column", rule, f"`{column}` is none of them", fix, ConfigError)
    return None, None
