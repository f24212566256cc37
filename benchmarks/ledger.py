"""The ledger at millions of rows: times and peak memory beside the bare DuckDB statements that move the same rows.

Each case runs in a process of its own, so that its memory is its own.

    python benchmarks/ledger.py                     every case, and the ratios
    python benchmarks/ledger.py "append"            one case, as JSON
    python benchmarks/ledger.py --scale 0.1         a tenth of the rows
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

APPENDED, TOUCHES, LEADS = 5_000_000, 10_000_000, 1_000_000
DRAWN = pd.Timestamp("2026-01-10T00:00:00Z")
CONFIG = """\
version: 1
name: calls
ledger: calls.duckdb
leads: {features: [size, visits, industry]}
experiment:
  arms: {control: {share: 0.5}, call: {share: 0.5, mechanics: [call]}}
"""
Prepared = Callable[[], Any]


def names(prefix: str, numbers: Any) -> pd.Series:
    return pd.Series(np.char.mod(f"{prefix}-%08d", numbers), dtype="str")


def assignments(n: int) -> pd.DataFrame:
    """A draw of n leads in 0.6 n organisations, with three features."""
    rng = np.random.default_rng(0)
    client = rng.integers(int(0.6 * n), size=n)
    call = rng.random(int(0.6 * n)) < 0.5
    moment = pd.Series(pd.DatetimeIndex([DRAWN]).as_unit("us").repeat(n))
    frame = pd.DataFrame({"experiment": "calls", "round": 1, "lead_id": names("lead", np.arange(n))})
    frame["organisation_id"] = frame["unit_id"] = names("org", client)
    frame = frame.assign(stratum="all", score=rng.beta(2, 5, n), score_group="low")
    frame["treatment"] = np.where(call[client], "call", "control")
    frame = frame.assign(propensity_control=0.5, propensity_call=0.5, propensity_holdout=0.0, holdout=False, late=False)
    frame = frame.assign(policy="design", design_digest="bench", assigned_at=moment)
    industry = np.array(["energy", "health", "retail"])[rng.integers(3, size=n)]
    return frame.assign(size=rng.integers(1, 5000, n).astype(float), visits=rng.random(n).round(3), industry=industry)


def touches(n: int, leads: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    moment = DRAWN + pd.to_timedelta(rng.integers(14 * 86_400, size=n), unit="s")
    frame = pd.DataFrame(
        {"touch_id": names("touch", np.arange(n)), "lead_id": names("lead", rng.integers(leads, size=n))}
    )
    return frame.assign(mechanic="call", touched_at=moment.as_unit("us"), cost=rng.random(n).round(2), rep_id="rep-1")


def deals(n: int, drawn: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    lead = rng.integers(len(drawn), size=n)
    moment = DRAWN + pd.to_timedelta(rng.integers(120 * 86_400, size=n), unit="s")
    frame = pd.DataFrame({"deal_id": names("deal", np.arange(n)), "lead_id": drawn["lead_id"].to_numpy()[lead]})
    frame["organisation_id"] = drawn["organisation_id"].to_numpy()[lead]
    return frame.assign(product="crm", closed_at=moment.as_unit("us"), won=rng.random(n) < 0.6, amount=1000.0)


def append(frame: pd.DataFrame, ledger: Path) -> None:
    from leadlift.data import DrawInfo
    from leadlift.data.ledger import LedgerStore

    info = DrawInfo("calls", 1, "calls", ("control", "call"), {}, "bench", None, None, DRAWN.isoformat())
    store = LedgerStore(ledger)
    store.append(frame, info, after=store.read())


def workspace(folder: Path) -> Path:
    config = folder / "calls.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    return config


def bring(config: Path, table: str, frame: pd.DataFrame) -> None:
    from leadlift.study.import_ import import_file

    file = config.parent / f"{table}.parquet"
    frame.to_parquet(file, index=False)
    import_file(config, table, file)


def appending(folder: Path, scale: float) -> Prepared:
    frame = assignments(int(APPENDED * scale))
    return lambda: append(frame, folder / "calls.duckdb")


def bare_appending(folder: Path, scale: float) -> Prepared:
    """The same rows and columns, written by one statement."""
    import duckdb

    from leadlift.data.assignment_tables import to_stored

    table = to_stored(assignments(int(APPENDED * scale)), ("control", "call"))

    def write() -> None:
        with duckdb.connect(str(folder / "bare.duckdb")) as connection:
            connection.register("incoming", table)
            connection.execute("CREATE TABLE assignments AS FROM incoming")

    return write


def importing(folder: Path, scale: float) -> Prepared:
    """`leadlift import CONFIG touches FILE`: read, checked against the contract and the ledger, written."""
    from leadlift.study.import_ import import_file

    config, leads = workspace(folder), int(LEADS * scale)
    append(assignments(leads), folder / "calls.duckdb")
    touches(int(TOUCHES * scale), leads).to_parquet(folder / "touches.parquet", index=False)
    return lambda: import_file(config, "touches", folder / "touches.parquet")


def bare_importing(folder: Path, scale: float) -> Prepared:
    import duckdb

    touches(int(TOUCHES * scale), int(LEADS * scale)).to_parquet(folder / "touches.parquet", index=False)

    def write() -> None:
        with duckdb.connect(str(folder / "bare.duckdb")) as connection:
            connection.execute(f"CREATE TABLE touches AS FROM '{folder / 'touches.parquet'}'")

    return write


def filled(folder: Path, scale: float) -> Path:
    config, n = workspace(folder), int(LEADS * scale)
    drawn = assignments(n)
    append(drawn, folder / "calls.duckdb")
    bring(config, "touches", touches(n, n))
    bring(config, "deals", deals(n // 2, drawn))
    return config


def building(folder: Path, scale: float) -> Prepared:
    """The AssignmentLog, as `leadlift run` reads it: outcomes, touches, features, organisations' totals."""
    from leadlift.base.yaml import read_experiment
    from leadlift.study.ledger_log import read_ledger_log

    config = filled(folder, scale)
    return lambda: read_ledger_log(read_experiment(config), folder / "calls.duckdb")


