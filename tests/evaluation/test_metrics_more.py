"""The rest of the libraries' numbers on the same two logs: uplift@k, bins, perfect curves, divisors.

Where leads tie, the libraries' numbers are those of one order of the rows: pylift and causalml put the first row first,
scikit-uplift's uplift@k and bins the last one. With ties broken likewise, every number is met.
"""

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


def first_row_first(case, sign=1):
    """The columns with ties broken by the order of the rows."""
    y, uplift, t = columns(case)
    return y, np.argsort(np.lexsort((-sign * np.arange(len(y)), uplift))), t


def last_row_first(case):
    return first_row_first(case, sign=-1)


def close(value, tolerance=1e-9):
    return pytest.approx(value, rel=0, abs=tolerance)


def test_what_both_files_hold_is_the_same():
    areas = json.loads((GOLDEN / "uplift_metrics.json").read_text())["cases"]
    for more, case in zip(CASES, areas, strict=True):
        for name, value in case["scikit-uplift"].items():
            assert more["scikit-uplift 0.5.1"][name] == value


@both
@strategies
@pytest.mark.parametrize("k", [0.3, 0.5])
def test_uplift_at_k(case, strategy, k):
    assert uplift_at_k(*last_row_first(case), k=k, strategy=strategy) == close(
        case["scikit-uplift 0.5.1"][f"uplift_at_k({strategy},{k})"]
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


def deviation(mean, n):
    return np.sqrt(mean * (1 - mean) / n)


@both
@strategies
def test_uplift_by_bin_and_its_weighted_mean(case, strategy):
    golden = case["scikit-uplift 0.5.1"]
    found = uplift_by_bin(*last_row_first(case), bins=2, strategy=strategy)
    expected = golden[f"uplift_by_percentile({strategy},bins=2,std)"]
    *bins, total = golden[f"uplift_by_percentile({strategy},bins=2,std,total)"]
    assert bins == expected
    ours = {
        "n_treatment": [row.n_treatment for row in found],
        "n_control": [row.n_control for row in found],
        "response_rate_treatment": [row.treatment_mean for row in found],
        "response_rate_control": [row.control_mean for row in found],
        "uplift": [row.uplift for row in found],
        "std_treatment": [deviation(row.treatment_mean, row.n_treatment) for row in found],
        "std_control": [deviation(row.control_mean, row.n_control) for row in found],
    }
    ours["std_uplift"] = np.hypot(ours["std_treatment"], ours["std_control"]).tolist()
    for name, values in ours.items():
        assert values == close([row[name] for row in expected])
    # Its error of all leads adds the bins' up: not an error of anything.
    for name in ("std_treatment", "std_control", "std_uplift"):
        assert total[name] == close(sum(ours[name]))
    mean = np.average([row.uplift for row in found], weights=[row.n_treatment for row in found])
    assert mean == close(golden[f"weighted_average_uplift({strategy},bins=2)"])


@both
@strategies
def test_one_bin_is_everyone(case, strategy):
    total = case["scikit-uplift 0.5.1"][f"uplift_by_percentile({strategy},bins=2,std,total)"][-1]
    (everyone,) = uplift_by_bin(*columns(case), bins=1, strategy=strategy)
    assert everyone.uplift == close(total["uplift"])
    assert everyone.treatment_mean == close(total["response_rate_treatment"])
    assert everyone.control_mean == close(total["response_rate_control"])
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


@strategies
def test_weights_are_as_many_copies_to_uplift_at_k(strategy):
    y, uplift, t = columns(TIED)
    copies = np.random.default_rng(1).integers(1, 4, len(y))
    again = [np.repeat(column, copies) for column in (y, uplift, t)]
    for k in (0.5, 1.0):
        whole = uplift_at_k(*again, k=int(k * copies.sum()) if strategy == "overall" else k, strategy=strategy)
        if strategy == "overall" or all(k * copies[t == arm].sum() % 1 == 0 for arm in (0, 1)):
            share = int(k * copies.sum()) / copies.sum() if strategy == "overall" else k
            assert uplift_at_k(y, uplift, t, k=share, strategy=strategy, sample_weight=3.0 * copies) == close(whole)
    rows = uplift_by_bin(y, uplift, t, bins=1, strategy=strategy, sample_weight=copies)
    assert rows[0].uplift == close(uplift_by_bin(*again, bins=1, strategy=strategy)[0].uplift)
    bins = uplift_by_bin(y, uplift, t, bins=3, sample_weight=copies)
    assert [row.n_treatment + row.n_control for row in bins] == close([4, 4, 4])


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
    assert case["scikit-uplift 0.5.1"]["perfect_qini_curve_noneg"] == [[0.0, gain, n], [0.0, gain, gain]]
    assert over_random / (gain * (n - gain) / 2) == close(expected)


@both
def test_pylifts_other_areas(case):
    golden, p = case["pylift"], case["p"]
    most = qini_score(*perfect(case), propensity=p, definition="pylift")
    assert most == close(golden["Q_max"])
    qini = qini_score(*first_row_first(case), propensity=p, definition="pylift")
    gains = uplift_auc(*first_row_first(case), propensity=p, definition="pylift")
    assert (qini, gains) == close((golden["Q_qini"], golden["Q_cgains"]))
    # With arms of equal size its adjusted Qini curve is scikit-uplift's per treated lead, 6, and per lead, 12.
    curve = qini_curve(*first_row_first(case), definition="sklift")
    adjusted = np.trapezoid(curve.gain - curve.random, curve.leads) / 12 / 6
    assert (adjusted, curve.gain.max() / 6) == close((golden["Q_aqini"], golden["max_aqini"]))
    assert qini_score(*first_row_first(case), definition="sklift") == close(golden["q1_aqini"])
    practical = golden["Q_practical_max"]
    for name, area in {"qini": qini, "cgains": gains, "aqini": adjusted}.items():
        assert (area / most, area / practical) == close((golden[f"q1_{name}"], golden[f"q2_{name}"]))
    curves = (
        qini_curve(*first_row_first(case), propensity=p, definition="pylift"),
        uplift_curve(*first_row_first(case), propensity=p, definition="pylift"),
    )
    assert [curve.gain.max() for curve in curves] == close([golden["max_qini"], golden["max_cgains"]])
    assert [curve.gain[-1] for curve in curves] == close([golden["overall_lift"]] * 2)


@both
def test_causalmls_curves_and_areas(case):
    golden = case["causalml 0.18"]
    gain, qini = (curve(*first_row_first(case), definition="causalml") for curve in (uplift_curve, qini_curve))
    lift = np.divide(gain.gain, gain.leads, out=np.zeros(13), where=gain.leads > 0)
    assert lift == close(np.array(golden["get_cumlift"]))
    assert gain.gain == close(np.array(golden["get_cumgain"]))
    assert qini.gain == close(np.array(golden["get_qini"]))
    for metric, curve, name in ((uplift_auc, gain, "auuc_score"), (qini_score, qini, "qini_score")):
        area = metric(*first_row_first(case), definition="causalml")
        assert area == close(golden[f"{name}(normalize=True)"])
        assert area * abs(curve.gain[-1]) == close(golden[f"{name}(normalize=False)"])


@both
def test_causalmls_rate_is_another_quantity(case):
    """Its AUTOC weighs shares by 1/q and its QINI by q, both scaled to 1; grf's weighs by 1, and by q unscaled."""
    y, uplift, t = first_row_first(case)
    curve = uplift_curve(y, uplift, t, definition="sklift")
    effect = y[t == 1].mean() - y[t == 0].mean()
    seen = [np.isin([0, 1], t[np.argsort(-uplift)][:k]).all() for k in range(1, 13)]
    naive = np.r_[0, np.where(seen, curve.gain[1:] / np.arange(1, 13) - effect, 0.0)]
    middle, between = (np.arange(12) + 0.5) / 12, (naive[1:] + naive[:-1]) / 2
    golden = case["causalml 0.18"]
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
        found = metric(*columns(case), definition="causalml")
        assert lowest - 1e-9 <= found <= highest + 1e-9
        if case is PLAIN:
            assert (lowest, highest) == close((found, found))
