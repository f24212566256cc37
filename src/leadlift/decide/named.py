"""From the settings of a study to its strategies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from leadlift.base.strategies import StrategyConfig
from leadlift.decide.bant import Bant
from leadlift.decide.strategies import (
    ByProblem,
    Everyone,
    FenceSittersFirst,
    NoOne,
    Random,
    RepresentativesPick,
    ScoreFirst,
    SkipTheDead,
    Strategy,
    Triage,
    UpliftFirst,
    UpliftValueFirst,
)


def _bant(given: StrategyConfig) -> Strategy:
    columns = {str(part): column for part, column in (given.columns or {}).items()}
    weights = {str(part): weight for part, weight in (given.weights or {}).items()}
    return Bant(columns, weights, given.words or {}, tuple(given.lower_is_better or ()), given.label)


def _pick(given: StrategyConfig) -> Strategy:
    return RepresentativesPick(given.column or "", given.label)


def _by_problem(given: StrategyConfig) -> Strategy:
    order = None if given.order is None else tuple(given.order)
    return ByProblem(given.label, given.column or "problem", order, given.learner)


MAKERS: Mapping[str, Callable[[StrategyConfig], Strategy]] = MappingProxyType(
    {
        "score_first": lambda given: ScoreFirst(given.label),
        "fence_sitters_first": lambda given: FenceSittersFirst(given.label, given.middle),
        "skip_the_dead": lambda given: SkipTheDead(given.label, given.dead),
        "triage": lambda given: Triage(given.label, given.column, given.dead, given.sure),
        "bant": _bant,
        "representatives_pick": _pick,
        "uplift_first": lambda given: UpliftFirst(given.label, given.learner),
        "uplift_value_first": lambda given: UpliftValueFirst(given.label, given.learner),
        "by_problem": _by_problem,
        "random": lambda given: Random(given.label),
        "everyone": lambda given: Everyone(given.label),
        "no_one": lambda given: NoOne(given.label),
    }
)


def named_strategies(settings: Sequence[StrategyConfig | str]) -> list[Strategy]:
    """The strategies that settings (or names alone) stand for.

    >>> [one.name for one in named_strategies(["score_first", "random"])]
    ['score_first', 'random']
    """
    given = [StrategyConfig.model_validate(one) if isinstance(one, str) else one for one in settings]
    return [MAKERS[one.strategy](one) for one in given]
