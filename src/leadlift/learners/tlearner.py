"""The T-learner: one outcome model per arm; uplift is the difference of their predictions."""

from __future__ import annotations

from typing import Any

import numpy as np

from leadlift.base.arrays import Floats
from leadlift.learners.causalml import CausalML, as_mean
from leadlift.learners.features import Rows
from leadlift.learners.learner import UpliftLearner
from leadlift.learners.sample import Sample


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

    def _fit(self, sample: Sample) -> None:
        self.outcome_models_ = sample.outcome_models(self._outcome(sample.y))

    def _predict(self, rows: Rows, propensity: Floats) -> Floats:
        outcomes = self.outcomes_at(rows)
        return outcomes[:, 1:] - outcomes[:, [0]]

    def _causalml(self, sample: Sample) -> CausalML:
        from causalml.inference.meta import BaseTRegressor

        learner = BaseTRegressor(learner=as_mean(self._outcome(sample.y), sample), control_name=0)
        return CausalML(learner, sample, takes_propensity=False)

    def outcomes_at(self, rows: Rows) -> Floats:
        """Expected outcome of rows under each arm, shape (rows, arms), control first, outcome units."""
        if self.causalml_ is not None:
            return self.causalml_.outcomes(rows.frame())
        return np.column_stack([model.at(rows) for model in self.outcome_models_])

    def predict_outcomes(self, X: Any) -> Floats:
        """Expected outcome under each arm, shape (n, arms), control first, outcome units."""
        return self.outcomes_at(self._rows(X))
