"""Running totals of both arms down a ranking, read only where the predicted value changes.

Tied leads enter together, so that no number made of these totals can depend on the order of the rows. Between two
points a curve is linear: the mean over all orders of the tied leads, where the curve is linear in the totals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadlift.base.arrays import Codes, Floats
from leadlift.evaluation.metric_inputs import MetricInputs


@dataclass(frozen=True, eq=False)
class Cumulated:
    """Totals over the leads ranked so far; all of shape (points,), starting at 0 leads and ending at all.

    Attributes:
        leads: number of leads; sample weights, with mean 1, where there are any: these count in all totals.
        treated: treated leads; weighted by 1/propensity if asked for.
        control: control leads; weighted by 1/(1 - propensity) if asked for.
        treated_outcome: sum of treated leads' outcomes, weighted likewise, outcome units.
        control_outcome: sum of control leads' outcomes, weighted likewise, outcome units.
    """

    leads: Floats
    treated: Floats
    control: Floats
    treated_outcome: Floats
    control_outcome: Floats

    @property
    def n(self) -> float:
        """The number of all leads."""
        return float(self.leads[-1])


def cumulate(inputs: MetricInputs, *, weighted: bool) -> Cumulated:
    """Totals at every distinct predicted value, highest first.

    Args:
        inputs: the checked columns, n leads.
        weighted: weigh leads by their inverse propensity; else each counts once.
    """
    each = _each(inputs, weighted)
    order, ends = _ranked(inputs, each)
    treated = inputs.treated[order]
    outcome = inputs.y[order]
    times = np.ones_like(outcome) if each is None else each[order]
    columns = (treated * times, ~treated * times, treated * times * outcome, ~treated * times * outcome)
    n_treated, n_control, y_treated, y_control = (_totals(column, ends) for column in columns)
    if weighted and isinstance(inputs.propensity, float):
        # One weight for all is applied to the totals: sums of whole outcomes then stay exact.
        a, c = 1 / inputs.propensity, 1 / (1 - inputs.propensity)
        n_treated, n_control, y_treated, y_control = n_treated * a, n_control * c, y_treated * a, y_control * c
    leads = np.append(0.0, ends + 1.0) if inputs.weight is None else _totals(inputs.weight[order], ends)
    return Cumulated(leads, n_treated, n_control, y_treated, y_control)


def _each(inputs: MetricInputs, weighted: bool) -> Floats | None:
    """What each lead counts; None where all count once, but for one propensity of all."""
    if not weighted or isinstance(inputs.propensity, float):
        return inputs.weight
    e = inputs.propensity
    inverse: Floats = 1 / np.where(inputs.treated, e, 1 - e)
    return inverse if inputs.weight is None else inverse * inputs.weight


def _ranked(inputs: MetricInputs, each: Floats | None) -> tuple[Codes, Codes]:
    """Rows from highest to lowest, and the last position of each distinct value."""
    order = np.argsort(-inputs.uplift)
    ends = _ends(inputs.uplift[order])
    if ends.size < order.size and not _sums_are_exact(inputs.y, each):
        # Sums of fractions depend on the order of their terms: within ties, sort by what is added.
        group = np.repeat(np.arange(ends.size), np.diff(ends, prepend=-1))
        added = [column[order] for column in (each, inputs.weight) if column is not None]
        order = order[np.lexsort([*added, inputs.y[order], inputs.treated[order], group])]
    return order, ends


def _ends(sorted_values: Floats) -> Codes:
    return np.append(np.flatnonzero(sorted_values[1:] != sorted_values[:-1]), sorted_values.size - 1)


def _sums_are_exact(y: Floats, each: Floats | None) -> bool:
    """Whether sums of outcomes are the same in any order, since they are whole numbers that fit."""
    return each is None and bool((y == np.rint(y)).all()) and float(np.abs(y).sum()) < 2**53


def _totals(column: Floats, ends: Codes) -> Floats:
    totals: Floats = np.concatenate([[0.0], np.cumsum(column)[ends]])
    return totals
