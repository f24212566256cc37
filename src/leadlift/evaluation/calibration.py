"""Is predicted uplift of the right size? Predicted against observed by bin, and the linear test, on unseen leads.

The test regresses per-lead scores G on predictions (Chernozhukov et al.'s best linear predictor, with known
propensities inside G): slope 0 says that uplift doesn't differ along the prediction, slope 1 and difference 0 that
predictions have the right size. Both are judged sequentially. Slope 1 is asked of predicted uplift only: a score is in
other units.

References: Chernozhukov, Demirer, Duflo, Fernandez-Val (2025), Econometrica; Wager (2024).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.isotonic import IsotonicRegression

from leadlift.base.arrays import Codes, Floats
from leadlift.base.problems import stop
from leadlift.base.record import known
from leadlift.base.records import Calibration, UpliftBin
from leadlift.data import AssignmentLog
from leadlift.evaluation.combining import LEVEL, combined
from leadlift.evaluation.judging import JudgedBlock
from leadlift.evaluation.scores import few_events, lead_scores, weights_of
from leadlift.inference import Estimate, covariance, max_t, mean_of_scores, t_interval
from leadlift.learners import OutOfFold

BINS = 5
# Scores spread twenty times as far as uplifts, say: steps of a few leads, at the ends above all, would be noise.
STEPS = 10


def calibration(log: AssignmentLog, blocks: Sequence[JudgedBlock], name: str, arm: str, *, seed: int) -> Calibration:
    """The linear test and the bins of one learner's predictions for one arm.

    Args:
        log: the leads.
        blocks: as judged sequentially.
        name: the learner.
        arm: the arm against control.
        seed: of simulated critical values.
    """
    judging = [block for block in blocks if block.judges(arm)]
    if not judging:
        return Calibration()

    def slope(block: JudgedBlock, less: float = 0.0) -> tuple[float, float]:
        judged = block.rankings[name, arm]
        return judged.slope - less, judged.slope_se

    def difference(block: JudgedBlock) -> tuple[float, float]:
        missed = block.mean(block.scores[arm] - block.predicted[name, arm])
        return missed.value, missed.se

    sloped, missed = combined(blocks, arm, slope), combined(blocks, arm, difference)
    return Calibration(
        slope=known(sloped.value),
        slope_lower=known(sloped.lower),
        slope_upper=known(sloped.upper),
        p_value=known(sloped.p_value),
        blocks_used=sloped.blocks_used,
        p_value_slope_one=known(combined(blocks, arm, lambda block: slope(block, 1.0)).p_value),
        difference=known(missed.value),
        difference_lower=known(missed.lower),
        difference_upper=known(missed.upper),
        bins=tuple(_bins(log, judging, name, arm, seed)),
    )


def _bins(log: AssignmentLog, judging: Sequence[JudgedBlock], name: str, arm: str, seed: int) -> list[UpliftBin]:
    """Fifths of each block's predictions, lowest first, over all blocks; fewer where predictions tie across a cut."""
    rows = np.concatenate([block.rows for block in judging])
    scores = np.concatenate([block.scores[arm] for block in judging])
    predicted = np.concatenate([block.predicted[name, arm] for block in judging])
    code = np.concatenate([_quantile_part(block.predicted[name, arm], block.weight, BINS) for block in judging])
    weight = weights_of(log, rows)
    inside = [code == k for k in np.unique(code)]
    estimates = [_mean(log, arm, rows, scores, one) for one in inside]
    critical = max_t(
        covariance(estimates), [e.df for e in estimates], level=LEVEL, rng=np.random.default_rng([seed, 6])
    )
    found = []
    for number, (one, mean) in enumerate(zip(inside, estimates, strict=True), start=1):
        few = few_events(log, arm, rows[one]) or mean.method == "none"
        interval, half = t_interval(mean.value, mean.se, mean.df, LEVEL), critical * mean.se
        ends = (np.nan,) * 4 if few else (interval.lower, interval.upper, mean.value - half, mean.value + half)
        found.append(
            UpliftBin(
                name,
                arm,
                number,
                int(one.sum()),
                float(np.average(predicted[one], weights=weight[one])),
                mean.value,
                *(known(e) for e in ends),
            )
        )
    return found


