"""causalml's forests behind the learners' face."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from leadlift.base.errors import DataError
from leadlift.data import AssignmentLog
from leadlift.learners import CausalForest, UpliftForest, cross_fit
from small_logs import COLUMNS, small_log

FORESTS = [UpliftForest, CausalForest]


def drawn(n=3000, arms=2, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n)})
    X["channel"] = rng.choice(["web", "phone", None], size=n)
    X.loc[::9, "b"] = np.nan
    arm = rng.integers(arms, size=n)
    y = (rng.random(n) < 0.3 + 0.25 * (arm > 0) * (X["a"] > 0) + 0.1 * (arm > 1)).astype(float)
    return X, y, arm, np.full((n, arms), 1 / arms)


@pytest.mark.parametrize("arms", [2, 3])
@pytest.mark.parametrize("Forest", FORESTS)
def test_what_forests_learn(Forest, arms):
    X, y, arm, shares = drawn(arms=arms)
    forest = clone(Forest(n_estimators=20)).fit(X, y, treatment=arm, propensity=shares)
    uplift = forest.predict(X).reshape(len(X), -1)
    assert uplift.shape == (3000, arms - 1)
    moved = (X["a"] > 0.2).to_numpy()
    for k in range(arms - 1):
        assert uplift[moved, k].mean() > uplift[~moved, k].mean() + 0.05
        truth = 0.25 * (X["a"] > 0).mean() + 0.1 * (k > 0)
        assert uplift[:, k].mean() == pytest.approx(truth, abs=0.06)
    again = Forest(n_estimators=20).fit(X, y, treatment=arm, propensity=shares)
    np.testing.assert_array_equal(again.predict(X[::-1])[::-1], forest.predict(X))


@pytest.mark.parametrize("Forest", FORESTS)
def test_propensities_that_differ_are_used(Forest):
    """Where leads that buy anyway are called more often, plain means of the arms would call that uplift."""
    rng = np.random.default_rng(3)
    n = 8000
    strong = rng.random(n) < 0.5
    share = np.where(strong, 0.8, 0.2)
    arm = (rng.random(n) < share).astype(int)
    y = (rng.random(n) < 0.2 + 0.4 * strong).astype(float)
    X = pd.DataFrame({"noise": rng.normal(size=n)})
    uplift = Forest(n_estimators=20).fit(X, y, treatment=arm, propensity=share).predict(X)
    plain = Forest(n_estimators=20).fit(X, y, treatment=arm, propensity=np.full(n, 0.5)).predict(X)
    assert abs(uplift.mean()) < 0.05
    assert plain.mean() > 0.15


@pytest.mark.parametrize("Forest", FORESTS)
def test_propensities_that_differ_neither_move_nor_hide_the_uplift(Forest):
    """causalml's uplift forest multiplies rates by weights: mean 0.17 where the truth is 0.05, and no order."""
    rng = np.random.default_rng(0)
    n = 8000
    X = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n)})
    share = np.where(X["a"] > 0, 0.3, 0.7)
    arm = (rng.random(n) < share).astype(int)
    moved = (X["b"] > 0).to_numpy()
    y = (rng.random(n) < 0.2 + 0.05 * X["a"].clip(-2, 2) + 0.1 * arm * moved).astype(float)
    uplift = Forest(n_estimators=20).fit(X, y, treatment=arm, propensity=share).predict(X)
    assert uplift.mean() == pytest.approx(0.05, abs=0.02)
    assert uplift[moved].mean() > uplift[~moved].mean() + 0.05


@pytest.mark.parametrize("Forest", FORESTS)
def test_the_scale_of_weights_means_nothing_and_their_ratio_counts(Forest):
    X, y, arm, shares = drawn()
    fits = [
        Forest(n_estimators=5).fit(X, y, treatment=arm, propensity=shares, sample_weight=weight).predict(X)
        for weight in (None, np.full(3000, 4.0), np.where(X["a"] > 0, 9.0, 1.0))
    ]
    np.testing.assert_allclose(fits[0], fits[1], atol=1e-12)
    assert (fits[2] != fits[0]).any()
    assert (np.abs(fits[2]) <= 1).all()


def test_forests_in_a_study():
    log = AssignmentLog.from_frame(small_log(600), **COLUMNS)
    found = cross_fit({"forest": CausalForest(n_estimators=5), "uplift": UpliftForest(n_estimators=5)}, log, folds=2)
    assert all(np.isfinite(values).all() for values in found.uplift.values())


def test_an_uplift_forest_refuses_amounts_and_means_stand_in_for_features():
    X, y, arm, shares = drawn()
    with pytest.raises(DataError, match=r"(?s)\[outcome-kind\].*use `CausalForest`"):
        UpliftForest().fit(X, y * 2.5, treatment=arm, propensity=shares)
    none = pd.DataFrame(index=range(3000))
    uplift = CausalForest().fit(none, y, treatment=arm, propensity=shares).predict(none)
    np.testing.assert_allclose(uplift, y[arm == 1].mean() - y[arm == 0].mean())
