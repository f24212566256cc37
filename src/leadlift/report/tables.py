"""The tables of a study as plain rows of text, the same on the page and on the terminal."""

from __future__ import annotations

from dataclasses import dataclass, replace

from leadlift.base.records import Effect, RankingDifference, RankingResult, Record, SegmentTest, StudyResult
from leadlift.report import format as fmt
from leadlift.report._reading import (
    INTERVALS,
    area_decimals,
    control_arm,
    effect_decimals,
    estimator_name,
    groups,
    learner_name,
    listed,
    treatments,
    truth_of,
)


@dataclass(frozen=True)
class Column(Record):
    """One column: its title, and whether it holds numbers (set right) or words."""

    title: str
    numeric: bool = False


@dataclass(frozen=True)
class Row(Record):
    """One row: its cells, and the heading it stands under; empty when the table has no headings."""

    cells: tuple[str, ...]
    group: str = ""


@dataclass(frozen=True)
class Table(Record):
    """One table.

    Attributes:
        name: short, for file names.
        caption: what it shows, in words.
        columns: from left to right; the first `headers` of them name the row.
        rows: already formatted.
        headers: how many columns name the row.
        note: what the numbers mean.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    headers: int = 1
    note: str = ""

    @property
    def grouped(self) -> tuple[tuple[str, tuple[Row, ...]], ...]:
        """The rows under their headings, in order."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.group, []).append(row)
        return tuple((group, tuple(rows)) for group, rows in found.items())


def effects_table(result: StudyResult) -> Table:
    """Effects of every arm in every segment by every estimator."""
    known = any(
        truth_of(result, arm, by) for arm in treatments(result) for by in {e.segment_by for e in result.effects}
    )
    several = len({e.estimand for e in result.effects}) > 1
    words = ["segment", "estimator", *(["counts each"] if several else [])]
    pp = " (pp)" if result.outcome_kind == "binary" else ""
    numbers = ["n control", "n arm", "mean control", "mean arm", f"effect{pp}", f"std. error{pp}"]
    numbers += ["95% interval", "simultaneous 95%", "p", "adjusted p", *(["true effect"] if known else [])]
    rows = [
        Row(_effect_cells(result, effect, several, known), _against(result, effect))
        for effect in sorted(result.effects, key=lambda e: _order(result, e))
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
    methods = listed(dict.fromkeys(INTERVALS[e.interval] for e in result.effects))
    return (
        f"{units} Simultaneous intervals and adjusted p-values hold over all arms and segments of one kind. "
        f"Intervals: {methods}."
    )


def _without_empty(table: Table, title: str) -> Table:
    """The table without the column `title`, where that says nothing in any row."""
    at = [column.title for column in table.columns].index(title)
    if any(row.cells[at] != fmt.MISSING for row in table.rows):
        return table
    rows = tuple(replace(row, cells=row.cells[:at] + row.cells[at + 1 :]) for row in table.rows)
    return replace(table, columns=table.columns[:at] + table.columns[at + 1 :], rows=rows)


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


def learners_table(result: StudyResult) -> Table:
    """How well each learner, and the score, ranks leads."""
    pp = " (pp)" if result.outcome_kind == "binary" else ""
    table = Table(
        name="learners",
        caption="How well does each ranking find the leads that gain more?",
        columns=(
            Column("ranked by"),
            Column(f"Qini{pp}", numeric=True),
            Column("95% interval", numeric=True),
            Column(f"AUTOC{pp}", numeric=True),
            Column("95% interval", numeric=True),
            Column("calibration slope", numeric=True),
            Column("95% interval", numeric=True),
            Column("blocks used", numeric=True),
            Column("judged"),
            Column("remark"),
        ),
        rows=tuple(_learner_row(result, ranking) for ranking in result.learners),
        note=(
            "Qini: area between the ranking's curve and touching at random, per lead. AUTOC weighs the first leads "
            "more. Slope 1: predicted uplift has the right size; 0: no ranking. Sequential: by models fitted on "
            "earlier organisations only."
        ),
    )
    return _without_empty(table, "remark")


def _learner_row(result: StudyResult, ranking: RankingResult) -> Row:
    kind, places = result.outcome_kind, area_decimals(result)
    slope = ranking.calibration
    return Row(
        (
            learner_name(ranking.learner),
            fmt.bare(ranking.qini, kind, places, signed=True),
            fmt.interval(ranking.qini_lower, ranking.qini_upper, kind, places),
            fmt.bare(ranking.autoc, kind, places, signed=True),
            fmt.interval(ranking.autoc_lower, ranking.autoc_upper, kind, places),
            fmt.number(slope.slope, 2),
            fmt.interval(slope.slope_lower, slope.slope_upper, "count", 2),
            fmt.count(ranking.blocks_used) if ranking.method == "sequential" else fmt.MISSING,
            "sequentially" if ranking.method == "sequential" else "as given",
            ranking.message or fmt.MISSING,
        ),
        ranking.treatment,
    )


def differences_table(result: StudyResult) -> Table:
    """Each learner's area minus another ranking's, on the same leads."""
    pp = " (pp)" if result.outcome_kind == "binary" else ""
    table = Table(
        name="differences",
        caption="Does one ranking beat another? Difference in Qini on the same leads",
        columns=(
            Column("ranked by"),
            Column("against"),
            Column(f"difference{pp}", numeric=True),
            Column("95% interval", numeric=True),
            Column("p", numeric=True),
            Column("blocks used", numeric=True),
            Column("remark"),
        ),
        rows=tuple(_difference_row(result, difference) for difference in result.differences),
        headers=2,
    )
    return _without_empty(table, "remark")


def _difference_row(result: StudyResult, found: RankingDifference) -> Row:
    kind, places = result.outcome_kind, area_decimals(result)
    return Row(
        (
            learner_name(found.learner),
            learner_name(found.against),
            fmt.bare(found.difference, kind, places, signed=True),
            fmt.interval(found.lower, found.upper, kind, places),
            fmt.p_value(found.p_value),
            fmt.count(found.blocks_used),
            found.message or fmt.MISSING,
        ),
        found.treatment,
    )


def rows_table(result: StudyResult) -> Table:
    """The row account."""
    dropped = [(f"dropped: {reason.replace('_', ' ')}", n) for reason, n in result.rows.dropped.items()]
    used = [("used", result.rows.used)]
    arms = [(f"of these, {arm}", n) for arm, n in result.arms.items()] if result.rows.used else []
    return Table(
        name="rows",
        caption="Where every row went",
        columns=(Column("rows"), Column("n", numeric=True), Column("of all read", numeric=True)),
        rows=tuple(
            Row((label, fmt.count(n), fmt.percent(n / result.rows.read if result.rows.read else None)))
            for label, n in [("read", result.rows.read), *dropped, *used, *arms]
        ),
    )


def balance_table(result: StudyResult) -> Table:
    """Standardised differences of every feature."""
    return Table(
        name="balance",
        caption="Standardised differences, arm minus control",
        columns=(Column("feature"), Column("arm"), Column("difference", numeric=True)),
        rows=tuple(
            Row((row.feature, row.treatment, fmt.number(row.difference, 3, signed=True)))
            for row in sorted(result.balance, key=lambda row: (-abs(row.difference), row.feature))
        ),
        headers=2,
    )


def all_tables(result: StudyResult) -> dict[str, Table]:
    """Every table that has rows, by name."""
    made = (
        effects_table(result),
        segment_tests_table(result),
        learners_table(result),
        differences_table(result),
        rows_table(result),
        balance_table(result),
    )
    return {table.name: table for table in made if table.rows}
