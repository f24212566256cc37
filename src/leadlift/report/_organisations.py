"""What an arm does to organisations as a whole: a sentence and a table."""

from __future__ import annotations

from leadlift.base.records import ComplierEffect, Effect, StudyResult
from leadlift.report import format as fmt
from leadlift.report._reading import TOTAL, control_arm, groups, simultaneous, treatments
from leadlift.report._table import Column, Row, Table


def organisation_totals(result: StudyResult, treatment: str | None = None) -> list[Effect]:
    """Effects on organisations' totals; of one arm, or of all."""
    found = [e for e in result.effects if e.estimand == TOTAL]
    return [e for e in found if treatment is None or e.treatment == treatment]


def organisation_words(result: StudyResult) -> str:
    """What each arm brings per organisation, as sentences; empty where the lot was not drawn for organisations."""
    return " ".join(filter(None, (_sentence(result, arm) for arm in treatments(result))))


def _sentence(result: StudyResult, arm: str) -> str:
    overall = {e.outcome: e for e in organisation_totals(result, arm) if e.segment_by == "all"}
    if "deals" not in overall:
        return ""
    deals = overall["deals"]
    places = _decimals([deals])
    levels = f"from {fmt.number(deals.control_mean, places)} to {fmt.number(deals.treatment_mean, places)}"
    words = f"“{arm}” per organisation, all its deals counted: deals {_said(deals)}, {levels}"
    return f"{words}; revenue {_said(overall['revenue'])}." if "revenue" in overall else f"{words}."


def _said(effect: Effect) -> str:
    places = _decimals([effect])
    lower, upper = simultaneous(effect)
    if lower is None or upper is None:
        return f"{fmt.number(effect.effect, places, signed=True)} (no interval can be given)"
    interval = fmt.spoken(lower, upper, "count", places)
    return f"{fmt.number(effect.effect, places, signed=True)} (95% interval {interval})"


def organisations_table(result: StudyResult) -> Table:
    """Effects on organisations' totals, overall and by their highest score group."""
    found = organisation_totals(result)
    places = {outcome: _decimals([e for e in found if e.outcome == outcome]) for outcome in ("deals", "revenue")}
    order = {name: k for k, name in enumerate(groups(result))}
    numbers = ("organisations", "mean control", "mean arm", "effect", "std. error", "simultaneous 95%", "adjusted p")
    rows = sorted(
        found,
        key=lambda e: (treatments(result).index(e.treatment), e.outcome, e.segment_by, order.get(e.segment, 0)),
    )
    return Table(
        name="organisations",
        caption="Effect on an organisation's total: all its deals in the window, each once",
        columns=(Column("segment"), *(Column(title, numeric=True) for title in numbers)),
        rows=tuple(_row(result, effect, places[effect.outcome]) for effect in rows),
        note=(
            "The lot was drawn for organisations, so these come first. Deals of late leads and deals that no lead is "
            "behind count. An organisation's group is its highest lead's at the draw."
        ),
    )


def compliers_table(result: StudyResult) -> Table:
    """What a touch brings where it happened because of the lot."""
    found = result.compliers
    unit = "organisation" if any(row.estimand == TOTAL for row in found) else "lead"
    return Table(
        name="compliers",
        caption=f"What a touch brings per {unit} that is touched because the lot said so",
        columns=(
            Column("outcome"),
            Column("touched, control", numeric=True),
            Column("touched, arm", numeric=True),
            Column("effect", numeric=True),
            Column("95% set", numeric=True),
        ),
        rows=tuple(_complier_row(result, row) for row in found),
        note=(
            "Beside the effects of the lot, not in their place: it takes the lot to work through touches alone. The "
            "set is Anderson and Rubin's, which holds however few touches the lot moved."
        ),
    )


def _complier_row(result: StudyResult, row: ComplierEffect) -> Row:
    ends = [end for end in (row.ci_lower, row.ci_upper) if end is not None]
    places = fmt.decimals_for([ends[1] - ends[0]] if len(ends) == 2 else [row.effect], "count")
    interval = fmt.interval(row.ci_lower, row.ci_upper, "count", places)
    shown = {"interval": interval, "outside": f"outside {interval}", "everything": "any number"}
    cells = (
        row.outcome,
        fmt.percent(row.touched_control),
        fmt.percent(row.touched_treatment),
        fmt.number(row.effect, places, signed=True),
        shown.get(row.interval, fmt.MISSING),
    )
    return Row(cells, f"{row.treatment} against {control_arm(result) or 'control'}")


def _row(result: StudyResult, effect: Effect, places: int) -> Row:
    cells = (
        "all" if effect.segment_by == "all" else effect.segment,
        fmt.count(effect.n_control + effect.n_treatment),
        fmt.number(effect.control_mean, places),
        fmt.number(effect.treatment_mean, places),
        fmt.number(effect.effect, places, signed=True),
        fmt.number(effect.se, places + 1),
        fmt.interval(*simultaneous(effect), "count", places),
        fmt.p_value(effect.p_value_adjusted),
    )
    return Row(cells, f"{effect.treatment} against {control_arm(result) or 'control'}, {effect.outcome}")


def _decimals(effects: list[Effect]) -> int:
    widths = [e.ci_upper - e.ci_lower for e in effects if e.ci_upper is not None and e.ci_lower is not None]
    return fmt.decimals_for(widths or [e.effect for e in effects], "count")
