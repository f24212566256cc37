"""Studies made by hand, one for each thing that a report has to say well. The numbers are invented."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from statistics import NormalDist

from leadlift.base.records import (
    BalanceRow,
    Calibration,
    Candidate,
    Check,
    CurvePoint,
    Effect,
    LearnerChoice,
    RankingDifference,
    RankingResult,
    RowAccount,
    ScoreInfo,
    SegmentTest,
    StudyResult,
    TrackedRun,
    TruthRow,
    UpliftBin,
)

GROUPS = ("low", "medium", "high")


def effect(arm, segment, value, *, se=0.006, mean=0.10, outcome="won", estimator="aipw", n=8000, **change):
    by = "all" if segment == "all" else "score_group"
    wide = 2.4 if by == "score_group" else 1.96
    known = Effect(
        treatment=arm, outcome=outcome, segment_by=by, segment=segment, estimator=estimator,
        n_treatment=n, n_control=n + 17, control_mean=mean, treatment_mean=mean + value, effect=value, se=se,
        ci_lower=value - 1.96 * se, ci_upper=value + 1.96 * se,
        simultaneous_lower=value - wide * se, simultaneous_upper=value + wide * se,
        p_value=math.erfc(abs(value / se) / math.sqrt(2)),
        p_value_adjusted=min(1, 3 * math.erfc(abs(value / se) / math.sqrt(2))),
        n_organisations=4000,
    )  # fmt: skip
    return dataclasses.replace(known, **change)


def effects(arm, values: Mapping[str, float], *, outcome="won", scale=1.0, se=0.006, **change):
    means = {"low": 0.04, "medium": 0.12, "high": 0.31, "all": 0.15}
    return tuple(
        effect(
            arm, segment, value * scale, mean=means.get(segment, 0.2) * scale, estimator=estimator, outcome=outcome,
            se=se * scale * (0.6 if segment == "all" else 1) * (1.04 if estimator != "aipw" else 1), **change,
        )
        for estimator in ("difference_in_means", "aipw")
        for segment, value in values.items()
    )  # fmt: skip


def between(arm, best, p, *, outcome="won"):
    return tuple(
        SegmentTest(arm, outcome, "score_group", estimator, 14.2 if p is not None else None, 2, p, tuple(best), "")
        for estimator in ("difference_in_means", "aipw")
    )


def curve(height, *, scale=1.0, overall=0.02, spread=0.006):
    shares = [i / 20 for i in range(21)]
    return tuple(
        CurvePoint(
            s,
            scale * (overall * s + height * 4 * s * (1 - s)),
            scale * (overall * s + height * 4 * s * (1 - s) - spread * math.sqrt(s)) if s else 0.0,
            scale * (overall * s + height * 4 * s * (1 - s) + spread * math.sqrt(s)) if s else 0.0,
            scale * overall * s,
        )
        for s in shares
    )


def ranking(learner, arm, qini, *, scale=1.0, se=0.0008):
    half = 1.96 * se * scale
    bins = sized(arm, learner, 4 * qini, scale=scale)
    qini *= scale
    return RankingResult(
        learner=learner, treatment=arm, qini=qini, qini_lower=qini - half, qini_upper=qini + half,
        autoc=2 * qini, autoc_lower=2 * (qini - half), autoc_upper=2 * (qini + half),
        method="fixed" if learner == "score" else "sequential", blocks_used=0 if learner == "score" else 4,
        calibration=Calibration() if learner == "score" else bins,
        qini_se=se * scale, autoc_se=2 * se * scale, curve=curve(1.5 * qini / scale, scale=scale),
    )  # fmt: skip


def rankings(arm, qinis: Mapping[str, float], *, scale=1.0):
    return tuple(ranking(learner, arm, qini, scale=scale) for learner, qini in qinis.items())


def differences(arm, values: Mapping[str, float], *, scale=1.0, se=0.0009):
    return tuple(
        RankingDifference(
            learner, "score", arm, value * scale, (value - 1.96 * se) * scale, (value + 1.96 * se) * scale,
            math.erfc(abs(value / se) / math.sqrt(2)), 4,
        )
        for learner, value in values.items()
    )  # fmt: skip


def fifths(arm, learner, slope, *, scale=1.0):
    return tuple(
        UpliftBin(
            learner, arm, i + 1, 9600, scale * (0.02 + slope * (i - 2)), scale * (0.021 + 0.85 * slope * (i - 2)),
            scale * (0.021 + 0.85 * slope * (i - 2) - 0.009), scale * (0.021 + 0.85 * slope * (i - 2) + 0.009),
        )
        for i in range(5)
    )  # fmt: skip


def sized(arm, learner, slope, *, scale=1.0):
    return Calibration(
        0.9, 0.6, 1.2, 0.0004, 4, p_value_slope_one=0.51, difference=0.001 * scale, difference_lower=-0.003 * scale,
        difference_upper=0.005 * scale, bins=fifths(arm, learner, slope, scale=scale),
    )  # fmt: skip


CHECKS = (
    Check("split-as-planned", "pass", 0.41, "The split is as planned (p = 0.41)."),
    Check("arm-switch", "pass", 0, "No organisation is in two arms."),
    Check("balance", "pass", 0.38, "Features are balanced (p = 0.38)."),
)
CLEAR = {"all": 0.021, "low": 0.004, "medium": 0.052, "high": 0.006}


def choices(learners):
    """A choice per arm from the areas: simultaneous over learners, the first of the best."""
    found = []
    for arm in dict.fromkeys(r.treatment for r in learners):
        judged = [r for r in learners if r.treatment == arm and r.learner != "score" and r.qini is not None]
        wide = NormalDist().inv_cdf(1 - 0.05 / (2 * max(len(judged), 1)))
        candidates = tuple(
            Candidate(
                r.learner, r.qini, r.qini - wide * r.qini_se, r.qini + wide * r.qini_se, r.qini**2, -(r.qini**2),
                2 * r.qini**2, 0.0, 0.0, r.qini > wide * r.qini_se,
            )
            for r in judged
        )  # fmt: skip
        able = [c.learner for c in candidates if c.beats_constant]
        message = "" if able else "no evidence that uplift differs between leads"
        found.append(LearnerChoice(arm, next(iter(able), None), next(iter(able), None), candidates, message))
    return tuple(found)


def study(**change):
    """A call against control; the medium score group gains most, and the X-learner beats the score."""
    known = StudyResult(
        study="spring-calls", created_at="2026-05-11T09:30:00+00:00", config_digest="3f2a91c0d4e5b677",
        log_digest="9d41c02b7fe0aa13", design_digest="71b0c9d2aa4e5f60",
        versions={"leadlift": "0.1.0", "python": "3.11.9", "numpy": "2.1.0", "causalml": "0.16.0"},
        rows=RowAccount(48_950, 48_000, {"open_window": 610, "held_out": 300, "late": 40}),
        arms={"control": 23_980, "call": 24_020}, outcome="won", outcome_kind="binary",
        n_organisations=11_240, organisations_given=True, checks=CHECKS,
        effects=effects("call", CLEAR), segment_tests=between("call", ["medium"], 0.00003),
        score=ScoreInfo("given", GROUPS, (0.21, 0.58), (16_010, 15_985, 16_005)),
        learners=rankings("call", {"t": 0.0031, "x": 0.0042, "score": 0.0002}),
        differences=differences("call", {"t": 0.0029, "x": 0.0040}),
        balance=tuple(
            BalanceRow(name, "call", value)
            for name, value in (("employees", 0.011), ("industry", -0.006), ("days", 0.019), ("visits", -0.013))
        ),
        settings={
            "data": {"log": "leads.csv", "treatment": {"column": "arm", "control": "control"}, "outcome": "won"},
            "score_groups": {"quantiles": [0.3333333, 0.6666667], "names": list(GROUPS)},
            "learners": ["t", "x"], "seed": 0,
        },
        mlflow=TrackedRun("sqlite:///mlruns/mlflow.db", "spring-calls", "4b0e7d1f9a3c4e55b1d2c3f4a5b6c7d8"),
    )  # fmt: skip
    made = dataclasses.replace(known, **change)
    return made if "choices" in change else dataclasses.replace(made, choices=choices(made.learners))


def not_distinguishable():
    values = {"all": 0.021, "low": 0.017, "medium": 0.026, "high": 0.020}
    return study(
        effects=effects("call", values), segment_tests=between("call", GROUPS, 0.61),
        learners=rankings("call", {"t": 0.0003, "x": 0.0005, "score": 0.0002}),
        differences=differences("call", {"t": 0.0001, "x": 0.0003}),
    )  # fmt: skip


def null():
    values = {"all": 0.0008, "low": 0.001, "medium": -0.002, "high": 0.003}
    return study(
        effects=effects("call", values), segment_tests=between("call", GROUPS, 0.83),
        learners=rankings("call", {"t": -0.0002, "x": 0.0001, "score": 0.0}),
        differences=differences("call", {"t": -0.0002, "x": 0.0001}),
    )  # fmt: skip


def harmful():
    values = {"all": 0.011, "low": 0.006, "medium": 0.058, "high": -0.031}
    return study(effects=effects("call", values), segment_tests=between("call", ["medium"], 1e-9))


def three_arms():
    """Two e-mails against none, as in Hillstrom's data; truth known."""
    mens = {"all": 0.0766, "low": 0.071, "medium": 0.078, "high": 0.081}
    womens = {"all": 0.0452, "low": 0.0393, "medium": 0.0647, "high": 0.0316}
    arms = ("Mens E-Mail", "Womens E-Mail")
    return study(
        study="hillstrom", outcome="visit",
        rows=RowAccount(64_000, 64_000), organisations_given=False, n_organisations=64_000,
        arms={"No E-Mail": 21_306, "Mens E-Mail": 21_307, "Womens E-Mail": 21_387},
        settings={"data": {"control": "No E-Mail", "log": "hillstrom.parquet"}},
        effects=effects(arms[0], mens, outcome="visit") + effects(arms[1], womens, outcome="visit"),
        segment_tests=between(arms[0], GROUPS, 0.44, outcome="visit")
        + between(arms[1], ["medium"], 0.0007, outcome="visit"),
        learners=tuple(r for arm in arms for r in rankings(arm, {"t": 0.0011, "x": 0.0024, "score": 0.0004})),
        differences=tuple(d for arm in arms for d in differences(arm, {"t": 0.0007, "x": 0.0031})),
        balance=tuple(
            BalanceRow(f, arm, v)
            for i, arm in enumerate(arms)
            for f, v in {"recency": 0.006, "history": -0.012 * (i + 1), "newbie": 0.004 - 0.01 * i}.items()
        ),
        truth=tuple(
            TruthRow(arm, "score_group", g, v + 0.004) for arm, vs in zip(arms, (mens, womens), strict=True)
            for g, v in vs.items() if g != "all"
        ),
    )  # fmt: skip


