import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from leadlift.base.errors import DataError
from leadlift.inference import area_se, combine, rank_area, sequential_blocks, unit_permutation


@given(st.integers(2, 300), st.integers(1, 6), st.integers(0, 1000))
def test_blocks_train_on_all_earlier_units_and_on_no_later_one(n, blocks, seed):
    order = unit_permutation(n, np.random.default_rng(seed))
    cut = sequential_blocks(order, blocks=blocks)
    assert len(cut) == blocks
    for k, block in enumerate(cut):
        earlier = np.r_[order[: round(n / 2)], *(b.block_units for b in cut[:k])]
        np.testing.assert_array_equal(block.train_units, earlier)
        assert not set(block.train_units) & set(block.block_units)
    judged = np.concatenate([b.block_units for b in cut])
    np.testing.assert_array_equal(np.r_[cut[0].train_units, judged], order)
    sizes = [b.block_units.size for b in cut]
    assert max(sizes) - min(sizes) <= 1


def test_orders_are_permutations_and_repeat_with_the_generator():
    first, second = (unit_permutation(50, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert sorted(first) == list(range(50))


def test_what_is_no_order_stops():
    with pytest.raises(DataError, match="each unit comes once"):
        sequential_blocks([1, 1, 2])
    with pytest.raises(DataError, match=r"train_share 1"):
        sequential_blocks([0, 1, 2], train_share=1)


def test_the_combined_t_is_the_sum_of_ts_over_root_k():
    a, s = np.array([0.4, 0.1, -0.2, 0.3]), np.array([0.2, 0.1, 0.3, 0.15])
    result = combine(a, s)
    assert result.value == pytest.approx((a / s).sum() / (1 / s).sum())
    assert result.value / result.se == pytest.approx((a / s).sum() / 2)
    assert result.p_value == pytest.approx(2 * stats.norm.sf((a / s).sum() / 2))
    assert result.upper - result.value == pytest.approx(stats.norm.ppf(0.975) * result.se)
    assert result.blocks_used == 4


def test_constant_rankings_are_dropped_and_counted():
    result = combine([0.4, 0.0, np.nan, 0.2], [0.2, 0.0, np.nan, 0.1])
    assert result == combine([0.4, 0.2], [0.2, 0.1])
    assert result.blocks_used == 2


@pytest.mark.parametrize("ses", [[0.0, 0.0], [np.nan, np.nan], []])
def test_no_ranking_is_never_a_significant_one(ses):
    result = combine(np.ones(len(ses)), ses)
    assert result.blocks_used == 0
    assert np.isnan([result.value, result.se, result.lower, result.upper, result.p_value]).all()


def test_blocks_under_ten_units_are_dropped():
    assert combine([1.0, 2.0], [0.5, 0.5], units=[9, 10]) == combine([2.0], [0.5])


def test_degrees_of_freedom_add_up():
    result = combine([1.0, 2.0, 3.0], [1.0, 1.0, 0.0], df=[5, 7, 99])
    assert result.p_value == pytest.approx(2 * stats.t.sf(3 / np.sqrt(2), 12))
    assert combine([1.0], [1.0], df=4, level=0.9).upper == pytest.approx(1 + stats.t.ppf(0.95, 4))


def test_a_learned_ranking_of_nothing_raises_few_false_alarms():
    """The model orders by the mean score of earlier units' nearest group: pure noise, judged sequentially."""
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(300):
        group, scores = rng.integers(0, 12, 400), rng.normal(size=400) * rng.choice([1, 3], 400)
        values, ses, dfs = [], [], []
        for block in sequential_blocks(unit_permutation(400, rng)):
            train, rows = block.train_units, block.block_units
            fitted = np.bincount(group[train], scores[train], 12) / np.maximum(np.bincount(group[train], None, 12), 1)
            area = rank_area(scores[rows], fitted[group[rows]], target="qini")
            values.append(area.value)
            ses.append(area_se(area.influence, np.arange(rows.size), rows.size))
            dfs.append(rows.size - 1)
        alarms += combine(values, ses, dfs).p_value < 0.05
    assert 0.02 <= alarms / 300 <= 0.085
