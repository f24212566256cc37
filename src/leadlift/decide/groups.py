"""Who responds how, as bounds, and which groups are better left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from leadlift.base.arrays import Bools, Codes, Floats
from leadlift.base.decisions import Decision, LeaveAlone, ResponseShares
from leadlift.base.record import known
from leadlift.data import AssignmentLog
from leadlift.decide.judgement import block_scores, measured, usable_blocks
from leadlift.decide.question import Question
from leadlift.evaluation import JudgedBlock, Segments, chosen_before, lead_scores
from leadlift.evaluation.judging import SCORE
from leadlift.evaluation.scores import control_scores, few_events
from leadlift.inference import Estimate, covariance, max_t, mean_of_scores, response_bounds
from leadlift.learners import OutOfFold

LEVEL = 0.95
# Groups by what models of other organisations predict.
PREDICTION, BELOW = "prediction", "uplift below zero"


def with_groups(
    decision: Decision,
    question: Question,
    fitted: OutOfFold,
    segments: Sequence[Segments],
    blocks: Sequence[JudgedBlock] = (),
    *,
    seed: int,
) -> Decision:
    """The decision with shares of responses (binary outcomes) and groups to leave alone.

    Args:
        decision: what the strategies were compared for.
        question: as `ask` checked it.
        fitted: out-of-fold predictions of all leads.
        segments: groups that were decided without their own organisations' outcomes.
        blocks: what models fitted on earlier organisations said of later ones.
        seed: of simulated critical values.
    """
    log = question.log
    shares = response_shares(log, fitted) if log.outcome_kind == "binary" else ()
    groups = leave_alone(question, fitted, segments, blocks, seed=seed)
    return replace(decision, shares=shares, leave_alone=groups)


def response_shares(log: AssignmentLog, fitted: OutOfFold) -> tuple[ResponseShares, ...]:
    """Bounds on persuadables, sure things, lost causes and do-not-disturbs, for each arm."""
    rows: list[ResponseShares] = []
    control = _mean(log, control_scores(log, fitted.outcomes), log.treated_arms[0])
    for arm in log.treated_arms:
        effect = _mean(log, lead_scores(log, arm, fitted.outcomes), arm)
        joint = covariance([effect, control])
        # From (effect, control) to (treated, control).
        turn = np.array([[1.0, 1.0], [0.0, 1.0]])
        if few_events(log, arm):
            joint = np.full((2, 2), np.nan)
        p0 = float(np.clip(control.value, 0, 1))
        p1 = float(np.clip(control.value + effect.value, 0, 1))
        rows += [
            ResponseShares(arm, one.kind, one.lower, one.upper, known(one.interval_lower), known(one.interval_upper))
            for one in response_bounds(p1, p0, turn @ joint @ turn.T, level=LEVEL)
        ]
    return tuple(rows)


@dataclass(frozen=True, eq=False)
class _Group:
    """Leads that one arm may harm; scores of outcome and of money are of shape (n,), read at `rows` only."""

    arm: int
    by: str
    name: str
    rows: Bools
    outcome: Floats
    money: Floats | None


def leave_alone(
    question: Question,
    fitted: OutOfFold,
    segments: Sequence[Segments],
    blocks: Sequence[JudgedBlock] = (),
    *,
    seed: int,
) -> tuple[LeaveAlone, ...]:
    """Groups whose simultaneous upper end lies below zero: of the uplift (harmful), or of money less cost.

    Beside `segments`, the leads of `blocks` whose uplift models of earlier organisations predict to be below zero. Ends
    hold at once for all groups and arms of a measure.
    """
    log, arms = question.log, question.log.treated_arms
    groups = [*_given(question, fitted, segments), *_predicted(question, blocks, seed)]
    if not groups:
        return ()
    effect = _family(log, [(arms[one.arm], one.rows, one.outcome) for one in groups], seed)
    money = [(arms[one.arm], one.rows, one.money) for one in groups if one.money is not None]
    net = iter(_family(log, money, seed) if money else ())
    rows = []
    for one, (value, upper) in zip(groups, effect, strict=True):
        gain, most = (None, None) if one.money is None else next(net)
        harmful, loses = upper is not None and upper < 0, most is not None and most < 0
        verdict: Literal["harmful", "unprofitable", "keep"] = (
            "harmful" if harmful else "unprofitable" if loses else "keep"
        )
        facts = (arms[one.arm], one.by, one.name, int(one.rows.sum()))
        rows.append(LeaveAlone(*facts, verdict, value, upper, gain, most))
    return tuple(rows)


def _given(question: Question, fitted: OutOfFold, segments: Sequence[Segments]) -> list[_Group]:
    outcome = measured(question, "outcome", fitted)
    money = None if question.money is None else measured(question, "money", fitted)
    return [
        _Group(a, one.by, name, one.code == k, outcome[:, a], None if money is None else money[:, a])
        for a in range(len(question.log.treated_arms))
        for one in segments
        for k, name in enumerate(one.names)
    ]


def _predicted(question: Question, blocks: Sequence[JudgedBlock], seed: int) -> list[_Group]:
    """Leads that models of earlier organisations predict to lose, by arm."""
    log = question.log
    usable = usable_blocks(question, blocks)
    follows = chosen_before(usable, log.treated_arms, otherwise=question.learner, seed=seed)
    shape = (len(log), len(log.treated_arms))
    rows, outcome, money = np.zeros(shape, dtype=bool), np.zeros(shape), np.zeros(shape)
    for block, names in zip(usable, follows, strict=True):
        outcome[block.rows] = block_scores(question, "outcome", block)
        if question.money is not None:
            money[block.rows] = block_scores(question, "money", block)
        for a, arm in enumerate(log.treated_arms):
            if (names[arm], arm) in block.predicted and names[arm] != SCORE:
                rows[block.rows, a] = block.predicted[names[arm], arm] < 0
    return [
        _Group(a, PREDICTION, BELOW, rows[:, a], outcome[:, a], None if question.money is None else money[:, a])
        for a in range(shape[1])
        if rows[:, a].any()
    ]


def _family(
    log: AssignmentLog, groups: Sequence[tuple[str, Bools, Floats]], seed: int
) -> list[tuple[float | None, float | None]]:
    """Mean and simultaneous upper end of each group, by its arm, rows and scores."""
    estimates = [_mean(log, scores, arm, rows) for arm, rows, scores in groups]
    few = [few_events(log, arm, np.flatnonzero(rows)) for arm, rows, _ in groups]
    df = np.array([estimate.df for estimate in estimates])
    critical = max_t(covariance(estimates), df, level=LEVEL, rng=np.random.default_rng([seed, 8]))
    return [
        (known(one.value), None if scarce else known(one.value + critical * one.se))
        for one, scarce in zip(estimates, few, strict=True)
    ]


def _mean(log: AssignmentLog, scores: Floats, arm: str, rows: Bools | None = None) -> Estimate:
    contrast = log.contrast(arm)
    units = [_units(log.organisation[(contrast == a) & (True if rows is None else rows)]) for a in (1, 0)]
    return mean_of_scores(
        scores,
        stratum=log.stratum,
        unit=log.organisation,
        n_units=log.n_organisations,
        units_treated=units[0],
        units_control=units[1],
        segment=rows,
    )


def _units(organisation: Codes) -> int:
    return len(np.unique(organisation))
