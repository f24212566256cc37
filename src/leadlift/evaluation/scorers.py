"""Scorers for scikit-learn's model selection: treatment and propensity reach them by metadata routing."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.utils.metadata_routing import MetadataRequest

from leadlift.base.arrays import Codes, Floats
from leadlift.base.problems import did_you_mean, listed_labels, stop
from leadlift.evaluation.metric_inputs import ranking_column
from leadlift.evaluation.metrics import autoc, qini_score
from leadlift.inference import contrast_scores
from leadlift.learners import pairwise, propensity_by_arm

Measure = Literal["qini", "autoc", "dr_loss", "r_loss"]
MEASURES = ("qini", "autoc", "dr_loss", "r_loss")
WHERE = "the scorer's input"
METADATA = ("treatment", "propensity", "outcomes", "sample_weight")


class UpliftScorer:
    """Scores a fitted learner on leads that it has not seen; greater is better. With several arms, their mean.

    Made by `uplift_scorer`. All it needs besides X and y is requested from scikit-learn's metadata routing, which the
    caller switches on: `sklearn.set_config(enable_metadata_routing=True)`.
    """

    def __init__(self, measure: Measure) -> None:
        self.measure = measure

    def __repr__(self) -> str:
        return f"uplift_scorer({self.measure!r})"

    def get_metadata_routing(self) -> MetadataRequest:
        """What this asks scikit-learn to hand over."""
        request = MetadataRequest(owner=self)
        for name in METADATA:
            request.score.add_request(param=name, alias=True)
        return request

    def __call__(
        self,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        treatment: Any,
        propensity: Any,
        outcomes: Any = None,
        sample_weight: Any = None,
    ) -> float:
        """The score of a fitted learner, or of a pipeline that ends in one.

        Args:
            estimator: fitted; `predict` gives uplift, `classes_` the arms, control first.
            X: features of the leads that judge, shape (n, features).
            y: their outcomes, shape (n,), outcome units.
            treatment: their arms, shape (n,).
            propensity: as the learner's `fit` takes them.
            outcomes: expected outcomes under each arm, shape (n, arms), control first, by models that never saw the
                lead's organisation, for the losses; None: each arm's mean among these leads.
            sample_weight: shape (n,), or None.

        Raises:
            DataError: an arm that the learner has not seen, a value that is missing or not a number, a negative weight,
                lengths that differ, or what the area itself can't be computed from.
        """
        arms = np.asarray(estimator.classes_)
        arm = _codes(treatment, arms)
        y = ranking_column(WHERE, "y", y, len(arm))
        shares = propensity_by_arm(propensity, len(y), len(arms))
        weight = np.ones(len(y)) if sample_weight is None else _weights(sample_weight, len(y))
        uplift = np.asarray(estimator.predict(X), dtype=np.float64).reshape(len(y), len(arms) - 1)
        if self.measure in ("qini", "autoc"):
            return _area(self.measure, y, uplift, arm, shares, None if sample_weight is None else weight)
        expected = _arm_means(y, arm, shares, weight) if outcomes is None else _expected(outcomes, shares.shape)
        loss = _dr_loss if self.measure == "dr_loss" else _r_loss
        return -float(
            np.mean([loss(y, uplift[:, k - 1], arm, k, shares, expected, weight) for k in range(1, len(arms))])
        )


def uplift_scorer(measure: Measure) -> UpliftScorer:
    """A scorer for GridSearchCV, cross_validate and their like.

    Args:
        measure: "qini" and "autoc" score the ranking, in outcome units per lead; "dr_loss" and "r_loss" the uplift
            itself, as minus the mean squared distance from per-lead scores (Kennedy 2023) or from residuals (Nie and
            Wager 2021). Losses find a useful model where rankings are too noisy to tell models apart.

    Raises:
        DataError: another measure.

    >>> uplift_scorer("qini")
    uplift_scorer('qini')
    """
    if measure not in MEASURES:
        hint = did_you_mean(str(measure), MEASURES)
        raise stop("the scorer", "measure", f"a measure is one of {', '.join(MEASURES)}", f"`{measure}`", hint)
    return UpliftScorer(measure)


def _codes(treatment: Any, arms: Any) -> Codes:
    codes: Codes = pd.Index(list(arms)).get_indexer(pd.Index(np.asarray(treatment))).astype(np.intp)
    if (codes < 0).any():
        unknown = sorted({str(label) for label in np.asarray(treatment)[codes < 0]})
        rule, fix = "arms are those that the learner was fitted on", "use folds in which every arm occurs"
        raise stop(WHERE, "unknown-arm", rule, listed_labels(unknown), fix)
    return codes


def _weights(sample_weight: Any, n: int) -> Floats:
    weight = ranking_column(WHERE, "sample_weight", sample_weight, n)
    negative = int((weight < 0).sum())
    if negative or not weight.any():
        rule, found = "weights are not negative, nor all 0", f"{negative:,} of {n:,} negative"
        raise stop(WHERE, "weights", rule, found, "pass one weight per lead")
    return weight


def _expected(outcomes: Any, shape: tuple[int, ...]) -> Floats:
    expected = np.asarray(outcomes, dtype=np.float64)
    if expected.shape != shape or not np.isfinite(expected).all():
        rule = f"`outcomes` are finite, of shape {shape}: a column per arm, control first"
        found = f"shape {expected.shape}, {int((~np.isfinite(expected)).sum()):,} not finite"
        raise stop(WHERE, "outcomes", rule, found, "pass out-of-fold predictions under every arm")
    return expected


def _area(measure: str, y: Floats, uplift: Floats, arm: Codes, shares: Floats, weight: Floats | None) -> float:
    areas = []
    for k, share in pairwise(shares).items():
        pair = (arm == k) | (arm == 0)
        area = qini_score if measure == "qini" else autoc
        given = None if weight is None else weight[pair]
        columns = y[pair], uplift[pair, k - 1], (arm[pair] == k).astype(int)
        areas.append(area(*columns, propensity=share[pair], sample_weight=given))
    return float(np.mean(areas))


def _arm_means(y: Floats, arm: Codes, shares: Floats, weight: Floats) -> Floats:
    """Each arm's mean, leads weighted by one over their propensity, on every row."""
    means = []
    for k in range(shares.shape[1]):
        inverse = weight * (arm == k) / shares[:, k]
        means.append((inverse * y).sum() / inverse.sum() if inverse.any() else 0.0)
    return np.tile(means, (len(y), 1))


def _dr_loss(y: Floats, uplift: Floats, arm: Codes, k: int, shares: Floats, expected: Floats, weight: Floats) -> float:
    scores = contrast_scores(
        y,
        np.where(arm == k, 1, np.where(arm == 0, 0, -1)),
        propensity_treated=shares[:, k],
        propensity_control=shares[:, 0],
        predicted_treated=expected[:, k],
        predicted_control=expected[:, 0],
    )
    return float(np.average((scores - uplift) ** 2, weights=weight))


def _r_loss(y: Floats, uplift: Floats, arm: Codes, k: int, shares: Floats, expected: Floats, weight: Floats) -> float:
    share, pair = pairwise(shares)[k], (arm == k) | (arm == 0)
    surprise = y - (1 - share) * expected[:, 0] - share * expected[:, k]
    residual = surprise - ((arm == k) - share) * uplift
    return float(np.average(residual[pair] ** 2, weights=weight[pair]))
