"""Pictures of problems: the intersection matrix in their order, and the map of products."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from leadlift.problems.saved import SavedProblems, SurePairs, shown_products
from leadlift.report import _canvas
from leadlift.report._canvas import NARROW, PALETTE, WIDE, colour, new_figure
from leadlift.report.figures import Drawn

MOST_LIFT = 4.0
LABEL = {"facecolor": PALETTE["paper"], "alpha": 0.8, "edgecolor": "none", "pad": 1.0}
GOLDEN = np.pi * (3.0 - 5.0**0.5)


def problem_figures(saved: SavedProblems) -> dict[str, Drawn]:
    """The pictures of a search for problems, by name; none where no problem was found."""
    return {"intersections": _matrix(saved), "product_map": _map(saved)} if saved.names else {}


def _strength(pairs: SurePairs, shown: pd.DataFrame) -> Any:
    """Log2 lift of sure pairs among the shown products, symmetric; NaN elsewhere."""
    place = pd.Series(np.arange(len(shown)), index=shown.index)
    values = np.full((len(shown), len(shown)), np.nan)
    a, b = place[pairs.first].to_numpy(), place[pairs.second].to_numpy()
    values[a, b] = values[b, a] = np.log2(pairs.lift)
    return values


def _matrix(saved: SavedProblems) -> Drawn:
    shown = shown_products(saved.product_problem)
    values, q = _strength(saved.pairs, shown), saved.q
    sizes = shown.groupby("problem", sort=False).size()
    alt = (
        f"Matrix of {len(shown)} products ordered by problem; pairs that share more organisations than chance are "
        f"coloured. They gather in {len(sizes)} blocks along the diagonal."
    )
    caption = (
        f"Products in the order of their problems. A cell is coloured where two products share more organisations than "
        f"popularity and breadth explain (false discovery rate {q:.0%}); darker: the larger lift, up to "
        f"{2**MOST_LIFT:.0f} times or more. Colour outside the blocks: problems that share clients."
    )
    with _canvas.style():
        drawn = [_draw_matrix(values, sizes, narrow=narrow) for narrow in (False, True)]
    return _drawn(drawn, "intersections", alt, caption)


def _draw_matrix(values: Any, sizes: Any, *, narrow: bool) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    side = NARROW if narrow else 7.2
    figure = new_figure(side, side)
    axes = figure.subplots()
    shades = LinearSegmentedColormap.from_list("lift", ["#c9dcec", PALETTE["c1"], "#0d3357"])
    axes.imshow(values, cmap=shades, vmin=0.0, vmax=MOST_LIFT, interpolation="nearest", aspect="equal")
    edges = np.concatenate([[0], np.cumsum(sizes.to_numpy())]) - 0.5
    for low, high in pairwise(edges):
        axes.plot([low, high, high, low, low], [low, low, high, high, low], color=PALETTE["c2"], linewidth=1.2)
    middle = (edges[:-1] + edges[1:]) / 2
    axes.set_yticks(middle, list(sizes.index))
    axes.set_xticks(middle, list(sizes.index), rotation=90 if len(sizes) > 12 else 0)
    axes.grid(visible=False)
    return figure


def _map(saved: SavedProblems) -> Drawn:
    shown = shown_products(saved.product_problem)
    values = _strength(saved.pairs, shown)
    names = list(dict.fromkeys(shown["problem"]))
    links = _links(values, shown["problem"].to_numpy(), names)
    size = saved.organisations[shown.index.to_numpy()]
    alt = f"Map of {len(shown)} products in {len(names)} problems; lines join problems whose products share clients."
    caption = (
        "A dot is a product, as large as its number of organisations; the heaviest of each problem is at its centre "
        "and named. Lines join problems whose products share more organisations than chance; thicker: more such pairs."
    )
    with _canvas.style():
        drawn = [_draw_map(shown, names, links, size, narrow=narrow) for narrow in (False, True)]
    return _drawn(drawn, "product-map", alt, caption)


def _links(values: Any, problem: Any, names: list[str]) -> Any:
    """Share of significant pairs between problems, shape (problems, problems)."""
    sure = (~np.isnan(values)).astype(float)
    inside = (problem[:, None] == np.array(names)[None, :]).astype(float)
    pairs = inside.T @ sure @ inside
    return pairs / np.maximum(np.outer(inside.sum(axis=0), inside.sum(axis=0)), 1.0)


def _draw_map(shown: pd.DataFrame, names: list[str], links: Any, size: Any, *, narrow: bool) -> Any:
    width = NARROW if narrow else WIDE
    figure = new_figure(width, width * (1.0 if narrow else 0.72))
    axes = figure.subplots()
    # Taller than wide: names stand to the left and right of it.
    centre = _centres(links) * ((0.8, 1.4) if narrow else (1.1, 1.25))
    radius = 0.8 * np.pi / max(len(names), 3)
    _draw_links(axes, centre, links)
    largest = max(int(size.max()), 1)
    for k, name in enumerate(names):
        rows = np.flatnonzero((shown["problem"] == name).to_numpy())
        turn = np.arange(len(rows)) * GOLDEN
        out = radius * np.sqrt(np.arange(len(rows)) / max(len(rows), 1))
        x, y = centre[k, 0] + out * np.cos(turn), centre[k, 1] + out * np.sin(turn)
        dots = 6.0 + (70.0 if narrow else 160.0) * size[rows] / largest
        axes.scatter(x, y, s=dots, color=colour(k), alpha=0.85, edgecolor=PALETTE["paper"], linewidth=0.6, zorder=3)
        label = f"{name}  {_short(str(shown['product'].iloc[rows[0]]), narrow=narrow)}"
        (x, y), (across, along) = _beside(centre[k], radius)
        axes.annotate(label, (x, y), ha=across, va=along, fontsize=_canvas.SMALL, zorder=5, bbox=LABEL)
    axes.set_aspect("equal")
    axes.margins(0.55 if len(names) > 2 else 0.12, 0.12)
    axes.axis("off")
    return figure


def _beside(centre: Any, radius: float) -> tuple[tuple[float, float], tuple[str, str]]:
    """Where a problem's name stands, and how it is aligned: outside the circle, away from the other problems."""
    x, y = centre
    if abs(x) < 0.3:
        return (x, y + np.copysign(1.15 * radius, y or -1.0)), ("center", "bottom" if y > 0 else "top")
    return (x + np.copysign(1.15 * radius, x), y), ("left" if x > 0 else "right", "center")


