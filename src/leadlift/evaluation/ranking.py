"""Does a ranking hold? Learned rankings are judged sequentially, a score that came with the log as it stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leadlift.base.arrays import Floats
from leadlift.base.record import known
from leadlift.base.records import Calibration, CurvePoint, RankingDifference, RankingResult
from leadlift.data import AssignmentLog
from leadlift.evaluation.calibration import calibration
from leadlift.evaluation.combining import LEVEL, combined
from leadlift.evaluation.judging import (
    ENOUGH_ORGANISATIONS,
    SCORE,
    SHARES,
    Judged,
    JudgedBlock,
    degrees_of_freedom,
    judge,
    norm,
    smaller_arm,
)
from leadlift.evaluation.scores import ENOUGH_EVENTS, enough_outcomes, lead_scores
from leadlift.inference import max_t, t_interval

FEW = f"too few outcomes: fewer than {ENOUGH_EVENTS} expected in an arm"
FEW_ORGANISATIONS = f"too few organisations: fewer than {ENOUGH_ORGANISATIONS} in an arm"
NO_RANKING = "no ranking: every lead of every block got the same prediction"


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
                results.append(_sequential(log, blocks, name, arm, seed))
    return results


def _fixed(log: AssignmentLog, arm: str, outcomes: Floats, seed: int) -> RankingResult:
    """A score fixed before the draw needs no training: all leads judge it."""
    assert log.score is not None
    if not enough_outcomes(log, arm):
        return _nothing(SCORE, arm, FEW, "fixed")
    if smaller_arm(log)[arm] < ENOUGH_ORGANISATIONS:
        return _nothing(SCORE, arm, FEW_ORGANISATIONS, "fixed")
    judged = judge(lead_scores(log, arm, outcomes), log.score, log.organisation, log.weight)
    if np.isnan(judged.qini):
        return _nothing(SCORE, arm, "no ranking: every lead has the same score", "fixed")
    df = degrees_of_freedom(smaller_arm(log)[arm])
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


def _sequential(log: AssignmentLog, blocks: Sequence[JudgedBlock], name: str, arm: str, seed: int) -> RankingResult:
    judging = [block for block in blocks if block.judges(arm)]
    if not judging:
        return _nothing(name, arm, why_none(blocks, arm))

    def of(block: JudgedBlock) -> Judged:
        return block.rankings[name, arm]

    qini = combined(blocks, arm, lambda block: (of(block).qini, of(block).qini_se))
    autoc = combined(blocks, arm, lambda block: (of(block).autoc, of(block).autoc_se))
    if qini.blocks_used == 0:
        return _nothing(name, arm, NO_RANKING)
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
        # A score has other units than uplift: its size can't be right or wrong.
        calibration=Calibration() if name == SCORE else calibration(log, blocks, name, arm, seed=seed),
        qini_se=known(qini.se),
        autoc_se=known(autoc.se),
        curve=_combined_curve([(of(block), block.units[arm]) for block in judging], seed),
    )


def _combined_curve(judged: Sequence[tuple[Judged, int]], seed: int) -> tuple[CurvePoint, ...]:
    ranked = [(j, degrees_of_freedom(units)) for j, units in judged if np.isfinite(j.qini) and j.qini_se > 0]
    weight = np.array([1 / j.qini_se for j, _ in ranked])
    weight /= weight.sum()
    gain = np.asarray(sum(w * j.gain for w, (j, _) in zip(weight, ranked, strict=True)))
    spread = np.asarray(sum(w**2 * j.gain_covariance for w, (j, _) in zip(weight, ranked, strict=True)))
    return _curve(gain, spread, sum(df for _, df in ranked), seed)


def why_none(blocks: Sequence[JudgedBlock], arm: str) -> str:
    """Why no block can judge an arm."""
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
    if not any(block.judges(arm) for block in blocks):
        return RankingDifference(name, SCORE, arm, None, None, None, None, message=why_none(blocks, arm))

    def gap(block: JudgedBlock) -> tuple[float, float]:
        one, other = block.rankings[name, arm], block.rankings[SCORE, arm]
        # A constant ranking has no order to compare: its area is 0 by definition, but it ranks nothing.
        return one.qini - other.qini, norm(one.influence - other.influence)

    result = combined(blocks, arm, gap)
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
