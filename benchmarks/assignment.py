"""Assignment of millions of leads: times as ratios to DuckDB's bare md5 of the same identifiers, and peak memory.

Each case runs in a process of its own, so that its memory is its own.

    python benchmarks/assignment.py                   every case, and the ratios
    python benchmarks/assignment.py hashed            one case, as JSON
    python benchmarks/assignment.py --scale 0.1       a tenth of the leads
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
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HASHED, BLOCKED = 5_000_000, 1_000_000
REPEATS = 3
LIMIT, MOST_TIMES_MD5, MOST_SECONDS = "bare md5", 5, 15
NOW = pd.Timestamp("2026-03-31T09:30:00Z")


def leads(n: int) -> pd.DataFrame:
    """Leads of 0.6 n organisations, with a score, in no order."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "lead_id": pd.Series(np.char.mod("lead-%07d", rng.permutation(n)), dtype="str"),
            "organisation_id": pd.Series(np.char.mod("org-%07d", rng.integers(int(0.6 * n), size=n)), dtype="str"),
            "score": rng.beta(2, 5, n),
        }
    )


def experiment(**lot: Any) -> Any:
    from leadlift.base.experiment import parse_experiment

    values = {
        "version": 1,
        "name": "bench",
        "experiment": {"arms": {"control": {"share": 0.5}, "call": {"share": 0.5}}, **lot},
        "score_groups": {"cuts": [0.2, 0.4], "names": ["low", "medium", "high"]},
    }
    return parse_experiment(values, "bench.yaml", today=date(2026, 3, 31))


def draw(table: pd.DataFrame, **lot: Any) -> Any:
    """The whole draw: leads checked, stratified, held out, drawn; every propensity in the table that results."""
    from leadlift.data import KeptAssignments
    from leadlift.design import assign, lead_list, settings_digest

    config = experiment(holdout={"share": 0.05, "until": "2027-06-30"}, **lot)
    digest = settings_digest(config)
    return assign(lead_list(table, config, now=NOW), config, KeptAssignments((), ()), now=NOW, digest=digest)


def keep(assignment: Any) -> None:
    """Writes a draw as `leadlift assign` does."""
    from leadlift.data import AssignmentStore

    with tempfile.TemporaryDirectory() as folder:
        store = AssignmentStore(Path(folder) / "assignments")
        store.append(assignment.frame, assignment.info, after=store.read())


def bare_md5(table: pd.DataFrame) -> None:
    """The physical limit: DuckDB materialises the md5 of every lead's identifier."""
    import duckdb
    import pyarrow as pa

    with duckdb.connect() as connection:
        connection.register("leads", pa.table({"id": pa.array(table["lead_id"])}))
        connection.execute("CREATE TABLE hashes AS SELECT md5(id) AS h FROM leads")


CASES: dict[str, tuple[int, Callable[[pd.DataFrame], Any]]] = {
    "bare md5": (HASHED, bare_md5),
    "hashed": (HASHED, draw),
    "hashed, unit lead": (HASHED, lambda table: draw(table, unit="lead")),
    "hashed and kept": (HASHED, lambda table: keep(draw(table))),
    "blocked": (BLOCKED, lambda table: draw(table, mode="blocked")),
    "blocked, capped": (BLOCKED, lambda table: draw(table, mode="blocked", capacity={"call": len(table) // 4})),
}


def run_case(name: str, scale: float) -> dict[str, Any]:
    """The shortest of three runs, and how much memory they took beyond the leads themselves."""
    n, case = CASES[name]
    table = leads(int(n * scale))
    # Imports and the allocator's first steps are start-up, not the job.
    case(table.head(60_000))
    gc.collect()
    # Linux counts the peak anew from here.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = peak_kilobytes()
    seconds = []
    for _ in range(REPEATS):
        gc.collect()
        started = time.perf_counter()
        case(table)
        seconds.append(time.perf_counter() - started)
    memory = (peak_kilobytes() - before) / 1024
    return {"case": name, "leads": len(table), "seconds": round(min(seconds), 2), "megabytes": round(memory)}


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
    print("the lot for millions of leads; MB beyond the leads themselves")
    found = {}
    for name in CASES:
        command = [sys.executable, __file__, name, "--scale", str(asked.scale)]
        cost = found[name] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f"  {name:18} {cost['leads']:>10,} {cost['seconds']:8.2f} s  {cost['megabytes']:8,} MB", flush=True)
    for name, (leads_drawn, _) in CASES.items():
        if leads_drawn == HASHED and name != LIMIT:
            ratio = found[name]["seconds"] / found[LIMIT]["seconds"]
            aim = f" (aim under {MOST_TIMES_MD5})" if name == "hashed" else ""
            print(f"  {name} / {LIMIT}: {ratio:.1f}{aim}")
    print(f"  blocked: {found['blocked']['seconds']:.1f} s (aim under {MOST_SECONDS} s)")


if __name__ == "__main__":
    main()
