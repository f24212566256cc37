"""Does a ranking hold? Learned rankings are judged sequentially, a score that came with the log as it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from leadlift.base.arrays import Codes, Floats
from leadlift.base.records import Calibration, CurvePoint, RankingDifference, RankingResult, known
from leadlift.data import AssignmentLog
from leadlift.evaluation.scores import ENOUGH_EVENTS, enough_outcomes, lead_scores
from leadlift.inference import (
    Block,
    combine,
    gain_curve,
    gain_curve_influence,
    is_constant,
    max_t,
    rank_area,
    sequential_blocks,
    t_interval,
    unit_influence,
    unit_permutation,
)
from leadlift.learners import FittedModels, Progress, UpliftLearner, fit_models, in_threads, no_progress

LEVEL = 0.95
SHARES = np.round(np.arange(1, 21) / 20, 2)
SCORE = "score"
# The fewest organisations of an arm that give an error, and how many are planned for in each block.
ENOUGH_ORGANISATIONS, PLANNED = 10, 15
FEW = f"too few outcomes: fewer than {ENOUGH_EVENTS} expected in an arm"
FEW_ORGANISATIONS = f"too few organisations: fewer than {ENOUGH_ORGANISATIONS} in an arm"
NO_RANKING = "no ranking: every lead of every block got the same prediction"


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
class JudgedBlock:
    """One block of organisations: every ranking of it by name and arm.

    Attributes:
        rankings: by ranking and arm.
        units: organisations in the smaller of arm and control, by arm.
        enough: whether outcomes carry a normal approximation, by arm.
    """

    rankings: Mapping[tuple[str, str], Judged]
    units: Mapping[str, int]
    enough: Mapping[str, bool]

    def judges(self, arm: str) -> bool:
        """Whether the block holds enough organisations and outcomes of both arms for a normal approximation."""
        return self.units[arm] >= ENOUGH_ORGANISATIONS and self.enough[arm]


def judge(scores: Floats, priority: Floats, organisation: Codes) -> Judged:
    """Areas, slope and curve of one ranking of leads that it had not seen.

    Args:
        scores: per-lead scores G, shape (n,), outcome units.
        priority: what leads are ranked by, shape (n,).
        organisation: code of each lead's organisation, any whole numbers, shape (n,).
    """
    names, unit = np.unique(organisation, return_inverse=True)
    n_units = len(names)
    qini = rank_area(scores, priority, target="qini")
    autoc = rank_area(scores, priority, target="autoc")
    influence = unit_influence(qini.influence, unit, n_units)
    constant = is_constant(priority)
    slope, slope_se = (np.nan, np.nan) if constant else _slope(scores, priority, unit, n_units)
    on_curve = unit_influence(gain_curve_influence(scores, priority, SHARES), unit, n_units)
    return Judged(
        qini=np.nan if constant else qini.value,
        qini_se=_norm(influence),
        autoc=np.nan if constant else autoc.value,
        autoc_se=_norm(unit_influence(autoc.influence, unit, n_units)),
        slope=slope,
        slope_se=slope_se,
        influence=influence,
        gain=gain_curve(scores, priority, SHARES),
        gain_covariance=on_curve.T @ on_curve,
    )


def _norm(influence: Floats) -> float:
    return float(np.sqrt((influence**2).sum()))


def _slope(scores: Floats, predicted: Floats, unit: Codes, n_units: int) -> tuple[float, float]:
    centred = predicted - predicted.mean()
    spread = float((centred**2).mean())
    slope = float((centred * scores).mean() / spread)
    residual = scores - scores.mean() - slope * centred
    return slope, _norm(unit_influence(centred * residual / spread, unit, n_units))


def judge_sequentially(
    log: AssignmentLog,
    learners: Mapping[str, UpliftLearner],
    *,
    seed: int,
    blocks: int = 4,
    progress: Progress = no_progress,
) -> list[JudgedBlock]:
    """Judges every learner, and the score, on blocks of organisations that no model had seen (Wager 2024).

    Organisations come in random order. The first half only trains; each later block is ranked, and its per-lead
    scores adjusted, by models fitted on all earlier organisations. Without a score in the log the outcome model for
    control, fitted on the same organisations, stands in for it. There are fewer than `blocks` blocks where they would
    hold fewer than 15 organisations of some arm.
    """
    order = unit_permutation(log.n_organisations, np.random.default_rng([seed, 4]))

    def judged(block: Block) -> JudgedBlock:
        place = np.zeros(log.n_organisations, dtype=np.intp)
        place[block.train_units], place[block.block_units] = 1, 2
        where = place[log.organisation]
        models = fit_models(log, np.flatnonzero(where == 1), learners, seed)
        return _judge_block(log, models, np.flatnonzero(where == 2))

    affordable = int(units_per_arm(log).min() / 2 // PLANNED)
    return in_threads(judged, sequential_blocks(order, blocks=max(1, min(blocks, affordable))), progress)


def units_per_arm(log: AssignmentLog, rows: Codes | slice = slice(None)) -> Codes:
    """How many organisations have leads in each arm, shape (arms,)."""
    pairs = np.unique(log.organisation[rows] * len(log.arms) + log.arm[rows])
    return np.bincount(pairs % len(log.arms), minlength=len(log.arms))


def _smaller_arm(log: AssignmentLog, rows: Codes | slice = slice(None)) -> dict[str, int]:
    """Organisations in the smaller of arm and control, by arm."""
    units = units_per_arm(log, rows)
    return {arm: int(min(units[0], units[k])) for k, arm in enumerate(log.treated_arms, start=1)}


def _df(smaller_arm: int) -> float:
    """Degrees of freedom of two arms as large as the smaller one: Welch's bound where arms are of equal spread."""
    return max(2.0 * smaller_arm - 2, 1.0)


