"""The committed coverage of areas: inside its band, with few false alarms; pooled folds beside it, failing."""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "coverage"
LOGS, GIVEN, HELD, _, ABOVE, BELOW = range(6)
SIZES = (2_000, 10_000)
TRUTHS = ("none", "linear", "fence-sitter", "sparse")
LEARNED = [f"learned|{ranking}|qini" for ranking in ("trees", "lines", "trees over score", "trees over lines")]
FIXED = [f"fixed|{ranking}|qini" for ranking in ("score", "thirds", "expert", "expert over score")]
# Of some 160 kinds of interval one outside a 99.9% band is no news; two would be.
OUTSIDE = 1


def totals():
    found = defaultdict(lambda: np.zeros(9))
    for line in (FOLDER / "areas.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for name, values in row["tally"].items():
            found[row["piece"]["n"], row["piece"]["truth"], name] += np.array(values)
    return dict(found)


@pytest.fixture(scope="module")
def found():
    return totals()


def band(logs):
    return binom.ppf(0.0005, logs, 0.95), binom.ppf(0.9995, logs, 0.95)


@pytest.mark.parametrize("n", SIZES)
def test_logs_are_all_there_and_every_interval_was_given(found, n):
    assert {key[2] for key in found} >= {*LEARNED, *FIXED}
    for truth in TRUTHS:
        for name in (*LEARNED, *FIXED):
            assert found[n, truth, name][LOGS] == 500
    assert all(values[GIVEN] == values[LOGS] for values in found.values())


def test_areas_hold_their_truth(found):
    outside = []
    for key, values in found.items():
        low, high = band(values[LOGS])
        if not key[2].startswith("pooled") and not low <= values[HELD] <= high:
            outside.append((key, values[HELD]))
    assert len(outside) <= OUTSIDE, outside


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", [*LEARNED, *FIXED])
def test_rankings_are_not_claimed_where_there_is_none(found, name, n):
    values = found[n, "none", name]
    assert values[ABOVE] + values[BELOW] <= 41


def test_pooled_folds_fail(found):
    for truth in TRUTHS:
        values = found[2_000, truth, "pooled|trees|qini"]
        assert values[HELD] < band(values[LOGS])[0]
    null = found[2_000, "none", "pooled|trees|qini"]
    assert null[ABOVE] + null[BELOW] > 41
