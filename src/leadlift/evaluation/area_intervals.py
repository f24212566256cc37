"""Intervals of areas and of their paired differences, for rankings that were fixed before the outcomes.

A ranking that a model learnt from these leads, or from others that share folds with them, is not fixed: pooled
out-of-fold predictions claim a ranking far too often. Judge those with `judge_sequentially`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from leadlift.base.arrays import Codes
from leadlift.base.errors import LeadliftError
from leadlift.base.problems import stop
from leadlift.base.record import Record
from leadlift.evaluation.metric_inputs import MetricInputs, metric_inputs, organisation_codes, ranking_column
from leadlift.evaluation.scores import ENOUGH_AMOUNTS, ENOUGH_EVENTS
from leadlift.inference import RankArea, area_estimate, effective_number, p_value, rank_area, t_interval
from leadlift.inference.ranks import Target

ENOUGH_ORGANISATIONS = 10


@dataclass(frozen=True)
class AreaEstimate(Record):
    """An area, or the difference of two, with its interval by organisation.

    Attributes:
        value: the area, outcome units per lead.
        se: standard error (CR1).
        lower, upper: ends of the interval, t with J - 1.
        p_value: two-sided, of 0.
        target: `qini` or `autoc`.
        top: the share of leads over which the area runs.
        level: confidence of the interval.
        n_organisations: J; leads where no organisations were given.
    """

    value: float
    se: float
    lower: float
    upper: float
    p_value: float
    target: Target
    top: float
    level: float
    n_organisations: int


def rate_interval(
    scores: Any,
    priority: Any,
    *,
    against: Any = None,
    groups: Any = None,
    weights: Any = None,
    target: Target = "autoc",
    top: float = 1.0,
    level: float = 0.95,
) -> AreaEstimate:
    """AUTOC or QINI of a fixed priority from per-lead scores, or its lead over another's, with its interval.

    Args:
        scores: per-lead uplift scores of one arm against control, shape (n,), outcome units; with several arms one
            arm's at a time.
        priority: what leads are ranked by, highest first, shape (n,), fixed without their outcomes.
        against: another priority of the same leads, shape (n,): the value is then the difference of the two areas, and
            the error that of the difference; None: the area itself.
        groups: organisation of each lead, any labels, shape (n,); None: each lead for itself. Errors are by it.
        weights: positive sample weights, shape (n,); None: all equal.
        target: `autoc` or `qini`.
        top: the share of leads over which the area runs, inside (0, 1].
        level: confidence, inside (0, 1).

    Raises:
        DataError: fewer than 10 organisations, scores whose spread rests on fewer than 5 leads, or as `rate`.

    References:
        Yadlowsky, Fleming, Shah, Brunskill, Wager (2025), JASA.

    Examples:
        >>> found = rate_interval(np.tile([3.0, 1.0, 0.0, 0.0], 5), np.tile([4, 3, 2, 1], 5), target="qini")
        >>> round(found.value, 4), round(found.lower, 4), round(found.upper, 4)
        (0.3125, 0.1946, 0.4304)
    """
    where = "`rate_interval`"
    area = _area(where, scores, priority, against, target, weights, top)
    return _estimate(area, judging_units(where, scores, groups), target, top, level)


def area_interval(
    y: Any,
    uplift: Any,
    treatment: Any,
    *,
    against: Any = None,
    propensity: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
    target: Target = "qini",
    top: float = 1.0,
    level: float = 0.95,
) -> AreaEstimate:
    """`qini_score` or `autoc` of a fixed ranking, or its lead over another's, with its interval by organisation.

    Args:
        y: outcome, shape (n,), outcome units.
        uplift: what leads are ranked by, highest first, shape (n,), fixed without their outcomes.
        treatment: 1 treated, 0 control, shape (n,).
        against: as `rate_interval`.
        propensity: P(treatment = 1) by design, a number or shape (n,); None: the realised share.
        groups: organisation of each lead, any labels, shape (n,); None: each lead for itself.
        sample_weight: positive weights, shape (n,); None: all equal.
        target: `qini` or `autoc`.
        top: the share of leads over which the area runs, inside (0, 1].
        level: confidence, inside (0, 1).

    Raises:
        DataError: too few outcomes, or organisations of some arm, for an interval, or as `qini_score`.
        PropensityError: a propensity outside (0, 1).

    Examples:
        >>> y, t = np.tile([1, 0, 0, 1, 0, 0], 20), np.tile([1, 0, 1, 0, 1, 0], 20)
        >>> found = area_interval(y, np.tile([3, 3, 2, 2, 1, 1], 20), t, propensity=0.5)
        >>> round(found.value, 3), round(found.lower, 3), round(found.upper, 3)
        (0.111, 0.059, 0.163)
    """
    inputs = metric_inputs(
        "`area_interval`", y, uplift, treatment, propensity=propensity, groups=groups, sample_weight=sample_weight
    )
    _enough_outcomes(inputs)
    unit = _units_of_both_arms(inputs)
    area = _area(inputs.where, inputs.scores, inputs.uplift, against, target, inputs.weight, top)
    return _estimate(area, unit, target, top, level)


def _area(where: str, scores: Any, priority: Any, against: Any, target: Target, weights: Any, top: float) -> RankArea:
    area = rank_area(scores, priority, target=target, weights=weights, top=top)
    if against is None:
        return area
    minus = rank_area(
        scores, ranking_column(where, "against", against, area.influence.size), target=target, weights=weights, top=top
    )
    return RankArea(area.value - minus.value, area.influence - minus.influence)


def _estimate(area: RankArea, unit: Codes, target: Target, top: float, level: float) -> AreaEstimate:
    n_units = int(unit.max()) + 1
    found = area_estimate(area, unit, n_units)
    interval = t_interval(found.value, found.se, found.df, level)
    p = p_value(found.value, found.se, found.df) if found.se > 0 else 1.0
    return AreaEstimate(area.value, found.se, interval.lower, interval.upper, p, target, top, level, n_units)


def judging_units(where: str, scores: Any, groups: Any) -> Codes:
    """Organisation codes of leads that per-lead scores judge, shape (n,); each lead its own where none are given.

    Raises:
        DataError: not one label per lead, fewer than 10 organisations, or scores whose spread rests on fewer than 5
            leads, as without any outcome.
    """
    n = np.size(scores)
    unit = np.arange(n) if groups is None else organisation_codes(where, groups, n)
    units = int(unit.max(initial=-1)) + 1
    if units < ENOUGH_ORGANISATIONS:
        raise _too_few_organisations(where, "or more", f"{units:,}")
    carried = effective_number(scores)
    if carried < ENOUGH_AMOUNTS:
        rule = f"an interval rests on {ENOUGH_AMOUNTS} leads or more that carry the spread of scores"
        raise stop(where, "too-few-outcomes", rule, f"{carried:.1f}", "judge the ranking on more leads")
    return unit


def _units_of_both_arms(inputs: MetricInputs) -> Codes:
    """Organisation codes of the leads, if either arm has enough organisations."""
    unit = np.arange(inputs.y.size) if inputs.organisation is None else inputs.organisation
    treated, control = (np.unique(unit[arm]).size for arm in (inputs.treated, ~inputs.treated))
    if min(treated, control) < ENOUGH_ORGANISATIONS:
        raise _too_few_organisations(inputs.where, "or more of each arm", f"{treated:,} treated, {control:,} control")
    return unit


def _too_few_organisations(where: str, rule: str, found: str) -> LeadliftError:
    rests = f"an interval rests on {ENOUGH_ORGANISATIONS} organisations {rule}"
    return stop(where, "too-few-organisations", rests, found, "judge the ranking on more of them")


def _enough_outcomes(inputs: MetricInputs) -> None:
    """Stops unless outcomes carry a normal approximation in both arms."""
    smaller = int(min(inputs.treated.sum(), (~inputs.treated).sum()))
    if np.isin(inputs.y, (0.0, 1.0)).all():
        rate = float(inputs.y.mean())
        expected, enough, unit = min(rate, 1 - rate) * smaller, ENOUGH_EVENTS, "events"
    else:
        expected, enough = effective_number(inputs.y) * smaller / inputs.y.size, ENOUGH_AMOUNTS
        unit = "leads that carry the spread of amounts"
    if expected < enough:
        rule = f"an interval rests on {enough} expected {unit} or more in the smaller arm"
        raise stop(inputs.where, "too-few-outcomes", rule, f"{expected:.1f}", "judge the ranking on more leads")
