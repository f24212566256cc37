"""The table of README.md, from the result rows."""

from __future__ import annotations

from pathlib import Path

import pieces

# 99.9% of binomial counts of 500 with chance 0.05 are at most this.
BOUND = 41


def count(rows: list[pieces.Row], design: str, name: str) -> dict[str, int]:
    """Logs with an interval, and those whose interval lies above or below zero."""
    intervals = [row["intervals"].get(name, [None] * 3) for row in rows if row["piece"]["design"] == design]
    given = [(low, high) for _, low, high in intervals if low is not None]
    return {
        "logs": len(intervals),
        "given": len(given),
        "above": sum(low > 0 for low, _ in given),
        "below": sum(high < 0 for _, high in given),
    }


def generated(rows: list[pieces.Row], designs: tuple[str, ...]) -> str:
    names = dict.fromkeys(name for row in rows for name in row["intervals"])
    lines = []
    for design in designs:
        for name in names:
            n = count(rows, design, name)
            if n["given"]:
                wrong = n["above"] + n["below"]
                verdict = f"at most {BOUND}" if wrong <= BOUND else f"**above {BOUND}**"
                lines.append((f"{design}: {name}", n["logs"], n["given"], n["above"], n["below"], wrong, verdict))
    header = ("log: ranking", "logs", "interval given", "above zero", "below zero", "false alarms", "bound")
    logs = len(rows) // len(designs)
    words = (
        f"Qini intervals at 95% on logs without any effect; {logs} logs per design, seeds 0 to {logs - 1}. A valid "
        f"interval excludes zero in about {logs // 20} of them, and in at most {BOUND} of 500 with probability 99.9%."
    )
    foot = f"{pieces.cpu_minutes(rows).capitalize()}. {pieces.provenance(Path(__file__).parent)}"
    return f"{words}\n\n{pieces.table(header, lines)}\n\n{foot}"
