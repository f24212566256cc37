"""Which learner, if any? Each against a constant, and the simplest of those that are as good as the best.

DR-loss is the mean of (G - predicted uplift)^2, G the per-lead score: lower is better, and its differences between
predictions are those of their true squared errors. The rival of all learners is a constant, the arm's mean effect on
the leads that the learners were fitted on; its Qini is 0 by definition. Both measures are judged sequentially, paired.

References: van der Laan, Polley, Hubbard (2007); Breiman, Friedman, Olshen, Stone (1984), one-standard-error rule;
Wager (2024).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from leadlift.base.arrays import Floats
from leadlift.base.record import known
from leadlift.base.records import Candidate, LearnerChoice
from leadlift.evaluation.combining import LEVEL, Jointly, combined, combined_jointly
from leadlift.evaluation.judging import SCORE, JudgedBlock, Measure
from leadlift.inference import is_constant, max_t

# By the number of models behind one prediction; learners that are not here come after, in the study's order.
SIMPLEST_FIRST = ("s", "t", "r", "dr", "x")
NONE_BEATS, NO_EVIDENCE = "no learner beats a constant", "no evidence that uplift differs between leads"


def learner_choices(
    blocks: Sequence[JudgedBlock], arms: Sequence[str], *, seed: int, groups_differ: Sequence[str] = ()
) -> list[LearnerChoice]:
    """The choice between a study's learners, for each arm.

    A learner beats a constant if its Qini lies above 0, or its DR-loss below the constant's, at 95% over all learners
    and both measures at once. Of those that do, the one with the lowest DR-loss is the best; chosen is the simplest
    whose loss is within one standard error, of the paired difference, of the best one's. If none does, none is chosen.

    Args:
        blocks: as judged sequentially.
        arms: the arms to choose for.
        seed: of simulated critical values.
        groups_differ: arms whose uplift was seen to differ between score groups, which no learner need have found.
    """
    names = [name for name in dict.fromkeys(name for name, _ in blocks[0].rankings) if name != SCORE]
    return [_choice(blocks, names, arm, seed, arm in groups_differ) for arm in arms]


def chosen_before(
    blocks: Sequence[JudgedBlock], arms: Sequence[str], *, otherwise: str, seed: int
) -> list[dict[str, str]]:
    """Whose predictions to follow in each block, by arm: the learner chosen on the blocks before it.

    A learner that all blocks chose would be flattered where those same blocks judge whoever follows it.

    Args:
        blocks: as judged sequentially, in order.
        arms: the arms to choose for.
        otherwise: the learner where none was chosen, as in the first block.
        seed: of simulated critical values.
    """
    names = {name for block in blocks for name, _ in block.rankings} - {SCORE}
    found = []
    for place in range(len(blocks)):
        earlier = learner_choices(blocks[:place], arms, seed=seed) if place and len(names) > 1 else []
        chosen = {choice.treatment: choice.chosen for choice in earlier}
        found.append({arm: chosen.get(arm) or otherwise for arm in arms})
    return found


def _choice(
    blocks: Sequence[JudgedBlock], names: Sequence[str], arm: str, seed: int, groups_differ: bool
) -> LearnerChoice:
    if not names:
        return LearnerChoice(arm, None, None, (), "no learner was asked for")
    if not any(block.judges(arm) for block in blocks):
        return LearnerChoice(arm, None, None, (), "too few outcomes or organisations to judge a learner")
    areas, losses = [_area(name, arm) for name in names], [_loss_gain(name, arm) for name in names]
    found = combined_jointly(blocks, arm, [*areas, *losses])
    lower, upper = _bands(found, seed)
    beats = [bool(lower[k] > 0 or lower[k + len(names)] > 0) for k in range(len(names))]
    gains = found.values[len(names) :]
    able = [k for k in range(len(names)) if beats[k]]
    best = max(able, key=lambda k: gains[k] if np.isfinite(gains[k]) else -np.inf) if able else None
    behind = _behind(blocks, losses, arm, best)
    chosen = None if best is None else _simplest(names, [k for k in able if _within(behind, k, best)])
    candidates = tuple(
        Candidate(
            learner=name,
            qini=known(found.values[k]),
            qini_lower=known(lower[k]),
            qini_upper=known(upper[k]),
            loss_gain=known(gains[k]),
            loss_gain_lower=known(lower[k + len(names)]),
            loss_gain_upper=known(upper[k + len(names)]),
            behind_best=None if behind is None else known(behind[k][0]),
            behind_best_se=None if behind is None else known(behind[k][1]),
            beats_constant=beats[k],
        )
        for k, name in enumerate(names)
    )
    words = "" if chosen is not None else _why_none(blocks, names, arm, groups_differ)
    return LearnerChoice(arm, chosen, None if best is None else names[best], candidates, words)


def _why_none(blocks: Sequence[JudgedBlock], names: Sequence[str], arm: str, groups_differ: bool) -> str:
    if groups_differ:
        return f"{NONE_BEATS}, though score groups differ"
    return f"{NONE_BEATS}, though uplift rises along a prediction" if _rises(blocks, names, arm) else NO_EVIDENCE


def _rises(blocks: Sequence[JudgedBlock], names: Sequence[str], arm: str) -> bool:
    """Whether the linear test sees uplift rise along a learner's prediction, at 95% over all learners."""
    slopes = [combined(blocks, arm, _slope(name, arm)) for name in names]
    return any(slope.value > 0 and slope.p_value * len(names) < 1 - LEVEL for slope in slopes)


