"""The X-learner: each arm's model imputes what leads of the other arm would have gained; models of those gains."""

from __future__ import annotations

import numpy as np

from leadlift.base.arrays import Floats
from leadlift.learners.causalml import CausalML, as_mean, pairwise
from leadlift.learners.features import Rows
from leadlift.learners.learner import EffectLearner
from leadlift.learners.sample import Sample


class XLearner(EffectLearner):
    """Outcome models, then effect models, mixed by the known propensity (Künzel et al. 2019).

    With several arms each is learnt against control with P(arm | arm or control), which marginal propensities are not.
    The outcome models are the T-learner's: side by side they are fitted once. See `EffectLearner` for arguments.

    >>> rng = np.random.default_rng(0)
    >>> X, arm = rng.normal(size=(4000, 2)), rng.integers(2, size=4000)
    >>> y = rng.normal(size=4000) + arm * (X[:, 0] > 0)
    >>> uplift = XLearner().fit(X, y, treatment=arm, propensity=np.full(4000, 0.5)).predict(X)
    >>> bool(uplift[X[:, 0] > 0.5].mean() > 0.7 > 0.3 > uplift[X[:, 0] < -0.5].mean())
    True
    """

    def _fit(self, sample: Sample) -> None:
        outcome, effect = sample.outcome_models(self._outcome(sample.y)), self._effect()
        in_control, control = sample.of_arm[0], sample.part("arm 0", sample.of_arm[0])
        pairs = []
        for k in range(1, sample.arms):
            in_arm, arm = sample.of_arm[k], sample.part(f"arm {k}", sample.of_arm[k])
            # First both imputations, then both fits: a fit changes the labels on the bins that it shares.
            missed, gained = outcome[k].at(control) - sample.y[in_control], sample.y[in_arm] - outcome[0].at(arm)
            pairs.append(
                (sample.fit(effect, "arm 0", in_control, missed), sample.fit(effect, f"arm {k}", in_arm, gained))
            )
        self.effect_models_ = tuple(pairs)

    def _predict(self, rows: Rows, propensity: Floats) -> Floats:
        share = pairwise(propensity)
        columns = [
            share[k] * of_control.at(rows) + (1 - share[k]) * of_arm.at(rows)
            for k, (of_control, of_arm) in enumerate(self.effect_models_, start=1)
        ]
        return np.column_stack(columns)

    def _causalml(self, sample: Sample) -> CausalML:
        from causalml.inference.meta import BaseXRegressor

        outcome, effect = as_mean(self._outcome(sample.y), sample), as_mean(self._effect(), sample)
        learner = BaseXRegressor(
            control_outcome_learner=outcome,
            treatment_outcome_learner=outcome,
            control_effect_learner=effect,
            treatment_effect_learner=effect,
            control_name=0,
        )
        return CausalML(learner, sample)
