"""Leads until a ranking's Qini can be told from zero, from a pilot."""

from __future__ import annotations

import math

from leadlift.design.plan_records import RankingPlan
from leadlift.design.power import quantiles


def plan_ranking(
    *,
    qini: float,
    se: float,
    leads: int,
    judged: str,
    alpha: float,
    power: float,
    per_week: float | None,
    at_hand: float | None,
) -> RankingPlan:
    """Scales a pilot's standard error by the root of the number of leads.

    A learned ranking is judged sequentially: the first half of the organisations only trains, so a study of n leads
    judges n / 2. A pilot that `leadlift run` judged has that in its error. A pilot whose ranking was `fixed` beforehand
    was judged on all its leads; a learned ranking then needs twice as many. More leads also train better rankings,
    which is not counted.

    Args:
        qini: the pilot's Qini, outcome units per lead.
        se: its standard error.
        leads: leads of the pilot.
        judged: `sequential` or `fixed`.
        alpha: two-sided level.
        power: wanted.
        per_week: leads that enter a week, if known.
        at_hand: leads that the experiment will have, if known.

    Returns:
        The plan; without a number of leads if the pilot's Qini is not positive.

    Examples:
        >>> plan_ranking(qini=0.004, se=0.003, leads=8000, judged="sequential", alpha=0.05, power=0.8, per_week=None,
        ...     at_hand=None).leads_needed
        35320
    """
    twice = 2 if judged == "fixed" else 1
    wanted = quantiles(alpha, power)
    needed = math.ceil(twice * leads * (wanted * se / qini) ** 2) if qini > 0 else None
    return RankingPlan(
        qini=qini,
        se=se,
        pilot_leads=leads,
        leads_needed=needed,
        weeks_needed=needed / per_week if needed is not None and per_week else None,
        detectable=wanted * se * math.sqrt(twice * leads / at_hand) if at_hand else None,
    )
