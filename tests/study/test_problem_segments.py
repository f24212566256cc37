"""Effects by the client problem that was logged at assignment."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from leadlift import AssignmentLog, run_study
from leadlift.base.config import parse_config
from leadlift.evaluation.effects import effects_by_segment
from leadlift.evaluation.groups import problem_segments
from leadlift.report import html
from leadlift.report.problem_uplift import problem_words
from leadlift.study.tracking import _metrics as metrics


def made_log(unknown, seed=0, gain=0.25):
    """A call that gains on P2 alone; the first leads' problem is not known."""
    rng = np.random.default_rng(seed)
    leads = 3_000
    problem = rng.choice(["P1", "P2", "P3"], leads)
    arm = rng.random(leads) < 0.5
    chance = 0.2 + gain * arm * (problem == "P2")
    frame = pd.DataFrame(
        {
            "lead": np.arange(leads),
            "arm": np.where(arm, "call", "control"),
            "bought": (rng.random(leads) < chance).astype(int),
            "score": rng.random(leads).round(3),
            "size": rng.normal(size=leads).round(3),
            "main": problem,
        }
    )
    frame.loc[frame.index[:unknown], "main"] = None
    return AssignmentLog.from_frame(
        frame,
        treatment="arm",
        control="control",
        propensity={"call": 0.5, "control": 0.5},
        outcome="bought",
        features=["size"],
        lead_id="lead",
        score="score",
        problem="main",
    )


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    store = {"uri": f"sqlite:///{tmp_path_factory.mktemp('runs') / 'mlflow.db'}"}
    config = parse_config({"name": "problems", "learners": ["t"], "folds": 2, "tracking": store})
    return run_study(config, log=made_log(unknown=300))


def compared_problems(log):
    """Tests between problems: of differences in means, and of AIPW with expected outcomes that are no use."""
    segments = problem_segments(log)
    assert segments is not None
    return effects_by_segment(log, segments, np.full((len(log), 2), 0.2), seed=0)[1]


def effects(result, by):
    return {e.segment: e for e in result.effects if e.segment_by == by and e.estimator == "aipw"}


def test_every_problem_has_its_effect_and_a_simultaneous_interval(result):
    found = effects(result, "problem")
    assert set(found) == {"P1", "P2", "P3", "unknown"}
    assert found["P2"].simultaneous_lower > 0.1
    assert found["P1"].simultaneous_lower < 0 < found["P1"].simultaneous_upper
    for effect in found.values():
        assert effect.simultaneous_lower < effect.ci_lower < effect.ci_upper < effect.simultaneous_upper
    assert sum(effect.n_treatment + effect.n_control for effect in found.values()) == 3_000


def test_problems_within_score_groups(result):
    found = effects(result, "score_group x problem")
    assert len(found) == 12
    assert {"low, P2", "high, unknown"} <= set(found)


def test_the_problem_that_may_gain_most_is_told(result):
    (test,) = [t for t in result.segment_tests if t.segment_by == "problem" and t.estimator == "aipw"]
    assert "P2" in test.possibly_best
    assert "P1" not in test.possibly_best
    assert test.p_value < 0.001


def test_a_rare_segment_does_not_keep_problems_from_being_compared(result):
    tests = compared_problems(made_log(unknown=12))
    for test in tests:
        assert test.p_value < 0.001
        # Nothing shows that what was not compared gains less.
        assert test.possibly_best == ("P2", "unknown")
        assert test.message == "too few outcomes to compare unknown"
    (words,) = problem_words(replace(result, segment_tests=tuple(tests)))
    assert words.endswith("P2 or unknown may gain most (too few outcomes to compare unknown).")


@pytest.mark.slow
def test_problems_alike_are_called_different_as_often_as_said():
    """200 logs, three like problems and a rare one: 5% of tests; binomial 99.9%: 2 to 22."""
    alarms = 0
    for seed in range(200):
        test = compared_problems(made_log(unknown=12, seed=seed, gain=0.0))[0]
        alarms += test.p_value < 0.05
    assert 2 <= alarms <= 22


def test_partially_pooled_effects_stand_beside_them(result):
    pooled = {e.segment: e for e in result.pooled if (e.segment_by, e.estimator) == ("problem", "aipw")}
    own = effects(result, "problem")
    # Unknown is no problem: it is not pooled with those that are.
    assert set(pooled) == {"P1", "P2", "P3"}
    assert own["P1"].effect < pooled["P1"].effect < pooled["P2"].effect < own["P2"].effect
    crossed = [e for e in result.pooled if (e.segment_by, e.estimator) == ("score_group x problem", "aipw")]
    assert len(crossed) == 9


def test_every_problem_has_a_card(result):
    cards = {card.problem: card for card in result.problems.cards}
    assert list(cards) == ["P1", "P2", "P3", "unknown"]
    assert result.problems.source == "logged"
    assert sum(card.n_leads for card in cards.values()) == 3_000
    (told,) = cards["P2"].effects
    own = effects(result, "problem")["P2"]
    assert (told.effect, told.simultaneous_lower) == (own.effect, own.simultaneous_lower)
    assert told.pooled_lower < told.pooled < told.pooled_upper
    assert cards["unknown"].effects[0].pooled is None


def test_the_page_and_the_run_say_so(result):
    page = html(result)
    assert "call is shown to move P2" in page
    assert "cover on average over problems" in page
    assert 'id="problem-effects"' in page
    assert "pooled/aipw/P2/call" in metrics(result)
    assert "problem_differ_p/aipw/call" in metrics(result)
    assert metrics(result)["groups_differ_p/aipw/call"] != metrics(result)["problem_differ_p/aipw/call"]
