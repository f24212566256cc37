"""The figure that settles whom to touch: value against capacity, and the difference to the current practice."""

from __future__ import annotations

import textwrap
from collections.abc import Collection
from typing import Any

from leadlift.base.decisions import Measure, StrategyValue
from leadlift.base.records import StudyResult
from leadlift.report import format as fmt
from leadlift.report._canvas import NARROW, PALETTE, WIDE, colour, marker, new_figure
from leadlift.report._panels import legend_below, mark, zero_line
from leadlift.report._strategy_reading import (
    RANDOM,
    REFERENCES,
    amount,
    at_capacity,
    current_name,
    decision_of,
    is_current,
    knows_truth,
    lines_of,
    measures,
    scale_of,
    several_arms,
    spoken_name,
    strategy_name,
    touches,
    unit_of,
)
from leadlift.report._strategy_words import strategy_words

MOST_LINES = 7
# Letters in a line, on a phone and beside another panel: longer names are broken, or they leave no room to draw in.
TITLE, NAME = 26, {True: 20, False: 28}
LEGEND = 44
DASHED = (0, (4, 2.5))
Key = tuple[str, str]
TRUE = {
    "marker": "x",
    "markersize": 7,
    "markeredgewidth": 2,
    "color": PALETTE["ink"],
    "linestyle": "none",
    "zorder": 7,
}


def missing(result: StudyResult, measure: Measure = "outcome") -> str:
    """Why the figure can't be drawn; empty when it can."""
    if result.decision is None:
        return "The figure of strategies is left out: the study asks for none (`strategies`)."
    if any(row.value is not None for row in result.strategies if row.measure == measure):
        return ""
    if measure == "money":
        return "The figure of strategies in money is left out: nothing says what an outcome is worth (`value`)."
    return "The figure of strategies is left out: too few organisations or outcomes."


def draw(result: StudyResult, *, narrow: bool, measure: Measure = "outcome") -> Any:
    """Left: what each strategy earns at every capacity. Right: at the team's own, its difference to the current one."""
    shown = _shown(result, measure)
    width = NARROW if narrow else WIDE
    lines = sum(len(textwrap.wrap(_name(result, key), LEGEND)) for key in shown)
    broken = max((len(textwrap.wrap(_name(result, key), NAME[narrow])) for key in shown), default=1)
    # On a phone the second panel grows with its names, which else would lie over one another.
    more = max(0.0, 0.17 * broken * len(shown) - 2.0) if narrow else 0.0
    figure = new_figure(width, (6.6 + more if narrow else 4.6) + 0.16 * lines)
    ratios = {"height_ratios": [2.2, 2.0 + more]} if narrow else {"width_ratios": [1.55, 1]}
    grid = figure.subplots(*((2, 1) if narrow else (1, 2)), **ratios)
    place = _places(result, shown)
    _curves(grid[0], result, shown, place, measure)
    _differences(grid[1], result, shown, place, measure)
    _broken(grid, narrow=narrow)
    handles = [_handle(result, key, place[key]) for key in shown]
    if knows_truth(result) and measure == "outcome":
        handles.append(mark("true difference (simulated)", **TRUE))
    if any(row.extrapolates for rows in shown.values() for row in rows):
        handles.append(mark("dashed: more than was ever run", color=PALETTE["muted"], linewidth=1.6, linestyle=DASHED))
    legend_below(figure, handles, narrow=narrow)
    return figure


def _broken(grid: Any, *, narrow: bool) -> None:
    """Breaks titles, and the names of strategies, where they would leave no room for what is drawn."""
    for axes in grid if narrow else grid[1:]:
        axes.set_title(textwrap.fill(axes.get_title(loc="left"), TITLE))
    names = [textwrap.fill(label.get_text(), NAME[narrow]) for label in grid[1].get_yticklabels()]
    grid[1].set_yticks(grid[1].get_yticks(), names)


def _shown(result: StudyResult, measure: Measure) -> dict[Key, list[StrategyValue]]:
    """The current strategy, touching at random, and the best of the others at the team's capacity."""
    lines = {
        key: rows
        for key, rows in lines_of(result, measure).items()
        if rows[0].value is not None and key[0] not in REFERENCES
    }
    own = {(row.strategy, row.treatment): row for row in at_capacity(result, measure)}
    ranked = sorted(lines, key=lambda key: (not is_current(result, own[key]), -(own[key].value or 0.0)))
    rules = [key for key in ranked if key[0] != RANDOM][:MOST_LINES]
    arm = decision_of(result).current_treatment
    random = [key for key in ranked if key[0] == RANDOM and (key[1] == arm or len(rules) == 0)]
    return {key: lines[key] for key in (*rules, *random[:1])}


def _places(result: StudyResult, shown: Collection[Key]) -> dict[Key, int]:
    """Which colour and marker each strategy has: the same in outcomes and in money."""
    first = [key for key in _shown(result, measures(result)[0]) if key[0] != RANDOM]
    return {key: place for place, key in enumerate(dict.fromkeys([*first, *shown]))}


def _look(key: Key, place: int) -> dict[str, Any]:
    if key[0] == RANDOM:
        return {"color": PALETTE["muted"], "linewidth": 1.6}
    return {"color": colour(place), "linewidth": 2.2 if place < 2 else 1.6}


