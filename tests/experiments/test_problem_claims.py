"""Committed results on claims of problems: none where there are none, none false beside true ones."""

import json
from pathlib import Path

import pytest
from scipy import stats

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "problems_claims"


@pytest.fixture(scope="module")
def rows():
    return [json.loads(line) for line in (FOLDER / "results.jsonl").read_text(encoding="utf-8").splitlines()]


def test_problems_are_claimed_in_less_than_one_of_a_hundred_companies_without_any(rows):
    none = [row for row in rows if row["piece"]["part"] == "none"]
    companies, claimed = (
        sum(values) for values in zip(*((r["piece"]["companies"], r["claimed"]) for r in none), strict=True)
    )
    assert companies > 4_900
    assert stats.binomtest(claimed, companies).proportion_ci(method="exact").high < 0.01
    # Each way of being independent, and each size, on its own.
    for name in ("breadth", "popularity", "draw", "organisations"):
        for value in {row["piece"][name] for row in none}:
            of = [row for row in none if row["piece"][name] == value]
            assert sum(row["claimed"] for row in of) <= 0.01 * sum(row["piece"]["companies"] for row in of)


def test_the_configuration_model_is_cautious_where_it_holds(rows):
    held = [row for row in rows if row["piece"].get("draw") == "margins only"]
    assert max(row["below_05"] for row in held) < 0.05
    # Unrelated products have a lift below 1, as the README says.
    assert 0.8 < min(row["lift"] for row in held) < 0.9
    assert max(row["lift"] for row in held) < 1
    alike = [row for row in rows if row["piece"]["part"] == "none" and row["piece"]["breadth"] == "alike"]
    assert all(0.83 <= row["lift"] < 0.9 and 0.002 < row["below_05"] < 0.012 for row in alike)


def test_no_false_problem_beside_true_ones_and_strong_ones_are_found(rows):
    weak = [row for row in rows if row["piece"]["part"] == "weak"]
    assert sum(row["false"] for row in weak) == 0
    assert sum(row["none"] for row in weak if row["piece"]["odds"] == 1) == sum(
        row["piece"]["companies"] for row in weak if row["piece"]["odds"] == 1
    )
    strong = [row for row in weak if row["piece"]["odds"] == 32]
    assert all(row["found"] > 0.75 * row["piece"]["problems"] for row in strong)
