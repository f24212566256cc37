"""What strategies are asked: checked before anything is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Column, Floats
from leadlift.base.config import not_randomised
from leadlift.base.errors import ConfigError
from leadlift.base.problems import did_you_mean, stop
from leadlift.base.strategies import DecideConfig, ValueConfig
from leadlift.data import AssignmentLog
from leadlift.data.late import late_columns
from leadlift.decide.leads import Leads, columns_of, leads_of
from leadlift.decide.lines import ranking_of
from leadlift.decide.money import Money, money_of
from leadlift.decide.strategies import Random, Strategy, follows_score, learns, no_worth

WHERE = "the strategies"
RANDOM = "random"
DEFAULT_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class Question:
    """What strategies are asked.

    Attributes:
        log: the randomised leads.
        strategies: `random` among them.
        settings: the team's capacity and costs.
        money: None where nothing says what an outcome is worth.
        cuts: where score groups begin.
        learner: whose predictions learned strategies follow unless they name another or evidence chooses one.
        shares: capacities, as shares of the leads, rising, shape (Q,).
        per_organisation: strategies choose organisations.
        truth: true uplift of each lead by treated arm, shape (n, arms), outcome units; None: nobody knows it.
    """

    log: AssignmentLog
    strategies: tuple[Strategy, ...]
    settings: DecideConfig
    money: Money | None
    cuts: tuple[float, ...]
    learner: str
    shares: Floats
    per_organisation: bool
    truth: Floats | None = None

    @property
    def score_is_given(self) -> bool:
        """Whether the score came with the log."""
        return self.log.score is not None and self.log.score_source == "given"

    def learns(self, strategy: Strategy) -> bool:
        """Whether anything fitted orders the leads: a model of uplift, or a score estimated from this log."""
        return learns(strategy) or (follows_score(strategy) and not self.score_is_given)

    @property
    def leads(self) -> int:
        """Leads of the list, or of one period."""
        return self.settings.leads or len(self.log)

    @property
    def capacity(self) -> float:
        """Touches of the team; a fifth of the leads unless it was said."""
        return float(self.settings.capacity or DEFAULT_SHARE * self.leads)


def ask(
    log: AssignmentLog,
    strategies: Sequence[Strategy],
    settings: DecideConfig,
    *,
    value: ValueConfig | None = None,
    cuts: Sequence[float] = (),
    learner: str = "",
) -> Question:
    """What strategies are asked, checked before anything is fitted.

    Raises:
        ConfigError: names, costs or a capacity that can't be.
        DataError: a strategy that this log can't rank by.
    """
    if not isinstance(log, AssignmentLog):
        raise not_randomised(
            WHERE,
            "a list without arms and probabilities; whoever was touched was chosen, and the choice is in the outcomes",
            "draw a lot first (`leadlift assign`); a list can still be ranked: `leadlift.decide.act_list`",
        )
    if log.weight is not None:
        rule, fix = "a capacity counts the leads that there are", "run strategies on the whole log, without `weight`"
        found = f"`{log.names['weight']}` says how many leads each stands for: the others can't be ranked"
        raise stop(WHERE, "weights", rule, found, fix)
    every = tuple(strategies)
    if all(one.name != RANDOM for one in every):
        every = (*every, Random())
    names = [one.name for one in every]
    for name in names:
        if names.count(name) > 1:
            raise stop(
                WHERE, "name-twice", "strategies have different names", f"`{name}` twice", "rename one", ConfigError
            )
    if settings.current is not None and settings.current not in names:
        rule, hint = "`decide.current` is one of the strategies", did_you_mean(settings.current, names)
        raise stop(WHERE, "current", rule, f"`{settings.current}` is none", hint, ConfigError)
    if settings.capacity is not None and settings.capacity > (settings.leads or len(log)):
        rule = "the capacity is at most the leads"
        found = f"{settings.capacity:,} touches for {settings.leads or len(log):,} leads"
        fix = "name the touches for these leads, or `leads` and `per` for a period"
        raise stop(WHERE, "capacity", rule, found, fix, ConfigError)
    _refuse_late(log, every)
    question = Question(
        log=log,
        strategies=every,
        settings=settings,
        money=money_of(log, value, settings.costs),
        cuts=tuple(cuts),
        learner=learner,
        shares=_shares(settings, len(log)),
        per_organisation=whole_organisations(log) and not settings.assume_no_spillover,
    )
    if settings.representative is not None and question.money is None:
        rule, fix = "a representative's cost is weighed against money", "`value: {per_outcome: 1200, unit: EUR}`"
        raise stop(WHERE, "no-value", rule, "`decide.representative` without `value`", fix, ConfigError)
    # A strategy that can't rank is found before hours of fitting; what learned ones say is seen when models are there.
    everyone = question_leads(question)
    for one in every:
        if question.money is None and getattr(one, "needs_worth", False):
            raise no_worth(one.name)
        if not question.learns(one):
            ranking_of(one, everyone)
    return question


def _refuse_late(log: AssignmentLog, strategies: Sequence[Strategy]) -> None:
    """Refuses columns that are no features, and features that give away that they were filled in later."""
    after = {log.names[role]: role for role in ("treatment", "outcome", "value", "cost") if role in log.names}
    rule = "a strategy ranks by what was known before the lot"
    columns = columns_of(log)
    for one in strategies:
        where = f"the strategy `{one.name}`"
        for column in one.needs:
            if column in after:
                raise stop(where, "known-later", rule, f"`{column}` is the {after[column]}", "name another column")
            if column in columns.columns:
                reason = _looks_late(log, columns[column])
            elif column in log.left_out:
                reason = log.left_out[column]
            else:
                hint = did_you_mean(column, map(str, columns.columns))
                found, fix = f"`{column}` is no feature of the log", f"{hint} Features are listed in `data.features`"
                raise stop(where, "strategy-column", rule, found, fix)
            if reason:
                found = f"`{column}` looks known only after assignment: {reason}"
                raise stop(where, "known-later", rule, found, "export the column as it was before the lot")


def _looks_late(log: AssignmentLog, column: Column) -> str:
    rows = np.unique(log.organisation, return_index=True)[1] if whole_organisations(log) else np.arange(len(log))
    table = pd.DataFrame({"column": column.iloc[rows].reset_index(drop=True)})
    reason = late_columns(table, log.outcome[rows], log.arm[rows]).get("column", "")
    return "" if reason.startswith("another value") else reason


def _shares(settings: DecideConfig, n: int) -> Floats:
    """Even steps to all leads, and the team's own capacity."""
    even = np.arange(1, settings.steps + 1) / settings.steps
    if settings.capacity is None:
        return np.unique(np.r_[even, DEFAULT_SHARE])
    own = settings.capacity / (settings.leads or n)
    # A step that is all but the team's capacity would say the same twice.
    return np.unique(np.r_[even[np.abs(even - own) > 1e-9], own])


def whole_organisations(log: AssignmentLog) -> bool:
    """Whether organisations were drawn: each has one arm, and some have several leads."""
    if not log.organisations_given or log.n_organisations == len(log):
        return False
    return len(np.unique(log.organisation * len(log.arms) + log.arm)) == log.n_organisations


def question_leads(question: Question, uplift: Floats | None = None, other: Codes | None = None) -> Leads:
    """The log's leads as strategies see them; the worth of an outcome is learnt from `other` leads."""
    money, log = question.money, question.log
    rows = np.arange(len(log)) if other is None else other
    return leads_of(
        log,
        question.cuts,
        uplift=uplift,
        worth=None if money is None else money.worth_from(log, rows),
        cost=None if money is None else money.cost,
    )
