"""Sequential judgement: whatever a fitted model orders is judged on organisations that no model had seen.

One mechanism for every procedure that learns from leads and then ranks others: `judge_procedure` fits, ranks and scores
block after block; `combined` (in `combining`) makes one number with its interval of any measure of a block. Areas,
paired differences, the linear calibration test and the choice between learners are all such measures.

References: Wager (2024), Sequential validation of treatment heterogeneity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from leadlift.base.arrays import Codes, Floats
from leadlift.base.problems import stop
from leadlift.data import AssignmentLog
from leadlift.evaluation.scores import enough_outcomes, lead_scores, weights_of
from leadlift.inference import (
    Block,
    gain_curve,
    gain_curve_influence,
    is_constant,
    rank_area,
    sequential_blocks,
    unit_influence,
    unit_permutation,
)
from leadlift.learners import (
    Features,
    Progress,
    UpliftLearner,
    fit_models,
    fold_units,
    in_threads,
    log_features,
    no_progress,
)

SHARES = np.round(np.arange(1, 21) / 20, 2)
SCORE = "score"
# The fewest organisations of an arm that give an error, and how many are planned for in each block.
ENOUGH_ORGANISATIONS, PLANNED = 10, 15


class Fitted(Protocol):
    """What a procedure learnt from some leads, ready for others."""

    def uplift(self, log: AssignmentLog, rows: Codes) -> Mapping[str, Floats]:
        """What `rows` are ranked by, by name of the ranking, each of shape (rows, arms - 1)."""

    def outcomes(self, log: AssignmentLog, rows: Codes) -> Floats:
        """Expected outcomes of `rows` under each arm, shape (rows, arms)."""


Procedure = Callable[[Codes], Fitted]


@dataclass(frozen=True, eq=False)
class Judged:
    """What one ranking showed on leads that it had not seen.

    Attributes:
        qini, autoc: areas, outcome units per lead; NaN where the ranking is constant.
        influence: units' influence on the Qini, shape (units,): differences are paired through it.
        qini_se, autoc_se: standard errors.
        slope, slope_se: of observed on predicted uplift.
        gain: at SHARES, shape (Q,), and its covariance, shape (Q, Q).
    """

    qini: float
    qini_se: float
    autoc: float
    autoc_se: float
    slope: float
    slope_se: float
    influence: Floats
    gain: Floats
    gain_covariance: Floats


@dataclass(frozen=True, eq=False)
class Measure:
    """A number of one block and each organisation's influence on it, shape (J,): its error is their norm."""

    value: float
    influence: Floats

    @property
    def se(self) -> float:
        """Standard error, in the units of the value."""
        return norm(self.influence)


@dataclass(frozen=True, eq=False)
class JudgedBlock:
    """One block of organisations: every ranking of it by name and arm.

    Attributes:
        rankings: by ranking and arm.
        units: organisations in the smaller of arm and control, by arm.
        enough: whether outcomes carry a normal approximation, by arm.
        rows: the block's leads, shape (n,).
        unit: organisation of each, codes 0 ... J - 1 within the block, shape (n,).
        scores: per-lead scores G by arm, shape (n,), outcome units; their models never saw these organisations.
        predicted: what each ranking ranks by, by ranking and arm, shape (n,).
        weight: how many leads each stands for, shape (n,).
        mean_effect: the effect of each arm on the leads that the models were fitted on, outcome units: a prediction
            that is the same for all.
    """

    rankings: Mapping[tuple[str, str], Judged]
    units: Mapping[str, int]
    enough: Mapping[str, bool]
    rows: Codes
    unit: Codes
    scores: Mapping[str, Floats]
    predicted: Mapping[tuple[str, str], Floats]
    mean_effect: Mapping[str, float]
    weight: Floats

    @property
    def n_units(self) -> int:
        """Organisations in the block, J."""
        return int(self.unit.max()) + 1 if self.unit.size else 0

    def mean(self, values: Floats, *, defined: bool = True) -> Measure:
        """The weighted mean of values of the block's leads, shape (n,), and organisations' influence on it."""
        share = self.weight / self.weight.mean()
        mean = float((share * values).mean())
        influence = unit_influence(share * (values - mean), self.unit, self.n_units)
        return Measure(mean if defined else np.nan, influence)

    def judges(self, arm: str) -> bool:
        """Whether the block holds enough organisations and outcomes of both arms for a normal approximation."""
        return self.units[arm] >= ENOUGH_ORGANISATIONS and self.enough[arm]


