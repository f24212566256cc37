"""Effects of each arm, overall and by segment: the six-group test itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from leadlift.base.arrays import Bools, Floats
from leadlift.base.record import known
from leadlift.base.records import Effect, IntervalMethod, SegmentTest
from leadlift.data import AssignmentLog
from leadlift.evaluation.groups import Segments
from leadlift.evaluation.scores import ENOUGH_EVENTS, control_scores, few_events, lead_scores, weights_of
from leadlift.inference import (
    Estimate,
    MeansDifference,
    adjusted_p_values,
    cell_counts,
    covariance,
    difference_in_means,
    equality_test,
    max_t,
    mean_of_scores,
    miettinen_nurminen,
    organisation_means,
    p_value,
    possibly_best,
    t_interval,
)

LEVEL = 0.95
NAMED = 5
ESTIMATORS = ("difference_in_means", "aipw")


@dataclass(frozen=True, eq=False)
class Cell:
    """One arm in one segment, with its estimate and, where events are few, what a score interval needs."""

    treatment: str
    segment: str
    rows: Bools
    means: MeansDifference
    estimate: Estimate
    few_events: bool
    arm_means: tuple[float, float]


def effects_by_segment(
    log: AssignmentLog, segments: Segments, outcomes: Floats, *, seed: int
) -> tuple[list[Effect], list[SegmentTest]]:
    """Difference in means and AIPW of every arm in every segment, and whether segments differ.

    Args:
        log: the leads.
        segments: fixed without outcomes of the leads in them.
        outcomes: out-of-fold expected outcomes under each arm, shape (n, arms).
        seed: of simulated critical values.

    Returns: effects by estimator, arm and segment; tests by estimator and arm (none for one segment).
    """
    effects: list[Effect] = []
    tests: list[SegmentTest] = []
    for estimator in ESTIMATORS:
        found = told(log, segment_cells(log, segments, outcomes, estimator), segments, estimator, seed=seed)
        effects += found[0]
        tests += found[1]
    # Of an organisation whose leads were sampled, no mean outcome is known.
    if segments.by == "all" and log.organisations_given and log.weight is None and _whole_organisations(log):
        effects += _family(
            log, [_organisation_cell(log, arm) for arm in log.treated_arms], "all", "organisation_means", seed
        )
    return effects, tests


def segment_cells(log: AssignmentLog, segments: Segments, outcomes: Floats, estimator: str) -> list[Cell]:
    """One estimator's estimate of every arm in every segment."""
    return [
        _cell(log, arm, name, segments.code == k, outcomes, estimator)
        for arm in log.treated_arms
        for k, name in enumerate(segments.names)
    ]


def told(
    log: AssignmentLog, cells: Sequence[Cell], segments: Segments, estimator: str, *, seed: int
) -> tuple[list[Effect], list[SegmentTest]]:
    """One estimator's effects with their intervals, and its tests between segments."""
    effects = _family(log, cells, segments.by, estimator, seed)
    return effects, _tests(log, cells, segments, estimator, seed) if len(segments.names) > 1 else []


def _cell(log: AssignmentLog, arm: str, segment: str, rows: Bools, outcomes: Floats, estimator: str) -> Cell:
    index, contrast = log.arms.index(arm), log.contrast(arm)
    means = difference_in_means(
        log.outcome,
        contrast,
        propensity_treated=log.propensities[:, index],
        propensity_control=log.propensities[:, 0],
        cell=log.cell,
        unit=log.organisation,
        n_units=log.n_organisations,
        segment=rows,
        weights=log.weight,
    )
    estimate, arm_means = means.estimate, (means.control_mean, means.treatment_mean)
    if estimator == "aipw":
        units = [len(np.unique(log.organisation[rows & (contrast == a)])) for a in (1, 0)]
        estimate = mean_of_scores(
            lead_scores(log, arm, outcomes),
            stratum=log.stratum,
            unit=log.organisation,
            n_units=log.n_organisations,
            units_treated=units[0],
            units_control=units[1],
            segment=rows,
            weights=log.weight,
        )
        weight = weights_of(log, rows)
        control = float(np.average(control_scores(log, outcomes)[rows], weights=weight)) if rows.any() else np.nan
        arm_means = (control, control + estimate.value)
    few = few_events(log, arm, np.flatnonzero(rows))
    return Cell(arm, segment, rows, means, estimate, few, arm_means)


