"""Size of the permanent holdout: what each share of organisations can show of the programme."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from leadlift.design.clusters import Clusters
from leadlift.design.plan_records import HoldoutPlan, HoldoutRow
from leadlift.design.power import detectable, power_of

SHARES = (0.02, 0.05, 0.1, 0.2)
MOST = 0.5


def plan_holdout(
    *,
    clusters: Clusters,
    mean: float,
    variance: float,
    leads: float,
    alpha: float,
    power: float,
    weeks: float,
    until_given: bool,
    planned: float | None,
    target: float | None,
) -> HoldoutPlan:
    """What holdouts of several sizes show by the end.

    The programme is judged by outcomes per organisation. An organisation's total varies by
    m v + (cv m mean)^2, of which the second part is its size.

    Args:
        clusters: leads per organisation.
        mean: outcome per lead without the programme.
        variance: v, of the mean over all leads times their number, organisations and score groups included.
        leads: of all organisations, held out or not, by the end.
        alpha: two-sided level.
        power: wanted.
        weeks: from today until the end.
        until_given: whether the end date was given.
        planned: the share configured.
        target: programme effect to be seen, outcome units per lead.
    """
    organisations = leads / clusters.mean
    spread = clusters.mean * variance + (clusters.cv * clusters.mean * mean) ** 2
    wanted = None if target is None else target * clusters.mean

    def row(share: float) -> HoldoutRow:
        parts = [organisations * share, organisations * (1 - share)]
        smallest = detectable(
            variances_at=lambda _: [spread, spread], leads=parts, alpha=alpha, power=power, method="welch"
        )
        reached = None
        if wanted is not None:
            reached = power_of(wanted, variances=[spread, spread], leads=parts, alpha=alpha, method="welch")
        per_lead = None if smallest is None else smallest / clusters.mean
        return HoldoutRow(share, round(organisations * share), smallest, per_lead, reached)

    usable = [s for s in sorted({*SHARES, *([planned] if planned else [])}) if organisations * s >= 2]
    return HoldoutPlan(
        weeks=weeks,
        until_given=until_given,
        planned=planned,
        target=target,
        share_needed=None if wanted is None else _share_for(wanted, spread, organisations, alpha, power),
        rows=tuple(row(share) for share in usable),
    )


def _share_for(effect: float, spread: float, organisations: float, alpha: float, power: float) -> float | None:
    def missing(share: float) -> float:
        parts = np.array([organisations * share, organisations * (1 - share)])
        return power_of(effect, variances=[spread, spread], leads=parts, alpha=alpha, method="welch") - power

    least = 2 / organisations
    if least >= MOST or missing(MOST) < 0:
        return None
    return least if missing(least) >= 0 else float(optimize.brentq(missing, least, MOST))