def _draw_links(axes: Any, centre: Any, links: Any) -> None:
    for a in range(len(links)):
        for b in range(a):
            if links[a, b] > 0:
                axes.plot(
                    *centre[[a, b]].T, color=PALETTE["muted"], alpha=0.5, linewidth=0.6 + 8.0 * links[a, b], zorder=1
                )


def _centres(links: Any) -> Any:
    """Problems on a circle, those that share clients next to each other."""
    many = len(links)
    order, left = [0], set(range(1, many))
    while left:
        following = max(left, key=lambda k: (links[order[-1], k], -k))
        order.append(following)
        left.remove(following)
    angle = np.empty(many)
    angle[order] = np.pi / 2 - 2 * np.pi * np.arange(many) / max(many, 1)
    reach = 0.0 if many == 1 else 1.0
    return reach * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _short(name: str, *, narrow: bool) -> str:
    most = 12 if narrow else 26
    name = name.strip()
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _drawn(drawn: list[Any], prefix: str, alt: str, caption: str) -> Drawn:
    wide, narrow = drawn
    return Drawn(
        svg=_canvas.svg(wide, prefix=prefix, label=alt),
        svg_narrow=_canvas.svg(narrow, prefix=f"{prefix}-narrow", label=alt),
        png_bytes=_canvas.png(wide),
        alt=alt,
        caption=caption,
    )
