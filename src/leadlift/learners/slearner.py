"""The S-learner: one outcome model with the arm as a feature; uplift is what switching the arm changes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd

from leadlift.base.arrays import Bools, Floats
from leadlift.learners.causalml import ARM, CausalML, as_mean
from leadlift.learners.features import Rows
from leadlift.learners.learner import UpliftLearner
from leadlift.learners.models import MeanModel, with_weight
from leadlift.learners.sample import Sample


class SLearner(UpliftLearner):
    """One model for both arms (Künzel et al. 2019); with several arms, one for each and control.

    Shrinks uplift towards zero: a model that sees little of the arm leaves it out. The defaults' three leaves let a
    tree combine the arm with one feature. See `UpliftLearner` for arguments; bins are cut anew, since the arm is a
    feature, and `patience` is refused.

    >>> rng = np.random.default_rng(0)
    >>> X, arm = rng.normal(size=(4000, 2)), rng.integers(2, size=4000)
    >>> y = rng.normal(size=4000) + arm * (X[:, 0] > 0)
    >>> uplift = SLearner().fit(X, y, treatment=arm, propensity=np.full(4000, 0.5)).predict(X)
    >>> bool(uplift[X[:, 0] > 0.5].mean() > 0.6 > 0.4 > uplift[X[:, 0] < -0.5].mean())
    True
    """

    stops_early: ClassVar[bool] = False

    def _fit(self, sample: Sample) -> None:
        model = self._outcome(sample.y).estimator
        self.models_ = []
        for k in range(1, sample.arms):
            pair = np.flatnonzero((sample.arm == k) | (sample.arm == 0))
            frame = sample.features.frame.iloc[sample.rows[pair]]
            weight = None if sample.weight is None else sample.weight[pair]
            armed = with_weight(_with_arm(frame, sample.arm[pair] == k), weight)
            self.models_.append(MeanModel(model).fit(armed, sample.y[pair]))

    def _predict(self, rows: Rows, propensity: Floats) -> Floats:
        frame = rows.frame()
        without, touched = (_with_arm(frame, np.full(len(frame), arm)) for arm in (False, True))
        return np.column_stack([model.predict(touched) - model.predict(without) for model in self.models_])

    def _causalml(self, sample: Sample) -> CausalML:
        from causalml.inference.meta import BaseSRegressor

        learner = BaseSRegressor(learner=as_mean(self._outcome(sample.y), sample), control_name=0)
        return CausalML(learner, sample, takes_propensity=False)


def _with_arm(frame: pd.DataFrame, arm: Bools) -> pd.DataFrame:
    return pd.concat([pd.DataFrame({ARM: arm.astype(np.float64)}, index=frame.index), frame], axis=1)
