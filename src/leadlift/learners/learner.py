"""The one face of all learners: arms, propensities and features are checked here, once."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from leadlift.base.arrays import Codes, Floats
from leadlift.base.errors import NotFittedError, PropensityError
from leadlift.base.problems import listed_labels, stop
from leadlift.learners.encode import FeatureEncoder
from leadlift.learners.models import MeanModel, default_model, with_weight

WHERE = "the learner's input"


class UpliftLearner(BaseEstimator):
    """A meta-learner on causalml: uplift of each arm over control, from leads whose propensities are known.

    Args:
        control: label of the control arm in `treatment`.
        outcome_model: scikit-learn estimator of outcomes; None: LightGBM, see `leadlift.learners.models`.
        random_state: seed of the default models.

    Attributes:
        classes_: arm labels, control first, then sorted.
        shares_: mean propensity of each arm at fit, shape (arms,); stands in where `predict` gets none.
    """

    def __init__(self, control: Any = 0, *, outcome_model: Any = None, random_state: int = 0) -> None:
        self.control = control
        self.outcome_model = outcome_model
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        treatment: Any,
        propensity: Any,
        groups: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """Fits on leads with known propensities.

        Args:
            X: features, shape (n, features): numbers or text, missing values allowed.
            y: outcomes, shape (n,), outcome units.
            treatment: arm labels, shape (n,).
            propensity: P(treated), shape (n,), with two arms; else shape (n, arms) in `classes_` order.
            groups: organisations, shape (n,); unused by learners that do not split rows.
            sample_weight: shape (n,), or None.

        Raises:
            DataError, PropensityError: the input can't be used.
        """
        arm = self._arm_codes(treatment)
        y = as_numbers(y, "y")
        self.encoder_ = FeatureEncoder().fit(X)
        features = self.encoder_.transform(X).reset_index(drop=True)
        weight = None if sample_weight is None else as_numbers(sample_weight, "sample_weight")
        check_lengths(features, y=y, treatment=arm, sample_weight=weight, groups=groups)
        matrix = propensity_by_arm(propensity, len(y), len(self.classes_))
        self.shares_ = matrix.mean(axis=0)
        self._fit(with_weight(features, weight), y, arm, pairwise(matrix))
        return self

    def predict(self, X: Any, *, propensity: Any = None) -> Floats:
        """Uplift of each arm over control, outcome units.

        Args:
            X: features, shape (n, features).
            propensity: as at fit; None: the shares stored at fit.

        Returns: shape (n,) with two arms, (n, arms - 1) with more, in the order of `classes_[1:]`.

        Raises:
            NotFittedError: called before fit.
        """
        features = self._encoded(X)
        given = np.tile(self.shares_, (len(features), 1)) if propensity is None else propensity
        matrix = propensity_by_arm(given, len(features), len(self.classes_))
        uplift = self._predict(features, pairwise(matrix))
        return uplift[:, 0] if uplift.shape[1] == 1 else uplift

    @abstractmethod
    def _fit(self, X: pd.DataFrame, y: Floats, arm: Codes, pair: dict[int, Floats]) -> None: ...

    @abstractmethod
    def _predict(self, X: pd.DataFrame, pair: dict[int, Floats]) -> Floats: ...

    def _encoded(self, X: Any) -> pd.DataFrame:
        if not hasattr(self, "shares_"):
            raise NotFittedError(f"{type(self).__name__} predicts after fit: call fit first")
        return self.encoder_.transform(X).reset_index(drop=True)

    def _outcome_model(self, y: Floats) -> MeanModel:
        if self.outcome_model is not None:
            return MeanModel(self.outcome_model)
        kind: Literal["binary", "number"] = "binary" if np.isin(y, (0.0, 1.0)).all() else "number"
        return MeanModel(default_model(kind, self.random_state))

    def _arm_codes(self, treatment: Any) -> Codes:
        values = np.asarray(treatment)
        missing = int(pd.isna(values).sum())
        if missing:
            raise stop(WHERE, "arm-missing", "every lead has an arm", f"none in {missing:,}", "leave those leads out")
        found = sorted(pd.unique(values).tolist(), key=lambda label: (str(type(label)), label))
        if self.control not in found:
            raise stop(
                WHERE,
                "control-missing",
                "some leads are in the control arm",
                f"`{self.control}` is not there; found: {listed_labels(map(str, found))}",
                "name the control arm: `control=`",
            )
        if len(found) == 1:
            raise stop(WHERE, "one-arm", "at least two arms", f"only `{found[0]}`", "add the treated leads")
        self.classes_ = np.array([self.control, *[label for label in found if label != self.control]], dtype=object)
        return pd.Categorical(values, categories=list(self.classes_)).codes.astype(np.intp)


def as_numbers(values: Any, name: str) -> Floats:
    """A vector as numbers.

    Raises:
        DataError: it holds text.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise stop(WHERE, "text-in-number", f"`{name}` holds numbers", "found text", "turn it into numbers") from None


def check_lengths(X: pd.DataFrame, **vectors: Any) -> None:
    """Raises DataError where a vector has not one entry per row of X, or outcomes are missing."""
    for name, vector in vectors.items():
        if vector is None:
            continue
        n = len(np.asarray(vector))
        if n != len(X):
            raise stop(
                WHERE,
                "length",
                f"`{name}` has one entry per lead",
                f"{n:,} entries for {len(X):,} leads",
                "pass vectors of equal length",
            )
        values = np.asarray(vector)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise stop(
                WHERE,
                "not-finite",
                f"`{name}` is finite",
                f"{int((~np.isfinite(values)).sum()):,} entries are not",
                "leave out leads without an outcome",
            )


def propensity_by_arm(propensity: Any, n: int, arms: int) -> Floats:
    """Propensities as a matrix, shape (n, arms), control first.

    Raises:
        PropensityError: the shape is wrong, a number is outside (0, 1), or rows don't add up to 1.
    """
    matrix = as_numbers(propensity, "propensity")
    if matrix.shape == (n,) and arms == 2:
        matrix = np.column_stack([1 - matrix, matrix])
    if matrix.shape != (n, arms):
        wanted = f"({n},) or ({n}, 2)" if arms == 2 else f"({n}, {arms})"
        raise stop(
            WHERE,
            "propensity-shape",
            f"propensities have shape {wanted}",
            f"shape {matrix.shape}",
            "pass one column per arm, control first",
            PropensityError,
        )
    if not ((matrix > 0) & (matrix < 1)).all():
        rows = int((~((matrix > 0) & (matrix < 1)).all(axis=1)).sum())
        raise stop(
            WHERE,
            "propensity-range",
            "arm probabilities lie inside (0, 1)",
            f"{rows:,} of {n:,} leads",
            "leave out leads whose arm was certain",
            PropensityError,
        )
    if np.abs(matrix.sum(axis=1) - 1).max(initial=0.0) > 1e-6:
        rows = int((np.abs(matrix.sum(axis=1) - 1) > 1e-6).sum())
        raise stop(
            WHERE,
            "propensity-sum",
            "arm probabilities add up to 1",
            f"{rows:,} of {n:,} leads",
            "pass every arm's probability, control first",
            PropensityError,
        )
    return matrix


def pairwise(matrix: Floats) -> dict[int, Floats]:
    """P(arm | arm or control) for each treated arm: what causalml's learners mean by a propensity.

    With more than two arms the marginal propensities are not that; causalml fits and weights one arm against
    control at a time, and marginal ones bias its answers.
    """
    control = matrix[:, 0]
    return {index: matrix[:, index] / (matrix[:, index] + control) for index in range(1, matrix.shape[1])}
