"""The models inside the learners: LightGBM with defaults chosen for uplift, behind one face."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, LGBMModel, LGBMRegressor
from sklearn.base import BaseEstimator, clone, is_classifier

from leadlift.base.arrays import Codes, Floats
from leadlift.base.problems import did_you_mean, stop
from leadlift.learners.features import Rows

# Uplift is a small difference between two models, and every leaf that splits on noise adds to it twice. On five known
# truths the X-learner's order of unseen leads gained 50, 70 and 80% of what the true order gains (5,000, 20,000 and
# 100,000 leads); with LightGBM's own 31 leaves of at least 20 rows 26, 44 and 66%. See experiments/learner_defaults.
UPLIFT_DEFAULTS: dict[str, Any] = {
    "n_estimators": 100,
    "learning_rate": 0.05,
    "num_leaves": 3,
    "min_child_samples": 100,
    "reg_lambda": 1.0,
}
# One thread per model, models side by side (`threads`): the same bits on any machine, and faster on small data.
REPEATABLE: dict[str, Any] = {"n_jobs": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}
WEIGHT = "__sample_weight__"


def default_model(
    kind: Literal["binary", "number"], random_state: int, settings: Mapping[str, Any] | None = None
) -> BaseEstimator:
    """LightGBM for a binary outcome (a classifier) or for numbers (a regressor).

    Args:
        kind: of the outcome.
        random_state: seed.
        settings: what differs from `UPLIFT_DEFAULTS`, in LightGBM's words.
    """
    model = LGBMClassifier if kind == "binary" else LGBMRegressor
    known = model().get_params()
    wrong = [name for name in settings or {} if name not in known]
    if wrong:
        rule = "`lightgbm` holds settings that LightGBM's scikit-learn models name"
        fix = "for others pass whole models: `outcome_model=`, `effect_model=`"
        raise stop("the learner", "lightgbm", rule, f"`{wrong[0]}`: {did_you_mean(wrong[0], known)}", fix)
    if (settings or {}).get("n_estimators", 1) < 1:
        rule = "there is a tree or more"
        raise stop(
            "the learner", "lightgbm", rule, f"`n_estimators` {(settings or {})['n_estimators']}", "leave it out"
        )
    return model(**{**UPLIFT_DEFAULTS, **REPEATABLE, **(settings or {})}, random_state=random_state)


class MeanModel(BaseEstimator):
    """One estimator whose `predict` is the expected outcome, whether it classifies or regresses.

    causalml hands its models nothing but X and y. Sample weights therefore travel as a last column of X, which this
    takes off again. Without features, or where outcomes do not vary, the mean is the prediction.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: pd.DataFrame, y: Any) -> MeanModel:
        """Fits a copy of the estimator on X, shape (n, features), and y, shape (n,)."""
        X, weight = _split_weight(X)
        y = np.asarray(y, dtype=np.float64)
        flat = X.shape[1] == 0 or (y == y[0]).all()
        self.constant_ = float(np.average(y, weights=weight)) if flat else None
        if self.constant_ is None:
            extra = {} if weight is None else {"sample_weight": weight}
            target = _classes(y) if is_classifier(self.estimator) else y
            self.model_ = clone(self.estimator).fit(self._named(X), target, **extra)
        return self

    def predict(self, X: pd.DataFrame) -> Floats:
        """Expected outcome, shape (n,), outcome units."""
        X, _ = _split_weight(X)
        if self.constant_ is not None or len(X) == 0:
            return np.full(len(X), 0.0 if self.constant_ is None else self.constant_)
        if is_classifier(self.estimator):
            return np.asarray(self.model_.predict_proba(self._named(X))[:, 1], dtype=np.float64)
        return np.asarray(self.model_.predict(self._named(X)), dtype=np.float64)

    def at(self, rows: Rows) -> Floats:
        """Expected outcome of rows, shape (rows,), outcome units."""
        return self.predict(rows.frame())

    def release(self) -> None:
        """Nothing is held that prediction does not need."""

    def _named(self, X: pd.DataFrame) -> pd.DataFrame:
        """X under names that LightGBM takes: it refuses brackets, quotes, commas and colons."""
        return X.set_axis([f"f{j}" for j in range(X.shape[1])], axis=1) if isinstance(self.estimator, LGBMModel) else X


def _classes(y: Floats) -> Codes:
    if not np.isin(y, (0.0, 1.0)).all():
        found = f"{int((~np.isin(y, (0.0, 1.0))).sum()):,} of {len(y):,} outcomes are other numbers"
        rule = "a classifier learns outcomes that are 0 or 1"
        raise stop("the learner's models", "classifier", rule, found, "pass a regressor as the model")
    return y.astype(np.intp)


def with_weight(X: pd.DataFrame, weight: Floats | None) -> pd.DataFrame:
    """X with its sample weights as a last column, or X itself without any."""
    return X if weight is None else X.assign(**{WEIGHT: weight})


def _split_weight(X: pd.DataFrame) -> tuple[pd.DataFrame, Floats | None]:
    if WEIGHT not in X.columns:
        return X, None
    return X.drop(columns=WEIGHT), np.asarray(X[WEIGHT], dtype=np.float64)
