"""scikit-learn's own checks of estimators, through an adapter that supplies treatment and propensity."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from leadlift.learners import DRLearner, RLearner, SLearner, TLearner, XLearner

# Checks that are left out, and why.
LEFT_OUT = {
    "check_estimators_empty_data_messages": "without features the uplift of all leads is predicted, not an error",
    "check_sample_weight_equivalence_on_dense_data": (
        "LightGBM counts rows, not weights, in its smallest leaf, and other rows are other folds inside; exact "
        "with models that take weights exactly: test_a_weight_of_two_is_a_row_twice"
    ),
}


class HalfTreated:
    """Supplies what scikit-learn's checks don't know of: every other row is treated."""

    def fit(self, X, y, sample_weight=None):
        rows = X.shape[0] if hasattr(X, "shape") else len(np.asarray(X))
        half = {"treatment": np.arange(rows) % 2, "propensity": np.full(rows, 0.5)}
        return super().fit(X, y, **half, sample_weight=sample_weight)


class HalfS(HalfTreated, SLearner): ...


class HalfT(HalfTreated, TLearner): ...


class HalfX(HalfTreated, XLearner): ...


class HalfR(HalfTreated, RLearner): ...


class HalfDR(HalfTreated, DRLearner): ...


def left_out(estimator):
    return LEFT_OUT


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([HalfT(), HalfX()], expected_failed_checks=left_out)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([HalfS(), HalfR(), HalfDR()], expected_failed_checks=left_out)
def test_scikit_learns_checks_of_the_other_learners(estimator, check):
    check(estimator)
