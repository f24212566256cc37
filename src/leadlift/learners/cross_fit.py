"""Cross-fitting: every lead's prediction comes from models that never saw its organisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from leadlift.base.arrays import Codes, Floats
from leadlift.base.problems import listed_labels, stop
from leadlift.data import AssignmentLog
from leadlift.learners.folds import organisation_folds
from leadlift.learners.learner import UpliftLearner
from leadlift.learners.threads import Progress, in_threads, no_progress
from leadlift.learners.tlearner import TLearner
from leadlift.learners.xlearner import XLearner

LEARNERS: dict[str, type[UpliftLearner]] = {"t": TLearner, "x": XLearner}


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Predictions for leads by models that never saw their organisations.

    Attributes:
        uplift: by learner, shape (n, arms - 1), outcome units; arms in the order of `log.treated_arms`.
        outcomes: expected outcome under each arm, shape (n, arms), control first: the nuisances of per-lead scores.
        fold: fold of each lead, shape (n,).
    """

    uplift: Mapping[str, Floats]
    outcomes: Floats
    fold: Codes


@dataclass(frozen=True, eq=False)
class FittedModels:
    """The learners of a study and its outcome models, fitted on one set of leads."""

    learners: Mapping[str, UpliftLearner]
    outcome: TLearner

    def uplift(self, log: AssignmentLog, rows: Codes) -> dict[str, Floats]:
        """Predicted uplift of `rows` by learner, each of shape (rows, arms - 1)."""
        X, propensity = log.known_before.iloc[rows], log.propensities[rows]
        return {
            name: learner.predict(X, propensity=propensity).reshape(len(rows), len(log.treated_arms))
            for name, learner in self.learners.items()
        }

    def outcomes(self, log: AssignmentLog, rows: Codes) -> Floats:
        """Expected outcomes of `rows` under each arm, shape (rows, arms)."""
        return self.outcome.predict_outcomes(log.known_before.iloc[rows])


def fit_models(log: AssignmentLog, rows: Codes, learners: Mapping[str, UpliftLearner], seed: int) -> FittedModels:
    """Fits copies of `learners`, and outcome models for per-lead scores, on `rows` of the log.

    A default T-learner among them doubles as the outcome models: the fits would be the same.
    """
    fitted = {name: _fit(learner, log, rows) for name, learner in learners.items()}
    plain = TLearner(random_state=seed)
    shared = [f for f in fitted.values() if type(f) is TLearner and repr(f.get_params()) == repr(plain.get_params())]
    outcome = shared[0] if shared else _fit(plain, log, rows)
    assert isinstance(outcome, TLearner)
    return FittedModels(fitted, outcome)


def _fit(learner: UpliftLearner, log: AssignmentLog, rows: Codes) -> UpliftLearner:
    copy: Any = clone(learner)
    return copy.fit(  # type: ignore[no-any-return]
        log.known_before.iloc[rows],
        log.outcome[rows],
        treatment=log.arm[rows],
        propensity=log.propensities[rows],
        groups=log.organisation[rows],
    )


def cross_fit(
    learner: UpliftLearner | Mapping[str, UpliftLearner],
    log: AssignmentLog,
    *,
    folds: int = 5,
    seed: int = 0,
    progress: Progress = no_progress,
) -> OutOfFold:
    """Out-of-fold predictions by organisation: the only way a learner comes into a study.

    Args:
        learner: one learner (named by its class), or several by name. Arms are coded 0 (control), 1, ... as in the log.
        log: the leads.
        folds: how many folds of organisations.
        seed: of the folds and the outcome models.
        progress: called after each fold.

    Returns: predictions in the log's row order.
    """
    learners = learner if isinstance(learner, Mapping) else {type(learner).__name__: learner}
    fold = organisation_folds(log.organisation, log.n_organisations, folds, np.random.default_rng([seed, 1]))

    _refuse_lost_arms(log, fold)

    def predicted(k: int) -> tuple[dict[str, Floats], Floats]:
        models = fit_models(log, np.flatnonzero(fold != k), learners, seed)
        rows = np.flatnonzero(fold == k)
        return models.uplift(log, rows), models.outcomes(log, rows)

    uplift = {name: np.empty((len(log), len(log.treated_arms))) for name in learners}
    outcomes = np.empty((len(log), len(log.arms)))
    for k, (by_learner, by_arm) in enumerate(in_threads(predicted, range(folds), progress)):
        rows = np.flatnonzero(fold == k)
        outcomes[rows] = by_arm
        for name, values in by_learner.items():
            uplift[name][rows] = values
    return OutOfFold(uplift, outcomes, fold)


def _refuse_lost_arms(log: AssignmentLog, fold: Codes) -> None:
    """Every fold's models need leads of every arm in the other folds."""
    seen = np.zeros((len(log.arms), int(fold.max()) + 1), dtype=bool)
    seen[log.arm, fold] = True
    lost = [arm for arm, folds in zip(log.arms, seen, strict=True) if folds.sum() < 2]
    if lost:
        raise stop(
            "the folds",
            "too-few-organisations" if log.organisations_given else "too-few-leads",
            "every arm is in two folds or more, to be learnt in one and judged in the other",
            f"{listed_labels(lost)} in one fold only",
            "collect more leads, or leave the arm out",
        )


def make_learners(names: Sequence[str], seed: int) -> dict[str, UpliftLearner]:
    """The learners that a configuration names."""
    return {name: LEARNERS[name](random_state=seed) for name in names}
