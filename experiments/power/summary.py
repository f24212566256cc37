"""From the results to the README's tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pieces
from scipy import stats

WITHIN = 0.02
BAND = 0.999


@dataclass(frozen=True)
class Kept:
    """One promise and what came of it."""

    design: str
    which: str
    leads: int
    uplift: float
    level: float
    promised: float
    seen: int
    draws: int

    @property
    def obtained(self) -> float:
        return self.seen / self.draws

    @property
    def band(self) -> tuple[float, float]:
        """Exact 99.9% interval of the power obtained."""
        found = stats.binomtest(self.seen, self.draws).proportion_ci(BAND, method="exact")
        return float(found.low), float(found.high)

    @property
    def off(self) -> float:
        return self.obtained - self.promised

    @property
    def holds(self) -> bool:
        """Within two points, chance left out: the band reaches into promise +- 2 points."""
        return self.band[0] <= self.promised + WITHIN and self.band[1] >= self.promised - WITHIN


def kept(rows: Sequence[pieces.Row]) -> list[Kept]:
    """Results added up over the chunks."""
    found: dict[tuple[str, str], list[pieces.Row]] = {}
    for row in rows:
        found.setdefault((row["piece"]["design"], row["which"]), []).append(row)
    return [
        Kept(
            design,
            which,
            parts[0]["leads"],
            parts[0]["uplift"],
            parts[0]["level"],
            parts[0]["promised"],
            sum(part["seen"] for part in parts),
            sum(part["draws"] for part in parts),
        )
        for (design, which), parts in found.items()
    ]


def generated(rows: Sequence[pieces.Row]) -> str:
    found = kept(rows)
    close = sum(abs(k.off) <= WITHIN for k in found)
    beyond = [k for k in sorted(found, key=lambda k: -abs(k.off)) if abs(k.off) > WITHIN]
    named = "; ".join(f"{k.design}, {k.which}: {100 * k.off:+.1f}" for k in beyond) or "none"
    header = ("design", "promise", "leads", "uplift", "level", "promised", "obtained", "99.9% band", "points off")
    lines = [
        (
            k.design,
            k.which,
            f"{k.leads:,}",
            f"{k.uplift:g}",
            f"{k.level:.4f}",
            f"{k.promised:.1%}",
            f"{k.obtained:.1%}",
            f"{k.band[0]:.1%} to {k.band[1]:.1%}",
            f"{100 * k.off:+.1f}" + ("" if k.holds else " (**broken**)"),
        )
        for k in found
    ]
    return "\n\n".join(
        [
            f"{close} of {len(found)} promises are kept within 2 points as they stand, "
            f"{sum(k.holds for k in found)} allowing for the 99.9% band. Beyond 2 points: {named}. "
            f"{found[0].draws:,} experiments each; {pieces.cpu_minutes(rows)}.",
            pieces.table(header, lines),
            pieces.provenance(Path(__file__).resolve().parent),
        ]
    )
