"""Evidence against a planned split: golden values, closed form, and false alarms under daily looking."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from leadlift.base.errors import DataError
from leadlift.inference import anytime_p, split_log_evidence

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "sequential_sample_ratio.json"
CASES = json.loads(GOLDEN.read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES)
def test_published_p_values(case):
    found = split_log_evidence(case["counts"], case["shares"], concentration=case["concentration"])
    p = [anytime_p(found[: k + 1]) for k in range(len(found))]
    np.testing.assert_allclose(p, case["p"], rtol=1e-6)


def test_the_closed_form():
    counts, shares = [40, 25, 35], np.array([0.5, 0.2, 0.3])
    averaged = stats.dirichlet_multinomial(100 * shares, 100).logpmf(counts)
    planned = stats.multinomial(100, shares).logpmf(counts)
    assert split_log_evidence([counts], shares)[0] == pytest.approx(averaged - planned, rel=1e-9)


def test_the_order_of_units_within_a_look_changes_nothing():
    once = split_log_evidence([[30, 50]], [0.5, 0.5])[-1]
    assert split_log_evidence([[10, 0], [0, 50], [20, 0]], [0.5, 0.5])[-1] == pytest.approx(once, rel=1e-12)


def test_looking_daily_raises_no_more_alarms_than_promised():
    rng = np.random.default_rng(0)
    shares, level, logs = np.array([0.5, 0.3, 0.2]), 0.05, 2_000
    days = rng.multinomial(20, shares, size=(logs, 60))
    alarms = sum(anytime_p(split_log_evidence(log, shares)) < level for log in days)
    seen = days[:300].cumsum(axis=1)
    expected = seen.sum(axis=2, keepdims=True) * shares
    looked = stats.chi2.sf(((seen - expected) ** 2 / expected).sum(axis=2), 2)
    looks = (looked.min(axis=1) < level).sum()
    # 99.9% of binomial counts of 2,000 with chance 0.05 are at most 131; a chi-square at each look errs far more often.
    assert alarms <= 131
    assert looks > 0.2 * 300


def test_a_gap_that_a_user_would_have_is_seen():
    rng = np.random.default_rng(1)
    p = [anytime_p(split_log_evidence(rng.multinomial(100, [0.56, 0.44], size=30), [0.5, 0.5])) for _ in range(100)]
    assert sum(value < 0.001 for value in p) > 95


@pytest.mark.parametrize(
    ("counts", "shares"), [([[1, 2]], [0.5, 0.3, 0.2]), ([[1, -2]], [0.5, 0.5]), ([[1, 2]], [1.0, 0.0])]
)
def test_what_is_no_split(counts, shares):
    with pytest.raises(DataError, match=r"\[split\]"):
        split_log_evidence(counts, shares)
