"""A plan in words, as a table and as a figure."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from leadlift.base.experiment import parse_experiment
from leadlift.base.yaml import read_yaml
from leadlift.design import DesignPlan, plan_design
from leadlift.report import change, plan_answer, plan_notes, plan_table, power_curves

TODAY = date(2026, 11, 21)
EXAMPLE = Path(__file__).parents[2] / "configs" / "spring_calls.yaml"
THREE = {"control": {"share": 0.5}, "call": {"share": 0.3}, "mail $1 <b>": {"share": 0.2}}


def plan(lot: dict[str, Any] | None = None, **given: Any) -> DesignPlan:
    arms = {"control": {"share": 0.5}, "call": {"share": 0.5}}
    values = {"experiment": {"arms": arms, "unit": "lead", **(lot or {})}, "score_groups": {"cuts": [0.2, 0.6]}}
    return plan_design(parse_experiment({**values, "plan": given}, today=TODAY), today=TODAY)


@pytest.fixture(scope="module")
def example() -> DesignPlan:
    return plan_design(parse_experiment(read_yaml(EXAMPLE), today=TODAY), today=TODAY)


def test_the_table_has_a_row_per_question(example) -> None:
    table = plan_table(example)
    assert [len(row.cells) for row in table.rows] == [len(table.columns)] * len(example.rows)
    assert [heading for heading, _ in table.grouped] == [
        "uplift",
        "difference in uplift",
        "gains most: larger than every other",
    ]


def test_arms_are_named_where_there_are_several() -> None:
    found = plan(lot={"arms": THREE}, baseline=0.2, uplift=0.05, leads=3000)
    assert "uplift, mail $1 <b> against control" in [heading for heading, _ in plan_table(found).grouped]
    assert any("(mail $1 <b>)" in words for words in plan_answer(found))


def test_nothing_asked_says_the_smallest() -> None:
    words = plan_answer(plan(baseline=0.2, leads_per_week=200))
    # 2.8016 sqrt((0.2 x 0.8 + 0.2587 x 0.7413) / 800) = 0.0587
    assert words[0] == "1,600 leads in 8 weeks: the smallest you can see in 8 weeks is +5.9 pp over all leads."


def test_one_number_is_asked_of_all_leads() -> None:
    found = plan(baseline=0.2, group_shares={"low": 0.5, "medium": 0.3, "high": 0.2}, uplift=0.05, leads=3000)
    words = plan_answer(found)
    assert words[0].startswith("Seeing +5 pp over all leads needs about 2,200 leads; you have 3,000; the smallest")
    assert words[1].startswith("Seeing as much in one group alone needs about: low ")
    assert words[2] == "No other split shows the uplift asked for over all leads sooner."
    assert {row.question for row in found.rows} == {"overall", "group", "difference", "best"}
    assert [heading for heading, _ in plan_table(found).grouped] == ["uplift"]


def test_nothing_known_says_what_to_give() -> None:
    assert plan_answer(plan(baseline=0.2))[0].startswith("Give `plan.uplift`")


def test_money_has_no_percentage_points() -> None:
    found = plan(baseline=100, sd=80, uplift=9, leads_per_week=200)
    words = " ".join(plan_answer(found))
    assert "Seeing +9.0 over all leads" in words
    assert "pp" not in words
    assert "pp" not in "".join(column.title for column in plan_table(found).columns)


def test_too_few_organisations_are_said() -> None:
    size = {"leads_per_organisation": {"mean": 4, "cv": 0.5}, "rho": 0.1}
    found = plan(lot={"unit": "organisation"}, baseline=0.3, uplift=0.25, leads=60, **size)
    assert any("under 10 organisations" in note for note in plan_notes(found))
    assert "7 organisations in an arm: under 10 no interval is given" in plan_answer(found)[0]


def test_uncorrected_levels_are_said() -> None:
    assert plan_notes(plan(baseline=0.2, correction="none"))[0].endswith("several are not corrected for.")


def test_the_figure_is_the_same_every_time(example) -> None:
    first, second = power_curves(example), power_curves(example)
    assert first.svg == second.svg
    assert first.png_bytes == second.png_bytes
    medium = next(row for row in example.rows if row.segment == "medium")
    assert f"medium: {change(medium.detectable, 'binary', 2)}" in first.alt


@pytest.mark.parametrize(
    "given",
    [
        {"baseline": 0.2, "leads": 1000},
        {"baseline": 0.2, "uplift": 0.05},
        {"baseline": 100, "sd": 30, "uplift": -3, "leads_per_week": 50},
        {"baseline": 0.98, "leads_per_week": 3},
    ],
)
def test_a_figure_for_every_kind_of_plan(given: dict[str, Any]) -> None:
    assert power_curves(plan(lot={"arms": THREE}, **given)).svg.startswith("<svg")


def test_without_leads_and_target_there_is_no_figure() -> None:
    with pytest.raises(ValueError, match="neither leads nor an uplift"):
        power_curves(plan(baseline=0.2))
