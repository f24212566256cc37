"""Who responds how, as bounds, and which groups are better left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from leadlift.base.arrays import Bools, Codes, Floats
from leadlift.base.decisions import Decision, LeaveAlone, ResponseShares
from leadlift.base.record import known
from leadlift.data import AssignmentLog
from leadlift.decide.judgement import measured
from leadlift.decide.question import Question
from leadlift.evaluation import Segments, lead_scores
from leadlift.evaluation.scores import control_scores, few_events
from leadlift.inference import Estimate, covariance, max_t, mean_of_scores, response_bounds
from leadlift.learners import OutOfFold

LEVEL = 0.95


def with_groups(
    decision: Decision,
    question: Question,
    fitted: OutOfFold,
    segments: Segments | None,
    *,
    seed: int,
) -> Decision:
    """The decision with shares of responses (binary outcomes) and groups to leave alone (groups fixed beforehand)."""
    log = question.log
    shares = response_shares(log, fitted) if log.outcome_kind == "binary" else ()
    # Groups of a score that was estimated from these leads were not decided on other organisations.
    fixed = segments is not None and question.score_is_given
    groups = leave_alone(question, fitted, segments, seed=seed) if fixed and segments is not None else ()
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


def leave_alone(question: Question, fitted: OutOfFold, segments: Segments, *, seed: int) -> tuple[LeaveAlone, ...]:
    """Groups whose simultaneous upper end lies below zero: of the uplift (harmful), or of money less cost."""
    log, arms = question.log, question.log.treated_arms
    inside = [segments.code == k for k in range(len(segments.names))]
    effect = _family(log, measured(question, "outcome", fitted), inside, seed)
    net = None if question.money is None else _family(log, measured(question, "money", fitted), inside, seed)
    rows = []
    for place, (a, k) in enumerate((a, k) for a in range(len(arms)) for k in range(len(inside))):
        upper, net_upper = effect[place][1], None if net is None else net[place][1]
        harmful, loses = upper is not None and upper < 0, net_upper is not None and net_upper < 0
        rows.append(
            LeaveAlone(
                arms[a],
                segments.by,
                segments.names[k],
                int(inside[k].sum()),
                "harmful" if harmful else "unprofitable" if loses else "keep",
                effect[place][0],
                upper,
                None if net is None else net[place][0],
                net_upper,
            )
        )
    return tuple(rows)


def _family(
    log: AssignmentLog, scores: Floats, inside: Sequence[Bools], seed: int
) -> list[tuple[float | None, float | None]]:
    """Mean and simultaneous upper end by arm and group."""
    estimates = [_mean(log, scores[:, a], arm, rows) for a, arm in enumerate(log.treated_arms) for rows in inside]
    few = [few_events(log, arm, np.flatnonzero(rows)) for arm in log.treated_arms for rows in inside]
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
