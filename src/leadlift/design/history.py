"""Leads against what was assigned before: known ones stay, late ones inherit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadlift.base.arrays import Bools, Codes
from leadlift.base.problems import listed, stop
from leadlift.design.assignment_table import PREFIX

# What a late lead takes over from its unit.
INHERITED = ("unit_id", "stratum", "treatment", "propensity_holdout", "holdout")


@dataclass(frozen=True, eq=False)
class Places:
    """Where each lead of the list stands.

    Attributes:
        known: it was assigned before, shape (n,).
        unit_row: row of its unit's first lead in the history; -1: the unit is new, shape (n,).
    """

    known: Bools
    unit_row: Codes

    @property
    def late(self) -> Bools:
        """New leads of units that were drawn before."""
        return ~self.known & (self.unit_row >= 0)

    @property
    def new(self) -> Bools:
        """Leads of new units."""
        return ~self.known & (self.unit_row < 0)


def find_places(frame: pd.DataFrame, past: pd.DataFrame, unit: str) -> Places:
    """Looks each lead and its unit up in the history.

    Raises:
        DataError: a lead returns with another organisation than it was assigned with.
    """
    none = np.full(len(frame), -1, dtype=np.intp)
    if past.empty:
        return Places(none >= 0, none)
    row = pd.Index(past["lead_id"]).get_indexer(pd.Index(frame["lead_id"]))
    known = row >= 0
    _refuse_moved(frame[known], past.iloc[row[known]])
    if unit == "lead":
        return Places(known, none)
    first = past.drop_duplicates("organisation_id")
    found = pd.Index(first["organisation_id"]).get_indexer(pd.Index(frame["organisation_id"]))
    return Places(known, np.where(found >= 0, first.index.to_numpy()[found], -1))


def late_rows(frame: pd.DataFrame, past: pd.DataFrame, unit_row: Codes) -> pd.DataFrame:
    """Late leads with the stratum, arm and propensities of their units."""
    wide = [name for name in past.columns if name.startswith(PREFIX)]
    columns = list(dict.fromkeys([*INHERITED, *wide]))
    inherited = past[columns].iloc[unit_row].set_index(frame.index)
    return pd.concat([frame, inherited], axis=1).assign(late=True)


def units_by_stratum(past: pd.DataFrame) -> dict[str, int]:
    """How many units of each stratum were drawn before."""
    first = past[~past["holdout"].astype(bool)].drop_duplicates("unit_id")
    return {str(name): int(n) for name, n in first["stratum"].value_counts().items()}


def _refuse_moved(now: pd.DataFrame, then: pd.DataFrame) -> None:
    moved = now["organisation_id"].to_numpy() != then["organisation_id"].to_numpy()
    if not moved.any():
        return
    three = (now["lead_id"][moved], then["organisation_id"][moved], now["organisation_id"][moved])
    cases = sorted(zip(*three, strict=True))
    examples = [f"lead {lead} ({before}, now {after})" for lead, before, after in cases[:3]]
    raise stop(
        "the leads",
        "lead-moved",
        "a lead stays with the organisation that it was assigned with",
        f"{len(cases):,} moved, e.g. {listed(examples)}",
        "give the lead its old organisation, or a new identifier",
    )
