"""`leadlift forget`: a client is gone, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pandas as pd
import pytest
from import_files import filled

from leadlift.data.ledger import verify_ledger
from leadlift.data.ledger.opening import reading
from leadlift.study import simulate_crm


@pytest.fixture
def place(folder):
    return filled(folder, simulate_crm(leads=300, seed=2, leads_per_organisation=2.0))


def counts(place) -> dict[str, int]:
    with reading(place.ledger) as connection:
        tables = ("leads", "assignments", "touches", "deals")
        return {t: connection.execute(f"SELECT count(*) FROM {t}").fetchall()[0][0] for t in tables}


def test_a_client_is_gone_and_the_chain_holds(place, leadlift) -> None:
    with reading(place.ledger) as connection:
        ((client, leads),) = connection.execute(
            "SELECT organisation_id, count(*) FROM assignments GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"
        ).fetchall()
    before, head = counts(place), verify_ledger(place.ledger).head
    ended = leadlift("forget", place.config, client, "--json")
    assert ended.code == 0, ended.err
    gone = json.loads(ended.out)
    assert gone["assignments"] == gone["leads"] == leads
    after = counts(place)
    assert {name: before[name] - after[name] for name in before} == {name: gone[name] for name in before}
    chain = verify_ledger(place.ledger)
    assert (chain.problems, chain.head, chain.forgotten) == ((), head, leads)
    assert client.encode() not in place.ledger.read_bytes()
    ended = leadlift("forget", place.config, client)
    assert ended.code == 1
    assert "has no leads, assignments or deals in it" in ended.err


def test_what_stays_elsewhere_is_said(place, leadlift) -> None:
    with reading(place.ledger) as connection:
        ((client,),) = connection.execute("SELECT min(organisation_id) FROM assignments").fetchall()
    ended = leadlift("forget", place.config, client)
    assert ended.out.startswith(f"erased {client}: ")
    assert "! not erased: files that were imported" in ended.out


def test_an_unknown_client_changes_nothing(place, leadlift) -> None:
    before = place.ledger.read_bytes()
    ended = leadlift("forget", place.config, "nobody")
    assert ended.code == 1
    assert "capitals and leading zeros count" in ended.err
    assert place.ledger.read_bytes() == before


def test_what_a_killed_process_left_goes_with_the_next_write(place) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    folders = [place.folder / f".leadlift-calls.duckdb-{number}-x" for number in (dead.pid, os.getpid())]
    others = [place.folder / ".leadlift-other.duckdb-1-x", place.folder / ".leadlift-abc"]
    for folder in (*folders, *others):
        folder.mkdir()
        (folder / "calls.duckdb").write_text("a client")
    counts(place)
    assert all(folder.exists() for folder in folders)
    place.put("aliases", pd.DataFrame({"alias": ["x"], "organisation_id": ["y"]}))
    assert [folder.exists() for folder in (*folders, *others)] == [False, True, True, True]
