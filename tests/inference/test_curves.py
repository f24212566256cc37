import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlift.base.errors import DataError
from leadlift.inference import (
    band_critical_value,
    gain_curve,
    gain_curve_influence,
    rank_area,
    toc,
    unit_influence,
)

SHARES = np.linspace(0, 1, 11)


def test_gains_are_shares_of_the_targeting_curve():
    rng = np.random.default_rng(1)
    scores, priority = rng.normal(size=50), rng.integers(0, 9, 50)
    q = SHARES[1:]
    expected = q * (toc(scores, priority, q) + scores.mean())
    np.testing.assert_allclose(gain_curve(scores, priority, q), expected, atol=1e-12)
    assert gain_curve(scores, priority, [0.0, 1.0]) == pytest.approx([0, scores.mean()], abs=1e-12)


def test_three_groups_make_a_curve_of_three_straight_parts():
    scores = np.r_[np.full(10, 3.0), np.full(10, 2.0), np.full(20, -1.0)]
    curve = gain_curve(scores, np.repeat([3, 2, 1, 1], 10), [0.125, 0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(curve, [0.375, 0.75, 1.25, 1.0, 0.75], atol=1e-12)


def test_the_qini_area_is_the_mean_gap_to_random():
    rng = np.random.default_rng(2)
    scores, priority = rng.normal(size=40), rng.integers(0, 6, 40)
    q = np.arange(1, 41) / 40
    gap = gain_curve(scores, priority, q) - q * scores.mean()
    assert gap.mean() == pytest.approx(rank_area(scores, priority, target="qini").value, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 200), st.integers(1, 60))
def test_shuffling_changes_nothing_and_influences_add_up_to_zero(seed, n, levels):
    rng = np.random.default_rng(seed)
    scores, priority, order = rng.normal(size=n), rng.integers(0, levels, n), rng.permutation(n)
    curve, influence = gain_curve(scores, priority, SHARES), gain_curve_influence(scores, priority, SHARES)
    np.testing.assert_array_equal(gain_curve(scores[order], priority[order], SHARES), curve)
    np.testing.assert_array_equal(gain_curve_influence(scores[order], priority[order], SHARES), influence[order])
    np.testing.assert_allclose(influence.sum(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(influence[:, -1], scores - scores.mean(), atol=1e-12)
    np.testing.assert_array_equal(influence[:, 0], 0)


@pytest.mark.parametrize("levels", [0, 3])
def test_errors_of_the_curve_are_those_of_replications(levels):
    rng = np.random.default_rng(3)
    drawn, said = [], []
    shares = np.array([0.1, 0.25, 0.5, 0.8, 1.0])
    for _ in range(400):
        p = rng.random(500)
        p = np.ceil(p * levels) / levels if levels else p
        scores = 1 + 4 * p + rng.normal(size=500)
        drawn.append(gain_curve(scores, p, shares))
        influence = unit_influence(gain_curve_influence(scores, p, shares), np.arange(500), 500)
        said.append(np.sqrt((influence**2).sum(axis=0)))
    np.testing.assert_allclose(np.mean(said, axis=0), np.std(drawn, axis=0), rtol=0.15)


def test_bands_cover_the_whole_curve():
    rng = np.random.default_rng(4)
    q = np.linspace(0.2, 1, 5)
    truth, hits = 2 * (q - q**2 / 2), 0
    for _ in range(80):
        unit = rng.integers(0, 150, 400)
        p = rng.random(400)
        scores = 2 * p + rng.normal(size=150)[unit] + rng.normal(size=400)
        influence = unit_influence(gain_curve_influence(scores, p, q), unit, 150)
        band = band_critical_value(influence, level=0.9, rng=rng) * np.sqrt((influence**2).sum(axis=0))
        hits += (np.abs(gain_curve(scores, p, q) - truth) <= band).all()
    assert 0.82 <= hits / 80 <= 0.97


def test_a_band_is_wider_than_an_interval_and_leaves_share_zero_out():
    rng = np.random.default_rng(5)
    influence = rng.normal(size=(100, 4))
    wide = band_critical_value(influence, level=0.95, rng=np.random.default_rng(1))
    with_zero = np.column_stack([np.zeros(100), influence])
    assert band_critical_value(with_zero, level=0.95, rng=np.random.default_rng(1)) == wide
    assert wide > 2.3
    assert np.isnan(band_critical_value(np.zeros((5, 2)), level=0.95, rng=rng))


def test_shares_outside_0_and_1_stop():
    with pytest.raises(DataError, match=r"shares lie in \[0, 1\]"):
        gain_curve([1.0], [1], [1.5])
    with pytest.raises(DataError, match="a ranking has leads"):
        gain_curve([], [], [0.5])