def money():
    return study(
        study="autumn-visits", outcome="spend", outcome_kind="money",
        effects=effects("visit", CLEAR, outcome="spend", scale=2400.0),
        segment_tests=between("visit", ["medium"], 0.00003, outcome="spend"),
        arms={"control": 23_980, "visit": 24_020},
        learners=rankings("visit", {"t": 0.0031, "x": 0.0042, "score": 0.0002}, scale=2400.0),
        differences=differences("visit", {"t": 0.0029, "x": 0.0040}, scale=2400.0),
        balance=(),
    )  # fmt: skip


def stopped():
    return study(
        rows=RowAccount(48_950, 0, {"no_propensity": 48_950}), arms={"control": 24_475, "call": 24_475},
        checks=(
            *CHECKS[1:],
            Check("split-as-planned", "stop", 1e-12, "The split is not as planned. Find where leads were lost."),
            Check("window", "warn", 0.02, "610 leads are still open. Wait for them."),
        ),
        effects=(), segment_tests=(), learners=(), differences=(), balance=(), score=None, mlflow=None,
    )  # fmt: skip


def no_score():
    return study(
        score=None, effects=effects("call", {"all": 0.021}), segment_tests=(),
        learners=rankings("call", {"t": 0.0031, "x": 0.0042}), differences=(),
    )  # fmt: skip


