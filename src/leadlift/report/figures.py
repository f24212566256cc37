"""The figures of a study: each from its result record, as SVG for a page and PNG for everything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from leadlift.base.records import StudyResult
from leadlift.report import _balance, _canvas, _problem_effects, _rankings, _row_flow, _six_groups, _strategies


@dataclass(frozen=True)
class Drawn:
    """One figure, drawn.

    Attributes:
        svg: to stand inside a page or alone; its colours follow the page's theme.
        svg_narrow: the same, laid out for a phone.
        png_bytes: on white, for places that show no SVG.
        alt: the figure in words.
        caption: how to read it.
    """

    svg: str
    svg_narrow: str
    png_bytes: bytes
    alt: str
    caption: str


class _Draw(Protocol):
    def __call__(self, result: StudyResult, *, narrow: bool) -> Any: ...


@dataclass(frozen=True)
class FigureKind:
    """How one figure is made.

    Attributes:
        draw: the figure from a result; `narrow` lays it out for a phone.
        alt: the figure in words.
        caption: how to read it.
        missing: why it can't be drawn from this result; empty when it can.
    """

    draw: _Draw
    alt: Callable[[StudyResult], str]
    caption: Callable[[StudyResult], str]
    missing: Callable[[StudyResult], str]


FIGURES: Mapping[str, FigureKind] = MappingProxyType(
    {
        "six_groups": FigureKind(_six_groups.draw, _six_groups.alt, _six_groups.caption, _six_groups.missing),
        "problem_effects": FigureKind(
            _problem_effects.draw, _problem_effects.alt, _problem_effects.caption, _problem_effects.missing
        ),
        "strategies": FigureKind(_strategies.draw, _strategies.alt, _strategies.caption, _strategies.missing),
        "strategies_money": FigureKind(
            _strategies.draw_money, _strategies.money_alt, _strategies.money_caption, _strategies.money_missing
        ),
        "qini_curves": FigureKind(
            _rankings.draw_curves, _rankings.curves_alt, _rankings.curves_caption, _rankings.curves_missing
        ),
        "uplift_fifths": FigureKind(
            _rankings.draw_fifths, _rankings.fifths_alt, _rankings.fifths_caption, _rankings.fifths_missing
        ),
        "balance": FigureKind(_balance.draw, _balance.alt, _balance.caption, _balance.missing),
        "row_flow": FigureKind(_row_flow.draw, _row_flow.alt, _row_flow.caption, _row_flow.missing),
    }
)


def draw_figure(result: StudyResult, name: str) -> Drawn:
    """One figure of a study.

    Args:
        result: what the study found.
        name: one of `FIGURES`.

    Raises:
        ValueError: the figure can't be drawn from this result; the message says why.
    """
    kind = FIGURES[name]
    if reason := kind.missing(result):
        raise ValueError(reason)
    alt = kind.alt(result)
    with _canvas.style():
        wide, narrow = kind.draw(result, narrow=False), kind.draw(result, narrow=True)
    plain = name.replace("_", "-")
    return Drawn(
        svg=_canvas.svg(wide, prefix=plain, label=alt),
        svg_narrow=_canvas.svg(narrow, prefix=f"{plain}-narrow", label=alt),
        png_bytes=_canvas.png(wide),
        alt=alt,
        caption=kind.caption(result),
    )


def all_figures(result: StudyResult) -> dict[str, Drawn]:
    """Every figure that this result has data for, by name."""
    return {name: draw_figure(result, name) for name, kind in FIGURES.items() if not kind.missing(result)}


def missing_figures(result: StudyResult) -> dict[str, str]:
    """Why each of the other figures is left out, by name."""
    return {name: reason for name, kind in FIGURES.items() if (reason := kind.missing(result))}
