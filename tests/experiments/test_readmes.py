"""The READMEs of the experiments hold what the committed results make, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
FOLDERS = sorted(
    path.parent.name for path in EXPERIMENTS.glob("*/run.py") if "import pieces" in path.read_text(encoding="utf-8")
)


def check(name: str) -> subprocess.CompletedProcess[str]:
    # As from a clean shell: a README does not depend on where data are, nor on threads.
    environment = {name: value for name, value in os.environ.items() if name != "LEADLIFT_DATA"}
    script = str(EXPERIMENTS / name / "run.py")
    return subprocess.run(
        [sys.executable, script, "--check"], check=False, capture_output=True, text=True, env=environment
    )


@pytest.mark.parametrize("name", FOLDERS)
def test_the_readme_is_what_its_results_make(name: str) -> None:
    checked = check(name)
    assert checked.returncode == 0, checked.stderr[-2000:]


def test_the_index_names_every_experiment() -> None:
    index = (EXPERIMENTS / "README.md").read_text(encoding="utf-8")
    assert [name for name in FOLDERS if f"{name}/README.md" not in index] == []


@pytest.mark.parametrize("name", FOLDERS)
def test_a_readme_says_how_to_run_it_and_what_it_does_not_show(name: str) -> None:
    text = (EXPERIMENTS / name / "README.md").read_text(encoding="utf-8")
    assert f"python experiments/{name}/run.py" in text
    assert "## What it means" in text
    assert "## What it does not show" in text
