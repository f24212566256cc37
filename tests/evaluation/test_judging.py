"""The sequential judge for any procedure: what it calibrates, what it chooses, and what it refuses to find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from leadlift import AssignmentLog
from leadlift.evaluation import (
    calibration,
    chosen_before,
    combined,
    isotonic_uplift,
    judge_procedure,
    lead_scores,
    learner_choices,
    ranking_results,
    recalibrated,
)
from leadlift.evaluation.choice import NO_EVIDENCE
from leadlift.evaluation.combining import combined_jointly
from leadlift.evaluation.judging import Measure
from leadlift.learners import OutOfFold, organisation_folds

CONTROL, SHARE = 1.0, 0.6


def make_log(n: int = 4_000, *, seed: int = 0, effect: float = 1.0) -> tuple[AssignmentLog, np.ndarray]:
    """Money of organisations of four leads; uplift is 0.3 plus `effect` times a feature in [0, 1]. With the uplift."""
    rng = np.random.default_rng(seed)
    organisation = np.arange(n) // 4
    arm = (rng.random(n // 4) < SHARE)[organisation]
    x = rng.random(n).round(6)
    y = CONTROL + rng.normal(size=n // 4)[organisation] * 0.5 + rng.normal(size=n) + arm * (0.3 + effect * x)
    frame = pd.DataFrame({"id": np.char.mod("%06d", np.arange(n)), "client": organisation, "y": y, "x": x})
    frame["arm"] = np.where(arm, "call", "none")
    log = AssignmentLog.from_frame(
        frame,
        treatment="arm",
        control="none",
        propensity={"none": 1 - SHARE, "call": SHARE},
        outcome="y",
        features=["x"],
        lead_id="id",
        organisation="client",
    )
    return log, 0.3 + effect * x


@dataclass(frozen=True)
class Known:
    """Something fitted that ranks by what it is told, and knows the outcomes."""

    predictions: dict[str, np.ndarray]
    truth: np.ndarray

    def uplift(self, log: AssignmentLog, rows: np.ndarray) -> dict[str, np.ndarray]:
        return {name: values[rows][:, None] for name, values in self.predictions.items()}

    def outcomes(self, log: AssignmentLog, rows: np.ndarray) -> np.ndarray:
        return np.column_stack([np.full(len(rows), CONTROL), CONTROL + self.truth[rows]])


def judged(**predict: Callable[[np.ndarray], np.ndarray]):
    log, uplift = make_log()
    known = Known({name: by(uplift) for name, by in predict.items()}, uplift)
    return log, judge_procedure(log, lambda rows: known, seed=0)


def test_a_procedure_never_sees_the_organisations_it_ranks() -> None:
    log, uplift = make_log(1_600)
    trained: list[np.ndarray] = []

    def fit(rows: np.ndarray) -> Known:
        trained.append(rows)
        return Known({"it": uplift}, uplift)

    blocks = judge_procedure(log, fit, seed=3)
    assert len(blocks) == 4
    by_size = sorted(trained, key=len)
    for rows, block in zip(by_size, blocks, strict=True):
        assert not set(log.organisation[rows]) & set(log.organisation[block.rows])
        assert block.unit.max() + 1 == block.n_units == len(np.unique(log.organisation[block.rows]))
    assert sum(len(block.rows) for block in blocks) == 800
    again = judge_procedure(log, fit, seed=3)
    assert all((a.rows == b.rows).all() for a, b in zip(blocks, again, strict=True))


def test_permuted_blocks_are_on_one_side_too() -> None:
    log, uplift = make_log(1_600)
    # Blocks of three organisations, and some that share one.
    log = replace(log, block=np.minimum(log.organisation // 3, 130))
    trained: list[np.ndarray] = []

    def fit(rows: np.ndarray) -> Known:
        trained.append(rows)
        return Known({"it": uplift}, uplift)

    blocks = judge_procedure(log, fit, seed=3)
    for rows, block in zip(sorted(trained, key=len), blocks, strict=True):
        assert not set(log.block[rows]) & set(log.block[block.rows])
        assert not set(log.organisation[rows]) & set(log.organisation[block.rows])


def test_any_measure_of_blocks_is_combined_alike() -> None:
    _, blocks = judged(right=lambda u: u, noise=lambda u: np.random.default_rng(5).random(len(u)))
    names = ("right", "noise")
    areas = [lambda b, n=n: Measure(b.rankings[n, "call"].qini, b.rankings[n, "call"].influence) for n in names]
    together = combined_jointly(blocks, "call", areas)
    for k, name in enumerate(names):
        alone = combined(blocks, "call", lambda b, n=name: (b.rankings[n, "call"].qini, b.rankings[n, "call"].qini_se))
        assert together.values[k] == pytest.approx(alone.value)
        assert together.covariance[k, k] == pytest.approx(alone.se**2)
    assert abs(together.covariance[0, 1]) < np.sqrt(together.covariance[0, 0] * together.covariance[1, 1])
    assert together.covariance[0, 1] == together.covariance[1, 0]


def test_a_measure_that_no_block_has_is_missing_and_leaves_the_others() -> None:
    _, blocks = judged(same=np.zeros_like, right=lambda u: u)
    areas = [
        lambda b, n=n: Measure(b.rankings[n, "call"].qini, b.rankings[n, "call"].influence) for n in ("same", "right")
    ]
    found = combined_jointly(blocks, "call", areas)
    assert np.isnan(found.values).tolist() == [True, False]
    assert np.isnan(found.covariance[0]).all()
    assert found.covariance[1, 1] > 0


def test_right_predictions_have_slope_one_and_the_right_level() -> None:
    log, blocks = judged(right=lambda u: u)
    found = calibration(log, blocks, "right", "call", seed=0)
    assert found.slope_lower < 1 < found.slope_upper
    assert found.p_value < 1e-6
    assert found.p_value_slope_one > 0.05
    assert found.difference_lower < 0 < found.difference_upper
    assert [row.bin for row in found.bins] == [1, 2, 3, 4, 5]
    assert sum(row.n for row in found.bins) == 2_000
    for row in found.bins:
        assert row.simultaneous_lower < row.lower < row.observed < row.upper < row.simultaneous_upper
        assert row.simultaneous_lower < row.predicted < row.simultaneous_upper


def test_predictions_too_far_apart_and_too_high_are_told() -> None:
    log, blocks = judged(wide=lambda u: 3 * u)
    found = calibration(log, blocks, "wide", "call", seed=0)
    assert found.slope == pytest.approx(1 / 3, abs=0.1)
    assert found.p_value_slope_one < 1e-6
    assert found.difference_upper < 0


def test_a_score_is_never_asked_for_slope_one() -> None:
    log, blocks = judged(right=lambda u: u)
    results = {row.learner: row for row in ranking_results(log, blocks, np.ones((len(log), 2)), seed=0)}
    assert results["right"].calibration.p_value_slope_one is not None
    assert results["score"].calibration.to_dict() == type(results["score"].calibration)().to_dict()


def test_tied_predictions_make_fewer_bins() -> None:
    log, blocks = judged(two=lambda u: np.where(u > 0.8, 1.0, 0.5))
    found = calibration(log, blocks, "two", "call", seed=0)
    assert [row.predicted for row in found.bins] == [0.5, 1.0]


def test_the_best_learner_is_chosen_and_the_simplest_of_equals() -> None:
    rng = np.random.default_rng(1)
    nearly = 0.001 * rng.normal(size=4_000)
    _, blocks = judged(x=lambda u: u, t=lambda u: u + nearly, dr=lambda u: rng.random(len(u)))
    (choice,) = learner_choices(blocks, ["call"], seed=0)
    beats = {c.learner: c.beats_constant for c in choice.candidates}
    assert beats == {"x": True, "t": True, "dr": False}
    assert choice.chosen == "t"
    assert choice.best in {"x", "t"}
    assert choice.message == ""
    gains = {c.learner: c.loss_gain for c in choice.candidates}
    # The loss gain is the spread of uplift that the prediction explains: 1/12 for a uniform feature.
    assert gains["x"] == pytest.approx(1 / 12, abs=0.06)
    assert gains["dr"] < 0


def test_a_learner_of_the_right_order_and_the_wrong_size_loses_to_one_of_the_right_size() -> None:
    _, blocks = judged(s=lambda u: 3 * u, x=lambda u: u)
    (choice,) = learner_choices(blocks, ["call"], seed=0)
    found = {c.learner: c for c in choice.candidates}
    assert found["s"].qini == pytest.approx(found["x"].qini)
    assert found["s"].loss_gain_upper < 0 < found["x"].loss_gain_lower
    assert (choice.chosen, choice.best) == ("x", "x")
    assert found["s"].behind_best > found["s"].behind_best_se > 0


def test_each_block_follows_what_earlier_blocks_chose() -> None:
    _, blocks = judged(x=lambda u: u, noise=lambda u: np.random.default_rng(5).random(len(u)))
    follows = chosen_before(blocks, ["call"], otherwise="noise", seed=0)
    assert [follow["call"] for follow in follows] == ["noise", "x", "x", "x"]
    for place in range(4):
        # What a block and those after it showed says nothing of whom it follows.
        turned = [replace(b, scores={"call": -b.scores["call"]}) if k >= place else b for k, b in enumerate(blocks)]
        assert chosen_before(turned, ["call"], otherwise="noise", seed=0)[: place + 1] == follows[: place + 1]
    assert chosen_before(blocks, ["call"], otherwise="x", seed=0)[0] == {"call": "x"}


def test_where_uplift_does_not_differ_no_learner_is_chosen() -> None:
    log, uplift = make_log(effect=0.0)
    rng = np.random.default_rng(2)
    known = Known({"t": rng.random(len(log)), "x": np.full(len(log), 0.3)}, uplift)
    blocks = judge_procedure(log, lambda rows: known, seed=0)
    (choice,) = learner_choices(blocks, ["call"], seed=0)
    assert (choice.chosen, choice.best, choice.message) == (None, None, NO_EVIDENCE)
    # A constant has no order and no loss to gain: its numbers are missing, not zero.
    constant = next(c for c in choice.candidates if c.learner == "x")
    assert (constant.qini, constant.loss_gain, constant.beats_constant) == (None, None, False)
    (said,) = learner_choices(blocks, ["call"], seed=0, groups_differ=["call"])
    assert said.message == "no learner beats a constant, though score groups differ"
    for slope, message in (
        (1.0, "no learner beats a constant, though uplift rises along a prediction"),
        (-1.0, NO_EVIDENCE),
    ):
        seen = [
            replace(
                b, rankings=b.rankings | {("t", "call"): replace(b.rankings["t", "call"], slope=slope, slope_se=0.5)}
            )
            for b in blocks
        ]
        assert learner_choices(seen, ["call"], seed=0)[0].message == message


def test_false_choices_are_rare() -> None:
    chosen = 0
    for seed in range(25):
        log, uplift = make_log(600, seed=seed, effect=0.0)
        rng = np.random.default_rng([seed, 9])
        known = Known({name: 0.3 + 0.2 * rng.normal(size=600) for name in ("t", "x", "dr")}, uplift)
        blocks = judge_procedure(log, lambda rows, known=known: known, seed=seed)
        chosen += learner_choices(blocks, ["call"], seed=0)[0].chosen is not None
    # At most 2.5% by the simultaneous interval: 4 of 25 would be seen once in 300.
    assert chosen < 4


def test_recalibration_restores_size_and_keeps_the_order() -> None:
    log, uplift = make_log()
    fold = organisation_folds(log.organisation, log.n_organisations, 5, np.random.default_rng(0))
    outcomes = np.column_stack([np.full(len(log), CONTROL), CONTROL + uplift])
    wrong = 3 * uplift - 1
    found = recalibrated(log, OutOfFold({"x": wrong[:, None]}, outcomes, fold, outcomes))["x"][:, 0]
    assert ((found - uplift) ** 2).mean() < 0.1 * ((wrong - uplift) ** 2).mean()
    for k in range(5):
        ordered = found[fold == k][np.argsort(wrong[fold == k])]
        assert (np.diff(ordered) >= 0).all()


def test_recalibration_helps_where_predictions_are_half_noise() -> None:
    """Steps of single leads would follow the scores' noise: 0.94 of the squared error is left then, here 0.65."""
    raw, found = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        uplift = 0.05 + 0.05 * rng.normal(size=10_000)
        predicted = uplift + 0.05 * rng.normal(size=10_000)
        scores = uplift + 0.85 * rng.normal(size=10_000)
        fold = np.arange(10_000) % 2
        raw.append(((predicted - uplift) ** 2).mean())
        found.append(((isotonic_uplift(predicted, scores, fold=fold) - uplift) ** 2).mean())
    assert np.mean(found) < 0.8 * np.mean(raw)


def test_recalibration_never_uses_a_leads_own_fold() -> None:
    log, uplift = make_log(400)
    fold = np.arange(400) // 4 % 4
    outcomes = np.column_stack([np.full(400, CONTROL), CONTROL + uplift])
    scores = lead_scores(log, "call", outcomes)
    before = isotonic_uplift(uplift, scores, fold=fold)
    scores[fold == 2] += 100
    after = isotonic_uplift(uplift, scores, fold=fold)
    assert (before[fold == 2] == after[fold == 2]).all()
    assert (before[fold != 2] != after[fold != 2]).all()
    with pytest.raises(ValueError, match="leads of other folds\n    1 fold"):
        isotonic_uplift(uplift, scores, fold=np.zeros(400, dtype=int))
