"""The committed redraws: every logged propensity is the lot's frequency, and no cap is exceeded."""

import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "assignment"
ROWS = [json.loads(line) for line in (FOLDER / "results.jsonl").read_text(encoding="utf-8").splitlines()]


def test_every_lot_was_redrawn() -> None:
    lots = {json.dumps(row["piece"], sort_keys=True) for row in ROWS}
    assert len(lots) == 24
    strata = {(json.dumps(row["piece"], sort_keys=True), row["stratum"]) for row in ROWS if row["arm"] == "call"}
    assert len(strata) == 72


def test_frequencies_are_the_logged_propensities() -> None:
    assert [row for row in ROWS if max(row["unit_z"], row["total_z"]) >= 4.5] == []


def test_no_cap_was_exceeded() -> None:
    capped = [row for row in ROWS if row["piece"]["capacity"]]
    assert capped
    assert [row for row in capped if row["most"] > row["piece"]["capacity"]] == []


def test_pairs_of_hashed_units_are_independent_and_others_apart() -> None:
    for row in (row for row in ROWS if row["arm"] == "call"):
        hashed = row["piece"]["mode"] == "hashed" and not row["piece"]["capacity"]
        assert (abs(row["pair_mean"]) < 0.01) if hashed else (row["pair_mean"] < 0.0), row