def judge(scores: Floats, priority: Floats, organisation: Codes, weight: Floats | None = None) -> Judged:
    """Areas, slope and curve of one ranking of leads that it had not seen.

    Args:
        scores: per-lead scores G, shape (n,), outcome units.
        priority: what leads are ranked by, shape (n,).
        organisation: code of each lead's organisation, any whole numbers, shape (n,).
        weight: how many leads each stands for, shape (n,); None: each for itself.
    """
    names, unit = np.unique(organisation, return_inverse=True)
    n_units = len(names)
    qini = rank_area(scores, priority, target="qini", weights=weight)
    autoc = rank_area(scores, priority, target="autoc", weights=weight)
    influence = unit_influence(qini.influence, unit, n_units)
    constant = is_constant(priority)
    slope, slope_se = (np.nan, np.nan) if constant else _slope(scores, priority, unit, n_units, weight)
    on_curve = unit_influence(gain_curve_influence(scores, priority, SHARES, weight), unit, n_units)
    return Judged(
        qini=np.nan if constant else qini.value,
        qini_se=norm(influence),
        autoc=np.nan if constant else autoc.value,
        autoc_se=norm(unit_influence(autoc.influence, unit, n_units)),
        slope=slope,
        slope_se=slope_se,
        influence=influence,
        gain=gain_curve(scores, priority, SHARES, weight),
        gain_covariance=on_curve.T @ on_curve,
    )


def norm(influence: Floats) -> float:
    """The standard error that units' influences make, outcome units."""
    return float(np.sqrt((influence**2).sum()))


def _slope(scores: Floats, predicted: Floats, unit: Codes, n_units: int, weight: Floats | None) -> tuple[float, float]:
    share = np.ones(len(scores)) if weight is None else weight / weight.mean()
    centred = predicted - (share * predicted).mean()
    spread = float((share * centred**2).mean())
    slope = float((share * centred * scores).mean() / spread)
    residual = scores - (share * scores).mean() - slope * centred
    return slope, norm(unit_influence(share * centred * residual / spread, unit, n_units))


def judge_sequentially(
    log: AssignmentLog,
    learners: Mapping[str, UpliftLearner],
    *,
    seed: int,
    blocks: int = 4,
    features: Features | None = None,
    progress: Progress = no_progress,
) -> list[JudgedBlock]:
    """Judges every learner, and the score, on blocks of organisations that no model had seen (Wager 2024).

    Args:
        log: the leads. Without a score in it the outcome model for control, fitted on the same organisations, stands
            in for one.
        learners: by name.
        seed: of the order of organisations and the outcome models.
        blocks: how many blocks at most, as `judge_procedure`.
        features: `log_features(log)`, to share bins with other fits; None: made here.
        progress: called after each block.
    """
    if SCORE in learners:
        rule, fix = f"`{SCORE}` is the log's own score", "name the learner otherwise"
        raise stop("the rankings", "name", rule, f"a learner called `{SCORE}`", fix)
    shared = log_features(log) if features is None else features
    return judge_procedure(
        log, lambda rows: fit_models(log, rows, learners, seed, shared), seed=seed, blocks=blocks, progress=progress
    )


