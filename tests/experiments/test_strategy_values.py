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


def test_every_seed_of_every_kind_was_drawn_once(worlds):
    assert len(worlds) == 4
    for rows in worlds.values():
        assert sorted(row["seed"] for row in rows) == list(range(LOGS))


def test_values_and_paired_differences_are_covered_within_the_band_of_95_percent(summary, worlds):
    told = set()
    for rows in worlds.values():
        for kind in ("values", "differences", "over_random"):
            numbers = summary.columns(rows, kind)
            told |= {name for name, _ in numbers}
            assert [key for key, one in numbers.items() if summary.outside(one)] == []
    assert told >= {"fence_sitters_first", "skip_the_dead", "uplift_first", "triage", "by_problem", "problems_in_order"}


def test_values_are_unbiased(summary, worlds):
    for rows in worlds.values():
        for kind in ("values", "differences", "over_random"):
            for one in summary.columns(rows, kind).values():
                # Two-sided 99.5% over the 267 numbers of all kinds.
                assert abs(summary.bias(one)) < 4.3


def test_the_best_strategy_is_hardly_ever_left_out_though_it_is_often_named(worlds):
    for rows in worlds.values():
        assert sum(any(row["wrong"]) for row in rows) <= 0.05 * len(rows)
    assert sum(any(row["claims"]) for row in worlds[MAIN]) > LOGS / 2


def test_bands_hold_at_all_capacities_at_once(summary, worlds):
    low, _ = summary.band(LOGS)
    assert min(sum(row["band_holds"] for row in rows) for rows in worlds.values()) >= low
