import numpy as np
import pytest
from scipy import stats

from leadlift.inference import equality_test, possibly_best


def rng():
    return np.random.default_rng(30)


def test_equal_variances_give_the_f_of_an_analysis_of_variance():
    draw = np.random.default_rng(1)
    groups = draw.normal(size=(4, 25)) + np.array([[0], [0.2], [0.4], [0]])
    pooled = groups.var(axis=1, ddof=1).mean() / 25
    expected = stats.f_oneway(*groups)
    test = equality_test(groups.mean(axis=1), np.eye(4) * pooled, 96)
    assert (test.statistic, test.p_value) == pytest.approx((expected.statistic, expected.pvalue))
    assert (test.df, test.df_denominator) == (3, 96)


def test_two_correlated_effects_are_a_paired_t_test():
    covariance = np.array([[1.0, 0.6], [0.6, 2.0]])
    test = equality_test([1.0, 3.5], covariance, 17)
    assert test.p_value == pytest.approx(2 * stats.t.sf(2.5 / np.sqrt(1.8), 17))


def test_effects_on_shared_units_are_hotellings():
    # 12 effects on 21 units: F(11, 20) without the scaling called 43% of such logs different.
    draw = np.random.default_rng(2)
    alarms = 0
    for _ in range(1000):
        outcomes = draw.normal(size=(21, 12))
        alarms += equality_test(outcomes.mean(axis=0), np.cov(outcomes.T) / 21, 20).p_value < 0.05
    assert 30 <= alarms <= 71
    test = equality_test(outcomes.mean(axis=0), np.cov(outcomes.T) / 21, 20)
    assert (test.df, test.df_denominator) == (11, 10)
    assert np.isnan(equality_test(outcomes[:10].mean(axis=0), np.cov(outcomes[:10].T) / 10, 9).p_value)


def test_segments_without_an_error_are_left_out_of_the_test():
    covariance = np.diag([1.0, np.nan, 2.0])
    covariance[1] = covariance[:, 1] = np.nan
    assert equality_test([1.0, 9.0, 2.0], covariance, [10, np.nan, 12]) == equality_test(
        [1.0, 2.0], np.diag([1.0, 2.0]), 10
    )
    assert np.isnan(equality_test([1.0], [[1.0]], 5).p_value)
    assert np.isnan(equality_test([1.0, 2.0], np.full((2, 2), np.nan), 5).p_value)
    # Two names for one segment: nothing to compare.
    assert np.isnan(equality_test([1.0, 1.0], np.ones((2, 2)), 5).p_value)


def test_the_best_stays_and_what_is_clearly_worse_goes():
    assert possibly_best([0, 5, 5.1], np.eye(3), 100, level=0.95, rng=rng()).tolist() == [False, True, True]
    assert possibly_best([0.0, 0.1], np.eye(2), 100, level=0.95, rng=rng()).all()


def test_two_segments_compare_by_a_one_sided_t_test():
    edge = stats.t.ppf(0.95, 9) * np.sqrt(2)
    for gap, kept in [(edge - 1e-6, True), (edge + 1e-6, False)]:
        assert possibly_best([0.0, gap], np.eye(2), 9, level=0.95, rng=rng())[0] == kept


def test_covariance_counts_for_who_may_be_best():
    # A difference of 1 with variance 2 is nothing; with correlation 0.99 it is clear.
    close = np.array([[1.0, 0.99], [0.99, 1.0]])
    assert possibly_best([0.0, 1.0], np.eye(2), 50, level=0.95, rng=rng()).tolist() == [True, True]
    assert possibly_best([0.0, 1.0], close, 50, level=0.95, rng=rng()).tolist() == [False, True]


def test_a_segment_without_an_error_is_not_ruled_out():
    covariance = np.diag([0.01, np.nan, 0.01])
    assert possibly_best([0.0, -9.0, 1.0], covariance, 50, level=0.95, rng=rng()).tolist() == [False, True, True]
    assert possibly_best([0.0, 1.0], np.full((2, 2), np.nan), np.nan, level=0.95, rng=rng()).all()


def test_dunnetts_one_sided_critical_value_decides_among_four():
    # One-sided 5% point, 3 comparisons with one, correlation 1/2, normal.
    dunnett = stats.multivariate_normal(cov=np.full((3, 3), 0.5) + 0.5 * np.eye(3))
    assert dunnett.cdf(np.full(3, 2.062)) == pytest.approx(0.95, abs=5e-4)
    for gap, kept in [(2.03, True), (2.09, False)]:
        mask = possibly_best(np.r_[0.0, np.full(3, gap * np.sqrt(2))], np.eye(4), np.inf, level=0.95, rng=rng())
        assert mask[0] == kept


def test_false_alarms_and_the_truly_best():
    draw = np.random.default_rng(4)
    root = np.array([[1.0, 0, 0], [0.5, 1.0, 0], [0, 0.3, 2.0]])
    covariance = root @ root.T
    alarms, lost = 0, 0
    for k in range(300):
        scale = np.sqrt(draw.chisquare(25) / 25)
        values = draw.normal(size=3) @ root.T / scale
        alarms += equality_test(values, covariance, 25).p_value < 0.05
        lost += k < 60 and not possibly_best(values, covariance, 25, level=0.9, rng=rng())[0]
    assert alarms <= 27
    assert lost <= 12
