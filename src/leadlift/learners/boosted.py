"""LightGBM on bins that are already there: the same model as its scikit-learn face fits, without cutting bins anew."""

from __future__ import annotations

from typing import Any, Literal

import lightgbm as lgb
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor

from leadlift.base.arrays import Bools, Floats
from leadlift.learners.features import Features, Rows, as_matrix
from leadlift.learners.small_trees import SmallTrees, small_trees

# What a fit on given bins takes; a model with any other setting is fitted through its own face.
_BOOSTING = frozenset(
    {
        "boosting_type",
        "colsample_bytree",
        "deterministic",
        "force_col_wise",
        "force_row_wise",
        "learning_rate",
        "max_depth",
        "min_child_samples",
        "min_child_weight",
        "min_split_gain",
        "n_estimators",
        "n_jobs",
        "num_leaves",
        "objective",
        "random_state",
        "reg_alpha",
        "reg_lambda",
        "subsample",
        "subsample_freq",
        "verbosity",
    }
)
_ELSEWHERE = {"class_weight": None, "importance_type": "split", "subsample_for_bin": 200_000}


def shares_bins(estimator: Any) -> bool:
    """Whether a model is plain LightGBM, whose fit on shared bins is the fit that its own face would make."""
    if type(estimator) not in (LGBMClassifier, LGBMRegressor):
        return False
    settings = estimator.get_params()
    plain = all(settings.pop(name, value) == value for name, value in _ELSEWHERE.items())
    repeatable = settings["random_state"] is None or isinstance(settings["random_state"], int)
    named = settings["objective"] is None or isinstance(settings["objective"], str)
    return plain and repeatable and named and settings.keys() <= _BOOSTING


class Boosted:
    """A LightGBM model fitted on shared bins.

    Args:
        estimator: LightGBM's classifier or regressor, for which `shares_bins` holds.
    """

    def __init__(self, estimator: LGBMClassifier | LGBMRegressor) -> None:
        settings = estimator.get_params()
        for name in _ELSEWHERE:
            settings.pop(name, None)
        self.trees = settings.pop("n_estimators")
        objective = settings.pop("objective")
        kind = "binary" if isinstance(estimator, LGBMClassifier) else "regression"
        self.params = {key: value for key, value in settings.items() if value is not None}
        self.params |= {"objective": objective or kind, "metric": "None"}
        self._seen: Features | None = None
        self._small: SmallTrees | Literal[False] | None = None

    def fit(self, rows: Rows, y: Floats, weight: Floats | None) -> Boosted:
        """Fits on rows, their outcomes y and weights, shapes (rows,)."""
        self.booster = lgb.Booster(self.params, rows.labelled(y, weight))
        grown = [not self.booster.update() for _ in range(self.trees)]
        # Where the first tree finds no split, LightGBM keeps the mean in its place, and leaves it out of the scores of
        # rows that are added later: such models predict from features.
        self._seen = rows.features if grown and grown[0] else None
        return self

    def stopped_early(self, rows: Rows, y: Floats, weight: Floats | None, held: Bools, patience: int) -> Boosted:
        """Fits with as many trees as predict the rows `held` best, grown on the others; then on all rows.

        Args:
            rows, y, weight: as in `fit`.
            held: which rows choose the number of trees, shape (rows,).
            patience: trees without a gain after which growing ends.
        """
        some, others = Rows(rows.features, rows.index[~held]), Rows(rows.features, rows.index[held])
        if len(some) and len(others):
            grown = lgb.train(
                {**self.params, "metric": ""},
                some.labelled(y[~held], None if weight is None else weight[~held]),
                self.trees,
                valid_sets=[others.labelled(y[held], None if weight is None else weight[held])],
                callbacks=[lgb.early_stopping(patience, verbose=False)],
            )
            self.trees = max(1, grown.best_iteration)
        return self.fit(rows, y, weight)

    def at(self, rows: Rows) -> Floats:
        """Predictions for rows, shape (rows,): of small trees by column, else from bins of the features fitted on."""
        if len(rows) == 0:
            return np.empty(0)
        if self._small is None:
            self._small = small_trees(self.booster, self.params["objective"]) or False
        if self._small:
            return self._small.at(rows)
        if self._seen is not rows.features:
            return self.predict(rows.frame())
        found: list[Floats] = []

        def keep(predicted: Floats, _: lgb.Dataset) -> tuple[str, float, bool]:
            found.append(np.array(predicted, dtype=np.float64))
            return "predicted", 0.0, True

        # Rows' bins stay the same object, so that a second call finds its predictions made.
        self.booster.eval(rows.bins(), "rows", keep)
        return found[0]

    def predict(self, X: pd.DataFrame) -> Floats:
        """Predictions for encoded features, shape (n,)."""
        if len(X) == 0:
            return np.empty(0)
        return np.asarray(self.booster.predict(as_matrix(X), num_threads=1), dtype=np.float64)

    def release(self) -> None:
        """Lets go of the bins that the model was fitted on; it predicts as before."""
        if self._seen is not None:
            self.booster = lgb.Booster(model_str=self.booster.model_to_string())
            self._seen = None

    def __getstate__(self) -> dict[str, Any]:
        return {
            **self.__dict__,
            "booster": lgb.Booster(model_str=self.booster.model_to_string()),
            "_seen": None,
            "_small": None,
        }
