"""Complier averages: their set is what the lot does not reject, and covers however weak the lot was."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from leadlift.inference import complier_average, difference_in_means, t_interval


def drawn(n, seed, share=0.8, control=0.05, effect=1.0):
    rng = np.random.default_rng(seed)
    arm = rng.integers(0, 2, n)
    cell = rng.integers(0, 2, n)
    luck = rng.random(n)
    would, always = luck < share + control, luck < control
    touched = np.where(arm == 1, would, always).astype(float)
    return arm, cell, touched, rng.normal(cell, 1.0, n) + effect * touched


def difference(values, arm, cell):
    half = np.full(len(arm), 0.5)
    unit = np.arange(len(arm))
    return difference_in_means(
        values, arm, propensity_treated=half, propensity_control=half, cell=cell, unit=unit, n_units=len(arm)
    ).estimate


def found(arm, cell, touched, y, level=0.95):
    return complier_average(difference(y, arm, cell), difference(touched, arm, cell), level=level)


def rejects(b, arm, cell, touched, y):
    estimate = difference(y - b * touched, arm, cell)
    return abs(estimate.value / estimate.se) > stats.t.isf(0.025, estimate.df)


@pytest.mark.parametrize(("share", "kind"), [(0.8, "interval"), (0.06, "outside"), (0.0, "everything")])
def test_the_set_is_what_the_test_does_not_reject(share, kind) -> None:
    for seed in range(40):
        data = drawn(400, seed, share=share, effect=3.0 if kind == "outside" else 1.0)
        result = found(*data)
        if result.kind == kind:
            break
    assert result.kind == kind
    if kind == "everything":
        assert not any(rejects(b, *data) for b in np.linspace(-50, 50, 11))
        return
    step = 1e-6 * max(1.0, abs(result.lower), abs(result.upper))
    inner = [result.lower + step, result.upper - step]
    outer = [result.lower - step, result.upper + step]
    assert [rejects(b, *data) for b in inner] == [kind == "outside"] * 2
    assert [rejects(b, *data) for b in outer] == [kind == "interval"] * 2
    assert not rejects(result.value, *data)


def test_where_all_are_touched_it_is_the_effect_itself() -> None:
    arm, cell, _, y = drawn(300, 1)
    effect = difference(y, arm, cell)
    interval = t_interval(effect.value, effect.se, effect.df, 0.95)
    result = found(arm, cell, arm.astype(float), y)
    assert (result.value, result.lower, result.upper) == pytest.approx((effect.value, interval.lower, interval.upper))


def test_swapping_the_arms_changes_nothing_and_scales_scale() -> None:
    arm, cell, touched, y = drawn(500, 2)
    result, swapped = found(arm, cell, touched, y), found(1 - arm, cell, touched, y)
    scaled = found(arm, cell, touched, 10 * y)
    assert (swapped.lower, swapped.upper) == pytest.approx((result.lower, result.upper))
    assert (scaled.lower, scaled.upper) == pytest.approx((10 * result.lower, 10 * result.upper))


def test_too_few_units() -> None:
    arm, cell, touched, y = drawn(16, 3)
    result = found(arm, cell, touched, y)
    assert result.kind == "none"
    assert np.isnan(result.lower)


@pytest.mark.parametrize("share", [0.8, 0.1])
def test_sets_cover(share) -> None:
    hits = 0
    for seed in range(400):
        result = found(*drawn(200, 10_000 + seed, share=share))
        inside = result.lower <= 1.0 <= result.upper
        hits += {"interval": inside, "outside": not result.lower < 1.0 < result.upper, "everything": True}[result.kind]
    # 95% of 400, within four standard errors.
    assert 363 <= hits <= 397
