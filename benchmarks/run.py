"""`make bench`, with assignment.py: times as ratios to a physical limit or a peer in the same run, and peak memory.

Each case runs in a process of its own, so that its memory is its own.

    python benchmarks/run.py               every case, and the ratios
    python benchmarks/run.py study         one case, as JSON
    python benchmarks/run.py --leads 200000
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

FEATURES = 20
FOLDS, BLOCKS = 5, 4


def frame(leads: int) -> pd.DataFrame:
    """A randomised log with twenty features, an effect that depends on one of them, a score, and no organisations."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(leads, FEATURES))
    treated = rng.integers(2, size=leads)
    chance = 1 / (1 + np.exp(1.5 - 0.5 * X[:, 0] - 0.3 * treated * (X[:, 1] > 0)))
    table = pd.DataFrame(X, columns=[f"x{j}" for j in range(FEATURES)])
    return table.assign(
        lead=np.arange(leads),
        arm=np.where(treated, "call", "none"),
        bought=(rng.random(leads) < chance).astype(int),
        score=1 / (1 + np.exp(1.5 - 0.5 * X[:, 0])),
    )


def study(leads: int) -> None:
    """The whole study of a flat log: checks, two cross-fitted learners, effects, sequential validation."""
    from leadlift.base.config import parse_config
    from leadlift.data import AssignmentLog
    from leadlift.study.analyse import analyse
    from leadlift.study.progress import Silent

    log = AssignmentLog.from_frame(
        frame(leads),
        treatment="arm",
        control="none",
        propensity={"none": 0.5, "call": 0.5},
        outcome="bought",
        features=[f"x{j}" for j in range(FEATURES)],
        lead_id="lead",
        score="score",
    )
    analyse(log, parse_config({"name": "bench"}), Silent())


def by_hand(leads: int) -> None:
    """The LightGBM fits and predictions that the study contains, written out: T and X, five folds and four blocks."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    from leadlift.learners.models import REPEATABLE, UPLIFT_DEFAULTS

    table = frame(leads)
    X = table[[f"x{j}" for j in range(FEATURES)] + ["score"]]
    y, w = table["bought"].to_numpy(), (table["arm"] == "call").to_numpy()
    fold = np.random.default_rng(1).integers(FOLDS, size=leads)
    cuts = (np.linspace(0.5, 1.0, BLOCKS + 1) * leads).astype(int)
    place = np.random.default_rng(2).permutation(leads)

    def outcome(rows: np.ndarray) -> LGBMClassifier:
        return LGBMClassifier(**UPLIFT_DEFAULTS, **REPEATABLE).fit(X.iloc[rows], y[rows])

    def effect(rows: np.ndarray, gain: np.ndarray) -> LGBMRegressor:
        return LGBMRegressor(**UPLIFT_DEFAULTS, **REPEATABLE).fit(X.iloc[rows], gain)

    def one(task: tuple[np.ndarray, np.ndarray]) -> None:
        train, held = task
        control, treated = train[~w[train]], train[w[train]]
        t0, t1 = outcome(control), outcome(treated)
        for model in (t0, t1, t0, t1):  # the T-learner's uplift, then the outcome models of the per-lead scores
            model.predict_proba(X.iloc[held])
        m0, m1 = outcome(control), outcome(treated)
        e0 = effect(control, m1.predict_proba(X.iloc[control])[:, 1] - y[control])
        e1 = effect(treated, y[treated] - m0.predict_proba(X.iloc[treated])[:, 1])
        for model in (e0, e1):
            model.predict(X.iloc[held])

    tasks = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(FOLDS)]
    tasks += [
        (np.flatnonzero(place < a), np.flatnonzero((place >= a) & (place < b))) for a, b in itertools.pairwise(cuts)
    ]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, tasks))


def world(leads: int) -> None:
    """Generation of the simulated company: organisations, deals, leads with features."""
    from leadlift.data import make_world

    company = make_world(leads=leads, seed=0)
    len(company.leads), len(company.deals)


def normals(leads: int) -> None:
    """A physical limit for generation: as many normal draws as the company has lead features and deal columns."""
    from leadlift.data import make_world

    small = make_world(leads=1_000, seed=0)
    values = leads / 1_000 * (small.leads.size + small.deals.size)
    np.random.default_rng(0).normal(size=int(values))


def shell_help(leads: int) -> None:
    """`leadlift --help`."""
    subprocess.run([sys.executable, "-m", "leadlift", "--help"], check=True, stdout=subprocess.DEVNULL)


def bare_python(leads: int) -> None:
    """Python starting and stopping."""
    subprocess.run([sys.executable, "-c", "pass"], check=True)


CASES: dict[str, Callable[[int], None]] = {
    "study": study,
    "by_hand": by_hand,
    "world": world,
    "normals": normals,
    "help": shell_help,
    "bare_python": bare_python,
}
RATIOS = [("study", "by_hand", 1.3), ("world", "normals", None), ("help", "bare_python", None)]


def measure(case: str, leads: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, case, "--leads", str(leads)], check=True, capture_output=True, text=True
    )
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def report(case: str, leads: int) -> None:
    started = time.perf_counter()
    CASES[case](leads)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - started,
                "cpu": sum(usage.ru_utime + usage.ru_stime for usage in used),
                "peak_mb": max(usage.ru_maxrss for usage in used) / 1024,
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="?", choices=sorted(CASES))
    parser.add_argument("--leads", type=int, default=1_000_000)
    options = parser.parse_args()
    if options.case:
        report(options.case, options.leads)
        return
    print(f"{options.leads:,} leads, {FEATURES} features; seconds include making the data and importing libraries")
    found = {}
    for case in CASES:
        cost = found[case] = measure(case, options.leads)
        seconds = f"{cost['seconds']:8.2f} s  {cost['cpu']:8.2f} s of processor"
        print(f"  {case:12} {seconds}  {cost['peak_mb']:8,.0f} MB", flush=True)
    for one, other, aim in RATIOS:
        ratio = found[one]["seconds"] / found[other]["seconds"]
        print(f"  {one} / {other}: {ratio:.2f}" + (f" (aim under {aim})" if aim else ""))


if __name__ == "__main__":
    main()
