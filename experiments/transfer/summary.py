"""The tables of README.md, from the result rows."""

from __future__ import annotations

import statistics
from pathlib import Path

import pieces
from scipy import stats

FIRST = "as assumed"
METHODS = (
    "knowing the truth",
    "transfer",
    "transfer, beliefs recorded",
    "transfer, choice ignored",
    "transfer, without problems",
    "similar products (problems)",
    "similar products (looks)",
    "what the company believes in next",
    "mean of the mechanic",
    "at random",
)
COMPARED = ("transfer", "similar products (problems)", "similar products (looks)", "mean of the mechanic", "at random")


def figures(rows: list[pieces.Row], company: str, method: str, name: str) -> dict[int, float]:
    """A figure by seed."""
    return {
        row["piece"]["seed"]: row["figures"][name]
        for row in rows
        if row["piece"]["company"] == company and row["method"] == method and name in row["figures"]
    }


def mean(values: dict[int, float]) -> float:
    return statistics.fmean(values.values())


def half_width(values: dict[int, float]) -> float:
    """Of the 95% interval of the mean, by Student's t."""
    return float(stats.t.ppf(0.975, len(values) - 1)) * statistics.stdev(values.values()) / len(values) ** 0.5


def less(rows: list[pieces.Row], company: str, method: str) -> dict[int, float]:
    """Regret of a method less that of transfer, on the same company."""
    own, other = (figures(rows, company, m, "regret") for m in ("transfer", method))
    return {seed: other[seed] - own[seed] for seed in own}


def _picks(rows: list[pieces.Row]) -> str:
    lines = []
    for method in METHODS:
        uplift, regret = (figures(rows, FIRST, method, name) for name in ("uplift", "regret"))
        told = mean(figures(rows, FIRST, method, "predicted"))
        further = less(rows, FIRST, method)
        says = f"{told:.2f}" if method.startswith(("transfer", "similar", "mean")) else ""
        behind = "" if method == "transfer" else f"{mean(further):+.2f} ± {half_width(further):.2f}"
        lines.append((method, f"{mean(uplift):.2f}", says, f"{mean(regret):.2f}", behind))
    header = ("50 picks by", "their true uplift", "as predicted", "regret", "more regret than transfer, 95% interval")
    return pieces.table(header, lines)


def _companies(rows: list[pieces.Row], companies: list[str]) -> str:
    lines = []
    for company in companies:
        seeds = figures(rows, company, "transfer", "regret")
        lines.append((company, len(seeds), *(f"{mean(figures(rows, company, m, 'regret')):.2f}" for m in COMPARED)))
    return pieces.table(("company", "companies", *COMPARED), lines)


def _coverage(rows: list[pieces.Row], companies: list[str]) -> str:
    lines = []
    for company in companies:
        for method in METHODS:
            if not figures(rows, company, method, "covered"):
                continue
            shown = [mean(figures(rows, company, method, n)) for n in ("covered", "covered_picked", "covered_tried")]
            worst = min(figures(rows, company, method, "covered").values())
            average = mean(figures(rows, company, method, "covered_average"))
            off = mean(figures(rows, company, method, "bias"))
            percents = [f"{100 * share:.0f}%" for share in (*shown, worst, average)]
            lines.append((f"{company}: {method}", *percents, f"{off:+.2f}"))
    header = (
        "company: model",
        "untried cells",
        "the 50 picked",
        "tried cells",
        "untried, worst company",
        "untried, as if an average",
        "mean error",
    )
    return pieces.table(header, lines)


def generated(rows: list[pieces.Row], companies: list[str]) -> str:
    many = len(figures(rows, FIRST, "transfer", "regret"))
    words = (
        f"Uplift in percentage points; means over {many} companies. Regret: mean true uplift of the best 50 untried "
        "cells less that of the 50 picked."
    )
    covered = "Share of 95% intervals that hold the true uplift of the cell."
    foot = f"{pieces.cpu_minutes(rows).capitalize()}. {pieces.provenance(Path(__file__).parent)}"
    return "\n\n".join(
        [
            f"### Picks\n\n{words}\n\n{_picks(rows)}",
            "![regret and coverage](transfer.svg)",
            f"### Regret on other companies\n\n{_companies(rows, companies)}",
            f"### Coverage\n\n{covered}\n\n{_coverage(rows, companies)}",
            foot,
        ]
    )
