"""Parts that several figures share: panels, axes in the outcome's unit, intervals, a legend below."""

from __future__ import annotations

import itertools
import math
from typing import Any

from leadlift.base.records import StudyResult
from leadlift.report import format as fmt
from leadlift.report._canvas import PALETTE, SMALL, colour, marker


def in_units(axis: Any, result: StudyResult, *, signed: bool) -> None:
    """Labels an axis in percentage points or per cent for shares, else in outcome units."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10], min_n_ticks=3))
    binary = result.outcome_kind == "binary"
    scale = 100 if binary else 1

    def label(value: float, _position: int | None = None) -> str:
        places = _places([tick * scale for tick in axis.get_majorticklocs()])
        text = fmt.number(value * scale, places, signed=signed)
        return f"{text}%" if binary and not signed else text

    axis.set_major_formatter(FuncFormatter(label))


def _places(ticks: list[float]) -> int:
    steps = [b - a for a, b in itertools.pairwise(ticks) if b > a]
    return max(0, min(6, -math.floor(math.log10(min(steps)) + 1e-9))) if steps else 0


def change_unit(result: StudyResult) -> str:
    """What a change is counted in, for axis labels."""
    return "percentage points" if result.outcome_kind == "binary" else "per lead"


def zero_line(axes: Any, *, vertical: bool = False) -> None:
    """A line where there is no effect."""
    draw = axes.axvline if vertical else axes.axhline
    draw(0, color=PALETTE["muted"], linewidth=1.0, zorder=1)


def whisker(axes: Any, x: float, ends: tuple[float | None, float | None], colour: str, width: float) -> None:
    """An interval as a vertical line; a missing one is not drawn."""
    lower, upper = ends
    if lower is not None and upper is not None:
        axes.plot([x, x], [lower, upper], color=colour, linewidth=width, solid_capstyle="butt", zorder=2)


def caps(axes: Any, x: float, ends: tuple[float | None, float | None], colour: str) -> None:
    """Short strokes at the ends of an interval."""
    for end in ends:
        if end is not None:
            axes.plot([x - 0.05, x + 0.05], [end, end], color=colour, linewidth=1.3, zorder=2)


def legend_below(figure: Any, handles: list[Any], *, narrow: bool) -> None:
    """One legend under all panels, in as many columns as its words leave room for."""
    if not handles:
        return
    longest = max(len(line) for handle in handles for line in handle.get_label().split("\n"))
    columns = (46 if narrow else 112) // (longest + 7)
    figure.legend(
        handles=handles,
        loc="outside lower left",
        ncols=max(1, min(columns, len(handles))),
        handlelength=1.8,
        columnspacing=1.6,
        fontsize=SMALL,
    )


def mark(label: str, **how: Any) -> Any:
    """A legend entry for a marker or a line."""
    from matplotlib.lines import Line2D

    return Line2D([], [], label=label, **how)


def solid(index: int) -> dict[str, Any]:
    """How the estimate of the arm at `index` is marked."""
    return {
        "marker": marker(index),
        "color": colour(index),
        "markersize": 8,
        "markeredgecolor": PALETTE["paper"],
        "markeredgewidth": 1.2,
        "linestyle": "none",
    }


def true_mark() -> dict[str, Any]:
    """How the truth of a simulated company is marked."""
    return {
        "marker": "x",
        "markersize": 7,
        "markeredgewidth": 2,
        "color": PALETTE["ink"],
        "linestyle": "none",
        "zorder": 5,
    }


def offsets(n: int, spread: float) -> list[float]:
    """Places side by side around a group's middle.

    >>> offsets(2, 0.2)
    [-0.1, 0.1]
    """
    return [spread * (i - (n - 1) / 2) for i in range(n)]
