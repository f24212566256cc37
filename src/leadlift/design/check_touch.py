"""Was the lot followed? Assigned is not touched, but should mostly be."""

from __future__ import annotations

import pandas as pd
from scipy import stats

from leadlift.base.experiment import CONTROL
from leadlift.base.problems import listed
from leadlift.data.ledger.evidence import LedgerFacts
from leadlift.design.check_rules import LEVEL, Evidence, Finding, part_of, rule, warned

CONTROL_LIMIT = 0.05
MISSED_LIMIT = 0.20
AFTER_CLOSE = 0.02
WITHHELD = "withheld: too many first touches come after the close, so that who was touched depends on the outcome"


def beyond(count: int, total: int, limit: float) -> bool:
    """Whether a share is over its limit beyond doubt: chance makes it so with probability `LEVEL` at most."""
    return total > 0 and float(stats.binom.sf(count - 1, total, limit)) < LEVEL


def _withheld(facts: LedgerFacts) -> bool:
    return facts.closed_before > AFTER_CLOSE * facts.first_touches


@rule(
    "control-touched",
    "ledger",
    sees="Controls with a touch of a treated arm's mechanics within the touch days.",
    warns=f"over {CONTROL_LIMIT:.0%} beyond doubt",
    fix="touches that controls get hide the effect: stop them, and read the complier average",
)
def control_touched(facts: LedgerFacts, _: Evidence) -> Finding | None:
    """Controls that were touched."""
    if facts.touched.empty:
        return None
    if _withheld(facts):
        return Finding("pass", None, WITHHELD)
    leads, touched = _sum(facts.touched[facts.touched["treatment"] == CONTROL])
    found = touched / leads if leads else 0.0
    return Finding(warned(beyond(touched, leads, CONTROL_LIMIT)), found, f"controls touched: {part_of(touched, leads)}")


@rule(
    "treated-untouched",
    "ledger",
    sees="Leads of each treated arm without a touch of its mechanics within the touch days.",
    warns=f"over {MISSED_LIMIT:.0%} of an arm beyond doubt",
    fix="the arm was not carried out: draw as many as can be touched, and read the complier average",
)
def treated_untouched(facts: LedgerFacts, _: Evidence) -> Finding | None:
    """Treated leads that were not touched."""
    treated = facts.touched[facts.touched["treatment"] != CONTROL] if len(facts.touched) else facts.touched
    if treated.empty:
        return None
    if _withheld(facts):
        return Finding("pass", None, WITHHELD)
    by_arm = {str(arm): _sum(part) for arm, part in treated.groupby("treatment")}
    missed = {arm: (leads - touched, leads) for arm, (leads, touched) in by_arm.items()}
    shown = listed([f"{arm} {part_of(n, leads)}" for arm, (n, leads) in missed.items()])
    over = any(beyond(n, leads, MISSED_LIMIT) for n, leads in missed.values())
    return Finding(warned(over), max(n / leads for n, leads in missed.values()), f"treated not touched: {shown}")


@rule(
    "touch-after-close",
    "ledger",
    sees="Leads whose deal closed before their first touch. Where there are many, being touched depends on the "
    "outcome: the two checks above and complier averages are withheld.",
    warns=f"over {AFTER_CLOSE:.0%} of first touches",
    fix="log touches on the day they happen, and stop touching closed leads",
)
def touch_after_close(facts: LedgerFacts, _: Evidence) -> Finding | None:
    """First touches after the close."""
    if not facts.first_touches:
        return None
    found = facts.closed_before / facts.first_touches
    words = f"deals closed before the first touch: {part_of(facts.closed_before, facts.first_touches)}"
    return Finding(warned(_withheld(facts)), found, words)


def _sum(rows: pd.DataFrame) -> tuple[int, int]:
    return int(rows["leads"].sum()), int(rows["touched"].sum())
