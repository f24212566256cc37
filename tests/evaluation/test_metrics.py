"""Areas and curves against the libraries whose definitions they carry, and against grf's through rank_area."""

import json
from pathlib import Path

import numpy as np
import pytest

from leadlift.evaluation.curves import qini_curve, toc, uplift_curve
from leadlift.evaluation.metrics import autoc, qini_score, rate, uplift_auc

GOLDEN = Path(__file__).parents[1] / "golden"
BALANCED = json.loads((GOLDEN / "uplift_metrics.json").read_text())["cases"]
UNBALANCED = json.loads((GOLDEN / "uplift_metrics_unbalanced.json").read_text())["cases"]
CASES = BALANCED + UNBALANCED
UNTIED = [case for case in CASES if not case["ties"]]
LOCKED = json.loads((GOLDEN / "inference_rate.json").read_text())


def label(case):
    return case["label"]


def columns(case):
    return case["y"], case["uplift"], case["t"]


def close(value):
    return pytest.approx(value, rel=0, abs=1e-9)


def test_the_golden_cases_are_all_there():
    assert len(UNTIED) == 4
    assert [len(cases) for cases in (BALANCED, UNBALANCED)] == [2, 4]
    assert min(case["causalml"]["get_qini"][-1] for case in UNTIED) < 0, "one log has a negative effect"


@pytest.mark.parametrize("case", CASES, ids=label)
def test_sklift_areas(case):
    golden = case["scikit-uplift"]
    assert qini_score(*columns(case), definition="sklift") == close(golden["qini_auc_score"])
    assert uplift_auc(*columns(case), definition="sklift") == close(golden["uplift_auc_score"])


@pytest.mark.parametrize("case", CASES, ids=label)
@pytest.mark.parametrize(("curve", "name"), [(uplift_curve, "uplift_curve"), (qini_curve, "qini_curve")])
def test_sklift_curves(case, curve, name):
    leads, gain = case["scikit-uplift"][name]
    found = curve(*columns(case), definition="sklift")
    assert found.leads.tolist() == leads
    assert found.gain == close(np.array(gain))


@pytest.mark.parametrize("case", UNTIED, ids=label)
def test_causalml_areas(case):
    golden = case["causalml"]
    assert qini_score(*columns(case), definition="causalml") == close(golden["qini_score"])
    assert uplift_auc(*columns(case), definition="causalml") == close(golden["auuc_score"])


@pytest.mark.parametrize("case", UNTIED, ids=label)
@pytest.mark.parametrize(("curve", "name"), [(uplift_curve, "get_cumgain"), (qini_curve, "get_qini")])
def test_causalml_curves(case, curve, name):
    found = curve(*columns(case), definition="causalml")
    assert found.leads.tolist() == list(range(len(case["y"]) + 1))
    assert found.gain == close(np.array(case["causalml"][name]))


@pytest.mark.parametrize("score", ["qini_score", "auuc_score"])
def test_causalml_under_ties_lies_within_what_row_order_makes_of_it(score):
    tied = BALANCED[1]
    lowest, highest = tied["causalml range over 200 row shuffles"][score]
    metric = qini_score if score == "qini_score" else uplift_auc
    assert lowest < metric(*columns(tied), definition="causalml") < highest


@pytest.mark.parametrize("case", UNTIED, ids=label)
def test_pylift_areas_with_the_designs_propensities(case):
    golden = case["pylift"]
    assert qini_score(*columns(case), propensity=case["p"], definition="pylift") == close(golden["Q_qini"])
    assert uplift_auc(*columns(case), propensity=case["p"], definition="pylift") == close(golden["Q_cgains"])
    curve = qini_curve(*columns(case), propensity=case["p"], definition="pylift")
    assert curve.gain[-1] == close(golden["overall_lift"])


@pytest.mark.parametrize("case", UNTIED[1:], ids=label)
def test_pylift_areas_with_the_realised_share(case):
    golden = case["pylift inferred"]
    assert qini_score(*columns(case), definition="pylift") == close(golden["Q_qini"])
    assert uplift_auc(*columns(case), definition="pylift") == close(golden["Q_cgains"])
    assert qini_curve(*columns(case), definition="pylift").gain[-1] == close(golden["overall_lift"])


@pytest.mark.parametrize("case", BALANCED, ids=label)
@pytest.mark.parametrize("definition", ["leadlift", "grf"])
def test_grf_areas_and_toc(case, definition):
    y, uplift, t = columns(case)
    golden, p = case["grf"], case["p"]
    assert qini_score(y, uplift, t, propensity=p, definition=definition) == close(golden["QINI"])
    assert uplift_auc(y, uplift, t, propensity=p, definition=definition) == close(golden["QINI"])
    assert autoc(y, uplift, t, propensity=p, definition=definition) == close(golden["AUTOC"])
    curve = toc(y, uplift, t, propensity=p, shares=np.arange(1, 13) / 12, definition=definition)
    assert curve.toc == close(np.array(golden["TOC"]))


def test_rate_is_grfs_on_its_own_locked_test():
    priority = LOCKED["priorities"]["X"]
    assert rate(LOCKED["scores"], priority["priority"]) == close(priority["autoc"])
    assert rate(LOCKED["scores"], priority["priority"], target="qini") == close(priority["qini"])
    tied = LOCKED["ties"]
    assert rate(tied["scores"], tied["priority"]) == close(tied["autoc"])
    found = rate(tied["scores"], tied["priority"], weights=tied["weights"], target="qini")
    assert found == close(tied["weighted_qini"])


def test_each_definition_says_its_unit():
    case = BALANCED[0]
    units = {name: qini_curve(*columns(case), definition=name).unit for name in ("leadlift", "pylift", "sklift")}
    assert units["leadlift"] == units["pylift"] == "outcome units per lead of the log"
    assert units["sklift"] == "outcome units, over the treated among the leads touched"


@pytest.mark.parametrize("definition", ["leadlift", "sklift", "pylift", "causalml"])
def test_the_random_line_runs_straight_to_the_last_gain(definition):
    case = BALANCED[0]
    curve = uplift_curve(*columns(case), definition=definition)
    assert curve.gain[-1] == close(case["pylift"]["overall_lift"] * (1 if "leads touched" not in curve.unit else 12))
    assert curve.random == close(np.linspace(0, curve.gain[-1], 13))


def test_a_curve_is_frozen_and_turns_into_plain_values():
    curve = uplift_curve([1, 0, 1, 0], [2, 2, 1, 1], [1, 0, 0, 1], groups=["a", "a", "b", "c"], propensity=0.5)
    with pytest.raises(ValueError, match="read-only"):
        curve.gain[0] = 1.0
    assert curve.to_dict() == {
        "kind": "uplift",
        "definition": "leadlift",
        "leads": [0.0, 2.0, 4.0],
        "share": [0.0, 0.5, 1.0],
        "gain": [0.0, 0.5, 0.0],
        "random": [0.0, 0.0, 0.0],
        "unit": "outcome units per lead of the log",
        "n_organisations": 3,
    }
    assert curve.area == 0.25


def test_toc_reads_at_the_distinct_values_unless_told_where():
    columns = [1, 0, 1, 0], [2, 2, 1, 1], [1, 0, 0, 1]
    found = toc(*columns, propensity=0.5)
    assert found.share.tolist() == [0.5, 1.0]
    assert found.toc.tolist() == [1.0, 0.0]
    assert found.mean_uplift == 0.0
    assert toc(*columns, propensity=0.5, shares=[0.75]).toc.tolist() == [1 / 3]
