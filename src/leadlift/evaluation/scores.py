"""Per-lead scores of a log: the one quantity that effects, areas and strategies are sums of."""

from __future__ import annotations

from leadlift.base.arrays import Codes, Floats
from leadlift.data import AssignmentLog
from leadlift.inference import contrast_scores, effective_number

# With fewer expected events than this in a cell, a binary outcome's mean is not normal enough.
ENOUGH_EVENTS = 20


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


def expected_events(log: AssignmentLog, treatment: str, rows: Codes | slice = slice(None)) -> float:
    """Outcomes that carry the smaller of the two arms' mean: events to expect if the arms did not differ.

    For counts and money it is the effective number of leads that the spread rests on, (sum d^2)^2 / sum d^4 with d from
    the mean, which for a rare event is the number of events: one order of a million is one outcome, however many leads.
    """
    contrast, outcome = log.contrast(treatment)[rows], log.outcome[rows]
    treated, control = int((contrast == 1).sum()), int((contrast == 0).sum())
    if min(treated, control) == 0:
        return 0.0
    share = min(treated, control) / (treated + control)
    compared = outcome[contrast >= 0]
    if log.outcome_kind == "binary":
        rate = float(compared.mean())
        return min(rate, 1 - rate) * len(compared) * share
    return effective_number(compared) * share
