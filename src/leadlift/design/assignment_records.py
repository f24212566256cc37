"""What an assignment says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from leadlift.base.record import Record
from leadlift.base.records import RowAccount


@dataclass(frozen=True)
class StratumDraw(Record):
    """New units of one stratum in one arm, and the probability they were drawn with."""

    stratum: str
    treatment: str
    propensity: float
    units: int
    leads: int


@dataclass(frozen=True)
class CapacityUse(Record):
    """A capped arm in one draw, in leads: what it may take, what was expected, and what it got.

    `late` leads came with units that have the arm already; they use capacity first. `scale` multiplied the arm's
    share, the same for every unit.
    """

    treatment: str
    capacity: int
    late: int
    scale: float
    expected: float
    assigned: int

    def __post_init__(self) -> None:
        if self.assigned > self.capacity:
            raise ValueError(f"{self.assigned:,} leads in {self.treatment}, over the capacity of {self.capacity:,}")


@dataclass(frozen=True)
class AssignmentResult(Record):
    """One draw: where every lead of the list went, and with what probabilities.

    `draw` numbers the experiment's draws from 1; `rows.used` are the leads assigned by this one. `holdout_*` and `late`
    count among them. `path` and `crm_list` are files; None: nothing was written.
    """

    experiment: str
    round: int
    draw: int
    mode: str
    unit: str
    assigned_at: str
    design_digest: str
    rows: RowAccount
    units: int
    late: int
    holdout_organisations: int
    holdout_leads: int
    score_cuts: tuple[float, ...] | None
    strata: tuple[StratumDraw, ...] = ()
    capacity: CapacityUse | None = None
    notes: tuple[str, ...] = field(default_factory=tuple)
    path: str | None = None
    crm_list: str | None = None
