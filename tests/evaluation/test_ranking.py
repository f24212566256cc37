"""Rankings: who may judge them, and what is said where no one can."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from leadlift import AssignmentLog
from leadlift.evaluation import judge_sequentially, ranking_differences, ranking_results
from leadlift.learners import cross_fit, make_learners
from small_logs import small_log


def judged(frame: pd.DataFrame, **columns: Any) -> tuple[list[Any], list[Any]]:
    arguments = {"features": ["size", "channel"], "lead_id": "id", "score": "score", "outcome": "won", **columns}
    log = AssignmentLog.from_frame(
        frame, treatment="arm", control="none", propensity={"none": 0.5, "call": 0.5}, **arguments
    )
    learners = make_learners(["x"], 0)
    fitted = cross_fit(learners, log, folds=2)
    blocks = judge_sequentially(log, learners, seed=0)
    return ranking_results(log, blocks, fitted.outcomes, seed=0), ranking_differences(log, blocks)


def whole_clients(n: int, clients: int) -> pd.DataFrame:
    """A log whose clients have one arm each."""
    frame = small_log(n)
    client = np.arange(n) % clients
    return frame.assign(client=client, arm=np.array(["none", "call"])[client % 2])


def test_under_ten_organisations_an_arm_no_area_is_given() -> None:
    results, differences = judged(whole_clients(900, 16), organisation="client")
    for row in results:
        assert row.qini is None
        assert row.qini_lower is None
        assert row.message.startswith("too few organisations: fewer than 10 in an arm")
    assert differences[0].difference is None


def test_few_organisations_are_judged_in_fewer_blocks() -> None:
    results, _ = judged(whole_clients(2_000, 120), organisation="client")
    learner = next(row for row in results if row.learner == "x")
    assert 1 <= learner.blocks_used <= 2
    assert learner.qini is not None


def test_a_block_with_few_outcomes_is_left_out() -> None:
    frame = small_log(400)
    frame["won"] = 0
    frame.loc[::40, "won"] = 1
    results, _ = judged(frame)
    assert {row.message.split(":")[0] for row in results} == {"too few outcomes"}


def test_one_enormous_amount_is_one_outcome_not_two_thousand() -> None:
    frame = small_log(2_000)
    frame["amount"] = np.exp(4 * np.random.default_rng(1).normal(size=len(frame)))
    results, _ = judged(frame, outcome="amount")
    assert all(row.qini is None and row.message.startswith("too few outcomes") for row in results)


@pytest.mark.parametrize("name", ["x", "score"])
def test_the_gain_of_everyone_is_the_end_of_the_curve(name: str) -> None:
    results, _ = judged(small_log(2_000))
    curve = next(row for row in results if row.learner == name).curve
    assert curve[0].gain == 0
    assert curve[-1].share == 1
    assert curve[-1].gain == pytest.approx(curve[-1].random)
