"""The tables of README.md's second part, from areas.jsonl."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pieces
from scipy.stats import binom

LOGGED, GIVEN, HELD, HELD_HERE, ABOVE, BELOW = range(6)
TRUTHS = ("none", "linear", "fence-sitter", "sparse")
# 99.9% of binomial counts of 500 with chance 0.05 are at most this.
FALSE_ALARMS = 41
Key = tuple[int, str, str]


def totals(rows: list[pieces.Row]) -> dict[Key, np.ndarray]:
    """Parts added up, by size, truth and interval (kind|ranking|measure)."""
    found: dict[Key, np.ndarray] = defaultdict(lambda: np.zeros(9))
    for row in rows:
        for name, values in row["tally"].items():
            found[row["piece"]["n"], row["piece"]["truth"], name] += np.array(values)
    return dict(found)


def band(logs: float) -> tuple[int, int]:
    """Counts that an interval with 95% coverage has with probability 99.9%."""
    return int(binom.ppf(0.0005, logs, 0.95)), int(binom.ppf(0.9995, logs, 0.95))


def passes(values: np.ndarray) -> bool:
    low, high = band(values[LOGGED])
    return low <= values[HELD] <= high


def ours(name: str) -> bool:
    """Whether leadlift reports such intervals; pooled ones it doesn't."""
    return not name.startswith("pooled")


def failures(rows: list[pieces.Row]) -> list[tuple[Key, int, int]]:
    """leadlift's intervals outside their band: which, how many held the truth, of how many logs."""
    return [
        (key, int(values[HELD]), int(values[LOGGED]))
        for key, values in totals(rows).items()
        if ours(key[2]) and not passes(values)
    ]


def generated(rows: list[pieces.Row]) -> str:
    found = totals(rows)
    sizes = sorted({n for n, _, _ in found})
    kinds = ("fixed", "learned", "pooled")
    names = sorted(dict.fromkeys(name for _, _, name in found), key=lambda name: kinds.index(name.split("|")[0]))
    counts = {n: [int(values[LOGGED]) for (size, _, _), values in found.items() if size == n] for n in sizes}
    logs = {n: f"{min(c)}" if min(c) == max(c) else f"{min(c)} to {max(c)}" for n, c in counts.items()}
    lines = []
    for name in names:
        cells = [_cell(found.get((n, truth, name))) for n in sizes for truth in TRUTHS]
        lines.append((name.replace("|", ": ", 1).replace("|", ", "), *cells))
    header = ("interval", *(f"{n:,}: {truth}" for n in sizes for truth in TRUTHS))
    return "\n\n".join(
        [
            "### Areas, differences and slopes",
            _verdict(found, logs),
            pieces.table(header, lines),
            "Under `none`: logs whose interval excludes zero, above it and below it.",
            pieces.table(("interval", *(f"{n:,}: above / below, of" for n in sizes)), _alarms(found, names, sizes)),
            f"{pieces.cpu_minutes(rows).capitalize()}.",
        ]
    )


def _verdict(found: dict[Key, np.ndarray], logs: dict[int, str]) -> str:
    mine = {key: values for key, values in found.items() if ours(key[2])}
    outside = [key for key, values in mine.items() if not passes(values)]
    pooled = [values for key, values in found.items() if not ours(key[2])]
    drawn = ", ".join(f"{n:,} leads: {count} logs" for n, count in logs.items())
    said = (
        f"Logs per truth: {drawn}. {len(mine) - len(outside)} of {len(mine)} kinds of interval that leadlift gives are "
        f"inside the 99.9% band around 95%"
    )
    if outside:
        words = [
            f"{n:,}, {truth}: {name.replace('|', ': ', 1).replace('|', ', ')}, {int(mine[n, truth, name][HELD])} of "
            f"{int(mine[n, truth, name][LOGGED])} (band {band(mine[n, truth, name][LOGGED])[0]} to "
            f"{band(mine[n, truth, name][LOGGED])[1]})"
            for n, truth, name in outside
        ]
        said += f"; outside: {'; '.join(words)}"
    low = sum(values[HELD] < band(values[LOGGED])[0] for values in pooled)
    return f"{said}. Of {len(pooled)} from pooled folds {low} are below it. Percentages; bold: outside the band."


def _cell(values: np.ndarray | None) -> str:
    if values is None:
        return ""
    shown = f"{100 * values[HELD] / values[LOGGED]:.1f}"
    return shown if passes(values) else f"**{shown}**"


def _alarms(found: dict[Key, np.ndarray], names: list[str], sizes: list[int]) -> list[list[str]]:
    lines = []
    for name in names:
        cells = []
        for n in sizes:
            values = found.get((n, "none", name))
            if values is None:
                cells.append("")
                continue
            wrong = values[ABOVE] + values[BELOW]
            most = binom.ppf(0.9995, values[LOGGED], 0.05)
            shown = f"{int(values[ABOVE])} / {int(values[BELOW])}, {int(values[LOGGED])}"
            cells.append(f"**{shown}**" if wrong > most else shown)
        lines.append([name.replace("|", ": ", 1).replace("|", ", "), *cells])
    return lines
