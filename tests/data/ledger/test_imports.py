"""Imports: nothing twice, conflicts by name, old versions kept."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest
from ledger_rows import NOW, deals, draw, info, leads, put, touches

from leadlift.base.errors import DataError
from leadlift.data.ledger import LedgerStore, verify_ledger


@pytest.fixture
def path(tmp_path):
    put(tmp_path / "calls.duckdb", "leads", leads(20, size=range(20)), features=["size"])
    return tmp_path / "calls.duckdb"


def rows(path, query):
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(query).fetchall()


def words(path, table, frame, **more):
    before = path.read_bytes()
    with pytest.raises(DataError) as caught:
        put(path, table, frame, **more)
    assert path.read_bytes() == before
    return str(caught.value)


@pytest.mark.parametrize(
    ("table", "frame", "more"),
    [
        ("leads", leads(20, size=range(20)), {"features": ["size"]}),
        ("touches", touches(9), {}),
        ("deals", deals(9), {}),
    ],
)
def test_the_same_file_again_changes_nothing(path, table, frame, more):
    put(path, table, frame, complete_until="2026-04-01T00:00:00Z", **more)
    before = path.read_bytes()
    again = put(path, table, frame.sample(frac=1, random_state=1), complete_until="2026-04-01T00:00:00Z", **more)
    assert not again.changed
    assert (again.added, again.unchanged) == (0, len(frame))
    assert path.read_bytes() == before


def test_a_longer_file_adds_what_is_new(path):
    put(path, "touches", touches(9))
    longer = put(path, "touches", pd.concat([touches(12), touches(2)]))
    assert (longer.read, longer.added, longer.unchanged, longer.repeated) == (14, 3, 9, 2)


def test_a_lead_with_other_data_is_a_new_version(path):
    changed = put(path, "leads", leads(20, size=[99, *range(1, 20)]), features=["size"])
    assert (changed.added, changed.new_versions, changed.unchanged) == (0, 1, 19)
    found = rows(path, "SELECT version, features, epoch(known_at) FROM leads WHERE lead_id = 'L0' ORDER BY version")
    created = pd.Timestamp("2026-01-01T00:00:00Z").timestamp()
    assert found == [(1, '{"size":0.0}', created), (2, '{"size":99.0}', NOW.timestamp())]
    assert not put(path, "leads", leads(20, size=[99, *range(1, 20)]), features=["size"]).changed


def test_a_whole_number_is_the_same_beside_an_empty_cell(path):
    again = put(path, "leads", leads(20, size=[float(k) for k in range(20)]), features=["size"])
    assert again.unchanged == 20


def test_versions_may_come_with_the_moment_they_became_known(path):
    known = ["2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"]
    frame = leads(1).loc[[0, 0]].assign(lead_id="N", known_at=known, size=[1, 2])
    first = put(path, "leads", frame, features=["size"])
    assert (first.added, first.new_versions) == (1, 1)
    assert put(path, "leads", frame, features=["size"]).unchanged == 2
    text = words(path, "leads", frame.assign(size=[1, 3]), features=["size"])
    assert "[changed-row] what was known of a lead at a moment stays as it is" in text
    assert "e.g. N" in text


def test_a_lead_twice_with_different_rows(path):
    frame = pd.concat([leads(3), leads(1, product="other")])
    text = words(path, "leads", frame)
    assert "[different-rows] the leads have one row per `lead_id` and `known_at`" in text
    assert "e.g. L0" in text


@pytest.mark.parametrize(
    ("table", "frame", "change", "key"),
    [("touches", touches(9), {"cost": 31.0}, "T0"), ("deals", deals(9), {"amount": 7.0, "won": False}, "D0")],
)
def test_other_content_under_the_same_identifier(path, table, frame, change, key):
    put(path, table, frame)
    text = words(path, table, frame.assign(**change))
    assert "[changed-row]" in text
    assert f"9 of the ledger's differ in {', '.join(f'`{name}`' for name in sorted(change, reverse=True))}" in text
    assert f"e.g. {key}" in text
    # Under an identifier of its own, a correction would count beside what it corrects.
    assert "fix: leave them out of the file, or export them as they were imported" in text
    text = words(path, table, pd.concat([frame, frame.assign(**change)]))
    assert f"[different-rows] the {table} have one row per `{table[:-1] if table == 'deals' else 'touch'}_id`" in text


def test_leads_that_nobody_knows(path):
    text = words(path, "touches", touches(22))
    assert "2 are neither imported nor assigned, e.g. L20, L21" in text
    assert "leadlift import CONFIG leads FILE" in text
    assert "[unknown-lead] every lead of the deals is known" in words(path, "deals", deals(22))


def test_assigned_leads_are_known(tmp_path):
    store = LedgerStore(tmp_path / "calls.duckdb")
    store.append(draw(20), info(), after=store.read())
    assert put(store.path, "touches", touches(20)).added == 20


def test_a_deal_of_another_organisations_lead(path):
    text = words(path, "deals", deals(9, organisation_id="O0"))
    assert "[other-organisation]" in text
    assert "7 deals name a lead of another one, e.g. D2, D3, D4" in text
    assert put(path, "deals", deals(9, organisation_id="O0", lead_id=None)).added == 9


def test_two_currencies(path):
    text = words(path, "deals", deals(9, currency=["EUR"] * 6 + ["USD"] * 3))
    assert "[mixed-currencies] all amounts are in one currency" in text
    assert "EUR 6 deals, USD 3 deals" in text
    put(path, "deals", deals(6))
    assert "USD 9 deals, EUR 6 deals" in words(
        path, "deals", deals(9, currency="USD", deal_id=[f"X{k}" for k in range(9)])
    )


def test_a_deal_in_two_currencies(path):
    text = words(path, "deals", pd.concat([deals(2), deals(2, currency="USD")]))
    assert "[different-rows]" in text
    assert "[mixed-currencies]" in text


def test_a_won_deal_without_an_amount(path):
    assert "[no-amount] a deal that was won has its amount" in words(path, "deals", deals(3, amount=[1, None, 2]))
    assert put(path, "deals", deals(3, amount=[1, None, 2], won=[True, False, True])).added == 3


def test_every_conflict_is_told_at_once(path):
    frame = pd.concat([deals(2), deals(2, currency="USD", organisation_id="O9", lead_id="L99", amount=None)])
    assert words(path, "deals", frame).startswith("4 problems in the deals")


def test_deals_are_complete_until_the_latest_that_was_said(path):
    assert put(path, "deals", deals(3)).complete_until is None
    first = put(path, "deals", deals(3), complete_until="2026-04-01T00:00:00Z")
    assert first.complete_until == "2026-04-01T00:00:00+00:00"
    second = put(path, "deals", deals(5), complete_until="2026-03-01T00:00:00Z")
    assert second.complete_until == "2026-04-01T00:00:00+00:00"


def aliases(*pairs):
    return pd.DataFrame(list(pairs), columns=["alias", "organisation_id"])


def test_merged_organisations_in_different_arms_are_reported(path):
    store = LedgerStore(path)
    store.append(draw(20), info(), after=store.read())
    done = put(path, "aliases", aliases(("O1", "O0"), ("O3", "O1"), ("O4", "O2")))
    assert done.notes == ("calls: merged organisation O0 has leads in call, control",)
    assert verify_ledger(path).sound
    assert not put(path, "aliases", aliases(("O1", "O0"))).changed


def test_deals_of_merged_organisations_belong_together(path):
    put(path, "aliases", aliases(("O1", "O0")))
    assert put(path, "deals", deals(4, organisation_id="O0")).added == 4


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("a", "a")], "[alias-circle]"),
        ([("a", "b"), ("b", "c"), ("c", "a")], "a, b, c lead back to themselves"),
        ([("a", "b"), ("a", "c")], "[different-rows]"),
        ([("O9", "b")], "[changed-row]"),
    ],
)
def test_aliases_that_contradict_each_other(path, pairs, expected):
    put(path, "aliases", aliases(("O9", "O8")))
    assert expected in words(path, "aliases", aliases(*pairs))


def test_names_are_text_and_nothing_else(path):
    nasty = "x'); DROP TABLE deals; --"
    frame = leads(1).assign(lead_id=nasty, organisation_id='"', **{"a \"b\" 'c'": "\n;'\"", "d/~e": 1})
    put(path, "leads", frame, features=["a \"b\" 'c'", "d/~e"])
    assert not put(path, "leads", frame, features=["a \"b\" 'c'", "d/~e"]).changed
    assert rows(path, "SELECT count(*) FROM deals") == [(0,)]
