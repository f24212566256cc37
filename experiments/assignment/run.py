"""Is the probability that an assignment logs the frequency with which the lot gives it? See README.md."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common")]

import pieces  # noqa: E402, I001  (first: it sets the number of threads)

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

import summary  # noqa: E402
from leadlift.base.experiment import ExperimentConfig, parse_experiment  # noqa: E402
from leadlift.data import KeptAssignments  # noqa: E402
from leadlift.design import Units, assign, draw_lot, lead_list, settings_digest  # noqa: E402
from leadlift.design.holdout import held_out  # noqa: E402

REDRAWS, WHOLE = 10_000, 20
ORGANISATIONS, LARGEST = 60, 9
NOW = pd.Timestamp("2026-03-31T09:30:00Z")
ARMS = {
    "halves": {"control": 0.5, "call": 0.5},
    "unequal": {"control": 0.877, "call": 0.123},
    "three": {"control": 0.5, "call": 0.2, "mail": 0.3},
}
# Below what the arm would get; the largest organisation has nine leads.
CAPACITY = {"halves": 60, "unequal": 20, "three": 30}


def leads() -> pd.DataFrame:
    """60 organisations with one to nine leads each; scores in three groups."""
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(ORGANISATIONS), rng.integers(1, LARGEST + 1, ORGANISATIONS))
    ids = [f"lead-{k}" for k in range(len(owner))]
    organisations = [f"org-{k}" for k in owner]
    score = rng.random(len(owner)).round(6) ** 2
    return pd.DataFrame({"lead_id": ids, "organisation_id": organisations, "score": score})


def experiment(piece: pieces.Row, salt: str) -> ExperimentConfig:
    lot: dict[str, Any] = {
        "arms": {name: {"share": share} for name, share in ARMS[piece["arms"]].items()},
        "mode": piece["mode"],
        "unit": piece["unit"],
        "salt": salt,
        "holdout": {"share": 0.1, "until": "2027-06-30"},
    }
    if piece["capacity"]:
        lot["capacity"] = {"call": piece["capacity"]}
    groups = {"cuts": [0.3, 0.7], "names": ["low", "medium", "high"]}
    values = {"version": 1, "name": "redrawn", "experiment": lot, "score_groups": groups}
    return parse_experiment(values, "redrawn.yaml", today=date(2026, 3, 31))


def logged(piece: pieces.Row, salt: str) -> pd.DataFrame:
    """The table that one draw writes, held-out organisations left out."""
    config = experiment(piece, salt)
    listed = lead_list(leads(), config, now=NOW)
    frame = assign(listed, config, KeptAssignments((), ()), now=NOW, digest=settings_digest(config)).frame
    return frame[~frame["holdout"]].reset_index(drop=True)


def work(piece: pieces.Row) -> list[pieces.Row]:
    """Redraws one list, and compares with what its first draw logged."""
    frame = logged(piece, "redraw 0")
    first = frame.drop_duplicates("unit_id").reset_index(drop=True)
    size = frame["unit_id"].value_counts().loc[first["unit_id"]].to_numpy()
    units = Units(first["unit_id"], first["stratum"].cat.codes.to_numpy(dtype=np.intp), size)
    names, arms = list(first["stratum"].cat.categories), list(ARMS[piece["arms"]])
    shares = np.tile(list(ARMS[piece["arms"]].values()), (len(names), 1))
    capped = arms.index("call") if piece["capacity"] else None
    drawn = np.empty((REDRAWS, len(first)), dtype=np.int8)
    for number in range(REDRAWS):
        salt = f"redraw {number}"
        lot = draw_lot(units, shares, mode=piece["mode"], salt=salt, capped=capped, capacity=piece["capacity"])
        drawn[number] = lot.arm
        if number < WHOLE:
            # The redraws are what the whole assignment does.
            whole = logged(piece, salt).drop_duplicates("unit_id")["treatment"].astype("str")
            assert whole.tolist() == [arms[code] for code in lot.arm]
    most = int(((drawn == arms.index("call")) * size).sum(axis=1).max())
    rows = []
    for code, arm in enumerate(arms):
        inside = drawn == code
        p = first[f"propensity_{arm}"].to_numpy()
        for stratum, name in enumerate(names):
            which = units.stratum == stratum
            rows.append({"stratum": name, "arm": arm, "most": most, **compared(inside[:, which], p[which])})
    return [*rows, holdout_row()] if piece == all_pieces()[0] else rows


def compared(inside: np.ndarray, p: np.ndarray) -> pieces.Row:
    """Frequencies of one arm in one stratum against the logged probability, and how pairs of units go together."""
    frequency = inside.mean(axis=0)
    z = (frequency - p) / np.sqrt(p * (1 - p) / len(inside))
    share = inside.mean(axis=1)
    spread = share.std() / np.sqrt(len(inside))
    covariance = np.cov(inside.T.astype(float))
    pairs = covariance[np.triu_indices(len(p), 1)] / (p[0] * (1 - p[0]))
    return {
        "units": len(p),
        "propensity": round(float(p[0]), 6),
        "frequency": round(float(frequency.mean()), 6),
        "unit_z": round(float(np.abs(z).max()), 3),
        # Where every draw has the same share there is no spread, and the share must be the probability.
        "total_z": round(abs(float(share.mean() - p[0])) / max(float(spread), 1e-12), 3),
        "pair_mean": round(float(pairs.mean()), 5),
        "pair_least": round(float(pairs.min()), 4),
        "pair_most": round(float(pairs.max()), 4),
    }


def holdout_row() -> pieces.Row:
    """The holdout's lot over as many salts."""
    ids = leads()["organisation_id"].drop_duplicates()
    inside = np.array([held_out(ids, 0.1, f"holdout {number}") for number in range(REDRAWS)])
    return {"stratum": "all", "arm": "holdout", "most": 0, **compared(inside, np.full(len(ids), 0.1))}


def all_pieces() -> list[pieces.Row]:
    return [
        {"mode": mode, "arms": arms, "unit": unit, "capacity": capacity}
        for unit in ("organisation", "lead")
        for mode in ("hashed", "blocked")
        for arms in ARMS
        for capacity in (0, CAPACITY[arms])
    ]


def main() -> None:
    rows = pieces.run_pieces(HERE / "results.jsonl", all_pieces(), work)
    pieces.write_readme(HERE, summary.generated(rows, REDRAWS))


if __name__ == "__main__":
    main()