def judge_procedure(
    log: AssignmentLog, fit: Procedure, *, seed: int, blocks: int = 4, progress: Progress = no_progress
) -> list[JudgedBlock]:
    """Judges anything that learns from some leads and ranks others.

    Organisations come in random order, those that share a permuted block together. The first half only trains; each
    later block is ranked, and its per-lead scores adjusted, by what was fitted on all earlier organisations. There are
    fewer than `blocks` blocks where they would hold fewer than 15 organisations of some arm. Blocks are fitted side by
    side, so `fit` changes nothing.

    Args:
        log: the leads, with or without a score.
        fit: from rows of the log to what was learnt from them; it must look at no other lead's outcome.
        seed: of the order of organisations.
        blocks: how many blocks at most.
        progress: called after each block.
    """
    unit, units = fold_units(log)
    order = unit_permutation(units, np.random.default_rng([seed, 4]))

    def judged(block: Block) -> JudgedBlock:
        place = np.zeros(units, dtype=np.intp)
        place[block.train_units], place[block.block_units] = 1, 2
        where = place[unit]
        train = np.flatnonzero(where == 1)
        return _judge_block(log, fit(train), train, np.flatnonzero(where == 2))

    affordable = int(units_per_arm(log).min() / 2 // PLANNED)
    return in_threads(judged, sequential_blocks(order, blocks=max(1, min(blocks, affordable))), progress)


def _judge_block(log: AssignmentLog, models: Fitted, train: Codes, rows: Codes) -> JudgedBlock:
    outcomes, uplift = models.outcomes(log, rows), models.uplift(log, rows)
    given = log.score_source == "given" and log.score is not None
    score = log.score[rows] if given and log.score is not None else outcomes[:, 0]
    scores = {arm: lead_scores(log, arm, outcomes, rows) for arm in log.treated_arms}
    predicted = {
        (name, arm): priority
        for index, arm in enumerate(log.treated_arms)
        for name, priority in {**{k: v[:, index] for k, v in uplift.items()}, SCORE: score}.items()
    }
    return JudgedBlock(
        rankings={
            key: judge(scores[key[1]], value, log.organisation[rows], weights_of(log, rows))
            for key, value in predicted.items()
        },
        units=smaller_arm(log, rows),
        enough={arm: enough_outcomes(log, arm, rows) for arm in log.treated_arms},
        rows=rows,
        unit=np.unique(log.organisation[rows], return_inverse=True)[1],
        scores=scores,
        predicted=predicted,
        mean_effect={arm: _mean_effect(log, arm, train) for arm in log.treated_arms},
        weight=weights_of(log, rows),
    )


def _mean_effect(log: AssignmentLog, arm: str, rows: Codes) -> float:
    """Difference of the arms' means, each lead weighted by one over its propensity (Hajek)."""
    y, means = log.outcome[rows], []
    for index in (log.arms.index(arm), 0):
        weight = weights_of(log, rows) * (log.arm[rows] == index) / log.propensities[rows, index]
        means.append(float((weight * y).sum() / weight.sum()) if weight.any() else np.nan)
    return means[0] - means[1]


def units_per_arm(log: AssignmentLog, rows: Codes | slice = slice(None)) -> Codes:
    """How many organisations have leads in each arm, shape (arms,)."""
    pairs = np.unique(log.organisation[rows] * len(log.arms) + log.arm[rows])
    return np.bincount(pairs % len(log.arms), minlength=len(log.arms))


def smaller_arm(log: AssignmentLog, rows: Codes | slice = slice(None)) -> dict[str, int]:
    """Organisations in the smaller of arm and control, by arm."""
    units = units_per_arm(log, rows)
    return {arm: int(min(units[0], units[k])) for k, arm in enumerate(log.treated_arms, start=1)}


def degrees_of_freedom(units: int) -> float:
    """Degrees of freedom of two arms as large as the smaller one: Welch's bound where arms are of equal spread."""
    return max(2.0 * units - 2, 1.0)
