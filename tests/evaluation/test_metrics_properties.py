"""What must hold on any log: row order, ties, units, swapped arms, reversed rankings."""

import itertools
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from leadlift.base.errors import DataError
from leadlift.evaluation.curves import qini_curve, toc, uplift_curve
from leadlift.evaluation.metrics import autoc, qini_score, rate, uplift_auc
from leadlift.inference import ipw_scores, rank_area

DEFINITIONS = ("leadlift", "grf", "sklift", "pylift", "causalml")
WEIGHTED = ("leadlift", "pylift")
# How long an example takes says nothing here, least of all on a busy machine.
steady = settings(deadline=None)


@st.composite
def logs(draw, levels=4, most=30, binary=False):
    """y, uplift, t, p: few predicted values, so that nearly all leads tie; outcomes whose sums round."""
    n = draw(st.integers(4, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    t = rng.integers(0, 2, n)
    t[:2] = 0, 1
    y = (rng.random(n) < 0.5).astype(float)
    if not binary:
        y *= rng.normal(size=n) * 10
    return y, rng.integers(0, levels, n) / 7, t, rng.choice([0.1, 0.3, 0.7], n)


def number(metric, *args, **kwargs):
    """The metric, or the words with which it stops."""
    try:
        return metric(*args, **kwargs)
    except DataError as error:
        return str(error)


@steady
@given(logs(), st.integers(0, 2**32 - 1), st.sampled_from(DEFINITIONS), st.booleans(), st.booleans())
def test_row_order_means_nothing_to_the_last_bit(log, seed, definition, binary, weighted):
    y, uplift, t, p = log
    y = (y > 0).astype(float) if binary else y
    p = p if weighted else 0.3
    order = np.random.default_rng(seed).permutation(y.size)
    shuffled_p = p[order] if weighted else p
    for metric in (qini_score, uplift_auc):
        first = number(metric, y, uplift, t, propensity=p, definition=definition)
        assert first == number(metric, y[order], uplift[order], t[order], propensity=shuffled_p, definition=definition)
    if definition in ("leadlift", "pylift") or not weighted:
        curve = uplift_curve(y, uplift, t, propensity=p, definition=definition)
        again = uplift_curve(y[order], uplift[order], t[order], propensity=shuffled_p, definition=definition)
        assert curve.to_dict() == again.to_dict()


@steady
@given(logs(), st.integers(0, 2**32 - 1))
def test_row_order_means_nothing_to_the_toc(log, seed):
    y, uplift, t, p = log
    order = np.random.default_rng(seed).permutation(y.size)
    shuffled = y[order], uplift[order], t[order]
    assert autoc(y, uplift, t, propensity=p) == autoc(*shuffled, propensity=p[order])
    assert toc(y, uplift, t, propensity=p).to_dict() == toc(*shuffled, propensity=p[order]).to_dict()


@steady
@given(logs(), st.floats(-1e6, 1e6))
def test_a_constant_ranking_has_area_zero_exactly(log, value):
    y, _, t, p = log
    same = np.full(y.size, value)
    for propensity in (p, None):
        assert qini_score(y, same, t, propensity=propensity) == 0.0
        assert uplift_auc(y, same, t, propensity=propensity) == 0.0
        assert autoc(y, same, t, propensity=propensity) == 0.0


@steady
@given(logs(levels=40))
def test_leadlifts_area_is_rank_area_of_the_inverse_propensity_scores(log):
    y, uplift, t, p = log
    scores = ipw_scores(y, t, propensity=p)
    expected = rank_area(scores, uplift, target="qini").value
    scale = np.abs(scores).mean() + 1
    assert qini_score(y, uplift, t, propensity=p) == pytest.approx(expected, rel=0, abs=1e-12 * scale)
    assert rate(scores, uplift, target="qini") == expected
    assert uplift_curve(y, uplift, t, propensity=p).area == qini_score(y, uplift, t, propensity=p)


@settings(max_examples=40, deadline=None)
@given(logs(levels=2, most=5))
def test_ties_are_the_mean_over_all_orders_of_the_tied_leads(log):
    y, uplift, t, p = log
    every_order = []
    for ranks in itertools.permutations(range(y.size)):
        untied = uplift + np.array(ranks) * 1e-6
        every_order.append([qini_score(y, untied, t, propensity=p, definition=name) for name in WEIGHTED])
    tied = [qini_score(y, uplift, t, propensity=p, definition=name) for name in WEIGHTED]
    assert tied == pytest.approx(np.mean(every_order, axis=0), rel=0, abs=1e-10)


@steady
@given(logs(), st.sampled_from([0.001, 3.0, 250.0]))
def test_areas_in_outcome_units_rescale_with_the_outcome(log, factor):
    y, uplift, t, p = log
    for definition, metric in itertools.product(WEIGHTED, (qini_score, uplift_auc)):
        once = metric(y, uplift, t, propensity=p, definition=definition)
        scaled = metric(y * factor, uplift, t, propensity=p, definition=definition)
        assert scaled == pytest.approx(factor * once, rel=1e-9, abs=1e-9 * factor)


@steady
@given(logs(), st.sampled_from([0.001, 3.0, 250.0]))
def test_causalmls_ratio_does_not_rescale(log, factor):
    y, uplift, t, _ = log
    assume(abs(y[t == 1].mean() - y[t == 0].mean()) > 1e-3)
    for metric in (qini_score, uplift_auc):
        once = metric(y, uplift, t, definition="causalml")
        assert metric(y * factor, uplift, t, definition="causalml") == pytest.approx(once, rel=1e-6, abs=1e-9)


@steady
@given(logs())
def test_swapped_arms_flip_the_sign(log):
    y, uplift, t, p = log
    for definition, metric in itertools.product(WEIGHTED, (qini_score, uplift_auc)):
        there = metric(y, uplift, t, propensity=p, definition=definition)
        back = metric(y, uplift, 1 - t, propensity=1 - p, definition=definition)
        assert back == pytest.approx(-there, rel=1e-9, abs=1e-9)


@steady
@given(logs())
def test_a_reversed_ranking_flips_the_sign(log):
    y, uplift, t, p = log
    there, back = (qini_score(y, ranking, t, propensity=p) for ranking in (uplift, -uplift))
    assert back == pytest.approx(-there, rel=1e-9, abs=1e-9)


@steady
@given(logs(), st.sampled_from(DEFINITIONS))
def test_any_increasing_transformation_of_the_ranking_changes_nothing(log, definition):
    y, uplift, t, _ = log
    there, moved = (number(qini_score, y, u, t, definition=definition) for u in (uplift, np.exp(3 * uplift) - 5))
    assert there == moved


@steady
@given(logs())
def test_every_lead_twice_adds_no_information(log):
    y, uplift, t, p = log
    once = qini_score(y, uplift, t, propensity=p)
    twice = qini_score(*(np.tile(column, 2) for column in (y, uplift, t)), propensity=np.tile(p, 2))
    assert twice == pytest.approx(once, rel=1e-9, abs=1e-9)


@steady
@given(logs(levels=40))
def test_pylifts_area_is_leadlifts_at_the_realised_share(log):
    y, uplift, t, _ = log
    leadlift = qini_score(y, uplift, t)
    assert qini_score(y, uplift, t, definition="pylift") == pytest.approx(leadlift, rel=1e-9, abs=1e-9)


@steady
@given(logs(binary=True), st.sampled_from(DEFINITIONS))
@example((np.zeros(4), np.array([0.0, 1, 1, 2]), np.array([0, 1, 0, 1]), np.full(4, 0.5)), "sklift")
@example((np.ones(4), np.array([0.0, 1, 1, 2]), np.array([0, 1, 0, 1]), np.full(4, 0.5)), "causalml")
def test_a_number_is_finite_or_there_is_none(log, definition):
    y, uplift, t, _ = log
    for metric in (qini_score, uplift_auc):
        found = number(metric, y, uplift, t, definition=definition)
        assert isinstance(found, str) or np.isfinite(found)
    for curve in (qini_curve, uplift_curve):
        found = curve(y, uplift, t, definition=definition)
        assert np.isfinite(found.gain).all()
        assert found.leads[0] == found.gain[0] == found.random[0] == 0
        assert found.share[-1] == 1
        assert found.leads.size == np.unique(uplift).size + 1


def test_pandas_columns_and_arrays_give_the_same():
    frame = pd.DataFrame({"y": [1, 0, 1, 0], "u": [4.0, 3.0, 2.0, 1.0], "t": [True, False, False, True]})
    frame.index = pd.Index([3, 1, 2, 0])
    expected = qini_score([1, 0, 1, 0], [4, 3, 2, 1], [1, 0, 0, 1])
    assert qini_score(frame["y"].astype("Int64"), frame["u"], frame["t"]) == expected


@pytest.fixture(scope="module")
def hillstrom():
    folder = os.environ.get("LEADLIFT_DATA")
    if not folder:
        pytest.skip("LEADLIFT_DATA not set: the folder with hillstrom.parquet")
    frame = pd.read_parquet(Path(folder) / "hillstrom.parquet")
    frame = frame[frame["segment"].isin(["Mens E-Mail", "No E-Mail"])]
    score = np.digitize(frame["history"], np.quantile(frame["history"], [1 / 3, 2 / 3]))
    return frame["visit"].to_numpy(), score, (frame["segment"] == "Mens E-Mail").to_numpy().astype(int)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_hillstroms_three_level_score_has_one_qini_whatever_the_row_order(hillstrom, definition):
    y, score, t = hillstrom
    assert (y.size, t.sum(), np.unique(score).size) == (42_613, 21_307, 3)
    rng = np.random.default_rng(7)
    orders = [np.arange(y.size), *(rng.permutation(y.size) for _ in range(20))]
    values = {qini_score(y[order], score[order], t[order], definition=definition) for order in orders}
    assert len(values) == 1
