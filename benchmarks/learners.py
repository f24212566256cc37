"""Cross-fitted X-learner against the same LightGBM fits written out by hand, and against boosting alone.

    python benchmarks/learners.py                       every case at 200,000 and 1,000,000 leads, and the ratios
    python benchmarks/learners.py cross_fitted --leads 200000

Each case runs in a process of its own, on one thread, so that its memory is its own and its time is work done. Making
the data and importing libraries is left out of the time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor
from run import FEATURES, FOLDS, frame

from leadlift.data import AssignmentLog
from leadlift.learners import UPLIFT_DEFAULTS, XLearner, cross_fit, organisation_folds
from leadlift.learners import threads as learner_threads
from leadlift.learners.models import REPEATABLE

SIZES = (200_000, 1_000_000)
SEED = 0


class Data:
    """One log, and the folds that cross-fitting draws for it."""

    def __init__(self, leads: int) -> None:
        names = [f"x{j}" for j in range(FEATURES)]
        shares = {"none": 0.5, "call": 0.5}
        roles = {"treatment": "arm", "control": "none", "outcome": "bought", "lead_id": "lead", "features": names}
        self.log = AssignmentLog.from_frame(frame(leads), propensity=shares, **roles)
        self.X, self.y, self.w = self.log.features, self.log.outcome, self.log.arm == 1
        order = np.random.default_rng([SEED, 1])
        self.fold = organisation_folds(self.log.organisation, self.log.n_organisations, FOLDS, order)


def cross_fitted(data: Data) -> np.ndarray:
    """Ours: bins cut once, outcome models of the scores included."""
    return cross_fit({"x": XLearner()}, data.log, folds=FOLDS, seed=SEED).uplift["x"][:, 0]


def by_hand(data: Data) -> np.ndarray:
    """The same fits and predictions, one after another."""
    X, y, w = data.X, data.y, data.w
    uplift = np.empty(len(y))
    for k in range(FOLDS):
        train, held = np.flatnonzero(data.fold != k), np.flatnonzero(data.fold == k)
        control, treated = train[~w[train]], train[w[train]]
        m0, m1 = (_classifier().fit(X.iloc[rows], y[rows].astype(int)) for rows in (control, treated))
        missed = m1.predict_proba(X.iloc[control])[:, 1] - y[control]
        gained = y[treated] - m0.predict_proba(X.iloc[treated])[:, 1]
        e0, e1 = _regressor().fit(X.iloc[control], missed), _regressor().fit(X.iloc[treated], gained)
        uplift[held] = 0.5 * e0.predict(X.iloc[held]) + 0.5 * e1.predict(X.iloc[held])
        for model in (m0, m1):  # outcome models of the per-lead scores
            model.predict_proba(X.iloc[held])
    return uplift


def boosting(data: Data) -> float:
    """Seconds of boosting alone: the trees of all those fits, grown on bins that are there."""
    settings = {key: value for key, value in {**UPLIFT_DEFAULTS, **REPEATABLE}.items() if key != "n_estimators"}
    whole = lgb.Dataset(data.X.to_numpy(), label=data.y, params={**settings, "feature_pre_filter": False}).construct()
    seconds = 0.0
    for k in range(FOLDS):
        for arm in (False, True):
            rows = np.flatnonzero((data.fold != k) & (data.w == arm))
            bins = whole.subset(rows.astype(np.int32)).construct()
            for objective in ("binary", "regression"):
                bins.set_label(data.y[rows])
                started = time.process_time()
                booster = lgb.Booster({**settings, "objective": objective, "metric": "None"}, bins)
                for _ in range(UPLIFT_DEFAULTS["n_estimators"]):
                    booster.update()
                seconds += time.process_time() - started
    return seconds


def _classifier() -> LGBMClassifier:
    return LGBMClassifier(**UPLIFT_DEFAULTS, **REPEATABLE, random_state=SEED)


def _regressor() -> LGBMRegressor:
    return LGBMRegressor(**UPLIFT_DEFAULTS, **REPEATABLE, random_state=SEED)


CASES: dict[str, Callable[[Data], object]] = {"cross_fitted": cross_fitted, "by_hand": by_hand, "boosting": boosting}


def report(case: str, leads: int) -> None:
    learner_threads.cpu_count = lambda: 1
    data = Data(leads)
    before = resident("VmRSS")
    reset_peak()
    started, clock = time.process_time(), time.perf_counter()
    found = CASES[case](data)
    cpu, wall = time.process_time() - started, time.perf_counter() - clock
    peak = resident("VmHWM")
    if case == "boosting":
        cpu = float(np.asarray(found))
    print(json.dumps({"cpu": cpu, "wall": wall, "data_mb": before, "peak_mb": peak}))


def resident(what: str) -> float:
    """Resident memory of this process in MB, now (VmRSS) or at its peak since the last reset (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(what))


def reset_peak() -> None:
    """Forgets what making the data took."""
    Path("/proc/self/clear_refs").write_text("5")


def measure(case: str, leads: int) -> dict[str, float]:
    command = [sys.executable, __file__, case, "--leads", str(leads)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="?", choices=sorted(CASES))
    parser.add_argument("--leads", type=int, action="append")
    options = parser.parse_args()
    if options.case:
        report(options.case, (options.leads or SIZES)[0])
        return
    for leads in options.leads or SIZES:
        found = pd.DataFrame({case: measure(case, leads) for case in CASES}).T
        print(f"cross-fitted X-learner, {leads:,} leads x {FEATURES}, {FOLDS} folds, one thread, seconds of processor")
        for case, cost in found.iterrows():
            print(f"  {case:13}{cost['cpu']:8.2f} s  {cost['peak_mb']:8,.0f} MB at most, {cost['data_mb']:,.0f} before")
        for other, aim in (("by_hand", 0.9), ("boosting", 1.4)):
            ratio = found["cpu"]["cross_fitted"] / found["cpu"][other]
            print(f"  cross_fitted / {other}: {ratio:.2f} (aim under {aim})", flush=True)


if __name__ == "__main__":
    main()
