"""Early stopping on a fold of organisations; saving, loading; outcomes of every kind; any number of threads."""

from __future__ import annotations

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMRegressor
from sklearn.linear_model import LinearRegression

from leadlift.base.errors import DataError
from leadlift.data import AssignmentLog
from leadlift.learners import (
    CausalForest,
    DRLearner,
    RLearner,
    SLearner,
    TLearner,
    UpliftForest,
    XLearner,
    cross_fit,
    make_learners,
)
from leadlift.learners.boosted import Boosted
from leadlift.learners.cross_fit import log_sample
from small_logs import COLUMNS, small_log

LEARNERS = [SLearner, TLearner, XLearner, RLearner, DRLearner]


def drawn(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"a": rng.normal(size=n), "channel": rng.choice(["web", "phone", None], size=n)})
    arm, organisation = rng.integers(2, size=n), rng.integers(n // 8, size=n)
    y = X["a"].to_numpy() + arm * (X["channel"] == "web") + rng.normal(size=n)
    return X, y, {"treatment": arm, "propensity": np.full(n, 0.5), "groups": organisation}


@pytest.mark.parametrize("learner", [SLearner(patience=5), XLearner(patience=5, backend="causalml")])
def test_patience_that_would_do_nothing_is_refused(learner):
    X, arm = np.arange(400.0)[:, None], np.arange(400) % 2
    with pytest.raises(DataError, match="`patience` with"):
        learner.fit(X, X[:, 0], treatment=arm, propensity=np.full(400, 0.5))


@pytest.mark.parametrize("Learner", [TLearner, XLearner, RLearner, DRLearner])
def test_boosting_stops_where_a_fold_of_organisations_gains_no_more(Learner):
    X, y, given = drawn()
    many = {"n_estimators": 80, "learning_rate": 0.4, "num_leaves": 31}
    stopped = Learner(lightgbm=many, patience=5).fit(X, y, **given)
    whole = Learner(lightgbm=many).fit(X, y, **given)
    truth = (X["channel"] == "web").to_numpy()
    error = [np.mean((learner.predict(X) - truth) ** 2) for learner in (stopped, whole)]
    assert error[0] < 0.5 * error[1]
    model = stopped.outcome_models_[0] if Learner is TLearner else np.ravel(stopped.effect_models_)[0]
    assert isinstance(model, Boosted)
    assert 1 <= model.trees < 80


def test_the_fold_that_stops_is_of_whole_organisations():
    log = AssignmentLog.from_frame(small_log(600), **{**COLUMNS, "organisation": "client"})
    sample = log_sample(log, np.arange(600), 0)
    held = pd.Series(sample.stopping_fold).groupby(log.organisation)
    assert (held.nunique() == 1).all()
    assert held.first().mean() == pytest.approx(0.2, abs=0.03)


def test_other_models_cannot_be_stopped():
    X, y, given = drawn()
    with pytest.raises(DataError, match=r"(?s)\[patience\].*`patience` with LinearRegression"):
        TLearner(outcome_model=LinearRegression(), patience=5).fit(X[["a"]], y, **given)


@pytest.mark.parametrize("Learner", [*LEARNERS, UpliftForest, CausalForest])
def test_saved_and_loaded_learners_predict_the_same_and_are_small(Learner, tmp_path):
    X, y, given = drawn()
    y = (y > 0.5).astype(float)
    small = {"n_estimators": 10} if Learner in (UpliftForest, CausalForest) else {}
    learner = Learner(**small).fit(X, y, **given)
    joblib.dump(learner, tmp_path / "learner.joblib")
    for loaded in (pickle.loads(pickle.dumps(learner)), joblib.load(tmp_path / "learner.joblib")):
        np.testing.assert_array_equal(loaded.predict(X), learner.predict(X))
    assert (tmp_path / "learner.joblib").stat().st_size < 1_000_000


@pytest.mark.parametrize("kind", ["binary", "count", "money"])
@pytest.mark.parametrize("Learner", LEARNERS)
def test_outcomes_of_every_kind(Learner, kind):
    X, _, given = drawn()
    rng, lift = np.random.default_rng(1), given["treatment"] * (X["channel"] == "web").to_numpy()
    chance = 0.2 + 0.3 * lift
    y = {
        "binary": (rng.random(4000) < chance).astype(float),
        "count": rng.poisson(1 + lift).astype(float),
        "money": (rng.random(4000) < chance) * rng.gamma(2, 50, size=4000),
    }[kind]
    uplift = Learner().fit(X, y, **given).predict(X)
    web = (X["channel"] == "web").to_numpy()
    truth = {"binary": 0.3, "count": 1.0, "money": 30.0}[kind]
    assert uplift[web].mean() - uplift[~web].mean() > (0.1 if Learner is SLearner else 0.5) * truth


def test_a_poisson_model_is_as_lightgbms_own():
    X, _, given = drawn()
    X = X[["a"]].round(1).clip(-2, 2)
    y = np.random.default_rng(1).poisson(1 + given["treatment"]).astype(float)
    model = LGBMRegressor(objective="poisson", n_estimators=20, n_jobs=1, verbosity=-1)
    ours = TLearner(outcome_model=model).fit(X, y, **given).predict(X)
    theirs = TLearner(outcome_model=model, backend="causalml").fit(X, y, **given).predict(X)
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_any_number_of_threads_gives_the_same_bits(monkeypatch):
    log = AssignmentLog.from_frame(small_log(1200), **COLUMNS)
    few = {"lightgbm": {"n_estimators": 20}}
    learners = make_learners(["s", "t", "x", "r", "dr"], 0, {"r": few, "dr": few, "x": {"patience": 5}})
    found = []
    for processors in (1, 8):
        monkeypatch.setattr("leadlift.learners.threads.cpu_count", lambda n=processors: n)
        monkeypatch.setattr("leadlift.learners.features.cpu_count", lambda n=processors: n)
        found.append(cross_fit(learners, log, folds=2).uplift)
    for name in learners:
        assert np.ptp(found[0][name]) > 0
        np.testing.assert_array_equal(found[0][name], found[1][name])
