"""leadlift's learners beside causalml's and EconML's, with their defaults and ours, on unseen leads. See README.md.

EconML runs in a Python of its own: LEADLIFT_PEERS names it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common"), str(HERE.parent / "coverage")]

import pieces  # noqa: E402, I001  (first: it sets the number of threads)

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from areas import TRUTHS, make_leads, pool, true_values  # noqa: E402
from lightgbm import LGBMRegressor  # noqa: E402
from scipy import stats  # noqa: E402

from leadlift.evaluation import rate_interval  # noqa: E402
from leadlift.inference import rank_area  # noqa: E402
from leadlift.learners import UPLIFT_DEFAULTS, make_learners  # noqa: E402

LEADS, SEEDS, NO_UPLIFT = 5_000, range(6), 2
SHARE = 0.5
DEFAULT = "leadlift: X"
QUIET = {"n_jobs": 1, "verbosity": -1, "random_state": 0}
Log = dict[str, Any]
Fits = dict[str, tuple[np.ndarray, float]]


def truth_log(truth: str, seed: int) -> Log:
    """Leads of organisations, half of the organisations touched; other leads to rank, with their true uplift."""
    rng = np.random.default_rng([TRUTHS.index(truth), seed, 7])
    leads, fresh = make_leads(LEADS, truth, rng), pool(truth)
    arm = (rng.random(int(leads.organisation.max()) + 1) < SHARE)[leads.organisation]
    y = (rng.random(LEADS) < leads.control + arm * leads.uplift).astype(float)
    log = {"X": leads.X, "y": y, "treatment": arm.astype(int), "organisation": leads.organisation}
    return {**log, "fresh": fresh.X, "uplift": fresh.uplift}


def hillstrom_log(seed: int) -> Log:
    """Half of Hillstrom's leads to fit on, the other half to rank: women's e-mail against none, visits."""
    frame = pd.read_parquet(Path(os.environ["LEADLIFT_DATA"]) / "hillstrom.parquet")
    frame = frame[frame["segment"] != "Mens E-Mail"]
    features = frame[["recency", "history", "mens", "womens", "newbie", "zip_code", "channel"]]
    X = pd.get_dummies(features, columns=["zip_code", "channel"]).to_numpy(dtype=float)
    arm, y = (frame["segment"] == "Womens E-Mail").to_numpy().astype(int), frame["visit"].to_numpy(dtype=float)
    order = np.random.default_rng(seed).permutation(len(frame))
    train, test = order[: len(order) // 2], order[len(order) // 2 :]
    scores = np.where(arm[test] == 1, 1 / SHARE, -1 / (1 - SHARE)) * (y[test] - y[train].mean())
    log = {"X": X[train], "y": y[train], "treatment": arm[train], "organisation": np.arange(len(train))}
    return {**log, "fresh": X[test], "scores": scores}


def leadlift_fits(log: Log) -> Fits:
    names = [f"x{j}" for j in range(log["X"].shape[1])]
    X, fresh = (pd.DataFrame(log[part], columns=names) for part in ("X", "fresh"))
    found = {}
    for name, learner in make_learners(["s", "t", "x", "r", "dr"], 0).items():
        started = time.process_time()
        propensity = np.full(len(X), SHARE)
        learner.fit(X, log["y"], treatment=log["treatment"], propensity=propensity, groups=log["organisation"])
        predicted = learner.predict(fresh, propensity=np.full(len(fresh), SHARE))
        found[f"leadlift: {name.upper()}"] = predicted, time.process_time() - started
    return found


def causalml_fits(log: Log) -> Fits:
    """Its metalearners with the known propensities where they take them, and its causal forest."""
    from causalml.inference.meta import BaseDRRegressor, BaseRRegressor, BaseSRegressor, BaseTRegressor, BaseXRegressor
    from causalml.inference.tree import CausalRandomForestRegressor

    found: Fits = {}
    p, at = np.full(len(log["y"]), SHARE), np.full(len(log["fresh"]), SHARE)
    kinds = {"S": BaseSRegressor, "T": BaseTRegressor, "X": BaseXRegressor, "R": BaseRRegressor, "DR": BaseDRRegressor}
    for words, settings in (("its defaults", {}), ("our LightGBM", UPLIFT_DEFAULTS)):
        for name, kind in kinds.items():

            def fit(kind: Any = kind, settings: dict[str, Any] = settings) -> np.ndarray:
                model = kind(learner=LGBMRegressor(**settings, **QUIET), control_name=0)
                model.fit(X=log["X"], treatment=log["treatment"], y=log["y"], p=p)
                return model.predict(X=log["fresh"], p=at)

            found[f"causalml: {name}, {words}"] = timed(fit)

    def forest() -> np.ndarray:
        model = CausalRandomForestRegressor(control_name=0, n_jobs=1, random_state=0)
        model.fit(X=log["X"], treatment=log["treatment"], y=log["y"])
        return model.predict(log["fresh"])

    found["causalml: causal forest, its defaults"] = timed(forest)
    return found


def timed(fit: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    started = time.process_time()
    return np.asarray(fit(), dtype=float).ravel(), time.process_time() - started


def econml_fits(log: Log) -> Fits:
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "log.npz", Path(folder) / "fits.npz"
        kept = {name: log[name] for name in ("X", "y", "treatment", "fresh")}
        np.savez(given, ours=np.array(json.dumps(UPLIFT_DEFAULTS)), **kept)
        command = [os.environ["LEADLIFT_PEERS"], str(HERE / "econml_fits.py"), str(given), str(made)]
        # Its own libraries, not those of this run.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        read = np.load(made)
        names = [name.removeprefix("uplift|") for name in read.files if name.startswith("uplift|")]
        return {f"EconML: {name}": (read[f"uplift|{name}"], float(read[f"seconds|{name}"])) for name in names}


def work(piece: pieces.Row) -> list[pieces.Row]:
    """Every learner on one log: what its order of other leads is worth, and its time."""
    warnings.filterwarnings("ignore", message="X does not have valid feature names")
    log = hillstrom_log(piece["seed"]) if piece["data"] == "hillstrom" else truth_log(piece["data"], piece["seed"])
    fits = {**leadlift_fits(log), **causalml_fits(log), **econml_fits(log)}
    return [
        {"learner": name, "seconds": round(seconds, 3), **judged(log, predicted, fits[DEFAULT][0])}
        for name, (predicted, seconds) in fits.items()
    ]


def judged(log: Log, predicted: np.ndarray, default: np.ndarray) -> pieces.Row:
    """Against the true uplift of the leads ranked; without a truth, Qini and the default's paired lead over it."""
    if "uplift" not in log:
        gap = rate_interval(log["scores"], default, against=predicted, target="qini")
        qini = rank_area(log["scores"], predicted, target="qini").value
        return {name: float(f"{v:.6g}") for name, v in (("qini", qini), ("lead", gap.value), ("se", gap.se))}
    constant = np.ptp(predicted) == 0
    rank = np.nan if constant or np.ptp(log["uplift"]) == 0 else stats.spearmanr(predicted, log["uplift"]).statistic
    best = true_values(log["uplift"], log["uplift"])["qini"]
    return {
        "rank": None if np.isnan(rank) else float(f"{rank:.5g}"),
        "qini": float(f"{true_values(log['uplift'], predicted)['qini']:.6g}"),
        "best": float(f"{best:.6g}"),
    }


def all_pieces() -> list[pieces.Row]:
    """A log of every truth, then the next one; Hillstrom first. Without uplift there is no order to find: two do."""
    logs = [(truth, seed) for seed in SEEDS for truth in TRUTHS if truth != "none" or seed < NO_UPLIFT]
    return [{"data": "hillstrom", "seed": 0}, *({"data": truth, "seed": seed} for truth, seed in logs)]


def main() -> None:
    held = pieces.read_rows(HERE / "results.jsonl")
    todo = all_pieces() if "LEADLIFT_PEERS" in os.environ and "LEADLIFT_DATA" in os.environ else []
    rows = pieces.run_pieces(HERE / "results.jsonl", todo, work) if todo else held
    from peer_summary import generated

    pieces.write_readme(HERE, generated(rows))


if __name__ == "__main__":
    main()
