"""The figure of README.md: regret of every rule, and how often intervals hold the truth."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pieces
from matplotlib.figure import Figure
from summary import FIRST, METHODS, figures, half_width, mean

INK, PALE, WARN, ZERO = "#1f4e79", "#9db7d0", "#c8553d", "#888888"


def draw(rows: list[pieces.Row], path: Path) -> None:
    with mpl.rc_context({"svg.hashsalt": "transfer", "font.size": 9, "svg.fonttype": "none"}):
        figure = Figure(figsize=(10.5, 3.6), layout="constrained")
        figure.patch.set_facecolor("white")
        left, right = figure.subplots(1, 2)
        _regret(left, rows)
        _coverage(right, rows)
        for axis in (left, right):
            axis.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _regret(axis: mpl.axes.Axes, rows: list[pieces.Row]) -> None:
    methods = [method for method in METHODS if method != "knowing the truth"][::-1]
    for y, method in enumerate(methods):
        values = figures(rows, FIRST, method, "regret")
        own = method.startswith("transfer")
        axis.barh(y, mean(values), color=INK if own else PALE, height=0.65)
        half = half_width(values)
        axis.plot([mean(values) - half, mean(values) + half], [y, y], color="black", linewidth=1)
    axis.set_yticks(range(len(methods)), methods)
    axis.set_xlabel("regret of 50 picks, percentage points of uplift")
    axis.set_title("how far from the best 50 (company as assumed)", fontsize=9)


def _coverage(axis: mpl.axes.Axes, rows: list[pieces.Row]) -> None:
    companies = list(dict.fromkeys(row["piece"]["company"] for row in rows))[::-1]
    marks = (
        ("transfer", "covered", "o", INK, "all untried cells"),
        ("transfer", "covered_picked", "D", INK, "the 50 picked"),
        ("transfer, choice ignored", "covered", "o", WARN, "all untried, choice ignored"),
        ("transfer", "covered_average", "x", ZERO, "all untried, as if an average"),
    )
    for method, name, mark, color, label in marks:
        shares = [100 * mean(figures(rows, company, method, name)) for company in companies]
        face = "none" if mark == "D" else color
        axis.plot(shares, range(len(companies)), mark, color=color, markerfacecolor=face, label=label, linestyle="none")
    axis.axvline(95, color=ZERO, linewidth=0.8, zorder=0)
    axis.set_yticks(range(len(companies)), companies)
    axis.set_xlabel("95% intervals that hold the cell's true uplift, %")
    axis.set_title("coverage", fontsize=9)
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
