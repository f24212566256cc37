"""One panel per case: what each strategy brings against the number of touches; the truth, where known, is dotted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pieces

from leadlift.report._canvas import PALETTE, colour, new_figure, png, style
from leadlift.report._panels import legend_below, mark, zero_line
from leadlift.report._strategy_reading import spoken_name

TITLES = {
    "fence_sitters": "Fence-sitters gain: touch them first",
    "likeliest": "The likeliest gain: score first is right",
    "unrelated": "Gains unrelated to the score",
    "null": "No one gains: nothing to choose between",
    "hillstrom": "Hillstrom: spend, ten cents an e-mail",
}
SHOWN = ("score_first", "big_spenders_first", "fence_sitters_first", "uplift_first", "random")
DASHED = (0, (4, 2.5))


def draw(rows: Sequence[pieces.Row], path: Path) -> None:
    """Writes the figure as PNG."""
    with style():
        figure = new_figure(11.0, 8.4)
        grid = figure.subplots(2, 3).ravel()
        for axes, row in zip(grid, rows, strict=False):
            _panel(axes, row)
        for spare in grid[len(rows) :]:
            spare.set_axis_off()
        handles = [mark(spoken_name(name), **_look(name)) for name in SHOWN]
        handles.append(mark("the truth", color=PALETTE["ink"], linestyle=(0, (1, 1.5)), linewidth=1.4))
        handles.append(mark("more than was ever run", color=PALETTE["muted"], linestyle=DASHED, linewidth=1.4))
        legend_below(figure, handles, narrow=False)
        path.write_bytes(png(figure))


def _look(name: str) -> dict[str, Any]:
    if name == "random":
        return {"color": PALETTE["muted"], "linewidth": 1.5}
    return {"color": colour(SHOWN.index(name)), "linewidth": 2.2}


def _panel(axes: Any, row: pieces.Row) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_title(TITLES[row["piece"]["case"]], fontsize=10)
    zero_line(axes)
    lines = best_arm(row)
    for name in (one for one in SHOWN if one in lines):
        points, look = lines[name], _look(name)
        x = [0, *(point["capacity"] for point in points)]
        run = [point for point in points if not point["extrapolates"]]
        axes.plot([0, *(p["capacity"] for p in run)], [0, *(p["value"] for p in run)], **look)
        beyond = points[max(len(run) - 1, 0) :]
        axes.plot([p["capacity"] for p in beyond], [p["value"] for p in beyond], **look, linestyle=DASHED)
        if name != "random":
            lower, upper = ([0, *(p[end] for p in points)] for end in ("value_lower", "value_upper"))
            axes.fill_between(x, lower, upper, color=look["color"], alpha=0.08, linewidth=0)
        if name in row["truth"]:
            axes.plot(x, [0, *row["truth"][name]], color=look["color"], linestyle=(0, (1, 1.5)), linewidth=1.4)
    axes.axvline(row["capacity"], color=PALETTE["ink"], linewidth=1.0)
    axes.set_xlim(left=0)
    axes.set_xlabel("touches a week" if row["truth"] else "e-mails")
    axes.set_ylabel(row["unit"])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=4))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def best_arm(row: pieces.Row) -> dict[str, list[pieces.Row]]:
    """Each strategy's rows by capacity; of several arms, those of the one that brings most."""
    found: dict[str, dict[str, list[pieces.Row]]] = {}
    for point in row["strategies"]:
        found.setdefault(point["strategy"], {}).setdefault(point["treatment"], []).append(point)
    return {name: max(arms.values(), key=lambda points: points[-1]["value"]) for name, arms in found.items()}
