"""The tables of README.md, from the result rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pieces

from leadlift.learners import UPLIFT_DEFAULTS

SIZES = (5_000, 20_000, 100_000)
OWN = (31, 20, 100, 0.1, 0.0)
NAMES = ("num_leaves", "min_child_samples", "n_estimators", "learning_rate", "reg_lambda")
CHOSEN = tuple(UPLIFT_DEFAULTS[name] for name in NAMES)


def words(setting: tuple[float, ...]) -> str:
    leaves, rows, trees, rate, penalty = setting
    extra = "" if penalty == 1 else f", lambda {penalty:g}"
    mark = {OWN: " (LightGBM's own)", CHOSEN: " (**chosen**)"}.get(setting, "")
    return f"{leaves} leaves, {rows} rows, {trees} x {rate:g}{extra}{mark}"


def frame_of(rows: list[pieces.Row]) -> pd.DataFrame:
    flat = [{**row["piece"], **{name: v for name, v in row.items() if name != "piece"}} for row in rows]
    return pd.DataFrame(flat).assign(setting=lambda f: f["setting"].map(tuple))


def percent(value: float) -> str:
    return "" if np.isnan(value) else f"{100 * value:.1f}"


def ranking_table(frame: pd.DataFrame) -> str:
    """Share of the attainable Qini by learner and number of leads, every truth counting once."""
    by_truth = frame.groupby(["setting", "learner", "n", "truth"])["qini"].mean()
    means = by_truth.groupby(["setting", "learner", "n"]).mean().unstack(["learner", "n"])
    columns = [(learner, n) for learner in ("t", "x") for n in SIZES]
    means = means[columns].assign(mean=means[columns].mean(axis=1)).sort_values("mean", ascending=False)
    behind = paired_with_chosen(frame)
    lines = [
        (words(s), *[percent(row[c]) for c in columns], percent(row["mean"].item()), behind[s])
        for s, row in means.iterrows()
    ]
    header = ["setting", *[f"{learner.upper()} {n:,}" for learner, n in columns], "mean", "from the chosen (se)"]
    return pieces.table(header, lines)


def paired_with_chosen(frame: pd.DataFrame) -> dict[tuple, str]:
    """Mean difference over draws from the chosen setting, both learners together, with its standard error."""
    wide = frame.groupby(["n", "truth", "seed", "draw", "setting"])["qini"].mean().unstack("setting")
    gap = wide.sub(wide[CHOSEN], axis=0)
    # Truths and sizes are given; what is random is the draw within them.
    cells = gap.groupby(["n", "truth"])
    spread = cells.var().fillna(cells.var().mean()) / cells.count()
    centre, error = cells.mean().mean(), np.sqrt(spread.sum()) / len(spread)
    return {s: "" if s == CHOSEN else f"{100 * centre[s]:+.1f} ({100 * error[s]:.1f})" for s in gap.columns}


def by_truth_table(frame: pd.DataFrame) -> str:
    lines = []
    for truth in dict.fromkeys(frame["truth"]):
        for n in SIZES:
            cells: list[Any] = []
            for measure in ("qini", "rank_correlation", "rmse"):
                for setting in (OWN, CHOSEN):
                    for learner in ("t", "x"):
                        at = frame[(frame["truth"] == truth) & (frame["n"] == n) & (frame["learner"] == learner)]
                        cells.append(f"{at.loc[at['setting'] == setting, measure].mean():.2f}")
            lines.append((f"{truth}, {n:,}", *cells))
    header = [
        f"{measure}, {who} {learner}"
        for measure in ("Qini", "rank corr.", "RMSE")
        for who in ("own", "chosen")
        for learner in "TX"
    ]
    return pieces.table(["truth, leads", *header], lines)


def nuisance_table(frame: pd.DataFrame) -> str:
    """Standard error of AIPW over the difference in means, companies and sparse truth, binary outcomes."""
    outcome = frame[(frame["learner"] == "t") & (frame["truth"] != "linear")]
    lines = []
    for setting in dict.fromkeys(
        (CHOSEN, (3, 400, 100, 0.05, 1.0), (5, 100, 100, 0.05, 1.0), (8, 100, 100, 0.1, 1.0), OWN)
    ):
        cells = []
        for n in SIZES:
            at = outcome[(outcome["setting"] == setting) & (outcome["n"] == n)]
            cells += [f"{at[f'se_{name}'].mean():.3f}" for name in ("all", "low", "medium", "high")]
        lines.append((words(setting), *cells))
    header = [f"{name} {n:,}" for n in SIZES for name in ("all", "low", "medium", "high")]
    return pieces.table(["setting", *header], lines)


def hillstrom_table(rows: list[pieces.Row]) -> str:
    frame = frame_of(rows)
    means = frame.groupby(["setting", "learner"])["qini"].agg(["mean", "min", "max"]).unstack("learner")
    means = means.sort_values(("mean", "x"), ascending=False)

    def cell(row: pd.Series, learner: str) -> str:
        low, middle, high = (1_000 * row[of, learner] for of in ("min", "mean", "max"))
        return f"{middle:.2f} ({low:.2f} to {high:.2f})"

    return pieces.table(
        ["setting", "T", "X"], [(words(s), cell(row, "t"), cell(row, "x")) for s, row in means.iterrows()]
    )


def generated(rows: list[pieces.Row], real: list[pieces.Row]) -> str:
    frame = frame_of(rows)
    counts = frame.drop_duplicates(["truth", "n", "seed", "draw"]).groupby("n").size()
    draws = ", ".join(f"{count} of {n:,}" for n, count in counts.items())
    parts = [
        "### Ranking unseen leads",
        f"Qini by true uplift on 20,000 fresh leads of other organisations, as a percentage of the Qini of the true "
        f"order; means over {frame['truth'].nunique()} truths. Draws: {draws} leads.",
        ranking_table(frame),
        "### LightGBM's own defaults and the chosen ones, by truth",
        "Qini as a share of the attainable; RMSE in standard deviations of the true uplift (1: no better than one "
        "number for all).",
        by_truth_table(frame),
        "### As outcome models of AIPW",
        "Standard error of AIPW over that of the difference in means, overall and by score group, on fresh leads; "
        "binary outcomes.",
        nuisance_table(frame),
    ]
    if real:
        parts += [
            "### Hillstrom, women's e-mail, visits",
            "Out-of-fold Qini, visits per 1,000 customers: mean (lowest to highest) over three draws of the folds. "
            "Pooled over folds, so to look at and not to infer from.",
            hillstrom_table(real),
        ]
    parts.append(f"{pieces.cpu_minutes([*rows, *real]).capitalize()}. {pieces.provenance(Path(__file__).parent)}")
    return "\n\n".join(parts)
