"""The tables of README.md, from the result rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pieces
from scipy import stats

DEFAULT = "leadlift: X"
TRUTHS = ("linear", "fence-sitter", "sparse")
LEVEL = 0.95


def values(rows: list[pieces.Row], data: str, learner: str, field: str) -> np.ndarray:
    """One number per log, in the order of the logs."""
    found = {r["piece"]["seed"]: r[field] for r in rows if r["piece"]["data"] == data and r["learner"] == learner}
    return np.array([found[seed] for seed in sorted(found)], dtype=float)


def lead(rows: list[pieces.Row], data: str, learner: str) -> tuple[float, float, float]:
    """The default's Qini less the learner's with its paired interval, as shares of the true order's Qini."""
    if data == "hillstrom":
        row = next(r for r in rows if r["piece"]["data"] == data and r["learner"] == learner)
        half = stats.norm.isf((1 - LEVEL) / 2) * row["se"]
        return row["lead"], row["lead"] - half, row["lead"] + half
    gap = values(rows, data, DEFAULT, "qini") - values(rows, data, learner, "qini")
    gap = gap / values(rows, data, learner, "best")
    half = stats.t.isf((1 - LEVEL) / 2, len(gap) - 1) * gap.std(ddof=1) / np.sqrt(len(gap)) if len(gap) > 1 else np.inf
    return float(gap.mean()), float(gap.mean() - half), float(gap.mean() + half)


def verdict(gap: tuple[float, float, float]) -> str:
    """The default against a rival: better, worse, or a tie where the interval holds zero."""
    _, lower, upper = gap
    return "better" if lower > 0 else "worse" if upper < 0 else "tie"


def verdicts(rows: list[pieces.Row]) -> dict[tuple[str, str], str]:
    """By data and rival. Under `none` every order is worth nothing: there is nothing to lead by."""
    rivals = [name for name in dict.fromkeys(r["learner"] for r in rows) if not name.startswith("leadlift")]
    return {(data, name): verdict(lead(rows, data, name)) for data in (*TRUTHS, "hillstrom") for name in rivals}


def generated(rows: list[pieces.Row]) -> str:
    names = list(dict.fromkeys(r["learner"] for r in rows))
    logs = {data: len(values(rows, data, DEFAULT, "seconds")) for data in ("none", *TRUTHS, "hillstrom")}
    found = verdicts(rows)
    counted = {word: sum(v == word for v in found.values()) for word in ("better", "tie", "worse")}
    worse = [f"{name} on {data}" for (data, name), word in found.items() if word == "worse"]
    words = (
        f"leadlift's default, the X-learner, against {len(found) // 4} rivals on three truths with an effect and on "
        f"Hillstrom: better {counted['better']} times, tied {counted['tie']} times (the paired interval includes "
        f"zero), worse {counted['worse']} times{': ' + '; '.join(worse) if worse else ''}. "
        f"Logs: {', '.join(f'{data} {n}' for data, n in logs.items())}."
    )
    rank = [[name, *(_rank(rows, data, name) for data in TRUTHS)] for name in names]
    order = pieces.table(["rank correlation with the true uplift", *TRUTHS], rank)
    worth = [
        [name, *(_worth(rows, data, name) for data in TRUTHS), _hillstrom(rows, name), _seconds(rows, name)]
        for name in names
    ]
    header = ["Qini", *(f"{data}, % of the true order's" for data in TRUTHS), "Hillstrom, pp per lead", "seconds"]
    foot = f"{pieces.cpu_minutes(rows).capitalize()}. {pieces.provenance(Path(__file__).parent)}"
    key = (
        "`+` and `-`: the default is better or worse than this one, by the paired interval at 95%; nothing: a tie. "
        "Seconds: processor time to fit and to predict, one thread, mean over the four truths."
    )
    return f"{words}\n\n{order}\n\n{key}\n\n{pieces.table(header, worth)}\n\n{foot}"


def _rank(rows: list[pieces.Row], data: str, name: str) -> str:
    found = [r["rank"] for r in rows if r["piece"]["data"] == data and r["learner"] == name]
    known = [value for value in found if value is not None]
    return f"{np.mean(known):.2f}" if known else "–"


def _mark(rows: list[pieces.Row], data: str, name: str) -> str:
    return {"better": " +", "worse": " -", "tie": ""}[verdict(lead(rows, data, name))] if name != DEFAULT else ""


def _worth(rows: list[pieces.Row], data: str, name: str) -> str:
    share = values(rows, data, name, "qini") / values(rows, data, name, "best")
    return f"{100 * share.mean():.0f}{_mark(rows, data, name)}"


def _hillstrom(rows: list[pieces.Row], name: str) -> str:
    return f"{100 * values(rows, 'hillstrom', name, 'qini')[0]:.2f}{_mark(rows, 'hillstrom', name)}"


def _seconds(rows: list[pieces.Row], name: str) -> str:
    return f"{np.mean([r['seconds'] for r in rows if r['learner'] == name and r['piece']['data'] != 'hillstrom']):.2f}"
