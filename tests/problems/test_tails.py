"""Tails against distributions known exactly: convolution (the discrete Fourier transform's answer), binomial."""

import numpy as np
import pytest
from scipy import stats

from leadlift.problems import poisson_binomial_tail


def exact_tails(chance, many):
    """P(X >= k) for k = 0..n by convolution, event by event; no term is negative, so small tails keep their digits."""
    mass = np.ones(1)
    for p, n in zip(chance, many, strict=True):
        for _ in range(int(n)):
            mass = np.convolve(mass, [1 - p, p])
    return np.cumsum(mass[::-1])[::-1]


def dft_tails(chance, many):
    """The same by the discrete Fourier transform of the characteristic function (Fernandez, Williams 2010)."""
    n = int(np.sum(many))
    circle = np.exp(2j * np.pi * np.arange(n + 1) / (n + 1))
    values = np.prod((1 - np.array(chance) + np.array(chance) * circle[:, None]) ** np.array(many), axis=1)
    return np.cumsum((np.fft.fft(values).real / (n + 1))[::-1])[::-1]


def all_tails(chance, many):
    least = np.arange(int(np.sum(many)) + 1)
    return poisson_binomial_tail(np.tile(chance, (len(least), 1)), np.asarray(many, dtype=float), least)


def test_two_exact_answers_agree():
    chance, many = [0.02, 0.3, 0.7], [40, 25, 10]
    assert dft_tails(chance, many) == pytest.approx(exact_tails(chance, many), abs=1e-12)


@pytest.mark.parametrize(
    ("chance", "many"),
    [([0.02, 0.3, 0.7], [400, 60, 20]), ([0.001, 0.01, 0.2], [3000, 900, 80]), ([0.4], [200])],
)
def test_within_one_percent_of_exact_however_small(chance, many):
    exact = exact_tails(chance, many)
    looked_at = (exact > 1e-120) & (exact < 1 - 1e-6)
    found = all_tails(chance, many)
    assert looked_at.sum() > 50
    assert np.abs(found[looked_at] / exact[looked_at] - 1).max() < 0.1
    likely = looked_at & (exact > 1e-15)
    assert np.abs(found[likely] / exact[likely] - 1).max() < 0.01


def test_rare_pairs_are_not_called_rarer_than_they_are():
    # A mean of 0.05 shared organisations: three or more is a one in fifty thousand event.
    chance, many = [0.00002, 0.001], [500, 40]
    exact = exact_tails(chance, many)
    found = all_tails(chance, many)
    assert found[1] == pytest.approx(exact[1], rel=1e-12)
    assert found[2:6] == pytest.approx(exact[2:6], rel=0.12)


def test_exact_at_the_ends():
    chance, many = np.array([[0.2, 0.5]]), np.array([3.0, 2.0])
    assert poisson_binomial_tail(chance, many, np.array([0])) == 1.0
    assert poisson_binomial_tail(chance, many, np.array([1])) == pytest.approx(1 - 0.8**3 * 0.5**2)
    assert poisson_binomial_tail(chance, many, np.array([5])) == pytest.approx(0.2**3 * 0.5**2)
    assert poisson_binomial_tail(chance, many, np.array([6])) == 0.0


def test_certain_events_are_counted_and_impossible_ones_are_not():
    found = poisson_binomial_tail(np.array([[1.0, 0.3, 0.0]]), np.array([7.0, 20.0, 9.0]), np.array([15]))
    assert found == pytest.approx(stats.binom.sf(7, 20, 0.3), rel=0.02)


def test_at_the_mean_nothing_breaks():
    found = poisson_binomial_tail(np.full((3, 1), 0.25), np.array([400.0]), np.array([99, 100, 101]))
    assert found == pytest.approx(stats.binom.sf([98, 99, 100], 400, 0.25), rel=1e-3)
