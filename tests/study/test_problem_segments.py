"""Effects by the client problem that was logged at assignment."""

import numpy as np
import pandas as pd
import pytest

from leadlift import AssignmentLog, run_study
from leadlift.base.config import parse_config
from leadlift.report import html
from leadlift.study.tracking import _metrics as metrics


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    rng = np.random.default_rng(0)
    leads = 3_000
    problem = rng.choice(["P1", "P2", "P3"], leads)
    arm = rng.random(leads) < 0.5
    chance = 0.2 + 0.25 * arm * (problem == "P2")
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
    frame.loc[frame.index[:300], "main"] = None
    log = AssignmentLog.from_frame(
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
    store = f"sqlite:///{tmp_path_factory.mktemp('runs') / 'mlflow.db'}"
    config = parse_config({"name": "problems", "learners": ["t"], "folds": 2, "tracking": {"uri": store}})
    return run_study(config, log=log)


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