def _slope(name: str, arm: str) -> Callable[[JudgedBlock], tuple[float, float]]:
    def measure(block: JudgedBlock) -> tuple[float, float]:
        judged = block.rankings[name, arm]
        return judged.slope, judged.slope_se

    return measure


def _bands(found: Jointly, seed: int) -> tuple[Floats, Floats]:
    """Ends of intervals that hold for all measures at once; NaN where a measure has no error."""
    critical = max_t(found.covariance, found.df, level=LEVEL, rng=np.random.default_rng([seed, 7]))
    half = critical * np.sqrt(np.diag(found.covariance))
    return found.values - half, found.values + half


def _area(name: str, arm: str) -> Callable[[JudgedBlock], Measure]:
    def measure(block: JudgedBlock) -> Measure:
        judged = block.rankings[name, arm]
        return Measure(judged.qini, judged.influence)

    return measure


def _loss_gain(name: str, arm: str) -> Callable[[JudgedBlock], Measure]:
    """The constant's DR-loss less the learner's: above 0 the learner is better."""

    def measure(block: JudgedBlock) -> Measure:
        scores, predicted = block.scores[arm], block.predicted[name, arm]
        gain = (scores - block.mean_effect[arm]) ** 2 - (scores - predicted) ** 2
        return block.mean(gain, defined=not is_constant(predicted))

    return measure


def _behind(
    blocks: Sequence[JudgedBlock], losses: Sequence[Callable[[JudgedBlock], Measure]], arm: str, best: int | None
) -> list[tuple[float, float]] | None:
    """By how much each learner's DR-loss is above the best one's, and the error of that."""
    if best is None:
        return None

    def gap(k: int) -> Callable[[JudgedBlock], Measure]:
        def measure(block: JudgedBlock) -> Measure:
            one, other = losses[best](block), losses[k](block)
            return Measure(one.value - other.value, one.influence - other.influence)

        return measure

    found = combined_jointly(blocks, arm, [gap(k) for k in range(len(losses))])
    errors = np.sqrt(np.diag(found.covariance))
    return [(0.0, 0.0) if k == best else (float(found.values[k]), float(errors[k])) for k in range(len(losses))]


def _within(behind: list[tuple[float, float]] | None, k: int, best: int) -> bool:
    return k == best or (behind is not None and behind[k][0] <= behind[k][1])


def _simplest(names: Sequence[str], able: Sequence[int]) -> str:
    def models(k: int) -> tuple[int, int]:
        name = names[k]
        return (SIMPLEST_FIRST.index(name) if name in SIMPLEST_FIRST else len(SIMPLEST_FIRST), k)

    return names[min(able, key=models)]
