"""Logs with one fault of a known size: how often is it seen?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sound import flat_frame

from leadlift import AssignmentLog
from leadlift.design import Evidence, run_checks
from leadlift.design.check_rules import LEVEL
from leadlift.inference import anytime_p, split_log_evidence

# Fault -> the check that is to see it, what is broken, and by how much.
SIZES = {
    "sample-ratio": ("a share of the calls lost; 3,000 leads in a flat log", (0.05, 0.1, 0.15)),
    "sample-ratio, ledger": ("a share of the calls lost; five draws of 300 units", (0.1, 0.15, 0.2)),
    "sample-ratio-by-stratum": (
        "calls lost in one stratum, controls in another; 2,000 leads of 400 clients",
        (0.2, 0.4, 0.6),
    ),
    "outcomes-missing": ("outcomes lost among calls only; 3,000 leads", (0.01, 0.02, 0.04)),
    "balance": ("one of four features higher among calls, in standard deviations; 600 clients", (0.3, 0.45, 0.6)),
    "season": ("in one month of three the effect is lower, as a difference of shares; 3,000 leads", (0.1, 0.15, 0.2)),
}


def seen(fault: str, size: float, seed: int) -> bool:
    """Whether the fault's check does not pass."""
    rng = np.random.default_rng([seed, 5])
    if fault == "sample-ratio, ledger":
        counts = rng.binomial(300, 0.5, size=5)
        kept = rng.binomial(counts, 1 - size)
        return anytime_p(split_log_evidence(np.column_stack([300 - counts, kept]), [0.5, 0.5])) < LEVEL
    kinds = {"sample-ratio-by-stratum": "strata", "balance": "organisations"}
    frame, more = flat_frame(kinds.get(fault, "leads"), seed)
    frame = frame.reset_index(drop=True)
    months = rng.choice(["2026-01", "2026-02", "2026-03"], len(frame)) if fault == "season" else None
    frame = _broken(frame, fault, size, rng, months)
    log = AssignmentLog.from_frame(frame, **more)
    # The log's rows stand in an order of their own.
    evidence = Evidence(log, months=None if months is None else months[log.position])
    (found,) = [check for check in run_checks(evidence) if check.code == fault]
    return found.status != "pass"


def _broken(
    frame: pd.DataFrame, fault: str, size: float, rng: np.random.Generator, months: np.ndarray | None
) -> pd.DataFrame:
    called = (frame["arm"] == "call").to_numpy()
    if fault == "sample-ratio":
        return frame[~(called & (rng.random(len(frame)) < size))]
    if fault == "sample-ratio-by-stratum":
        client, names = pd.factorize(frame["organisation_id"])
        lost = (rng.random(len(names)) < size)[client]
        high, control = frame["stratum"] == "high", frame["arm"] == "control"
        return frame[~(lost & ((high & called) | (~high & control)))]
    if fault == "outcomes-missing":
        return frame.assign(won=frame["won"].mask(called & (rng.random(len(frame)) < size)))
    if fault == "balance":
        return frame.assign(size=frame["size"] + size * called)
    assert months is not None
    undone = called & (months == "2026-02") & (frame["won"] == 1) & (rng.random(len(frame)) < size / 0.3)
    return frame.assign(won=frame["won"].mask(undone, 0.0))
