from __future__ import annotations

import dataclasses

import pytest
import report_studies as made

import leadlift.report
from leadlift.report import all_tables, summary_table
from leadlift.report._method import settings
from leadlift.report._reading import control_arm
from leadlift.report.format import decimals_for, estimate, interval, number, p_value, spoken


def test_every_row_is_as_wide_as_the_table(study_name):
    for table in all_tables(made.ALL[study_name]()).values():
        assert all(len(row.cells) == len(table.columns) for row in table.rows)


def test_effects_stand_by_arm_and_group_with_aipw_first():
    table = all_tables(made.three_arms())["effects"]
    assert [group for group, _ in table.grouped] == ["Mens E-Mail against No E-Mail", "Womens E-Mail against No E-Mail"]
    assert [row.cells[:2] for row in table.rows[:4]] == [
        ("all leads", "AIPW"),
        ("all leads", "difference in means"),
        ("low", "AIPW"),
        ("low", "difference in means"),
    ]
    titles = [column.title for column in table.columns]
    assert titles[-1] == "true effect"
    assert table.rows[2].cells[titles.index("effect (pp)")] == "+7.1"
    assert table.rows[2].cells[titles.index("simultaneous 95%")] == "[5.7, 8.5]"


def test_organisations_are_told_apart_from_leads():
    per_lead = made.study().effects
    both = per_lead + tuple(dataclasses.replace(e, estimand="per_organisation") for e in per_lead)
    table = all_tables(made.study(effects=both))["effects"]
    assert table.headers == 3
    assert {row.cells[2] for row in table.rows} == {"lead", "organisation"}


def test_remarks_show_only_when_there_are_any():
    assert "remark" not in [c.title for c in all_tables(made.study())["learners"].columns]
    nulls = all_tables(made.nulls())["learners"]
    assert nulls.columns[-1].title == "remark"
    assert nulls.rows[0].cells[-1] == "Too few outcomes: 11 of 20 needed."


def test_missing_numbers_are_dashes():
    table = all_tables(made.nulls())["effects"]
    assert table.rows[0].cells[4:] == ("–",) * 8


def test_rows_add_up_on_the_page():
    cells = [row.cells[:2] for row in all_tables(made.study())["rows"].rows]
    assert cells[:5] == [
        ("read", "48,950"),
        ("dropped: open window", "610"),
        ("dropped: held out", "300"),
        ("dropped: late", "40"),
        ("used", "48,000"),
    ]


def test_numbers():
    assert estimate(0.021, 0.004, 0.038, "binary") == "+2.1 pp [0.4, 3.8]"
    assert estimate(None, None, None, "binary") == "–"
    assert estimate(12.4, 3.1, 21.7, "money") == "+12 [3, 22]"
    assert interval(-0.00004, 0.00004, "money", 2) == "[0.00, 0.00]"
    assert number(float("nan"), 2) == "–"
    assert number(float("inf"), 2) == "–"
    assert p_value(0.0) == "<0.0001"
    assert spoken(None, 1.0, "money") == "not available"
    assert decimals_for([], "binary") == 1
    assert decimals_for([None, float("nan"), 0.0], "money") == 2
    assert decimals_for([1e-12], "money") == 6


def test_the_shop_window_is_sorted():
    offered = leadlift.report.__all__
    assert offered == sorted(offered, key=lambda name: (not name.isupper(), name.islower(), name))
    assert all(hasattr(leadlift.report, name) for name in offered)


def test_summary_holds_the_answering_effects_only():
    table = summary_table(made.three_arms())
    assert [row.cells[0] for row in table.rows] == ["all leads", "low", "medium", "high"] * 2
    assert table.rows[1].cells == ("low", "16,017", "4.0%", "11.1%", "+7.1", "[5.7, 8.5]", "<0.0001", "+7.5")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"data": {"propensity": {"control": "call"}, "control": "none"}}, "none"),
        ({"data": {"treatment": {"column": "arm", "control": "none"}}}, "none"),
        ({}, "none"),
    ],
)
def test_control_is_found(given, expected):
    study = made.study(arms={"none": 3, "call": 4}, settings=given)
    assert control_arm(study) == expected


def test_settings_are_flat_and_hold_no_secrets():
    study = made.study(settings={"a": {"b": True, "c": [1, 2], "d": None}, "uri": "https://bob:hunter2@host/x"})
    assert settings(study) == (("a.b", "yes"), ("a.c", "1, 2"), ("a.d", "–"), ("uri", "https://host/x"))
