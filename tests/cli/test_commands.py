"""Help, a new workspace, the demo's tables, and the server's door."""

from __future__ import annotations

import json
import subprocess

import pandas as pd
import pytest
from jsonschema import Draft202012Validator

from leadlift.base.config import json_schema
from leadlift.base.yaml import read_config, read_yaml


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
    assert {path.name for path in place.iterdir()} == {"study.yaml", "leads.csv", ".gitignore"}
    assert list(Draft202012Validator(json_schema()).iter_errors(read_yaml(place / "study.yaml"))) == []
    assert read_config(place / "study.yaml").name == "spring-calls"
    ran = leadlift("run", place / "study.yaml", "--json")
    assert ran.code == 0
    values = json.loads(ran.out)
    assert [check["code"] for check in values["checks"] if check["status"] != "pass"] == []
    assert values["rows"]["read"] == len(pd.read_csv(place / "leads.csv"))


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
