"""The table of a plan: a row per question."""

from __future__ import annotations

from leadlift.design.plan_records import DesignPlan, PlanRow
from leadlift.report import format as fmt
from leadlift.report._power_words import level_words, roughly, weeks
from leadlift.report._table import Column, Row, Table

HEADINGS = {
    "overall": "uplift",
    "group": "uplift",
    "difference": "difference in uplift",
    "best": "gains most: larger than every other",
}


def plan_table(plan: DesignPlan) -> Table:
    """What each question takes, and what the leads at hand show; differences only where one is asked for."""
    pp = " (pp)" if plan.outcome_kind == "binary" else ""
    have = f"in {weeks(plan.weeks)}" if plan.leads_per_week is not None else "with these leads"
    titles = ("control", f"to see{pp}", "leads", "time", f"smallest {have}{pp}", "power then")
    return Table(
        name="plan",
        caption=f"What {plan.name} can show",
        columns=(Column("question"), *(Column(title, numeric=True) for title in titles)),
        rows=tuple(_row(plan, row) for row in shown_rows(plan)),
        note=level_words(plan),
    )


def shown_rows(plan: DesignPlan) -> list[PlanRow]:
    """The rows that answer something; the file has all."""
    return [row for row in plan.rows if row.question in ("overall", "group") or row.target is not None]


def _row(plan: DesignPlan, row: PlanRow) -> Row:
    kind = plan.outcome_kind
    places = 1 if kind == "binary" else 2
    cells = (
        _segment(row),
        fmt.level(row.baseline, kind, places),
        fmt.bare(row.target, kind, places, signed=True),
        roughly(row.leads_needed),
        weeks(row.weeks_needed),
        fmt.bare(row.detectable, kind, places, signed=True),
        fmt.percent(row.power_at_hand, 0),
    )
    arm = f"{row.treatment} against control" if len(plan.shares) > 2 else ""
    return Row(cells, ", ".join(part for part in (HEADINGS[row.question], arm) if part))


def _segment(row: PlanRow) -> str:
    mark = {"simulation": " *", "none": " †"}.get(row.method, "")
    return ("all leads" if row.segment == "all" else row.segment.replace(" - ", " less ")) + mark


def plan_notes(plan: DesignPlan) -> tuple[str, ...]:
    """What to read beside the table."""
    notes = [level_words(plan)]
    if any(row.method == "simulation" for row in shown_rows(plan)):
        notes.append("* under 30 organisations an arm: drawn again and again, not computed by formula.")
    if any(row.method == "none" for row in shown_rows(plan)):
        notes.append("† under 10 organisations in an arm: no interval is given there.")
    few = [row for row in shown_rows(plan) if row.note.startswith("about")]
    notes += [f"{row.segment}: {row.note}." for row in few]
    return tuple(notes)
