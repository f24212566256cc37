"""The one face of all learners: arms, propensities and features are checked here, once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from sklearn import exceptions
from sklearn.base import BaseEstimator

from leadlift.base.arrays import Codes, Floats
from leadlift.base.errors import NotFittedError
from leadlift.base.problems import listed_labels, stop
from leadlift.learners.arguments import (
    WHERE,
    as_numbers,
    as_weights,
    check_lengths,
    check_settings,
    propensity_by_arm,
    refuse_columns,
    refuse_too_few,
    refuse_unweighted_arms,
)
from leadlift.learners.causalml import CausalML, pairwise
from leadlift.learners.encode import is_array
from leadlift.learners.features import Features, Rows
from leadlift.learners.models import default_model
from leadlift.learners.sample import ModelSpec, Sample

Backend = Literal["shared", "causalml"]
BACKENDS = ("shared", "causalml")


class _NotFittedError(NotFittedError, exceptions.NotFittedError):
    """Both leadlift's error and the one that scikit-learn's tools look for."""


class UpliftLearner(BaseEstimator):
    """A meta-learner: uplift of each arm over control, from leads whose propensities are known.

    Args:
        control: label of the control arm in `treatment`.
        outcome_model: scikit-learn estimator of outcomes; None: LightGBM, see `leadlift.learners.models`.
        backend: "shared" fits LightGBM on bins that are cut once for all models; "causalml" hands everything to
            causalml, whose numbers are the same where the folds inside are.
        lightgbm: settings of the default models that differ from `UPLIFT_DEFAULTS`, such as {"num_leaves": 8}.
        patience: trees without a gain, on a fold of organisations, after which LightGBM stops; None: all its trees.
        random_state: seed of the default models and of folds inside.

    Attributes:
        classes_: arm labels, control first, then sorted.
        shares_: mean propensity of each arm at fit, shape (arms,); stands in where `predict` gets none.
    """

    # scikit-learn's metadata routing: whoever routes, hands over all that is known of the leads.
    __metadata_request__fit: ClassVar = {"treatment": True, "propensity": True, "groups": True, "sample_weight": True}
    __metadata_request__predict: ClassVar = {"propensity": True}
    # Whether `patience` has anything to stop.
    stops_early: ClassVar[bool] = True
    backend: Backend = "shared"

    def __init__(
        self,
        control: Any = 0,
        *,
        outcome_model: Any = None,
        backend: Backend = "shared",
        lightgbm: Mapping[str, Any] | None = None,
        patience: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.control = control
        self.outcome_model = outcome_model
        self.backend = backend
        self.lightgbm = lightgbm
        self.patience = patience
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
            groups: organisations, shape (n,): folds inside a learner keep each whole. None: each lead its own.
            sample_weight: shape (n,), or None. Their scale means nothing.

        Raises:
            DataError, PropensityError: the input can't be used.
        """
        features = Features(X)
        refuse_too_few(features.frame)
        arm = self._arm_codes(treatment)
        y = as_numbers(y, "y")
        weight = None if sample_weight is None else as_weights(sample_weight)
        check_lengths(features.frame, y=y, treatment=arm, sample_weight=weight, groups=groups)
        if weight is not None:
            refuse_unweighted_arms(weight, arm, self.classes_)
            weight = weight / weight.mean()  # penalties in models count weights as leads
        matrix = propensity_by_arm(propensity, len(y), len(self.classes_))
        organisation = np.arange(len(y)) if groups is None else pd.factorize(np.asarray(groups), sort=True)[0]
        sample = Sample(features, np.arange(len(y)), y, arm, matrix, weight, organisation, self.random_state)
        self.fit_sample(sample)
        sample.release()
        return self

    def fit_sample(self, sample: Sample) -> Self:
        """Fits on leads that other learners may be fitted on too, arms coded 0 (control), 1, ...

        What `fit` does with checked input, and `cross_fit` with every learner of a study.
        """
        check_settings(self.random_state, getattr(self, "patience", None))
        if self.backend not in BACKENDS:
            fix = "leave it out, or say `causalml`"
            raise stop("the learner", "backend", f"`backend` is one of {BACKENDS}", f"`{self.backend}`", fix)
        if getattr(self, "patience", None) is not None and (self.backend == "causalml" or not self.stops_early):
            rule = "early stopping is for learners on shared bins: T, X, R and DR"
            found = f"`patience` with {type(self).__name__}, backend `{self.backend}`"
            raise stop("the learner", "patience", rule, found, "leave `patience` out")
        if not hasattr(self, "classes_"):
            self.classes_ = np.arange(sample.arms).astype(object)
        self.encoder_ = sample.features.encoder
        self.shares_ = sample.propensity.mean(axis=0)
        self.n_features_in_ = len(self.encoder_.columns)
        self.causalml_ = self._causalml(sample) if self.backend == "causalml" else None
        if self.causalml_ is None:
            self._fit(sample)
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
        rows = self._rows(X)
        given = np.tile(self.shares_, (len(rows), 1)) if propensity is None else propensity
        uplift = self.predict_rows(rows, propensity_by_arm(given, len(rows), len(self.classes_)))
        return uplift[:, 0] if uplift.shape[1] == 1 else uplift

    def predict_rows(self, rows: Rows, propensity: Floats) -> Floats:
        """Uplift of rows of features, shape (rows, arms - 1), given propensities of shape (rows, arms)."""
        if self.causalml_ is not None:
            return self.causalml_.predict(rows.frame(), pairwise(propensity))
        return self._predict(rows, propensity)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        tags.target_tags.required = True
        return tags

    @abstractmethod
    def _fit(self, sample: Sample) -> None: ...

    @abstractmethod
    def _predict(self, rows: Rows, propensity: Floats) -> Floats: ...

    @abstractmethod
    def _causalml(self, sample: Sample) -> CausalML: ...

    def _rows(self, X: Any) -> Rows:
        if not hasattr(self, "shares_"):
            raise _NotFittedError(f"{type(self).__name__} predicts after fit: call fit first")
        if is_array(X) and np.ndim(X) == 2 and np.shape(X)[1] != self.n_features_in_:
            wanted = f"{type(self).__name__} is expecting {self.n_features_in_} features as input"
            found, rule = (
                f"X has {np.shape(X)[1]} features, but {wanted}",
                "an array has the columns that it had at fit",
            )
            raise stop(WHERE, "columns", rule, found, "pass the same columns, or frames, which have names")
        features = Features(X, self.encoder_)
        return Rows(features, np.arange(len(features)))

    def _outcome(self, y: Floats) -> ModelSpec:
        """The outcome model: the one given, else LightGBM's for this kind of outcome."""
        kind: Literal["binary", "number"] = "binary" if np.isin(y, (0.0, 1.0)).all() else "number"
        given = self.outcome_model
        default = default_model(kind, self.random_state, self.lightgbm)
        return ModelSpec(default if given is None else given, self.patience)

    def _arm_codes(self, treatment: Any) -> Codes:
        values = np.asarray(treatment)
        refuse_columns("treatment", values)
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


class EffectLearner(UpliftLearner):
    """A learner that models gains beside outcomes.

    Args:
        control: label of the control arm in `treatment`.
        outcome_model: scikit-learn estimator of outcomes; None: LightGBM.
        effect_model: scikit-learn regressor of gains; None: LightGBM.
        backend, lightgbm, patience, random_state: see `UpliftLearner`.
    """

    def __init__(
        self,
        control: Any = 0,
        *,
        outcome_model: Any = None,
        effect_model: Any = None,
        backend: Backend = "shared",
        lightgbm: Mapping[str, Any] | None = None,
        patience: int | None = None,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            control,
            outcome_model=outcome_model,
            backend=backend,
            lightgbm=lightgbm,
            patience=patience,
            random_state=random_state,
        )
        self.effect_model = effect_model

    def _effect(self) -> ModelSpec:
        default = default_model("number", self.random_state, self.lightgbm)
        return ModelSpec(default if self.effect_model is None else self.effect_model, self.patience)
