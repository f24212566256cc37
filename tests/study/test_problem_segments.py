"""Effects by the client problem that was logged at assignment."""

import numpy as np
import pandas as pd
import pytest

from leadlift import AssignmentLog, run_study
from leadlift.base.config import parse_config


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
