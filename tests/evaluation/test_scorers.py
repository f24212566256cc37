"""Scorers: treatment and propensity by metadata routing, values of the areas and losses they stand for."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_validate

from leadlift.base.errors import DataError
from leadlift.evaluation import autoc, qini_score, uplift_scorer
from leadlift.learners import TLearner

DOCUMENTED = Path(__file__).parents[2] / "docs" / "learners.md"


def leads(n=3000, arms=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    shares = np.array([0.5, 0.5] if arms == 2 else [0.5, 0.3, 0.2])
    arm = rng.choice(arms, size=n, p=shares)
    y = X[:, 1] + arm * X[:, 0] + rng.normal(size=n)
    return X, y, {"treatment": arm, "propensity": np.tile(shares, (n, 1))}


def test_the_documented_search_runs_as_it_stands():
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENTED.read_text(encoding="utf-8"), re.DOTALL)
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(code, {})
    chosen, means = told.getvalue().splitlines()
    assert chosen == "2 leaves for effects"
    assert means == "2 0"
    assert not sklearn.get_config()["enable_metadata_routing"]


@pytest.mark.parametrize("arms", [2, 3])
def test_areas_are_the_metrics(arms):
    X, y, given = leads(arms=arms)
    learner = TLearner(outcome_model=LinearRegression()).fit(X, y, **given)
    uplift, arm, shares = learner.predict(X).reshape(len(y), -1), given["treatment"], given["propensity"]
    for name, metric in (("qini", qini_score), ("autoc", autoc)):
        areas = []
        for k in range(1, arms):
            pair = (arm == 0) | (arm == k)
            share = shares[0, k] / (shares[0, 0] + shares[0, k])
            areas.append(metric(y[pair], uplift[pair, k - 1], arm[pair] == k, propensity=share))
        assert uplift_scorer(name)(learner, X, y, **given) == pytest.approx(np.mean(areas))
        assert np.mean(areas) > 0.1


@pytest.mark.parametrize("name", ["dr_loss", "r_loss"])
@pytest.mark.parametrize("arms", [2, 3])
def test_losses_are_least_at_the_truth(name, arms):
    X, y, given = leads(20_000, arms)
    truth = X[:, [0]] * np.arange(1, arms)

    class Says:
        classes_ = np.arange(arms)

        def __init__(self, uplift):
            self.uplift = uplift

        def predict(self, X):
            return self.uplift

    score = uplift_scorer(name)
    best = score(Says(truth), X, y, **given)
    assert best > max(score(Says(wrong), X, y, **given) for wrong in (0 * truth, 2 * truth, truth + 1, truth - 1))
    known = np.column_stack([X[:, 1]] + [X[:, 1] + k * X[:, 0] for k in range(1, arms)])
    # Nothing but noise is left: of residuals its variance, 1, times nothing.
    if name == "r_loss":
        assert score(Says(truth), X, y, outcomes=known, **given) == pytest.approx(-1, abs=0.05)


def test_routing_hands_over_what_scorers_request():
    X, y, given = leads()
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            TLearner(outcome_model=LinearRegression()),
            {"outcome_model": [DummyRegressor(), LinearRegression()]},
            scoring={name: uplift_scorer(name) for name in ("qini", "autoc", "dr_loss", "r_loss")},
            refit="dr_loss",
            cv=KFold(3),
        ).fit(X, y, **given)
        for name in ("qini", "autoc", "dr_loss", "r_loss"):
            means = search.cv_results_[f"mean_test_{name}"]
            assert means[1] > means[0], name
        one = cross_validate(
            TLearner(outcome_model=LinearRegression()), X, y, params=given, scoring=uplift_scorer("qini"), cv=KFold(3)
        )
    assert one["test_score"].min() > 0


def test_what_scorers_refuse():
    with pytest.raises(DataError, match=r"(?s)\[measure\].*did you mean `qini`"):
        uplift_scorer("quini")
    X, y, given = leads()
    learner = TLearner(outcome_model=LinearRegression()).fit(X, y, **given)
    with pytest.raises(DataError, match=r"(?s)\[unknown-arm\].*2"):
        uplift_scorer("qini")(learner, X, y, treatment=given["treatment"] + 1, propensity=given["propensity"])


@pytest.mark.parametrize("name", ["qini", "autoc", "dr_loss", "r_loss"])
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"y": np.r_[np.nan, np.zeros(2999)]}, "`y` has a finite number on every row"),
        ({"treatment": np.zeros(2999)}, "one value per lead"),
        ({"sample_weight": np.r_[-1.0, np.ones(2999)]}, "not negative, nor all 0\n    1 of 3,000"),
        ({"sample_weight": np.r_[np.nan, np.ones(2999)]}, "`sample_weight` has a finite number"),
        ({"sample_weight": np.ones(2999)}, "one value per lead"),
    ],
)
def test_scorers_give_no_number_for_leads_that_have_none(name, changed, words):
    X, y, given = leads()
    learner = TLearner(outcome_model=LinearRegression()).fit(X, y, **given)
    given = {"y": y, **given, **changed}
    with pytest.raises(DataError, match=words):
        uplift_scorer(name)(learner, X, given.pop("y"), **given)


@pytest.mark.parametrize("outcomes", [np.zeros((3000, 1)), np.full((3000, 2), np.nan)])
@pytest.mark.parametrize("name", ["dr_loss", "r_loss"])
def test_losses_refuse_outcomes_that_are_not_by_arm(name, outcomes):
    X, y, given = leads()
    learner = TLearner(outcome_model=LinearRegression()).fit(X, y, **given)
    with pytest.raises(DataError, match="a column per arm, control first"):
        uplift_scorer(name)(learner, X, y, **given, outcomes=outcomes)