def _organisation_cell(log: AssignmentLog, arm: str) -> Cell:
    means = organisation_means(
        log.outcome,
        log.contrast(arm),
        propensity_treated=log.propensities[:, log.arms.index(arm)],
        propensity_control=log.propensities[:, 0],
        cell=log.cell,
        unit=log.organisation,
        n_units=log.n_organisations,
    )
    everyone = np.ones(len(log), dtype=bool)
    return Cell(arm, "all", everyone, means, means.estimate, False, (means.control_mean, means.treatment_mean))


def _whole_organisations(log: AssignmentLog) -> bool:
    """Whether each organisation has one arm, and some have several leads."""
    pairs = np.unique(np.column_stack([log.organisation, log.arm]), axis=0)
    return len(pairs) == log.n_organisations < len(log)


def _family(log: AssignmentLog, cells: Sequence[Cell], by: str, estimator: str, seed: int) -> list[Effect]:
    """Effects whose intervals and p-values hold at once over all arms and segments of one kind."""
    estimates = [cell.estimate for cell in cells]
    matrix, df = covariance(estimates), np.array([estimate.df for estimate in estimates])
    critical = max_t(matrix, df, level=LEVEL, rng=np.random.default_rng([seed, 2]))
    plain = [_interval(log, cell, estimator, LEVEL) for cell in cells]
    wide = [_interval(log, cell, estimator, _level_of(critical, cell.estimate.df)) for cell in cells]
    p = np.array([interval[2] for interval in plain])
    t = np.array([_t_of(value, estimate.df) for value, estimate in zip(p, estimates, strict=True)])
    adjusted = adjusted_p_values(t, df, matrix, np.random.default_rng([seed, 2]))
    return [_effect(log, cell, by, estimator, plain[k], wide[k], float(adjusted[k])) for k, cell in enumerate(cells)]


def _level_of(critical: float, df: float) -> float:
    return float(1 - 2 * stats.t.sf(critical, df)) if np.isfinite(critical) else LEVEL


def _t_of(p: float, df: float) -> float:
    return float(stats.t.isf(p / 2, df)) if np.isfinite(p) else float("nan")


def _interval(log: AssignmentLog, cell: Cell, estimator: str, level: float) -> tuple[float, float, float]:
    """Lower and upper end and p-value: by t, or by score where events are few; NaN where neither holds."""
    nothing = (float("nan"),) * 3
    estimate = cell.estimate
    if estimate.method == "none":
        return nothing
    if not cell.few_events:
        interval = t_interval(estimate.value, estimate.se, estimate.df, level)
        return interval.lower, interval.upper, p_value(estimate.value, estimate.se, estimate.df)
    # A score interval counts events, and each of these stands for a number of leads of its own.
    if estimator != "difference_in_means" or log.weight is not None:
        return nothing
    counts = cell_counts(
        log.outcome, log.contrast(cell.treatment), cell=log.cell, unit=log.organisation, segment=cell.rows
    )
    score = miettinen_nurminen(
        counts.events_treated,
        counts.n_treated,
        counts.events_control,
        counts.n_control,
        level=level,
        weights=counts.size,
        design_effect=_design_effect(log, cell),
    )
    return score.lower, score.upper, score.p_value


