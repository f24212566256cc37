"""The figure of README.md: the effect in every score group, its interval, and the truth where it is known."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pieces
from matplotlib.figure import Figure

GROUPS = ("low", "medium", "high")
INK, TRUTH, ZERO = "#1f4e79", "#c8553d", "#888888"


def panels(rows: list[pieces.Row]) -> list[tuple[str, pieces.Row, str]]:
    """Title, study and arm of each panel: the first simulation of each company, and both e-mails."""
    first = [row for row in rows if row["piece"]["seed"] == 0]
    return [
        (row["piece"]["log"].replace("_", " ") + ("" if len(row["arms"]) == 2 else f": {arm}"), row, arm)
        for row in first
        for arm in row["arms"][1:]
    ]


def draw(rows: list[pieces.Row], path: Path) -> None:
    found = panels(rows)
    with mpl.rc_context({"svg.hashsalt": "six_groups", "font.size": 9, "svg.fonttype": "none"}):
        figure = Figure(figsize=(2.2 * len(found), 2.9), layout="constrained")
        figure.patch.set_facecolor("white")
        for axis, (title, row, arm) in zip(figure.subplots(1, len(found), sharey=True), found, strict=True):
            truth = {t["segment"]: 100 * t["effect"] for t in row["truth"] if t["segment_by"] == "score_group"}
            for x, group in enumerate(GROUPS):
                effect = next(
                    e for e in row["effects"] if (e["treatment"], e["segment"], e["estimator"]) == (arm, group, "aipw")
                )
                low, high = 100 * effect["simultaneous_lower"], 100 * effect["simultaneous_upper"]
                axis.plot([x, x], [low, high], color=INK, linewidth=2, solid_capstyle="butt")
                axis.plot(x, 100 * effect["effect"], "o", color=INK, markersize=5)
                if group in truth:
                    axis.plot([x - 0.25, x + 0.25], [truth[group]] * 2, color=TRUTH, linewidth=1.5)
            axis.axhline(0, color=ZERO, linewidth=0.8, zorder=0)
            axis.set_title(title, fontsize=9)
            axis.set_xticks(range(3), GROUPS)
            axis.set_xlim(-0.5, 2.5)
            axis.spines[["top", "right"]].set_visible(False)
        figure.axes[0].set_ylabel("effect, percentage points")
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
