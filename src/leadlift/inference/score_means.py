"""Means of per-lead scores over segments, and covariances between estimates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from leadlift.inference._arrays import Floats, check_lengths, codes, finite_columns, segment_mask, unit_codes
from leadlift.inference._linear import UnitParts, linearise
from leadlift.inference.cells import merge_strata
from leadlift.inference.estimates import Estimate, estimate_from_parts


def mean_of_scores(
    scores: Any,
    *,
    stratum: Any,
    unit: Any,
    n_units: int,
    units_treated: int,
    units_control: int,
    segment: Any = None,
    weights: Any = None,
) -> Estimate:
    """The mean of per-lead scores over a segment (AIPW), with its variance within strata of the draw.

    Unit totals are centred within their stratum: the lot was drawn inside it, so differences between strata are not
    noise. Strata with fewer than two units join a neighbour (`cells`). With few units in an arm the scores of that arm
    carry most of the variance, so the degrees of freedom are at most Welch's for two samples of that many units.

    Args:
        scores: per-lead scores, shape (n,), outcome units.
        stratum: codes of stratum x round, shape (n,).
        unit: unit (organisation) codes 0 ... n_units - 1, shape (n,).
        n_units: number of units in the whole log, J.
        units_treated: units of the treated arm in the segment.
        units_control: units of control in the segment.
        segment: rows to use, booleans, shape (n,); None: all.
        weights: positive sample weights, shape (n,): how many leads each stands for; None: all equal.

    Returns:
        The mean and its error; NaN if the segment is empty.

    Raises:
        DataError: lengths differ, a value is missing, or a code is out of range.

    References:
        Robins, Rotnitzky, Zhao (1994); Bell, McCaffrey (2002).

    Examples:
        >>> scores = np.tile([1.0, 3.0], 50)
        >>> mean = mean_of_scores(scores, stratum=np.zeros(100), unit=np.arange(100), n_units=100,
        ...     units_treated=50, units_control=50)
        >>> mean.value, round(mean.se, 4), mean.df
        (2.0, 0.1005, 99.0)
    """
    where = "a mean of scores"
    equal = np.ones(np.shape(scores)) if weights is None else weights
    values, weight = finite_columns(where, scores=scores, weights=equal)
    mask = segment_mask(where, segment, values.size)
    strata, units = codes(where, "stratum", stratum), unit_codes(where, unit, n_units)
    check_lengths(where, scores=values, stratum=strata, unit=units)
    if not mask.any():
        return Estimate(np.nan, np.full(n_units, np.nan), 0, np.nan, np.nan, "none")
    merged = merge_strata(strata[mask], units[mask])
    share = np.bincount(merged, weights=weight[mask]) / weight[mask].sum()
    parts = linearise(values[mask], weight[mask], merged, units[mask], share)
    estimate = estimate_from_parts(_with_unit_sizes(parts), n_units, min(units_treated, units_control))
    if estimate.method != "satterthwaite":
        return estimate
    return replace(estimate, df=min(estimate.df, welch_df(units_treated, units_control)))


def _with_unit_sizes(parts: UnitParts) -> UnitParts:
    """Parts of totals around the overall mean, centred within strata, rather than around stratum means.

    The two differ where units differ in size and strata in effect: (leads - mean leads) x (stratum's - overall mean).
    A unit's leads count by their weights.
    """
    size = parts.leverage * parts.total[parts.group]
    mean_size = parts.total / np.bincount(parts.group)
    size_part = (size - mean_size[parts.group]) / parts.total.sum() * (parts.means - parts.value)[parts.group]
    return replace(parts, part=parts.part + size_part)


def welch_df(units_treated: int, units_control: int) -> float:
    """Welch's degrees of freedom for two samples of equal spread.

    Examples:
        >>> round(welch_df(12, 200), 2)
        12.36
    """
    a, b = 1 / units_treated, 1 / units_control
    return (a + b) ** 2 / (a**2 / (units_treated - 1) + b**2 / (units_control - 1))


def covariance(estimates: Sequence[Estimate]) -> Floats:
    """Covariances between estimates on the same units: segments, arms, estimators, in any mix.

    Args:
        estimates: K estimates whose influences have one length, J.

    Returns:
        Shape (K, K), outcome units squared; rows and columns of estimates without an error are NaN.

    Raises:
        DataError: influences of different lengths.

    Examples:
        >>> one = Estimate(1.0, np.array([0.3, 0.0, -0.4]), 2, 1.0, 0.5)
        >>> covariance([one, one]).round(2)
        array([[0.25, 0.25],
               [0.25, 0.25]])
    """
    if not estimates:
        return np.zeros((0, 0))
    check_lengths("covariances", **{f"estimate {k}": e.influence for k, e in enumerate(estimates)})
    stacked = np.vstack([estimate.influence for estimate in estimates])
    product: Floats = stacked @ stacked.T
    return product
