"""The figure of effects by client problem: each problem's own, and partially pooled."""

from __future__ import annotations

from typing import Any

from leadlift.base.records import Effect, StudyResult
from leadlift.report import format as fmt
from leadlift.report._canvas import MOST_ARMS, NARROW, PALETTE, WIDE, colour, new_figure
from leadlift.report._panels import change_unit, in_units, legend_below, mark, offsets, solid, true_mark, zero_line
from leadlift.report._reading import (
    effect_decimals,
    effects_of,
    overall_of,
    shorten,
    simultaneous,
    treatments,
    truth_of,
)
from leadlift.report.problem_uplift import pooled_of, problem_words

MOST_PROBLEMS = 24
CAP = 0.09


def missing(result: StudyResult) -> str:
    """Why the figure can't be drawn; empty when it can."""
    if not any(effects_of(result, "problem", arm) for arm in treatments(result)):
        return "The figure of client problems is left out: the leads have none, or only one."
    return ""


def alt(result: StudyResult) -> str:
    """The figure in words."""
    kind, places = result.outcome_kind, effect_decimals(result)
    said = [
        f"{name} {fmt.change(effect.effect, kind, places)}"
        for arm in treatments(result)[:1]
        for name, effect in _shown(result, arm).items()
        if effect.effect is not None
    ]
    return f"Effect by client problem: {', '.join(said)}. {' '.join(problem_words(result))}"


def caption(result: StudyResult) -> str:
    """How to read the figure."""
    words = (
        f"The effect on “{result.outcome}” by the problem that each organisation was mainly known for when it was "
        "assigned. Thick bars are 95% intervals of one problem; thin ones with caps hold for all problems together: "
        "decide by these. Diamonds are partially pooled effects; their dotted intervals cover on average over "
        "problems. The dashed line is the effect over all leads."
    )
    first = effects_of(result, "problem", treatments(result)[0])
    if len(first) > MOST_PROBLEMS:
        words += f" The {MOST_PROBLEMS} problems with most leads are shown; the table has all."
    return words


def draw(result: StudyResult, *, narrow: bool) -> Any:
    """A row per problem, the one with the largest pooled effect of the first arm on top."""
    arms = treatments(result)[:MOST_ARMS]
    names = _order(result, arms[0])
    rows = len(names) * (0.34 + 0.3 * len(arms))
    figure = new_figure(NARROW if narrow else WIDE, 1.5 + rows)
    axes = figure.subplots()
    axes.grid(visible=False)
    axes.grid(visible=True, axis="x")
    zero_line(axes, vertical=True)
    for i, (arm, shift) in enumerate(zip(arms, offsets(len(arms), 0.8 / len(arms)), strict=True)):
        overall = overall_of(result, arm)
        if overall is not None and overall.effect is not None:
            axes.axvline(overall.effect, color=colour(i), linewidth=1.2, linestyle=(0, (5, 4)), zorder=1)
        _draw_arm(axes, result, arm, i, {name: y + shift for y, name in enumerate(names)}, 0.34 / len(arms))
    axes.set_yticks(range(len(names)), [_label(result, name, narrow=narrow) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel(f"effect, {change_unit(result)}")
    in_units(axes.xaxis, result, signed=True)
    legend_below(figure, _legend(result, arms), narrow=narrow)
    return figure


def _shown(result: StudyResult, arm: str) -> dict[str, Effect]:
    found = effects_of(result, "problem", arm)
    most = sorted(found, key=lambda name: (-(found[name].n_treatment + found[name].n_control), name))[:MOST_PROBLEMS]
    return {name: found[name] for name in found if name in most}


def _order(result: StudyResult, arm: str) -> list[str]:
    found, near = _shown(result, arm), pooled_of(result, arm)
    size = {name: near[name].effect if name in near else None for name in found}
    # What can't be pooled stands below.
    return sorted(found, key=lambda name: (size[name] is None, -(size[name] or 0.0), name))


def _label(result: StudyResult, name: str, *, narrow: bool) -> str:
    cards = () if result.problems is None else result.problems.cards
    first = next((card.products[0].product.strip() for card in cards if card.problem == name and card.products), "")
    return shorten(f"{name}  {first}".strip(), 16 if narrow else 34)


def _draw_arm(axes: Any, result: StudyResult, arm: str, index: int, at: dict[str, float], below: float) -> None:
    near, truth, found = pooled_of(result, arm), truth_of(result, arm, "problem"), _shown(result, arm)
    shade = colour(index)
    for name, y in at.items():
        if name in found and found[name].effect is not None:
            effect = found[name]
            ends = simultaneous(effect)
            _bar(axes, y, ends, shade, 1.3)
            for end in ends:
                if end is not None:
                    axes.plot([end, end], [y - CAP, y + CAP], color=shade, linewidth=1.3, zorder=2)
            _bar(axes, y, (effect.ci_lower, effect.ci_upper), shade, 4.2)
            axes.plot(effect.effect, y, **solid(index), zorder=4)
        if name in near:
            pooled = near[name]
            _bar(axes, y + below, (pooled.lower, pooled.upper), PALETTE["ink"], 1.4, linestyle=(0, (1, 1.6)))
            axes.plot(pooled.effect, y + below, **_pooled(), zorder=4)
        if name in truth:
            axes.plot(truth[name], y, **true_mark())


def _bar(axes: Any, y: float, ends: tuple[float | None, float | None], shade: str, width: float, **how: Any) -> None:
    if ends[0] is not None and ends[1] is not None:
        axes.plot(ends, [y, y], color=shade, linewidth=width, solid_capstyle="butt", zorder=2, **how)


def _pooled() -> dict[str, Any]:
    return {
        "marker": "D",
        "markersize": 5,
        "markerfacecolor": PALETTE["paper"],
        "markeredgecolor": PALETTE["ink"],
        "markeredgewidth": 1.4,
        "linestyle": "none",
    }


def _legend(result: StudyResult, arms: tuple[str, ...]) -> list[Any]:
    handles = [mark(shorten(arm, 24), **solid(i)) for i, arm in enumerate(arms)]
    if any(pooled_of(result, arm) for arm in arms):
        handles.append(mark("partially pooled", **_pooled()))
    if any(truth_of(result, arm, "problem") for arm in arms):
        handles.append(mark("true effect", **true_mark()))
    return handles
