"""Help, a new workspace, the demo's tables, and the server's door."""

from __future__ import annotations

import json
import subprocess
from datetime import date

import pandas as pd
import pytest
from jsonschema import Draft202012Validator

from leadlift.base.config import json_schema
from leadlift.base.yaml import read_config, read_experiment, read_yaml
from leadlift.data.ledger import verify_ledger


@pytest.mark.parametrize("command", ["demo", "init", "run", "ui"])
def test_help(leadlift, command):
    ended = leadlift(command, "--help")
    assert ended.code == 0
    assert f"leadlift {command}" in ended.out
    assert command in leadlift("--help").out


def test_a_new_workspace_runs(leadlift, folder):
    ended = leadlift("init", "spring calls")
    assert ended.code == 0
    place = folder / "spring calls"
    files = {"experiment.yaml", "ledger.duckdb", "study.yaml", "leads.csv", ".gitignore"}
    assert {path.name for path in place.iterdir()} == files
    assert list(Draft202012Validator(json_schema()).iter_errors(read_yaml(place / "study.yaml"))) == []
    assert read_config(place / "study.yaml").name == "spring-calls"
    ran = leadlift("run", place / "study.yaml", "--json")
    assert ran.code == 0
    values = json.loads(ran.out)
    assert [check["code"] for check in values["checks"] if check["status"] != "pass"] == []
    assert values["rows"]["read"] == len(pd.read_csv(place / "leads.csv"))


def test_a_new_workspaces_experiment_begins(leadlift, folder):
    leadlift("init", "calls")
    assert verify_ledger(folder / "calls" / "ledger.duckdb").batches == 0
    config = read_experiment(folder / "calls" / "experiment.yaml", today=date.today())
    assert (config.name, config.ledger, config.experiment.unit) == ("calls", "ledger.duckdb", "organisation")
    ended = leadlift("design", folder / "calls" / "experiment.yaml")
    assert ended.code == 0, ended.err
    assert "weeks" in ended.out


def test_a_workspace_takes_no_others_place(leadlift, folder):
    (folder / "mine").mkdir()
    (folder / "mine" / "notes.txt").write_text("keep me")
    ended = leadlift("init", "mine")
    assert ended.code == 1
    assert "holds notes.txt" in ended.err
    assert [path.name for path in (folder / "mine").iterdir()] == ["notes.txt"]


def test_the_demos_tables(leadlift, folder):
    ended = leadlift("demo", "--leads", 500, "--seed", 3, "--write", "crm")
    assert ended.code == 0
    names = {path.name for path in (folder / "crm").iterdir()}
    assert names >= {"leads.csv", "deals.csv", "touches.csv", "assignments.csv", "organisations.csv", "flat_log.csv"}
    assert not (folder / "mlruns").exists()
    again = leadlift("demo", "--leads", 500, "--seed", 3, "--write", "crm2")
    assert again.out.replace("crm2", "crm") == ended.out
    for name in names:
        assert (folder / "crm" / name).read_bytes() == (folder / "crm2" / name).read_bytes()


def test_the_demo_answers_a_lot(leadlift, folder):
    company = ("demo", "--leads", 500, "--seed", 3, "--write", "crm")
    leadlift(*company)
    leads = pd.read_csv("crm/leads.csv").sort_values("lead_id")
    lot = leads[["lead_id"]].assign(treatment=["call", "control"] * 250, assigned_at="2025-12-31T00:00:00Z")
    lot.to_csv("list.csv", index=False)
    ended = leadlift(*company, "--lot", "list.csv")
    assert ended.code == 0, ended.err
    assert ended.out.startswith("crm/touches.csv")
    touched = set(pd.read_csv("crm/touches.csv")["lead_id"])
    called = set(lot["lead_id"][lot["treatment"] == "call"])
    assert len(touched & called) / len(called) > 0.8
    assert len(touched - called) / len(called) < 0.1
    assert pd.read_csv("crm/deals.csv")["lead_id"].isin(lot["lead_id"]).sum() > 50
    before = (folder / "crm" / "deals.csv").read_bytes()
    for change in ({"treatment": "dance"}, {"lead_id": "another"}, {"assigned_at": "soon"}):
        lot.assign(**change).to_csv("list.csv", index=False)
        assert leadlift(*company, "--lot", "list.csv").code == 1, change
    assert leadlift(*company, "--lot", "gone.csv").code == 1
    assert leadlift("demo", "--lot", "list.csv").code == 2
    assert (folder / "crm" / "deals.csv").read_bytes() == before


@pytest.mark.parametrize(("words", "said"), [(("--preset", "wild"), "preset"), (("--leads", "-5"), "leads")])
def test_a_demo_that_cannot_be(leadlift, folder, words, said):
    ended = leadlift("demo", *words, "--write", "crm")
    assert ended.code == 1
    assert said in ended.err
    assert list(folder.iterdir()) == []


def test_the_ui_asks_for_runs_first(leadlift, folder):
    ended = leadlift("ui")
    assert ended.code == 1
    assert "run `leadlift demo` or `leadlift run` in this folder first" in ended.err
    assert list(folder.iterdir()) == []


def test_the_ui_serves_on_this_machine_only(leadlift, folder, monkeypatch):
    called = []

    def run(command, **settings):
        called.append((command, settings["env"]["MLFLOW_DISABLE_TELEMETRY"]))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    (folder / "mlruns").mkdir()
    (folder / "mlruns" / "mlflow.db").touch()
    assert leadlift("ui", "--port", 5055).code == 0
    ((command, telemetry),) = called
    assert command[1:6] == ["-m", "mlflow", "ui", "--backend-store-uri", "sqlite:///mlruns/mlflow.db"]
    assert command[-4:] == ["--host", "127.0.0.1", "--port", "5055"]
    assert telemetry == "true"
