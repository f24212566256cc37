"""causalml's own learners, given what each needs to be right with propensities that are known.

causalml means by a propensity P(arm | arm or control). With more than two arms the marginal propensities are not that,
and marginal ones bias its answers. Its learners get the pairwise ones, at fit and at predict: without them they would
estimate propensities, which fails on missing values and categories, or refuse to predict.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Floats
from leadlift.learners.models import MeanModel, with_weight
from leadlift.learners.sample import ModelSpec, Sample


class CausalML:
    """One of causalml's meta-learners behind the face that ours have.

    Args:
        learner: causalml's, not fitted.
        needs_propensity: whether its fit takes propensities.
    """

    def __init__(self, learner: Any, sample: Sample, *, needs_propensity: bool = True, **fit: Any) -> None:
        frame = with_weight(sample.part("all", np.arange(len(sample))).frame(), sample.weight)
        pair = {"p": pairwise(sample.propensity)} if needs_propensity else {}
        self.learner = learner
        self.learner.fit(frame.reset_index(drop=True), y=sample.y, treatment=sample.arm, **pair, **fit)

    def predict(self, X: pd.DataFrame, pair: dict[int, Floats]) -> Floats:
        """Uplift, shape (n, arms - 1)."""
        if len(X) == 0:
            return np.empty((0, len(pair)))
        return np.asarray(self.learner.predict(X.reset_index(drop=True), p=pair), dtype=np.float64)

    def outcomes(self, X: pd.DataFrame) -> Floats:
        """Expected outcomes of a learner with a model per arm, shape (n, arms), control first."""
        _, control, treated = self.learner.predict(X.reset_index(drop=True), return_components=True, verbose=False)
        arms = [np.asarray(treated[index]) for index in sorted(treated)]
        return np.column_stack([np.asarray(control[min(control)]), *arms])


def as_mean(spec: ModelSpec) -> MeanModel:
    """A model as causalml takes it."""
    return MeanModel(spec.estimator)


def pairwise(matrix: Floats) -> dict[int, Floats]:
    """P(arm | arm or control) for each treated arm, from marginal propensities of shape (n, arms)."""
    control = matrix[:, 0]
    return {index: matrix[:, index] / (matrix[:, index] + control) for index in range(1, matrix.shape[1])}
