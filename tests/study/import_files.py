"""A workspace with a ledger, for the tests of imports and of logs from ledgers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from leadlift.base.yaml import read_experiment
from leadlift.data import DrawInfo
from leadlift.data.ledger import LedgerStore
from leadlift.study import SimulatedCrm
from leadlift.study.demo import as_exported
from leadlift.study.import_ import ImportResult, import_file
from leadlift.study.ledger_log import LedgerLog, read_ledger_log

NOW = pd.Timestamp("2026-06-01T12:00:00Z")
DRAWN = pd.Timestamp("2026-01-10T00:00:00Z")
CONFIG = """\
version: 1
name: calls
ledger: calls.duckdb
leads: {{features: [{features}]}}
experiment:
  arms: {{control: {{share: 0.5}}, call: {{share: 0.5, mechanics: [call], cost: 35}}}}
  unit: {unit}
  window_days: 90
  touch_days: 14
value: {{column: amount}}
{more}
"""


@dataclass(frozen=True)
class Workspace:
    """A folder with a configuration; files are written into it and imported."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "calls.yaml"

    @property
    def ledger(self) -> Path:
        return self.folder / "calls.duckdb"

    def put(self, table: str, frame: pd.DataFrame, **more) -> ImportResult:
        file = self.folder / f"{table}.csv"
        as_exported(frame).to_csv(file, index=False)
        return import_file(self.config, table, file, now=more.pop("now", NOW), **more)

    def assign(self, frame: pd.DataFrame) -> None:
        defaults = {"experiment": "calls", "round": 1, "holdout": False, "late": False}
        store = LedgerStore(self.ledger)
        info = DrawInfo("calls", 1, "calls", ("control", "call"), {}, "d", None, None, DRAWN.isoformat())
        missing = {name: value for name, value in defaults.items() if name not in frame}
        assert store.append(frame.assign(**missing), info, after=store.read()) == self.ledger

    def log(self, **more) -> LedgerLog:
        return read_ledger_log(read_experiment(self.config), self.ledger, **more)


def workspace(folder: Path, *, features=(), unit="organisation", more="") -> Workspace:
    text = CONFIG.format(features=", ".join(features), unit=unit, more=more)
    (folder / "calls.yaml").write_text(text, encoding="utf-8")
    return Workspace(folder)


def filled(folder: Path, crm: SimulatedCrm, *, unit="organisation", more="", **deals) -> Workspace:
    """A workspace with all that a simulated company's CRM holds."""
    place = workspace(folder, features=crm.world.features, unit=unit, more=more)
    place.put("leads", crm.tables["leads"])
    place.assign(crm.tables["assignments"])
    place.put("touches", crm.tables["touches"])
    place.put("deals", crm.tables["deals"], **deals)
    return place


def frame(text: str) -> pd.DataFrame:
    """A frame written as a table: words are separated by blanks, `-` is an empty cell; days stand for noon, UTC."""
    names, *rows = [line.split() for line in text.splitlines() if line.strip()]
    table = pd.DataFrame(rows, columns=names).replace("-", None)
    moments = {name: table[name].map(_noon, na_action="ignore") for name in names if name.endswith("_at")}
    return table.assign(**moments)


def _noon(day: str) -> str:
    return f"2026-{day}T12:00:00Z"


def lot(text: str) -> pd.DataFrame:
    """Assignments of a table of leads: half and half, drawn on 10 January."""
    table = frame(text)
    defaults = {"stratum": "all", "propensity_control": 0.5, "propensity_call": 0.5}
    table = table.assign(unit_id=table["organisation_id"], **defaults)
    table["assigned_at"] = pd.Series([DRAWN] * len(table), dtype="datetime64[us, UTC]")
    for name in ("late", "holdout"):
        if name in table:
            table[name] = table[name] == "yes"
    return table
