"""What the report says of organisations' totals."""

from __future__ import annotations

import dataclasses

import report_studies as made

from leadlift.base.records import Effect, StudyResult
from leadlift.report import all_tables, answer, html


def total(outcome: str, segment: str, effect: float, half: float | None, arm: str = "call") -> Effect:
    interval = (None, None) if half is None else (effect - half, effect + half)
    return Effect(
        arm,
        outcome,
        "all" if segment == "all" else "score_group",
        segment,
        "organisation_totals",
        500,
        480,
        0.4,
        0.4 + effect,
        effect,
        0.02,
        *interval,
        *interval,
        0.01,
        0.02,
        estimand="organisation_total",
        n_organisations=980,
    )


def with_totals(*effects: Effect) -> StudyResult:
    study = made.study()
    return dataclasses.replace(study, effects=(*effects, *study.effects))


def test_a_sentence_per_arm_is_said_first() -> None:
    arm = made.study().effects[0].treatment
    study = with_totals(total("deals", "all", 0.05, 0.03, arm), total("revenue", "all", 900.0, None, arm))
    words = answer(study).organisations
    assert words == (
        f"“{arm}” per organisation, all its deals counted: deals +0.050 (95% interval 0.020 to 0.080), from 0.400 to "
        "0.450; revenue +900 (no interval can be given)."
    )
    page = html(study)
    assert page.index("all its deals counted") < page.index(answer(study).headline[:30])


def test_leads_keep_their_own_numbers() -> None:
    arm = made.study().effects[0].treatment
    plain, study = made.study(), with_totals(total("revenue", "all", 900_000.0, 5.0, arm))
    assert answer(study).headline == answer(plain).headline
    assert all_tables(study)["effects"].rows == all_tables(plain)["effects"].rows
    assert "organisations" not in all_tables(plain)
    assert answer(plain).organisations == ""


def test_the_table_sorts_groups_upwards() -> None:
    arm = made.study().effects[0].treatment
    effects = [total("deals", name, 0.1, 0.05, arm) for name in ("high", "all", "low", "medium")]
    table = all_tables(with_totals(*effects))["organisations"]
    assert [row.cells[0] for row in table.rows] == ["all", "low", "medium", "high"]
    assert table.rows[0].cells[1:5] == ("980", "0.40", "0.50", "+0.10")
