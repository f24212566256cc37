"""The DR-learner: a regression of per-lead scores on features."""

from __future__ import annotations

import numpy as np

from leadlift.base.arrays import Floats
from leadlift.inference import contrast_scores
from leadlift.learners.causalml import CausalML, as_mean
from leadlift.learners.features import Rows
from leadlift.learners.learner import EffectLearner
from leadlift.learners.rlearner import INNER_FOLDS
from leadlift.learners.sample import Sample


class DRLearner(EffectLearner):
    """Doubly robust scores as outcomes (Kennedy 2023, Towards optimal doubly robust estimation of effects).

    The scores are those of the evaluation, from the design's propensities and from outcomes expected out of fold by
    models that never saw the lead's organisation. Their mean is unbiased however wrong these are. With several arms
    each lead counts for every arm. See `EffectLearner` for arguments.

    >>> rng = np.random.default_rng(0)
    >>> X, arm = rng.normal(size=(4000, 2)), rng.integers(2, size=4000)
    >>> y = rng.normal(size=4000) + arm * (X[:, 0] > 0)
    >>> uplift = DRLearner().fit(X, y, treatment=arm, propensity=np.full(4000, 0.5)).predict(X)
    >>> bool(uplift[X[:, 0] > 0.5].mean() > 0.7 > 0.3 > uplift[X[:, 0] < -0.5].mean())
    True
    """

    def _fit(self, sample: Sample) -> None:
        outcomes = sample.out_of_fold(self._outcome(sample.y), INNER_FOLDS)
        everyone, effect = np.arange(len(sample)), self._effect()
        models = []
        for k in range(1, sample.arms):
            scores = contrast_scores(
                sample.y,
                np.where(sample.arm == k, 1, np.where(sample.arm == 0, 0, -1)),
                propensity_treated=sample.propensity[:, k],
                propensity_control=sample.propensity[:, 0],
                predicted_treated=outcomes[:, k],
                predicted_control=outcomes[:, 0],
            )
            models.append(sample.fit(effect, "everyone", everyone, scores))
        self.effect_models_ = tuple(models)

    def _predict(self, rows: Rows, propensity: Floats) -> Floats:
        return np.column_stack([model.at(rows) for model in self.effect_models_])

    def _causalml(self, sample: Sample) -> CausalML:
        from causalml.inference.meta import BaseDRRegressor

        outcome = as_mean(self._outcome(sample.y), sample)
        learner = BaseDRRegressor(
            control_outcome_learner=outcome,
            treatment_outcome_learner=outcome,
            treatment_effect_learner=as_mean(self._effect(), sample),
            control_name=0,
        )
        return CausalML(learner, sample, seed=self.random_state)
