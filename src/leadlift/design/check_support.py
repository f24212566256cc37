"""Do the outcomes carry an answer?"""

from __future__ import annotations

import numpy as np

from leadlift.base.problems import listed
from leadlift.data import AssignmentLog
from leadlift.design.check_rules import Evidence, Finding, rule, warned
from leadlift.inference import effective_number

ENOUGH_EVENTS = 20
ENOUGH_AMOUNTS = 5


@rule(
    "support",
    "log",
    sees="Outcomes expected in the smallest arm; of counts and money, how many leads their spread rests on. An outcome "
    "that never varies, or an arm without one, stops.",
    warns=f"under {ENOUGH_EVENTS} events, or a spread that rests on under {ENOUGH_AMOUNTS} leads",
    fix=f"fewer than {ENOUGH_EVENTS} expected in an arm: collect more leads",
)
def support(log: AssignmentLog, _: Evidence) -> Finding:
    """Thin support."""
    if log.outcome_kind != "binary":
        return _of_numbers(log)
    counts = np.bincount(log.arm, minlength=len(log.arms))
    events = np.bincount(log.arm, weights=log.outcome, minlength=len(log.arms))
    rate = float(log.outcome.mean())
    fewest = float((min(rate, 1 - rate) * counts).min())
    shown = listed([f"{arm} {int(k):,} of {n:,}" for arm, k, n in zip(log.arms, events, counts, strict=True)])
    return Finding(warned(fewest < ENOUGH_EVENTS), fewest, f"{log.names['outcome']}: {shown}")


def _of_numbers(log: AssignmentLog) -> Finding:
    """Where one amount outweighs all others it decides the answer, and intervals promise more than they hold."""
    carried = effective_number(log.outcome) * min(log.arm_counts.values()) / len(log)
    words = (
        f"{log.names['outcome']}: {log.outcome_kind}, mean {log.outcome.mean():.4g}, largest {log.outcome.max():.4g}; "
        f"its spread rests on about {carried:,.0f} leads in the smallest arm"
    )
    fix = "intervals are not to be trusted: judge a share such as `bought` instead, or amounts capped before the draw"
    return Finding(warned(carried < ENOUGH_AMOUNTS), carried, words, fix)
