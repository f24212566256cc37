"""Resampled areas against areas of resampled logs."""

import numpy as np
import pytest
from scipy import stats
from threadpoolctl import threadpool_limits

from leadlift.base.errors import DataError
from leadlift.inference import RankArea, area_se, rank_area, resample_areas


def log(n=3_000, units=600, seed=0):
    rng = np.random.default_rng(seed)
    unit = rng.integers(0, units, n)
    priority = rng.random((n, 3))
    scores = 1 + priority[:, 0] + 0.5 * rng.normal(size=units)[unit] + rng.normal(size=n)
    priority[:, 1] = np.ceil(3 * priority[:, 0])
    return scores, priority, unit


@pytest.mark.parametrize("target", ["qini", "autoc"])
def test_the_spread_is_the_standard_error(target):
    scores, priority, unit = log()
    areas = [rank_area(scores, p, target=target) for p in priority.T]
    drawn = resample_areas(areas, unit, 600, draws=4_000, rng=np.random.default_rng(1))
    assert drawn.mean(axis=0) == pytest.approx([a.value for a in areas], abs=0.06 * drawn.std())
    for k, area in enumerate(areas):
        assert drawn[:, k].std() == pytest.approx(area_se(area.influence, unit, 600), rel=0.04)
    paired = area_se(areas[0].influence - areas[1].influence, unit, 600)
    assert (drawn[:, 0] - drawn[:, 1]).std() == pytest.approx(paired, rel=0.04)


@pytest.mark.parametrize("target", ["qini", "autoc"])
@pytest.mark.parametrize("column", [0, 1])
def test_they_are_the_areas_of_logs_whose_organisations_are_drawn_anew(target, column):
    """Copies of leads, sorted again, area by area: the same spread and tails."""
    scores, priority, unit = log()
    p = priority[:, column]
    leads = [np.flatnonzero(unit == k) for k in range(600)]
    rng, again = np.random.default_rng(2), []
    for _ in range(400):
        rows = np.concatenate([leads[k] for k in rng.integers(0, 600, 600)])
        again.append(rank_area(scores[rows], p[rows], target=target).value)
    area = rank_area(scores, p, target=target)
    drawn = resample_areas([area], unit, 600, draws=4_000, rng=rng)[:, 0]
    assert drawn.std() == pytest.approx(np.std(again), rel=0.1)
    assert np.quantile(drawn, [0.05, 0.95]) == pytest.approx(np.quantile(again, [0.05, 0.95]), abs=0.3 * drawn.std())


def test_the_same_generator_gives_the_same_draws_whatever_the_unit_of_the_outcome():
    scores, priority, unit = log(300, 50)
    one = [rank_area(scores, priority[:, 0], target="qini")]
    million = [rank_area(1e6 * scores, priority[:, 0], target="qini")]
    drawn = [resample_areas(a, unit, 50, draws=20, rng=np.random.default_rng(3))[:, 0] for a in (one, one, million)]
    assert (drawn[0] == drawn[1]).all()
    assert drawn[2] == pytest.approx(1e6 * drawn[0], rel=1e-5)


@pytest.mark.parametrize("draws", [7, 1_500])
def test_neither_row_order_nor_the_number_of_threads_changes_a_bit(draws):
    scores, priority, unit = log()
    order = np.random.default_rng(5).permutation(len(unit))

    def drawn(rows):
        areas = [rank_area(scores[rows], p[rows], target="qini") for p in priority.T]
        return resample_areas(areas, unit[rows], 600, draws=draws, rng=np.random.default_rng(3))

    first = drawn(np.arange(len(unit)))
    assert (drawn(order) == first).all()
    with threadpool_limits(1):
        assert (drawn(order) == first).all()


def test_a_draw_is_the_area_and_what_the_drawn_units_add():
    """Counts are Poisson(1) to a 256th, standardised; nothing is lost to whole numbers."""
    influence = np.random.default_rng(0).standard_t(2, size=(3, 400))
    areas = [RankArea(1.0, row) for row in influence]
    drawn = resample_areas(areas, np.arange(400), 400, draws=50, rng=np.random.default_rng(3))
    levels = np.random.default_rng(3).integers(0, 1 << 64, size=50 * 400 // 8, dtype=np.uint64).view(np.uint8)
    by_level = np.rint(stats.poisson.ppf((np.arange(256) + 0.5) / 256, 1.0))
    counts = by_level[levels].reshape(50, 400)
    standard = (counts - by_level.mean()) / by_level.std()
    assert drawn == pytest.approx(1 + standard @ influence.T / 400 * np.sqrt(400 / 399), rel=1e-9)
    assert [by_level.mean(), by_level.var(), stats.skew(by_level)] == pytest.approx([1, 1, 1], abs=0.03)


def test_a_constant_ranking_never_moves():
    scores, _, unit = log(300, 50)
    area = rank_area(scores, np.ones(300), target="qini")
    assert (resample_areas([area], unit, 50, draws=50, rng=np.random.default_rng(1)) == 0).all()


def test_nothing_to_draw_stops():
    with pytest.raises(DataError, match="0 areas, 5 draws"):
        resample_areas([], [0], 1, draws=5, rng=np.random.default_rng(1))
