"""An edited history is found; a forgotten client leaves nothing but its hashes."""

from __future__ import annotations

import duckdb
import pytest
from ledger_rows import deals, draw, info, leads, put, touches

from leadlift.base.errors import DataError
from leadlift.data.ledger import LedgerStore, forget_organisation, record_study, recorded_studies, verify_ledger


@pytest.fixture
def ledger(tmp_path):
    """A ledger of two batches."""
    store = LedgerStore(tmp_path / "calls.duckdb")
    store.append(draw(20), info(), after=store.read())
    store.append(draw(10, start=20), info(), after=store.read())
    return store.path


def edit(path, statement):
    with duckdb.connect(str(path)) as connection:
        connection.execute(statement)


def test_a_ledger_that_nobody_edited_is_sound(ledger):
    found = verify_ledger(ledger)
    assert found.sound
    assert (found.batches, found.rows, found.forgotten) == (2, 30, 0)


def test_an_empty_ledger_is_sound(tmp_path):
    put(tmp_path / "new.duckdb", "leads", leads(3))
    assert verify_ledger(tmp_path / "new.duckdb").sound


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("treatment", "'control'"),
        ("treatment", "NULL"),
        ("score", "0.7500000000000001"),
        ("propensities", "MAP {'control': 0.4, 'call': 0.6}"),
        ("propensities", "MAP {'call': 0.5, 'control': 0.5}"),
        ("stratum", "''"),
        ("features", """'{"size":71.0}'"""),
        ("holdout", "true"),
        ("late", "true"),
        ("assigned_at", "assigned_at + INTERVAL 1 MICROSECOND"),
        ("organisation_id", "'O99'"),
        ("experiment", "'other'"),
        ("round", "2"),
        ("policy", "'x'"),
        ("design_digest", "'x'"),
        ("propensity_holdout", "0.1"),
        ("score_group", "'high'"),
        ("problem", "'x'"),
        ("unit_id", "'x'"),
        ("policy_run", "'x'"),
    ],
)
def test_an_edited_row_is_named(ledger, column, value):
    edit(ledger, f"UPDATE assignments SET {column} = {value} WHERE lead_id = 'L7'")
    assert verify_ledger(ledger).problems == ("the assignment of lead L7 in batch 1 was edited",)


def test_many_edits_are_counted(ledger):
    edit(ledger, "UPDATE assignments SET treatment = 'call' WHERE batch = 1")
    assert verify_ledger(ledger).problems[-1] == "5 more assignments were edited"


def test_a_removed_row_is_found(ledger):
    edit(ledger, "DELETE FROM assignments WHERE lead_id = 'L7'")
    assert verify_ledger(ledger).problems == (
        "batch 1 has 19 rows, 20 were appended",
        "batch 1 is not the one that was appended: its digest differs",
    )


def test_an_added_row_is_found(ledger):
    edit(ledger, "INSERT INTO assignments SELECT * REPLACE (99 AS place) FROM assignments WHERE lead_id = 'L7'")
    assert "batch 1 has 21 rows, 20 were appended" in verify_ledger(ledger).problems


def test_swapped_rows_are_found(ledger):
    edit(ledger, "UPDATE assignments SET place = 1 - place WHERE batch = 2 AND place < 2")
    assert verify_ledger(ledger).problems == ("batch 2 is not the one that was appended: its digest differs",)


def test_a_hash_made_to_fit_is_found(ledger):
    edit(ledger, "UPDATE assignments SET row_hash = repeat('0', 64) WHERE lead_id = 'L7'")
    assert len(verify_ledger(ledger).problems) == 2


def test_what_a_draw_said_of_itself_is_covered(ledger):
    edit(ledger, 'UPDATE batches SET info = replace(info, \'"salt": "calls"\', \'"salt": "other"\') WHERE batch = 1')
    assert verify_ledger(ledger).problems == ("batch 1 is not the one that was appended: its digest differs",)


def test_a_batch_taken_out_of_the_middle_is_found(ledger):
    edit(ledger, "DELETE FROM assignments WHERE batch = 1; DELETE FROM batches WHERE batch = 1")
    assert verify_ledger(ledger).problems == ("batch 2 does not follow on the one before it",)


