"""The rest of the libraries' numbers on the same two logs: uplift@k, bins, perfect curves, divisors."""

import json
from pathlib import Path

import numpy as np
import pytest

from leadlift.base.errors import DataError
from leadlift.evaluation import qini_curve, qini_score, toc, uplift_at_k, uplift_auc, uplift_by_bin, uplift_curve

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = json.loads((GOLDEN / "uplift_metrics_more.json").read_text())["cases"]
PLAIN, TIED = CASES
both = pytest.mark.parametrize("case", CASES, ids=lambda case: case["label"])
strategies = pytest.mark.parametrize("strategy", ["overall", "by_group"])


def columns(case):
    return np.array(case["y"]), np.array(case["uplift"]), np.array(case["t"])


def close(value, tolerance=1e-9):
    return pytest.approx(value, rel=0, abs=tolerance)


@strategies
@pytest.mark.parametrize("k", [0.3, 0.5])
def test_uplift_at_k(strategy, k):
    assert uplift_at_k(*columns(PLAIN), k=k, strategy=strategy) == close(
        PLAIN["scikit-uplift 0.5.1"][f"uplift_at_k({strategy},{k})"]
    )


@strategies
def test_uplift_at_k_where_the_cut_falls_between_ties(strategy):
    # The first three tie; so do the first four of either arm's six.
    expected = TIED["scikit-uplift 0.5.1"][f"uplift_at_k({strategy},0.3)"]
    k = 3 if strategy == "overall" else 0.3
    assert uplift_at_k(*columns(TIED), k=k, strategy=strategy) == close(expected)


def test_a_tie_at_the_cut_counts_in_part():
    """Six of twelve: the three highest and three fifths of the five that tie."""
    y, uplift, t = columns(TIED)
    part = np.where(uplift > 0.5, 1.0, np.where(uplift == 0.5, 0.6, 0.0))
    treated, control = ((part * (t == arm) * y).sum() / (part * (t == arm)).sum() for arm in (1, 0))
    assert uplift_at_k(y, uplift, t, k=0.5) == close(treated - control)


@strategies
def test_uplift_by_bin_and_its_weighted_mean(strategy):
    golden = PLAIN["scikit-uplift 0.5.1"]
    found = uplift_by_bin(*columns(PLAIN), bins=2, strategy=strategy)
    expected = golden[f"uplift_by_percentile({strategy},bins=2,std)"]
    assert [row.uplift for row in found] == close([row["uplift"] for row in expected], 1e-9)
    assert [row.treatment_mean for row in found] == close([row["response_rate_treatment"] for row in expected], 1e-9)
    assert [(row.n_treatment, row.n_control) for row in found] == [
        (row["n_treatment"], row["n_control"]) for row in expected
    ]
    mean = np.average([row.uplift for row in found], weights=[row.n_treatment for row in found])
    assert mean == close(golden[f"weighted_average_uplift({strategy},bins=2)"])


@both
@strategies
def test_one_bin_is_everyone(case, strategy):
    total = case["scikit-uplift 0.5.1"][f"uplift_by_percentile({strategy},bins=2,std,total)"][-1]
    (everyone,) = uplift_by_bin(*columns(case), bins=1, strategy=strategy)
    assert everyone.uplift == close(total["uplift"], 1e-9)
    assert (everyone.n_treatment, everyone.n_control) == (total["n_treatment"], total["n_control"])


@pytest.mark.parametrize("seed", range(5))
@strategies
def test_row_order_means_nothing_to_uplift_at_k(strategy, seed):
    y, uplift, t = columns(TIED)
    order = np.random.default_rng(seed).permutation(len(y))
    for k in (0.3, 0.5, 0.75, 4):
        assert uplift_at_k(y[order], uplift[order], t[order], k=k, strategy=strategy) == uplift_at_k(
            y, uplift, t, k=k, strategy=strategy
        )
    rows = uplift_by_bin(y[order], uplift[order], t[order], bins=3, strategy=strategy)
    assert rows == uplift_by_bin(y, uplift, t, bins=3, strategy=strategy)


def test_differing_propensities_are_weighed():
    y, t, p = [1.0, 0.0, 1.0, 0.0], [1, 1, 0, 0], [0.25, 0.75, 0.25, 0.75]
    found = uplift_at_k(y, [4, 3, 2, 1], t, k=4, propensity=p)
    assert found == close(4 / (4 + 4 / 3) - (4 / 3) / (4 / 3 + 4))


def test_what_has_no_uplift_at_k_stops():
    y, uplift, t = [1, 0, 1, 0], [4, 3, 2, 1], [1, 1, 0, 0]
    with pytest.raises(DataError, match="2 treated and 0 control leads of bin 1"):
        uplift_at_k(y, uplift, t, k=0.5)
    for k in (0.0, 1.5, -1, 9, 0):
        with pytest.raises(DataError, match=r"`k` is a share inside \(0, 1\] or a whole number"):
            uplift_at_k(y, uplift, t, k=k)
    with pytest.raises(DataError, match="did you mean `by_group`"):
        uplift_at_k(y, uplift, t, k=1, strategy="by_grup")
    with pytest.raises(DataError, match="every bin holds leads\n    5 bins for 4 leads"):
        uplift_by_bin(y, uplift, t, bins=5)
    assert uplift_at_k(np.arange(100), np.arange(100), [0, 1] * 50, k=0.29) == uplift_at_k(
        np.arange(100), np.arange(100), [0, 1] * 50, k=29
    )


