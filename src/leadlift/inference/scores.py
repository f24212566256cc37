"""Per-lead uplift scores: means of them over any set chosen without its outcomes estimate that set's uplift."""

from __future__ import annotations

from typing import Any

import numpy as np

from leadlift.base.problems import share, stop
from leadlift.inference._arrays import Floats, Ints, check_propensities, codes, finite_columns


def contrast_scores(
    y: Any,
    arm: Any,
    *,
    propensity_treated: Any,
    propensity_control: Any,
    predicted_treated: Any,
    predicted_control: Any,
) -> Floats:
    """Per-lead scores of one arm a against control c, when there may be other arms.

        G_i = m_a - m_c + 1{w_i = a}/e_a (y_i - m_a) - 1{w_i = c}/e_c (y_i - m_c)

    A lead of another arm has the first part only. It still counts: without it the predictions' part would be that
    of a selected set.

    Args:
        y: outcome, shape (n,), outcome units.
        arm: 1 for arm a, 0 for control, any other code for another arm, shape (n,).
        propensity_treated: P(arm a) by design, shape (n,), inside (0, 1) on every row.
        propensity_control: P(control) by design, shape (n,), inside (0, 1) on every row.
        predicted_treated: m_a, the outcome predicted under arm a by models that never saw the lead's
            organisation, shape (n,), outcome units.
        predicted_control: m_c, likewise under control.

    Returns:
        Scores, shape (n,), outcome units.

    Raises:
        PropensityError: a propensity outside (0, 1), or the two add up to more than 1.
        DataError: lengths differ, or a value is missing.

    References:
        Robins, Rotnitzky, Zhao (1994); Chernozhukov et al. (2018).

    Examples:
        >>> contrast_scores([1.0, 0.0, 1.0], [1, 0, -1], propensity_treated=[0.25] * 3,
        ...     propensity_control=[0.5] * 3, predicted_treated=[0.5] * 3, predicted_control=[0.25] * 3)
        array([2.25, 0.75, 0.25])
    """
    where = "the per-lead scores"
    outcome, e_a, e_c, m_a, m_c = finite_columns(
        where,
        y=y,
        propensity_treated=propensity_treated,
        propensity_control=propensity_control,
        predicted_treated=predicted_treated,
        predicted_control=predicted_control,
    )
    taken = codes(where, "arm", arm)
    finite_columns(where, y=outcome, arm=taken)
    check_propensities(where, propensity_treated=e_a, propensity_control=e_c)
    treated_part = np.where(taken == 1, (outcome - m_a) / e_a, 0.0)
    control_part = np.where(taken == 0, (outcome - m_c) / e_c, 0.0)
    return m_a - m_c + treated_part - control_part


def aipw_scores(y: Any, arm: Any, *, propensity: Any, predicted: Any) -> Floats:
    """Per-lead uplift scores of two arms; their mean over any set is that set's uplift.

        G_i = m1_i - m0_i + 1{w_i=1}/e_i (y_i - m1_i) - 1{w_i=0}/(1-e_i) (y_i - m0_i)

    Args:
        y: outcome, shape (n,), outcome units.
        arm: 0 control, 1 treated, shape (n,).
        propensity: P(arm = 1) by design, shape (n,), inside (0, 1).
        predicted: outcomes predicted without and with the touch, shape (n, 2), from folds that never saw the
            lead's organisation.

    Returns:
        Scores, shape (n,), outcome units.

    Raises:
        PropensityError: a propensity outside (0, 1).
        DataError: an arm other than 0 and 1, a missing value, or lengths that differ.

    References:
        Robins, Rotnitzky, Zhao (1994); Chernozhukov et al. (2018).

    Examples:
        >>> aipw_scores([1.0, 0.0], [1, 0], propensity=[0.5, 0.5], predicted=[[0.25, 0.5], [0.25, 0.5]])
        array([1.25, 0.75])
    """
    outcomes = np.asarray(predicted, dtype=np.float64)
    if outcomes.ndim != 2 or outcomes.shape[1] != 2:
        rule = "`predicted` has two columns, without and with the touch"
        raise stop("the per-lead scores", "shape", rule, f"shape {outcomes.shape}", "pass shape (n, 2)")
    (e,) = finite_columns("the per-lead scores", propensity=propensity)
    return contrast_scores(
        y,
        _two_arms(arm),
        propensity_treated=e,
        propensity_control=1 - e,
        predicted_treated=outcomes[:, 1],
        predicted_control=outcomes[:, 0],
    )


def ipw_scores(y: Any, arm: Any, *, propensity: Any) -> Floats:
    """Inverse-propensity scores of two arms: y w/e - y (1-w)/(1-e), the scores of a model that predicts 0.

    Args:
        y: outcome, shape (n,), outcome units.
        arm: 0 control, 1 treated, shape (n,).
        propensity: P(arm = 1) by design, shape (n,), inside (0, 1).

    Returns:
        Scores, shape (n,), outcome units.

    Raises:
        PropensityError: a propensity outside (0, 1).
        DataError: an arm other than 0 and 1, a missing value, or lengths that differ.

    References:
        Horvitz, Thompson (1952).

    Examples:
        >>> ipw_scores([1.0, 1.0, 0.0], [1, 0, 1], propensity=[0.5, 0.5, 0.5])
        array([ 2., -2.,  0.])
    """
    return aipw_scores(y, arm, propensity=propensity, predicted=np.zeros((np.size(y), 2)))


def _two_arms(arm: Any) -> Ints:
    taken = codes("the per-lead scores", "arm", arm)
    other = int(((taken != 0) & (taken != 1)).sum())
    if other:
        fix = "use contrast_scores for one arm among several"
        raise stop("the per-lead scores", "arm-code", "`arm` is 0 or 1", share(other, taken.size), fix)
    return taken
