"""What the split given costs, and the one that costs least."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from leadlift.base.arrays import Floats
from leadlift.base.experiment import ExperimentConfig
from leadlift.base.plan import PlanConfig
from leadlift.design.clusters import Clusters
from leadlift.design.plan_answers import Answerer
from leadlift.design.plan_questions import Ask
from leadlift.design.plan_records import PlanRow, Spending
from leadlift.design.power import quantiles
from leadlift.design.power_shares import cheapest_split


def spending_of(
    config: ExperimentConfig,
    plan: PlanConfig,
    asks: list[Ask],
    rows: list[PlanRow],
    shares: Mapping[str, float],
    answerer: Answerer,
    clusters: Clusters,
) -> tuple[Spending | None, Spending | None]:
    """What the split given costs and what the cheapest would, for the question that needs most leads."""
    # One number is asked of all leads; numbers by group are asked of the groups.
    kinds = ("group",) if isinstance(plan.uplift, Mapping) else ("overall",)
    asked = [
        (row, ask)
        for row, ask in zip(rows, asks, strict=True)
        if row.leads_needed is not None and row.question in kinds
    ]
    if not asked:
        return None, None
    segment = max(asked, key=lambda pair: pair[0].leads_needed or 0)[0].segment
    chosen = [(row, ask) for row, ask in asked if row.segment == segment]
    arms = config.experiment.arms
    touch_cost = np.array([arms[row.treatment].cost for row, _ in chosen])
    leads = max(row.leads_needed or 0 for row, _ in chosen)
    counts = np.array([leads * share for share in shares.values()])
    now = _spent(segment, list(shares), counts, touch_cost, plan.lead_cost, answerer.per_week)
    targets = [ask.target or 0.0 for _, ask in chosen]
    variances = [
        chosen[0][1].variances_at(0.0)[0],
        *(a.variances_at(t)[1] for (_, a), t in zip(chosen, targets, strict=True)),
    ]
    error = np.array(
        [abs(t) / quantiles(answerer.level(a), plan.power) for (_, a), t in zip(chosen, targets, strict=True)]
    )
    varied = np.array(variances) / chosen[0][1].share
    most = np.inf if answerer.at_hand is None else answerer.at_hand
    split = cheapest_split(
        variances=varied, error=error, touch_cost=touch_cost, lead_cost=plan.lead_cost, most_leads=most
    )
    if split is None:
        # Not in time, whatever the split: then the quickest.
        split = cheapest_split(variances=varied, error=error, touch_cost=0 * touch_cost, lead_cost=0.0)
    room = touches_per_lead(config, leads_per_draw(plan, answerer.per_week, answerer.at_hand), clusters)
    if split is None or any(dict(zip(shares, split.shares, strict=True))[arm] > most for arm, most in room.items()):
        return now, None
    return now, _spent(segment, list(shares), split.leads, touch_cost, plan.lead_cost, answerer.per_week)


def leads_per_draw(plan: PlanConfig, per_week: float | None, at_hand: float | None) -> float | None:
    """Leads that one draw finds, holdout taken off: an inflow's since the last draw, or the list."""
    return at_hand if per_week is None else per_week * plan.weeks_between_draws


def touches_per_lead(config: ExperimentConfig, drawn: float | None, clusters: Clusters) -> dict[str, float]:
    """By capped arm, the largest share that its capacity allows: less one organisation, as when the lot is drawn."""
    if drawn is None:
        return {}
    largest = clusters.largest(drawn / clusters.mean)
    return {arm: max(cap - largest, 1) / drawn for arm, cap in config.experiment.capacity.items()}


def _spent(
    segment: str,
    names: list[str],
    leads: Floats,
    touch_cost: Floats,
    lead_cost: float,
    per_week: float | None,
) -> Spending:
    total = float(leads.sum())
    return Spending(
        segment=segment,
        shares={name: float(n / total) for name, n in zip(names, leads, strict=True)},
        leads=math.ceil(total),
        touches=math.ceil(float(leads[1:].sum())),
        cost=float(touch_cost @ leads[1:]) + lead_cost * total,
        weeks=total / per_week if per_week else None,
    )
