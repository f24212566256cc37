import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from leadlift.inference import adjusted_p_values, max_t


def rng():
    return np.random.default_rng(20)


def test_one_number_has_ts_quantile_exactly():
    assert max_t([[2.0]], 7, level=0.9, rng=rng()) == pytest.approx(stats.t.ppf(0.95, 7), rel=1e-14)
    assert adjusted_p_values([2.0], 7, [[1.0]], rng()) == pytest.approx(2 * stats.t.sf(2, 7), rel=1e-12)


@pytest.mark.parametrize("many", [2, 5, 20])
def test_independent_normals_have_sidaks_quantile(many):
    exact = stats.norm.ppf((1 + 0.95 ** (1 / many)) / 2)
    assert max_t(np.eye(many), np.inf, level=0.95, rng=rng()) == pytest.approx(exact, abs=0.02)
    p = adjusted_p_values(np.full(many, 2.5), np.inf, np.eye(many), rng())
    np.testing.assert_allclose(p, 1 - (1 - 2 * stats.norm.sf(2.5)) ** many, atol=0.003)


@pytest.mark.parametrize("correlation", [0.5, -0.4, 0.9])
def test_critical_values_are_those_of_the_multivariate_t(correlation):
    matrix = np.full((3, 3), correlation) + (1 - correlation) * np.eye(3)
    critical = max_t(matrix, 20, level=0.95, rng=rng())
    box = np.full(3, critical)
    reference = stats.multivariate_t(shape=matrix, df=20, seed=1)
    assert reference.cdf(box, lower_limit=-box, maxpts=200_000) == pytest.approx(0.95, abs=0.002)


def test_equal_numbers_count_once_and_singular_matrices_work():
    single = stats.t.ppf(0.975, 9)
    assert max_t(np.ones((4, 4)), 9, level=0.95, rng=rng()) == pytest.approx(single, abs=0.03)
    assert max_t(np.array([[4.0, -2.0], [-2.0, 1.0]]), 9, level=0.95, rng=rng()) == pytest.approx(single, abs=0.03)


def test_rows_without_an_error_are_left_out():
    matrix = np.diag([1.0, np.nan, 4.0, 0.0])
    matrix[1, :] = matrix[:, 1] = np.nan
    assert max_t(matrix, [8, np.nan, 12, 3], level=0.95, rng=rng()) == max_t(np.eye(2), 8, level=0.95, rng=rng())
    assert np.isnan(max_t(np.full((2, 2), np.nan), 8, level=0.95, rng=rng()))
    p = adjusted_p_values([2.0, np.nan, 1.0, 5.0], 8, matrix, rng())
    assert np.isnan(p).tolist() == [False, True, False, True]
    assert np.isnan(adjusted_p_values([np.nan], 8, [[1.0]], rng())).all()


def test_equal_generators_give_equal_values():
    matrix = np.eye(3) + 0.2
    assert max_t(matrix, 30, level=0.95, rng=rng()) == max_t(matrix, 30, level=0.95, rng=rng())


def test_small_p_values_are_bonferronis_and_never_zero():
    p = adjusted_p_values([1.0, 6.0, 12.0], np.inf, np.eye(3), rng())
    np.testing.assert_allclose(p[1:], 3 * 2 * stats.norm.sf([6.0, 12.0]), rtol=1e-12)
    assert (p > 0).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 6), st.sampled_from([4.0, 30.0, np.inf]))
def test_p_values_and_bands_agree(seed, many, df):
    draw = np.random.default_rng(seed)
    root = draw.normal(size=(many, 1 + draw.integers(0, many)))
    covariance = root @ root.T
    t = draw.normal(size=many) * 3
    critical = max_t(covariance, df, level=0.95, rng=rng())
    p = adjusted_p_values(t, df, covariance, rng())
    plain = 2 * stats.t.sf(np.abs(t), df)
    assert (p >= plain).all()
    assert (p <= np.minimum(1, many * plain) + 1e-15).all()
    clear = np.abs(np.abs(t) - critical) > 0.02
    np.testing.assert_array_equal((p < 0.05)[clear], (np.abs(t) > critical)[clear])
    order = np.argsort(np.abs(t))
    assert (np.diff(p[order]) <= 0).all()


def test_a_larger_statistic_never_has_the_larger_p_value_where_bonferronis_takes_over():
    # Ten names for nearly one number: draws give about 0.001 at 3.3, Bonferroni's at 3.6 alone would be 0.003.
    matrix = np.full((10, 10), 0.999) + 0.001 * np.eye(10)
    p = adjusted_p_values(np.r_[3.3, 3.6, np.zeros(8)], np.inf, matrix, rng())
    assert 2 * stats.norm.sf(3.6) <= p[1] <= p[0] < 0.002
