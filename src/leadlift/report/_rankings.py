"""Does the ranking hold? Curves of what ranked touching gains, and predicted against observed uplift by fifth."""

from __future__ import annotations

from typing import Any

from leadlift.base.records import RankingResult, StudyResult, UpliftBin
from leadlift.report import format as fmt
from leadlift.report._canvas import NARROW, PALETTE, WIDE, colour, marker, new_figure
from leadlift.report._panels import change_unit, in_units, legend_below, mark, whisker, zero_line
from leadlift.report._reading import area_decimals, learner_name, rankings_of, shorten, treatments

MOST_PANELS = 9
PER_ROW = 3


def curves_missing(result: StudyResult) -> str:
    """Why the curves can't be drawn; empty when they can."""
    if _curves(result):
        return ""
    reasons = " ".join(dict.fromkeys(r.message for r in result.learners if r.message))
    return f"The curves are left out: {reasons or 'no ranking of leads was judged.'}"


def draw_curves(result: StudyResult, *, narrow: bool) -> Any:
    """One panel per arm and learner: gain over share touched, with the score's curve and touching at random."""
    shown = _curves(result)
    figure, panels = _panels(len(shown), narrow)
    for panel, (ranking, score) in zip(panels, shown, strict=True):
        _draw_curve(panel, result, ranking, score)
    _label_left(panels, f"gain, {change_unit(result)}")
    legend_below(figure, _curve_legend(shown), narrow=narrow)
    return figure


def curves_alt(result: StudyResult) -> str:
    """The figure in words: the area of every curve."""
    places = area_decimals(result)
    said = [
        f"{learner_name(r.learner)} for {r.treatment}: area "
        f"{fmt.estimate(r.qini, r.qini_lower, r.qini_upper, result.outcome_kind, places)}."
        for r, _ in _curves(result)
    ]
    return " ".join(["Gain from touching the leads that rank first, against touching at random.", *said])


def curves_caption(result: StudyResult) -> str:
    """How to read the figure."""
    return (
        "How much is gained, per lead of the whole list, when only the top share is touched. The further the curve "
        "lies above the straight line of touching at random, the better the ranking. Bands are 95% and hold for the "
        f"whole curve.{_on_other_leads(result)}{_left_out(_all_curves(result))}"
    )


def _on_other_leads(result: StudyResult) -> str:
    if not any(score is not None and score.method != r.method for r, score in _curves(result)):
        return ""
    return (
        " The score needs no training and is judged on all leads, learners on those held back from them, so the curves "
        "may end apart; the table of differences compares them on the same leads."
    )


def fifths_missing(result: StudyResult) -> str:
    """Why the fifths can't be drawn; empty when they can."""
    return "" if _fifths(result) else "The figure of predicted and observed uplift is left out: there are no fifths."


def draw_fifths(result: StudyResult, *, narrow: bool) -> Any:
    """One panel per arm and learner: predicted and observed uplift, from the lowest predicted fifth to the highest."""
    shown = list(_fifths(result).items())[:MOST_PANELS]
    figure, panels = _panels(len(shown), narrow)
    for panel, ((arm, learner), bins) in zip(panels, shown, strict=True):
        _draw_fifths(panel, result, bins, arm, learner)
    _label_left(panels, f"uplift, {change_unit(result)}")
    handles = [
        mark("predicted", **_predicted()),
        mark("observed, 95% interval", marker="o", color=PALETTE["c1"], linestyle="-", linewidth=2, markersize=7),
    ]
    legend_below(figure, handles, narrow=narrow)
    return figure


def fifths_alt(result: StudyResult) -> str:
    """The figure in words: lowest and highest fifth of every learner."""

    def ends(one: UpliftBin) -> str:
        kind = result.outcome_kind
        return f"predicted {fmt.change(one.predicted, kind)}, observed {fmt.change(one.observed, kind)}"

    said = [
        f"{learner_name(learner)} for {arm}: lowest fifth {ends(bins[0])}; highest fifth {ends(bins[-1])}."
        for (arm, learner), bins in list(_fifths(result).items())[:MOST_PANELS]
    ]
    return " ".join(["Predicted and observed uplift by fifth of predicted uplift.", *said])


def fifths_caption(result: StudyResult) -> str:
    """How to read the figure."""
    return (
        "Leads of the judged blocks, sorted by the uplift predicted for them by models that had not seen them, cut "
        "into fifths. Where the dots climb with the diamonds, the ranking holds; where they meet, the sizes are right "
        f"too. The tests are in the table above: area and slope.{_left_out(len(_fifths(result)))}"
    )


def _left_out(n: int) -> str:
    return f" The first {MOST_PANELS} of {n} are shown." if n > MOST_PANELS else ""


def _all_curves(result: StudyResult) -> int:
    return len(_every_curve(result))


def _curves(result: StudyResult) -> list[tuple[RankingResult, RankingResult | None]]:
    return _every_curve(result)[:MOST_PANELS]


