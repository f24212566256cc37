"""Intervals of areas, paired differences and bands of curves, for rankings that were fixed before the outcomes.

A ranking that a model learnt from these leads, or from others that share folds with them, is not fixed: pooled
out-of-fold predictions claim a ranking far too often. Judge those with `judge_sequentially`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Floats
from leadlift.base.problems import share, stop
from leadlift.base.record import Record, known
from leadlift.base.records import CurvePoint
from leadlift.evaluation.curves import inverse_propensity_scores
from leadlift.evaluation.metric_inputs import MetricInputs, metric_inputs
from leadlift.evaluation.scores import ENOUGH_AMOUNTS, ENOUGH_EVENTS
from leadlift.inference import (
    RankArea,
    area_estimate,
    band_critical_value,
    effective_number,
    gain_curve,
    gain_curve_influence,
    p_value,
    rank_area,
    t_interval,
    unit_influence,
)
from leadlift.inference.ranks import Target

ENOUGH_ORGANISATIONS = 10
SHARES = np.round(np.arange(1, 21) / 20, 2)


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
        DataError: fewer than 10 organisations, or as `rate`.

    References:
        Yadlowsky, Fleming, Shah, Brunskill, Wager (2025), JASA.

    Examples:
        >>> found = rate_interval(np.tile([3.0, 1.0, 0.0, 0.0], 5), np.tile([4, 3, 2, 1], 5), target="qini")
        >>> round(found.value, 4), round(found.lower, 4), round(found.upper, 4)
        (0.3125, 0.1946, 0.4304)
    """
    area = _area(scores, priority, against, target, weights, top)
    return _estimate("`rate_interval`", area, groups, target, top, level)


def area_interval(
    y: Any,
    uplift: Any,
    treatment: Any,
    *,
    against: Any = None,
    propensity: Any = None,
    groups: Any = None,
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
        target: `qini` or `autoc`.
        top: the share of leads over which the area runs, inside (0, 1].
        level: confidence, inside (0, 1).

    Raises:
        DataError: too few outcomes or organisations for an interval, or as `qini_score`.
        PropensityError: a propensity outside (0, 1).

    Examples:
        >>> y, t = np.tile([1, 0, 0, 1, 0, 0], 20), np.tile([1, 0, 1, 0, 1, 0], 20)
        >>> found = area_interval(y, np.tile([3, 3, 2, 2, 1, 1], 20), t, propensity=0.5)
        >>> round(found.value, 3), round(found.lower, 3), round(found.upper, 3)
        (0.111, 0.059, 0.163)
    """
    where = "`area_interval`"
    inputs = _judgeable(where, y, uplift, treatment, propensity, groups)
    other = None if against is None else metric_inputs(where, y, against, treatment, propensity, groups).uplift
    area = _area(inverse_propensity_scores(inputs), inputs.uplift, other, target, None, top)
    return _estimate(where, area, groups, target, top, level)


def gain_band(
    scores: Any,
    priority: Any,
    *,
    groups: Any = None,
    shares: Any = None,
    level: float = 0.95,
    rng: np.random.Generator,
) -> tuple[CurvePoint, ...]:
    """The gain curve of a fixed ranking with a band by organisation that holds for the whole curve at once.

    Args:
        scores: per-lead uplift scores, shape (n,), outcome units.
        priority: what leads are ranked by, highest first, shape (n,), fixed without their outcomes.
        groups: organisation of each lead, any labels, shape (n,); None: each lead for itself.
        shares: where to read the curve, inside (0, 1]; None: at every twentieth.
        level: simultaneous confidence, inside (0, 1).
        rng: source of the draws behind the critical value.

    Raises:
        DataError: fewer than 10 organisations, a share outside [0, 1], a missing value, or lengths that differ.

    References:
        Montiel Olea, Plagborg-Moller (2019), Journal of Applied Econometrics 34, 1-17.
    """
    at = SHARES if shares is None else np.atleast_1d(np.asarray(shares, dtype=np.float64))
    gain = gain_curve(scores, priority, at)
    unit, n_units = _units("`gain_band`", groups, np.size(priority))
    influence = unit_influence(gain_curve_influence(scores, priority, at), unit, n_units)
    half = band_critical_value(influence, level=level, rng=rng) * np.sqrt((influence**2).sum(axis=0))
    end = float(gain_curve(scores, priority, [1.0])[0])
    return tuple(
        CurvePoint(float(q), float(g), known(g - h), known(g + h), float(q * end))
        for q, g, h in zip(at, gain, half, strict=True)
    )


def _area(scores: Any, priority: Any, against: Any, target: Target, weights: Any, top: float) -> RankArea:
    area = rank_area(scores, priority, target=target, weights=weights, top=top)
    if against is None:
        return area
    minus = rank_area(scores, against, target=target, weights=weights, top=top)
    return RankArea(area.value - minus.value, area.influence - minus.influence)


def _estimate(where: str, area: RankArea, groups: Any, target: Target, top: float, level: float) -> AreaEstimate:
    unit, n_units = _units(where, groups, area.influence.size)
    found = area_estimate(area, unit, n_units)
    interval = t_interval(found.value, found.se, found.df, level)
    p = p_value(found.value, found.se, found.df) if found.se > 0 else 1.0
    return AreaEstimate(area.value, found.se, interval.lower, interval.upper, p, target, top, level, n_units)


def _units(where: str, groups: Any, n: int) -> tuple[Codes, int]:
    if groups is None:
        unit, n_units = np.arange(n), n
    else:
        if len(groups) != n:
            found = f"{len(groups):,} for {n:,} leads"
            raise stop(where, "shape", "`groups` names the organisation of every lead", found, "pass one per lead")
        codes, names = pd.factorize(np.asarray(groups), sort=False)
        missing = int((codes < 0).sum())
        if missing:
            rule = "`groups` names the organisation of every lead"
            raise stop(where, "missing-value", rule, share(missing, n), "drop these rows, and count them, first")
        unit, n_units = codes.astype(np.intp), len(names)
    if n_units < ENOUGH_ORGANISATIONS:
        rule = f"an interval rests on {ENOUGH_ORGANISATIONS} organisations or more"
        raise stop(where, "too-few-organisations", rule, f"{n_units:,}", "judge the ranking on more of them")
    return unit, n_units


def _judgeable(where: str, y: Any, uplift: Any, treatment: Any, propensity: Any, groups: Any) -> MetricInputs:
    """Checked columns, if outcomes carry a normal approximation in both arms."""
    inputs = metric_inputs(where, y, uplift, treatment, propensity, groups)
    smaller = int(min(inputs.treated.sum(), (~inputs.treated).sum()))
    if np.isin(inputs.y, (0.0, 1.0)).all():
        rate = float(inputs.y.mean())
        expected, enough = min(rate, 1 - rate) * smaller, ENOUGH_EVENTS
        unit = "events"
    else:
        expected, enough = _effective(inputs.y, smaller), ENOUGH_AMOUNTS
        unit = "leads that carry the spread of amounts"
    if expected < enough:
        rule = f"an interval rests on {enough} expected {unit} or more in the smaller arm"
        raise stop(where, "too-few-outcomes", rule, f"{expected:.1f}", "judge the ranking on more leads")
    return inputs


def _effective(y: Floats, smaller: int) -> float:
    return float(effective_number(y) * smaller / y.size)
