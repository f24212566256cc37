"""Is the split the one that was drawn? Units per arm, overall and in each stratum, and what they were like before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Floats
from leadlift.base.problems import listed
from leadlift.base.records import BalanceRow
from leadlift.data import AssignmentLog
from leadlift.data.ledger.evidence import LedgerFacts
from leadlift.design.balance import balance_rows, omnibus_p
from leadlift.design.check_rules import CERTAIN, LEVEL, Evidence, Finding, LotFacts, graded, rule, warned
from leadlift.design.redraw import LEAST_P, cells_of
from leadlift.design.split import sample_ratio_p
from leadlift.inference import anytime_p, split_log_evidence

SHOWN = 4
# Standard deviations, and standard errors, by which no lot with equal chances sets arms apart.
NO_LOT, NO_LOT_ERRORS = 0.4, 5


@rule(
    "sample-ratio",
    "evidence",
    sees="Randomised units per arm against the shares they were drawn with. From a ledger by a multinomial e-process "
    "(Lindon, Malek 2022), which holds however often one looks, and for a blocked lot by its blocks; in a flat log by "
    "chi-square; in a log with `weight`, of the arms' weights by organisation.",
    warns=f"p < {LEVEL:g}",
    stops=f"p < {CERTAIN:g}, or a block that does not add up",
    fix="the split is not the one designed: find the lost or added rows, or the right shares",
    by_chance=True,
)
def sample_ratio(evidence: Evidence, _: Evidence) -> Finding | None:
    """Units per arm."""
    if evidence.ledger is not None and evidence.lot is not None:
        return _ledger_split(evidence.ledger, evidence.lot)
    return None if evidence.log is None else _flat_split(evidence.log)


@rule(
    "sample-ratio-by-stratum",
    "evidence",
    sees="The same in each stratum, for a split that is off in one and right overall.",
    warns=f"p times the number of strata < {LEVEL:g}",
    stops=f"p times the number of strata < {CERTAIN:g}",
    fix="find what was lost or added in that stratum",
    by_chance=True,
)
def sample_ratio_by_stratum(evidence: Evidence, _: Evidence) -> Finding | None:
    """Units per arm in each stratum."""
    if evidence.ledger is not None:
        arms, found = evidence.ledger.arms, dict(_ledger_strata(evidence.ledger))
    elif evidence.log is not None and evidence.log.weight is None:
        arms, found = evidence.log.arms, dict(_flat_strata(evidence.log))
    else:
        return None
    if len(found) < 2:
        return None
    worst, (p, counts, planned) = min(found.items(), key=lambda item: (item[1][0], item[0]))
    p = min(1.0, p * len(found))
    if (status := graded(p)) == "pass":
        # A stratum's name may be a client's or a person's: it is told when it is needed.
        return Finding(status, p, f"{len(found)} strata, each as planned; p = {p:.3g} for the one furthest off")
    units = _shown(arms, counts, planned)
    return Finding(status, p, f"{len(found)} strata, furthest off {worst}: {units}; p = {p:.3g}")


def _shown(arms: tuple[str, ...], found: Floats, planned: Floats) -> str:
    return listed([f"{arm} {int(n):,} (planned {w:,.1f})" for arm, n, w in zip(arms, found, planned, strict=True)])


def _flat_split(log: AssignmentLog) -> Finding:
    if log.weight is not None:
        return _weighted_split(log, log.weight)
    found, planned = np.array(log.drawn.found), np.array(log.drawn.planned)
    p = sample_ratio_p(found, planned)
    return Finding(graded(p), p, f"{log.drawn.unit} per arm: {_shown(log.arms, found, planned)}; p = {p:.3g}")


def _weighted_split(log: AssignmentLog, weight: Floats) -> Finding:
    """Arms' weights against those planned: where leads were kept by what they did, counts are not the lot's."""
    from scipy import stats

    drawn = np.eye(len(log.arms))[log.arm]
    parts = (weight[:, None] * (drawn - log.propensities))[:, 1:]
    totals = np.column_stack([np.bincount(log.organisation, weights=part) for part in parts.T])
    gap = totals.sum(axis=0)
    statistic = float(gap @ np.linalg.pinv(totals.T @ totals) @ gap)
    p = float(stats.chi2.sf(statistic, len(log.arms) - 1))
    share = (weight[:, None] * drawn).sum(axis=0) / weight.sum()
    planned = (weight[:, None] * log.propensities).sum(axis=0) / weight.sum()
    words = [f"{arm} {s:.1%} (planned {q:.1%})" for arm, s, q in zip(log.arms, share, planned, strict=True)]
    return Finding(graded(p), p, f"weight of leads by arm: {listed(words)}; p = {p:.3g}")


def _flat_strata(log: AssignmentLog) -> Iterator[tuple[str, tuple[float, Floats, Floats]]]:
    wide = [f"planned_{k}" for k in range(len(log.arms))]
    for name, units in log.drawn.units.groupby("stratum"):
        found = np.bincount(units["arm"], minlength=len(log.arms)).astype(np.float64)
        planned = units[wide].sum().to_numpy()
        some = planned > 0
        p = sample_ratio_p(found[some], planned[some]) if some.sum() > 1 else 1.0
        yield str(name), (p, found, planned)


def _ledger_split(facts: LedgerFacts, lot: LotFacts) -> Finding | None:
    units, arms = facts.units, facts.arms
    if units.empty:
        return None
    found, planned = _counted(units, arms)
    words = f"{lot.unit}s per arm: {_shown(arms, found, planned)}"
    p = anytime_p(_evidence(units, arms))
    broken = [] if lot.mode != "blocked" or lot.capped or facts.forgotten else list(_broken_blocks(facts))
    if broken:
        return Finding("stop", p, f"{words}; blocks that don't add up: {listed(broken, SHOWN)}")
    return Finding(graded(p), p, f"{words}; p = {p:.3g} at every look")


def _ledger_strata(facts: LedgerFacts) -> Iterator[tuple[str, tuple[float, Floats, Floats]]]:
    for name, units in facts.units.groupby(facts.units["stratum"].fillna("")):
        yield str(name), (anytime_p(_evidence(units, facts.arms)), *_counted(units, facts.arms))


def _counted(units: pd.DataFrame, arms: tuple[str, ...]) -> tuple[Floats, Floats]:
    found = units["treatment"].value_counts().reindex(list(arms), fill_value=0)
    return np.asarray(found, dtype=np.float64), np.asarray(_shares(units, arms).sum(axis=0))


def _shares(units: pd.DataFrame, arms: tuple[str, ...]) -> Floats:
    return np.asarray(units[[f"propensity_{arm}" for arm in arms]].to_numpy(dtype=np.float64))


def _evidence(units: pd.DataFrame, arms: tuple[str, ...]) -> Floats:
    """Log evidence against the planned split after each draw; cells with shares of their own add up."""
    shares = _shares(units, arms)
    arm = pd.Index(arms).get_indexer(pd.Index(units["treatment"]))
    look: Codes = pd.factorize(units["batch"], sort=True)[0]
    cell = cells_of(shares)
    total = np.zeros(look.max() + 1)
    for code in range(cell.max() + 1):
        inside = cell == code
        share = shares[np.argmax(inside)]
        drawn = share > 0
        counts = np.zeros((len(total), len(arms)))
        np.add.at(counts, (look[inside], arm[inside]), 1)
        if drawn.sum() > 1:
            total += split_log_evidence(counts[:, drawn], share[drawn])
    return total


def _broken_blocks(facts: LedgerFacts) -> Iterator[str]:
    """Strata of a draw in which an arm is a unit or more away from its share: blocks are never that far off."""
    keys = [facts.units["batch"], facts.units["stratum"].fillna("")]
    for (batch, name), units in facts.units.groupby(keys):
        found, planned = _counted(units, facts.arms)
        if (np.abs(found - planned) >= 1 - 1e-9).any():
            worst = int(np.argmax(np.abs(found - planned)))
            yield f"{facts.arms[worst]} in {name or 'all'}, draw {batch}: {found[worst]:,.0f} of {planned[worst]:,.1f}"


@rule(
    "balance",
    "log",
    sees="Features between arms: an omnibus p-value by drawing the lot again, and the largest standardised difference.",
    warns=f"p < {LEVEL:g}",
    stops=f"no redraw is as far off, all had the same chances, a difference of {NO_LOT:g} and {NO_LOT_ERRORS} errors",
    fix="arms differ more than a lot explains: was the draw by lot, and are all features from before it?",
    by_chance=True,
)
def balance(log: AssignmentLog, evidence: Evidence) -> Finding:
    """Features between arms."""
    if log.weight is not None:
        return Finding("pass", None, "not drawn again: leads were kept by weights, and the lot knew nothing of them")
    p = omnibus_p(log, np.random.default_rng([evidence.seed, 6]))
    if p is None:
        return Finding("pass", None, "no features to compare")
    worst = max(balance_rows(log), key=lambda row: abs(row.difference))
    return Finding(
        "stop" if p <= LEAST_P and _no_lot(log, worst) else warned(p < LEVEL),
        p,
        f"features between arms, lot drawn again: p = {p:.3g}; "
        f"largest standardised difference {worst.difference:+.3f} ({worst.feature}, {worst.treatment})",
    )


def _no_lot(log: AssignmentLog, worst: BalanceRow) -> bool:
    """Whether arms are so far apart in a feature that no lot with the log's chances can have made them."""
    units = log.n_organisations if log.drawn.unit == "organisations" else len(log)
    share = float((log.contrast(worst.treatment) == 1).sum() / (log.contrast(worst.treatment) >= 0).sum())
    error = 1 / np.sqrt(max(units * share * (1 - share), 1e-12))
    same = len(np.unique(log.propensities, axis=0)) == 1
    return bool(same and abs(worst.difference) >= max(NO_LOT, NO_LOT_ERRORS * error))