def _judge_block(log: AssignmentLog, models: FittedModels, rows: Codes) -> JudgedBlock:
    outcomes, uplift = models.outcomes(log, rows), models.uplift(log, rows)
    given = log.score_source == "given" and log.score is not None
    score = log.score[rows] if given and log.score is not None else outcomes[:, 0]
    rankings = {}
    for index, arm in enumerate(log.treated_arms):
        scores = lead_scores(log, arm, outcomes, rows)
        for name, priority in {**{k: v[:, index] for k, v in uplift.items()}, SCORE: score}.items():
            rankings[name, arm] = judge(scores, priority, log.organisation[rows])
    enough = {arm: enough_outcomes(log, arm, rows) for arm in log.treated_arms}
    return JudgedBlock(rankings, _smaller_arm(log, rows), enough)


def ranking_results(
    log: AssignmentLog, blocks: Sequence[JudgedBlock], outcomes: Floats, *, seed: int
) -> list[RankingResult]:
    """Areas, calibration and curve of every ranking, combined over blocks.

    Args:
        log: the leads, with their score.
        blocks: as judged.
        outcomes: out-of-fold expected outcomes, shape (n, arms), for the score that came with the log.
        seed: of simulated critical values.
    """
    names = dict.fromkeys(name for name, _ in blocks[0].rankings)
    results = []
    for arm in log.treated_arms:
        for name in names:
            if name == SCORE and log.score_source == "given":
                results.append(_fixed(log, arm, outcomes, seed))
            else:
                results.append(_sequential(blocks, name, arm, seed))
    return results


def _fixed(log: AssignmentLog, arm: str, outcomes: Floats, seed: int) -> RankingResult:
    """A score fixed before the draw needs no training: all leads judge it."""
    assert log.score is not None
    if not enough_outcomes(log, arm):
        return _nothing(SCORE, arm, FEW, "fixed")
    if _smaller_arm(log)[arm] < ENOUGH_ORGANISATIONS:
        return _nothing(SCORE, arm, FEW_ORGANISATIONS, "fixed")
    judged = judge(lead_scores(log, arm, outcomes), log.score, log.organisation)
    if np.isnan(judged.qini):
        return _nothing(SCORE, arm, "no ranking: every lead has the same score", "fixed")
    df = _df(_smaller_arm(log)[arm])
    qini, autoc = (
        t_interval(judged.qini, judged.qini_se, df, LEVEL),
        t_interval(judged.autoc, judged.autoc_se, df, LEVEL),
    )
    return RankingResult(
        SCORE,
        arm,
        judged.qini,
        qini.lower,
        qini.upper,
        judged.autoc,
        autoc.lower,
        autoc.upper,
        method="fixed",
        qini_se=judged.qini_se,
        autoc_se=judged.autoc_se,
        curve=_curve(judged.gain, judged.gain_covariance, df, seed),
    )


