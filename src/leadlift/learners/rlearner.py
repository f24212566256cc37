"""The R-learner: what is left of outcomes after their expectation, regressed on what is left of the arm."""

from __future__ import annotations

import numpy as np

from leadlift.base.arrays import Floats
from leadlift.learners.causalml import CausalML, as_mean, pairwise
from leadlift.learners.features import Rows
from leadlift.learners.learner import EffectLearner
from leadlift.learners.sample import Sample

INNER_FOLDS = 5


class RLearner(EffectLearner):
    """Residual on residual (Nie and Wager 2021, Quasi-oracle estimation of heterogeneous treatment effects).

    Propensities are those of the design. Expected outcomes come out of fold from models that never saw the lead's
    organisation, the same that the DR-learner uses; however wrong they are, the uplift learnt stays unbiased. See
    `EffectLearner` for arguments; the effect model must take sample weights.

    >>> rng = np.random.default_rng(0)
    >>> X, arm = rng.normal(size=(4000, 2)), rng.integers(2, size=4000)
    >>> y = rng.normal(size=4000) + arm * (X[:, 0] > 0)
    >>> uplift = RLearner().fit(X, y, treatment=arm, propensity=np.full(4000, 0.5)).predict(X)
    >>> bool(uplift[X[:, 0] > 0.5].mean() > 0.7 > 0.3 > uplift[X[:, 0] < -0.5].mean())
    True
    """

    def _fit(self, sample: Sample) -> None:
        outcomes = sample.out_of_fold(self._outcome(sample.y), INNER_FOLDS)
        share, effect = pairwise(sample.propensity), self._effect()
        models = []
        for k in range(1, sample.arms):
            pair = np.flatnonzero((sample.arm == k) | (sample.arm == 0))
            expected = (1 - share[k]) * outcomes[:, 0] + share[k] * outcomes[:, k]
            surprise, drawn = (sample.y - expected)[pair], ((sample.arm == k) - share[k])[pair]
            models.append(sample.fit(effect, f"pair {k}", pair, surprise / drawn, drawn**2))
        self.effect_models_ = tuple(models)

    def _predict(self, rows: Rows, propensity: Floats) -> Floats:
        return np.column_stack([model.at(rows) for model in self.effect_models_])

    def _causalml(self, sample: Sample) -> CausalML:
        from causalml.inference.meta import BaseRLearner

        learner = BaseRLearner(
            outcome_learner=as_mean(self._outcome(sample.y), sample),
            effect_learner=as_mean(self._effect(), sample),
            control_name=0,
            n_fold=INNER_FOLDS,
            random_state=self.random_state,
            cv_n_jobs=1,
        )
        return CausalML(learner, sample, verbose=False)