def _quantile_part(predicted: Floats, weight: Floats, parts: int) -> Codes:
    """Which of equal parts by prediction each lead is in, lowest first, shape (n,); ties share one."""
    given = None if (weight == weight[0]).all() else weight
    cuts = np.quantile(predicted, np.arange(1, parts) / parts, method="inverted_cdf", weights=given)
    return np.searchsorted(cuts, predicted, side="left").astype(np.intp)


def _mean(log: AssignmentLog, arm: str, rows: Codes, scores: Floats, inside: Floats) -> Estimate:
    contrast, organisation = log.contrast(arm)[rows][inside], log.organisation[rows][inside]
    units = [len(np.unique(organisation[contrast == a])) for a in (1, 0)]
    return mean_of_scores(
        scores,
        stratum=log.stratum[rows],
        unit=log.organisation[rows],
        n_units=log.n_organisations,
        units_treated=units[0],
        units_control=units[1],
        segment=inside,
        weights=weights_of(log, rows),
    )


def recalibrated(log: AssignmentLog, fitted: OutOfFold) -> dict[str, Floats]:
    """Out-of-fold predictions brought to the size of observed uplift, each by the leads of other folds.

    Args:
        log: the leads.
        fitted: out-of-fold predictions of them.

    Returns: by learner, shape (n, arms - 1), outcome units; a rising function of the prediction within each fold.
    """
    return {
        name: np.column_stack(
            [
                isotonic_uplift(
                    uplift[:, index],
                    lead_scores(log, arm, fitted.outcomes),
                    fold=fitted.fold,
                    sample_weight=log.weight,
                )
                for index, arm in enumerate(log.treated_arms)
            ]
        )
        for name, uplift in fitted.uplift.items()
    }


def isotonic_uplift(predicted: Floats, scores: Floats, *, fold: Codes, sample_weight: Floats | None = None) -> Floats:
    """Each fold's predictions through the rising line, straight between tenths, that fits the other folds' scores best.

    The fit is to the mean scores of tenths by prediction; beyond the outer ones the line is flat.

    Args:
        predicted: predicted uplift out of fold, shape (n,).
        scores: per-lead scores G, shape (n,), outcome units.
        fold: fold of each lead, shape (n,); no organisation in two of them.
        sample_weight: positive weights, shape (n,); None: all equal.

    Returns: shape (n,), outcome units.

    Raises:
        DataError: fewer than two folds.

    References:
        Zadrozny, Elkan (2002); van der Laan, Ulloa-Perez, Carone, Luedtke (2023), Causal isotonic calibration.

    Examples:
        >>> predicted = np.tile([0.0, 10.0], 50)
        >>> isotonic_uplift(predicted, predicted / 10, fold=np.arange(100) % 4 // 2)[:2]
        array([0., 1.])
    """
    folds = np.unique(fold)
    if folds.size < 2:
        rule = "predictions are recalibrated on the leads of other folds"
        raise stop("recalibration", "folds", rule, f"{folds.size} fold", "cross-fit with two folds or more")
    weight = np.ones(len(predicted)) if sample_weight is None else sample_weight
    # In an order of their own, since sums depend on it.
    order = np.lexsort((weight, scores, predicted))
    result = np.empty(len(predicted))
    for k in folds:
        inside, others = fold == k, order[fold[order] != k]
        means, scored, weights = _part_means(predicted[others], scores[others], weight[others])
        model = IsotonicRegression(out_of_bounds="clip").fit(means, scored, sample_weight=weights)
        result[inside] = model.predict(predicted[inside])
    return result


def _part_means(predicted: Floats, scores: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean prediction, mean score and weight of tenths by prediction, each of shape (tenths,)."""
    _, code = np.unique(_quantile_part(predicted, weight, STEPS), return_inverse=True)
    total: Floats = np.bincount(code, weights=weight).astype(np.float64)
    means = np.bincount(code, weights=weight * predicted) / total
    return means, np.bincount(code, weights=weight * scores) / total, total
