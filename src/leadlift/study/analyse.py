"""What a study computes, from a checked log to records; nothing here reads files or tracks runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Floats
from leadlift.base.config import StudyConfig
from leadlift.base.decisions import Decision, StrategyValue
from leadlift.base.problem_records import PooledEffect
from leadlift.base.records import (
    BalanceRow,
    Check,
    Effect,
    LearnerChoice,
    RankingDifference,
    RankingResult,
    ScoreInfo,
    SegmentTest,
)
from leadlift.data import AssignmentLog
from leadlift.decide import Strategy
from leadlift.design import Evidence, balance_rows, run_checks
from leadlift.evaluation import (
    Segments,
    crossed,
    effects_by_segment,
    everyone,
    judge_sequentially,
    learner_choices,
    problem_effects,
    problem_segments,
    ranking_differences,
    ranking_results,
    score_groups,
)
from leadlift.learners import OutOfFold, cross_fit, fold_units, log_features, make_learners
from leadlift.study.act import Holds, asked_list, with_list
from leadlift.study.progress import Progress
from leadlift.study.strategies import asked, decided

DIFFER = 0.05


@dataclass(frozen=True, eq=False)
class Findings:
    """Everything a study found, before it is written down."""

    log: AssignmentLog
    checks: tuple[Check, ...]
    effects: tuple[Effect, ...] = ()
    segment_tests: tuple[SegmentTest, ...] = ()
    pooled: tuple[PooledEffect, ...] = ()
    score: ScoreInfo | None = None
    segments: Segments | None = None
    rankings: tuple[RankingResult, ...] = ()
    differences: tuple[RankingDifference, ...] = ()
    choices: tuple[LearnerChoice, ...] = ()
    balance: tuple[BalanceRow, ...] = ()
    out_of_fold: OutOfFold | None = None
    strategies: tuple[StrategyValue, ...] = ()
    decision: Decision | None = None
    to_touch: pd.DataFrame | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def stopped(self) -> bool:
        """Whether a check stopped the study."""
        return any(check.status == "stop" for check in self.checks)


def analyse(
    log: AssignmentLog,
    config: StudyConfig,
    progress: Progress,
    evidence: Evidence | None = None,
    strategies: Sequence[Strategy] = (),
    beside: Path | None = None,
    holds: Holds | None = None,
    true_uplift: Floats | None = None,
) -> Findings:
    """Checks a log and, unless a check stops it, estimates everything the configuration asks for.

    Args:
        log: the leads.
        config: what is asked.
        progress: listens to the steps.
        evidence: what checks may look at beside the log; None: nothing, it is a flat log.
        strategies: others than those that the configuration names.
        beside: the folder that a file of new leads is in.
        holds: which clients are held out, so that no list may name them.
        true_uplift: of each lead by treated arm, shape (n, arms), outcome units, where a simulated company knows it.
    """
    named = config.data is None or config.data.features is not None
    with progress.step("checks"):
        checks = run_checks(evidence or Evidence(log, features_named=named, seed=config.seed))
    if any(check.status == "stop" for check in checks):
        return Findings(log, tuple(checks), balance=tuple(balance_rows(log)))

    question = asked(log, config, strategies)
    wanted = asked_list(question, config, beside, holds)
    learners = make_learners(config.learners, config.seed, config.learner_options.arguments())
    features = log_features(log)
    folds = min(config.folds, fold_units(log)[1])
    with progress.step("cross-fitting", folds * config.repeats) as tick:
        fitted = cross_fit(
            learners, log, folds=folds, repeats=config.repeats, seed=config.seed, features=features, progress=tick
        )
    # Its groups are cut within folds, so that each fold's scores must come from models of the other folds alone.
    scored = log if log.score is not None else log.with_score(_bounded(log, fitted.first[:, 0]), "estimated")

    with progress.step("effects"):
        effects, _ = effects_by_segment(scored, everyone(scored), fitted.outcomes, seed=config.seed)
        grouped = score_groups(scored, config.score_groups, fitted.fold)
        tests: list[SegmentTest] = []
        if grouped is None:
            checks.append(_no_groups(scored))
        else:
            by_group, tests = effects_by_segment(scored, grouped[0], fitted.outcomes, seed=config.seed)
            effects += by_group
        pooled: list[PooledEffect] = []
        for one in _by_problem(scored, None if grouped is None else grouped[0]):
            by_problem = problem_effects(scored, one, fitted.outcomes, seed=config.seed)
            effects += by_problem[0]
            tests += by_problem[1]
            pooled += by_problem[2]
    with progress.step("sequential validation", 4) as tick:
        blocks = judge_sequentially(scored, learners, seed=config.seed, features=features, progress=tick)
    choices = learner_choices(blocks, log.treated_arms, seed=config.seed, groups_differ=_groups_differ(tests))
    with progress.step("strategies"):
        info = None if grouped is None else grouped[1]
        fixed = [one for one in (grouped and grouped[0], problem_segments(scored)) if one is not None]
        values, decision = decided(
            question, scored, fitted, blocks, score=info, segments=fixed, seed=config.seed, true_uplift=true_uplift
        )
        listed, decision = with_list(wanted, question, scored, fitted, config, decision, choices)
    return Findings(
        log=scored,
        checks=tuple(checks),
        effects=tuple(effects),
        segment_tests=tuple(tests),
        pooled=tuple(pooled),
        score=None if grouped is None else grouped[1],
        segments=None if grouped is None else grouped[0],
        rankings=tuple(ranking_results(scored, blocks, fitted.outcomes, seed=config.seed)),
        differences=tuple(ranking_differences(scored, blocks)),
        choices=tuple(choices),
        balance=tuple(balance_rows(scored)),
        out_of_fold=fitted,
        strategies=values,
        decision=decision,
        to_touch=listed,
    )


def _groups_differ(tests: list[SegmentTest]) -> list[str]:
    """Arms whose uplift differs between score groups, at 5%."""
    by_scores = [test for test in tests if (test.segment_by, test.estimator) == ("score_group", "aipw")]
    return [test.treatment for test in by_scores if test.p_value is not None and test.p_value < DIFFER]


def _by_problem(log: AssignmentLog, groups: Segments | None) -> list[Segments]:
    """Segments by the problem logged at assignment, alone and within score groups."""
    problems = problem_segments(log)
    if problems is None:
        return []
    return [problems] if groups is None else [problems, crossed(groups, problems)]


def _bounded(log: AssignmentLog, score: Floats) -> Floats:
    return np.clip(score, 0.0, 1.0) if log.outcome_kind == "binary" else score


def _no_groups(log: AssignmentLog) -> Check:
    assert log.score is not None
    values = len(np.unique(log.score))
    return Check(
        "score-groups",
        "warn",
        values,
        f"the estimated score has {values:,} different values, too few for the groups; features say too little about "
        "who buys: name the team's score (`data.score`), or add features",
    )
