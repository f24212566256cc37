"""Power curves: the smallest uplift seen as leads come in, and power by uplift with the leads at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadlift.design.plan_records import DesignPlan, PowerCurve
from leadlift.report import _canvas
from leadlift.report import format as fmt
from leadlift.report._canvas import MOST_ARMS, NARROW, PALETTE, WIDE, colour, marker, new_figure
from leadlift.report._panels import legend_below, mark
from leadlift.report._power_words import weeks
from leadlift.report.figures import Drawn

EVERY = 8


def power_curves(plan: DesignPlan) -> Drawn:
    """The figure of a plan.

    Raises:
        ValueError: the plan has no curves: neither leads nor a target are known.
    """
    if not plan.curves:
        raise ValueError("The power curves are left out: neither leads nor an uplift to be seen are given.")
    words = _alt(plan)
    with _canvas.style():
        wide, narrow = _draw(plan, narrow=False), _draw(plan, narrow=True)
    return Drawn(
        svg=_canvas.svg(wide, prefix="power-curves", label=words),
        svg_narrow=_canvas.svg(narrow, prefix="power-curves-narrow", label=words),
        png_bytes=_canvas.png(wide),
        alt=words,
        caption=_caption(plan),
    )


def _draw(plan: DesignPlan, *, narrow: bool) -> Any:
    figure = new_figure(NARROW if narrow else WIDE, 7.2 if narrow else 4.4)
    left, right = figure.subplots(2, 1) if narrow else figure.subplots(1, 2)
    curves = plan.curves[:MOST_ARMS]
    _draw_smallest(left, plan, curves)
    _draw_power(right, plan, curves)
    legend_below(figure, [_entry(plan, curve, i) for i, curve in enumerate(curves)], narrow=narrow)
    return figure


def _draw_smallest(axes: Any, plan: DesignPlan, curves: Sequence[PowerCurve]) -> None:
    axes.set_title(f"Smallest uplift seen, power {plan.power:.0%}")
    weekly = plan.leads_per_week
    scale = 1.0 if weekly is None else weekly
    for index, curve in enumerate(curves):
        x = [n / scale for n in curve.leads]
        axes.plot(x, curve.detectable, **_line(index))
        if curve.target is not None:
            axes.axhline(curve.target, color=colour(index), linewidth=1.2, linestyle=(0, (1, 2)), zorder=1)
    at_hand = plan.weeks if weekly is not None else plan.leads_at_hand
    if at_hand is not None:
        _here(axes, at_hand, f"{weeks(plan.weeks)}" if weekly is not None else "these leads")
    axes.set_xlabel("weeks of inflow" if weekly is not None else "leads")
    axes.set_xlim(left=0)
    _from_zero(axes, [value for curve in curves for value in curve.detectable[EVERY // 2 :] if value is not None])
    _in_units(axes.yaxis, plan)
    if weekly is None:
        _thousands(axes.xaxis)
    axes.set_ylabel(_unit(plan))


def _draw_power(axes: Any, plan: DesignPlan, curves: Sequence[PowerCurve]) -> None:
    within = f"in {weeks(plan.weeks)}" if plan.leads_per_week is not None else "with these leads"
    axes.set_title(f"Chance to see it {within}")
    for index, curve in enumerate(curves):
        axes.plot(curve.uplift, curve.power, **_line(index))
        if curve.target is not None:
            axes.axvline(curve.target, color=colour(index), linewidth=1.2, linestyle=(0, (1, 2)), zorder=1)
    axes.axhline(plan.power, color=PALETTE["muted"], linewidth=1.0, zorder=1)
    axes.set_ylim(0, 1.02)
    axes.set_xlim(left=0)
    _in_units(axes.xaxis, plan)
    _percent(axes.yaxis)
    axes.set_xlabel(f"true uplift, {_unit(plan)}")


def _here(axes: Any, x: float, words: str) -> None:
    axes.axvline(x, color=PALETTE["muted"], linewidth=1.0, zorder=1)
    axes.annotate(
        words,
        (x, 1),
        xycoords=("data", "axes fraction"),
        xytext=(4, -4),
        textcoords="offset points",
        va="top",
        color=PALETTE["muted"],
        fontsize=_canvas.SMALL,
    )


def _from_zero(axes: Any, values: Sequence[float]) -> None:
    if values:
        axes.set_ylim(0, max(values) * 1.1)


def _line(index: int) -> dict[str, Any]:
    return {
        "color": colour(index),
        "linewidth": 2.0,
        "marker": marker(index),
        "markevery": (index + 2, EVERY),
        "markersize": 6,
        "markeredgecolor": PALETTE["paper"],
    }


def _entry(plan: DesignPlan, curve: PowerCurve, index: int) -> Any:
    name = "all leads" if curve.segment == "all" else curve.segment
    arm = f"{curve.treatment}: " if len(plan.shares) > 2 else ""
    return mark(f"{arm}{name}", **{key: value for key, value in _line(index).items() if key != "markevery"})


def _unit(plan: DesignPlan) -> str:
    return "percentage points" if plan.outcome_kind == "binary" else "per lead"


def _in_units(axis: Any, plan: DesignPlan) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10], min_n_ticks=3))
    scale = 100 if plan.outcome_kind == "binary" else 1
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * scale:,.6g}"))


def _percent(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))


def _thousands(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=5))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _alt(plan: DesignPlan) -> str:
    said = []
    for row in plan.rows:
        if row.question in ("overall", "group") and row.detectable is not None:
            arm = f"{row.treatment}, " if len(plan.shares) > 2 else ""
            said.append(f"{arm}{row.segment}: {fmt.change(row.detectable, plan.outcome_kind, 2)}")
    shown = f" At hand, the smallest uplift seen is {'; '.join(said)}." if said else ""
    return f"Smallest uplift seen as leads come in, and power by true uplift.{shown}"


def _caption(plan: DesignPlan) -> str:
    more = f" The first {MOST_ARMS} lines are shown; the file has all." if len(plan.curves) > MOST_ARMS else ""
    return (
        f"Left: the smallest uplift that is seen with power {plan.power:.0%} as leads come in. Right: the chance that "
        f"an uplift is seen. Dotted lines mark what is to be seen. By formula throughout.{more}"
    )
