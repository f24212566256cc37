"""Two samples, sequences and adjusted p-values: identities and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from leadlift.base.errors import DataError
from leadlift.inference.multiplicity import adjust_p_values
from leadlift.inference.sequences import asymptotic_sequence
from leadlift.inference.two_samples import Sample, proportions_test, welch_test


def test_welch_is_scipys() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(5, 2, 40), rng.normal(4, 3, 25)
    found = welch_test(*(Sample(x.size, x.mean(), x.var(ddof=1)) for x in (a, b)), level=0.9)
    known = stats.ttest_ind(a, b, equal_var=False)
    interval = known.confidence_interval(0.9)
    assert found.p_value == pytest.approx(known.pvalue)
    assert (found.interval.lower, found.interval.upper) == pytest.approx((interval.low, interval.high))


def test_arms_swapped_flip_the_sign() -> None:
    a, b = Sample(40, 5.0, 4.0), Sample(25, 4.0, 9.0)
    there, back = welch_test(a, b, level=0.95), welch_test(b, a, level=0.95)
    assert there.effect == -back.effect
    assert there.p_value == back.p_value
    assert (1 + there.relative_interval.lower) * (1 + back.relative_interval.upper) == pytest.approx(1)


def test_a_ratio_needs_positive_means() -> None:
    found = welch_test(Sample(40, 5.0, 4.0), Sample(25, -4.0, 9.0), level=0.95)
    assert math.isnan(found.relative_effect)
    assert math.isnan(found.relative_interval.lower)


def test_no_variance_is_refused() -> None:
    with pytest.raises(DataError, match="both variances are 0"):
        welch_test(Sample(5, 1.0, 0.0), Sample(5, 2.0, 0.0), level=0.95)


@pytest.mark.parametrize(("n", "variance"), [(1, 1.0), (5, -1.0), (5, math.nan)])
def test_a_sample_checks_itself(n: int, variance: float) -> None:
    with pytest.raises(DataError, match="two leads or more"):
        Sample(n, 1.0, variance)


def test_more_events_than_leads_are_refused() -> None:
    with pytest.raises(DataError, match="0 <= events <= leads"):
        proportions_test(6, 5, 1, 5, method="fisher", level=0.95)


def test_a_sequence_is_wider_than_an_interval_and_narrows() -> None:
    widths = []
    for n in (500, 5_000, 50_000):
        found = asymptotic_sequence(1.0, 2 / math.sqrt(n), n, tuned_at=5_000, level=0.95)
        widths.append(found.upper - found.lower)
        assert widths[-1] > 2 * 1.96 * 2 / math.sqrt(n)
    assert widths == sorted(widths, reverse=True)


def test_a_sequence_holds_at_every_look() -> None:
    """2,000 runs of 20 looks each: plain intervals miss 0 in about a quarter of runs, the sequence in 5% or fewer."""
    rng = np.random.default_rng(4)
    values = rng.standard_normal((2000, 2000)).cumsum(axis=1)
    looks = np.arange(100, 2001, 100)
    half = [asymptotic_sequence(0.0, 1 / math.sqrt(n), int(n), tuned_at=1000, level=0.95).upper for n in looks]
    means = np.abs(values[:, looks - 1] / looks)
    assert (means > half).any(axis=1).mean() <= 0.05
    assert (means > 1.96 / np.sqrt(looks)).any(axis=1).mean() > 0.15


@pytest.mark.parametrize("change", [{"level": 1.0}, {"n": 0}, {"tuned_at": 0}])
def test_a_sequence_refuses(change: dict[str, float]) -> None:
    with pytest.raises(DataError, match="a level inside"):
        asymptotic_sequence(1.0, 1.0, **{"n": 10, "tuned_at": 10, "level": 0.95, **change})


def test_missing_p_values_are_no_tests() -> None:
    found = adjust_p_values([0.01, np.nan, 0.02], method="bonferroni")
    assert found[[0, 2]].tolist() == [0.02, 0.04]
    assert np.isnan(found[1])
    assert np.isnan(adjust_p_values([np.nan], method="holm")).all()


def test_p_values_outside_their_range_are_refused() -> None:
    with pytest.raises(DataError, match=r"p-values lie in \[0, 1\]"):
        adjust_p_values([1.2], method="holm")
