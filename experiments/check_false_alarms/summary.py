"""The tables of README.md, from the result rows."""

from __future__ import annotations

from pathlib import Path

import broken
import pieces

from leadlift.design.check_rules import LEVEL

# 99.9% of binomial counts of 1,000 with chance 0.05 are at most this.
BOUND = 73


def generated(rows: list[pieces.Row], kinds: tuple[str, ...], looks: list[pieces.Row]) -> str:
    alarms = sum(bool(row["alarms"]) for row in rows)
    stops = sum("stop" in row["alarms"].values() for row in rows)
    verdict = f"at most {BOUND}" if alarms <= BOUND else f"**more than {BOUND}**"
    words = (
        f"{len(rows):,} sound logs: **{alarms}** raise any warning or stop ({stops} a stop); {verdict} may. Each check "
        f"that chance can raise has a level of {LEVEL:g}."
    )
    logs = [(kind, *_of_kind([row for row in rows if row["piece"]["kind"] == kind])) for kind in kinds]
    by_kind = pieces.table(("kind of log", "logs", "checks each", "logs with an alarm"), logs)
    codes = sorted({code for row in rows for code in row["p"]} | {code for row in rows for code in row["alarms"]})
    by_check = pieces.table(
        ("check", "logs with a p-value", "p < 0.05", f"p < {LEVEL:g}", "alarms"), [_of_check(rows, c) for c in codes]
    )
    faults = pieces.table(("check: fault", "size", "logs", "seen"), _of_faults(looks))
    other = "And logs with one fault of a known size, which are not sound:"
    foot = f"{pieces.cpu_minutes([*rows, *looks]).capitalize()}. {pieces.provenance(Path(__file__).parent)}"
    return "\n\n".join((words, by_kind, by_check, other, faults, foot))


def _of_kind(rows: list[pieces.Row]) -> tuple[int, str, int]:
    numbers = [row["checks"] for row in rows]
    many = f"{min(numbers)} to {max(numbers)}" if min(numbers) < max(numbers) else f"{numbers[0]}"
    return len(rows), many, sum(bool(row["alarms"]) for row in rows)


def _of_check(rows: list[pieces.Row], code: str) -> tuple[str, int, str, str, int]:
    p = [row["p"][code] for row in rows if code in row["p"]]
    alarms = sum(code in row["alarms"] for row in rows)
    if not p or code == "overlap":
        return code, 0, "-", "-", alarms
    shares = [f"{sum(value < level for value in p) / len(p):.1%}" for level in (0.05, LEVEL)]
    return code, len(p), shares[0], shares[1], alarms


def _of_faults(looks: list[pieces.Row]) -> list[tuple[str, str, int, str]]:
    lines = []
    for fault, (words, sizes) in broken.SIZES.items():
        for size in sizes:
            found = [row["seen"] for row in looks if (row["piece"]["fault"], row["piece"]["size"]) == (fault, size)]
            lines.append((f"{fault}: {words}", f"{size:g}", len(found), f"{sum(found) / max(len(found), 1):.0%}"))
    return lines
