"""The tables of README.md, from the result rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pieces

from leadlift.report._strategy_reading import spoken_name


def at_capacity(row: pieces.Row) -> list[pieces.Row]:
    """Every strategy at the team's capacity."""
    capacities = {point["capacity"] for point in row["strategies"]}
    own = min(capacities, key=lambda capacity: abs(capacity - row["capacity"]))
    return [point for point in row["strategies"] if point["capacity"] == own]


def truth_at(row: pieces.Row, name: str) -> float | None:
    """What a strategy really brings at the team's capacity."""
    if name not in row["truth"]:
        return None
    capacities = sorted({point["capacity"] for point in row["strategies"]})
    place = min(range(len(capacities)), key=lambda k: abs(capacities[k] - row["capacity"]))
    return float(row["truth"][name][place])


def generated(rows: Sequence[pieces.Row]) -> str:
    parts = ["![What each strategy brings against the number of touches, in five cases](frontier.png)"]
    for row in rows:
        parts += [f"**{row['piece']['case'].replace('_', ' ')}.** {row['sentence']}", _table(row)]
    seconds = sum(row["cpu_seconds"] for row in rows)
    parts.append(f"{seconds:.0f} processor seconds. {pieces.provenance(Path(__file__).parent)}")
    return "\n\n".join(parts)


def _table(row: pieces.Row) -> str:
    places = 0 if row["unit"] == "USD" else 1
    lines = [
        (
            spoken_name(point["strategy"]) + (f" ({point['treatment']})" if row["unit"] == "USD" else ""),
            _number(point["value"], places),
            _interval(point, "value", places),
            _number(point["difference"], places),
            _interval(point, "difference", places),
            "yes" if point["possibly_best"] else "no",
            _number(truth_at(row, point["strategy"]), places),
        )
        for point in at_capacity(row)
    ]
    header = (
        "strategy",
        row["unit"],
        "95% band",
        f"over {spoken_name(row['current'])}",
        "95% band",
        "possibly best",
        "truth",
    )
    return pieces.table(header, lines)


def _number(value: float | None, places: int) -> str:
    return "–" if value is None else f"{value:,.{places}f}"


def _interval(point: Any, name: str, places: int) -> str:
    lower, upper = point[f"{name}_lower"], point[f"{name}_upper"]
    return "–" if lower is None or upper is None else f"{lower:,.{places}f} to {upper:,.{places}f}"
