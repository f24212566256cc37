"""Per-lead scores of a log: the one quantity that effects, areas and strategies are sums of."""

from __future__ import annotations

from leadlift.base.arrays import Codes, Floats
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


def few_events(log: AssignmentLog, treatment: str, rows: Codes | slice = slice(None)) -> bool:
    """Whether a binary outcome has fewer than 20 events to expect in the smaller of the two arms."""
    if log.outcome_kind != "binary":
        return False
    compared, smaller = _compared(log, treatment, rows)
    rate = float(compared.mean()) if len(compared) else 0.0
    return min(rate, 1 - rate) * smaller < ENOUGH_EVENTS


def enough_outcomes(log: AssignmentLog, treatment: str, rows: Codes | slice = slice(None)) -> bool:
    """Whether outcomes carry a normal approximation: 20 events, or amounts that don't rest on a handful of leads."""
    compared, smaller = _compared(log, treatment, rows)
    if smaller == 0 or few_events(log, treatment, rows):
        return False
    return log.outcome_kind == "binary" or effective_number(compared) * smaller / len(compared) >= ENOUGH_AMOUNTS


def _compared(log: AssignmentLog, treatment: str, rows: Codes | slice) -> tuple[Floats, int]:
    """Outcomes of arm and control, and the number of leads in the smaller of the two."""
    contrast = log.contrast(treatment)[rows]
    return log.outcome[rows][contrast >= 0], int(min((contrast == 1).sum(), (contrast == 0).sum()))
