"""Effects by client problem on logs with known effects: simultaneous intervals all at once, pooled ones on average."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadlift import AssignmentLog
from leadlift.evaluation import problem_effects, problem_segments

ORGANISATIONS, PROBLEMS = 2_000, 4
LEVELS = np.array([0.2, 0.35, 0.5])
TRUTH = {"alike": [0.03] * 4, "apart": [-0.04, 0.0, 0.05, 0.1], "one moves": [0.08, 0.0, 0.0, 0.0]}


def judged(truth: list[float], seed: int) -> tuple[bool, list[bool], float, float]:
    """One log: do simultaneous intervals hold all effects, which pooled ones hold theirs; both mean squared errors."""
    rng = np.random.default_rng(seed)
    problem = rng.integers(0, PROBLEMS, ORGANISATIONS)
    group, level = rng.integers(0, 3, ORGANISATIONS), 0.05 * rng.normal(size=ORGANISATIONS)
    arm = np.empty(ORGANISATIONS, dtype=int)
    for g in range(3):
        rows = rng.permutation(np.flatnonzero(group == g))
        arm[rows] = np.arange(len(rows)) % 2
    owner = np.repeat(np.arange(ORGANISATIONS), rng.integers(1, 4, ORGANISATIONS))
    chance = np.clip(LEVELS[group] + level, 0.05, 0.85)
    moved = np.clip(chance + np.array(truth)[problem], 0.0, 1.0)
    frame = pd.DataFrame(
        {
            "client": owner,
            "arm": np.where(arm == 1, "call", "control")[owner],
            "group": group[owner],
            "won": (rng.random(len(owner)) < np.where(arm == 1, moved, chance)[owner]).astype(int),
            "problem": np.char.add("P", (problem + 1).astype(str))[owner],
        }
    )
    gain = pd.Series((moved - chance)[owner]).groupby(frame["problem"].to_numpy()).mean()
    log = AssignmentLog.from_frame(
        frame,
        treatment="arm",
        control="control",
        propensity={"control": 0.5, "call": 0.5},
        outcome="won",
        features=["group"],
        organisation="client",
        stratum="group",
        problem="problem",
    )
    expected = LEVELS[log.features["group"].to_numpy(dtype=int)]
    segments = problem_segments(log)
    effects, _, pooled = problem_effects(log, segments, np.column_stack([expected, expected + 0.03]), seed=0)
    own = {e.segment: e for e in effects if e.estimator == "aipw"}
    near = {e.segment: e for e in pooled if e.estimator == "aipw"}
    return (
        all(e.simultaneous_lower <= gain[name] <= e.simultaneous_upper for name, e in own.items()),
        [bool(near[name].lower <= gain[name] <= near[name].upper) for name in segments.names],
        float(np.mean([(own[name].effect - gain[name]) ** 2 for name in segments.names])),
        float(np.mean([(near[name].effect - gain[name]) ** 2 for name in segments.names])),
    )


def check(kind: str, logs: int) -> None:
    found = [judged(TRUTH[kind], seed) for seed in range(logs)]
    held = np.array([row[1] for row in found])
    at_once, on_average = np.mean([row[0] for row in found]), held.mean()
    assert at_once > 0.95 - 3 * np.sqrt(0.95 * 0.05 / logs)
    # What one log's problems share makes its mean one draw.
    assert on_average > 0.95 - 3 * max(held.mean(axis=1).std(ddof=1), 0.05) / np.sqrt(logs)
    if kind == "alike":
        assert np.mean([row[3] for row in found]) < 0.7 * np.mean([row[2] for row in found])
    if kind == "one moves":
        # On average only: the one that moves is drawn towards the others.
        assert held[:, 0].mean() <= on_average


def test_both_kinds_of_intervals_hold_what_they_say():
    check("alike", 8)


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(TRUTH))
def test_both_kinds_of_intervals_hold_what_they_say_on_many_logs(kind):
    check(kind, 200)
