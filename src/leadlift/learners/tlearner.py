"""The T-learner: one outcome model per arm; uplift is the difference of their predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Floats
from leadlift.learners.learner import UpliftLearner


class TLearner(UpliftLearner):
    """Two models, or one per arm (Künzel et al. 2019, Metalearners for estimating heterogeneous treatment effects).

    Assumes that arms were drawn by lot with the propensities given; the T-learner itself weights nothing by them.
    See `UpliftLearner` for arguments.

    >>> rng = np.random.default_rng(0)
    >>> X, arm = rng.normal(size=(4000, 2)), rng.integers(2, size=4000)
    >>> y = rng.normal(size=4000) + arm * (X[:, 0] > 0)
    >>> uplift = TLearner().fit(X, y, treatment=arm, propensity=np.full(4000, 0.5)).predict(X)
    >>> bool(uplift[X[:, 0] > 0.5].mean() > 0.7 > 0.3 > uplift[X[:, 0] < -0.5].mean())
    True
    """

    def _fit(self, X: pd.DataFrame, y: Floats, arm: Codes, pair: dict[int, Floats]) -> None:
        from causalml.inference.meta import BaseTRegressor

        self.model_ = BaseTRegressor(learner=self._outcome_model(y), control_name=0)
        self.model_.fit(X, y=y, treatment=arm)

    def _predict(self, X: pd.DataFrame, pair: dict[int, Floats]) -> Floats:
        return np.asarray(self.model_.predict(X, verbose=False), dtype=np.float64)

    def predict_outcomes(self, X: Any) -> Floats:
        """Expected outcome under each arm, shape (n, arms), control first, outcome units."""
        _, control, treated = self.model_.predict(self._encoded(X), return_components=True, verbose=False)
        arms = [np.asarray(treated[index]) for index in sorted(treated)]
        return np.column_stack([np.asarray(control[min(control)]), *arms])
