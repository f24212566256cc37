"""Each contract broken, with the words it must say; all failures at once."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest
from ledger_rows import deals, leads, touches

from leadlift.base.errors import DataError
from leadlift.data.contracts import read_columns

MAKE = {"leads": leads, "touches": touches, "deals": deals}


def words(table, frame, timezone=None, names=None):
    with pytest.raises(DataError) as caught:
        read_columns(table, frame, names or {}, timezone=timezone)
    text = str(caught.value)
    for foreign in ("Traceback", "pandera", "dtype", "Check"):
        assert foreign not in text
    return text


@pytest.mark.parametrize(
    ("table", "changes", "expected"),
    [
        ("leads", {"lead_id": [None, "a", "b"]}, ["[empty-cell] `lead_id` is filled", "1 of 3 rows", "row 1"]),
        ("leads", {"lead_id": [" ", "a", "b"]}, ["[empty-cell] `lead_id`"]),
        ("leads", {"organisation_id": ["a", "", "b"]}, ["[empty-cell] `organisation_id`", "row 2"]),
        ("leads", {"created_at": "03/04/2026"}, ["[not-time] `created_at`", "3 of 3 rows", "03/04/2026"]),
        ("leads", {"created_at": "2026-02-30T00:00:00Z"}, ["[not-time] `created_at`", "ISO 8601"]),
        ("leads", {"created_at": 1_767_225_600}, ["[not-time] `created_at`", "1767225600"]),
        ("leads", {"created_at": ""}, ["[empty-cell] `created_at`"]),
        ("leads", {"created_at": "2026-01-01 10:00"}, ["[time-zone]", "name the zone to assume", "data: {timezone"]),
        ("leads", {"created_at": "2026-01-01"}, ["[time-zone]"]),
        ("leads", {"created_at": pd.Timestamp("2026-01-01")}, ["[time-zone]"]),
        ("leads", {"known_at": "tomorrow"}, ["[not-time] `known_at`"]),
        ("leads", {"known_at": ["2026-01-01T00:00:00Z", None, None]}, ["[empty-cell] `known_at`"]),
        ("leads", {"score": [0.5, 1.5, -1]}, ["[score-range] `score` lies in [0, 1]", "2 of 3 rows", "1.5"]),
        ("leads", {"score": "high"}, ["[not-share] `score` is a number", "high"]),
        ("touches", {"touch_id": ""}, ["[empty-cell] `touch_id`"]),
        ("touches", {"lead_id": None}, ["[empty-cell] `lead_id`"]),
        ("touches", {"mechanic": " "}, ["[empty-cell] `mechanic`"]),
        ("touches", {"touched_at": "2026-13-01T00:00:00Z"}, ["[not-time] `touched_at`", "2026-13-01T00:00:00Z"]),
        ("touches", {"touched_at": "2026-01-05T10:00:00"}, ["[time-zone] `touched_at`"]),
        ("touches", {"cost": -1}, ["[money-range] `cost` is 0 or more"]),
        ("touches", {"cost": float("inf")}, ["[money-range] `cost`"]),
        ("touches", {"cost": "12 EUR"}, ["[not-money] `cost` is a number", "12 EUR"]),
        ("touches", {"cost": None}, ["[empty-cell] `cost`"]),
        ("deals", {"deal_id": None}, ["[empty-cell] `deal_id`"]),
        ("deals", {"organisation_id": None}, ["[empty-cell] `organisation_id`"]),
        ("deals", {"closed_at": "soon"}, ["[not-time] `closed_at`"]),
        ("deals", {"won": "perhaps"}, ["[not-truth] `won` is yes or no", "perhaps"]),
        ("deals", {"won": 2}, ["[not-truth] `won`"]),
        ("deals", {"won": None}, ["[empty-cell] `won`"]),
        ("deals", {"amount": "a lot"}, ["[not-money] `amount`"]),
        ("deals", {"amount": -5.0}, ["[money-range] `amount`"]),
        ("deals", {"known_at": "x"}, ["[not-time] `known_at`"]),
    ],
)
def test_a_broken_contract_gets_its_words(table, changes, expected):
    text = words(table, MAKE[table](3).assign(**changes))
    assert text.startswith(f"1 problem in the {table}") or "problems in" in text
    for part in expected:
        assert part in text


@pytest.mark.parametrize(
    ("table", "column"),
    [
        *[("leads", name) for name in ("lead_id", "organisation_id", "created_at")],
        *[("touches", name) for name in ("touch_id", "lead_id", "mechanic", "touched_at", "cost")],
        *[("deals", name) for name in ("deal_id", "organisation_id", "product", "closed_at", "won", "amount")],
    ],
)
def test_a_missing_column_is_named_with_the_nearest_one(table, column):
    text = words(table, MAKE[table](3).rename(columns={column: f"{column}s"}))
    assert f"[missing-column] the {table} have the column `{column}`" in text
    assert f"did you mean `{column}s`?" in text
    assert f"`{table}: {{{column}: ...}}`" in text


def test_all_failures_are_told_at_once():
    frame = deals(3, won="x", closed_at="y", amount=-1).drop(columns=["product", "deal_id"])
    text = words("deals", frame)
    assert text.startswith("5 problems in the deals")


def test_names_of_people_are_counted_not_shown():
    text = words("deals", deals(3, closed_at=["ann@example.org", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"]))
    assert "ann@" not in text


def test_columns_are_read_under_the_files_own_names():
    frame = (
        deals(2).rename(columns={"deal_id": "Deal", "won": "Stage"}).assign(Stage=["Won", "LOST"], Deal=["007", "7"])
    )
    read = read_columns("deals", frame, {"deal_id": "Deal", "won": "Stage"}, timezone=None)
    assert read["deal_id"].tolist() == ["007", "7"]
    assert read["won"].tolist() == [True, False]
    assert "[not-truth] `Stage`" in words("deals", frame.assign(Stage="?"), names={"deal_id": "Deal", "won": "Stage"})


@pytest.mark.parametrize(
    ("given", "timezone", "expected"),
    [
        ("2026-07-01T10:00:00+02:00", None, "2026-07-01T08:00:00+00:00"),
        ("2026-07-01T10:00:00.5Z", None, "2026-07-01T10:00:00.500000+00:00"),
        ("2026-07-01 10:00", "Europe/Berlin", "2026-07-01T08:00:00+00:00"),
        ("2026-07-01", "America/New_York", "2026-07-01T04:00:00+00:00"),
        ("2026-07-01T10:00:00Z", "Europe/Berlin", "2026-07-01T10:00:00+00:00"),
        (datetime.date(2026, 7, 1), "UTC", "2026-07-01T00:00:00+00:00"),
        (pd.Timestamp("2026-07-01 10:00"), "Europe/Berlin", "2026-07-01T08:00:00+00:00"),
        (pd.Timestamp("2026-07-01 10:00", tz="Asia/Tokyo"), None, "2026-07-01T01:00:00+00:00"),
        # The hour that a clock change repeats is its second one; the hour that it leaves out is the next.
        ("2026-10-25 02:30", "Europe/Berlin", "2026-10-25T01:30:00+00:00"),
        ("2026-03-29 02:30", "Europe/Berlin", "2026-03-29T01:00:00+00:00"),
    ],
)
def test_times_mean_what_they_say(given, timezone, expected):
    read = read_columns("touches", touches(2, touched_at=given), {}, timezone=timezone)
    assert [moment.isoformat() for moment in read["touched_at"]] == [expected] * 2


def test_identifiers_stay_text():
    read = read_columns("leads", leads(3, lead_id=["007", "7", "aB"], organisation_id=[1, 2, 3]), {}, timezone=None)
    assert read["lead_id"].tolist() == ["007", "7", "aB"]
    assert read["organisation_id"].tolist() == ["1", "2", "3"]


def test_a_table_without_rows_is_read():
    assert read_columns("touches", touches(0), {}, timezone=None).empty
