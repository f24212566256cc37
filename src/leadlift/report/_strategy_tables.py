"""Tables on whom to touch: strategies at the team's capacity, how leads respond, groups to leave alone."""

from __future__ import annotations

from leadlift.base.decisions import StrategyValue
from leadlift.base.records import StudyResult
from leadlift.report import format as fmt
from leadlift.report._strategy_reading import (
    amount,
    at_capacity,
    current_name,
    decision_of,
    is_current,
    knows_truth,
    measures,
    scale_of,
    several_arms,
    strategy_name,
    touches,
    unit_of,
)
from leadlift.report._table import Column, Row, Table

# How a group is called before its name.
GROUPS = {"score_group": "score", "problem": "problem", "prediction": "predicted"}
KINDS = {
    "persuadable": "persuadable: buys only if touched",
    "sure_thing": "sure thing: buys anyway",
    "lost_cause": "lost cause: never buys",
    "do_not_disturb": "do not disturb: buys only if not touched",
}


def strategies_table(result: StudyResult) -> Table:
    """Every strategy at the team's capacity."""
    decision = result.decision
    at = "" if decision is None else touches(decision, decision.capacity)
    return Table(
        name="strategies",
        caption=f"What each strategy would bring with {at}",
        columns=(
            Column("strategy"),
            Column("touched", numeric=True),
            Column("brings", numeric=True),
            Column("95% band", numeric=True),
            *([Column("truth", numeric=True)] if knows_truth(result) else []),
            Column(f"over {current_name(result)}" if decision is not None else "over", numeric=True),
            Column("95% band", numeric=True),
            Column("gain over random", numeric=True),
            Column("95% band", numeric=True),
            Column("possibly best"),
            Column("judged"),
        ),
        rows=() if decision is None else tuple(_rows(result)),
        note=(
            "Over touching no one, in the whole list. Differences are paired: on the same leads, so they need not be "
            "the difference of the column before. Bands hold for all strategies and capacities at once. Possibly "
            "best: can't be told from the best (Hsu), at all capacities at once."
        ),
    )


def _rows(result: StudyResult) -> list[Row]:
    found = measures(result)
    rows = []
    for measure in found:
        scale = scale_of(result, measure)
        unit = unit_of(result, measure) + (" thousand" if scale > 1 else "")
        title = f"{unit} after touch costs" if measure == "money" else unit
        for row in at_capacity(result, measure):
            rows.append(Row(_cells(result, row, scale), title if len(found) > 1 or scale > 1 else ""))
    return rows


def _cells(result: StudyResult, row: StrategyValue, scale: float) -> tuple[str, ...]:
    def told(value: float | None, *, signed: bool = False) -> str:
        if scale == 1 or value is None:
            return amount(result, row.measure, value, signed=signed)
        return fmt.number(value / scale, 0, signed=signed)

    def between(lower: float | None, upper: float | None) -> str:
        return fmt.MISSING if lower is None or upper is None else f"[{told(lower)}, {told(upper)}]"

    name = strategy_name(row, several_arms(result)) + (" (in use)" if is_current(result, row) else "")
    known = knows_truth(result)
    if row.value is None:
        blank = (fmt.MISSING,) * (7 if known else 6)
        return (name, fmt.count(round(row.n_touched)), *blank, fmt.MISSING, row.message or fmt.MISSING)
    return (
        name,
        fmt.count(round(row.n_touched)),
        told(row.value),
        between(row.value_lower, row.value_upper),
        *([told(row.truth)] if known else []),
        told(row.difference, signed=True),
        between(row.difference_lower, row.difference_upper),
        told(row.over_random, signed=True),
        between(row.over_random_lower, row.over_random_upper),
        fmt.MISSING if row.possibly_best is None else "yes" if row.possibly_best else "no",
        "sequentially" if row.method == "sequential" else "on all leads",
    )


def shares_table(result: StudyResult) -> Table:
    """Bounds on how leads respond."""
    rows = () if result.decision is None else result.decision.shares
    return Table(
        name="response_shares",
        caption="How many leads does a touch move? Bounds, since no lead is seen both ways",
        columns=(
            Column("leads that are"),
            Column("at least", numeric=True),
            Column("at most", numeric=True),
            Column("95% interval", numeric=True),
        ),
        rows=tuple(
            Row(
                (
                    KINDS[row.kind],
                    fmt.percent(row.lower),
                    fmt.percent(row.upper),
                    fmt.MISSING
                    if row.interval_lower is None or row.interval_upper is None
                    else f"[{fmt.percent(row.interval_lower)}, {fmt.percent(row.interval_upper)}]",
                ),
                row.treatment,
            )
            for row in rows
        ),
        note="Fréchet's bounds from the arms' means; the interval holds the share itself (Imbens and Manski).",
    )


def leave_alone_table(result: StudyResult) -> Table:
    """Groups that a touch harms or in which it does not pay; empty where there is none."""
    decision = result.decision
    rows = () if decision is None else tuple(row for row in decision.leave_alone if row.verdict != "keep")
    unit = "" if decision is None else decision.unit
    return Table(
        name="leave_alone",
        caption="Leave alone: a touch surely harms here, or surely costs more than it brings",
        columns=(
            Column("group"),
            Column("leads", numeric=True),
            Column("effect", numeric=True),
            Column("at most", numeric=True),
            Column(f"{unit or 'money'} per lead, net", numeric=True),
            Column("at most", numeric=True),
            Column("verdict"),
        ),
        rows=tuple(
            Row(
                (
                    f"{GROUPS.get(row.segment_by, row.segment_by)} {row.segment}",
                    fmt.count(row.n),
                    fmt.change(row.effect, result.outcome_kind) if row.effect is not None else fmt.MISSING,
                    fmt.change(row.effect_upper, result.outcome_kind) if row.effect_upper is not None else fmt.MISSING,
                    fmt.number(row.net, 2, signed=True),
                    fmt.number(row.net_upper, 2, signed=True),
                    row.verdict,
                ),
                row.treatment,
            )
            for row in rows
        ),
        note=(
            "At most: simultaneous upper ends over all groups and arms. No group was decided by its own organisations' "
            "outcomes; those by prediction are judged on leads that no model had seen."
        ),
    )


def decision_notes(result: StudyResult) -> tuple[str, ...]:
    """What costs were reckoned with."""
    if result.decision is None or not result.decision.unit:
        return ()
    decision = decision_of(result)
    costs = "; ".join(f"{arm} {decision.unit} {cost:,.2f}" for arm, cost in decision.costs.items())
    return (f"Cost per touch: {costs}.",)
