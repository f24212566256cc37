"""The argument settled: in each case the committed answer is the right one."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "strategy_frontier"
ROWS = {
    row["piece"]["case"]: row
    for row in map(json.loads, (FOLDER / "results.jsonl").read_text(encoding="utf-8").splitlines())
}


def at_capacity(case):
    row = ROWS[case]
    own = min({one["capacity"] for one in row["strategies"]}, key=lambda capacity: abs(capacity - row["capacity"]))
    return {one["strategy"]: one for one in row["strategies"] if one["capacity"] == own}


def test_where_fence_sitters_gain_they_come_first():
    found = at_capacity("fence_sitters")
    assert found["fence_sitters_first"]["difference_lower"] > 0
    assert found["fence_sitters_first"]["possibly_best"]
    assert not found["score_first"]["possibly_best"]


def test_where_the_likeliest_gain_score_first_is_right():
    found = at_capacity("likeliest")
    assert found["score_first"]["possibly_best"]
    assert found["score_first"]["over_random_lower"] > 0
    assert found["fence_sitters_first"]["difference_upper"] < 0
    assert not any((one["difference_lower"] or 0) > 0 for one in found.values())


@pytest.mark.parametrize("case", ["unrelated", "null"])
def test_where_the_score_does_not_matter_no_winner_is_claimed(case):
    found = at_capacity(case)
    assert all(one["possibly_best"] for one in found.values())
    assert not any((one["difference_lower"] or 0) > 0 for one in found.values())
    assert "not distinguishable" in ROWS[case]["sentence"] or "no strategy was seen" in ROWS[case]["sentence"]


@pytest.mark.parametrize("case", ["fence_sitters", "likeliest", "unrelated", "null"])
def test_bands_hold_the_truth_at_every_capacity(case):
    row = ROWS[case]
    capacities = sorted({one["capacity"] for one in row["strategies"]})
    for name, truth in row["truth"].items():
        found = {one["capacity"]: one for one in row["strategies"] if one["strategy"] == name}
        for capacity, value in zip(capacities, truth, strict=True):
            assert found[capacity]["value_lower"] - 1e-9 <= value <= found[capacity]["value_upper"] + 1e-9


def test_hillstroms_spend_is_told_in_money():
    row = ROWS["hillstrom"]
    assert row["unit"] == "USD"
    assert "USD" in row["sentence"] or "told apart" in row["sentence"]
    assert "uplift_first" in at_capacity("hillstrom")
