"""Errors of areas by unit: linearised, and by half-samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from leadlift.inference._arrays import Floats, Ints, check_lengths, stable_sum, unit_codes, unit_sums
from leadlift.inference.estimates import Estimate
from leadlift.inference.ranks import RankArea, Target, rank_area, ranking_columns


def unit_influence(influence: Any, unit: Any, n_units: int) -> Floats:
    """Per-lead influence added up by unit and scaled as in `Estimate`: se^2 is its sum of squares.

    Args:
        influence: per lead, shape (n,) or (n, Q), outcome units.
        unit: unit codes 0 ... n_units - 1, shape (n,).
        n_units: number of units in the whole log, J.

    Returns:
        Shape (n_units,) or (n_units, Q), with CR1's sqrt(J/(J-1)), J counted among these leads. NaN under two units.

    Raises:
        DataError: lengths differ, or a code is out of range.

    Examples:
        >>> unit_influence([2.0, 0.0, -2.0, 0.0], [0, 0, 1, 1], 3).round(3)
        array([ 0.707, -0.707,  0.   ])
    """
    values, units = np.asarray(influence, dtype=np.float64), unit_codes("an area's error", unit, n_units)
    columns = values[:, None] if values.ndim == 1 else values
    check_lengths("an area's error", influence=columns[:, 0] if columns.size else units[:0], unit=units)
    present = np.unique(units).size
    scale = np.sqrt(present / (present - 1)) / len(values) if present > 1 else np.nan
    summed = np.column_stack([unit_sums(column, units, n_units) for column in columns.T]) * scale
    return summed[:, 0] if values.ndim == 1 else summed


def area_se(influence: Any, unit: Any, n_units: int) -> float:
    """Standard error of an area, by unit: sqrt(sum_j (sum_{i in j} IF_i)^2) / n sqrt(J/(J-1)).

    The error of a paired difference is that of the difference of the influences.

    Args:
        influence: per lead, shape (n,), outcome units.
        unit: unit codes 0 ... n_units - 1, shape (n,).
        n_units: number of units in the whole log, J.

    Returns:
        Outcome units; NaN under two units.

    Raises:
        DataError: lengths differ, or a code is out of range.

    Examples:
        >>> round(area_se([2.0, 0.0, -2.0, 0.0], [0, 0, 1, 1], 2), 3)
        1.0
    """
    return _norm(unit_influence(influence, unit, n_units))


def _norm(influence: Floats) -> float:
    return float(np.sqrt(stable_sum(influence**2)))


def area_estimate(area: RankArea, unit: Any, n_units: int) -> Estimate:
    """An area as an `Estimate`: CR1 by unit, t with J - 1; covariances with other estimates come for free.

    Args:
        area: the area and its influence.
        unit: unit codes 0 ... n_units - 1, shape (n,).
        n_units: number of units in the whole log, J.

    Returns:
        The estimate; without an error under two units.

    Raises:
        DataError: lengths differ, or a code is out of range.
    """
    influence = unit_influence(area.influence, unit, n_units)
    present = int(np.unique(np.asarray(unit)).size)
    se = _norm(influence)
    if np.isnan(se):
        return Estimate(area.value, influence, present, np.nan, np.nan, "none")
    return Estimate(area.value, influence, present, float(present - 1), se, "t")


def half_sample_se(
    scores: Any,
    priority: Any,
    unit: Any,
    n_units: int,
    *,
    target: Target,
    rng: np.random.Generator,
    draws: int = 200,
    weights: Any = None,
) -> float:
    """Standard error of an area by half-samples of units, as grf computes it.

    The spread of the area over random halves of the units (without replacement) is the error of the whole. Beside
    `area_se` for small logs, where ranks within few leads are far from their limit.

    Args:
        scores: per-lead uplift scores, shape (n,), outcome units.
        priority: what leads are ranked by, shape (n,).
        unit: unit codes 0 ... n_units - 1, shape (n,).
        n_units: number of units in the whole log, J.
        target: `qini` or `autoc`.
        rng: source of the halves.
        draws: how many halves.
        weights: positive sample weights, shape (n,); None: all equal.

    Returns:
        Outcome units; NaN under four units.

    Raises:
        DataError: as `rank_area`, or a unit code is out of range.

    References:
        Yadlowsky et al. (2025), JASA; Chung, Romano (2013).
    """
    outcome, order_by, weight = ranking_columns("a ranking", scores, priority, weights)
    units = unit_codes("a ranking", unit, n_units)
    check_lengths("a ranking", scores=outcome, unit=units)
    names = np.unique(units)
    if names.size < 4:
        return float("nan")
    areas = [_half_area(outcome, order_by, weight, _half(units, names, n_units, rng), target) for _ in range(draws)]
    return float(np.std(areas, ddof=1))


def _half(unit: Ints, names: Ints, n_units: int, rng: np.random.Generator) -> Any:
    inside = np.zeros(n_units, dtype=np.bool_)
    inside[rng.choice(names, names.size // 2, replace=False)] = True
    return inside[unit]


def _half_area(scores: Floats, priority: Floats, weights: Floats, rows: Any, target: Target) -> float:
    return rank_area(scores[rows], priority[rows], target=target, weights=weights[rows]).value
