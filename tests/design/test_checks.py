"""Checks of a log: each can pass, and each can fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leadlift import AssignmentLog
from leadlift.base.records import Check
from leadlift.design import RULES, check_log
from leadlift.design.check_rules import LEVEL
from small_logs import small_log


def checks(frame: pd.DataFrame, **columns: Any) -> dict[str, Check]:
    arguments: dict[str, Any] = {
        "outcome": "won",
        "features": ["size", "channel"],
        "lead_id": "id",
        "score": "score",
        "propensity": {"none": 0.5, "call": 0.5},
        **columns,
    }
    log = AssignmentLog.from_frame(frame, treatment="arm", control="none", **arguments)
    return {check.code: check for check in check_log(log, features_named=arguments["features"] is not None, seed=0)}


def test_a_sound_log_passes_every_check() -> None:
    assert {check.status for check in checks(small_log(2_000)).values()} == {"pass"}


def test_a_broken_split_stops() -> None:
    found = checks(small_log(2_000), propensity={"none": 0.7, "call": 0.3})["sample-ratio"]
    assert found.status == "stop"
    assert "none 1,000 (planned 1,400.0), call 1,000 (planned 600.0)" in found.message


def test_outcomes_lost_in_one_arm_are_no_broken_split() -> None:
    frame = small_log(3_000)
    treated = frame.index[frame["arm"] == "call"]
    frame["won"] = frame["won"].astype(float)
    frame.loc[treated[: len(treated) * 3 // 10], "won"] = np.nan
    found = checks(frame)
    assert found["sample-ratio"].status == "pass"
    assert found["outcomes-missing"].status == "stop"
    assert "none 0 of 1,500 rows (0%), call 450 of 1,500 rows (30%)" in found["outcomes-missing"].message


def test_a_few_lost_outcomes_are_counted_and_said() -> None:
    frame = small_log(3_000)
    frame["won"] = frame["won"].astype(float)
    frame.loc[::100, "won"] = np.nan
    assert checks(frame)["outcomes-missing"].status == "pass"


def test_a_feature_that_the_touch_changed_is_out_of_balance() -> None:
    frame = small_log(2_000)
    frame["size"] += (frame["arm"] == "call") * 0.3
    assert checks(frame)["balance"].status == "warn"


@pytest.mark.parametrize(("spread", "status"), [(1.0, "pass"), (4.0, "warn")])
def test_amounts_that_rest_on_a_few_leads_are_said(spread: float, status: str) -> None:
    frame = small_log(2_000)
    frame["amount"] = np.exp(spread * np.random.default_rng(1).normal(size=len(frame)))
    assert checks(frame, outcome="amount")["support"].status == status


def test_rare_events_and_rare_arms_are_said() -> None:
    frame = small_log(400)
    frame["won"] = (np.arange(400) % 40 == 0).astype(int)
    assert checks(frame)["support"].status == "warn"
    few = {"none": 0.99, "call": 0.01}
    rare = small_log(4_000)
    rare["arm"] = np.where(np.random.default_rng(0).random(4_000) < 0.01, "call", "none")
    assert checks(rare, propensity=few)["propensities"].status == "warn"


def test_features_that_were_not_named_are_said() -> None:
    found = checks(small_log(2_000), features=None)["features"]
    assert found.status == "warn"
    assert "name those known before assignment" in found.message


def test_the_page_lists_every_check_and_no_log_meets_more_than_ten_that_err() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")
    assert [rule.code for rule in RULES if f"| `{rule.code}`{' ✱' if rule.by_chance else ''} |" not in page] == []
    assert len({rule.code for rule in RULES}) == len(RULES)
    assert sum(rule.by_chance for rule in RULES) * LEVEL <= 0.05
    assert f"level of {LEVEL:g};" in page
    assert all(rule.fix and (rule.warns or rule.stops) for rule in RULES)