def _curves(
    axes: Any, result: StudyResult, shown: dict[Key, list[StrategyValue]], places: dict[Key, int], measure: Measure
) -> None:
    decision = decision_of(result)
    axes.set_title("What each strategy would bring" + (", after touch costs" if measure == "money" else ""))
    zero_line(axes)
    for rank, (key, rows) in enumerate(shown.items()):
        place = places[key]
        look = {**_look(key, place), "linewidth": 2.2 if rank < 2 and key[0] != RANDOM else 1.6}
        banded = [row for row in rows if row.value_lower is not None and row.value_upper is not None]
        axes.fill_between(
            [0, *(row.capacity for row in banded)],
            [0, *(row.value_lower for row in banded)],
            [0, *(row.value_upper for row in banded)],
            color=look["color"],
            alpha=0.15 if rank < 2 and key[0] != RANDOM else 0.035,
            linewidth=0,
        )
        run = [row for row in rows if not row.extrapolates]
        beyond = rows[max(len(run) - 1, 0) :]
        axes.plot([0, *(r.capacity for r in run)], [0, *(r.value for r in run)], **look, zorder=4 - 0.1 * rank)
        axes.plot([r.capacity for r in beyond], [r.value for r in beyond], **look, linestyle=DASHED, zorder=4)
        if key[0] != RANDOM:
            at = min(run or rows, key=lambda row: abs(row.capacity - decision.capacity))
            axes.plot(at.capacity, at.value, marker=marker(place), color=look["color"], markersize=7, zorder=6)
    axes.axvline(decision.capacity, color=PALETTE["ink"], linewidth=1.0, zorder=2)
    axes.set_xlim(0, decision.leads)
    axes.set_xlabel(f"touches a {decision.per}" if decision.per else f"touches among {fmt.count(decision.leads)} leads")
    axes.set_ylabel(f"{_scaled_unit(result, measure)} over touching no one")
    _numbers(axes.xaxis)
    _numbers(axes.yaxis, scale_of(result, measure))


def _scaled_unit(result: StudyResult, measure: Measure) -> str:
    return unit_of(result, measure) + (" thousand" if scale_of(result, measure) > 1 else "")


def _numbers(axis: Any, scale: float = 1.0) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / scale:,.10g}".replace("-", fmt.MINUS)))


def _differences(
    axes: Any, result: StudyResult, shown: Collection[Key], order: dict[Key, int], measure: Measure
) -> None:
    decision = decision_of(result)
    rows = [row for row in at_capacity(result, measure) if (row.strategy, row.treatment) in shown]
    rows = sorted((row for row in rows if row.difference is not None), key=lambda row: row.difference or 0.0)
    axes.set_title(f"At {fmt.count(round(decision.capacity))}: more than {current_name(result)}")
    zero_line(axes, vertical=True)
    axes.grid(visible=False, axis="y")
    for y, row in enumerate(rows):
        key = (row.strategy, row.treatment)
        look = _look(key, order[key])
        if row.difference_lower is not None and row.difference_upper is not None:
            axes.plot([row.difference_lower, row.difference_upper], [y, y], color=look["color"], linewidth=2.2)
        shape = marker(order[key]) if row.strategy != RANDOM else "|"
        axes.plot(row.difference, y, marker=shape, color=look["color"], markersize=8, linestyle="none")
        if row.difference_truth is not None:
            axes.plot(row.difference_truth, y, **TRUE)
    many = several_arms(result)
    axes.set_yticks(range(len(rows)), [strategy_name(row, many) for row in rows])
    axes.tick_params(axis="y", labelcolor=PALETTE["ink"])
    axes.set_ylim(-0.7, max(len(rows), 1) - 0.3)
    axes.set_xlabel(f"{_scaled_unit(result, measure)}, paired, 95% band")
    _numbers(axes.xaxis, scale_of(result, measure))


def _handle(result: StudyResult, key: Key, place: int) -> Any:
    name = _name(result, key)
    current = (key[0], key[1]) == (decision_of(result).current, decision_of(result).current_treatment)
    shape = {} if key[0] == RANDOM else {"marker": marker(place), "markersize": 7}
    words = textwrap.fill(f"{name}, in use" if current else name, LEGEND)
    return mark(words, **_look(key, place), **shape)


def _name(result: StudyResult, key: Key) -> str:
    return spoken_name(key[0]) + (f" ({key[1]})" if several_arms(result) else "")


def alt(result: StudyResult, measure: Measure = "outcome") -> str:
    """The figure in words."""
    decision = decision_of(result)
    said = [
        f"{strategy_name(row, several_arms(result))} {amount(result, measure, row.value)}"
        for row in at_capacity(result, measure)
        if row.value is not None
    ]
    return (
        f"What each strategy would bring against the number of touches, in {unit_of(result, measure)}; at "
        f"{touches(decision, decision.capacity)}: {'; '.join(said)}. {' '.join(strategy_words(result))}"
    )


def caption(result: StudyResult, measure: Measure = "outcome") -> str:
    """How to read the figure."""
    decision = decision_of(result)
    return (
        "First: what touching the leads that a strategy puts first brings over touching no one, from the randomised "
        "log alone; the vertical line is the team's capacity. Second: the difference to "
        f"{current_name(result)} there, on the same leads, which is surer than the difference of two lines. "
        "Bands are 95% and hold for all strategies and capacities at once. Dashed: more than the "
        f"{fmt.percent(decision.run_share, 0)} of leads ever touched"
        + (", or, of one arm alone, than ever got that arm." if several_arms(result) else ".")
    )


def draw_money(result: StudyResult, *, narrow: bool) -> Any:
    """The same in money."""
    return draw(result, narrow=narrow, measure="money")


def money_missing(result: StudyResult) -> str:
    """Why the figure in money can't be drawn."""
    return missing(result, "money")


def money_alt(result: StudyResult) -> str:
    """The figure in money, in words."""
    return alt(result, "money")


def money_caption(result: StudyResult) -> str:
    """How to read the figure in money."""
    return caption(result, "money")
