"""Bands of fixed rankings' curves, and curves with weights."""

import numpy as np
import pytest

from leadlift.base.errors import DataError
from leadlift.evaluation import gain_band, qini_curve, qini_score, rate_interval, toc, toc_band, uplift_curve
from leadlift.inference import gain_curve, gain_curve_influence, ipw_scores


def log(n=900, *, seed=0, organisations=150):
    """Per-lead scores, ranking and organisation of leads whose uplift is 0.4 times the ranking."""
    rng = np.random.default_rng(seed)
    organisation = rng.integers(0, organisations, n)
    t = rng.integers(0, 2, organisations)[organisation]
    p = rng.random(n)
    y = (rng.random(n) < 0.3 + 0.4 * p * t).astype(float)
    return ipw_scores(y, t, propensity=np.full(n, 0.5)), p, organisation


def band(of, *columns, **options):
    return of(columns[0], columns[1], groups=columns[2], rng=np.random.default_rng(1), **options)


def test_the_band_is_wider_than_the_interval_and_holds_at_once():
    found = band(gain_band, *log())
    assert [point.share for point in found][:2] == [0.05, 0.1]
    assert found[-1].gain == pytest.approx(found[-1].random)
    (alone,) = band(gain_band, *log(), shares=[0.5])
    inside = next(point for point in found if point.share == 0.5)
    assert inside.lower < alone.lower < alone.gain < alone.upper < inside.upper


def test_the_targeting_curve_is_the_gain_over_the_share_less_the_end():
    scores, p, organisation = log()
    found = band(toc_band, scores, p, organisation)
    gain = gain_curve(scores, p, [point.share for point in found])
    for point, g in zip(found[:-1], gain, strict=False):
        assert point.toc == pytest.approx(g / point.share - gain[-1], abs=1e-12)
        assert point.toc - point.lower == pytest.approx(point.upper - point.toc)
    assert (found[-1].toc, found[-1].lower, found[-1].upper) == (0.0, None, None)


def test_a_targeting_curves_errors_are_those_of_replications():
    drawn, half, shares = [], [], [0.1, 0.5, 0.9]
    for seed in range(150):
        columns = log(600, seed=seed, organisations=120)
        points = [band(toc_band, *columns, shares=[q])[0] for q in shares]
        drawn.append([point.toc for point in points])
        half.append([point.upper - point.toc for point in points])
    assert np.mean(half, axis=0) / 1.98 == pytest.approx(np.std(drawn, axis=0), rel=0.17)


@pytest.mark.parametrize("of", [gain_band, toc_band])
def test_weights_are_as_many_copies_in_one_organisation(of):
    scores, p, organisation = log(300)
    copies = np.random.default_rng(2).integers(1, 4, 300)
    again = [np.repeat(column, copies) for column in (scores, p, organisation)]
    shares = [0.2, 0.5, 0.8]
    weighted = band(of, scores, p, organisation, weights=5.0 * copies, shares=shares)
    for one, other in zip(weighted, band(of, *again, shares=shares), strict=True):
        for field, value in one.to_dict().items():
            assert value == pytest.approx(getattr(other, field), rel=0.05, abs=0.004), field


def test_weighted_curves_are_those_of_copies():
    rng = np.random.default_rng(3)
    y, uplift, t = rng.normal(size=80), rng.integers(0, 9, 80) / 7, rng.integers(0, 2, 80)
    p, copies = rng.choice([0.3, 0.6], 80), rng.integers(1, 5, 80)
    again = [np.repeat(column, copies) for column in (y, uplift, t, p)]
    for curve in (uplift_curve, qini_curve):
        one = curve(y, uplift, t, propensity=p, sample_weight=copies)
        other = curve(*again[:3], propensity=again[3])
        assert one.gain == pytest.approx(other.gain, abs=1e-12)
        assert one.share == pytest.approx(other.share, abs=1e-12)
        assert one.area == pytest.approx(other.area, abs=1e-12)
        assert one.leads[-1] == pytest.approx(80)
        assert one.area == pytest.approx(qini_score(y, uplift, t, propensity=p, sample_weight=copies), abs=0.02)
    one = toc(y, uplift, t, propensity=p, sample_weight=copies)
    other = toc(*again[:3], propensity=again[3])
    assert one.toc == pytest.approx(other.toc, abs=1e-12)
    assert one.mean_uplift == pytest.approx(other.mean_uplift)


def test_the_gain_curves_influence_is_its_derivative_in_each_weight():
    """Within wide ties, where the score at the cut needs no smoothing."""
    rng = np.random.default_rng(4)
    scores, priority, weights = rng.normal(size=240), np.repeat([3, 2, 1], 80), rng.uniform(0.5, 2, 240)
    shares = np.array([0.2, 0.4, 0.7])
    influence = gain_curve_influence(scores, priority, shares, weights)
    for i in (0, 100, 200):
        sides = []
        for sign in (1, -1):
            moved = weights.copy()
            moved[i] += sign * 1e-5
            sides.append(gain_curve(scores, priority, shares, moved))
        slope = (sides[0] - sides[1]) / 2e-5
        assert influence[i] == pytest.approx(slope * weights.sum() * weights[i] / weights.mean(), rel=1e-4, abs=1e-6)


def test_what_has_no_band_stops():
    scores, p, _ = log()
    with pytest.raises(DataError, match=r"shares lie in \[0, 1\]"):
        gain_band(scores, p, shares=[1.2], rng=np.random.default_rng(1))
    with pytest.raises(DataError, match=r"`q` lies inside \(0, 1\]"):
        toc_band(scores, p, shares=[0.0], rng=np.random.default_rng(1))
    with pytest.raises(DataError, match="weights are positive\n    1 of 900"):
        gain_band(scores, p, weights=np.r_[0.0, np.ones(899)], rng=np.random.default_rng(1))
    with pytest.raises(DataError, match=r"`sample_weight` is positive on every row\n    1 of 4 rows"):
        uplift_curve([1, 0, 1, 0], [1, 2, 3, 4], [1, 0, 1, 0], sample_weight=[1, 1, 1, -1])
    with pytest.raises(DataError, match="weights and partial areas are for `leadlift` and `grf`"):
        uplift_curve([1, 0, 1, 0], [1, 2, 3, 4], [1, 0, 1, 0], sample_weight=[1, 1, 1, 2], definition="sklift")
    with pytest.raises(DataError, match="`against` has a finite number on every row\n    1 of 900"):
        rate_interval(scores, p, against=np.r_[np.nan, p[1:]])