def _every_curve(result: StudyResult) -> list[tuple[RankingResult, RankingResult | None]]:
    """Each learner's ranking with the score's beside it; the score alone where no learner was judged."""
    shown: list[tuple[RankingResult, RankingResult | None]] = []
    for arm in treatments(result):
        judged = [r for r in rankings_of(result, arm) if r.curve]
        score = next((r for r in judged if r.learner == "score"), None)
        learners = [r for r in judged if r.learner != "score"]
        shown += [(r, score) for r in learners] or ([(score, None)] if score else [])
    return shown


def _panels(n: int, narrow: bool) -> tuple[Any, list[Any]]:
    columns = 1 if narrow else min(PER_ROW, n, 2 if n in {2, 4} else PER_ROW)
    rows = -(-n // columns)
    width = NARROW if narrow else min(WIDE, 4.6 * columns)
    figure = new_figure(width, 0.7 + rows * (2.7 if narrow else 3.2 if columns < PER_ROW else 2.7))
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for spare in grid[n:]:
        spare.set_axis_off()
    return figure, list(grid[:n])


def _label_left(panels: list[Any], words: str) -> None:
    for panel in panels:
        if panel.get_subplotspec().is_first_col():
            panel.set_ylabel(words)


def _draw_curve(axes: Any, result: StudyResult, ranking: RankingResult, score: RankingResult | None) -> None:
    _title(axes, result, ranking.treatment, ranking.learner)
    x = [point.share for point in ranking.curve]
    shade = _shade(ranking.learner)
    axes.plot(x, [p.random for p in ranking.curve], color=PALETTE["muted"], linewidth=1.2, linestyle=(0, (2, 2)))
    banded = [p for p in ranking.curve if p.lower is not None and p.upper is not None]
    axes.fill_between(
        [p.share for p in banded],
        [p.lower for p in banded],
        [p.upper for p in banded],
        color=shade,
        alpha=0.18,
        linewidth=0,
    )
    if score is not None:
        points = [(p.share, p.gain) for p in score.curve]
        axes.plot(*zip(*points, strict=True), color=PALETTE["c2"], linewidth=1.6, linestyle=(0, (6, 3)))
    axes.plot(x, [p.gain for p in ranking.curve], color=shade, linewidth=2.2)
    _shares_below(axes)
    in_units(axes.yaxis, result, signed=True)


def _shade(learner: str) -> str:
    return PALETTE["c2"] if learner == "score" else PALETTE["c1"]


def _title(axes: Any, result: StudyResult, arm: str, learner: str) -> None:
    name = learner_name(learner)
    axes.set_title(name if len(treatments(result)) == 1 else f"{shorten(arm, 20)}: {name}")


def _shares_below(axes: Any) -> None:
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "", "50%", "", "100%"])
    axes.set_xlabel("share of leads touched, best first")


def _curve_legend(shown: list[tuple[RankingResult, RankingResult | None]]) -> list[Any]:
    handles = []
    if any(r.learner != "score" for r, _ in shown):
        handles.append(mark("learner, 95% band", color=PALETTE["c1"], linewidth=2.2))
    if any(r.learner == "score" or score is not None for r, score in shown):
        handles.append(mark("score", color=PALETTE["c2"], linewidth=1.8, linestyle=(0, (6, 3))))
    return [*handles, mark("at random", color=PALETTE["muted"], linewidth=1.4, linestyle=(0, (2, 2)))]


def _fifths(result: StudyResult) -> dict[tuple[str, str], list[UpliftBin]]:
    found: dict[tuple[str, str], list[UpliftBin]] = {}
    for one in (row for ranking in result.learners for row in ranking.calibration.bins):
        found.setdefault((one.treatment, one.learner), []).append(one)
    return {key: sorted(bins, key=lambda one: one.bin) for key, bins in sorted(found.items())}


def _draw_fifths(axes: Any, result: StudyResult, bins: list[UpliftBin], arm: str, learner: str) -> None:
    _title(axes, result, arm, learner)
    zero_line(axes)
    for x, one in enumerate(bins):
        whisker(axes, x, (one.lower, one.upper), colour(0), 2.2)
        axes.plot(x, one.observed, marker=marker(0), color=colour(0), markersize=7, linestyle="none", zorder=3)
    axes.plot(range(len(bins)), [one.predicted for one in bins], **_predicted(), zorder=4)
    ends = {0: "lowest", len(bins) - 1: "highest"}
    axes.set_xticks(range(len(bins)), [ends.get(x, "") for x in range(len(bins))])
    axes.set_xlim(-0.5, len(bins) - 0.5)
    axes.set_xlabel("fifth of predicted uplift")
    in_units(axes.yaxis, result, signed=True)


def _predicted() -> dict[str, Any]:
    return {
        "marker": "D",
        "markersize": 6,
        "markerfacecolor": PALETTE["paper"],
        "markeredgecolor": PALETTE["c2"],
        "markeredgewidth": 1.7,
        "color": PALETTE["c2"],
        "linewidth": 1.0,
        "linestyle": (0, (2, 2)),
    }