def _sequential(blocks: Sequence[JudgedBlock], name: str, arm: str, seed: int) -> RankingResult:
    judging = [block for block in blocks if block.judges(arm)]
    if not judging:
        return _nothing(name, arm, _why_none(blocks, arm))
    judged = [block.rankings[name, arm] for block in judging]
    df = [_df(block.units[arm]) for block in judging]
    qini = combine([j.qini for j in judged], [j.qini_se for j in judged], df, LEVEL)
    autoc = combine([j.autoc for j in judged], [j.autoc_se for j in judged], df, LEVEL)
    slope = combine([j.slope for j in judged], [j.slope_se for j in judged], df, LEVEL)
    if qini.blocks_used == 0:
        return _nothing(name, arm, NO_RANKING)
    ranked = [(j, d) for j, d in zip(judged, df, strict=True) if np.isfinite(j.qini) and j.qini_se > 0]
    weight = np.array([1 / j.qini_se for j, _ in ranked])
    weight /= weight.sum()
    gain = np.asarray(sum(w * j.gain for w, (j, _) in zip(weight, ranked, strict=True)))
    spread = np.asarray(sum(w**2 * j.gain_covariance for w, (j, _) in zip(weight, ranked, strict=True)))
    # A score has other units than uplift: a slope of 1 would mean nothing.
    calibration = (
        Calibration()
        if name == SCORE
        else Calibration(
            known(slope.value), known(slope.lower), known(slope.upper), known(slope.p_value), slope.blocks_used
        )
    )
    return RankingResult(
        name,
        arm,
        known(qini.value),
        known(qini.lower),
        known(qini.upper),
        known(autoc.value),
        known(autoc.lower),
        known(autoc.upper),
        blocks_used=qini.blocks_used,
        calibration=calibration,
        qini_se=known(qini.se),
        autoc_se=known(autoc.se),
        curve=_curve(gain, spread, sum(d for _, d in ranked), seed),
    )


def _why_none(blocks: Sequence[JudgedBlock], arm: str) -> str:
    few = all(block.units[arm] < ENOUGH_ORGANISATIONS for block in blocks)
    return f"{FEW_ORGANISATIONS if few else FEW} of every block"


def _nothing(name: str, arm: str, message: str, method: str = "sequential") -> RankingResult:
    fixed = method == "fixed"
    return RankingResult(name, arm, *(None,) * 6, method="fixed" if fixed else "sequential", message=message)


def _curve(gain: Floats, spread: Floats, df: float, seed: int) -> tuple[CurvePoint, ...]:
    """The gain at each share with a simultaneous band; the random line reaches the same end."""
    critical = max_t(spread, df, level=LEVEL, rng=np.random.default_rng([seed, 5]))
    half = critical * np.sqrt(np.diag(spread))
    start = CurvePoint(0.0, 0.0, 0.0, 0.0, 0.0)
    points = (
        CurvePoint(float(q), float(g), known(g - h), known(g + h), float(q * gain[-1]))
        for q, g, h in zip(SHARES, gain, half, strict=True)
    )
    return (start, *points)


def ranking_differences(log: AssignmentLog, blocks: Sequence[JudgedBlock]) -> list[RankingDifference]:
    """The paired difference in Qini of each learner against the score, on the same leads, sequentially."""
    names = [name for name in dict.fromkeys(name for name, _ in blocks[0].rankings) if name != SCORE]
    return [_difference(blocks, name, arm) for arm in log.treated_arms for name in names]


def _difference(blocks: Sequence[JudgedBlock], name: str, arm: str) -> RankingDifference:
    judging = [block for block in blocks if block.judges(arm)]
    if not judging:
        return RankingDifference(name, SCORE, arm, None, None, None, None, message=_why_none(blocks, arm))
    values, errors = [], []
    for block in judging:
        one, other = block.rankings[name, arm], block.rankings[SCORE, arm]
        # A constant ranking has no order to compare: its area is 0 by definition, but it ranks nothing.
        values.append(one.qini - other.qini)
        errors.append(_norm(one.influence - other.influence))
    result = combine(values, errors, [_df(block.units[arm]) for block in judging], LEVEL)
    message = "" if result.blocks_used else "no block in which both rank"
    return RankingDifference(
        name,
        SCORE,
        arm,
        known(result.value),
        known(result.lower),
        known(result.upper),
        known(result.p_value),
        result.blocks_used,
        message,
    )
