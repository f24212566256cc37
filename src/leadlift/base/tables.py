"""How a workspace's files name their columns, and the zone of their times."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from leadlift.base.fields import ColumnName, Settings
from leadlift.base.problems import did_you_mean


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"`{name}` is no time zone; {did_you_mean(name, sorted(available_timezones()))}")
    return name


Timezone = Annotated[str, AfterValidator(_known_zone)]


class TableData(Settings):
    """What holds for all files."""

    timezone: Timezone | None = Field(None, description="Zone of times that carry none, such as Europe/Berlin.")


class LeadColumns(Settings):
    """How the columns of a leads file are called there."""

    lead_id: ColumnName = "lead_id"
    organisation_id: ColumnName = "organisation_id"
    score: ColumnName = "score"
    problem: ColumnName = "problem"
    product: ColumnName | None = None
    created_at: ColumnName | None = None
    known_at: ColumnName | None = None
    features: list[ColumnName] = Field([], description="Columns known when the lead is drawn.")
    timezone: Timezone | None = Field(None, description="Zone of times that carry none; absent: `data.timezone`.")


class TouchColumns(Settings):
    """How the columns of a touches file are called there."""

    touch_id: ColumnName = "touch_id"
    lead_id: ColumnName = "lead_id"
    mechanic: ColumnName = "mechanic"
    touched_at: ColumnName = "touched_at"
    cost: ColumnName = "cost"
    rep_id: ColumnName = "rep_id"


class DealColumns(Settings):
    """How the columns of a deals file are called there, and how long deals take to be booked."""

    deal_id: ColumnName = "deal_id"
    organisation_id: ColumnName = "organisation_id"
    product: ColumnName = "product"
    lead_id: ColumnName = "lead_id"
    closed_at: ColumnName = "closed_at"
    won: ColumnName = "won"
    amount: ColumnName = "amount"
    currency: ColumnName = "currency"
    known_at: ColumnName = "known_at"
    booking_lag_days: float | None = Field(
        None, ge=0, le=3650, description="Days until a closed deal is known; absent: as the deals' `known_at` shows."
    )
