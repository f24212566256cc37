"""The tables of a study as plain rows of text, the same on the page and on the terminal."""

from __future__ import annotations

from dataclasses import replace

from leadlift.base.records import RankingDifference, RankingResult, StudyResult
from leadlift.report import format as fmt
from leadlift.report._choice_table import choices_table
from leadlift.report._effect_tables import effects_table, segment_tests_table
from leadlift.report._organisations import compliers_table, organisations_table
from leadlift.report._reading import area_decimals, learner_name
from leadlift.report._strategy_tables import leave_alone_table, shares_table, strategies_table
from leadlift.report._table import Column, Row, Table
from leadlift.report.problem_uplift import uplift_cards_table


def _without_empty(table: Table, title: str) -> Table:
    """The table without the column `title`, where that says nothing in any row."""
    at = [column.title for column in table.columns].index(title)
    if any(row.cells[at] != fmt.MISSING for row in table.rows):
        return table
    rows = tuple(replace(row, cells=row.cells[:at] + row.cells[at + 1 :]) for row in table.rows)
    return replace(table, columns=table.columns[:at] + table.columns[at + 1 :], rows=rows)


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
            Column("p of slope 1", numeric=True),
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
            fmt.p_value(slope.p_value_slope_one),
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
        organisations_table(result),
        compliers_table(result),
        effects_table(result),
        uplift_cards_table(result),
        segment_tests_table(result),
        strategies_table(result),
        shares_table(result),
        leave_alone_table(result),
        learners_table(result),
        differences_table(result),
        choices_table(result),
        rows_table(result),
        balance_table(result),
    )
    return {table.name: table for table in made if table.rows}
