"""Every value of the golden file: power, sizes, splits, tests, sequences, adjusted p-values."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leadlift.design.power import detectable, leads_needed, normal_leads, power_of
from leadlift.design.split import sample_ratio_p
from leadlift.inference.multiplicity import adjust_p_values
from leadlift.inference.sequences import asymptotic_sequence
from leadlift.inference.two_samples import Sample, proportions_test, welch_test

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "experiment_statistics.json").read_text())


def near(value: float, rtol: float = 1e-9) -> Any:
    return pytest.approx(value, rel=rtol, abs=1e-12)


@pytest.mark.parametrize("case", GOLDEN["power"], ids=lambda case: case["from"])
def test_power(case: dict[str, Any]) -> None:
    names = ("variances", "leads", "alpha", "method", "alternative")
    found = power_of(case["effect"], **{name: case[name] for name in names})
    assert found == near(case["power"], case.get("rtol", 1e-9))


@pytest.mark.parametrize("case", GOLDEN["detectable"], ids=lambda case: case["from"])
def test_detectable(case: dict[str, Any]) -> None:
    names = ("leads", "alpha", "power", "method")
    found = detectable(variances_at=lambda _: case["variances"], **{name: case[name] for name in names})
    assert found == near(case["effect"])


@pytest.mark.parametrize("case", GOLDEN["leads"], ids=lambda case: f"{case['from']}, {case['alpha']}, {case['power']}")
def test_leads(case: dict[str, Any]) -> None:
    if "arcsine" in case:
        low, high = (2 * math.asin(math.sqrt(rate)) for rate in case["arcsine"])
        case = {**case, "effect": high - low}
    names = ("variances", "shares", "alpha", "power", "method")
    found = leads_needed(case["effect"], **{name: case[name] for name in names})
    if case.get("far_tail") is False:
        variances, shares = np.array(case["variances"]), np.array(case["shares"])
        found = normal_leads(case["effect"], variances, shares, case["alpha"], case["power"])
    if "rounded_up" in case:
        assert math.ceil(found) == case["rounded_up"]
    elif "first" in case:
        assert found * case["shares"][0] == near(case["first"])
    else:
        assert found == near(case["leads"], case["rtol"])


@pytest.mark.parametrize("case", GOLDEN["sample_ratio"], ids=lambda case: f"{case['method']} {case['counts']}")
def test_sample_ratio(case: dict[str, Any]) -> None:
    assert sample_ratio_p(case["counts"], case["shares"], method=case["method"]) == near(case["p"])


@pytest.mark.parametrize("name", ["two_sample", "two_sample_gbstats"])
def test_welch(name: str) -> None:
    case = GOLDEN[name]
    test = welch_test(Sample(**case["treated"]), Sample(**case["control"]), level=0.95)
    found = {
        "control": case["control"]["mean"],
        "treatment": case["treated"]["mean"],
        "effect": test.effect,
        "diff": test.effect,
        "ci": [test.interval.lower, test.interval.upper],
        "rel_effect": test.relative_effect,
        "rel_ci": [test.relative_interval.lower, test.relative_interval.upper],
        "pvalue": test.p_value,
        "statistic": test.statistic,
    }
    assert {key: found[key] for key in case["expected"]} == {key: near(v) for key, v in case["expected"].items()}


def test_proportions() -> None:
    case = GOLDEN["proportions"]
    counts = [case[name] for name in ("events_treated", "n_treated", "events_control", "n_control")]
    pooled = proportions_test(*counts, method="pooled", level=0.95)
    assert pooled.p_value == near(case["expected"]["z pvalue"])
    assert [pooled.interval.lower, pooled.interval.upper] == near(case["expected"]["z ci"])
    for method in ("fisher", "boschloo"):
        assert proportions_test(*counts, method=method, level=0.95).p_value == near(case["expected"][method])


@pytest.mark.parametrize("method", GOLDEN["multiplicity"]["expected"])
def test_multiplicity(method: Any) -> None:
    case = GOLDEN["multiplicity"]
    assert adjust_p_values(case["p"], method=method).tolist() == near(case["expected"][method])


@pytest.mark.parametrize("tuned_at", GOLDEN["sequence"]["expected"])
def test_sequence(tuned_at: str) -> None:
    case = GOLDEN["sequence"]
    se = float(np.sqrt(sum(sd**2 / n for sd, n in case["parts"])))
    leads = sum(n for _, n in case["parts"])
    found = asymptotic_sequence(case["value"], se, leads, tuned_at=int(tuned_at), level=case["level"])
    assert [found.lower, found.upper] == near(case["expected"][tuned_at])