def bare_building(folder: Path, scale: float) -> Prepared:
    """The rows that the log is made of, read by one statement each."""
    import duckdb

    filled(folder, scale)

    def read() -> None:
        with duckdb.connect(str(folder / "calls.duckdb"), read_only=True) as connection:
            for table in ("assignments", "touches", "deals"):
                connection.sql(f"SELECT * FROM {table}").to_arrow_table().to_pandas()

    return read


CASES: dict[str, Callable[[Path, float], Prepared]] = {
    "bare append": bare_appending,
    "append": appending,
    "bare import": bare_importing,
    "import": importing,
    "bare read": bare_building,
    "log": building,
}
PAIRS = (("append", "bare append"), ("import", "bare import"), ("log", "bare read"))
ROWS = {"append": APPENDED, "import": TOUCHES, "read": LEADS, "log": LEADS}


def run_case(name: str, scale: float) -> dict[str, Any]:
    """One run, and how much memory it took beyond what it was given."""
    with tempfile.TemporaryDirectory() as place:
        # Imports and the allocator's first steps are start-up, not the job.
        (Path(place) / "first").mkdir()
        CASES[name](Path(place) / "first", 0.002)()
        (Path(place) / "second").mkdir()
        job = CASES[name](Path(place) / "second", scale)
        gc.collect()
        # Linux counts the peak anew from here.
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        before = peak_kilobytes()
        started = time.perf_counter()
        job()
        seconds = time.perf_counter() - started
        memory = (peak_kilobytes() - before) / 1024
    rows = int(ROWS[name.rsplit(maxsplit=1)[-1]] * scale)
    return {"case": name, "rows": rows, "seconds": round(seconds, 2), "megabytes": round(memory)}


def peak_kilobytes() -> int:
    """The most memory this process held at once since its count began."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", nargs="?", choices=list(CASES))
    parser.add_argument("--scale", type=float, default=1.0)
    asked = parser.parse_args()
    if asked.case:
        print(json.dumps(run_case(asked.case, asked.scale)))
        return
    print("the ledger; MB beyond what the job is given")
    found = {}
    for name in CASES:
        command = [sys.executable, __file__, name, "--scale", str(asked.scale)]
        cost = found[name] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f"  {name:12} {cost['rows']:>11,} {cost['seconds']:8.2f} s  {cost['megabytes']:8,} MB", flush=True)
    for name, bare in PAIRS:
        print(f"  {name} / {bare}: {found[name]['seconds'] / found[bare]['seconds']:.1f}")


if __name__ == "__main__":
    main()
