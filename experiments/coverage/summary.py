"""The tables of README.md, from the result rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pieces
from logs import CUTS, GROUPS, MEAN_LEADS, SHARE_TREATED, UNSEEN, make_leads
from scipy.stats import binom

FIELDS = ("logs", "given", "held", "held_population", "miss", "miss2", "half")
ENOUGH_EVENTS = 20
OURS = ("difference_in_means", "aipw")
KEY = ("n", "split", "organisations", "outcome")


@dataclass(frozen=True)
class Coverage:
    """One kind of interval on one design."""

    design: tuple
    name: str
    logs: int
    given: int
    held: int
    held_population: int
    bias: float
    spread: float
    half: float
    targeted: bool

    @property
    def band(self) -> tuple[int, int]:
        """Counts that an interval with 95% coverage has with probability 99.9%."""
        return int(binom.ppf(0.0005, self.given, 0.95)), int(binom.ppf(0.9995, self.given, 0.95))

    @property
    def passes(self) -> bool:
        # Simultaneous intervals promise at least 95%: they can only fail from below.
        low, high = self.band
        return low <= self.held and (self.held <= high or self.name.endswith("simultaneous"))

    @property
    def cell(self) -> str:
        if self.given < self.logs / 2:
            return "none given" if self.given == 0 else f"given {self.given / self.logs:.0%}"
        shown = f"{100 * self.held / self.given:.1f}"
        if not self.targeted:
            return f"({shown})"
        return shown if self.passes or self.name.split("|")[0] not in OURS else f"**{shown}**"


def coverages(rows: list[pieces.Row]) -> dict[tuple, dict[str, Coverage]]:
    """Parts added up, by design and kind of interval."""
    sums: dict[tuple, dict[str, np.ndarray]] = {}
    for row in rows:
        design = tuple(row["piece"][name] for name in KEY)
        held = sums.setdefault(design, {})
        for name, values in row["tally"].items():
            held[name] = held.get(name, 0) + np.array(values)
    return {
        design: {name: _coverage(design, name, values) for name, values in sorted(by_name.items())}
        for design, by_name in sorted(sums.items())
    }


def _coverage(design: tuple, name: str, values: np.ndarray) -> Coverage:
    total = dict(zip(FIELDS, values, strict=True))
    given = max(total["given"], 1)
    bias = total["miss"] / given
    return Coverage(
        design,
        name,
        *(int(total[field]) for field in ("logs", "given", "held", "held_population")),
        bias=bias,
        spread=float(np.sqrt(max(total["miss2"] / given - bias**2, 0))),
        half=total["half"] / given,
        targeted=min(expected_events(design, segment) for segment in _segments(name)) >= ENOUGH_EVENTS,
    )


def _segments(name: str) -> tuple[str, ...]:
    segment = name.split("|")[1]
    return GROUPS if segment == "simultaneous" else (segment,)


def expected_events(design: tuple, segment: str) -> float:
    """Control-rate events to expect in the smaller arm (buyers, for money)."""
    n, split, grouped, outcome = design
    smaller = min(SHARE_TREATED[split], 1 - SHARE_TREATED[split])
    rate, share = rates(outcome, grouped)[segment]
    return n * share * smaller * rate


@lru_cache
def rates(outcome: str, grouped: bool) -> dict[str, tuple[float, float]]:
    """Share that buys without a touch, and share of leads, by segment."""
    rng = np.random.default_rng(5)
    leads = make_leads(400_000, outcome, grouped, rng)
    group = np.digitize(leads.score, CUTS)
    found = {
        name: (float(leads.control[group == k].mean()), float((group == k).mean())) for k, name in enumerate(GROUPS)
    }
    return {"all": (float(leads.control.mean()), 1.0), **found}


def design_words(design: tuple) -> str:
    n, split, grouped, outcome = design
    return f"{n:,}, {split}, {outcome}" + (", organisations" if grouped else "")


def overall_table(found: dict, rivals: dict) -> str:
    lines = []
    for design, by_name in found.items():
        rival = rivals.get(design, {})
        cells = [by_name[f"{estimator}|all"].cell for estimator in OURS]
        cells.append(by_name["naive|all"].cell if "naive|all" in by_name else "")
        cells += [rival[f"causalml {k}|all"].cell if rival else "" for k in "TX"]
        logs = f"{by_name['aipw|all'].logs}" + (f" / {rival['causalml T|all'].logs}" if rival else "")
        lines.append((design_words(design), logs, f"{expected_events(design, 'all'):.0f}", *cells))
    header = ("design", "logs / causalml's", "events", "difference in means", "AIPW", "naive")
    return pieces.table((*header, "causalml T", "causalml X"), lines)


def group_table(found: dict) -> str:
    lines = []
    for design, by_name in found.items():
        cells = [by_name[f"{e}|{g}"].cell for e in OURS for g in (*GROUPS, "simultaneous")]
        naive = [by_name[f"naive|{g}"].cell for g in GROUPS] if "naive|all" in by_name else [""] * 3
        lines.append((design_words(design), *cells, *naive))
    header = [f"{e} {g}" for e in ("DiM", "AIPW") for g in (*GROUPS, "all three at once")]
    return pieces.table(("design", *header, *(f"naive {g}" for g in GROUPS)), lines)


def ours(found: dict) -> list[Coverage]:
    return [c for by_name in found.values() for c in by_name.values() if c.name.split("|")[0] in OURS]


def failures(found: dict) -> list[Coverage]:
    """Targeted intervals outside their band."""
    return [c for c in ours(found) if c.targeted and c.given >= c.logs / 2 and not c.passes]


def verdict(found: dict) -> str:
    targeted = [c for c in ours(found) if c.targeted and c.given >= c.logs / 2]
    failed = failures(found)
    population = sum(c.band[0] <= c.held_population for c in targeted)
    text = (
        f"{len(targeted)} of {len(ours(found))} kinds of interval are targeted (20 expected events or more in the "
        f"smaller arm of the segment); {len(targeted) - len(failed)} of them are inside the 99.9% band around 95%. "
        f"Against the mean over all leads that could have been drawn, {population} are not below it."
    )
    if not failed:
        return text
    lines = [
        (
            f"{design_words(c.design)}: {c.name.replace('|', ', ')}",
            f"{c.held} of {c.given}",
            f"{c.band[0]} to {c.band[1]}",
            f"{expected_events(c.design, min(_segments(c.name), key=lambda s: expected_events(c.design, s))):.0f}",
            f"{c.bias:+.2g}" if c.spread else "",
            f"{c.half / 1.96 / c.spread:.2f}" if c.spread else "",
        )
        for c in failed
    ]
    header = ("outside", "held", "band", "events", "mean miss", "half width / 1.96 over spread of misses")
    return f"{text}\n\n{pieces.table(header, lines)}"


def again_table(found: dict, again: dict) -> str:
    """Intervals that were outside their band, on as many logs more."""
    lines = []
    for failure in failures(found):
        other = again.get(failure.design, {}).get(failure.name)
        if other is None:
            continue
        low, high = other.band
        lines.append(
            (
                f"{design_words(other.design)}: {other.name.replace('|', ', ')}",
                f"{100 * failure.held / failure.given:.1f}",
                f"{other.held} of {other.given}",
                f"{100 * other.held / other.given:.1f}",
                f"{100 * low / other.given:.1f} to {100 * high / other.given:.1f}",
                "inside" if other.passes else "**outside**",
            )
        )
    header = ("outside before", "held before, %", "held in other logs", "%", "band, %", "")
    return pieces.table(header, lines)


def score_table(found: dict) -> str:
    """How the score interval, which takes over where events are few, does."""
    total: dict[str, np.ndarray] = {}
    for by_name in found.values():
        for name, c in by_name.items():
            if name.startswith("score interval") and c.given:
                total[name] = total.get(name, 0) + np.array([c.given, c.held])
    lines = [(name.split("|")[1], int(n), f"{100 * held / n:.1f}") for name, (n, held) in total.items()]
    return pieces.table(("segment", "logs with few events", "held, %"), lines)


def generated(rows: list[pieces.Row], again: list[pieces.Row], rivals: list[pieces.Row]) -> str:
    found, other = coverages(rows), coverages(rivals)
    words = (
        "Percentage of logs whose 95% interval holds the truth, the mean uplift of the log's leads. In brackets: fewer "
        "than 20 expected events in the smaller arm, reported and not targeted. Bold: outside the band. `events`: "
        "expected in the smaller arm without a touch. `naive` takes the leads of an organisation as independent."
    )
    parts = [
        "### Verdict",
        verdict(found),
        *(["The same on other logs of the same design:", again_table(found, coverages(again))] if again else []),
        "### All leads",
        words,
        overall_table(found, other),
        "### Score groups",
        "`all three at once`: the simultaneous intervals of the three groups all hold their truths.",
        group_table(found),
        "### Where events are few",
        "Miettinen and Nurminen's score interval, which leadlift gives for a difference in means where fewer than 20 "
        "events are expected in an arm, all such logs together:",
        score_table(found),
        f"Organisations have {MEAN_LEADS} leads in the mean (geometric) and an unseen effect with standard deviation "
        f"{UNSEEN:g} (log-odds). {pieces.cpu_minutes([*rows, *again, *rivals]).capitalize()}. "
        f"{pieces.provenance(Path(__file__).parent)}",
    ]
    return "\n\n".join(parts)
