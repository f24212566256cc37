"""A flat log: what many analysts have, a row per lead."""

from __future__ import annotations

import pandas as pd

from leadlift.base.problems import stop
from leadlift.data.world.observe import Observed
from leadlift.data.world.world import World


def flat_log(world: World, observed: Observed, assignments: pd.DataFrame) -> pd.DataFrame:
    """Joins assignment, outcome and features into a row per lead.

    Late leads and leads whose window is open are left out; how many is the difference in rows.

    Args:
        world: the company.
        observed: what `world.observe(assignments, ...)` gave.
        assignments: the same assignments; their `propensity_*`, `stratum`, `score_group` columns are kept if there.

    Returns:
        `lead_id`, `organisation_id`, `product`, `treatment`, `propensity_<arm>`, `stratum`, `score`, `score_group`,
        `converted` (0 or 1 within the window), `revenue` and `cost` (money), `touched`, and the features
        (`world.features`).

    Raises:
        DataError: `observed` is of other assignments.
    """
    outcomes = observed.outcomes
    same = len(assignments) == len(outcomes) and bool(
        (assignments["lead_id"].astype("str").to_numpy() == outcomes["lead_id"].to_numpy()).all()
    )
    if not same:
        fix = "pass the frame that was observed"
        raise stop("the flat log", "other-assignments", "one outcome per assignment, in order", "others", fix)
    kept = ~(outcomes["late"] | outcomes["open"]).to_numpy()
    place = world.lead_ids.get_indexer(pd.Index(outcomes["lead_id"][kept]))
    leads = world.leads.take(place).reset_index(drop=True)
    assigned = assignments[kept].reset_index(drop=True)
    seen = outcomes[kept].reset_index(drop=True)
    propensities = [name for name in assigned.columns if str(name).startswith("propensity_")]
    strata = [name for name in ("stratum",) if name in assigned.columns]
    parts = [
        leads[["lead_id", "organisation_id", "product"]],
        seen[["treatment"]],
        assigned[propensities + strata],
        leads[["score", "score_group"]],
        seen[["converted", "revenue", "cost", "touched"]],
        leads[list(world.features)],
    ]
    return pd.concat(parts, axis=1)
