"""`leadlift assign` as people use it: what is written, what stays, and what stops it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from leadlift.data import AssignmentStore
from leadlift.study import assign as study_assign
from leadlift.study.assign import assign_leads
from small_lists import leads, newcomers

LOT = {
    "arms": {"control": {"share": 0.6}, "call": {"share": 0.4}},
    "strata": ["score_group"],
    "holdout": {"share": 0.1, "until": "2999-06-30"},
}


def write(folder: Path, frame: pd.DataFrame | None = None, *, name="spring", top=None, **lot) -> Path:
    """A list of leads and an experiment on it, in the current folder."""
    (leads(60) if frame is None else frame).to_csv(folder / "leads.csv", index=False)
    values = {"version": 1, "name": name, "experiment": {**LOT, **lot}, **(top or {})}
    values.setdefault("score_groups", {"cuts": [0.5], "names": ["low", "high"]})
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


def written(folder: Path) -> set[str]:
    """Everything in the folder but what the test put there."""
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {name for name in files if not name.endswith((".yaml", "leads.csv", "design.json"))}


def test_the_lot_is_drawn_kept_and_listed(folder, leadlift) -> None:
    config = write(
        folder,
        strata=["score_group", "problem"],
        top={"leads": {"features": ["problem_text"]}},
        frame=(leads(60).assign(problem_text="n/a?")),
    )
    ended = leadlift("assign", config, "--leads", "leads.csv")
    assert ended.code == 0, ended.err
    assert written(folder) == {"assignments/000001.parquet", "spring-list.csv"}
    table = pq.read_table(folder / "assignments" / "000001.parquet")
    frame = table.to_pandas()
    assert len(frame) == len(leads(60))
    assert dict(frame["propensities"].iloc[0]) in ({"control": 0.6, "call": 0.4}, {"control": 0.0, "call": 0.0})
    assert frame["problem_text"].eq("n/a?").all()
    assert table.column_names.index("propensities") == table.column_names.index("treatment") + 1
    with (folder / "spring-list.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["lead_id"] for row in rows] == leads(60)["lead_id"].tolist()
    assert {row["treatment"] for row in rows} == {"control", "call", "holdout"}
    assert f"{len(rows):,} leads read: {len(rows):,} assigned" in ended.out
    assert "no frozen design" in ended.out


def test_the_same_leads_again_change_nothing(folder, leadlift) -> None:
    config = write(folder)
    leadlift("assign", config, "--leads", "leads.csv")
    before = {name: (folder / name).read_bytes() for name in written(folder)}
    leads(60).sample(frac=1.0, random_state=1).sort_values("lead_id").to_csv("leads.csv", index=False)
    ended = leadlift("assign", config, "--leads", "leads.csv")
    assert ended.code == 0
    assert "nothing changed: no lead of" in ended.out
    assert {name: (folder / name).read_bytes() for name in written(folder)} == before


def test_new_leads_are_added_and_old_files_stay(folder, leadlift) -> None:
    config = write(folder)
    leadlift("assign", config, "--leads", "leads.csv")
    first = (folder / "assignments" / "000001.parquet").read_bytes()
    everyone = pd.concat([leads(60), newcomers(10, 3)])
    everyone.to_csv("leads.csv", index=False)
    ended = leadlift("assign", config, "--leads", "leads.csv", "--json")
    result = json.loads(ended.out)
    assert result["rows"]["used"] == len(newcomers(10, 3))
    assert result["draw"] == 2
    assert (folder / "assignments" / "000001.parquet").read_bytes() == first
    assert pd.read_csv("spring-list.csv", dtype=str)["lead_id"].tolist() == everyone["lead_id"].tolist()


def test_a_frame_and_its_files_are_assigned_alike(folder) -> None:
    frame = leads(60)
    frame.to_parquet("leads.parquet")
    arms = []
    write(folder, frame)
    for number, given in enumerate((frame, "leads.csv", "leads.parquet")):
        place = folder / str(number)
        place.mkdir()
        assign_leads(write(place, frame), given)
        arms.append(AssignmentStore(place / "assignments").read().leads("spring")["treatment"].astype("str").tolist())
    assert arms[0] == arms[1] == arms[2]


def test_experiments_that_name_one_ledger_see_each_other(folder, leadlift) -> None:
    winter = write(folder, name="winter", top={"ledger": "crm.duckdb"})
    spring = write(folder, name="spring", top={"ledger": "crm.duckdb"})
    assert leadlift("assign", winter, "--leads", "leads.csv").code == 0
    ended = leadlift("assign", spring, "--leads", "leads.csv")
    assert ended.code == 1
    assert "new organisations are in winter too" in ended.err
    assert written(folder) == {"crm.duckdb", "winter-list.csv"}


@pytest.mark.parametrize("crm", ["hubspot", "salesforce"])
def test_the_examples_for_crms_work(folder, leadlift, crm) -> None:
    mapping = Path(__file__).resolve().parents[2] / "configs" / "crm" / f"{crm}.yaml"
    assert leadlift("assign", write(folder), "--leads", "leads.csv", "--crm", mapping, "--list", "out.csv").code == 0
    header = (folder / "out.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header.startswith({"hubspot": "Record ID,", "salesforce": "Id,AccountId,"}[crm])


def test_an_identifier_that_would_be_executed_is_counted(folder, leadlift) -> None:
    frame = leads(60)
    frame.loc[3, "lead_id"] = "=cmd|' /C calc'!A0"
    ended = leadlift("assign", write(folder, frame), "--leads", "leads.csv")
    assert "identifiers that a spreadsheet would execute: 1;" in ended.out
    assert "\n'=cmd|' /C calc'!A0," in (folder / "spring-list.csv").read_text(encoding="utf-8")


# --- what stops it


def shares(total: float):
    return {"arms": {"control": {"share": 0.5}, "call": {"share": round(total - 0.5, 3)}}}


def with_cell(column: str, value: object, row: int = 3) -> pd.DataFrame:
    frame = leads(60).astype({column: object})
    frame.loc[row, column] = value
    return frame


def twice(organisation: str | None) -> pd.DataFrame:
    frame = leads(60)
    again = frame.iloc[[5]] if organisation is None else frame.iloc[[5]].assign(organisation_id=organisation)
    return pd.concat([frame, again])


BAD = {
    "shares": ({"lot": shares(1.1)}, ["shares must add up to 1", "control 0.5, call 0.6"]),
    "no control": ({"lot": {"arms": {"a": {"share": 0.5}, "b": {"share": 0.5}}}}, ["one arm is called `control`"]),
    "past holdout": (
        {"lot": {"holdout": {"share": 0.1, "until": "2020-01-01"}}},
        ["the holdout must end after today", "it ends on 2020-01-01"],
    ),
    "stratum of one": (
        {"lot": {"mode": "blocked", "holdout": None}, "cuts": [0.9985], "frame": with_cell("score", 0.999)},
        ["[stratum-of-one]", "one unit in high", "draw hashed"],
    ),
    "capacity below strata": (
        {"lot": {"capacity": {"call": 1}}},
        ["[capacity]", "1 leads for 2 strata", "raise the capacity"],
    ),
    "capacity below an organisation": (
        {"lot": {"capacity": {"call": 4}}},
        ["4 leads; the largest unit alone has 5", "raise the capacity above 5"],
    ),
    "an arm called holdout": (
        {"lot": {"arms": {"control": {"share": 0.5}, "holdout": {"share": 0.5}}}},
        ["no arm is called `holdout`"],
    ),
    "a name with a line break": ({"top": {"name": "spring\n1"}}, ["`name` is text without slashes"]),
    "blanks around an organisation": (
        {"frame": with_cell("organisation_id", "org-0 ")},
        ["identifiers differ by more than blanks", "`organisation_id`: 1 do not, e.g. `org-0 `"],
    ),
    "blanks around a lead": ({"frame": with_cell("lead_id", "\t0004")}, ["`lead_id`: 1 do not"]),
    "several caps": (
        {
            "lot": {
                "arms": {"control": {"share": 0.4}, "call": {"share": 0.3}, "mail": {"share": 0.3}},
                "capacity": {"call": 50, "mail": 50},
            }
        },
        ["[several-caps] one arm has a capacity", "2: call, mail"],
    ),
    "score above 1": (
        {"frame": with_cell("score", 73.0)},
        ["scores lie in [0, 1]", "1 of", "e.g. 73", "divide by 100"],
    ),
    "score below 0": ({"frame": with_cell("score", -0.1)}, ["scores lie in [0, 1]", "e.g. -0.1"]),
    "score text": ({"frame": with_cell("score", "hot")}, ["scores are numbers", "text in 1 of"]),
    "no score": ({"frame": with_cell("score", None)}, ["every lead has a score", "`score` is empty in 1 of"]),
    "no score column": (
        {"frame": leads(60).rename(columns={"score": "scores"})},
        ["the leads have the column `score`", "did you mean `scores`?", "or take score_group out of `strata`"],
    ),
    "no organisation": (
        {"frame": with_cell("organisation_id", None)},
        ["every lead has an organisation", "`organisation_id` is empty in 1 of"],
    ),
    "no organisation column": (
        {"frame": leads(60).drop(columns="organisation_id")},
        ["the leads have the column `organisation_id`"],
    ),
    "no identifier": ({"frame": with_cell("lead_id", " ")}, ["every lead has an identifier"]),
    "two organisations": (
        {"frame": twice("org-else")},
        ["a lead belongs to one organisation", "1 lead in more than one, e.g. lead 0005"],
    ),
    "twice": ({"frame": twice(None)}, ["each lead stands in one row", "lead 0005", "keep the newest row"]),
    "no leads": ({"frame": leads(60).head(0)}, ["there are leads to draw", "0 rows"]),
    "empty group": (
        {"cuts": [0.5, 0.99999], "names": ["low", "medium", "high"]},
        ["every score group holds leads", "none in high", "scores from"],
    ),
    "no problem column": (
        {"frame": leads(60).drop(columns="problem"), "lot": {"strata": ["problem"]}},
        ["the leads have the column `problem`", "`leads: {problem: ...}`, or take problem out of `strata`; "],
    ),
    "known later": (
        {"frame": leads(60).assign(known="2999-01-01T00:00:00Z"), "top": {"leads": {"known_at": "known"}}},
        ["only what is known when the lot is drawn can decide it", "`known` lies ahead"],
    ),
    "no zone": (
        {"frame": leads(60).assign(made="2026-01-01"), "top": {"leads": {"created_at": "made"}}},
        ["times in `made` have a zone", "`leads: {timezone: Europe/Berlin}`"],
    ),
    "no time": (
        {"frame": leads(60).assign(made="soon Z"), "top": {"leads": {"created_at": "made"}}},
        ["`made` holds times", "2026-03-31T09:30:00Z"],
    ),
    "feature with our name": (
        {"frame": leads(60).assign(treatment="x"), "top": {"leads": {"features": ["treatment"]}}},
        ["features have names of their own", "`treatment` is a column of the assignments"],
    ),
    "same salt": (
        {"lot": {"salt": "holdout"}},
        ["the lot and the holdout are drawn by different salts"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_stops_with_words_and_writes_nothing(folder, leadlift, case) -> None:
    given, expected = BAD[case]
    top = dict(given.get("top", {}))
    if "cuts" in given:
        top["score_groups"] = {"cuts": given["cuts"], "names": given.get("names", ["low", "high"])}
    config = write(folder, given.get("frame"), top=top, **given.get("lot", {}))
    ended = leadlift("assign", config, "--leads", "leads.csv")
    assert ended.code == 1
    for words in expected:
        assert words in ended.err
    assert "Traceback" not in ended.err
    assert written(folder) == set()


def test_blanks_around_an_identifier_that_is_no_other_one_stay(folder, leadlift) -> None:
    ended = leadlift("assign", write(folder, with_cell("lead_id", "\t=0003 ")), "--leads", "leads.csv")
    assert ended.code == 0
    assert "'\t'=0003 " in (folder / "spring-list.csv").read_text(encoding="utf-8")


def test_every_problem_is_named_at_once(folder, leadlift) -> None:
    frame = twice(None).astype({"score": object})
    frame.iloc[7, 2] = 5
    ended = leadlift("assign", write(folder, frame), "--leads", "leads.csv")
    assert ended.err.startswith("2 problems in the leads")


def test_a_lead_that_moved_is_refused(folder, leadlift) -> None:
    config = write(folder)
    leadlift("assign", config, "--leads", "leads.csv")
    before = written(folder)
    with_cell("organisation_id", "org-else").to_csv("leads.csv", index=False)
    ended = leadlift("assign", config, "--leads", "leads.csv")
    assert ended.code == 1
    assert "e.g. lead 0003 (org-0, now org-else)" in ended.err
    assert written(folder) == before


def test_a_missing_file_of_leads_is_named(folder, leadlift) -> None:
    ended = leadlift("assign", write(folder), "--leads", "lead.csv")
    assert ended.code == 1
    assert "did you mean `leads.csv`?" in ended.err


@pytest.mark.parametrize("target", ["leads.csv/list.csv", "taken"])
def test_an_unwritable_list_leaves_nothing(folder, leadlift, target) -> None:
    (folder / "taken").mkdir()
    ended = leadlift("assign", write(folder), "--leads", "leads.csv", "--list", target)
    assert ended.code == 1
    assert "the list can be written" in ended.err
    assert "name another file: `--list`" in ended.err
    assert written(folder) == set()


@pytest.mark.parametrize("target", ["leads.csv", "spring.yaml", "crm.yaml", "designs/spring/design.json"])
def test_a_list_never_takes_the_place_of_what_it_is_made_from(folder, leadlift, target) -> None:
    config = write(folder, top=PLAN)
    leadlift("design", config)
    (folder / "crm.yaml").write_text("version: 1\n", encoding="utf-8")
    before = Path(target).read_bytes()
    design = folder / "designs" / "spring" / "design.json"
    ended = leadlift(
        "assign", config, "--leads", "leads.csv", "--crm", "crm.yaml", "--design", design, "--list", target
    )
    assert ended.code == 1
    assert "the list is a file of its own" in ended.err
    assert Path(target).read_bytes() == before
    assert not (folder / "assignments").exists()


def test_an_unwritable_store_leaves_nothing(folder, leadlift) -> None:
    config = write(folder)
    (folder / "assignments").write_text("a file in the folder's place", encoding="utf-8")
    ended = leadlift("assign", config, "--leads", "leads.csv")
    assert ended.code == 1
    assert "assignments can be written" in ended.err
    assert written(folder) == {"assignments"}


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/sys").is_dir(), reason="root may write anywhere")
def test_a_read_only_file_system_is_said(folder, leadlift) -> None:
    ended = leadlift("assign", write(folder), "--leads", "leads.csv", "--list", "/proc/sys/list.csv")
    assert ended.code == 1
    assert "the list can be written" in ended.err
    assert written(folder) == set()


# --- the frozen design


PLAN = {"plan": {"baseline": 0.1, "uplift": 0.05, "leads_per_week": 300}}


def test_the_frozen_design_is_logged_and_an_edit_found(folder, leadlift) -> None:
    config = write(folder, top=PLAN)
    assert leadlift("design", config).code == 0
    frozen = folder / "designs" / "spring" / "design.json"
    digest = json.loads(frozen.read_text(encoding="utf-8"))["digest"]
    text = frozen.read_text(encoding="utf-8")
    frozen.write_text(text.replace('"share": 0.4', '"share": 0.3'), encoding="utf-8")
    ended = leadlift("assign", config, "--leads", "leads.csv")
    assert ended.code == 1
    assert "edited after it was frozen" in ended.err
    assert not (folder / "assignments").exists()
    frozen.write_text(text, encoding="utf-8")
    result = json.loads(leadlift("assign", config, "--leads", "leads.csv", "--json").out)
    assert result["design_digest"] == digest
    assert not any("frozen" in note for note in result["notes"])


def test_a_configuration_edited_after_the_design_was_frozen_is_refused(folder, leadlift) -> None:
    config = write(folder, top=PLAN)
    leadlift("design", config, "--out", "plan")
    write(folder, top=PLAN, mode="blocked")
    ended = leadlift("assign", config, "--leads", "leads.csv", "--design", "plan/design.json")
    assert ended.code == 1
    assert '`experiment.mode` was "hashed", is "blocked"' in ended.err
    assert not (folder / "assignments").exists()


# --- where draws are kept


def test_processes_at_once_assign_every_lead_once(folder) -> None:
    config = write(folder)
    lists = []
    for number in range(3):
        pd.concat([leads(60), newcomers(20, number)]).to_csv(f"leads{number}.csv", index=False)
        lists.append(f"leads{number}.csv")
    program = (
        "import sys; from leadlift.study.assign import assign_leads; assign_leads(*sys.argv[1:3], out=sys.argv[3])"
    )

    def run(name: str) -> str:
        command = [sys.executable, "-c", program, str(config), name, f"{name}.out"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(run, lists)) == [""] * len(lists)
    ids = AssignmentStore(folder / "assignments").read().leads("spring")["lead_id"]
    assert ids.is_unique
    assert len(ids) == len(leads(60)) + sum(len(newcomers(20, number)) for number in range(3))


def test_a_draw_that_came_second_is_drawn_again(folder, monkeypatch) -> None:
    config = write(folder)
    other = write(folder, name="winter", top={"score_groups": {"cuts": [0.5], "names": ["low", "high"]}})
    real, raced = study_assign.assign, threading.Event()

    def slow(*arguments, **settings):
        drawn = real(*arguments, **settings)
        if not raced.is_set():
            raced.set()
            assign_leads(other, newcomers(10, 1))
        return drawn

    monkeypatch.setattr(study_assign, "assign", slow)
    result = assign_leads(config, "leads.csv")
    assert Path(result.path).name == "000002.parquet"
    kept = AssignmentStore(folder / "assignments").read()
    assert kept.experiments == ("winter", "spring")


def test_a_missing_or_broken_draw_is_said(folder, leadlift) -> None:
    config = write(folder)
    leadlift("assign", config, "--leads", "leads.csv")
    draw = folder / "assignments" / "000001.parquet"
    content = draw.read_bytes()
    draw.write_bytes(content[:-100])
    assert "every draw can be read" in leadlift("assign", config, "--leads", "leads.csv").err
    draw.rename(folder / "assignments" / "000002.parquet")
    assert "draws are numbered without gaps" in leadlift("assign", config, "--leads", "leads.csv").err
