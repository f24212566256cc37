"""Cross-fitting: every lead's prediction comes from models that never saw its organisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone

from leadlift.base.arrays import Bools, Codes, Floats
from leadlift.base.problems import listed_labels, stop
from leadlift.data import AssignmentLog
from leadlift.learners.drlearner import DRLearner
from leadlift.learners.features import Features, Rows
from leadlift.learners.folds import fold_units, kept_together, organisation_folds
from leadlift.learners.forests import CausalForest, UpliftForest
from leadlift.learners.learner import UpliftLearner
from leadlift.learners.out_of_fold import OutOfFold
from leadlift.learners.rlearner import RLearner
from leadlift.learners.sample import Fitted, Sample
from leadlift.learners.slearner import SLearner
from leadlift.learners.threads import Progress, in_threads, no_progress
from leadlift.learners.tlearner import TLearner
from leadlift.learners.xlearner import XLearner

LEARNERS: dict[str, Callable[..., UpliftLearner]] = {
    "s": SLearner,
    "t": TLearner,
    "x": XLearner,
    "r": RLearner,
    "dr": DRLearner,
    "uplift_forest": UpliftForest,
    "causal_forest": CausalForest,
}


@dataclass(frozen=True, eq=False)
class FittedModels:
    """The learners of a study and its outcome models, fitted on one set of leads.

    They predict for leads of other organisations only: in-sample predictions cannot be had from them.

    Attributes:
        learners: by name.
        outcome: model of outcomes for each arm, control first.
        features: of all leads of the log.
        seen: whether a model was fitted on the organisation, shape (organisations,).
        digest: of the log that they were fitted on.
    """

    learners: Mapping[str, UpliftLearner]
    outcome: tuple[Fitted, ...]
    features: Features
    seen: Bools
    digest: str

    _held: dict[bytes, Rows] = field(default_factory=dict, repr=False)

    def uplift(self, log: AssignmentLog, rows: Codes) -> dict[str, Floats]:
        """Predicted uplift of `rows` by learner, each of shape (rows, arms - 1)."""
        held = self._rows(log, rows)
        return {name: _predicted(learner, log, held) for name, learner in self.learners.items()}

    def outcomes(self, log: AssignmentLog, rows: Codes) -> Floats:
        """Expected outcomes of `rows` under each arm, shape (rows, arms)."""
        held = self._rows(log, rows)
        return np.column_stack([model.at(held) for model in self.outcome])

    def _rows(self, log: AssignmentLog, rows: Codes) -> Rows:
        """The same object for the same rows: models that predict for them twice do it once."""
        if log.digest != self.digest:
            rule, found = "a study judges the leads of its own log", "another log than the one the models come from"
            raise stop("the predictions", "other-log", rule, found, "predict with a learner fitted by itself")
        inside = int(self.seen[log.organisation[rows]].sum())
        if inside:
            found = f"{inside:,} of {len(rows):,} leads belong to organisations that the models were fitted on"
            rule = "a study judges leads by models that never saw their organisation"
            raise stop("the predictions", "in-sample", rule, found, "predict for the leads held back")
        return self._held.setdefault(rows.tobytes(), Rows(self.features, rows))


def fit_models(
    log: AssignmentLog,
    rows: Codes,
    learners: Mapping[str, UpliftLearner],
    seed: int,
    features: Features | None = None,
    unit: Codes | None = None,
) -> FittedModels:
    """Fits copies of `learners`, and outcome models for per-lead scores, on `rows` of the log.

    What several of them need is fitted once: the T-learner's models are the X-learner's first stage and the outcome
    models of the scores, where their settings are the same.

    Args:
        log: the leads.
        rows: whom to fit on; organisations with a lead among them count as seen.
        learners: by name; not changed.
        seed: of the outcome models and of folds inside learners.
        features: `log_features(log)`, to share bins with other fits; None: made here.
        unit: what folds inside learners keep whole, shape (n,); None: organisations, and the log's permuted blocks.
    """
    sample = log_sample(log, rows, seed, features, unit)
    fitted = {name: _fitted(learner, log, sample) for name, learner in learners.items()}
    plain = TLearner(random_state=seed).fit_sample(sample)
    seen = np.zeros(log.n_organisations, dtype=bool)
    seen[log.organisation[rows]] = True
    return FittedModels(fitted, plain.outcome_models_, sample.features, seen, log.digest)


def _shares(learner: Any) -> bool:
    """Whether a learner is fitted as ours are, not in a way of its own (a pipeline, a class with its own `fit`)."""
    kind = type(learner)
    return isinstance(learner, UpliftLearner) and (kind.fit, kind.predict) == (UpliftLearner.fit, UpliftLearner.predict)


def _fitted(learner: Any, log: AssignmentLog, sample: Sample) -> Any:
    copy, rows = clone(learner), sample.rows
    if _shares(copy):
        return copy.fit_sample(sample)
    weighted = {} if log.weight is None else {"sample_weight": _weight(log, rows)}
    return copy.fit(
        log.known_before.iloc[rows],
        log.outcome[rows],
        treatment=log.arm[rows],
        propensity=log.propensities[rows],
        groups=log.organisation[rows],
        **weighted,
    )


def _predicted(learner: Any, log: AssignmentLog, held: Rows) -> Floats:
    propensity = log.propensities[held.index]
    if _shares(learner):
        return np.asarray(learner.predict_rows(held, propensity))
    uplift = learner.predict(log.known_before.iloc[held.index], propensity=propensity)
    return np.asarray(uplift, dtype=np.float64).reshape(len(held), len(log.treated_arms))


def log_features(log: AssignmentLog) -> Features:
    """What models may learn from in a log, encoded once for all fits of a study."""
    return Features(log.known_before)


def log_sample(
    log: AssignmentLog, rows: Codes, seed: int, features: Features | None = None, unit: Codes | None = None
) -> Sample:
    """Rows of a log as learners are fitted on them together."""
    unit = fold_units(log)[0] if unit is None else unit
    return Sample(
        features=log_features(log) if features is None else features,
        rows=rows,
        y=log.outcome[rows],
        arm=log.arm[rows],
        propensity=log.propensities[rows],
        weight=_weight(log, rows),
        organisation=np.unique(unit[rows], return_inverse=True)[1],
        seed=seed,
    )


def _weight(log: AssignmentLog, rows: Codes) -> Floats | None:
    """Sample weights of `rows`, 1 on average over the log: penalties in models count weights as leads."""
    return None if log.weight is None else log.weight[rows] / log.weight.mean()


def cross_fit(
    learner: UpliftLearner | Mapping[str, UpliftLearner],
    log: AssignmentLog,
    *,
    folds: int = 5,
    repeats: int = 1,
    together: Any = None,
    seed: int = 0,
    features: Features | None = None,
    progress: Progress = no_progress,
) -> OutOfFold:
    """Out-of-fold predictions by organisation: the only way a learner comes into a study.

    Args:
        learner: one learner (named by its class), or several by name. Arms are coded 0 (control), 1, ... as in the log.
        log: the leads.
        folds: how many folds of organisations.
        repeats: how many draws of folds; predictions are means over them, each by models that never saw the lead. So
            are per-lead scores, which are linear in the outcomes expected: each draw's are unbiased, and so is their
            mean, whose interval is computed once, from the mean scores.
        together: permuted block of each lead, shape (n,), in the log's row order; kept on one side of a fold, with all
            organisations in it. None: the log's own (`log.block`), if it has any.
        seed: of the folds and the outcome models.
        features: `log_features(log)`, to share bins with other fits; None: made here.
        progress: called after each fold.

    Returns: predictions in the log's row order.
    """
    learners = learner if isinstance(learner, Mapping) else {type(learner).__name__: learner}
    if folds < 1 or repeats < 1:  # one fold stops below, with the arms that it loses
        rule = "two folds or more, drawn once or more"
        raise stop(
            "the folds", "folds", rule, f"{folds} folds, {repeats} draws", "5 folds, drawn once, are the default"
        )
    unit, units = fold_units(log) if together is None else kept_together(log.organisation, together)
    if units < 2 and log.n_organisations > 1:
        found = f"{units}: the permuted blocks join all {log.n_organisations:,} organisations"
        rule, fix = "there is something to hold back, whole", "leave `block` out where strata were drawn as one block"
        raise stop("the folds", "too-few-organisations", rule, found, fix)
    drawn = [_drawn_folds(log, unit, units, folds, seed, repeat) for repeat in range(repeats)]
    shared = log_features(log) if features is None else features

    def predicted(step: tuple[int, int]) -> tuple[dict[str, Floats], Floats]:
        fold, k = drawn[step[0]], step[1]
        models = fit_models(log, np.flatnonzero(fold != k), learners, seed, shared, unit)
        held = np.flatnonzero(fold == k)
        return models.uplift(log, held), models.outcomes(log, held)

    uplift = {name: np.zeros((len(log), len(log.treated_arms))) for name in learners}
    outcomes, first = np.zeros((2, len(log), len(log.arms)))
    steps = [(repeat, k) for repeat in range(repeats) for k in range(folds)]
    for (repeat, k), (by_learner, by_arm) in zip(steps, in_threads(predicted, steps, progress), strict=True):
        rows = np.flatnonzero(drawn[repeat] == k)
        outcomes[rows] += by_arm / repeats
        for name, values in by_learner.items():
            uplift[name][rows] += values / repeats
        if repeat == 0:
            first[rows] = by_arm
    return OutOfFold(uplift, outcomes, drawn[0], first, repeats)


def _drawn_folds(log: AssignmentLog, unit: Codes, units: int, folds: int, seed: int, repeat: int) -> Codes:
    rng = np.random.default_rng([seed, 1] if repeat == 0 else [seed, 1, repeat])
    fold = organisation_folds(unit, units, folds, rng)
    _refuse_lost_arms(log, fold)
    return fold


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


def make_learners(
    names: Sequence[str], seed: int, options: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, UpliftLearner]:
    """The learners that a configuration names.

    Args:
        names: keys of `LEARNERS`.
        seed: of their models and folds.
        options: by learner, what differs from its defaults.
    """
    given = options or {}
    return {name: LEARNERS[name](random_state=seed, **given.get(name, {})) for name in names}