def test_a_last_batch_taken_away_is_found_by_the_studies_that_used_it(ledger):
    head = verify_ledger(ledger).head
    for _ in range(2):
        record_study(ledger, run_id="r1", experiment="calls", log_digest="l", chain_head=head, rounds=[1])
    assert [study.run_id for study in recorded_studies(ledger)] == ["r1"]
    edit(ledger, "DELETE FROM assignments WHERE batch = 2; DELETE FROM batches WHERE batch = 2")
    assert verify_ledger(ledger).problems == ("study r1 rests on assignments that are no longer there",)


def test_a_study_of_another_ledger_is_not_noted(ledger):
    with pytest.raises(DataError, match="unknown-head"):
        record_study(ledger, run_id="r1", experiment="calls", log_digest="l", chain_head="f" * 64, rounds=[1])


def test_rows_without_a_batch_are_found(ledger):
    edit(ledger, "INSERT INTO assignments SELECT * REPLACE (3 AS batch) FROM assignments WHERE lead_id = 'L7'")
    assert "1 rows belong to batch 3, which was never appended" in verify_ledger(ledger).problems


def held(path, name):
    """Where the ledger still holds a name, table by table."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = [table for (table,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        query = "SELECT count(*) FROM {} t WHERE to_json(t)::VARCHAR LIKE '%' || ? || '%'"
        return [t for t in tables if connection.execute(query.format(t), [f'"{name}"']).fetchall() != [(0,)]]


def test_a_forgotten_client_is_gone_and_the_chain_still_verifies(ledger):
    put(ledger, "leads", leads(30))
    put(ledger, "touches", touches(30))
    put(ledger, "deals", deals(30))
    before = verify_ledger(ledger)
    assert held(ledger, "O3") == ["assignments", "deals", "leads"]
    assert b"O3" in ledger.read_bytes()

    gone = forget_organisation(ledger, "O3")
    assert (gone.assignments, gone.leads, gone.touches, gone.deals) == (2, 2, 2, 2)
    for name in ("O3", "L6", "L7", "D6", "T7"):
        assert held(ledger, name) == []
    after = verify_ledger(ledger)
    assert after.sound
    assert (after.rows, after.forgotten, after.head) == (30, 2, before.head)
    with duckdb.connect(str(ledger), read_only=True) as connection:
        columns = [name for name, *_ in connection.execute("DESCRIBE forgotten").fetchall()]
    assert columns == ["batch", "place", "row_hash"]


def test_nothing_of_a_forgotten_client_stays_in_the_files_blocks(tmp_path):
    path = tmp_path / "calls.duckdb"
    secret = "organisation-that-wants-to-be-forgotten"
    clients = [f"organisation-number-{n:07d}-of-many" for n in range(3000)]
    clients[1234] = secret
    put(path, "leads", leads(3000, organisation_id=clients, product=[f"about {name}" for name in clients]))
    assert secret.encode() in path.read_bytes()
    forget_organisation(path, secret)
    assert secret.encode() not in path.read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["calls.duckdb"]


def test_an_edit_after_forgetting_is_found(ledger):
    forget_organisation(ledger, "O3")
    edit(ledger, "DELETE FROM forgotten WHERE place = (SELECT min(place) FROM forgotten)")
    assert "batch 1 has 19 rows, 20 were appended" in verify_ledger(ledger).problems


def test_a_client_that_merged_is_forgotten_under_all_its_names(ledger):
    put(ledger, "leads", leads(30))
    put(ledger, "aliases", leads(1)[["organisation_id"]].assign(alias="O4", organisation_id="O3"))
    gone = forget_organisation(ledger, "O4")
    assert (gone.identifiers, gone.assignments) == (2, 4)
    assert held(ledger, "O3") == held(ledger, "O4") == []
    assert verify_ledger(ledger).sound


def test_an_unknown_client_changes_nothing(ledger):
    before = ledger.read_bytes()
    with pytest.raises(DataError, match=r"did you mean `O3`\?|did you mean `O"):
        forget_organisation(ledger, "o3")
    assert ledger.read_bytes() == before


def test_a_later_draw_goes_on_after_forgetting(ledger):
    forget_organisation(ledger, "O3")
    store = LedgerStore(ledger)
    kept = store.read()
    assert "O3" not in set(kept.leads("calls")["organisation_id"])
    assert store.append(draw(4, start=30), info(), after=kept) == ledger
    assert verify_ledger(ledger).sound
