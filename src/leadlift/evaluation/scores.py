"""Per-lead scores of a log: the one quantity that effects, areas and strategies are sums of."""

from __future__ import annotations

import numpy as np

from leadlift.base.arrays import Bools, Codes, Floats
from leadlift.data import AssignmentLog
from leadlift.inference import contrast_scores, effective_number

# With fewer expected events than this in a cell, a binary outcome's mean is not normal enough.
ENOUGH_EVENTS = 20
# Nor is the mean of amounts whose spread rests on fewer leads than this.
ENOUGH_AMOUNTS = 5


def lead_scores(log: AssignmentLog, treatment: str, outcomes: Floats, rows: Codes | slice = slice(None)) -> Floats:
    """G of each lead for one arm against control, shape (rows,), outcome units.

    Args:
        log: the leads.
        treatment: label of the arm.
        outcomes: expected outcomes of `rows` under each arm, shape (rows, arms), by models that never saw the
            leads' organisations.
        rows: the leads; default all.
    """
    arm = log.arms.index(treatment)
    return contrast_scores(
        log.outcome[rows],
        log.contrast(treatment)[rows],
        propensity_treated=log.propensities[rows, arm],
        propensity_control=log.propensities[rows, 0],
        predicted_treated=outcomes[:, arm],
        predicted_control=outcomes[:, 0],
    )


def control_scores(log: AssignmentLog, outcomes: Floats) -> Floats:
    """Per-lead scores of the outcome under control; their mean over any set is its control mean, shape (n,)."""
    in_control = log.arm == 0
    scores: Floats = outcomes[:, 0] + in_control / log.propensities[:, 0] * (log.outcome - outcomes[:, 0])
    return scores


def weights_of(log: AssignmentLog, rows: Codes | Bools | slice = slice(None)) -> Floats:
    """How many leads each of `rows` stands for, shape (rows,); 1 where the log is no sample."""
    return np.ones(len(log))[rows] if log.weight is None else log.weight[rows]


def equal_leads(weight: Floats) -> float:
    """How many leads of equal weight say as much: (sum of weights)^2 / sum of squares (Kish 1965).

    >>> equal_leads(np.array([1.0, 1.0, 1.0])), equal_leads(np.array([10.0, 1.0, 1.0])).__round__(2)
    (3.0, 1.41)
    """
    return float(weight.sum() ** 2 / (weight**2).sum()) if weight.size else 0.0


def few_events(log: AssignmentLog, treatment: str, rows: Codes | slice = slice(None)) -> bool:
    """Whether a binary outcome has fewer than 20 events to expect in the smaller of the two arms.

    Leads of unequal weight count as the smaller number of equal ones that says as much.
    """
    if log.outcome_kind != "binary":
        return False
    compared, weight, smaller = _compared(log, treatment, rows)
    if not len(compared):
        return True
    events, others = (equal_leads(weight[compared == value]) for value in (1.0, 0.0))
    return min(events, others) / len(compared) * smaller < ENOUGH_EVENTS


def enough_outcomes(log: AssignmentLog, treatment: str, rows: Codes | slice = slice(None)) -> bool:
    """Whether outcomes carry a normal approximation: 20 events, or amounts that don't rest on a handful of leads."""
    compared, weight, smaller = _compared(log, treatment, rows)
    if smaller == 0 or few_events(log, treatment, rows):
        return False
    if log.outcome_kind == "binary":
        return True
    spread = compared if log.weight is None else weight * (compared - np.average(compared, weights=weight))
    return effective_number(spread) * smaller / len(compared) >= ENOUGH_AMOUNTS


def _compared(log: AssignmentLog, treatment: str, rows: Codes | slice) -> tuple[Floats, Floats, int]:
    """Outcomes and weights of arm and control, and the number of leads in the smaller of the two."""
    contrast = log.contrast(treatment)[rows]
    inside = contrast >= 0
    smaller = int(min((contrast == 1).sum(), (contrast == 0).sum()))
    return log.outcome[rows][inside], weights_of(log, rows)[inside], smaller
