"""The numbers and the picture of docs/concepts.md: two rankings that four libraries' areas put in different orders.

The log is made of exact counts, so that no number depends on luck: a twentieth of the leads gain 30 points from a
touch, another 45% gain 6, and half lose a little. One ranking knows the twentieth and nothing else; the other knows
which half gains, and nothing within it.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from leadlift.evaluation import autoc, qini_curve, qini_score, toc, uplift_at_k, uplift_auc
from leadlift.report._canvas import PALETTE, new_figure, png, style

SHARP, BROAD = "knows the top 5%", "knows the better half"
PER_ARM = (200, 1_800, 2_000)
CONTROL = 0.2
UPLIFT = (0.3, 0.06, -0.03)
# With this loss in the lower half a touch does nothing on average, or nearly.
NO_EFFECT = -0.083


@dataclass(frozen=True)
class Log:
    """Leads of both arms: outcome, arm, and what the two rankings say of them."""

    y: np.ndarray
    treatment: np.ndarray
    rankings: dict[str, np.ndarray]


def log(lowest: float = UPLIFT[2]) -> Log:
    """8,000 leads, half touched, with exactly the shares of buyers that their groups have."""
    y, treatment, group = [], [], []
    for number, (n, gain) in enumerate(zip(PER_ARM, (*UPLIFT[:2], lowest), strict=True)):
        for touched, rate in ((1, CONTROL + gain), (0, CONTROL)):
            buyers = round(n * rate)
            y += [1] * buyers + [0] * (n - buyers)
            treatment += [touched] * n
            group += [number] * n
    place = np.array(group)
    rankings = {SHARP: (place == 0).astype(float), BROAD: (place < 2).astype(float)}
    return Log(np.array(y), np.array(treatment), rankings)


Metric = Callable[..., float]
ROWS: list[tuple[str, Metric, dict[str, object]]] = [
    ("Qini, leadlift and grf (pp per lead)", qini_score, {}),
    ("Qini of the top 10% (pp per lead)", qini_score, {"top": 0.1}),
    ("AUTOC, leadlift and grf (pp per lead touched)", autoc, {}),
    ("uplift@10% (pp per lead touched)", uplift_at_k, {"k": 0.1}),
    ("scikit-uplift's Qini", qini_score, {"definition": "sklift"}),
    ("scikit-uplift's AUUC", uplift_auc, {"definition": "sklift"}),
    ("pylift's Q (pp per lead)", qini_score, {"definition": "pylift"}),
    ("causalml's Qini", qini_score, {"definition": "causalml"}),
    ("causalml's AUUC", uplift_auc, {"definition": "causalml"}),
]


def table() -> str:
    """Every area of both rankings; and of the second where the touch does next to nothing on average."""
    one, none = log(), log(NO_EFFECT)
    header = f"| area | {SHARP} | {BROAD} | {BROAD}, effect on all leads 0.05 pp |"
    lines = [header, "| --- | ---: | ---: | ---: |"]
    for name, metric, options in ROWS:
        # Areas in percentage points; ratios as they are.
        scale = 100 if "(pp" in name else 1
        found = [metric(one.y, one.rankings[r], one.treatment, **options) for r in (SHARP, BROAD)]
        marks = ["**" if value == max(found) else "" for value in found]
        cells = [f"{mark}{scale * value:.3f}{mark}" for value, mark in zip(found, marks, strict=True)]
        last = metric(none.y, none.rankings[BROAD], none.treatment, **options)
        lines.append(f"| {name} | {' | '.join(cells)} | {scale * last:.3f} |")
    return "\n".join(lines)


def printed(page: str) -> str:
    """What the page's Python prints."""
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(code, {})
    return told.getvalue().strip()


def picture() -> bytes:
    """Gain curves and targeting curves of both rankings, side by side, as PNG."""
    one = log()
    with style():
        figure = new_figure(9.6, 3.9)
        gain, target = figure.subplots(1, 2)
        shares = np.linspace(0.01, 1, 100)
        for name, shade, dashes in ((SHARP, "c2", (0, (6, 3))), (BROAD, "c1", "-")):
            curve = qini_curve(one.y, one.rankings[name], one.treatment)
            drawn = {"color": PALETTE[shade], "linewidth": 2.2, "linestyle": dashes}
            gain.plot(curve.share, 100 * curve.gain, label=name, **drawn)
            over = toc(one.y, one.rankings[name], one.treatment, shares=shares)
            target.plot(shares, 100 * over.toc, **drawn)
        gain.plot(curve.share, 100 * curve.random, label="at random", color=PALETTE["muted"], linestyle=(0, (2, 2)))
        target.axhline(0, color=PALETTE["muted"], linestyle=(0, (2, 2)))
        gain.set_title("Gain: its area over random is Qini")
        gain.set_ylabel("gain per lead of the list, pp")
        target.set_title("TOC: its area is AUTOC")
        target.set_ylabel("uplift of those touched less that of all, pp")
        for axes in (gain, target):
            axes.set_xlabel("share of leads touched, best first")
            axes.set_xlim(0, 1)
            axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
        gain.legend(loc="lower right")
    return png(figure)
