"""The split that costs least for a given power, by normal quantiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from leadlift.base.arrays import Floats


@dataclass(frozen=True)
class Split:
    """Leads by arm that reach the power, control first, and what they cost.

    Attributes:
        leads: shape (arms,), not rounded.
        cost: money.
    """

    leads: Floats
    cost: float

    @property
    def shares(self) -> Floats:
        """Of the lot, shape (arms,)."""
        shares: Floats = self.leads / self.leads.sum()
        return shares


def cheapest_split(
    *,
    variances: Floats,
    error: Floats,
    touch_cost: Floats,
    lead_cost: float,
    most_leads: float = np.inf,
) -> Split | None:
    """Leads by arm, such that each touched arm's difference from control has the wanted error, at the least cost.

    With n0 leads in control, arm a needs v_a / (error_a^2 - v_0 / n0) leads; one number, n0, is left to choose. Where
    neither leads nor touches cost anything, the fewest leads are the cheapest.

    Args:
        variances: of the outcome by arm, control first, design effect included, shape (arms,).
        error: standard error that each touched arm's difference may have, outcome units, shape (arms - 1,).
        touch_cost: money per lead of each touched arm, shape (arms - 1,).
        lead_cost: money per lead of any arm.
        most_leads: leads there are.

    Returns:
        The split; None if no split reaches the errors with `most_leads`.

    Examples:
        >>> equal = cheapest_split(variances=np.array([1.0, 1.0]), error=np.array([0.1]), touch_cost=np.array([0.0]),
        ...     lead_cost=1.0)
        >>> equal.shares.round(3).tolist(), round(equal.cost)
        ([0.5, 0.5], 400)
    """
    allowed = error**2
    least = variances[0] / allowed.min()

    def leads(log_room: float) -> Floats:
        control = least * (1 + np.exp(log_room))
        treated = variances[1:] / (allowed - variances[0] / control)
        both: Floats = np.r_[control, treated]
        return both

    def total(log_room: float) -> float:
        return float(leads(log_room).sum())

    costly = lead_cost > 0 or bool((touch_cost > 0).any())

    def cost(log_room: float) -> float:
        n = leads(log_room)
        return float(lead_cost * n.sum() + touch_cost @ n[1:]) if costly else float(n.sum())

    quickest = float(optimize.minimize_scalar(total, bounds=(-12, 12), method="bounded").x)
    if total(quickest) > most_leads:
        return None
    # More control costs time: beyond this there are not enough leads.
    slowest = 12.0
    if total(slowest) > most_leads:
        slowest = float(optimize.brentq(lambda room: total(room) - most_leads, quickest, slowest))
    best = quickest
    if costly and slowest > quickest:
        best = float(optimize.minimize_scalar(cost, bounds=(quickest, slowest), method="bounded").x)
        best = min((best, quickest, slowest), key=cost)
    n = leads(best)
    return Split(n, float(lead_cost * n.sum() + touch_cost @ n[1:]))
