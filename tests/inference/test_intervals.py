import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats.proportion import confint_proportions_2indep, score_test_proportions_2indep

from leadlift.base.errors import DataError
from leadlift.inference import miettinen_nurminen, p_value, t_interval
from leadlift.inference.intervals import restricted_control_rate, score_variance


def test_t_intervals_and_p_values_agree():
    interval = t_interval(2.0, 0.7, 12, 0.9)
    half = stats.t.ppf(0.95, 12) * 0.7
    assert (interval.lower, interval.upper) == pytest.approx((2 - half, 2 + half))
    assert p_value(half, 0.7, 12) == pytest.approx(0.1)
    assert t_interval(0.0, 1.0, np.inf, 0.95).upper == pytest.approx(1.959964, abs=1e-6)
    assert np.isnan(t_interval(1.0, np.nan, np.nan, 0.95).lower)


def test_an_error_of_zero_is_never_significance():
    assert p_value(0.0, 0.0, 10) == 1.0
    assert np.isnan(p_value(0.5, 0.0, 10))
    assert np.isnan(p_value(0.5, np.nan, np.nan))
    assert t_interval(0.5, 0.0, 10, 0.95).to_dict() == {"lower": 0.5, "upper": 0.5}


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_is_a_share(level):
    with pytest.raises(DataError, match=r"write 0\.95 for 95%"):
        t_interval(0, 1, 5, level)


@pytest.mark.parametrize(
    ("counts", "lower", "upper"),
    [
        # As attributed to Newcombe (1998), table II, method 6; not checked against the paper. What the code rests on is
        # test_restricted_rates_are_the_likeliest and test_score_intervals_invert_the_test.
        ((56, 70, 48, 80), 0.0528, 0.3382),
        ((9, 10, 3, 10), 0.1700, 0.8406),
        ((5, 56, 0, 29), -0.0326, 0.1933),
        ((0, 10, 0, 20), -0.1658, 0.2844),
        ((0, 10, 0, 10), -0.2879, 0.2879),
        ((10, 10, 0, 20), 0.7156, 1.0),
    ],
)
def test_score_intervals_of_known_tables(counts, lower, upper):
    interval = miettinen_nurminen(*counts, level=0.95)
    assert (interval.lower, interval.upper) == pytest.approx((lower, upper), abs=5.1e-5)


def test_statsmodels_where_its_cubic_is_right():
    # statsmodels 0.15 has x0 for n0 in the cubic's linear term (statsmodels issue 10269): the same only if x0 = n0, or
    # at a difference of 0.
    expected = confint_proportions_2indep(20, 30, 25, 25, method="score", compare="diff", correction=True)
    interval = miettinen_nurminen(20, 30, 25, 25, level=0.95)
    assert (interval.lower, interval.upper) == pytest.approx(expected, abs=1e-6)
    test = score_test_proportions_2indep(5, 30, 19, 60, value=0, compare="diff", correction=True)
    assert miettinen_nurminen(5, 30, 19, 60, level=0.95).p_value == pytest.approx(test.pvalue, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_restricted_rates_are_the_likeliest(data):
    n1, n0 = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40))
    x1, x0 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n0))
    d = data.draw(st.floats(-0.95, 0.95).filter(lambda v: abs(v) > 1e-3))
    found = restricted_control_rate(*(np.array([float(v)]) for v in (x1, n1, x0, n0)), d)[0]

    def minus_log_likelihood(p0):
        p1 = p0 + d
        terms = [(x1, p1), (n1 - x1, 1 - p1), (x0, p0), (n0 - x0, 1 - p0)]
        return -sum(k * np.log(max(p, 1e-300)) for k, p in terms if k)

    best = optimize.minimize_scalar(
        minus_log_likelihood, bounds=(max(0, -d), min(1, 1 - d)), method="bounded", options={"xatol": 1e-12}
    )
    assert minus_log_likelihood(found) <= best.fun + 1e-7


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_score_intervals_invert_the_test(data):
    cells = data.draw(st.integers(1, 3))
    n = [data.draw(st.lists(st.integers(1, 60), min_size=cells, max_size=cells)) for _ in range(2)]
    x = [[data.draw(st.integers(0, k)) for k in arm] for arm in n]
    r = miettinen_nurminen(x[0], n[0], x[1], n[1], level=0.9)
    assert -1 <= r.lower <= r.value <= r.upper <= 1
    columns = [np.array(c, dtype=float) for c in (x[0], n[0], x[1], n[1])]
    w = (columns[1] + columns[3]) / (columns[1] + columns[3]).sum()
    kept = [d for d in np.linspace(-0.99, 0.99, 199) if (r.value - d) ** 2 < 2.7 * (w**2 @ score_variance(*columns, d))]
    assert all(r.lower <= d <= r.upper for d in kept)
    between = bool(kept) and min(kept) < 0 < max(kept)
    assert (r.p_value < 0.1) == (r.lower > 0 or r.upper < 0) or (r.p_value < 0.1 and between)
    swapped = miettinen_nurminen(x[1], n[1], x[0], n[0], level=0.9)
    assert (swapped.lower, swapped.upper) == pytest.approx((-r.upper, -r.lower), abs=1e-7)
    for end in (r.lower, r.upper):
        if abs(end) < 0.999:
            z2 = (r.value - end) ** 2 / (w**2 @ score_variance(*columns, end))
            assert z2 == pytest.approx(stats.norm.ppf(0.95) ** 2, rel=1e-4)


def test_an_interval_spans_all_that_the_test_keeps():
    counts = [0, 0], [2, 1], [2, 0], [2, 6]
    r = miettinen_nurminen(*counts, level=0.9)
    assert r.p_value < 0.1
    assert (r.lower, r.upper) == pytest.approx((-0.69170, 0.20316), abs=1e-5)


def test_equal_cells_and_design_effects():
    one = miettinen_nurminen(8, 40, 4, 40, level=0.95)
    wider = miettinen_nurminen(8, 40, 4, 40, level=0.95, design_effect=4)
    assert wider.upper - wider.lower > 1.7 * (one.upper - one.lower)
    assert miettinen_nurminen(8, 40, 4, 40, level=0.95, design_effect=0.3) == one
    only_first = miettinen_nurminen([8, 9], [40, 10], [4, 0], [40, 10], level=0.95, weights=[1, 0])
    assert (only_first.lower, only_first.upper) == pytest.approx((one.lower, one.upper), abs=1e-9)


@pytest.mark.parametrize("counts", [(5, 4, 0, 3), (0, 0, 0, 3), (-1, 4, 0, 3), ([], [], [], [])])
def test_impossible_counts_stop(counts):
    with pytest.raises(DataError, match="0 <= events <= leads"):
        miettinen_nurminen(*counts, level=0.95)
    with pytest.raises(DataError, match="one non-negative number per cell"):
        miettinen_nurminen(1, 2, 1, 2, level=0.95, weights=[1, 2])


def test_rare_outcomes_are_covered():
    rng = np.random.default_rng(5)
    x1, x0 = rng.binomial(300, 0.012, 400), rng.binomial(300, 0.004, 400)
    intervals = [miettinen_nurminen(a, 300, b, 300, level=0.95) for a, b in zip(x1, x0, strict=True)]
    assert 0.92 <= np.mean([i.lower <= 0.008 <= i.upper for i in intervals]) <= 0.985
