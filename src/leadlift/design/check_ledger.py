"""What only a ledger can show: edits, arms that changed, other experiments, the holdout, deals and windows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from leadlift.base.problems import listed
from leadlift.data import DrawInfo
from leadlift.data.ledger.evidence import LedgerFacts
from leadlift.design.check_rules import LEVEL, Evidence, Finding, LotFacts, counted, part_of, rule, warned
from leadlift.design.check_touch import beyond
from leadlift.design.redraw import cells_of, redrawn_p

SHOWN = 3
TO_SEE = " (`leadlift check` shows examples)"
TOLERANCE = 1e-9
HOLDOUT_LIMIT = 0.02
REPEATED_LIMIT = 0.005
OPEN_LIMIT = 0.5


@rule(
    "edited-ledger",
    "ledger",
    sees="The chain of digests over all assignments, and the heads that earlier studies logged.",
    stops="any row or batch that is not as it was appended",
    fix="restore the ledger from a copy: nothing computed from an edited history can be trusted",
)
def edited_ledger(facts: LedgerFacts, evidence: Evidence) -> Finding:
    """Whether history was edited."""
    chain = facts.chain
    if chain.sound:
        words = f"{counted(chain.rows, 'assignment')} in {counted(chain.batches, 'draw')}, as they were appended"
        erased = f"; {chain.forgotten:,} of them erased on request" if chain.forgotten else ""
        return Finding("pass", 0, words + erased)
    words = listed(chain.problems, SHOWN) if evidence.names else f"not as it was appended{TO_SEE}"
    return Finding("stop", len(chain.problems), words)


@rule(
    "arm-switch",
    "ledger",
    sees="Units whose leads were assigned to different arms.",
    stops="any",
    fix="leave those units out: no lot drew what they got",
)
def arm_switch(facts: LedgerFacts, evidence: Evidence) -> Finding:
    """Units in two arms."""
    units = facts.units
    switched = units.loc[units["arms"] > 1, "unit_id"]
    words = f"units in two arms: {part_of(len(switched), len(units), 'units')}"
    if switched.empty:
        return Finding("pass", 0, words)
    return Finding(
        "stop", len(switched), words + (f", e.g. {listed(switched.head(SHOWN))}" if evidence.names else TO_SEE)
    )


@rule(
    "merged-organisations",
    "ledger",
    sees="Organisations that the CRM merged after their leads had been drawn into different arms.",
    warns="any",
    fix="one client met several arms, which hides an effect; the next draw takes them as one",
)
def merged_organisations(facts: LedgerFacts, evidence: Evidence) -> Finding:
    """Merged organisations with two arms."""
    merged = facts.merged
    words = "no merged organisation has two arms"
    if merged:
        told = f"{counted(len(merged), 'merged organisation')} with leads in several arms"
        words = f"{told}: {listed(merged, SHOWN)}" if evidence.names else told + TO_SEE
    return Finding(warned(bool(merged)), len(merged), words)


@rule(
    "late-leads",
    "ledger",
    sees="Late leads per organisation, by arm: an omnibus p-value by drawing the lot again.",
    warns=f"p < {LEVEL:g}",
    fix="the arm changes how many leads come up: judge organisation totals, not leads",
    by_chance=True,
)
def late_leads(facts: LedgerFacts, evidence: Evidence) -> Finding | None:
    """Late leads by arm."""
    units = facts.units
    if evidence.lot is None or evidence.lot.unit != "organisation" or units.empty:
        return None
    if units["late"].sum() == 0:
        return Finding("pass", None, "no late leads")
    arm = pd.Index(facts.arms).get_indexer(pd.Index(units["treatment"])).astype(np.intp)
    shares = units[[f"propensity_{name}" for name in facts.arms]]
    cell = cells_of(units["batch"], units["stratum"].fillna(""), shares)
    rng = np.random.default_rng([evidence.seed, 18])
    p = redrawn_p(units[["late"]].to_numpy(dtype=np.float64), arm, cell, len(facts.arms), rng)
    rates = units.groupby("treatment")["late"].mean().reindex(list(facts.arms)).dropna()
    shown = listed([f"{name} {rate:.3f}" for name, rate in rates.items()])
    return Finding(warned(p < LEVEL), p, f"late leads per organisation: {shown}; p = {p:.3g}")


@rule(
    "design",
    "ledger",
    sees="Logged propensities against the shares of each draw's design, of the configuration, and of the frozen "
    "design: equal, or scaled by the capacity.",
    stops="any difference",
    fix="put the design back that the lot was drawn with, or begin the next round: `round: ...`",
)
def design(facts: LedgerFacts, evidence: Evidence) -> Finding | None:
    """Propensities against the design."""
    lot = evidence.lot
    if lot is None or not any("arms" in draw.settings for draw in facts.draws.values()):
        return None
    found = list(_unlike_design(facts, lot))
    changed = int((facts.units["chances"] > 1).sum())
    if changed:
        found.append(
            f"propensities change within {part_of(changed, len(facts.units), 'units').replace('rows', 'units')}"
        )
    if found:
        return Finding("stop", len(found), listed(found, SHOWN))
    return Finding("pass", 0, f"propensities of {counted(len(facts.draws), 'draw')} are those of the design")


def _unlike_design(facts: LedgerFacts, lot: LotFacts) -> Iterator[str]:
    for batch, draw in facts.draws.items():
        shares = _shares(draw)
        if shares is None:
            continue
        units = facts.units[facts.units["batch"] == batch]
        if draw.round == lot.round and shares != _rounded(lot.shares):
            yield f"draw {batch} was made with shares {_shown(shares)}, the configuration has {_shown(lot.shares)}"
        if draw.round == lot.round and lot.design_digest not in (None, draw.design_digest):
            yield f"draw {batch} was made from design {draw.design_digest}, frozen is {lot.design_digest}"
        logged = units[[f"propensity_{arm}" for arm in facts.arms]].to_numpy(dtype=np.float64)
        planned = np.array([shares.get(arm, 0.0) for arm in facts.arms])
        capped = np.array([arm in lot.capped for arm in facts.arms])
        off = int(_unlike(logged, planned, capped).sum())
        if off:
            yield f"draw {batch}: other propensities than {_shown(shares)} in {off:,} of {len(units):,} units"


def _unlike(logged: np.ndarray, planned: np.ndarray, capped: np.ndarray) -> np.ndarray:
    """Which units have other propensities than planned, but for a cap that lowers some and raises the rest alike."""
    if len(logged) == 0:
        return np.zeros(0, dtype=bool)
    allowed = logged[:, capped] <= planned[capped] + TOLERANCE
    free = ~capped
    rest = (1 - logged[:, capped].sum(axis=1, keepdims=True)) / (1 - planned[capped].sum())
    equal = np.abs(logged[:, free] - planned[free] * rest) <= TOLERANCE
    return np.asarray(~(allowed.all(axis=1) & equal.all(axis=1)))


def _shares(draw: DrawInfo) -> dict[str, float] | None:
    arms = draw.settings.get("arms")
    if not arms:
        return None
    total = sum(arm["share"] for arm in arms.values())
    return _rounded({str(name): arm["share"] / total for name, arm in arms.items()})


def _rounded(shares: object) -> dict[str, float]:
    assert isinstance(shares, dict)
    return {str(name): round(float(value), 9) for name, value in shares.items()}


def _shown(shares: object) -> str:
    return listed([f"{name} {value:.4g}" for name, value in sorted(_rounded(shares).items())])


@rule(
    "holdout",
    "ledger",
    sees="Organisations held out that this experiment drew all the same, or whose leads were touched.",
    warns=f"touched: over {HOLDOUT_LIMIT:.0%} of the leads held out beyond doubt",
    stops="assigned: any",
    fix="the programme can't be judged against organisations that it touched: leave them alone until the day it ends",
)
def holdout(facts: LedgerFacts, _: Evidence) -> Finding | None:
    """Whether the holdout was kept."""
    if not facts.holdout_leads and not facts.holdout_assigned:
        return None
    words = f"held out: {facts.holdout_leads:,} leads, {facts.holdout_touched:,} of them touched"
    if facts.holdout_assigned:
        return Finding("stop", facts.holdout_assigned, f"{words}; {facts.holdout_assigned:,} organisations assigned")
    over = beyond(facts.holdout_touched, facts.holdout_leads, HOLDOUT_LIMIT)
    return Finding(warned(over), facts.holdout_touched, words)


@rule(
    "overlap",
    "ledger",
    sees="Clients that another experiment drew within the same window, and whether its arms go with those here.",
    warns=f"any that `shares_with` does not name; arms that go together, p times the experiments < {LEVEL:g}",
    fix="effects mix: exclude that experiment's organisations (`excludes`), or share them by another salt",
    by_chance=True,
)
def overlap(facts: LedgerFacts, evidence: Evidence) -> Finding | None:
    """Other experiments on the same clients."""
    others = facts.overlaps
    shared = () if evidence.lot is None else evidence.lot.shares_with
    if others.empty:
        return Finding("pass", 0, "no client is in another experiment within the same window")
    clients = others.groupby("experiment")["clients"].sum()
    shown = listed([f"{name} {int(n):,}" for name, n in clients.items()])
    undeclared = [str(name) for name in clients.index if name not in shared]
    p = {str(name): _together(part) for name, part in others.groupby("experiment")}
    least = min(1.0, min(p.values()) * len(p))
    words = f"clients in other experiments too: {shown}; arms go together with p = {least:.3g}"
    return Finding(warned(bool(undeclared) or least < LEVEL), int(clients.sum()), words)


def _together(part: pd.DataFrame) -> float:
    table = part.pivot_table(index="theirs", columns="treatment", values="clients", aggfunc="sum", fill_value=0)
    if min(table.shape) < 2:
        return 1.0
    counts = table.to_numpy(dtype=np.float64)
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    # With fewer expected in a cell a chi-square raises alarms of its own.
    return float(stats.chi2_contingency(counts).pvalue) if expected.min() >= 5 else 1.0


@rule(
    "already-won",
    "ledger",
    sees="Leads of which a deal had been won before they were assigned: outcomes before assignment.",
    warns="any",
    fix="no touch can move them: leave them out of the next list",
)
def already_won(facts: LedgerFacts, _: Evidence) -> Finding:
    """Outcomes before assignment."""
    total = facts.leads.get("used", 0) + facts.leads.get("open", 0)
    words = f"won before they were assigned: {part_of(facts.already_won, total)}"
    return Finding(warned(facts.already_won > 0), facts.already_won, words)


@rule(
    "repeated-deals",
    "ledger",
    sees="Won deals that repeat another one but for their identifier.",
    warns=f"over {REPEATED_LIMIT:.1%}",
    fix="each counts as an outcome: leave the copies out of the export",
)
def repeated_deals(facts: LedgerFacts, _: Evidence) -> Finding | None:
    """Deals that may be in twice."""
    if not facts.deals_won:
        return None
    words = f"won deals that repeat another one: {part_of(facts.deals_repeated, facts.deals_won, 'deals')}"
    return Finding(warned(facts.deals_repeated > REPEATED_LIMIT * facts.deals_won), facts.deals_repeated, words)


@rule(
    "currencies",
    "ledger",
    sees="Currencies of the won deals.",
    stops="more than one",
    fix="convert the amounts before the import",
)
def currencies(facts: LedgerFacts, _: Evidence) -> Finding | None:
    """Currencies of amounts."""
    named = {name: n for name, n in facts.currencies.items() if name}
    if not facts.currencies:
        return None
    shown = listed([f"{name or 'none given'} {n:,}" for name, n in facts.currencies.items()])
    return Finding("stop" if len(named) > 1 else "pass", len(named), f"won deals by currency: {shown}")


@rule(
    "open-windows",
    "ledger",
    sees="Leads whose window is still open: their outcomes are not used.",
    warns=f"over {OPEN_LIMIT:.0%}",
    fix="the answer is that of the earliest leads, if any: wait, or import later deals",
)
def open_windows(facts: LedgerFacts, _: Evidence) -> Finding:
    """Open windows."""
    is_open = facts.leads.get("open", 0)
    total = is_open + facts.leads.get("used", 0)
    return Finding(warned(is_open > OPEN_LIMIT * total), is_open, f"open windows: {part_of(is_open, total)}")
