"""The tables of README.md, from the result rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pieces
from scipy import stats

SHARES = ("10%", "20%", "40%", "60%", "80%")
KINDS = {"values": "value", "differences": "less score first", "over_random": "less at random"}


def band(logs: int) -> tuple[int, int]:
    """99.9% of binomial counts of `logs` with chance 0.95."""
    return int(stats.binom.ppf(0.0005, logs, 0.95)), int(stats.binom.ppf(0.9995, logs, 0.95))


def by_world(rows: Sequence[pieces.Row]) -> dict[str, list[pieces.Row]]:
    found: dict[str, list[pieces.Row]] = {}
    for row in rows:
        rules = row["piece"].get("rules")
        kind = row["piece"]["world"] + (f"; {rules}" if rules else "")
        found.setdefault(kind, []).append(row)
    return found


def columns(rows: Sequence[pieces.Row], kind: str) -> dict[tuple[str, int], np.ndarray]:
    """Value, error, truth and degrees of freedom by strategy and capacity, each of shape (logs, 4).

    Logs in which two strategies touch the same leads, or too few others for an error, are left out; so are numbers that
    fewer than half of the logs have.
    """
    found = {}
    for name in rows[0][kind]:
        for place in range(len(SHARES)):
            numbers = [(*row[kind][name][place], row["df"]) for row in rows if row[kind][name][place][1]]
            if len(numbers) > len(rows) / 2:
                found[name, place] = np.array(numbers)
    return found


def covered(numbers: np.ndarray) -> float:
    """The share of 95% intervals that hold the truth."""
    value, se, truth, df = numbers.T
    return float((np.abs(value - truth) <= stats.t.ppf(0.975, df) * se).mean())


def bias(numbers: np.ndarray) -> float:
    """Mean error over its own standard error."""
    errors = numbers[:, 0] - numbers[:, 2]
    return float(errors.mean() / (errors.std(ddof=1) / np.sqrt(len(errors))))


def outside(numbers: np.ndarray) -> bool:
    """Whether the coverage lies outside the 99.9% band around 95%."""
    low, high = band(len(numbers))
    return not low <= covered(numbers) * len(numbers) <= high


def worlds_table(found: dict[str, list[pieces.Row]]) -> str:
    lines = []
    for world, rows in found.items():
        low, high = band(len(rows))
        for kind, words in KINDS.items():
            numbers = columns(rows, kind).values()
            shares = [covered(one) for one in numbers]
            lines.append(
                (
                    f"{world}: {words}",
                    len(rows),
                    len(shares),
                    f"{min(shares):.1%} to {max(shares):.1%}",
                    f"{low / len(rows):.1%} to {high / len(rows):.1%}",
                    sum(map(outside, numbers)),
                    f"{max(abs(bias(one)) for one in numbers):.1f}",
                )
            )
    header = (
        "log: number",
        "logs",
        "strategies x capacities",
        "covered",
        "99.9% band of 95%",
        "outside",
        "largest bias (errors)",
    )
    return pieces.table(header, lines)


def claims_table(found: dict[str, list[pieces.Row]]) -> str:
    lines = [
        (
            world,
            len(rows),
            sum(any(row["claims"]) for row in rows),
            sum(any(row["wrong"]) for row in rows),
            f"{sum(any(row['wrong']) for row in rows) / len(rows):.1%}",
            f"{np.mean([row['band_holds'] for row in rows]):.1%}",
        )
        for world, rows in found.items()
    ]
    header = ("log", "logs", "one best claimed", "best left out", "share", "band holds everywhere")
    return pieces.table(header, lines)


def strategies_table(found: dict[str, list[pieces.Row]]) -> str:
    """Coverage of paired differences by strategy and capacity."""
    lines = []
    for world, rows in found.items():
        numbers = columns(rows, "differences")
        for name in dict.fromkeys(name for name, _ in numbers):
            cells = [
                f"{covered(numbers[name, place]):.1%}" if (name, place) in numbers else "same leads"
                for place in range(len(SHARES))
            ]
            lines.append((f"{world}: {name}", *cells))
    return pieces.table(("log: strategy less score first", *SHARES), lines)


def generated(rows: list[pieces.Row]) -> str:
    found = by_world(rows)
    foot = f"{pieces.cpu_minutes(rows).capitalize()}. {pieces.provenance(Path(__file__).parent)}"
    parts = (
        "Values and paired differences at five capacities (10 to 80% of the leads touched); 95% intervals, number by "
        "number.",
        worlds_table(found),
        "Which strategy is best: wrong where the truly best one is not among the possibly best at some capacity.",
        claims_table(found),
        "Coverage of paired differences to score first, by capacity.",
        strategies_table(found),
        foot,
    )
    return "\n\n".join(parts)
