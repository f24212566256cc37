"""The six-group test as a picture: touched or not, by low, medium and high score."""

from __future__ import annotations

from typing import Any

from leadlift.base.records import Effect, StudyResult
from leadlift.report import format as fmt
from leadlift.report._canvas import MOST_ARMS, NARROW, PALETTE, WIDE, colour, new_figure
from leadlift.report._panels import (
    caps,
    change_unit,
    in_units,
    legend_below,
    mark,
    offsets,
    solid,
    true_mark,
    whisker,
    zero_line,
)
from leadlift.report._reading import (
    control_arm,
    effect_decimals,
    effects_of,
    estimator,
    groups,
    overall_of,
    shorten,
    simultaneous,
    treatments,
    truth_of,
)


def missing(result: StudyResult) -> str:
    """Why the figure can't be drawn; empty when it can."""
    if not groups(result):
        return "The six-group figure is left out: no effects by score group were estimated."
    if all(e.effect is None for arm in treatments(result) for e in _by_group(result, arm).values()):
        return "The six-group figure is left out: no effect could be given for any score group."
    return ""


def draw(result: StudyResult, *, narrow: bool) -> Any:
    """Left: mean outcome by group and arm. Right: effect by group with its intervals."""
    figure = new_figure(NARROW if narrow else WIDE, 7.0 if narrow else 4.4)
    means, effects = figure.subplots(2, 1) if narrow else figure.subplots(1, 2)
    arms = treatments(result)[:MOST_ARMS]
    _draw_means(means, result, arms)
    _draw_effects(effects, result, arms)
    legend_below(figure, _legend(result, arms), narrow=narrow)
    return figure


def alt(result: StudyResult) -> str:
    """The figure in words: every effect that it shows."""
    places = effect_decimals(result)
    said = []
    for arm in treatments(result)[:MOST_ARMS]:
        shown = "; ".join(
            f"{name} {fmt.estimate(e.effect, *simultaneous(e), result.outcome_kind, places)}"
            for name, e in _by_group(result, arm).items()
        )
        said.append(f"{arm}: {shown}.")
    return f"Mean of {result.outcome} by score group and arm, and effect by score group. {' '.join(said)}"


def caption(result: StudyResult) -> str:
    """How to read the figure."""
    used = {estimator(result, arm) for arm in treatments(result)}
    adjusted = ", adjusted for what was known of each lead" if used == {"aipw"} else ""
    words = (
        f"The mean of “{result.outcome}” in each score group, with and without the touch, and the "
        f"difference{adjusted}. Thick bars are 95% intervals of one group; thin ones with caps hold "
        "for all groups together. The dashed line is the effect over all leads."
    )
    if len(treatments(result)) > MOST_ARMS:
        words += f" The first {MOST_ARMS} arms are shown; the table has all."
    return words


def _by_group(result: StudyResult, arm: str) -> dict[str, Effect]:
    return effects_of(result, "score_group", arm)


def _draw_means(axes: Any, result: StudyResult, arms: tuple[str, ...]) -> None:
    axes.set_title(f"Mean of {shorten(result.outcome, 26)}")
    for i, (arm, shift) in enumerate(zip(arms, offsets(len(arms), _spread(arms)), strict=True)):
        for x, group in enumerate(groups(result)):
            effect = _by_group(result, arm).get(group)
            if effect is None or effect.control_mean is None or effect.treatment_mean is None:
                continue
            ends = (effect.control_mean, effect.treatment_mean)
            axes.plot([x + shift] * 2, ends, color=colour(i), linewidth=1.6, zorder=2)
            axes.plot(x + shift, ends[0], **_hollow(PALETTE["muted"]), zorder=3)
            axes.plot(x + shift, ends[1], **solid(i), zorder=3)
    _groups_below(axes, result)
    in_units(axes.yaxis, result, signed=False)


def _draw_effects(axes: Any, result: StudyResult, arms: tuple[str, ...]) -> None:
    axes.set_title(f"Effect, {change_unit(result)}")
    zero_line(axes)
    for i, (arm, shift) in enumerate(zip(arms, offsets(len(arms), _spread(arms)), strict=True)):
        overall = overall_of(result, arm)
        if overall is not None and overall.effect is not None:
            axes.axhline(overall.effect, color=colour(i), linewidth=1.2, linestyle=(0, (5, 4)), zorder=1)
        truth = truth_of(result, arm, "score_group")
        for x, group in enumerate(groups(result)):
            effect = _by_group(result, arm).get(group)
            if effect is not None and effect.effect is not None:
                _draw_effect(axes, x + shift, effect, i)
            if group in truth:
                axes.plot(x + shift + 0.07, truth[group], **true_mark())
    _groups_below(axes, result)
    in_units(axes.yaxis, result, signed=True)


def _draw_effect(axes: Any, x: float, effect: Effect, index: int) -> None:
    both = (effect.simultaneous_lower, effect.simultaneous_upper)
    whisker(axes, x, both, colour(index), 1.3)
    caps(axes, x, both, colour(index))
    whisker(axes, x, (effect.ci_lower, effect.ci_upper), colour(index), 4.2)
    axes.plot(x, effect.effect, **solid(index), zorder=4)


def _groups_below(axes: Any, result: StudyResult) -> None:
    names = groups(result)
    axes.set_xticks(range(len(names)), [shorten(name, 12) for name in names])
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_xlabel("score group")


def _spread(arms: tuple[str, ...]) -> float:
    return min(0.22, 0.66 / max(len(arms), 1))


def _hollow(shade: str) -> dict[str, Any]:
    return {
        "marker": "o",
        "markersize": 6.5,
        "markerfacecolor": PALETTE["paper"],
        "markeredgecolor": shade,
        "markeredgewidth": 1.6,
        "linestyle": "none",
    }


def _legend(result: StudyResult, arms: tuple[str, ...]) -> list[Any]:
    handles = [mark(shorten(control_arm(result) or "control", 24), **_hollow(PALETTE["muted"]))]
    handles += [mark(shorten(arm, 24), **solid(i)) for i, arm in enumerate(arms)]
    if any(truth_of(result, arm, "score_group") for arm in arms):
        handles.append(mark("true effect", **true_mark()))
    return handles
