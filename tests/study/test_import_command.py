"""`leadlift import`: what it says, its exit codes, and that nothing is written where anything is wrong."""

from __future__ import annotations

import json
import subprocess
import sys

import duckdb
import pandas as pd
import pytest
from import_files import NOW, frame, workspace

from leadlift.study.demo import write_demo_tables

LEADS = """
    lead_id organisation_id created_at
    007     A               01-01
    7       B               01-02
"""
TOUCHES = """
    touch_id lead_id mechanic touched_at cost
    1        007     call     01-20      10
"""
DEALS = """
    deal_id organisation_id product lead_id closed_at won amount currency
    1       A               crm     007     02-01     yes 100    EUR
"""


@pytest.fixture
def place(folder):
    return workspace(folder)


def write(place, table, rows):
    rows.to_csv(place.folder / f"{table}.csv", index=False)
    return f"{table}.csv"


def rows(place, query):
    with duckdb.connect(str(place.ledger), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_the_whole_way_on_what_the_demo_writes(leadlift, place):
    written = write_demo_tables(place.folder / "crm", leads=500, seed=1)
    for table in ("leads", "touches", "deals"):
        done = leadlift("import", "calls.yaml", table, f"crm/{table}.csv")
        n = written[f"{table}.csv"]
        assert done.code == 0, done.err
        assert f"{table}.csv: {n:,} {table} read; {n:,} added" in done.out
        again = leadlift("import", "calls.yaml", table, f"crm/{table}.csv")
        assert f"{n:,} already there; nothing changed" in again.out
    assert "deals are complete until 2026-" in again.out


def test_the_record_as_json(leadlift, place):
    done = leadlift("import", "calls.yaml", "leads", write(place, "leads", frame(LEADS)), "--json")
    assert json.loads(done.out)["added"] == 2


def test_identifiers_keep_their_zeros(leadlift, place):
    leadlift("import", "calls.yaml", "leads", write(place, "leads", frame(LEADS)))
    assert rows(place, "SELECT lead_id FROM leads ORDER BY 1") == [("007",), ("7",)]


def test_parquet_and_duckdb_files(leadlift, place):
    frame(LEADS).to_parquet(place.folder / "leads.parquet")
    assert leadlift("import", "calls.yaml", "leads", "leads.parquet").code == 0
    with duckdb.connect(str(place.folder / "crm.duckdb")) as connection:
        connection.register("given", frame(TOUCHES))
        connection.execute(
            "CREATE TABLE touches AS FROM given SELECT * REPLACE (touched_at::TIMESTAMPTZ AS touched_at)"
        )
    assert "1 added" in leadlift("import", "calls.yaml", "touches", "crm.duckdb").out
    done = leadlift("import", "calls.yaml", "deals", "crm.duckdb")
    assert (done.code, "[no-table]" in done.err) == (1, True)


def test_columns_and_zone_from_the_configuration(leadlift, place):
    more = "leads: {lead_id: Id, organisation_id: Account, created_at: Created, features: [Seats]}\n"
    more += "deals: {deal_id: Opportunity, won: Stage}\ndata: {timezone: Europe/Berlin}\n"
    text = place.config.read_text().replace("leads: {features: []}\n", "")
    place.config.write_text(text + more)
    table = pd.DataFrame(
        {"Id": ["007"], "Account": ["A"], "Created": ["2026-07-01 10:00"], "Seats": [3], "Notes": ["x"]}
    )
    done = leadlift("import", "calls.yaml", "leads", write(place, "leads", table))
    assert done.code == 0, done.err
    assert rows(place, "SELECT epoch(created_at), features FROM leads") == [(1782892800.0, '{"Seats":3.0}')]
    deals = frame(DEALS).rename(columns={"deal_id": "Opportunity", "won": "Stage"}).assign(Stage="Won")
    assert leadlift("import", "calls.yaml", "deals", write(place, "deals", deals)).code == 0


def bad(table, good, **changes):
    return pytest.param(table, frame(good).assign(**changes), id=f"{table}-{'-'.join(changes)}")


@pytest.mark.parametrize(
    ("table", "content"),
    [
        bad("leads", LEADS, created_at="yesterday"),
        bad("leads", LEADS, created_at="2026-01-01"),
        bad("leads", LEADS, lead_id="a", organisation_id=["x", "y"]),
        bad("leads", LEADS, score=7),
        bad("touches", TOUCHES, lead_id="nobody"),
        bad("touches", TOUCHES, cost="free"),
        bad("touches", TOUCHES, touched_at="2026-01-20T10:00"),
        bad("deals", DEALS, lead_id="nobody"),
        bad("deals", DEALS, organisation_id="B"),
        bad("deals", DEALS, won="maybe"),
        bad("deals", DEALS, currency="USD", deal_id="2"),
        bad("deals", DEALS, amount=101),
    ],
)
def test_bad_files_are_refused_and_nothing_is_written(leadlift, place, table, content):
    for name, good in {"leads": LEADS, "touches": TOUCHES, "deals": DEALS}.items():
        assert leadlift("import", "calls.yaml", name, write(place, name, frame(good))).code == 0
    before, files = place.ledger.read_bytes(), sorted(path.name for path in place.folder.iterdir())
    done = leadlift("import", "calls.yaml", table, write(place, table, content))
    assert done.code == 1
    assert done.out == ""
    assert f"in the {table}" in done.err
    assert "fix: " in done.err
    for foreign in ("Traceback", "pandera", "duckdb.", "dtype"):
        assert foreign not in done.err
    assert place.ledger.read_bytes() == before
    assert sorted(path.name for path in place.folder.iterdir()) == files


def test_a_first_import_that_is_refused_leaves_no_ledger(leadlift, place):
    assert leadlift("import", "calls.yaml", "touches", write(place, "touches", frame(TOUCHES))).code == 1
    assert sorted(path.name for path in place.folder.iterdir()) == ["calls.yaml", "touches.csv"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("calls.yaml", "leeds", "leads.csv"), "did you mean `leads`?"),
        (("call.yaml", "leads", "leads.csv"), "did you mean `calls.yaml`?"),
        (("calls.yaml", "leads", "lead.csv"), "did you mean `leads.csv`?"),
        (("calls.yaml", "leads", "nowhere/leads.csv"), "the folder nowhere is not there either"),
        (("calls.yaml", "leads", "calls.yaml"), "[file-type]"),
        (("calls.yaml", "deals", "leads.csv", "--complete-until", "soon"), "the deals have the column `deal_id`"),
        (
            ("calls.yaml", "deals", "deals.csv", "--complete-until", "soon"),
            "`--complete-until` is a time with its zone",
        ),
        (("calls.yaml", "deals", "deals.csv", "--complete-until", "2026-01-01"), "[complete-until]"),
        (
            ("calls.yaml", "deals", "deals.csv", "--complete-until", "2999-01-01T00:00:00Z"),
            "`--complete-until` is no later than now",
        ),
    ],
)
def test_wrong_words_get_clear_words(leadlift, place, words, expected):
    write(place, "leads", frame(LEADS))
    write(place, "deals", frame(DEALS))
    done = leadlift("import", *words)
    assert done.code == (2 if words[1] == "leeds" else 1)
    assert expected in done.err
    assert not place.ledger.exists()


