"""Frames of every library in, and out again: arrays in the order of rows from learners, tables as what came in."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from leadlift import AssignmentLog
from leadlift.base.errors import DataError
from leadlift.base.records import BalanceRow, Check, LearnerChoice, RowAccount, StudyResult
from leadlift.learners import TLearner, cross_fit
from leadlift.study import tables
from small_logs import COLUMNS, small_log

TABLE = pa.Table
FRAMES = {
    "pandas": (lambda frame: frame, pd.DataFrame),
    "polars": (pl.from_pandas, pl.DataFrame),
    "lazy polars": (lambda frame: pl.from_pandas(frame).lazy(), pl.DataFrame),
    "arrow": (TABLE.from_pandas, TABLE),
    "duckdb": (lambda frame: duckdb.connect().from_arrow(TABLE.from_pandas(frame)), TABLE),
}


@pytest.fixture(params=FRAMES, name="kind")
def any_kind(request):
    return FRAMES[request.param]


def as_pandas(frame) -> pd.DataFrame:
    return frame if isinstance(frame, pd.DataFrame) else frame.to_pandas()


def test_a_learner_predicts_an_array_in_the_order_of_rows(kind):
    made, _ = kind
    frame = small_log(400)
    X, given = frame[["size", "channel"]], {"treatment": frame["arm"], "propensity": np.full(400, 0.5)}
    learner = TLearner("none", lightgbm={"min_child_samples": 20})
    wanted = learner.fit(X, frame["won"], **given).predict(X)
    found = learner.fit(made(X), frame["won"], **given).predict(made(X))
    assert isinstance(found, np.ndarray)
    assert np.ptp(wanted) > 0
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(learner.predict(X[::-1]), wanted[::-1])


@pytest.mark.parametrize("arms", [("none", "call"), ("none", "call", "sms")])
def test_predictions_go_out_as_the_frame_that_came_in(kind, arms):
    made, wanted = kind
    frame = small_log(400, arms=arms).sample(frac=1, random_state=0).reset_index(drop=True)
    frame["won"] = frame["won"].astype("Int64").mask(frame.index < 5)
    names = {**COLUMNS, "propensity": dict.fromkeys(arms, 1 / len(arms)), "lead_id": "id"}
    given = made(frame)
    log = AssignmentLog.from_frame(given, **names)
    found = cross_fit({"t": TLearner(lightgbm={"min_child_samples": 20})}, log, folds=2)
    table = found.frame(log, like=given)
    assert isinstance(table, wanted)
    one = as_pandas(table)
    columns = ["uplift_t"] if len(arms) == 2 else ["uplift_t[call]", "uplift_t[sms]"]
    assert list(one.columns) == ["lead_id", "treatment", "fold", *columns]
    # Leads stand as they came; those without an outcome are not there.
    assert one["lead_id"].tolist() == frame["id"].tolist()[5:]
    assert one["treatment"].tolist() == frame["arm"].tolist()[5:]
    at = {name: row for row, name in enumerate(log.lead_id)}
    rows = [at[name] for name in one["lead_id"]]
    np.testing.assert_array_equal(one[columns].to_numpy(), found.uplift["t"][rows])
    np.testing.assert_array_equal(one["fold"].to_numpy(), found.fold[rows])


def study() -> StudyResult:
    return StudyResult(
        *("study", "2026-11-22", "c", "l", None, {}, RowAccount(read=2, used=2), {"none": 1, "call": 1}),
        *("won", "binary", 2, False),
        checks=(Check("rows", "pass", 2, "2 of 2"), Check("score", "warn", None, "none")),
        balance=(BalanceRow("size", "call", 0.25), BalanceRow("channel", "call", -0.5)),
        choices=(LearnerChoice("call", None, None),),
    )


def test_a_studys_tables_go_out_as_any_frame(kind):
    made, wanted = kind
    plain, found = tables(study()), tables(study(), like=made(small_log(40)))
    assert found.keys() == plain.keys() == {"balance", "checks", "choices"}
    for name, table in found.items():
        assert isinstance(table, wanted)
        assert list(as_pandas(table).columns) == list(plain[name].columns)
        assert len(as_pandas(table)) == len(plain[name])
    assert as_pandas(found["balance"])["difference"].tolist() == [0.25, -0.5]


def test_without_a_frame_to_be_like_tables_are_pandas():
    log = AssignmentLog.from_frame(small_log(40), **COLUMNS)
    found = cross_fit({"t": TLearner()}, log, folds=2)
    assert found.frame(log)["lead_id"].tolist() == list(range(40))
    with pytest.raises(DataError, match="found something else"):
        found.frame(log, like=[1, 2])
