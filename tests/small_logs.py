"""Small randomised logs, and configurations of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

# Names and addresses that no message and no run may repeat.
PEOPLE = ("Ann Smith <ann@example.org>", "Bob Jones <bob@example.org>")
COLUMNS = {
    "treatment": "arm",
    "control": "none",
    "propensity": {"none": 0.5, "call": 0.5},
    "outcome": "won",
    "features": ["size", "channel"],
}


def small_log(n: int = 400, seed: int = 0, arms: tuple[str, ...] = ("none", "call")) -> pd.DataFrame:
    """A log of `n` leads drawn evenly: ids with leading zeros, clients of five leads, a score, a number and a text."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=n).round(6)
    arm = rng.permutation(np.arange(n) % len(arms))
    won = (rng.random(n) < 0.3 + 0.2 * (arm > 0) * (size > 0)).astype(int)
    return pd.DataFrame(
        {
            "id": [f"{k:05d}" for k in range(n)],
            "client": [f"c{k // 5:03d}" for k in range(n)],
            "arm": np.array(arms)[arm],
            "won": won,
            "size": size,
            "channel": rng.choice(["web", "phone", "fair"], size=n),
            "score": rng.random(n).round(6),
        }
    )


def write_study(folder: Path, frame: Any = None, *, name: str = "log.csv", top: Any = None, **data: Any) -> Path:
    """Writes a log (frame, text, bytes or nothing) and its configuration; `data` overrides COLUMNS, None removes."""
    frame = small_log() if frame is None else frame
    path = folder / name
    if isinstance(frame, bytes):
        path.write_bytes(frame)
    elif isinstance(frame, str):
        path.write_text(frame, encoding="utf-8")
    elif name.endswith(".parquet"):
        frame.to_parquet(path, index=False)
    elif isinstance(frame, pd.DataFrame):
        frame.to_csv(path, index=False)
    columns = {key: value for key, value in {**COLUMNS, "log": name, **data}.items() if value is not None}
    config = folder / "study.yaml"
    # JSON is YAML, and quotes every label as it is meant.
    config.write_text(json.dumps({"version": 1, "data": columns, **(top or {})}, indent=1), encoding="utf-8")
    return config
