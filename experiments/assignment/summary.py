"""What the results say, for the README."""

from __future__ import annotations

from pathlib import Path

import pieces
from scipy.stats import norm

BOUND = 4.5


def design(piece: pieces.Row) -> str:
    cap = f", cap {piece['capacity']}" if piece["capacity"] else ""
    return f"{piece['mode']} {piece['unit']}s, {piece['arms']}{cap}"


def exceeded(rows: list[pieces.Row]) -> list[str]:
    """Designs with a redraw over the capacity, or a z of 4.5 or more."""
    return sorted(
        {
            design(row["piece"])
            for row in rows
            if max(row["unit_z"], row["total_z"]) >= BOUND or 0 < row["piece"]["capacity"] < row["most"]
        }
    )


def lines(rows: list[pieces.Row]) -> list[tuple[str, ...]]:
    """A line per design: the arm `call` in each stratum, and the worst over all arms and strata."""
    found = []
    for name in dict.fromkeys(design(row["piece"]) for row in rows):
        of = [row for row in rows if design(row["piece"]) == name and row["arm"] != "holdout"]
        calls = [row for row in of if row["arm"] == "call"]
        capacity = calls[0]["piece"]["capacity"]
        found.append(
            (
                name,
                " / ".join(f"{row['propensity']:.4f}" for row in calls),
                " / ".join(f"{row['frequency']:.4f}" for row in calls),
                f"{max(row['unit_z'] for row in of):.2f}",
                f"{max(row['total_z'] for row in of):.2f}",
                f"{calls[0]['most']} of {capacity}" if capacity else "",
                " / ".join(f"{row['pair_mean']:+.3f}" for row in calls),
                f"{min(row['pair_least'] for row in calls):+.2f} to {max(row['pair_most'] for row in calls):+.2f}",
            )
        )
    return found


def generated(rows: list[pieces.Row], redraws: int) -> str:
    tests = sum(row["units"] + 1 for row in rows)
    largest = max(max(row["unit_z"], row["total_z"]) for row in rows)
    usual = norm.isf(0.25 / tests)
    over = exceeded(rows)
    holdout = next(row for row in rows if row["arm"] == "holdout")
    header = (
        "lot",
        "logged P(call), by stratum",
        "frequency",
        "largest z of a unit",
        "of a stratum",
        "leads called at most",
        "pair correlation",
        "of single pairs",
    )
    verdict = "None reaches 4.5, and no redraw exceeds its cap." if not over else f"**Failed: {'; '.join(over)}.**"
    words = (
        f"{redraws:,} redraws per lot; {tests:,} frequencies of units and strata in all arms. The largest z (its size) "
        f"is {largest:.2f}; of that many, right ones usually have about {usual:.1f}. {verdict} Holdout: logged "
        f"{holdout['propensity']:.1f}, frequency {holdout['frequency']:.4f}, largest z of an organisation "
        f"{holdout['unit_z']:.2f}."
    )
    foot = f"{pieces.cpu_minutes(rows).capitalize()}. {pieces.provenance(Path(__file__).parent)}"
    return f"{words}\n\n{pieces.table(header, lines(rows))}\n\n{foot}"
