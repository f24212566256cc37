"""The guide's script, from an empty folder to the answer, and the guide that is made from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from leadlift.data.ledger import recorded_studies, verify_ledger

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCRIPT = DOCS / "first_holdout.sh"


def walk(folder: Path, leads: int) -> str:
    """Runs the script with as many leads; returns what it printed."""
    tools = folder / "tools"
    tools.mkdir()
    program = tools / "leadlift"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m leadlift "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    script = folder / "walk.sh"
    script.write_text(SCRIPT.read_text(encoding="utf-8").replace("--leads 6000", f"--leads {leads}"), encoding="utf-8")
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    done = subprocess.run(["sh", script], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check_walk(folder: Path, leads: int) -> None:
    printed = walk(folder, leads)
    place = folder / "work"
    result = json.loads((place / "results" / "experiment" / "results.json").read_text(encoding="utf-8"))
    chain = verify_ledger(place / "ledger.duckdb")
    assert chain.sound
    assert chain.batches == 2
    assert result["ledger"]["chain_head"] == chain.head
    assert result["effects"][0]["estimand"] == "organisation_total"
    assert [check["code"] for check in result["checks"] if check["status"] == "stop"] == []
    frozen = json.loads((place / "designs" / "experiment" / "design.json").read_text(encoding="utf-8"))
    assert frozen["digest"] in printed
    (study,) = recorded_studies(place / "ledger.duckdb")
    assert study.run_id == result["mlflow"]["run_id"]
    assert "took their arm over" in printed
    assert "nothing changed" in printed


def test_the_whole_way_by_commands(tmp_path) -> None:
    check_walk(tmp_path, 1_000)


@pytest.mark.slow
def test_the_whole_way_as_it_stands(tmp_path) -> None:
    check_walk(tmp_path, 6_000)


def test_the_guide_has_every_command() -> None:
    guide = (DOCS / "first_holdout.md").read_text(encoding="utf-8")
    lines = [line for line in SCRIPT.read_text(encoding="utf-8").splitlines()[3:] if line]
    assert [line for line in lines if line.startswith("leadlift") and line not in guide] == []
    assert [line for line in lines if line.startswith("# ") and line[2:] not in guide] == []
