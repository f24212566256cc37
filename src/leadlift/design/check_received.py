"""Did the CRM carry out the lot that the ledger holds? Its leads and arms, against those that were drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadlift.base.problems import listed
from leadlift.design.check_rules import LEVEL, Evidence, Finding, part_of, rule, warned
from leadlift.design.redraw import cells_of, redrawn_p

OTHER_ARM = 0.05


@rule(
    "received-missing",
    "received",
    sees="Leads that were assigned and that the CRM's list does not have, by arm: an omnibus p-value by drawing the "
    "lot again.",
    warns=f"p < {LEVEL:g}",
    fix="leads get lost differently by arm: find where, and export them all",
    by_chance=True,
)
def received_missing(units: pd.DataFrame, evidence: Evidence) -> Finding:
    """Loss between the ledger and the CRM."""
    leads, missing = int(units["leads"].sum()), int(units["missing"].sum())
    if missing == 0:
        return Finding("pass", None, f"the CRM's list has all {leads:,} assigned leads")
    arm, arms = pd.factorize(units["treatment"], sort=True)
    excess = (units["missing"] - missing / leads * units["leads"]).to_numpy()
    rng = np.random.default_rng([evidence.seed, 17])
    p = redrawn_p(excess[:, None], arm, cells_of(units["cell"]), len(arms), rng)
    by_arm = units.groupby("treatment")[["missing", "leads"]].sum()
    shown = listed([f"{name} {part_of(int(row['missing']), int(row['leads']))}" for name, row in by_arm.iterrows()])
    return Finding(warned(p < LEVEL), p, f"assigned, but not in the CRM's list: {shown}; p = {p:.3g}")


@rule(
    "received-arm",
    "received",
    sees="Leads that the CRM's list has in another arm than the ledger.",
    warns="any",
    stops=f"over {OTHER_ARM:.0%}",
    fix="the ledger's arm counts, not the CRM's: give the CRM its list again, and find who changed it",
)
def received_arm(units: pd.DataFrame, _: Evidence) -> Finding:
    """Arms that the CRM changed."""
    there, other = int((units["leads"] - units["missing"]).sum()), int(units["other"].sum())
    status = "stop" if other > OTHER_ARM * there else warned(other > 0)
    return Finding(status, other / max(there, 1), f"in another arm in the CRM: {part_of(other, there)}")
