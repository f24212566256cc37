"""A thousand resamples of Qini for ten fixed rankings, as ratios to scikit-uplift's calls and to argsorts.

Each case runs in a process of its own, so that its memory is its own. scikit-uplift runs in a Python of its own, since
it need not install beside leadlift:

    python -m venv peers && peers/bin/pip install -r benchmarks/peers.txt
    LEADLIFT_PEERS=peers/bin/python python benchmarks/areas.py

    python benchmarks/areas.py                        every case, 200,000 and 1,000,000 leads, and the ratios
    python benchmarks/areas.py resamples --leads 200000     one case, as JSON
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SIZES = (200_000, 1_000_000)
DRAWS, RANKINGS, PER_ORGANISATION, REPEATS = 1_000, 10, 5, 3
PEER = """
import sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
from sklift.metrics import qini_auc_score
log = np.load(sys.argv[1])
columns = [log["y"], log["priority"][:, 0], log["treated"]]
qini_auc_score(*[column[:60_000] for column in columns])
open("/proc/self/clear_refs", "w").write("5")
peak = lambda: int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1])
before, seconds = peak(), []
for _ in range(3):
    started = time.process_time()
    qini_auc_score(*columns)
    seconds.append(time.process_time() - started)
print(min(seconds), (peak() - before) / 1024)
"""


def log(leads: int) -> dict[str, np.ndarray]:
    """Leads of organisations of five, with a binary outcome and ten rankings."""
    rng = np.random.default_rng(0)
    priority = rng.normal(size=(leads, RANKINGS))
    treated = rng.integers(2, size=leads)
    y = (rng.random(leads) < 0.2 + 0.05 * treated * (priority[:, 0] > 0)).astype(float)
    return {"y": y, "treated": treated, "priority": priority, "unit": np.arange(leads) // PER_ORGANISATION}


def resamples(leads: dict[str, np.ndarray], unit: np.ndarray) -> None:
    """Scores, ten rankings' areas and influences, and a thousand resamples of all ten by organisation."""
    from leadlift.inference import ipw_scores, rank_area, resample_areas

    scores = ipw_scores(leads["y"], leads["treated"], propensity=np.full(len(unit), 0.5))
    areas = [rank_area(scores, priority, target="qini") for priority in leads["priority"].T]
    resample_areas(areas, unit, int(unit.max()) + 1, draws=DRAWS, rng=np.random.default_rng(1))


def argsorts(leads: dict[str, np.ndarray], unit: np.ndarray) -> None:
    """One argsort per ranking."""
    for priority in leads["priority"].T:
        np.argsort(priority)


CASES: dict[str, Callable[[dict[str, np.ndarray], np.ndarray], None]] = {"argsorts": argsorts, "resamples": resamples}


def run_case(name: str, n: int, *, alone: bool = False) -> dict[str, Any]:
    """The shortest of three runs in processor time, and how much memory they took beyond the leads themselves."""
    small, leads = log(10_000), log(n)
    leads["priority"] = np.asfortranarray(leads["priority"])
    CASES[name](small, small["unit"])
    unit = np.arange(n) if alone else leads["unit"]
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before, seconds = peak_kilobytes(), []
    for _ in range(REPEATS):
        started = time.process_time()
        CASES[name](leads, unit)
        seconds.append(time.process_time() - started)
    return {"seconds": min(seconds), "megabytes": (peak_kilobytes() - before) / 1024}


def peak_kilobytes() -> int:
    """The most memory this process held at once since its count began."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def measured(case: str, n: int, *more: str) -> dict[str, float]:
    command = [sys.executable, __file__, case, "--leads", str(n), *more]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def peer(n: int) -> dict[str, float] | None:
    """One call of scikit-uplift, times rankings times resamples; drawing its resamples isn't counted."""
    python = os.environ.get("LEADLIFT_PEERS")
    if not python:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.npz"
        np.savez(path, **log(n))
        found = subprocess.run([python, "-c", PEER, str(path)], check=True, capture_output=True, text=True)
    seconds, megabytes = map(float, found.stdout.split())
    return {"seconds": seconds * RANKINGS * DRAWS, "megabytes": megabytes}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", nargs="?", choices=list(CASES))
    parser.add_argument("--leads", type=int)
    parser.add_argument("--alone", action="store_true", help="each lead for itself, without organisations")
    asked = parser.parse_args()
    if asked.case:
        print(json.dumps(run_case(asked.case, asked.leads or SIZES[0], alone=asked.alone)))
        return
    print(f"{DRAWS:,} resamples of Qini for {RANKINGS} rankings, one thread, processor time")
    print(f"{'leads':>10}  {'case':<42}{'seconds':>10}{'MB more':>9}{'argsorts a ranking':>20}{'faster':>9}")
    for n in [asked.leads] if asked.leads else SIZES:
        sorts = measured("argsorts", n)
        theirs = peer(n)
        print(
            f"{n:>10,}  {'one argsort per ranking':<42}{sorts['seconds']:>10.3f}{sorts['megabytes']:>9.0f}", flush=True
        )
        if theirs is None:
            print(f"{n:>10,}  scikit-uplift: not run, set LEADLIFT_PEERS to a Python that has it")
        else:
            words = f"scikit-uplift, as many calls (one x {RANKINGS * DRAWS:,})"
            print(f"{n:>10,}  {words:<42}{theirs['seconds']:>9.0f}{theirs['megabytes']:>9.0f}")
        for words, more in (
            ("leadlift, organisations of five leads", []),
            ("leadlift, each lead for itself", ["--alone"]),
        ):
            ours = measured("resamples", n, *more)
            ratio = f"{ours['seconds'] / sorts['seconds']:.1f}"
            faster = "" if theirs is None else f"{theirs['seconds'] / ours['seconds']:,.0f}x"
            print(
                f"{n:>10,}  {words:<42}{ours['seconds']:>10.3f}{ours['megabytes']:>9.0f}{ratio:>20}{faster:>9}",
                flush=True,
            )


if __name__ == "__main__":
    main()
