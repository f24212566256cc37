"""Intervals of fixed rankings: partial areas, weights, pairs, bands, and when there is none."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlift.base.errors import DataError
from leadlift.evaluation import (
    area_interval,
    autoc,
    gain_band,
    qini_score,
    rate,
    rate_interval,
    toc_band,
    uplift_auc,
)
from leadlift.inference import gain_curve, ipw_scores, rank_area, unit_influence

LOCKED = json.loads((Path(__file__).parents[1] / "golden" / "inference_rate.json").read_text())


def log(n=900, *, seed=0, organisations=150):
    """y, ranking, treatment and organisation of leads whose uplift is 0.4 times the ranking."""
    rng = np.random.default_rng(seed)
    organisation = rng.integers(0, organisations, n)
    t = rng.integers(0, 2, organisations)[organisation]
    p = rng.random(n)
    y = (rng.random(n) < 0.3 + 0.4 * p * t).astype(float)
    return y, p, t, organisation


def test_grfs_locked_error_within_a_tenth():
    locked = LOCKED["priorities"]["W"]
    found = rate_interval(LOCKED["scores"], locked["priority"])
    assert found.value == pytest.approx(locked["autoc"], abs=1e-9)
    assert found.se == pytest.approx(locked["autoc_se"], rel=0.1)
    assert found.lower < found.value < found.upper


@pytest.mark.parametrize("target", ["qini", "autoc"])
def test_a_partial_area_is_the_part_of_the_curve(target):
    rng = np.random.default_rng(1)
    scores, priority = rng.normal(size=1000) + 1, rng.permutation(1000)
    q = np.arange(1, 301) / 1000
    gap = gain_curve(scores, priority, q) - q * scores.mean()
    expected = ((gap - np.r_[0, gap[:-1]]) / 2 + np.r_[0, gap[:-1]]).sum() if target == "qini" else (gap / q).sum()
    assert rate(scores, priority, target=target, top=0.3) == pytest.approx(expected / 1000, abs=1e-12)
    whole = rate(scores, priority, target=target)
    assert rate(scores, priority, target=target, top=1 - 1e-12) == pytest.approx(whole, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(5, 40), st.sampled_from(["qini", "autoc"]), st.sampled_from([0.301, 0.713]))
def test_a_partial_areas_influence_is_its_derivative(seed, n, target, top):
    rng = np.random.default_rng(seed)
    scores, priority = rng.normal(size=n), rng.permutation(n)
    area = rank_area(scores, priority, target=target, top=top)
    assert area.influence.sum() == pytest.approx(0, abs=1e-9)
    step, i = 1e-6, int(rng.integers(n))
    sides = []
    for sign in (1, -1):
        weights = np.ones(n)
        weights[i] += sign * step
        sides.append(rank_area(scores, priority, target=target, weights=weights, top=top).value)
    assert area.influence[i] == pytest.approx((sides[0] - sides[1]) / (2 * step) * n, abs=1e-5 * n)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.2, 0.5, 1.0]))
def test_row_order_means_nothing_to_a_partial_area(seed, top):
    rng = np.random.default_rng(seed)
    scores, priority, order = rng.normal(size=30), rng.integers(0, 5, 30), rng.permutation(30)
    for target in ("qini", "autoc"):
        assert rate(scores, priority, target=target, top=top) == rate(
            scores[order], priority[order], target=target, top=top
        )
    assert rate(scores, np.ones(30), target="qini", top=top) == 0.0


def test_errors_of_partial_areas_are_those_of_replications():
    for target in ("qini", "autoc"):
        drawn, said = [], []
        for seed in range(300):
            y, p, t, organisation = log(seed=seed)
            found = area_interval(y, p, t, propensity=0.5, groups=organisation, target=target, top=0.3)
            drawn.append(found.value)
            said.append(found.se)
        assert np.mean(said) == pytest.approx(np.std(drawn), rel=0.15)


def test_the_interval_is_that_of_the_score():
    y, p, t, organisation = log()
    found = area_interval(y, p, t, propensity=0.5, groups=organisation)
    assert found.value == pytest.approx(qini_score(y, p, t, propensity=0.5), abs=1e-12)
    assert area_interval(y, p, t, propensity=0.5, target="autoc").value == autoc(y, p, t, propensity=0.5)
    by_lead = area_interval(y, p, t, propensity=0.5)
    assert (found.n_organisations, by_lead.n_organisations) == (np.unique(organisation).size, 900)
    scores = ipw_scores(y, t, propensity=np.full(900, 0.5))
    influence = rank_area(scores, p, target="qini").influence
    assert found.se == pytest.approx(np.sqrt((unit_influence(influence, organisation, 150) ** 2).sum()))


def test_a_pair_has_the_error_of_its_difference():
    y, p, t, organisation = log()
    other = p + 0.01 * np.random.default_rng(1).normal(size=900)
    gap = area_interval(y, p, t, against=other, propensity=0.5, groups=organisation)
    apart = [area_interval(y, one, t, propensity=0.5, groups=organisation) for one in (p, other)]
    assert gap.value == pytest.approx(apart[0].value - apart[1].value, abs=1e-12)
    assert gap.se < 0.2 * apart[0].se
    same = rate_interval(y, p, against=p.copy(), groups=organisation, target="qini")
    assert (same.value, same.se, same.lower, same.upper, same.p_value) == (0.0, 0.0, 0.0, 0.0, 1.0)


def test_organisations_in_any_labels_and_order():
    y, p, t, organisation = log()
    order = np.random.default_rng(3).permutation(900)
    named = np.array([f"client {k}" for k in organisation])
    found = area_interval(y, p, t, propensity=0.5, groups=named)
    shuffled = area_interval(y[order], p[order], t[order], propensity=0.5, groups=named[order])
    assert shuffled == found


def test_weights_are_as_many_copies():
    y, p, t, _ = log(60)
    copies = np.random.default_rng(2).integers(1, 4, 60)
    again = [np.repeat(column, copies) for column in (y, p, t)]
    for metric in (qini_score, uplift_auc):
        weighted = metric(y, p, t, sample_weight=copies)
        assert weighted == pytest.approx(metric(*again), abs=0.02)
        assert metric(y, p, t, sample_weight=5.0 * copies) == pytest.approx(weighted, abs=1e-12)
        assert metric(y, p, t, sample_weight=np.ones(60)) == pytest.approx(metric(y, p, t), abs=1e-12)
    assert autoc(y, p, t, sample_weight=np.ones(60)) == pytest.approx(autoc(y, p, t), abs=1e-12)


@pytest.mark.parametrize("options", [{"top": 0.3}, {"sample_weight": np.ones(4)}])
@pytest.mark.parametrize("definition", ["sklift", "pylift", "causalml"])
def test_other_definitions_have_neither_weights_nor_parts(definition, options):
    with pytest.raises(DataError, match="weights and partial areas are for `leadlift` and `grf`"):
        qini_score([1, 0, 1, 0], [4, 3, 2, 1], [1, 0, 0, 1], definition=definition, **options)


@pytest.mark.parametrize("top", [0.0, 1.1, -0.3])
def test_a_share_outside_stops(top):
    with pytest.raises(DataError, match=r"`top` lies inside \(0, 1\]"):
        rate([1.0, 2.0], [1, 2], top=top)


def test_too_little_for_an_interval_is_said():
    y, p, t, organisation = log()
    with pytest.raises(DataError, match=r"20 expected events or more in the smaller arm\n    0\.0"):
        area_interval(np.zeros(900), p, t)
    with pytest.raises(DataError, match="5 expected leads that carry the spread of amounts"):
        area_interval(np.r_[1e6, np.zeros(899)] * 1.5, p, t)
    with pytest.raises(DataError, match="both arms have leads\n    0 treated and 900 control"):
        area_interval(y, p, np.zeros(900))
    with pytest.raises(DataError, match="rests on 10 organisations or more of each arm\n    3 treated, 3 control"):
        area_interval(y, p, t, groups=organisation % 3)
    with pytest.raises(DataError, match="rests on 10 organisations or more of each arm\n    4 treated, "):
        area_interval(y, p, t, groups=np.where(t, organisation % 4, organisation))
    for call in (rate_interval, gain_band, toc_band):
        options = {} if call is rate_interval else {"rng": np.random.default_rng(1)}
        with pytest.raises(DataError, match="5 leads or more that carry the spread of scores\n    0\\.0"):
            call(np.zeros(900), p, **options)
        with pytest.raises(DataError, match="5 leads or more that carry the spread of scores\n    1\\.0"):
            call(np.r_[1.0, np.zeros(899)], p, **options)
    with pytest.raises(DataError, match="rests on 10 organisations or more\n    4"):
        rate_interval([1.0, 2.0, 3.0, 4.0], [1, 2, 3, 4])
    with pytest.raises(DataError, match="`groups` names the organisation of every lead\n    1 of 900"):
        rate_interval(y, p, groups=["a", None, *organisation[2:]])
    with pytest.raises(DataError, match=r"leads \(900,\), groups \(3,\)"):
        gain_band(y, p, groups=[1, 2, 3], rng=np.random.default_rng(1))
