"""The leads that learners are fitted on together: every nuisance is fitted once and shared by all who ask for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeVar

import joblib
import numpy as np
import pandas as pd

from leadlift.base.arrays import Bools, Codes, Floats
from leadlift.base.problems import listed, stop
from leadlift.learners.boosted import Boosted, shares_bins
from leadlift.learners.features import Features, Rows
from leadlift.learners.folds import organisation_folds
from leadlift.learners.models import MeanModel, with_weight

Made = TypeVar("Made")


class Fitted(Protocol):
    """A fitted model of a mean."""

    def at(self, rows: Rows) -> Floats:
        """Predictions for rows, shape (rows,)."""
        ...

    def predict(self, X: pd.DataFrame) -> Floats:
        """Predictions for encoded features, shape (n,)."""
        ...

    def release(self) -> None:
        """Lets go of what only fitting needed."""
        ...


@dataclass(frozen=True)
class ModelSpec:
    """A model to be fitted.

    Attributes:
        estimator: scikit-learn estimator.
        patience: trees without a gain after which LightGBM stops, judged on a fold of organisations; None: never.
    """

    estimator: Any
    patience: int | None = None

    @property
    def key(self) -> str:
        """Equal for specifications whose fits would be equal."""
        return str(joblib.hash((type(self.estimator).__qualname__, self.estimator.get_params(), self.patience)))


@dataclass(frozen=True, eq=False)
class Sample:
    """Leads to fit on. It belongs to one thread.

    Attributes:
        features: of these and maybe other leads.
        rows: which rows of `features`, shape (n,).
        y: outcomes, shape (n,), outcome units.
        arm: 0 control, 1, ..., shape (n,).
        propensity: P(arm) by design, shape (n, arms).
        weight: shape (n,), or None.
        organisation: codes 0, 1, ..., shape (n,): never split between nuisances and what uses them.
        seed: of the folds inside.
    """

    features: Features
    rows: Codes
    y: Floats
    arm: Codes
    propensity: Floats
    weight: Floats | None
    organisation: Codes
    seed: int
    _made: dict[Any, Any] = field(default_factory=dict, repr=False)
    _models: list[Fitted] = field(default_factory=list, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def arms(self) -> int:
        """How many arms, control included."""
        return len(self.propensity[0])

    @cached_property
    def of_arm(self) -> tuple[Codes, ...]:
        """Positions of each arm's leads."""
        return tuple(np.flatnonzero(self.arm == k) for k in range(self.arms))

    def part(self, name: str, positions: Codes) -> Rows:
        """The rows at `positions`; the same object, bins and all, each time under one name."""
        return self._once(("part", name), lambda: Rows(self.features, self.rows[positions]))

    def fit(self, spec: ModelSpec, name: str, positions: Codes, y: Floats, weight: Floats | None = None) -> Fitted:
        """A model of y at `positions`, shapes (positions,), weighted by `weight` times the leads' own weights."""
        own = None if self.weight is None else self.weight[positions]
        both = weight if own is None else own if weight is None else own * weight
        rows = self.part(name, positions)
        flat = self.features.frame.shape[1] == 0 or bool((y == y[0]).all())
        plain = shares_bins(spec.estimator)
        if spec.patience is not None and not plain:
            found = f"`patience` with {type(spec.estimator).__name__}"
            rule = "early stopping is for plain LightGBM models"
            raise stop("the learner", "patience", rule, found, "leave `patience` out, or set it up in the model itself")
        if flat or not plain or not _fits(spec.estimator, y):
            frame = with_weight(rows.frame(), both)
            model: Fitted = MeanModel(spec.estimator).fit(frame, y)
        elif spec.patience is not None:
            held = self.stopping_fold[positions]
            model = Boosted(spec.estimator).stopped_early(rows, y, both, held, spec.patience)
        else:
            model = Boosted(spec.estimator).fit(rows, y, both)
        self._models.append(model)
        return model

    def outcome_models(self, spec: ModelSpec) -> tuple[Fitted, ...]:
        """A model of outcomes for each arm, control first, fitted once however many learners ask."""
        return self._once(
            ("outcomes", spec.key),
            lambda: tuple(self.fit(spec, f"arm {k}", at, self.y[at]) for k, at in enumerate(self.of_arm)),
        )

    def out_of_fold(self, spec: ModelSpec, folds: int) -> Floats:
        """Expected outcomes under each arm by models that never saw the lead's organisation, shape (n, arms)."""
        return self._once(("out of fold", spec.key, folds), lambda: self._out_of_fold(spec, folds))

    def _out_of_fold(self, spec: ModelSpec, folds: int) -> Floats:
        fold = self.inner_folds(folds)
        _refuse_lost_arms(self.arm, self.arms, fold)
        outcomes = np.empty((len(self), self.arms))
        for f in range(int(fold.max()) + 1):
            held = np.flatnonzero(fold == f)
            rows = self.part(f"fold {f} of {folds}", held)
            for k in range(self.arms):
                at = np.flatnonzero((fold != f) & (self.arm == k))
                outcomes[held, k] = self.fit(spec, f"arm {k} without {f} of {folds}", at, self.y[at]).at(rows)
        return outcomes

    def inner_folds(self, folds: int) -> Codes:
        """Folds of organisations inside the sample, shape (n,)."""
        units = int(self.organisation.max()) + 1
        return organisation_folds(self.organisation, units, min(folds, units), np.random.default_rng([self.seed, 6]))

    @cached_property
    def stopping_fold(self) -> Bools:
        """Which leads choose numbers of trees: those of a fifth of the organisations, shape (n,)."""
        units = int(self.organisation.max()) + 1
        rng = np.random.default_rng([self.seed, 7])
        held: Bools = organisation_folds(self.organisation, units, min(5, units), rng) == 0
        return held

    def release(self) -> None:
        """Lets go of all bins: fitted models keep what they predict with."""
        for model in self._models:
            model.release()
        self._made.clear()

    def _once(self, key: Any, make: Callable[[], Made]) -> Made:
        if key not in self._made:
            self._made[key] = make()
        made: Made = self._made[key]
        return made


def _fits(estimator: Any, y: Floats) -> bool:
    return not hasattr(estimator, "predict_proba") or bool(np.isin(y, (0.0, 1.0)).all())


def _refuse_lost_arms(arm: Codes, arms: int, fold: Codes) -> None:
    lost = [k for k in range(arms) if len(np.unique(fold[arm == k])) < 2]
    if lost:
        found = f"arm {listed(lost)} (0 is control) in one fold only"
        rule = "every arm is in two folds of organisations or more inside the learner"
        raise stop("the learner's folds", "too-few-organisations", rule, found, "collect more leads, or use `t` or `x`")
