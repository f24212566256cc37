"""The X-learner: each arm's model imputes what leads of the other arm would have gained; models of those gains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Floats
from leadlift.learners.learner import UpliftLearner
from leadlift.learners.models import MeanModel, default_model


class XLearner(UpliftLearner):
    """Outcome models, then effect models, mixed by the known propensity (Künzel et al. 2019).

    With several arms each is learnt against control with P(arm | arm or control), which marginal propensities are not.

    Args:
        control: label of the control arm in `treatment`.
        outcome_model: scikit-learn estimator of outcomes; None: LightGBM.
        effect_model: scikit-learn regressor of gains; None: LightGBM.
        random_state: seed of the default models.

    >>> rng = np.random.default_rng(0)
    >>> X, arm = rng.normal(size=(4000, 2)), rng.integers(2, size=4000)
    >>> y = rng.normal(size=4000) + arm * (X[:, 0] > 0)
    >>> uplift = XLearner().fit(X, y, treatment=arm, propensity=np.full(4000, 0.5)).predict(X)
    >>> bool(uplift[X[:, 0] > 0.5].mean() > 0.7 > 0.3 > uplift[X[:, 0] < -0.5].mean())
    True
    """

    def __init__(
        self, control: Any = 0, *, outcome_model: Any = None, effect_model: Any = None, random_state: int = 0
    ) -> None:
        super().__init__(control, outcome_model=outcome_model, random_state=random_state)
        self.effect_model = effect_model

    def _fit(self, X: pd.DataFrame, y: Floats, arm: Codes, pair: dict[int, Floats]) -> None:
        from causalml.inference.meta import BaseXRegressor

        outcome, effect = self._outcome_model(y), self._effect_model()
        self.model_ = BaseXRegressor(
            control_outcome_learner=outcome,
            treatment_outcome_learner=outcome,
            control_effect_learner=effect,
            treatment_effect_learner=effect,
            control_name=0,
        )
        self.model_.fit(X, y=y, treatment=arm, p=pair)

    def _predict(self, X: pd.DataFrame, pair: dict[int, Floats]) -> Floats:
        return np.asarray(self.model_.predict(X, p=pair, verbose=False), dtype=np.float64)

    def _effect_model(self) -> MeanModel:
        given = self.effect_model
        return MeanModel(default_model("number", self.random_state) if given is None else given)
