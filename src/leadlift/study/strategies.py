"""A study's strategies: asked before anything is fitted, answered when models are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from leadlift.base.arrays import Floats
from leadlift.base.config import StudyConfig
from leadlift.base.decisions import Decision, StrategyValue
from leadlift.base.errors import ConfigError
from leadlift.base.problems import listed, stop
from leadlift.base.records import ScoreInfo
from leadlift.data import AssignmentLog
from leadlift.decide import Question, Strategy, ask, decide, named_strategies, with_groups
from leadlift.evaluation import JudgedBlock, Segments
from leadlift.evaluation.groups import quantile_cuts
from leadlift.learners import OutOfFold

NOTHING: tuple[tuple[StrategyValue, ...], Decision | None] = ((), None)


def asked(log: AssignmentLog, config: StudyConfig, custom: Sequence[Strategy]) -> Question | None:
    """The study's strategies, checked; None where it asks for none.

    Raises:
        ConfigError: names, costs or a capacity that can't be.
        DataError: a strategy that this log can't rank by.
    """
    strategies = [*named_strategies(config.strategies), *custom]
    if not strategies:
        if config.decide.model_fields_set:
            rule, fix = "`decide` is of strategies to compare", "`strategies: [score_first, fence_sitters_first]`"
            found = f"`decide` is there ({listed(sorted(config.decide.model_fields_set))}), `strategies` is not"
            raise stop("the configuration", "no-strategies", rule, found, fix, ConfigError)
        return None
    learner = config.learners[-1] if config.learners else ""
    return ask(log, strategies, config.decide, value=config.value, cuts=_given_cuts(log, config), learner=learner)


def _given_cuts(log: AssignmentLog, config: StudyConfig) -> list[float]:
    groups = config.score_groups
    if groups.cuts is not None or log.score is None or log.score_source != "given":
        return groups.cuts or []
    return quantile_cuts(log.score, groups.edges)


def decided(
    question: Question | None,
    log: AssignmentLog,
    fitted: OutOfFold,
    blocks: Sequence[JudgedBlock],
    *,
    score: ScoreInfo | None,
    segments: Sequence[Segments],
    seed: int,
    true_uplift: Floats | None = None,
) -> tuple[tuple[StrategyValue, ...], Decision | None]:
    """What every strategy earns at every capacity, and what else decides whom to touch."""
    if question is None:
        return NOTHING
    if not question.score_is_given:
        # An estimated score and its cuts are known only now.
        question = replace(question, log=log, cuts=() if score is None else score.cuts)
    question = replace(question, truth=true_uplift)
    values, decision = decide(question, fitted, blocks, seed=seed)
    return values, with_groups(decision, question, fitted, segments, blocks, seed=seed)
