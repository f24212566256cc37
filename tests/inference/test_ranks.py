import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlift.base.errors import DataError
from leadlift.inference import (
    area_estimate,
    area_se,
    covariance,
    half_sample_se,
    ipw_scores,
    is_constant,
    rank_area,
    toc,
    unit_influence,
)

GOLDEN = Path(__file__).parents[1] / "golden"
RATE = json.loads((GOLDEN / "inference_rate.json").read_text())
IPW = json.loads((GOLDEN / "inference_rate_ipw.json").read_text())["cases"]


@pytest.mark.parametrize("name", ["W", "X"])
def test_grfs_locked_values(name):
    expected = RATE["priorities"][name]
    for target in ("autoc", "qini"):
        area = rank_area(RATE["scores"], expected["priority"], target=target)
        assert area.value == pytest.approx(expected[target], abs=1e-9)
    curve = toc(RATE["scores"], expected["priority"], RATE["toc_shares"])
    np.testing.assert_allclose(curve, expected["toc"], atol=1e-9)


def test_grfs_ties_and_weights():
    ties = RATE["ties"]
    for prefix, weights in [("", None), ("weighted_", ties["weights"])]:
        for target in ("autoc", "qini"):
            area = rank_area(ties["scores"], ties["priority"], target=target, weights=weights)
            assert area.value == pytest.approx(ties[prefix + target], abs=1e-9)
    np.testing.assert_allclose(toc(ties["scores"], ties["priority"], ties["toc_shares"]), ties["toc"], atol=1e-9)


@pytest.mark.parametrize("case", IPW, ids=lambda case: case["label"])
def test_grf_on_ipw_scores(case):
    scores = ipw_scores(case["y"], case["arm"], propensity=case["propensity"])
    for target in ("autoc", "qini"):
        area = rank_area(scores, case["priority"], target=target)
        assert area.value == pytest.approx(case[target], abs=1e-9)
    if case["toc"]:
        np.testing.assert_allclose(toc(scores, case["priority"], np.arange(1, 13) / 12), case["toc"], atol=1e-9)


def test_the_locked_error_is_within_a_tenth_of_grfs():
    locked, unit = RATE["priorities"]["W"], np.arange(25)
    area = rank_area(RATE["scores"], locked["priority"], target="autoc")
    assert area_se(area.influence, unit, 25) == pytest.approx(locked["autoc_se"], rel=0.1)
    halves = half_sample_se(
        RATE["scores"], locked["priority"], unit, 25, target="autoc", rng=np.random.default_rng(1), draws=500
    )
    assert halves == pytest.approx(locked["autoc_se"], rel=0.1)


def by_definition(scores, priority, target):
    """Means of the top i of n over all orders of tied leads, written out."""
    scores, priority = np.asarray(scores), np.asarray(priority)
    n = len(scores)
    averaged = np.array([scores[priority == p].mean() for p in priority])[np.argsort(-priority, kind="stable")]
    curve = np.array([averaged[:i].mean() - scores.mean() for i in range(1, n + 1)])
    return (curve if target == "autoc" else curve * np.arange(1, n + 1) / n).mean()


rankings = st.integers(2, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(-20, 20), min_size=n, max_size=n),
        st.lists(st.integers(0, 8), min_size=n, max_size=n),
        st.integers(0, 10**6),
    )
)


@settings(max_examples=60, deadline=None)
@given(rankings, st.sampled_from(["qini", "autoc"]))
def test_definitions_and_symmetries(drawn, target):
    scores, priority, seed = np.array(drawn[0]) * 0.37, np.array(drawn[1]) * 0.1, drawn[2]
    area = rank_area(scores, priority, target=target)
    assert area.value == pytest.approx(by_definition(scores, priority, target), abs=1e-10)
    assert area.influence.sum() == pytest.approx(0, abs=1e-9)
    order = np.random.default_rng(seed).permutation(len(scores))
    shuffled = rank_area(scores[order], priority[order], target=target)
    assert shuffled.value == area.value
    same = np.lexsort((scores, priority)), np.lexsort((scores[order], priority[order]))
    np.testing.assert_array_equal(shuffled.influence[same[1]], area.influence[same[0]])
    scaled = rank_area(3 * scores + 7, np.exp(priority), target=target)
    assert scaled.value == pytest.approx(3 * area.value, abs=1e-9)
    np.testing.assert_allclose(scaled.influence, 3 * area.influence, atol=1e-9)
    weighted = rank_area(scores, priority, target=target, weights=np.full(len(scores), 2.5))
    assert weighted.value == pytest.approx(area.value, abs=1e-12)
    np.testing.assert_allclose(weighted.influence, area.influence, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 30), st.sampled_from(["qini", "autoc"]))
def test_influence_is_the_derivative_in_each_weight(seed, n, target):
    rng = np.random.default_rng(seed)
    scores, priority, weights = rng.normal(size=n), rng.permutation(n), rng.uniform(0.5, 2, n)
    area = rank_area(scores, priority, target=target, weights=weights)
    step = 1e-6
    for i in range(min(n, 5)):
        sides = []
        for sign in (1, -1):
            moved = weights.copy()
            moved[i] += sign * step
            sides.append(rank_area(scores, priority, target=target, weights=moved).value)
        slope = (sides[0] - sides[1]) / (2 * step)
        assert area.influence[i] == pytest.approx(slope * weights[i] * n, abs=2e-6)


