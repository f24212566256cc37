"""Tables of effects: the answering ones alone, all of them, and the tests between segments."""

from __future__ import annotations

from leadlift.base.records import Effect, SegmentTest, StudyResult
from leadlift.report import format as fmt
from leadlift.report._reading import (
    INTERVALS,
    control_arm,
    effect_decimals,
    effects_of,
    effects_on_leads,
    estimator_name,
    groups,
    listed,
    simultaneous,
    treatments,
    truth_of,
)
from leadlift.report._table import Column, Row, Table


def summary_table(result: StudyResult) -> Table:
    """The answering effects alone, narrow enough for a terminal: one row per arm and score group."""
    kind, places = result.outcome_kind, effect_decimals(result)
    known = bool(result.truth)
    pp = " (pp)" if kind == "binary" else ""
    titles = ["n", "mean control", "mean arm", f"effect{pp}", "simultaneous 95%", "adjusted p"]
    titles += ["true effect"] if known else []
    rows = []
    for arm in treatments(result):
        for by in ("all", "score_group"):
            truth = truth_of(result, arm, by)
            for segment, effect in effects_of(result, by, arm).items():
                cells = (
                    "all leads" if by == "all" else segment,
                    fmt.count(effect.n_control + effect.n_treatment),
                    fmt.level(effect.control_mean, kind, places),
                    fmt.level(effect.treatment_mean, kind, places),
                    fmt.bare(effect.effect, kind, places, signed=True),
                    fmt.interval(*simultaneous(effect), kind, places),
                    fmt.p_value(effect.p_value_adjusted),
                    *([fmt.bare(truth.get(segment), kind, places, signed=True)] if known else []),
                )
                rows.append(Row(cells, _against(result, effect)))
    return Table(
        name="summary",
        caption=f"Effect on “{result.outcome}” by score group",
        columns=(Column("segment"), *(Column(title, numeric=True) for title in titles)),
        rows=tuple(rows),
    )


def effects_table(result: StudyResult) -> Table:
    """Effects of every arm in every segment by every estimator."""
    known = any(
        truth_of(result, arm, by)
        for arm in treatments(result)
        for by in {e.segment_by for e in effects_on_leads(result)}
    )
    several = len({e.estimand for e in effects_on_leads(result)}) > 1
    words = ["segment", "estimator", *(["counts each"] if several else [])]
    pp = " (pp)" if result.outcome_kind == "binary" else ""
    numbers = ["n control", "n arm", "mean control", "mean arm", f"effect{pp}", f"std. error{pp}"]
    numbers += ["95% interval", "simultaneous 95%", "p", "adjusted p", *(["true effect"] if known else [])]
    rows = [
        Row(_effect_cells(result, effect, several, known), _against(result, effect))
        for effect in sorted(effects_on_leads(result), key=lambda e: _order(result, e))
    ]
    return Table(
        name="effects",
        caption=f"Effect of each arm on “{result.outcome}”, arm minus control",
        columns=(*(Column(w) for w in words), *(Column(n, numeric=True) for n in numbers)),
        rows=tuple(rows),
        headers=len(words),
        note=_effects_note(result),
    )


def _order(result: StudyResult, effect: Effect) -> tuple[bool, int, int, str, int, str]:
    """All leads first, then score groups from the lowest up; AIPW before other estimators."""
    by = {"all": 0, "score_group": 1}.get(effect.segment_by, 2)
    return (
        effect.outcome != result.outcome,
        treatments(result).index(effect.treatment),
        by,
        effect.segment_by,
        groups(result).index(effect.segment) if by == 1 else 0,
        "" if effect.estimator == "aipw" else effect.estimator,
    )


def _against(result: StudyResult, effect: Effect) -> str:
    outcome = "" if effect.outcome == result.outcome else f", {effect.outcome}"
    return f"{effect.treatment} against {control_arm(result) or 'control'}{outcome}"


def _effect_cells(result: StudyResult, effect: Effect, several: bool, known: bool) -> tuple[str, ...]:
    kind, places = result.outcome_kind, effect_decimals(result)
    truth = truth_of(result, effect.treatment, effect.segment_by).get(effect.segment)
    truth = truth if effect.estimand == "per_lead" else None
    return (
        "all leads" if effect.segment_by == "all" else effect.segment,
        estimator_name(effect.estimator),
        *([effect.estimand.removeprefix("per_").replace("_", " ")] if several else []),
        fmt.count(effect.n_control),
        fmt.count(effect.n_treatment),
        fmt.level(effect.control_mean, kind, places),
        fmt.level(effect.treatment_mean, kind, places),
        fmt.bare(effect.effect, kind, places, signed=True),
        fmt.bare(effect.se, kind, places + 1),
        fmt.interval(effect.ci_lower, effect.ci_upper, kind, places),
        fmt.interval(effect.simultaneous_lower, effect.simultaneous_upper, kind, places),
        fmt.p_value(effect.p_value),
        fmt.p_value(effect.p_value_adjusted),
        *([fmt.bare(truth, kind, places, signed=True)] if known else []),
    )


def _effects_note(result: StudyResult) -> str:
    units = "Effects in percentage points." if result.outcome_kind == "binary" else "Effects in outcome units per lead."
    methods = listed(dict.fromkeys(INTERVALS[e.interval] for e in effects_on_leads(result)))
    return (
        f"{units} Simultaneous intervals and adjusted p-values hold over all arms and segments of one kind. "
        f"Intervals: {methods}."
    )


def segment_tests_table(result: StudyResult) -> Table:
    """Do segments differ, and which may be best?"""
    return Table(
        name="segment_tests",
        caption="Do segments differ in what they gain, and which may gain most?",
        columns=(
            Column("arm"),
            Column("segments"),
            Column("estimator"),
            Column("statistic", numeric=True),
            Column("df", numeric=True),
            Column("p, all equal", numeric=True),
            Column("may gain most"),
        ),
        rows=tuple(_test_row(test) for test in result.segment_tests),
        headers=3,
        note="“May gain most” holds every segment that can't be told from the best, with 95% confidence.",
    )


def _test_row(test: SegmentTest) -> Row:
    return Row(
        (
            test.treatment,
            test.segment_by.replace("_", " "),
            estimator_name(test.estimator),
            fmt.number(test.statistic, 2),
            fmt.count(test.df),
            fmt.p_value(test.p_value),
            listed(test.possibly_best, "or") or test.message or fmt.MISSING,
        )
    )
