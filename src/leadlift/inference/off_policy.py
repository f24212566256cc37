"""What another policy would have earned, from a log whose probabilities are known: IPS, SNIPS, DM and DR by name.

Actions may be many (items, arms, offers): all that is needed of them is how likely the log and the target were to take
the action that was taken, and what a model predicts.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from leadlift.base.errors import PropensityError
from leadlift.base.problems import did_you_mean, share, stop
from leadlift.inference._arrays import Floats, check_lengths, finite_columns, unit_codes
from leadlift.inference.areas import unit_influence
from leadlift.inference.estimates import UNITS_FOR_AN_ERROR, Estimate

OffPolicyEstimator = Literal["ips", "snips", "dm", "dr"]
WHERE = "a policy's value"


def off_policy_value(
    y: Any,
    *,
    logged: Any,
    target: Any,
    estimator: OffPolicyEstimator,
    unit: Any,
    n_units: int,
    predicted_taken: Any = None,
    predicted_target: Any = None,
) -> Estimate:
    """The mean outcome under another policy than the one that was run.

    With w = target / logged, q the predicted outcomes, and qt their mean under the target:

        ips    mean of w y
        snips  sum of w y / sum of w; its error is that of w (y - value) / mean w
        dm     mean of qt
        dr     mean of qt + w (y - q)

    IPS and DR are unbiased where the log's probabilities are right, whatever the model; SNIPS nearly so, and it stays
    within the range of the outcomes. DM is as biased as its model, by an amount that no log shows: it gets no error.

    Args:
        y: outcome, shape (n,), outcome units.
        logged: probability with which the log took the action that it took, shape (n,), inside (0, 1].
        target: probability with which the target policy takes that same action, shape (n,), inside [0, 1].
        estimator: `ips`, `snips`, `dm` or `dr`.
        unit: unit (organisation) codes 0 ... n_units - 1, shape (n,).
        n_units: number of units in the whole log, J.
        predicted_taken: q, predicted outcome of the action taken, by models that never saw the lead's organisation,
            shape (n,); for `dr`.
        predicted_target: qt, predicted outcome averaged over the target's actions, shape (n,); for `dm` and `dr`.

    Returns:
        The value with its error by unit (CR1; for `snips` the plain linearised one), t with J - 1; no error for `dm`,
        nor under 10 units.

    Raises:
        PropensityError: a probability out of range.
        DataError: lengths differ, a value or a prediction is missing, the target never takes what the log took, or
            another estimator.

    References:
        Horvitz, Thompson (1952); Swaminathan, Joachims (2015), The self-normalized estimator; Dudik, Langford, Li
        (2011), Doubly robust policy evaluation.

    Examples:
        >>> value = off_policy_value([1.0, 0.0] * 10, logged=[0.5] * 20, target=[1.0, 0.0] * 10, estimator="snips",
        ...     unit=np.arange(20), n_units=20)
        >>> value.value, value.se
        (1.0, 0.0)
    """
    if estimator not in get_args(OffPolicyEstimator):
        found = f"`{estimator}`; {did_you_mean(str(estimator), get_args(OffPolicyEstimator))}"
        raise stop(WHERE, "estimator", "`estimator` is ips, snips, dm or dr", found, "choose one")
    outcome, p, t = finite_columns(WHERE, y=y, logged=logged, target=target)
    units = unit_codes(WHERE, unit, n_units)
    check_lengths(WHERE, y=outcome, unit=units)
    weight = _weights(p, t)
    if estimator == "ips":
        return _mean(weight * outcome, units, n_units)
    if estimator == "snips":
        return _self_normalised(outcome, weight, units, n_units)
    (expected,) = _predictions(outcome, predicted_target=predicted_target)
    if estimator == "dm":
        nothing = np.full(n_units, np.nan)
        return Estimate(float(expected.mean()), nothing, int(np.unique(units).size), np.nan, np.nan, "none")
    (taken,) = _predictions(outcome, predicted_taken=predicted_taken)
    return _mean(expected + weight * (outcome - taken), units, n_units)


def _weights(logged: Floats, target: Floats) -> Floats:
    if not logged.size:
        raise stop(WHERE, "empty", "a log has rows", "0 rows", "pass the logged decisions")
    for name, wrong in (
        ("logged", ~((logged > 0) & (logged <= 1))),
        ("target", ~((target >= 0) & (target <= 1))),
    ):
        if wrong.any():
            rule = f"`{name}` lies inside {'(' if name == 'logged' else '['}0, 1]"
            fix = "pass probabilities of the action taken, as the design logged them"
            raise stop(WHERE, "propensity-range", rule, share(int(wrong.sum()), wrong.size), fix, PropensityError)
    weight: Floats = target / logged
    if not weight.any():
        rule = "the target policy takes what the log took, at least once"
        raise stop(WHERE, "no-support", rule, f"never in {weight.size:,} rows", "log decisions that it would take")
    return weight


def _predictions(outcome: Floats, **columns: Any) -> tuple[Floats, ...]:
    for name, column in columns.items():
        if column is None:
            raise stop(WHERE, "predictions", "dm and dr use a model", f"`{name}` is missing", f"pass `{name}`")
    values = finite_columns(WHERE, **columns)
    check_lengths(WHERE, y=outcome, **dict(zip(columns, values, strict=True)))
    return values


def _mean(values: Floats, units: Any, n_units: int) -> Estimate:
    mean = float(np.sort(values).mean())
    return _estimate(mean, values - mean, units, n_units)


def _self_normalised(y: Floats, weight: Floats, units: Any, n_units: int) -> Estimate:
    order = np.lexsort((y, weight))
    value = float((weight[order] * y[order]).sum() / weight[order].sum())
    return _estimate(value, weight * (y - value) / weight[order].mean(), units, n_units, cr1=False)


def _estimate(value: float, influence: Floats, units: Any, n_units: int, *, cr1: bool = True) -> Estimate:
    present = int(np.unique(units).size)
    if present < UNITS_FOR_AN_ERROR:
        return Estimate(value, np.full(n_units, np.nan), present, np.nan, np.nan, "none")
    by_unit = unit_influence(influence, units, n_units) * (1.0 if cr1 else np.sqrt((present - 1) / present))
    return Estimate(value, by_unit, present, float(present - 1), float(np.sqrt((by_unit**2).sum())), "t")


def effective_sample_size(logged: Any, target: Any) -> float:
    """How many rows of the log the target's value rests on: (sum w)^2 / sum w^2, w = target / logged (Kish).

    Args:
        logged: probability with which the log took the action that it took, shape (n,), inside (0, 1].
        target: probability with which the target policy takes it, shape (n,), inside [0, 1].

    Returns:
        Between 1 and n.

    Raises:
        PropensityError: a probability out of range.
        DataError: lengths differ, or the target never takes what the log took.

    Examples:
        >>> effective_sample_size([0.5] * 4, [1.0, 1.0, 0.0, 0.0])
        2.0
    """
    p, t = finite_columns(WHERE, logged=logged, target=target)
    weight = _weights(p, t)
    return float(weight.sum() ** 2 / (weight**2).sum())
