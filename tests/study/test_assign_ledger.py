"""`leadlift assign` with a ledger: the draw is a batch of its chain, and the leads go there with it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from leadlift.data import AssignmentStore
from leadlift.data.ledger import LedgerStore, verify_ledger
from leadlift.data.ledger.opening import reading
from leadlift.study.assign import assign_leads
from leadlift.study.import_ import import_file
from small_lists import leads, newcomers

LOT = {"arms": {"control": {"share": 0.6}, "call": {"share": 0.4}}, "holdout": {"share": 0.1, "until": "2999-06-30"}}
NOW = pd.Timestamp("2026-06-01T12:00:00Z")


def experiment(folder: Path, name="spring", ledger="crm.duckdb", **top) -> Path:
    values = {"version": 1, "name": name, "experiment": LOT, "score_groups": {"cuts": [0.5], "names": ["low", "high"]}}
    values |= {"leads": {"features": ["size"]}, **({"ledger": ledger} if ledger else {}), **top}
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


def listed(frame: pd.DataFrame, **more) -> pd.DataFrame:
    return frame.assign(**{"created_at": "2026-01-01T00:00:00Z", "size": range(len(frame)), **more})


def put(frame: pd.DataFrame) -> str:
    frame.to_csv("leads.csv", index=False)
    return "leads.csv"


def asked(path: Path, query: str) -> list:
    with reading(path) as connection:
        return connection.execute(query).fetchall()


def content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_draw_is_a_batch_and_its_leads_are_known(folder, leadlift) -> None:
    ended = leadlift("assign", experiment(folder), "--leads", put(listed(leads(60))))
    assert ended.code == 0, ended.err
    ledger = folder / "crm.duckdb"
    assert f"kept  {ledger}" in ended.out
    chain = verify_ledger(ledger)
    assert (chain.batches, chain.rows, chain.problems) == (1, len(leads(60)), ())
    assert asked(ledger, "SELECT count(*), max(version) FROM leads") == [(len(leads(60)), 1)]
    assert asked(
        ledger, "SELECT count(*) FROM assignments a JOIN leads l USING (lead_id) WHERE a.features = l.features"
    )
    assert not (folder / "assignments").exists()


def test_the_ledger_and_the_folder_draw_the_same(folder) -> None:
    frame = listed(leads(60))
    others = newcomers(10, 3)
    late = newcomers(3, 4).assign(organisation_id="org-0")
    more = pd.concat([frame, listed(pd.concat([others, late], ignore_index=True))])
    drawn = []
    for ledger in ("crm.duckdb", None):
        config = experiment(folder, ledger=ledger)
        for given in (frame, more):
            result = assign_leads(config, given, now=NOW)
        store = LedgerStore(folder / ledger) if ledger else AssignmentStore(folder / "assignments")
        columns = ["lead_id", "unit_id", "treatment", "stratum", "propensity_call", "propensity_holdout", "holdout"]
        drawn.append((store.read().leads("spring")[columns].sort_values("lead_id"), result.late, result.draw))
        drawn[-1] += ((folder / "spring-list.csv").read_text(encoding="utf-8"),)
    pd.testing.assert_frame_equal(
        drawn[0][0].reset_index(drop=True), drawn[1][0].reset_index(drop=True), check_dtype=False
    )
    assert drawn[0][1:] == drawn[1][1:]
    assert drawn[0][1] == len(late)


def test_the_same_leads_again_change_nothing(folder, leadlift) -> None:
    config = experiment(folder)
    leadlift("assign", config, "--leads", put(listed(leads(60))))
    before = content(folder / "crm.duckdb"), content(folder / "spring-list.csv")
    ended = leadlift("assign", config, "--leads", put(listed(leads(60)).sample(frac=1.0, random_state=1)))
    assert f"nothing changed: no lead of {len(leads(60)):,} is new" in ended.out
    leadlift("assign", config, "--leads", put(listed(leads(60))))
    assert (content(folder / "crm.duckdb"), content(folder / "spring-list.csv")) == before


def test_a_lead_with_other_data_is_a_new_version_and_keeps_its_arm(folder, leadlift) -> None:
    config, frame = experiment(folder), listed(leads(60))
    leadlift("assign", config, "--leads", put(frame))
    before = asked(folder / "crm.duckdb", "SELECT lead_id, treatment, features FROM assignments ORDER BY 1")
    ended = leadlift("assign", config, "--leads", put(frame.assign(size=[999, 998, *range(2, len(frame))])))
    assert "other data than before: 2 leads; they have a new version, arms stay" in ended.out
    assert "nothing changed" not in ended.out
    assert asked(folder / "crm.duckdb", "SELECT count(*) FROM leads WHERE version = 2") == [(2,)]
    assert asked(folder / "crm.duckdb", "SELECT lead_id, treatment, features FROM assignments ORDER BY 1") == before


def test_leads_that_were_imported_before_are_not_added_again(folder, leadlift) -> None:
    config, file = experiment(folder), put(listed(leads(60)))
    assert leadlift("import", config, "leads", file).code == 0
    ended = leadlift("assign", config, "--leads", file)
    assert "other data" not in ended.out
    assert asked(folder / "crm.duckdb", "SELECT count(*) FROM leads") == [(len(leads(60)),)]


def test_leads_that_do_not_say_how_old_they_are(folder, leadlift) -> None:
    ended = leadlift("assign", experiment(folder), "--leads", put(listed(leads(60)).drop(columns="created_at")))
    assert ended.code == 0, ended.err
    known = "SELECT count(*) FROM leads l JOIN assignments a USING (lead_id) WHERE l.known_at = a.assigned_at"
    assert asked(folder / "crm.duckdb", known) == [(len(leads(60)),)]


def test_leads_of_the_future_are_kept_but_not_drawn(folder, leadlift) -> None:
    frame = listed(leads(60))
    frame.loc[:4, "created_at"] = "2026-03-01T00:00:00Z"
    config = experiment(folder)
    ended = leadlift("assign", config, "--leads", put(frame), "--at", "2026-02-01T00:00:00+01:00")
    assert f"{len(frame) - 5:,} assigned, 5 not created yet" in ended.out, ended.err
    assert asked(folder / "crm.duckdb", "SELECT count(*) FROM leads") == [(len(frame),)]
    moments = asked(folder / "crm.duckdb", "SELECT DISTINCT assigned_at::VARCHAR FROM assignments")
    assert moments == [("2026-01-31 23:00:00+00",)]
    ended = leadlift("assign", config, "--leads", "leads.csv", "--at", "2026-04-01T00:00:00Z")
    assert f"5 assigned, {len(frame) - 5:,} already assigned" in ended.out
    assert "`--at` is a time with its zone" in leadlift("assign", config, "--leads", "leads.csv", "--at", "2026").err


def test_merged_organisations_are_one_unit(folder) -> None:
    config, frame = experiment(folder), listed(leads(60))
    assign_leads(config, frame, now=NOW)
    store = LedgerStore(folder / "crm.duckdb")
    arms = store.read().leads("spring").drop_duplicates("unit_id").dropna(subset="treatment").set_index("unit_id")
    gone = arms.index[0]
    pd.DataFrame({"alias": [gone], "organisation_id": ["merged"]}).to_csv(folder / "merged.csv", index=False)
    import_file(config, "aliases", folder / "merged.csv")
    renamed = frame.assign(organisation_id=frame["organisation_id"].replace(gone, "merged"))
    late = listed(newcomers(1, 1).iloc[:1]).assign(lead_id="later", organisation_id="merged")
    result = assign_leads(config, pd.concat([renamed, late]), now=NOW)
    assert result.late == 1
    now = store.read().leads("spring").set_index("lead_id").loc["later"]
    assert (now["treatment"], now["unit_id"], now["organisation_id"]) == (arms["treatment"].iloc[0], gone, "merged")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"created_at": "2026-01-01 10:00"}, ["says its time zone", "`data: {timezone: Europe/Berlin}`"]),
        ({"created_at": None}, ["`created_at` is filled in every row"]),
        ({"score": 40}, ["`score` lies in [0, 1]"]),
        ({"organisation_id": " "}, ["`organisation_id` is filled in every row"]),
    ],
)
def test_leads_that_break_the_contract_change_nothing(folder, leadlift, change, words) -> None:
    config = experiment(folder)
    leadlift("assign", config, "--leads", put(listed(leads(60))))
    before = content(folder / "crm.duckdb"), content(folder / "spring-list.csv")
    ended = leadlift("assign", config, "--leads", put(listed(newcomers(10, 3), **change)))
    assert ended.code == 1
    assert all(word in ended.err for word in words), ended.err
    assert (content(folder / "crm.duckdb"), content(folder / "spring-list.csv")) == before


def test_a_ledger_that_is_none_is_said_before_anything_is_drawn(folder, leadlift) -> None:
    (folder / "crm.duckdb").write_text("no ledger at all", encoding="utf-8")
    ended = leadlift("assign", experiment(folder), "--leads", put(listed(leads(60))))
    assert ended.code == 1
    assert "[not-a-ledger]" in ended.err
    assert sorted(path.name for path in folder.iterdir()) == ["crm.duckdb", "leads.csv", "spring.yaml"]
    ended = leadlift("assign", experiment(folder, ledger="gone/crm.duckdb"), "--leads", "leads.csv")
    assert ended.code == 1
    assert "[ledger]" in ended.err


def test_the_list_does_not_take_the_ledgers_place(folder, leadlift) -> None:
    config, file = experiment(folder), put(listed(leads(60)))
    for _ in range(2):
        ended = leadlift("assign", config, "--leads", file, "--list", "crm.duckdb")
        assert ended.code == 1
        assert "crm.duckdb is what it is made from" in ended.err
        leadlift("assign", config, "--leads", file)
