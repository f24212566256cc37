"""The row account as a flow: rows read, dropped by reason, used, and into which arms they fell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from leadlift.base.records import StudyResult
from leadlift.report import format as fmt
from leadlift.report._canvas import NARROW, PALETTE, WIDE, colour, new_figure
from leadlift.report._reading import control_arm, listed, shorten

# Heights of a label and of its first line are in inches; the others are shares of the figure.
MOST_ENDS = 7
GAP = 0.035
LABEL = 0.52
LINE = 0.2
THINNEST = 0.006
BAR = 0.016


@dataclass(frozen=True)
class _Node:
    """A bar of the flow: its label, rows, and where it stands (0 bottom to 1 top)."""

    label: str
    n: int
    top: float
    height: float
    shade: str


def missing(result: StudyResult) -> str:
    """Why the figure can't be drawn; empty when it can."""
    return "" if result.rows.read else "The flow of rows is left out: no rows were read."


def draw(result: StudyResult, *, narrow: bool) -> Any:
    """Three columns of bars joined by ribbons, each as thick as its rows are many."""
    tall = max(2.4, LABEL * _most_in_a_column(result) + 0.9)
    used, dropped, arms = _columns(result, LABEL / tall)
    figure = new_figure(NARROW if narrow else WIDE, tall)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    columns = (0.0, 0.36, 0.70) if narrow else (0.0, 0.42, 0.84)
    read = _Node("read", result.rows.read, 1.0, _height([used, *dropped]), PALETTE["muted"])
    _flows(axes, columns[0], columns[1], read, [used, *dropped])
    _flows(axes, columns[1], columns[2], used, arms)
    for x, nodes in zip(columns, ([read], [used, *dropped], arms), strict=True):
        _bars(axes, x, nodes, most=13 if narrow else 20, line=LINE / tall)
    return figure


def alt(result: StudyResult) -> str:
    """The flow in words: every number that it shows."""
    dropped = [f"{fmt.count(n)} dropped ({_plain(reason)})" for reason, n in result.rows.dropped.items()]
    arms = listed(f"{arm} {fmt.count(n)}" for arm, n in result.arms.items())
    parts = [f"{fmt.count(result.rows.read)} rows read", *dropped, f"{fmt.count(result.rows.used)} used"]
    return f"{'; '.join(parts)}{f': {arms}' if result.rows.used and arms else ''}."


def caption(result: StudyResult) -> str:
    """How to read the figure."""
    return "Every row that was read is either used or dropped for a reason; the used rows by arm."


def _plain(reason: str) -> str:
    return reason.replace("_", " ").replace("-", " ")


def _most_in_a_column(result: StudyResult) -> int:
    return min(MOST_ENDS + 1, max(len(result.arms), 1 + sum(n > 0 for n in result.rows.dropped.values())))


def _columns(result: StudyResult, room: float) -> tuple[_Node, list[_Node], list[_Node]]:
    """The bar of used rows, those of dropped rows, and the arms', all on one scale."""
    lost = sorted(((_plain(reason), n) for reason, n in result.rows.dropped.items() if n), key=lambda i: -i[1])
    middle = [("used", result.rows.used, PALETTE["muted"])]
    middle += [(reason, n, PALETTE["c2"]) for reason, n in _merged(lost)]
    ends = _arms(result) if result.rows.used else []
    scale = _largest_scale([[n for _, n, _ in middle], [n for _, n, _ in ends]], room, result.rows.read)
    used, *dropped = _stacked(middle, scale, room)
    return used, dropped, _stacked(ends, scale, room)


def _arms(result: StudyResult) -> list[tuple[str, int, str]]:
    control = control_arm(result)
    shades = {arm: colour(i) for i, arm in enumerate(arm for arm in result.arms if arm != control)}
    merged = _merged(list(result.arms.items()), "other arms")
    return [(arm, n, shades.get(arm, PALETTE["muted"])) for arm, n in merged]


def _merged(items: list[tuple[str, int]], rest: str = "other reasons") -> list[tuple[str, int]]:
    if len(items) <= MOST_ENDS:
        return items
    return [*items[: MOST_ENDS - 1], (rest, sum(n for _, n in items[MOST_ENDS - 1 :]))]


def _largest_scale(columns: list[list[int]], room: float, whole: int) -> float:
    """Height per row at which every column, with its gaps and labels, just fits."""

    def fits(share: float) -> bool:
        heights = [[share * n / whole for n in column] for column in columns]
        return all(sum(max(h + GAP, room) for h in column) - GAP <= 1 for column in heights)

    return next((share for share in (i / 50 for i in range(50, 15, -1)) if fits(share)), 0.3) / whole


def _stacked(entries: list[tuple[str, int, str]], scale: float, room: float) -> list[_Node]:
    """Bars from the top down, with room for a label beside even the thinnest."""
    nodes = []
    top = 1.0
    for label, n, shade in entries:
        height = max(THINNEST, scale * n)
        nodes.append(_Node(label, n, top, height, shade))
        top -= max(height + GAP, room)
    return nodes


def _height(parts: list[_Node]) -> float:
    return sum(part.height for part in parts)


def _flows(axes: Any, x0: float, x1: float, source: _Node, targets: list[_Node]) -> None:
    y = source.top
    total = _height(targets)
    for target in targets:
        thick = source.height * target.height / total
        _ribbon(axes, (x0 + BAR, y, thick), (x1, target.top, target.height), target.shade)
        y -= thick


def _ribbon(axes: Any, start: tuple[float, float, float], end: tuple[float, float, float], shade: str) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    (x0, y0, h0), (x1, y1, h1) = start, end
    mid = (x0 + x1) / 2
    points = [(x0, y0), (mid, y0), (mid, y1), (x1, y1), (x1, y1 - h1)]
    points += [(mid, y1 - h1), (mid, y0 - h0), (x0, y0 - h0), (x0, y0)]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    axes.add_patch(PathPatch(Path(points, codes), facecolor=shade, alpha=0.2, linewidth=0))


def _bars(axes: Any, x: float, nodes: list[_Node], *, most: int, line: float) -> None:
    from matplotlib.patches import Rectangle

    for node in nodes:
        bar = Rectangle((x, node.top - node.height), BAR, node.height, facecolor=node.shade, linewidth=0)
        axes.add_patch(bar)
        left = x + BAR + 0.012
        style = {"va": "top", "ha": "left", "clip_on": False}
        axes.text(left, node.top, shorten(node.label, most), fontsize=10, color=PALETTE["muted"], **style)
        axes.text(left, node.top - line, fmt.count(node.n), fontsize=11, fontweight="bold", **style)
