"""Balance of features as a picture: standardised differences between each arm and control."""

from __future__ import annotations

from typing import Any

from leadlift.base.records import StudyResult
from leadlift.report import format as fmt
from leadlift.report._canvas import MOST_ARMS, NARROW, PALETTE, WIDE, colour, marker, new_figure
from leadlift.report._panels import legend_below, mark, offsets, zero_line
from leadlift.report._reading import shorten, treatments

MOST_FEATURES = 20
USUAL = 0.1


def missing(result: StudyResult) -> str:
    """Why the figure can't be drawn; empty when it can."""
    return "" if result.balance else "The balance figure is left out: no features were compared between arms."


def draw(result: StudyResult, *, narrow: bool) -> Any:
    """A row per feature, the largest difference on top, a marker per arm."""
    rows = _rows(result)
    figure = new_figure(NARROW if narrow else WIDE, 1.4 + 0.27 * len(rows))
    axes = figure.subplots()
    axes.grid(True, axis="y")
    axes.axvspan(-USUAL, USUAL, color=PALETTE["muted"], alpha=0.12, linewidth=0)
    zero_line(axes, vertical=True)
    arms = treatments(result)[:MOST_ARMS]
    shifts = offsets(len(arms), 0.7 / max(len(arms), 3))
    for y, (_, by_arm) in enumerate(rows):
        for i, arm in enumerate(arms):
            if arm in by_arm:
                axes.plot(by_arm[arm], y + shifts[i], **_dot(i))
    axes.set_yticks(range(len(rows)), [shorten(name, 18 if narrow else 40) for name, _ in rows])
    axes.tick_params(axis="y", colors=PALETTE["ink"])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    widest = max(abs(value) for _, by_arm in rows for value in by_arm.values())
    axes.set_xlim(-1.15 * max(widest, 1.3 * USUAL), 1.15 * max(widest, 1.3 * USUAL))
    axes.xaxis.set_major_formatter(lambda value, _: fmt.number(value, 2, signed=True))
    axes.locator_params(axis="x", nbins=5)
    # A narrow plot with long names beside it leaves little room under its axis.
    axes.set_xlabel("std. deviations" if narrow else "arm minus control, in standard deviations")
    if len(arms) > 1:
        legend_below(figure, [mark(shorten(a, 24), **_dot(i)) for i, a in enumerate(arms)], narrow=narrow)
    return figure


def alt(result: StudyResult) -> str:
    """The figure in words: the largest difference."""
    name, by_arm = _rows(result)[0]
    arm, value = max(by_arm.items(), key=lambda item: abs(item[1]))
    n = len({row.feature for row in result.balance})
    return (
        f"Standardised differences of {n} features between arms and control. "
        f"The largest is {fmt.number(value, 3, signed=True)}, in {name} for {arm}."
    )


def caption(result: StudyResult) -> str:
    """How to read the figure."""
    n = len({row.feature for row in result.balance})
    shown = f" The {MOST_FEATURES} largest of {n} are shown." if n > MOST_FEATURES else ""
    return (
        "How far each feature's mean differs between an arm and control. Drawn by lot, differences are chance; "
        f"beyond the shaded ±{USUAL} they are worth a look.{shown}"
    )


def _rows(result: StudyResult) -> list[tuple[str, dict[str, float]]]:
    found: dict[str, dict[str, float]] = {}
    for row in result.balance:
        found.setdefault(row.feature, {})[row.treatment] = row.difference
    ordered = sorted(found.items(), key=lambda item: (-max(map(abs, item[1].values())), item[0]))
    return ordered[:MOST_FEATURES]


def _dot(index: int) -> dict[str, Any]:
    return {
        "marker": marker(index),
        "color": colour(index),
        "markersize": 7,
        "markeredgecolor": PALETTE["paper"],
        "markeredgewidth": 0.8,
        "linestyle": "none",
        "zorder": 3,
    }
