"""Rankings cut at capacities: values and covariances as the inference room computes them lead by lead."""

import numpy as np
import pytest

from leadlift.decide.touching import Part, cut, earned, joint
from leadlift.inference import gain_curve, gain_curve_influence, unit_influence

SHARES = np.arange(1, 21) / 20


def rankings(n, rng):
    return [
        rng.normal(size=n),
        rng.integers(3, size=n).astype(float),
        np.zeros(n),
        np.round(rng.normal(size=n), 1),
        np.round(rng.normal(size=n), 2),
    ]


def test_values_and_covariances_are_those_of_gain_curves():
    rng = np.random.default_rng(0)
    n, units = 1_500, 500
    unit, scores = rng.integers(units, size=n), rng.normal(size=n) + 0.1
    orders = rankings(n, rng)
    sample = earned([Part(unit, orders, [scores] * len(orders))], units, SHARES)
    expected = np.array([gain_curve(scores, order, SHARES) for order in orders])
    influence = np.hstack(
        [unit_influence(gain_curve_influence(scores, order, SHARES), unit, units) for order in orders]
    )
    assert sample.value == pytest.approx(expected, abs=1e-12)
    assert joint([sample]).covariance == pytest.approx(influence.T @ influence, abs=1e-12 * influence.size)


def test_parts_are_ranked_each_by_itself_and_count_by_their_leads():
    rng = np.random.default_rng(1)
    n = [400, 100]
    unit = np.arange(500)
    scores, order = rng.normal(size=500), np.round(rng.normal(size=500), 1)
    rows = [np.arange(400), np.arange(400, 500)]
    sample = earned([Part(unit[r], [order[r]], [scores[r]]) for r in rows], 500, SHARES)
    each = np.array([gain_curve(scores[r], order[r], SHARES) for r in rows])
    assert sample.value[0] == pytest.approx(np.array(n) @ each / 500)


def test_covariances_between_samples_that_share_organisations():
    rng = np.random.default_rng(2)
    unit, scores = rng.integers(100, size=300), rng.normal(size=300)
    order = rng.normal(size=300)
    both = earned([Part(unit, [order], [scores])], 100, SHARES)
    found = joint([both, both]).covariance
    q = len(SHARES)
    assert found[:q, q:] == pytest.approx(found[:q, :q], abs=1e-15)


def test_never_and_always():
    scores = np.array([1.0, 2.0, 3.0, 4.0])
    some = cut(np.array([1.0, -np.inf, 0.0, -np.inf]), scores, np.array([0.25, 0.5, 1.0]))
    assert some.value.tolist() == [0.25, 1.0, 1.0]
    assert some.touched.tolist() == [0.25, 0.5, 0.5]
    everyone = cut(np.full(4, np.inf), scores, np.array([0.25, 1.0]))
    assert everyone.value.tolist() == [2.5, 2.5]
    assert everyone.touched.tolist() == [1.0, 1.0]
    no_one = earned([Part(np.arange(4), [np.full(4, -np.inf)], [scores])], 4, np.array([0.5]))
    assert no_one.value.tolist() == [[0.0]]
    assert joint([no_one]).covariance.tolist() == [[0.0]]


def test_shuffled_leads_change_nothing_but_rounding():
    rng = np.random.default_rng(3)
    scores, order = rng.normal(size=200), rng.integers(4, size=200).astype(float)
    place = rng.permutation(200)
    assert cut(order, scores, SHARES).value == pytest.approx(cut(order[place], scores[place], SHARES).value, abs=1e-14)


def test_leads_that_two_rankings_treat_differently_are_counted():
    scores = np.ones(4)
    orders = [np.array([4.0, 3.0, 2.0, 1.0]), np.array([4.0, 2.0, 3.0, 1.0])]
    sample = earned([Part(np.arange(4), orders, [scores] * 2)], 4, np.array([0.25, 0.5, 0.75]))
    assert joint([sample]).apart[0, 1].tolist() == [0.0, 2.0, 0.0]
