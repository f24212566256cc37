"""causalml's forests, which split where uplift differs, behind the face that all learners have."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Floats
from leadlift.base.problems import stop
from leadlift.learners.causalml import CausalML
from leadlift.learners.features import Rows
from leadlift.learners.learner import UpliftLearner
from leadlift.learners.sample import Sample


class ForestLearner(UpliftLearner):
    """A forest of causalml's, on numbers without gaps.

    Categories become a column each, missing numbers the median of the fit with a column that says so. Where
    propensities differ among leads, each lead weighs one over its arm's, times its own weight.

    Args:
        control: label of the control arm in `treatment`.
        n_estimators: trees.
        max_depth: of each tree; None: no limit but the leaf size.
        min_samples_leaf: the fewest leads of a leaf.
        random_state: seed.
    """

    def __init__(
        self,
        control: Any = 0,
        *,
        n_estimators: int = 100,
        max_depth: int | None = 5,
        min_samples_leaf: int = 100,
        random_state: int = 0,
    ) -> None:
        self.control = control
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.random_state = random_state

    def _fit(self, sample: Sample) -> None:
        frame = sample.features.frame.iloc[sample.rows]
        self.medians_ = frame.select_dtypes("number").median().fillna(0.0)
        self.forest_ = self._forest()
        X = self._dense(frame)
        self.flat_ = self._means(sample) if X.shape[1] == 0 else None
        if self.flat_ is None:
            self._grow(X, sample, _weights(sample))

    def _predict(self, rows: Rows, propensity: Floats) -> Floats:
        shape = (len(rows), propensity.shape[1] - 1)
        if len(rows) == 0 or self.flat_ is not None:
            return np.broadcast_to(0.0 if self.flat_ is None else self.flat_, shape).copy()
        uplift = np.asarray(self.forest_.predict(self._dense(rows.frame())), dtype=np.float64).reshape(shape)
        if np.isnan(uplift).any():
            rule, found = "leaves hold leads of every arm", f"no uplift for {int(np.isnan(uplift).any(axis=1).sum()):,}"
            raise stop("the learner", "too-few-leads", rule, found, "collect more leads, or use another learner")
        return uplift

    def _dense(self, frame: pd.DataFrame) -> Floats:
        columns = []
        for name in frame.columns:
            if name in self.medians_.index:
                values = frame[name].to_numpy(dtype=np.float64)
                gap = np.isnan(values)
                columns += [np.where(gap, self.medians_[name], values), gap.astype(np.float64)]
            else:
                codes = frame[name].cat.codes.to_numpy()
                columns += [(codes == code).astype(np.float64) for code in range(len(frame[name].cat.categories))]
        return np.column_stack(columns) if columns else np.empty((len(frame), 0))

    def _grow(self, X: Floats, sample: Sample, weight: Floats | None) -> None:
        self.forest_.fit(X, treatment=sample.arm, y=sample.y, sample_weight=weight)

    def _means(self, sample: Sample) -> Floats:
        weight = _weights(sample)
        weight = np.ones(len(sample)) if weight is None else weight
        means = np.array([np.average(sample.y[at], weights=weight[at]) for at in sample.of_arm])
        uplift: Floats = means[1:] - means[0]
        return uplift

    @abstractmethod
    def _forest(self) -> Any: ...

    def _causalml(self, sample: Sample) -> CausalML:
        raise NotImplementedError("a forest is causalml's already")


class UpliftForest(ForestLearner):
    """Trees that split where the arms' conversion rates differ most, by Kullback-Leibler divergence.

    For outcomes 0 and 1, any number of arms (Rzepakowski and Jaroszewicz 2012, Decision trees for uplift modeling).
    See `ForestLearner` for arguments. causalml multiplies conversion rates by weights, so that weights of 3 would
    predict three times the uplift: leads are drawn as often as their weight says instead, to within one.
    """

    def _fit(self, sample: Sample) -> None:
        odd = int((~np.isin(sample.y, (0.0, 1.0))).sum())
        if odd:
            rule, fix = "an uplift forest learns outcomes that are 0 or 1", "use `CausalForest`, or another learner"
            raise stop("the learner", "outcome-kind", rule, f"{odd:,} of {len(sample):,} are other numbers", fix)
        super()._fit(sample)

    def _grow(self, X: Floats, sample: Sample, weight: Floats | None) -> None:
        rng = np.random.default_rng([self.random_state, 8])
        rows = np.arange(len(sample)) if weight is None else _as_often(weight, rng)
        names = np.array([_arm_name(k) for k in range(sample.arms)])[sample.arm]
        self.forest_.fit(X[rows], treatment=names[rows], y=sample.y[rows])

    def _forest(self) -> Any:
        from causalml.inference.tree import UpliftRandomForestClassifier

        return UpliftRandomForestClassifier(
            control_name=_arm_name(0),
            n_estimators=self.n_estimators,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            random_state=self.random_state,
            n_jobs=1,
        )


class CausalForest(ForestLearner):
    """Honest trees that split where the effect differs most (Athey and Imbens 2016), for any outcome and arms.

    See `ForestLearner` for arguments.
    """

    def _forest(self) -> Any:
        from causalml.inference.tree import CausalRandomForestRegressor

        return CausalRandomForestRegressor(
            control_name=0,
            n_estimators=self.n_estimators,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            random_state=self.random_state,
            n_jobs=1,
        )


def _arm_name(k: int) -> str:
    """Names that sort as arms do, control first."""
    return f"arm {k:04}"


def _as_often(weight: Floats, rng: np.random.Generator) -> Codes:
    """Rows, each as often as its share of the weight, to within one (systematic sampling in random order).

    >>> _as_often(np.array([2.0, 2.0, 2.0]), np.random.default_rng(0))
    array([0, 1, 2])
    >>> len(_as_often(np.array([3.0, 1.0, 1.0, 1.0]), np.random.default_rng(0)))
    4
    """
    order = rng.permutation(len(weight))
    ends = np.round(np.cumsum(weight[order]) / weight.mean(), 9) + rng.random()
    often = np.empty(len(weight), dtype=np.intp)
    often[order] = np.diff(np.floor(ends), prepend=0.0)
    return np.repeat(np.arange(len(weight)), often)


def _weights(sample: Sample) -> Floats | None:
    """One over the propensity of the lead's arm, where propensities differ, times its own weight; 1 on average.

    causalml's penalties count weights as leads.
    """
    weight = np.ones(len(sample)) if sample.weight is None else sample.weight
    if not (sample.propensity == sample.propensity[0]).all():
        weight = weight / sample.propensity[np.arange(len(sample)), sample.arm]
    return None if (weight == weight[0]).all() else weight / weight.mean()