def nulls():
    """Nothing but the names: every number that may be missing is."""
    named = {f.name for f in dataclasses.fields(Effect)}
    kept = {"treatment", "outcome", "segment_by", "segment", "estimator", "n_treatment", "n_control", "estimand"}
    empty = dict.fromkeys(named - kept - {"interval"})
    none = RankingResult("t", "call", None, None, None, None, None, None, message="Too few outcomes: 11 of 20 needed.")
    return study(
        effects=tuple(dataclasses.replace(e, **empty, interval="none") for e in effects("call", CLEAR)),
        segment_tests=between("call", (), None), design_digest=None,
        learners=(none, dataclasses.replace(none, learner="x")),
        differences=(RankingDifference("t", "score", "call", None, None, None, None, 0, "Too few outcomes."),),
        balance=(), settings={}, mlflow=None,
    )  # fmt: skip


NASTY = """<script>alert("x")</script>'&$\\alpha$"""


def nasty():
    """Names that try to break out of the page."""
    return study(
        study=NASTY, outcome=NASTY, arms={"control": 10, NASTY: 12},
        effects=tuple(
            dataclasses.replace(e, segment=e.segment if e.segment == "all" else f"{e.segment}{NASTY}")
            for e in effects(NASTY, CLEAR, outcome=NASTY)
        ),
        segment_tests=between(NASTY, ["medium" + NASTY], 0.00003, outcome=NASTY),
        score=ScoreInfo("estimated", tuple(g + NASTY for g in GROUPS), (0.2, 0.6), (7, 7, 8)),
        learners=rankings(NASTY, {NASTY: 0.003, "score": 0.0002}), differences=differences(NASTY, {NASTY: 0.004}),
        balance=(BalanceRow(NASTY, NASTY, 0.2),),
        checks=(Check(NASTY, "warn", None, NASTY),), settings={NASTY: {NASTY: NASTY}}, versions={NASTY: NASTY},
        rows=RowAccount(30, 22, {NASTY: 8}), mlflow=TrackedRun("postgresql://bob:hunter2@db/ml", NASTY, NASTY),
    )  # fmt: skip


def long_names():
    long = "Second reminder call by the regional account team after the autumn trade fair in Łódź " * 2
    outcome = "closed_won_within_ninety_days_of_assignment_in_euro_or_local_currency"
    values = {"all": 0.021, f"{long}a": 0.02, f"{long}b": 0.03}
    return study(
        study=long, outcome=outcome,
        arms={"control": 10, long: 12}, effects=effects(long, values, outcome=outcome),
        segment_tests=(), learners=rankings(long, {"a_learner_of_our_own_with_a_long_name": 0.003}), differences=(),
        score=None, balance=tuple(BalanceRow(f"{long}{i}", long, i / 100) for i in range(30)),
        rows=RowAccount(122, 22, {f"reason_{long}_{i}": 10 for i in range(10)}),
    )  # fmt: skip


ALL = {
    make.__name__: make
    for make in (
        study, not_distinguishable, null, harmful, three_arms, money, stopped, no_score, nulls, nasty, long_names,
    )
}  # fmt: skip