def _design_effect(log: AssignmentLog, cell: Cell) -> float:
    """Variance by organisation over variance by lead: how much the organisations' leads repeat each other."""
    if not log.organisations_given or not cell.estimate.se > 0:
        return 1.0
    alone = difference_in_means(
        log.outcome,
        log.contrast(cell.treatment),
        propensity_treated=log.propensities[:, log.arms.index(cell.treatment)],
        propensity_control=log.propensities[:, 0],
        cell=log.cell,
        unit=np.arange(len(log)),
        n_units=len(log),
        segment=cell.rows,
    ).estimate
    return float((cell.estimate.se / alone.se) ** 2) if alone.se > 0 else 1.0


def _effect(
    log: AssignmentLog,
    cell: Cell,
    by: str,
    estimator: str,
    plain: tuple[float, float, float],
    wide: tuple[float, float, float],
    adjusted: float,
) -> Effect:
    estimate = cell.estimate
    method: IntervalMethod = estimate.method
    if cell.few_events and method != "none":
        counted = estimator == "difference_in_means" and log.weight is None
        method = "miettinen_nurminen" if counted else "none"
    control, treated = cell.arm_means
    return Effect(
        treatment=cell.treatment,
        outcome=log.names["outcome"],
        segment_by=by,
        segment=cell.segment,
        estimator=estimator,
        n_treatment=cell.means.n_treatment,
        n_control=cell.means.n_control,
        control_mean=known(control),
        treatment_mean=known(treated),
        effect=known(estimate.value),
        se=known(estimate.se),
        ci_lower=known(plain[0]),
        ci_upper=known(plain[1]),
        simultaneous_lower=known(wide[0]),
        simultaneous_upper=known(wide[1]),
        p_value=known(plain[2]),
        p_value_adjusted=known(adjusted),
        estimand="per_organisation" if estimator == "organisation_means" else "per_lead",
        interval=method,
        n_organisations=estimate.n_units,
    )


def _tests(
    log: AssignmentLog, cells: Sequence[Cell], segments: Segments, estimator: str, seed: int
) -> list[SegmentTest]:
    return [
        _test(log, [cell for cell in cells if cell.treatment == arm], segments, estimator, seed)
        for arm in log.treated_arms
    ]


def _test(log: AssignmentLog, cells: Sequence[Cell], segments: Segments, estimator: str, seed: int) -> SegmentTest:
    """Equality of one arm's effects over segments, and the segments that may gain most."""
    values = np.array([cell.estimate.value for cell in cells])
    matrix, df = covariance([cell.estimate for cell in cells]), np.array([cell.estimate.df for cell in cells])
    few = np.array([cell.few_events for cell in cells])
    if segments.hold_problems:
        # Problems are many and some are rare: those with hardly an outcome don't keep the others from being compared.
        few |= np.array([cell.estimate.method == "none" for cell in cells])
        matrix[few, :] = matrix[:, few] = np.nan
    equality = equality_test(values, matrix, df)
    best = possibly_best(values, matrix, df, level=LEVEL, rng=np.random.default_rng([seed, 3]))
    names = tuple(name for name, keep in zip(segments.names, best | few, strict=True) if keep)
    decided = bool(np.isfinite(equality.p_value)) and (segments.hold_problems or not few.any())
    rare = tuple(name for name, thin in zip(segments.names, few, strict=True) if thin)
    return SegmentTest(
        treatment=cells[0].treatment,
        outcome=log.names["outcome"],
        segment_by=segments.by,
        estimator=estimator,
        statistic=equality.statistic if decided else None,
        df=equality.df,
        p_value=equality.p_value if decided else None,
        possibly_best=names if decided else segments.names,
        message=_test_words(decided, rare),
    )


def _test_words(decided: bool, rare: tuple[str, ...]) -> str:
    """What to know of a test between segments."""
    if not decided:
        return f"fewer than {ENOUGH_EVENTS} expected events, or 10 organisations, in some group and arm"
    more = f" and {len(rare) - NAMED:,} more" if len(rare) > NAMED else ""
    return f"too few outcomes to compare {'; '.join(rare[:NAMED])}{more}" if rare else ""
