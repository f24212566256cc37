"""Strategies' values on logs with known truth: the committed result holds what it must."""

import sys
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
FOLDER = EXPERIMENTS / "strategy_values"
LOGS = 500
MAIN = "one problem gains, organisations drawn"


@pytest.fixture(scope="module")
def summary():
    sys.path[:0] = [str(FOLDER), str(EXPERIMENTS / "common")]
    # Other experiments have a module of that name too.
    sys.modules.pop("summary", None)
    try:
        import summary

        yield summary
    finally:
        del sys.path[:2]
        sys.modules.pop("summary", None)


@pytest.fixture(scope="module")
def worlds(summary):
    return summary.by_world(summary.pieces.read_rows(FOLDER / "results.jsonl"))


def test_every_seed_was_drawn_once(worlds):
    assert sorted(row["seed"] for row in worlds[MAIN]) == list(range(LOGS))
    for rows in worlds.values():
        seeds = [row["seed"] for row in rows]
        assert len(set(seeds)) == len(seeds)


def test_paired_differences_are_covered_within_the_band_of_95_percent(summary, worlds):
    for kind in ("values", "differences", "over_random"):
        numbers = summary.columns(worlds[MAIN], kind)
        assert {name for name, _ in numbers} >= {"fence_sitters_first", "skip_the_dead", "uplift_first"}
        assert [key for key, one in numbers.items() if summary.outside(one)] == []


def test_values_are_unbiased(summary, worlds):
    for kind in ("values", "differences", "over_random"):
        for one in summary.columns(worlds[MAIN], kind).values():
            # Two-sided 99.9% over the 64 numbers of all three kinds.
            assert abs(summary.bias(one)) < 4.3


def test_the_best_strategy_is_hardly_ever_left_out_though_it_is_often_named(worlds):
    for rows in worlds.values():
        assert sum(any(row["wrong"]) for row in rows) <= 0.05 * len(rows)
    assert sum(any(row["claims"]) for row in worlds[MAIN]) > LOGS / 2


def test_bands_hold_at_all_capacities_at_once(summary, worlds):
    low, _ = summary.band(LOGS)
    assert sum(row["band_holds"] for row in worlds[MAIN]) >= low
