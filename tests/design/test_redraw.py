"""p-values by drawing the lot again: against every possible lot, and as often small as they say."""

from itertools import permutations

import numpy as np
import pytest

from leadlift.design import redraw
from leadlift.design.redraw import cells_of, redrawn_p


def test_all_lots_of_a_small_draw(monkeypatch):
    monkeypatch.setattr(redraw, "ENOUGH", 10_000)
    totals = np.array([5.0, 4.0, 1.0, 0.0, 2.0, 3.0])
    arm, cell = np.array([1, 1, 0, 0, 0, 1]), np.zeros(6, dtype=np.intp)
    every = [abs(totals[np.array(lot) == 1].mean() - 2.5) for lot in set(permutations(arm.tolist()))]
    exact = np.mean(np.array(every) >= abs(totals[arm == 1].mean() - 2.5) - 1e-9)
    found = redrawn_p(totals[:, None], arm, cell, 2, np.random.default_rng(0))
    assert exact == 0.1
    assert found == pytest.approx(exact, abs=0.03)


def test_arms_stay_in_their_cells():
    # Each cell has one arm only: no other lot is possible, so nothing can be unusual.
    arm = np.repeat([0, 1], 50)
    p = redrawn_p(arm[:, None].astype(float), arm, arm, 2, np.random.default_rng(0))
    assert p == 1.0


def test_p_values_are_small_as_often_as_they_say():
    rng = np.random.default_rng(1)
    p = []
    for _ in range(400):
        cell = rng.integers(0, 3, 90)
        share = np.array([0.2, 0.5, 0.7])[cell]
        counts = rng.poisson(1.0 + 2.0 * cell).astype(float)
        totals = np.column_stack([counts, counts**2, rng.normal(size=90)])[:, : rng.integers(1, 4)]
        p.append(redrawn_p(totals, (rng.random(90) < share).astype(np.intp), cell, 2, rng))
    # 99.9% of binomial counts of 400 with chance 0.05 are at most 35, and with 0.5 between 167 and 233.
    assert sum(value < 0.05 for value in p) <= 35
    assert 167 <= sum(value < 0.5 for value in p) <= 233


def test_one_column_of_many_and_many_that_are_a_little_apart():
    rng = np.random.default_rng(3)
    arm, cell = rng.integers(0, 2, 800), np.zeros(800, dtype=np.intp)
    noise = rng.normal(size=(800, 20))
    assert redrawn_p(noise, arm, cell, 2, rng) > 0.05
    one, many = noise.copy(), noise + 0.12 * arm[:, None]
    one[:, 7] += 0.35 * arm
    assert redrawn_p(one, arm, cell, 2, rng) < 0.005
    assert redrawn_p(many, arm, cell, 2, rng) < 0.005


def test_columns_that_repeat_each_other_or_never_vary_change_nothing():
    rng = np.random.default_rng(4)
    arm, cell = rng.integers(0, 2, 300), np.zeros(300, dtype=np.intp)
    column = rng.normal(size=(300, 1))
    p = [
        redrawn_p(totals, arm, cell, 2, np.random.default_rng(0))
        for totals in (column, np.hstack([column, np.ones((300, 1))]), np.hstack([column, -3 * column]))
    ]
    assert p[0] == p[1] == p[2]
    assert redrawn_p(np.ones((300, 1)), arm, cell, 2, rng) == 1.0


def test_a_sample_of_many_units_says_the_same(monkeypatch):
    monkeypatch.setattr(redraw, "MOST_UNITS", 1_000)
    rng = np.random.default_rng(2)
    arm = rng.integers(0, 2, 5_000)
    late = rng.poisson(0.2 + 0.3 * arm)[:, None].astype(float)
    assert redrawn_p(late, arm, cells_of(rng.integers(0, 4, 5_000)), 2, rng) < 0.005


def test_cells_cross_keys_and_round_shares():
    shares = np.array([[0.1 + 0.2, 0.7], [0.3, 0.7], [0.3, 0.7]])
    assert cells_of(["a", "a", "b"], shares).tolist() == [0, 0, 1]
