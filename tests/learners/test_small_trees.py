"""Small trees by column are LightGBM's own predictions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor

from leadlift.learners.boosted import Boosted
from leadlift.learners.features import Features, Rows
from leadlift.learners.small_trees import small_trees


def drawn(gaps, n=40_000):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("abcd"))
    if gaps:
        X = X.mask(rng.random(X.shape) < 0.2)
    y = X["a"].fillna(1.0) - (X["b"] > 0) + X["c"].isna() + rng.normal(size=n)
    return X, y.to_numpy()


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("leaves", [2, 3, 4])
@pytest.mark.parametrize("kind", [LGBMRegressor, LGBMClassifier])
def test_predictions_are_lightgbms(kind, leaves, gaps):
    X, y = drawn(gaps)
    y = (y > 0).astype(float) if kind is LGBMClassifier else y
    rows = Rows(Features(X), np.arange(0, len(X), 2))
    model = Boosted(kind(n_estimators=30, num_leaves=leaves, n_jobs=1, verbosity=-1)).fit(rows, y[::2], None)
    # Values missing where none was at fit, and zeros, are read as LightGBM reads them.
    others = X.mask(np.random.default_rng(1).random(X.shape) < 0.1).mask(
        np.random.default_rng(2).random(X.shape) < 0.1, 0
    )
    judged = Rows(Features(others), np.arange(1, len(X), 2))
    trees = small_trees(model.booster, model.params["objective"])
    assert trees is not None
    assert np.ptp(trees.at(judged)) > 0.1
    np.testing.assert_allclose(trees.at(judged), model.predict(judged.frame()), atol=1e-12)
    np.testing.assert_array_equal(model.at(judged), trees.at(judged))


@pytest.mark.parametrize(
    "settings",
    [{"num_leaves": 5}, {"num_leaves": 3, "objective": "poisson"}, {"num_leaves": 3, "zero_as_missing": True}],
)
def test_other_models_are_left_to_lightgbm(settings):
    X, y = drawn(gaps=True)
    model = LGBMRegressor(n_estimators=5, n_jobs=1, verbosity=-1, **settings).fit(X, np.abs(y))
    assert small_trees(model.booster_, settings.get("objective", "regression")) is None


def test_categories_are_left_to_lightgbm():
    X, y = drawn(gaps=False)
    X["kind"] = np.where(X["a"] > 0, "high", "low")
    rows = Rows(Features(X), np.arange(len(X)))
    model = Boosted(LGBMRegressor(n_estimators=20, num_leaves=3, n_jobs=1, verbosity=-1)).fit(rows, y, None)
    half = Rows(rows.features, np.arange(0, len(X), 2))
    np.testing.assert_allclose(model.at(half), model.predict(half.frame()), atol=1e-12)
