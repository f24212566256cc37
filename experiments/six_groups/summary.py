"""The tables of README.md, from the result rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pieces

GROUPS = ("low", "medium", "high")
RIGHT = {"fence_sitters": "medium", "likeliest": "high"}
Found = dict[str, Any]


def words(row: pieces.Row, arm: str) -> str:
    seed = f", seed {row['piece']['seed']}" if row["truth"] else ""
    return row["piece"]["log"].replace("_", " ") + (seed if len(row["arms"]) == 2 else f", {arm}")


def studies(rows: list[pieces.Row]) -> list[tuple[pieces.Row, str]]:
    return [(row, arm) for row in rows for arm in row["arms"][1:]]


def of(row: pieces.Row, table: str, **wanted: Any) -> Found | None:
    return next((r for r in row[table] if all(r[name] == value for name, value in wanted.items())), None)


def points(value: float) -> str:
    return f"{100 * value:+.2f}"


def group_cell(row: pieces.Row, arm: str, group: str) -> str:
    effect = of(row, "effects", treatment=arm, segment=group, estimator="aipw")
    truth = of(row, "truth", treatment=arm, segment=group)
    interval = f"{points(effect['simultaneous_lower'])} to {points(effect['simultaneous_upper'])}"
    known = f"; truth {points(truth['effect'])}" if truth else ""
    return f"{points(effect['effect'])} ({interval}{known})"


def best(row: pieces.Row, arm: str) -> tuple[str, ...]:
    return tuple(of(row, "segment_tests", treatment=arm, estimator="aipw")["possibly_best"])


def gains(row: pieces.Row, arm: str) -> list[str]:
    """Groups whose simultaneous interval lies above zero."""
    effects = {g: of(row, "effects", treatment=arm, segment=g, estimator="aipw") for g in GROUPS}
    return [g for g, effect in effects.items() if effect["simultaneous_lower"] > 0]


def answer_words(row: pieces.Row, arm: str) -> str:
    """Which group gains most: a group, or the groups that can't be told from the best."""
    found = best(row, arm)
    if not gains(row, arm):
        return "no group shows a gain"
    return f"**{found[0]}**" if len(found) == 1 else "not distinguishable: " + ", ".join(found)


def verdict(row: pieces.Row, arm: str) -> str:
    """The answer held against the truth; empty where there is none."""
    truth = {g: of(row, "truth", treatment=arm, segment=g) for g in GROUPS}
    if not row["truth"]:
        return ""
    found, effects = best(row, arm), {g: t["effect"] for g, t in truth.items()}
    if max(map(abs, effects.values())) == 0:
        return "right" if not gains(row, arm) else "WRONG"
    truly_best = max(effects, key=effects.__getitem__)
    if truly_best not in found:
        return "WRONG"
    wanted = RIGHT.get(row["piece"]["log"])
    if wanted is None:
        return "right" if len(found) > 1 else f"right, by {100 * spread_of(effects):.2f} points"
    return "right" if found == (wanted,) else "not found out"


def spread_of(effects: dict[str, float]) -> float:
    """How far the best group's true effect is ahead of the next."""
    first, second, *_ = sorted(effects.values(), reverse=True)
    return first - second


def most(row: pieces.Row, arm: str) -> str:
    """The largest difference between two groups that the simultaneous intervals leave open, percentage points."""
    effects = [of(row, "effects", treatment=arm, segment=g, estimator="aipw") for g in GROUPS]
    widest = max(a["simultaneous_upper"] - b["simultaneous_lower"] for a in effects for b in effects if a != b)
    return f"{100 * widest:.2f}"


def per_thousand(found: Found | None, value: str = "qini", low: str = "qini_lower", high: str = "qini_upper") -> str:
    if found is None or found[value] is None:
        return found["message"] if found else ""
    return f"{1000 * found[value]:+.2f} ({1000 * found[low]:+.2f} to {1000 * found[high]:+.2f})"


def ranking_line(row: pieces.Row, arm: str) -> tuple[str, ...]:
    areas = [per_thousand(of(row, "learners", treatment=arm, learner=name)) for name in ("score", "t", "x")]
    paired = of(row, "differences", treatment=arm, learner="x")
    told = found_out(row, arm)
    return (words(row, arm), *areas, per_thousand(paired, "difference", "lower", "upper"), told)


def found_out(row: pieces.Row, arm: str) -> str:
    """Whether touching the highest scores first gains more than touching at random, by the score's Qini."""
    score = of(row, "learners", treatment=arm, learner="score")
    if score["qini"] is None:
        return "no ranking"
    if score["qini_lower"] > 0:
        return "yes: better than random"
    return "no: worse than random" if score["qini_upper"] < 0 else "no: not distinguishable from random"


def generated(rows: list[pieces.Row]) -> str:
    every = studies(rows)
    lines = [
        (
            words(row, arm),
            *(group_cell(row, arm, g) for g in GROUPS),
            most(row, arm),
            answer_words(row, arm),
            verdict(row, arm),
        )
        for row, arm in every
    ]
    rankings = [ranking_line(row, arm) for row, arm in every]
    said = [
        f"- {words(row, row['arms'][1])}: {row['said']['headline']} {row['said']['ranking']}"
        for row in rows
        if row["piece"]["seed"] == 0
    ]
    judged = [verdict(row, arm) for row, arm in every if row["truth"]]
    header = ("log", *GROUPS, "groups differ by at most", "gains most", "against the truth")
    counts = (
        f"{sum(v.startswith('right') for v in judged)} of {len(judged)} answers about simulated companies are right"
    )
    wrong = sum(v == "WRONG" for v in judged)
    return "\n\n".join(
        [
            "![Effects by score group, with simultaneous intervals and the truth](six_groups.svg)",
            "Dots: AIPW; lines: simultaneous 95% intervals; red: the truth.",
            "### Which group gains most",
            f"Percentage points: AIPW, simultaneous 95% interval. {counts}, {wrong} wrong.",
            pieces.table(header, lines),
            "### Would score-first have found out?",
            "Qini in outcomes per 1,000 leads, with 95% intervals. Positive: ranking beats touching at random.",
            pieces.table(
                ("log", "score", "T-learner", "X-learner", "X-learner against score", "does score-first find out?"),
                rankings,
            ),
            "### What the reports say",
            "\n".join(said),
            f"{pieces.cpu_minutes(rows).capitalize()}. {pieces.provenance(Path(__file__).parent)}",
        ]
    )