def test_a_deal_dated_in_the_future_closes_no_window(place):
    place.put("leads", frame(LEADS))
    typed = pd.concat([frame(DEALS), frame(DEALS).assign(deal_id="2", closed_at="2062-02-01T00:00:00Z")])
    assert place.put("deals", typed).complete_until == NOW.isoformat()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("ledger: calls.duckdb\n", ""), "add `ledger: calls.duckdb`"),
        (("ledger:", "leger:"), "did you mean `ledger`?"),
        (("window_days", "windows_days"), "did you mean `window_days`?"),
    ],
)
def test_configurations_that_cannot_be_used(leadlift, place, change, expected):
    place.config.write_text(place.config.read_text().replace(*change))
    done = leadlift("import", "calls.yaml", "leads", write(place, "leads", frame(LEADS)))
    assert done.code == 1
    assert expected in done.err


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("data: {timezone: Europe/Berln}", "did you mean `Europe/Berlin`?"),
        ("deals: {closed: closed_at}", "did you mean `closed_at`?"),
        ("touches: {booking_lag_days: 3}", "[unknown-key]"),
        ("deals: {booking_lag_days: -3}", "`deals.booking_lag_days` is at least 0"),
    ],
)
def test_sections_that_cannot_be_used(leadlift, place, more, expected):
    place.config.write_text(place.config.read_text() + more)
    done = leadlift("import", "calls.yaml", "leads", write(place, "leads", frame(LEADS)))
    assert done.code == 1
    assert expected in done.err


def test_a_ledger_that_is_held(leadlift, place):
    leadlift("import", "calls.yaml", "leads", write(place, "leads", frame(LEADS)))
    hold = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", hold, str(place.ledger)], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"held\n"
        done = leadlift("import", "calls.yaml", "touches", write(place, "touches", frame(TOUCHES)), "--wait", "0.1")
        assert done.code == 1
        assert f"process {process.pid} for 0.1 s" in done.err
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert leadlift("import", "calls.yaml", "touches", "touches.csv").code == 0


def test_help_and_import_load_neither_duckdb_nor_pandera():
    code = "import sys, leadlift, leadlift.cli.main; print([m for m in ('duckdb', 'pandera') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
