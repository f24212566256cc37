"""Score groups, and what a score estimated from the log itself must not do."""

from __future__ import annotations

import numpy as np
import pytest

from leadlift import AssignmentLog
from leadlift.base.config import ScoreGroups
from leadlift.base.errors import DataError
from leadlift.evaluation import effects_by_segment, score_groups
from leadlift.learners import cross_fit, make_learners
from small_logs import small_log


def scored(score: np.ndarray) -> AssignmentLog:
    log = AssignmentLog.from_frame(
        small_log(len(score)),
        treatment="arm",
        control="none",
        propensity={"none": 0.5, "call": 0.5},
        outcome="won",
        features=["size"],
        lead_id="id",
    )
    return log.with_score(score)


def test_a_score_on_a_cut_belongs_to_the_group_above() -> None:
    log = scored(np.repeat([0.1, 0.2, 0.6, 0.9], 100))
    segments, info = score_groups(log, ScoreGroups(cuts=[0.2, 0.6]))  # type: ignore[misc]
    assert [segments.names[k] for k in segments.code[[0, 100, 200, 399]]] == ["low", "medium", "high", "high"]
    assert info.sizes == (100, 100, 200)


def test_cuts_that_leave_a_group_empty_name_it() -> None:
    with pytest.raises(DataError, match=r"none in medium; cuts 0.4, 0.6, scores from 0.1 to 0.9, 2 different"):
        score_groups(scored(np.repeat([0.1, 0.9], 200)), ScoreGroups(cuts=[0.4, 0.6]))


def test_an_estimated_score_is_cut_within_each_fold() -> None:
    fold = np.arange(400) % 2
    # One fold's model scores everyone higher: that must not move its leads into the high group.
    log = scored(np.linspace(0.1, 0.4, 400) + 0.5 * fold).with_score(
        np.linspace(0.1, 0.4, 400) + 0.5 * fold, "estimated"
    )
    found = score_groups(log, ScoreGroups(), fold)
    assert found is not None
    for k in (0, 1):
        assert np.bincount(found[0].code[fold == k]).tolist() == [66, 67, 67]


def test_an_estimated_score_that_is_constant_in_a_fold_makes_no_groups() -> None:
    fold = np.arange(400) % 5
    assert score_groups(scored(fold / 10).with_score(fold / 10, "estimated"), ScoreGroups(), fold) is None


@pytest.mark.slow
def test_groups_of_an_estimated_score_do_not_choose_their_effects() -> None:
    """Features say nothing and no touch does anything: cut over all folds, low was -3.3 and high +2.3 points."""
    means = np.zeros(3)
    runs = 150
    for seed in range(runs):
        frame = small_log(1_000, seed)
        rng = np.random.default_rng([seed, 1])
        frame["won"] = (rng.random(len(frame)) < 0.2).astype(int)
        log = AssignmentLog.from_frame(
            frame,
            treatment="arm",
            control="none",
            propensity={"none": 0.5, "call": 0.5},
            outcome="won",
            features=["size", "channel"],
            lead_id="id",
        )
        fitted = cross_fit(make_learners([], 0), log, seed=seed)
        log = log.with_score(fitted.outcomes[:, 0], "estimated")
        found = score_groups(log, ScoreGroups(), fitted.fold)
        if found is None:
            continue
        effects, _ = effects_by_segment(log, found[0], fitted.outcomes, seed=0)
        means += [e.effect for e in effects if e.estimator == "difference_in_means"]
    # A group's effect has a standard error of about 0.044 a log.
    assert np.abs(means / runs).max() < 4.5 * 0.044 / np.sqrt(runs)
