"""Input that used to give a number that meant nothing, or an error of another library."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from leadlift import AssignmentLog
from leadlift.base.errors import DataError
from leadlift.evaluation import judge_sequentially
from leadlift.learners import CausalForest, DRLearner, RLearner, TLearner, UpliftForest, XLearner, cross_fit

N = 600


def drawn():
    rng = np.random.default_rng(3)
    X = pd.DataFrame({"size": rng.normal(size=N), "code": rng.choice([10, 20], N)})
    arm = rng.integers(2, size=N)
    y = rng.normal(size=N) + 3 * arm * (X["code"] == 10)
    return X, y.to_numpy(), {"treatment": arm, "propensity": np.full(N, 0.5)}


@pytest.mark.parametrize("Learner", [TLearner, XLearner, RLearner, UpliftForest, CausalForest])
def test_an_arm_without_weight_is_refused(Learner):
    X, y, given = drawn()
    with pytest.raises(DataError, match=r"\[weights\] leads of every arm have weight\n    only zeros in 0"):
        Learner().fit(X, (y > 0).astype(float), **given, sample_weight=given["treatment"].astype(float))


@pytest.mark.parametrize("Learner", [TLearner, XLearner, RLearner, DRLearner])
def test_the_scale_of_weights_means_nothing(Learner):
    X, y, given = drawn()
    one, other = (
        Learner().fit(X, y, **given, sample_weight=weight).predict(X) for weight in (np.ones(N), np.full(N, 2.0**-20))
    )
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"treatment": np.zeros((N, 1))}, r"`treatment` has one entry per lead\n    shape \(600, 1\)"),
        ({"y": pd.Series(pd.date_range("2026-01-01", periods=N))}, "`y` holds numbers\n    found dates"),
        ({"y": np.ones(N) * 1j}, "`y` holds numbers\n    found complex"),
        ({"groups": np.array([None, *["A"] * (N - 1)], dtype=object)}, "organisation of every lead\n    none in 1"),
        ({"X": np.zeros((N, 2)).view(), "names": ["a", "a"]}, "a name of its own\n    twice: a"),
    ],
)
def test_input_that_means_nothing(changed, words):
    X, y, given = drawn()
    given = {"X": X, "y": y, **given, **changed}
    if names := given.pop("names", None):
        given["X"] = pd.DataFrame(given["X"], columns=names)
    with pytest.raises(DataError, match=words):
        TLearner().fit(given.pop("X"), given.pop("y"), **given)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"lightgbm": {"num_leavs": 4}}, r"`num_leavs`: did you mean `num_leaves`\?"),
        ({"lightgbm": {"n_estimators": 0}}, "`n_estimators` 0"),
        ({"patience": 0}, "`patience` is a whole number of trees"),
        ({"random_state": None}, "`random_state` is a whole number"),
    ],
)
def test_settings_that_mean_nothing(settings, words):
    X, y, given = drawn()
    with pytest.raises(DataError, match=words):
        XLearner(**settings).fit(X, y, **given)


@pytest.mark.parametrize("kind", [str, float, "category"])
def test_codes_are_the_same_category_however_they_are_stored(kind):
    X, y, given = drawn()
    learner = TLearner().fit(X.astype({"code": str}), y, **given)
    found, expected = learner.predict(X.astype({"code": kind})), learner.predict(X.astype({"code": str}))
    np.testing.assert_array_equal(found, expected)
    assert expected[X["code"] == 10].mean() > 2
    assert expected[X["code"] == 20].mean() < 1


def test_dates_are_days():
    X, y, given = drawn()
    rng = np.random.default_rng(4)
    dated = X.assign(since=pd.Timestamp("2024-02-01") + pd.to_timedelta(rng.integers(0, 500, N), unit="D"))
    y = y + 5 * given["treatment"] * (dated["since"] > pd.Timestamp("2025-01-01"))
    numbered = dated.assign(since=(dated["since"] - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1))
    by_date, by_number = TLearner().fit(dated, y, **given), TLearner().fit(numbered, y, **given)
    # Later dates than any at fit are the last ones, not unknown categories.
    later = dated.assign(since=pd.Timestamp("2030-01-01"))
    np.testing.assert_array_equal(by_date.predict(dated), by_number.predict(numbered))
    assert by_date.predict(later).mean() > 4
    with pytest.raises(DataError, match="`since` was a date and now holds no dates"):
        by_date.predict(numbered)


def test_a_forest_says_where_it_has_no_uplift():
    X, y, given = drawn()
    few = {**given, "treatment": (np.arange(N) < 3).astype(int)}
    with pytest.raises(DataError, match="leaves hold leads of every arm"):
        CausalForest(n_estimators=10).fit(X, y, **few).predict(X)


def flat():
    X, y, given = drawn()
    frame = X.astype({"code": str}).assign(arm=given["treatment"], y=y)
    roles = {"treatment": "arm", "control": 0, "outcome": "y", "features": ["size", "code"]}
    return AssignmentLog.from_frame(frame, propensity={0: 0.5, 1: 0.5}, **roles)


@pytest.mark.parametrize("settings", [{"folds": 0}, {"folds": -3}, {"repeats": 0}])
def test_folds_that_cannot_be(settings):
    with pytest.raises(DataError, match="two folds or more, drawn once or more"):
        cross_fit(TLearner(), flat(), **settings)


def test_a_pipeline_is_cross_fitted_and_judged_under_the_callers_routing():
    log = flat()
    encoded = make_column_transformer((OneHotEncoder(), ["code"]), remainder="passthrough")
    pipeline = make_pipeline(encoded, TLearner(outcome_model=LinearRegression()))
    with sklearn.config_context(enable_metadata_routing=True):
        found = cross_fit({"p": pipeline}, log).uplift["p"]
        blocks = judge_sequentially(log, {"p": pipeline}, seed=0)
    plain = cross_fit({"t": TLearner()}, log).uplift["t"]
    assert np.corrcoef(found[:, 0], plain[:, 0])[0, 1] > 0.9
    assert all(block.rankings["p", "1"].qini > 0 for block in blocks)


def test_a_learner_cannot_take_the_scores_name():
    with pytest.raises(DataError, match="`score` is the log's own score"):
        judge_sequentially(flat(), {"score": TLearner()}, seed=0)
