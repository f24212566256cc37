"""causalml's own learners, given what each needs to be right with propensities that are known.

causalml means by a propensity P(arm | arm or control). With more than two arms the marginal propensities are not that,
and marginal ones bias its answers. Its learners get the pairwise ones, at fit and at predict: without them they would
estimate propensities, which fails on missing values, or refuse to predict. Some turn frames into bare arrays and none
but R knows sample weights: so they get numbers alone, and the models inside turn these into features again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Floats
from leadlift.learners.features import as_matrix
from leadlift.learners.models import MeanModel, with_weight
from leadlift.learners.sample import ModelSpec, Sample

ARM = "__arm__"


class CausalML:
    """One of causalml's meta-learners behind the face that ours have.

    Args:
        learner: causalml's, not fitted, its models made by `as_mean`.
        sample: the leads.
        takes_propensity: whether its fit takes propensities.
        more: further arguments of its fit.
    """

    def __init__(self, learner: Any, sample: Sample, *, takes_propensity: bool = True, **more: Any) -> None:
        X = _numbers(sample.features.frame.iloc[sample.rows], sample.weight)
        if takes_propensity:
            more["p"] = pairwise(sample.propensity)
        self.learner = learner
        self.weighted = sample.weight is not None
        self.learner.fit(X, y=sample.y, treatment=sample.arm, **more)

    def predict(self, X: pd.DataFrame, pair: dict[int, Floats]) -> Floats:
        """Uplift for encoded features and pairwise propensities, shape (n, arms - 1)."""
        if len(X) == 0:
            return np.empty((0, len(pair)))
        return np.asarray(self.learner.predict(self._numbers(X), p=pair), dtype=np.float64)

    def outcomes(self, X: pd.DataFrame) -> Floats:
        """Expected outcomes of a learner with a model per arm, shape (n, arms), control first."""
        _, control, treated = self.learner.predict(self._numbers(X), return_components=True, verbose=False)
        arms = [np.asarray(treated[index]) for index in sorted(treated)]
        return np.column_stack([np.asarray(control[min(control)]), *arms])

    def _numbers(self, X: pd.DataFrame) -> pd.DataFrame:
        return _numbers(X, np.ones(len(X)) if self.weighted else None)


class NumbersModel(MeanModel):
    """A model of means that gets bare numbers: categories as codes, weights in the last column.

    Args:
        estimator: scikit-learn estimator.
        like: encoded features without rows, for the names and categories of columns.
        weighted: whether the last column holds sample weights.
    """

    def __init__(self, estimator: Any, like: pd.DataFrame, weighted: bool) -> None:
        super().__init__(estimator)
        self.like = like
        self.weighted = weighted

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> NumbersModel:
        """Fits on X, shape (n, columns), y and weights beside those in X, shapes (n,)."""
        frame, weight = self._features(np.asarray(X, dtype=np.float64))
        if sample_weight is not None:
            weight = sample_weight if weight is None else weight * sample_weight
        super().fit(with_weight(frame, weight), y)
        return self

    def predict(self, X: Any) -> Floats:
        """Expected outcome, shape (n,)."""
        return super().predict(self._features(np.asarray(X, dtype=np.float64))[0])

    def _features(self, X: Floats) -> tuple[pd.DataFrame, Floats | None]:
        """The frame again, with the arm as first column where the S-learner put one, and the weights."""
        weight = X[:, -1] if self.weighted else None
        X = X[:, :-1] if self.weighted else X
        armed = X.shape[1] > self.like.shape[1]
        columns = {ARM: X[:, 0]} if armed else {}
        for name, values in zip(self.like.columns, X.T[int(armed) :], strict=True):
            columns[name] = _categories(values, self.like[name])
        return pd.DataFrame(columns, index=range(len(X))), weight


def as_mean(spec: ModelSpec, sample: Sample) -> NumbersModel:
    """A model as causalml's learners take it."""
    return NumbersModel(spec.estimator, sample.features.frame.iloc[:0], sample.weight is not None)


def pairwise(matrix: Floats) -> dict[int, Floats]:
    """P(arm | arm or control) for each treated arm, from marginal propensities of shape (n, arms)."""
    control = matrix[:, 0]
    return {index: matrix[:, index] / (matrix[:, index] + control) for index in range(1, matrix.shape[1])}


def _numbers(X: pd.DataFrame, weight: Floats | None) -> pd.DataFrame:
    numbers = as_matrix(X)
    return pd.DataFrame(numbers if weight is None else np.column_stack([numbers, weight]))


def _categories(values: Floats, like: pd.Series[Any]) -> Any:
    if not isinstance(like.dtype, pd.CategoricalDtype):
        return values
    codes = np.where(np.isnan(values), -1, values).astype(np.intp)
    return pd.Categorical.from_codes(codes, categories=like.cat.categories)
