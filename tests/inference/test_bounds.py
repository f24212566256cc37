"""Bounds on shares of responses: closed forms, and intervals that hold the share."""

import numpy as np
import pytest
from scipy.stats import norm

from leadlift.inference import imbens_manski, response_bounds

NO_ERROR = np.zeros((2, 2))


def bounds(p1, p0, covariance=NO_ERROR):
    return {one.kind: one for one in response_bounds(p1, p0, covariance, level=0.95)}


@pytest.mark.parametrize(("p1", "p0"), [(0.3, 0.2), (0.1, 0.4), (0.8, 0.7), (0.5, 0.5)])
def test_bounds_are_frechets(p1, p0):
    found = {kind: (one.lower, one.upper) for kind, one in bounds(p1, p0).items()}
    assert found["persuadable"] == pytest.approx((max(0, p1 - p0), min(p1, 1 - p0)))
    assert found["sure_thing"] == pytest.approx((max(0, p1 + p0 - 1), min(p1, p0)))
    assert found["lost_cause"] == pytest.approx((max(0, 1 - p1 - p0), min(1 - p1, 1 - p0)))
    assert found["do_not_disturb"] == pytest.approx((max(0, p0 - p1), min(p0, 1 - p1)))


def test_the_factor_lies_between_one_sided_and_two_sided():
    assert imbens_manski(0.0, 0.1, 0.95) == pytest.approx(norm.ppf(0.975), abs=1e-6)
    assert imbens_manski(5.0, 0.1, 0.95) == pytest.approx(norm.ppf(0.95), abs=1e-6)


@pytest.mark.parametrize(("p1", "p0"), [(0.3, 0.2), (0.25, 0.25), (0.7, 0.6)])
def test_intervals_hold_every_share_that_the_bounds_allow(p1, p0):
    rng, n, logs = np.random.default_rng(1), 400, 1_000
    truth = bounds(p1, p0)
    missed = dict.fromkeys(truth, np.zeros(2))
    for _ in range(logs):
        a, b = rng.binomial(n, p1) / n, rng.binomial(n, p0) / n
        found = bounds(a, b, np.diag([a * (1 - a) / n, b * (1 - b) / n]))
        for kind, one in found.items():
            ends = np.array([truth[kind].lower < one.interval_lower, truth[kind].upper > one.interval_upper])
            missed[kind] = missed[kind] + ends
    # 99.9% of binomial counts of 1,000 with chance 0.05 are at most 73.
    assert max(counts.max() for counts in missed.values()) <= 73
