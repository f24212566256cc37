"""Logs that are samples: each lead counts as the leads it stands for, from the models to the last interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from leadlift import AssignmentLog
from leadlift.base.config import ScoreGroups, parse_config
from leadlift.base.errors import DataError
from leadlift.design import check_log
from leadlift.evaluation import (
    calibration,
    effects_by_segment,
    everyone,
    judge_procedure,
    learner_choices,
    ranking_results,
    score_groups,
)
from leadlift.evaluation.groups import quantile_cuts
from leadlift.evaluation.scores import enough_outcomes, few_events
from leadlift.learners import TLearner, cross_fit
from leadlift.study.analyse import analyse
from leadlift.study.progress import Silent

NAMES = {"treatment": "arm", "control": "none", "outcome": "y", "features": ["x"], "organisation": "client"}
SHARES = {"a": {"none": 0.5, "call": 0.5}, "b": {"none": 0.3, "call": 0.7}}


def frame_of(n=2_100, seed=0, binary=False) -> pd.DataFrame:
    """Leads of 300 organisations in two strata of unequal shares, with whole weights."""
    rng = np.random.default_rng(seed)
    client = np.arange(n) % 300
    stratum = np.where(client % 3 == 0, "a", "b")
    chance = np.where(stratum == "a", 0.5, 0.7)
    x = rng.random(n).round(6)
    called = rng.random(n) < chance
    y = 1 + x + called * (0.2 + x) + rng.normal(size=n)
    y = (y > 1.5).astype(float) if binary else y
    arm = np.where(called, "call", "none")
    columns = {"client": client, "stratum": stratum, "arm": arm, "y": y, "x": x, "score": rng.random(n).round(6)}
    return pd.DataFrame({**columns, "weight": rng.integers(1, 4, size=n).astype(float)})


def log_of(frame, **more) -> AssignmentLog:
    return AssignmentLog.from_frame(frame, **NAMES, propensity=SHARES, stratum="stratum", score="score", **more)


def copied(frame) -> pd.DataFrame:
    return frame.loc[frame.index.repeat(frame["weight"].astype(int))].reset_index(drop=True)


class ByFeature:
    """Something fitted before, the same on either log."""

    def uplift(self, log, rows):
        x = log.features["x"].to_numpy()[rows]
        return {"x": x[:, None], "t": (np.round(x * 4) + (x > 0.9))[:, None]}

    def outcomes(self, log, rows):
        x = log.features["x"].to_numpy()[rows]
        return np.column_stack([1 + x, 1.5 + x])


@pytest.fixture(scope="module", params=[False, True], ids=["money", "binary"])
def two_logs(request):
    """One log with weights; the same with every lead as often as its weight says. Organisations are the same."""
    frame = frame_of(binary=request.param)
    return log_of(frame, weight="weight"), log_of(copied(frame))


def test_effects_and_intervals_are_those_of_leads_copied_inside_their_organisations(two_logs):
    found = []
    for log in two_logs:
        outcomes = ByFeature().outcomes(log, np.arange(len(log)))
        rows = []
        for segments in (everyone(log), score_groups(log, ScoreGroups(cuts=[0.3, 0.7]))[0]):
            effects, tests = effects_by_segment(log, segments, outcomes, seed=0)
            rows += [(e.control_mean, e.treatment_mean, e.effect, e.se, e.ci_lower, e.ci_upper) for e in effects]
            rows += [(t.statistic, t.p_value) + (0.0,) * 4 for t in tests]
        found.append(np.array(rows, dtype=float))
    assert len(found[0]) == 2 + 6 + 2
    np.testing.assert_allclose(*np.array(found, dtype=float), rtol=1e-9)


def test_rankings_calibration_and_choice_are_those_of_copied_leads(two_logs):
    judged = [judge_procedure(log, lambda rows: ByFeature(), seed=0) for log in two_logs]
    for one, other in zip(*judged, strict=True):
        for key, mine in one.rankings.items():
            theirs = other.rankings[key]
            np.testing.assert_allclose(mine.gain, theirs.gain, rtol=1e-9)
            np.testing.assert_allclose([mine.slope, mine.slope_se], [theirs.slope, theirs.slope_se], rtol=1e-9)
            # An area adds up ranks, which copies have more of: the same to one lead's rank.
            np.testing.assert_allclose(
                [mine.qini, mine.qini_se, mine.autoc, mine.autoc_se],
                [theirs.qini, theirs.qini_se, theirs.autoc, theirs.autoc_se],
                atol=0.01,
            )
    blocks, copies = judged
    assert blocks[0].mean_effect["call"] == pytest.approx(copies[0].mean_effect["call"])
    sized = [calibration(log, b, "x", "call", seed=0) for log, b in zip(two_logs, judged, strict=True)]
    for name in ("slope", "slope_lower", "difference", "difference_upper", "p_value_slope_one"):
        assert getattr(sized[0], name) == pytest.approx(getattr(sized[1], name), rel=1e-9)
    chosen = [learner_choices(b, ["call"], seed=0)[0] for b in judged]
    assert chosen[0].chosen == chosen[1].chosen
    for mine, theirs in zip(chosen[0].candidates, chosen[1].candidates, strict=True):
        assert mine.loss_gain == pytest.approx(theirs.loss_gain, rel=1e-9)
    assert [r.qini for r in ranking_results(two_logs[0], blocks, np.zeros((len(two_logs[0]), 2)), seed=0)]


def test_the_scale_of_weights_means_nothing():
    frame = frame_of(600, binary=True)
    config = parse_config({"name": "scale", "learners": ["x"]})
    found = []
    for scale in (1.0, 8.0):
        log = log_of(frame.assign(weight=frame["weight"] * scale), weight="weight")
        findings = analyse(log, config, Silent())
        row = [e.effect for e in findings.effects] + [e.se for e in findings.effects]
        row += [r.qini for r in findings.rankings] + [r.calibration.slope or 0.0 for r in findings.rankings]
        found.append(row + [b.difference for b in findings.balance])
    np.testing.assert_allclose(*np.array(found, dtype=float), rtol=1e-9)


def population(n=20_000, seed=0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x, called = rng.random(n).round(6), rng.random(n) < 0.5
    y = (rng.random(n) < 0.05 + 0.05 * x + called * 0.06 * x).astype(int)
    return pd.DataFrame({"arm": np.where(called, "call", "none"), "y": y, "x": x, "score": x})


def kept(frame, seed=0) -> pd.DataFrame:
    """All who bought, and a tenth of the others."""
    chance = np.where(frame["y"] == 1, 1.0, 0.1)
    inside = np.random.default_rng([seed, 1]).random(len(frame)) < chance
    return frame[inside].assign(weight=1 / chance[inside])


def flat(frame, **more) -> AssignmentLog:
    half = {"none": 0.5, "call": 0.5}
    names = {**NAMES, "organisation": None, "score": "score"}
    return AssignmentLog.from_frame(frame, **names, propensity=half, **more)


def test_a_log_of_all_buyers_and_a_tenth_of_the_others_shows_the_effect_of_all():
    """Truth 0.03. Unweighted, the same log says eight times as much, and its split looks broken."""
    errors, wrong, covered = [], [], 0
    for seed in range(25):
        frame = kept(population(seed=seed), seed)
        log, plain = flat(frame, weight="weight"), flat(frame.drop(columns="weight"))
        outcomes = np.zeros((len(log), 2)) + 0.08
        (means, aipw), _ = effects_by_segment(log, everyone(log), outcomes, seed=0)
        errors.append([means.effect - 0.03, aipw.effect - 0.03])
        covered += (means.ci_lower < 0.03 < means.ci_upper) + (aipw.ci_lower < 0.03 < aipw.ci_upper)
        wrong.append(effects_by_segment(plain, everyone(plain), outcomes, seed=0)[0][0].effect)
    bias = np.mean(errors, axis=0)
    assert (np.abs(bias) < 4 * np.std(errors, axis=0) / np.sqrt(25)).all()
    assert covered >= 43
    assert min(wrong) > 0.06


def test_the_split_is_judged_by_weights():
    frame = kept(population(40_000))
    weighted, plain = flat(frame, weight="weight"), flat(frame.drop(columns="weight"))

    def ratio(log):
        return next(c for c in check_log(log, features_named=True, seed=0) if c.code == "sample-ratio")

    assert (ratio(weighted).status, ratio(plain).status) == ("pass", "stop")
    codes = {check.code for check in check_log(weighted, features_named=True, seed=0)}
    assert "sample-ratio-by-stratum" not in codes
    half = frame[(frame["arm"] == "none") | (np.arange(len(frame)) % 2 == 0)]
    assert ratio(flat(half, weight="weight")).status == "stop"


def test_models_are_fitted_with_the_weights():
    log = log_of(frame_of(), weight="weight")
    learner = TLearner(outcome_model=LinearRegression())
    found = cross_fit({"t": learner}, log, folds=2)
    for k in range(2):
        rows, held = np.flatnonzero(found.fold != k), np.flatnonzero(found.fold == k)
        alone = TLearner(outcome_model=LinearRegression()).fit(
            log.known_before.iloc[rows],
            log.outcome[rows],
            treatment=log.arm[rows],
            propensity=log.propensities[rows],
            sample_weight=log.weight[rows],
        )
        np.testing.assert_allclose(found.uplift["t"][held, 0], alone.predict(log.known_before.iloc[held]))
    plain = cross_fit({"t": learner}, replace(log, weight=None), folds=2)
    assert (plain.uplift["t"] != found.uplift["t"]).any()


def test_few_leads_of_large_weight_are_few_events():
    frame = kept(population(4_000))
    frame["weight"] = np.where((frame["y"] == 1) & (np.arange(len(frame)) % 50 != 0), 0.001, 100.0)
    log = flat(frame, weight="weight")
    assert not few_events(replace(log, weight=None), "call")
    assert few_events(log, "call")
    assert not enough_outcomes(log, "call")
    (means, _), _ = effects_by_segment(log, everyone(log), np.zeros((len(log), 2)), seed=0)
    assert (means.interval, means.ci_lower) == ("none", None)


def test_groups_are_shares_of_the_leads_stood_for():
    score, weight = np.array([0.4, 0.1, 0.3, 0.2]), np.array([1.0, 2.0, 2.0, 1.0])
    assert quantile_cuts(score, [1 / 3, 2 / 3], weight) == [0.2, 0.3]
    assert quantile_cuts(score, [0.5], weight) == quantile_cuts(np.repeat(score, [1, 2, 2, 1]), [0.5])
    log = flat(kept(population()), weight="weight")
    groups = score_groups(log, ScoreGroups())[0]
    shares = np.bincount(groups.code, weights=log.weight) / log.weight.sum()
    np.testing.assert_allclose(shares, 1 / 3, atol=0.005)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan])
def test_weights_that_cannot_be(bad):
    frame = frame_of(400)
    frame.loc[3, "weight"] = bad
    with pytest.raises(DataError, match=r"(?s)\[weight-range\].*`weight`: 1 of 400 rows"):
        log_of(frame, weight="weight")


def test_strategies_refuse_a_sample():
    log = log_of(frame_of(400), weight="weight")
    config = parse_config({"name": "who", "learners": ["t"], "strategies": ["score_first"]})
    with pytest.raises(DataError, match=r"(?s)\[weights\] a capacity counts the leads that there are.*`weight` says"):
        analyse(log, config, Silent())