def perfect(case):
    y, _, t = columns(case)
    return y, np.where(t == 1, y, -y), t


@both
def test_sklifts_perfect_curves(case):
    leads, gain = case["scikit-uplift 0.5.1"]["perfect_qini_curve_neg"]
    curve = qini_curve(*perfect(case), definition="sklift")
    assert curve.leads.tolist() == leads
    assert curve.gain == close(np.array(gain))
    leads, gain = case["scikit-uplift 0.5.1"]["perfect_uplift_curve"]
    y, _, t = columns(case)
    ideal = uplift_curve(
        y, 2 * (y == t) + (t if (y == 1)[t == 0].sum() <= (y == 0)[t == 1].sum() else y), t, definition="sklift"
    )
    assert ideal.leads.tolist() == leads
    assert ideal.gain == close(np.array(gain))


@both
def test_sklift_without_negative_effects_divides_by_a_triangle(case):
    """Its perfect curve then climbs by one a lead to the last gain: the area over random is gain (n - gain) / 2."""
    curve = qini_curve(*columns(case), definition="sklift")
    gain, n = curve.gain[-1], curve.leads[-1]
    over_random = np.trapezoid(curve.gain - curve.random, curve.leads)
    expected = case["scikit-uplift 0.5.1"]["qini_auc_score(negative_effect=False)"]
    assert over_random / (gain * (n - gain) / 2) == close(expected)


def test_pylifts_other_areas():
    golden, p = PLAIN["pylift"], PLAIN["p"]
    most = qini_score(*perfect(PLAIN), propensity=p, definition="pylift")
    assert most == close(golden["Q_max"])
    qini = qini_score(*columns(PLAIN), propensity=p, definition="pylift")
    gains = uplift_auc(*columns(PLAIN), propensity=p, definition="pylift")
    assert (qini / most, gains / most) == close((golden["q1_qini"], golden["q1_cgains"]))
    # With arms of equal size its adjusted Qini is scikit-uplift's.
    assert qini_score(*columns(PLAIN), definition="sklift") == close(golden["q1_aqini"])
    assert golden["Q_aqini"] / golden["Q_max"] == close(golden["q1_aqini"])
    practical = golden["Q_practical_max"]
    assert (qini / practical, gains / practical) == close((golden["q2_qini"], golden["q2_cgains"]))
    curves = (
        qini_curve(*columns(PLAIN), propensity=p, definition="pylift"),
        uplift_curve(*columns(PLAIN), propensity=p, definition="pylift"),
    )
    assert [curve.gain.max() for curve in curves] == close([golden["max_qini"], golden["max_cgains"]])


def test_causalmls_lift_and_areas_that_are_not_normalised():
    golden = PLAIN["causalml 0.18"]
    gain = uplift_curve(*columns(PLAIN), definition="causalml")
    assert gain.gain[1:] / gain.leads[1:] == close(np.array(golden["get_cumlift"])[1:])
    area = uplift_auc(*columns(PLAIN), definition="causalml")
    assert area * abs(gain.gain[-1]) == close(golden["auuc_score(normalize=False)"])
    qini = qini_curve(*columns(PLAIN), definition="causalml").gain[-1]
    assert qini_score(*columns(PLAIN), definition="causalml") * abs(qini) == close(
        golden["qini_score(normalize=False)"]
    )


def test_causalmls_rate_is_another_quantity():
    """Its AUTOC weighs shares by 1/q and its QINI by q, both scaled to 1; grf's weighs by 1, and by q unscaled."""
    y, uplift, t = columns(PLAIN)
    curve = uplift_curve(y, uplift, t, definition="sklift")
    effect = y[t == 1].mean() - y[t == 0].mean()
    seen = [np.isin([0, 1], t[np.argsort(-uplift)][:k]).all() for k in range(1, 13)]
    naive = np.r_[0, np.where(seen, curve.gain[1:] / np.arange(1, 13) - effect, 0.0)]
    middle, between = (np.arange(12) + 0.5) / 12, (naive[1:] + naive[:-1]) / 2
    golden = PLAIN["causalml 0.18"]
    assert np.average(between, weights=1 / middle) == close(golden["rate_score(autoc)"])
    assert np.average(between, weights=middle) == close(golden["rate_score(qini)"])
    grf = toc(y, uplift, t, propensity=0.5, shares=np.arange(1, 13) / 12).toc
    assert abs(grf.mean() - golden["rate_score(autoc)"]) > 0.2


@both
def test_sklifts_qini_is_the_same_in_any_row_order_and_causalmls_is_not(case):
    low, high = case["scikit-uplift range over row shuffles: qini"]
    assert low == high == close(qini_score(*columns(case), definition="sklift"))
    ranges = case["causalml range over 200 row shuffles: auuc, qini"]
    for (lowest, highest), metric in zip(ranges, (uplift_auc, qini_score), strict=True):
        assert lowest - 1e-9 <= metric(*columns(case), definition="causalml") <= highest + 1e-9
