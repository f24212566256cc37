"""Effects on organisations' totals: the primary ones where the lot was drawn for organisations."""

from __future__ import annotations

import numpy as np

from leadlift.base.arrays import Bools, Floats
from leadlift.base.record import known
from leadlift.base.records import Effect, IntervalMethod
from leadlift.data.ledger.totals import OrganisationTotals
from leadlift.evaluation.scores import ENOUGH_EVENTS
from leadlift.inference import (
    MeansDifference,
    adjusted_p_values,
    covariance,
    difference_in_means,
    max_t,
    p_value,
    t_interval,
)

ESTIMATOR = "organisation_totals"
ESTIMAND = "organisation_total"
LEVEL = 0.95


def organisation_effects(totals: OrganisationTotals, *, seed: int) -> list[Effect]:
    """What each arm does to an organisation's deals and revenue within its window, overall and by score group.

    Hajek's difference in means within cells of stratum and propensity, with organisations for rows: each counts once,
    and is what the lot was drawn for, so errors need no clusters (CR1; CR2 under 40 organisations an arm). No interval
    is given where an arm has fewer than 20 deals. The estimand is the mean, over organisations drawn, of what the arm
    adds to the organisation's total; spill-over between leads of one organisation is part of it.

    Args:
        totals: a row per organisation.
        seed: of simulated critical values.
    """
    segments: list[tuple[str, str, Bools]] = [("all", "all", np.ones(len(totals), dtype=bool))]
    segments += [("score_group", name, totals.group == k) for k, name in enumerate(totals.groups)]
    effects = []
    for outcome, values in (("deals", totals.deals), ("revenue", totals.revenue)):
        for by in ("all", "score_group"):
            chosen = [(name, rows) for found, name, rows in segments if found == by]
            effects += _family(totals, outcome, values, by, chosen, seed)
    return effects


def _family(
    totals: OrganisationTotals, outcome: str, values: Floats, by: str, segments: list[tuple[str, Bools]], seed: int
) -> list[Effect]:
    """Effects whose intervals and p-values hold at once over all arms and segments."""
    cells = [(arm, name, _means(totals, values, k, rows)) for k, arm in _treated(totals) for name, rows in segments]
    if not cells:
        return []
    few = [_few_deals(totals, totals.arms.index(arm), rows) for _, arm in _treated(totals) for _, rows in segments]
    estimates = [means.estimate for _, _, means in cells]
    matrix, df = covariance(estimates), np.array([estimate.df for estimate in estimates])
    critical = max_t(matrix, df, level=LEVEL, rng=np.random.default_rng([seed, 6]))
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.array([abs(estimate.value / estimate.se) for estimate in estimates])
    adjusted = adjusted_p_values(t, df, matrix, np.random.default_rng([seed, 6]))
    return [
        _effect(totals, outcome, by, name, arm, means, critical, float(adjusted[k]), few=few[k])
        for k, (arm, name, means) in enumerate(cells)
    ]


def _treated(totals: OrganisationTotals) -> list[tuple[int, str]]:
    return list(enumerate(totals.arms))[1:]


def _means(totals: OrganisationTotals, values: Floats, arm: int, rows: Bools) -> MeansDifference:
    n = len(totals)
    # Organisations drawn in a round without the arm say nothing of it.
    offered = (totals.propensities[:, arm] > 0) & (totals.propensities[:, 0] > 0)
    contrast = np.where(totals.arm == arm, 1, np.where(totals.arm == 0, 0, -1))
    return difference_in_means(
        values,
        contrast,
        propensity_treated=np.where(offered, totals.propensities[:, arm], 0.5),
        propensity_control=np.where(offered, totals.propensities[:, 0], 0.5),
        cell=totals.cell,
        unit=np.arange(n),
        n_units=n,
        segment=rows & offered,
    )


def _few_deals(totals: OrganisationTotals, arm: int, rows: Bools) -> bool:
    return any(totals.deals[rows & (totals.arm == k)].sum() < ENOUGH_EVENTS for k in (0, arm))


def _effect(
    totals: OrganisationTotals,
    outcome: str,
    by: str,
    segment: str,
    arm: str,
    means: MeansDifference,
    critical: float,
    adjusted: float,
    *,
    few: bool,
) -> Effect:
    estimate = means.estimate
    given = estimate.method != "none" and not few
    method: IntervalMethod = estimate.method if given else "none"
    nothing = float("nan")
    plain = t_interval(estimate.value, estimate.se, estimate.df, LEVEL) if given else None
    margin = critical * estimate.se if given and np.isfinite(critical) else nothing
    return Effect(
        treatment=arm,
        outcome=outcome,
        segment_by=by,
        segment=segment,
        estimator=ESTIMATOR,
        n_treatment=means.n_treatment,
        n_control=means.n_control,
        control_mean=known(means.control_mean),
        treatment_mean=known(means.treatment_mean),
        effect=known(estimate.value),
        se=known(estimate.se),
        ci_lower=known(plain.lower) if plain else None,
        ci_upper=known(plain.upper) if plain else None,
        simultaneous_lower=known(estimate.value - margin),
        simultaneous_upper=known(estimate.value + margin),
        p_value=known(p_value(estimate.value, estimate.se, estimate.df)) if given else None,
        p_value_adjusted=known(adjusted) if given else None,
        estimand=ESTIMAND,
        interval=method,
        n_organisations=estimate.n_units,
    )
