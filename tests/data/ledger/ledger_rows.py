"""Small tables for the ledger's tests."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from leadlift.data import DrawInfo
from leadlift.data.contracts import read_columns
from leadlift.data.ledger.imports import Source, import_rows
from leadlift.data.ledger.opening import writing

NOW = pd.Timestamp("2026-06-01T12:00:00Z")
DRAWN = pd.Timestamp("2026-01-10T00:00:00Z")
INFO = DrawInfo(
    experiment="calls",
    round=1,
    salt="calls",
    arms=("control", "call"),
    settings={"unit": "organisation"},
    design_digest="d1",
    score_cuts=(0.2, 0.6),
    holdout_until=None,
    assigned_at=DRAWN.isoformat(),
)


def info(**changes) -> DrawInfo:
    return replace(INFO, **changes)


def draw(leads, *, start=0, treatment=None, organisation=None, at=DRAWN, experiment="calls", **more) -> pd.DataFrame:
    """Assignments of leads L0, L1, ... two to an organisation, arms by turns of organisations."""
    number = pd.Series(range(start, start + leads))
    arms = (number // 2 % 2).map({0: "control", 1: "call"}) if treatment is None else treatment
    client = ("O" + (number // 2).astype(str)) if organisation is None else organisation
    frame = pd.DataFrame({"experiment": experiment, "round": 1, "lead_id": "L" + number.astype(str)})
    frame["organisation_id"] = client
    frame["unit_id"] = frame["organisation_id"]
    frame["stratum"] = "all"
    frame["score"] = 0.25 + 0.5 * (number % 2)
    frame["treatment"] = arms
    frame["propensity_control"] = 0.5
    frame["propensity_call"] = 0.5
    frame["late"] = False
    frame["holdout"] = False
    frame["assigned_at"] = pd.Series([at] * leads, dtype="datetime64[us, UTC]")
    frame["size"] = number * 10
    return frame.assign(**more)


def leads(number, *, start=0, **more) -> pd.DataFrame:
    places = pd.Series(range(start, start + number))
    frame = pd.DataFrame({"lead_id": "L" + places.astype(str), "organisation_id": "O" + (places // 2).astype(str)})
    frame["product"] = (places % 2).map({0: "crm", 1: "erp"})
    frame["created_at"] = "2026-01-01T00:00:00Z"
    return frame.assign(**more)


def touches(number, **more) -> pd.DataFrame:
    places = pd.Series(range(number))
    frame = pd.DataFrame({"touch_id": "T" + places.astype(str), "lead_id": "L" + places.astype(str)})
    return frame.assign(mechanic="call", touched_at="2026-01-12T10:00:00Z", cost=30.0).assign(**more)


def deals(number, **more) -> pd.DataFrame:
    places = pd.Series(range(number))
    frame = pd.DataFrame({"deal_id": "D" + places.astype(str), "organisation_id": "O" + (places // 2).astype(str)})
    frame["product"] = (places % 2).map({0: "crm", 1: "erp"})
    frame["lead_id"] = "L" + places.astype(str)
    return frame.assign(closed_at="2026-02-01T10:00:00Z", won=True, amount=1000.0, currency="EUR").assign(**more)


def put(path, table, frame, *, features=(), complete_until=None, now=NOW, timezone=None):
    """Imports a frame; returns the result."""
    rows = read_columns(table, frame, {}, timezone=timezone)
    until = None if complete_until is None else pd.Timestamp(complete_until)
    with writing(path, 5) as connection:
        chosen = frame[list(features)] if features else None
        return import_rows(connection, table, rows, Source(f"{table}.csv", now, until), features=chosen)
