from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from small_logs import write_study


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it printed."""

    code: int
    out: str
    err: str


def real_data_path(name: str) -> Path:
    """The path of a real data set, or a skip that says what is absent."""
    path = Path(os.environ.get("LEADLIFT_DATA", "")) / name
    if "LEADLIFT_DATA" not in os.environ or not path.is_file():
        pytest.skip(f"LEADLIFT_DATA does not hold {name}")
    return path


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    return real_data_path


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty current folder, and no tracking server or data folder from outside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("LEADLIFT_DATA", raising=False)
    return tmp_path


@pytest.fixture
def leadlift(folder, monkeypatch, capsys) -> Callable[..., Ended]:
    """Runs the command line in this process."""

    def run(*words: object) -> Ended:
        from leadlift.cli.main import main

        monkeypatch.setattr(sys, "argv", ["leadlift", *map(str, words)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = capsys.readouterr()
        return Ended(code, printed.out, printed.err)

    return run


@pytest.fixture
def study(folder) -> Callable[..., Path]:
    """Writes a small log and a configuration of it into the current folder; returns the configuration's path."""

    def write(frame=None, *, name: str = "log.csv", top=None, **data) -> Path:
        return write_study(folder, frame, name=name, top=top, **data)

    return write