@pytest.mark.parametrize("target", ["qini", "autoc"])
def test_tied_influence_is_the_mean_over_orders_of_the_tied(target):
    """Three groups: the influence of a tie is that of its untied orders, with the tie's mean score, averaged."""
    rng = np.random.default_rng(3)
    scores, priority = rng.normal(size=60), np.repeat([3, 2, 1], 20)
    tied = rank_area(scores, priority, target=target)
    means = np.repeat(scores.reshape(3, 20).mean(axis=1), 20)
    flat = rank_area(means, priority, target=target).influence.reshape(3, 20)
    np.testing.assert_allclose(flat, flat[:, :1] * np.ones(20), atol=1e-12)
    untied = rank_area(means, -np.arange(60.0), target=target)
    assert untied.value == pytest.approx(tied.value, abs=1e-12)
    np.testing.assert_allclose(untied.influence.reshape(3, 20).mean(axis=1), flat[:, 0], atol=1e-12)


def test_a_constant_priority_ranks_nothing():
    area = rank_area([1.0, 5.0, -2.0], [2, 2, 2], target="autoc")
    assert area.value == 0
    assert (area.influence == 0).all()
    assert [is_constant(p) for p in ([1, 1], [1, 2], [])] == [True, False, True]


def test_toc_ends_at_zero_and_takes_parts_of_leads():
    assert toc([3.0, 1.0, 2.0], [3, 2, 1], [1.0])[0] == 0
    assert toc([4.0, 0.0], [2, 1], [0.75])[0] == pytest.approx(4 / 1.5 - 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: toc([1.0], [1], [0.0]), r"`q` lies inside \(0, 1\]"),
        (lambda: rank_area([1.0], [1], target="auuc"), "`target` is `qini` or `autoc`"),
        (lambda: rank_area([1.0, 2.0], [1, 2], target="qini", weights=[1, 0]), "weights are positive"),
        (lambda: rank_area([], [], target="qini"), "a ranking has leads"),
        (lambda: rank_area([np.nan], [1], target="qini"), "`scores` has a finite number"),
        (lambda: area_se([1.0], [3], 2), "`unit` lies in"),
    ],
)
def test_what_cannot_be_ranked_stops(call, message):
    with pytest.raises(DataError, match=message):
        call()


def test_errors_are_by_unit_and_paired():
    rng = np.random.default_rng(4)
    scores, priority, unit = rng.normal(size=90), rng.normal(size=90), np.repeat(np.arange(30), 3)
    one = rank_area(scores, priority, target="qini")
    by_hand = np.bincount(unit, weights=one.influence)
    assert area_se(one.influence, unit, 40) == pytest.approx(np.sqrt(30 / 29 * (by_hand**2).sum()) / 90)
    # A copy of every lead in its unit adds no information.
    twice = rank_area(np.tile(scores, 2), np.tile(priority, 2), target="qini")
    assert area_se(twice.influence, np.tile(unit, 2), 30) == pytest.approx(area_se(one.influence, unit, 30), rel=0.05)
    pair = [area_estimate(a, unit, 30) for a in (one, rank_area(scores, priority, target="qini"))]
    spread = covariance(pair)
    assert spread[0, 0] + spread[1, 1] - 2 * spread[0, 1] == pytest.approx(0, abs=1e-18)
    assert (pair[0].df, pair[0].method) == (29.0, "t")
    assert np.isnan(area_se([1.0, -1.0], [0, 0], 1))
    assert np.isnan(half_sample_se([1.0, 2.0], [1, 2], [0, 1], 2, target="qini", rng=rng))
    assert area_estimate(one, np.zeros(90, int), 1).method == "none"
    assert unit_influence(np.column_stack([one.influence] * 2), unit, 30).shape == (30, 2)


def coverage(target, ties, trials, n, rng, gains=1.0):
    """Share of 95% intervals that hold the true area of the expected score given the priority."""
    u = (np.arange(400_000) + 0.5) / 400_000
    levels = np.ceil(u * ties) / ties if ties else u
    truth = rank_area(gains * levels, levels, target=target).value
    hits = 0
    for _ in range(trials):
        unit = rng.integers(0, n // 3, n)
        p = rng.random(n)
        p = np.ceil(p * ties) / ties if ties else p
        scores = gains * p + rng.normal(size=n // 3)[unit] + 2 * rng.choice([-1, 1], n)
        area = rank_area(scores, p, target=target)
        se = area_se(area.influence, unit, n // 3)
        hits += abs(area.value - truth) <= 1.96 * se
    return hits / trials


@pytest.mark.parametrize(("target", "ties"), [("qini", 0), ("autoc", 0), ("qini", 3), ("autoc", 3)])
def test_intervals_of_areas_cover(target, ties):
    assert 0.92 <= coverage(target, ties, 400, 450, np.random.default_rng(7), gains=3.0) <= 0.98


@pytest.mark.slow
@pytest.mark.parametrize(("target", "ties"), [("qini", 0), ("autoc", 0), ("qini", 3), ("autoc", 3), ("autoc", 20)])
def test_intervals_of_areas_cover_closely(target, ties):
    assert 0.938 <= coverage(target, ties, 5000, 900, np.random.default_rng(8), gains=3.0) <= 0.962


def test_the_part_of_estimated_ranks_is_needed():
    """With a strong gain along the ranking, errors that leave it out are wrong by a third or more."""
    rng = np.random.default_rng(9)
    drawn, said, without = [], [], []
    for _ in range(300):
        p = rng.random(300)
        scores = 2 + 5 * p + 0.5 * rng.normal(size=300)
        area = rank_area(scores, p, target="qini")
        drawn.append(area.value)
        said.append(area_se(area.influence, np.arange(300), 300))
        rank = np.argsort(np.argsort(-p)) / 300
        without.append((scores * (0.5 - rank)).std() / np.sqrt(300))
    assert np.mean(said) == pytest.approx(np.std(drawn), rel=0.12)
    assert not 0.75 < np.mean(without) / np.std(drawn) < 1.33
