"""Bands, possibly best sets and crossings of strategies."""

import numpy as np
import pytest

from leadlift.decide import comparing
from leadlift.decide.comparing import Band, Compared, crossing
from leadlift.decide.touching import Part, earned

SHARES = np.arange(1, 6) / 5


@pytest.fixture(autouse=True)
def _fewer_draws(monkeypatch):
    monkeypatch.setattr(comparing, "MOST_DRAWS", 2_000)


def compared(scores, orders, units=None, fixed=None, held=None):
    n = len(scores)
    unit = np.arange(n) if units is None else units
    sample = earned([Part(unit, orders, [scores] * len(orders))], n, SHARES)
    return Compared(
        sample, None, fixed_places=range(len(orders)), n=len(orders), df=500.0, rng=np.random.default_rng(0)
    )


def test_a_difference_is_paired():
    rng = np.random.default_rng(1)
    scores = rng.normal(size=2_000) + 5
    order = rng.normal(size=2_000)
    near = order + 0.01 * rng.normal(size=2_000)
    found = compared(scores, [order, near])
    _, alone, _ = found.of(0)
    value, se, _ = found.difference(0, 1)
    assert (se[:-1] < 0.3 * alone[:-1]).all()
    assert value[-1] == 0.0
    assert se[-1] == 0.0


def test_bands_hold_for_all_numbers_at_once():
    rng = np.random.default_rng(2)
    held = []
    for _ in range(200):
        scores = rng.normal(size=400)
        one = compared(scores, [rng.normal(size=400) for _ in range(3)])
        bands = one.bands([one.of(s) for s in range(3)])
        held.append(all(((b.lower <= 0) & (b.upper >= 0)).all() for b in bands))
    # 99.9% of binomial shares of 200 with chance 0.95.
    assert np.mean(held) >= 0.89


def test_the_best_is_found_and_a_tie_is_left_open():
    rng = np.random.default_rng(3)
    good = rng.normal(size=4_000)
    scores = 3 * good + rng.normal(size=4_000)
    best = compared(scores, [good, -good, np.zeros(4_000)]).possibly_best([0, 1, 2])
    assert best[:, :4].tolist() == [[True] * 4, [False] * 4, [False] * 4]
    # All touched: everyone earns the same, and no one is behind.
    assert best[:, 4].all()


def test_of_equal_strategies_none_is_claimed_to_be_the_best():
    rng = np.random.default_rng(4)
    claims = []
    for _ in range(200):
        scores = rng.normal(size=400)
        best = compared(scores, [rng.normal(size=400) for _ in range(4)]).possibly_best(range(4))
        claims.append((best[:, :4].sum(axis=0) < 4).any() and not best[0, :4].all())
    assert np.mean(claims) <= 0.105


def test_where_more_touches_stop_paying():
    rng = np.random.default_rng(5)
    order = np.linspace(1, 0, 5_000)
    scores = np.where(order > 0.4, 1.0, -1.0) + 0.5 * rng.normal(size=5_000)
    place, kept = compared(scores, [order]).possibly_best_capacity(0, np.zeros(5))
    assert SHARES[place] == pytest.approx(0.6)
    assert kept.tolist() == [False, False, True, False, False]


def test_a_crossing_needs_both_signs_to_be_sure():
    value = np.array([2.0, 1.0, -1.0, -2.0])
    sure = crossing(Band(value, np.full(4, 0.1), value - 0.5, value + 0.5))
    assert (sure.better, sure.worse, sure.estimate) == ((0, 1), (2, 3), 1)
    unsure = crossing(Band(value, np.full(4, 2.0), value - 5, value + 5))
    assert (unsure.better, unsure.worse, unsure.estimate) == ((), (), 1)
