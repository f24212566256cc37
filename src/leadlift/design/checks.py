"""Checks of a log: each a code, a status, its figure and, unless it passed, one fix."""

from __future__ import annotations

import numpy as np
from pandas.api.types import is_numeric_dtype
from scipy import stats

from leadlift.base.problems import listed, share
from leadlift.base.records import Check, Status
from leadlift.data import AssignmentLog
from leadlift.design.balance import balance_rows, omnibus_p
from leadlift.design.split import sample_ratio_p
from leadlift.inference import effective_number

STOP, WARN = 1e-6, 1e-3
ENOUGH_EVENTS = 20
ENOUGH_AMOUNTS = 5
MANY_LEVELS = 200
# Arms that lose leads at rates this far apart are no longer comparable.
WIDE_GAP = 0.05


def check_log(log: AssignmentLog, *, features_named: bool, seed: int) -> list[Check]:
    """Every check of a flat log.

    Args:
        log: the leads.
        features_named: whether the configuration names the features.
        seed: of the redraws behind the balance p-value.
    """
    return [
        _row_account(log),
        _sample_ratio(log),
        _lost_by_arm(log),
        _balance(log, np.random.default_rng([seed, 6])),
        _propensities(log),
        _organisations(log),
        _support(log),
        _features(log, features_named),
        _score(log),
    ]


def _row_account(log: AssignmentLog) -> Check:
    account = log.account
    lost = sum(account.dropped.values())
    reasons = listed([f"{name} {n:,}" for name, n in account.dropped.items()])
    status: Status = "warn" if lost > 0.05 * account.read else "pass"
    message = f"{account.read:,} rows read, {account.used:,} used" + (f"; dropped: {reasons}" if lost else "")
    return Check("rows", status, lost, message + ("; find out why so many are lost" if status == "warn" else ""))


def _graded(p: float) -> Status:
    return "stop" if p < STOP else "warn" if p < WARN else "pass"


def _sample_ratio(log: AssignmentLog) -> Check:
    """Randomised units per arm against the propensities, chi-square, whatever became of their outcomes."""
    found, planned = np.array(log.drawn.found), np.array(log.drawn.planned)
    p = sample_ratio_p(found, planned)
    counts = listed([f"{arm} {n:,} (planned {w:,.1f})" for arm, n, w in zip(log.arms, found, planned, strict=True)])
    status = _graded(p)
    fix = "the split is not the one designed: find the lost or added rows, or the right shares"
    return Check("sample-ratio", status, p, _with_fix(f"{log.drawn.unit} per arm: {counts}; p = {p:.3g}", status, fix))


def _with_fix(text: str, status: Status, fix: str) -> str:
    return text if status == "pass" else f"{text}; {fix}"


def _lost_by_arm(log: AssignmentLog) -> Check:
    """Rows without an outcome or score, by arm: where arms lose leads differently, who stayed is compared with whom."""
    lost = np.array([log.loss_by_arm[arm][0] for arm in log.arms])
    total = np.array([log.loss_by_arm[arm][1] for arm in log.arms])
    if lost.sum() == 0:
        return Check("outcomes-missing", "pass", 0, "every lead has an outcome")
    p = float(stats.chi2_contingency(np.vstack([lost, total - lost])).pvalue)
    shares = listed([f"{arm} {share(int(n), int(m))}" for arm, n, m in zip(log.arms, lost, total, strict=True)])
    gap = float(np.ptp(lost / total))
    status: Status = "stop" if p < STOP and gap > WIDE_GAP else "warn" if p < WARN else "pass"
    fix = "leads drop out differently by arm, and effects may be those of who stayed: complete the outcomes"
    text = f"dropped for a missing outcome or score: {shares}; p = {p:.3g}"
    return Check("outcomes-missing", status, p, _with_fix(text, status, fix))


def _balance(log: AssignmentLog, rng: np.random.Generator) -> Check:
    p = omnibus_p(log, rng)
    if p is None:
        return Check("balance", "pass", None, "no features to compare")
    worst = max(balance_rows(log), key=lambda row: abs(row.difference))
    status: Status = "warn" if p < 0.01 else "pass"
    fix = (
        "; arms differ more than a lot explains: was the draw by lot, and are all features from before it?"
        if status == "warn"
        else ""
    )
    return Check(
        "balance",
        status,
        p,
        f"features between arms, lot drawn again: p = {p:.3g}; "
        f"largest standardised difference {worst.difference:+.3f} ({worst.feature}, {worst.treatment}){fix}",
    )


def _propensities(log: AssignmentLog) -> Check:
    low = float(log.propensities.min())
    status: Status = "warn" if low < 0.02 else "pass"
    fix = "; arms this rare carry little evidence: expect wide intervals" if status == "warn" else ""
    return Check("propensities", status, low, f"from {low:.4g} to {log.propensities.max():.4g}, known by design{fix}")


def _organisations(log: AssignmentLog) -> Check:
    if not log.organisations_given:
        return Check(
            "organisations",
            "pass",
            len(log),
            "no organisation column: each lead stands for itself; name it if leads share a client",
        )
    arms = np.zeros((log.n_organisations, len(log.arms)), dtype=bool)
    arms[log.organisation, log.arm] = True
    split = int((arms.sum(axis=1) > 1).sum())
    fewest = int(arms.sum(axis=0).min())
    text = (
        f"{log.n_organisations:,} organisations, {fewest:,} in the smallest arm; {split:,} have leads in different arms"
    )
    if fewest < 10:
        return Check(
            "organisations", "warn", fewest, text + "; under 10 an arm no interval is given: draw more organisations"
        )
    if split > 0.01 * log.n_organisations:
        return Check(
            "organisations",
            "warn",
            split,
            text + "; a touched lead may sway its colleagues in control: draw whole organisations next time",
        )
    return Check("organisations", "pass", fewest, text)


def _support(log: AssignmentLog) -> Check:
    if log.outcome_kind != "binary":
        return _support_of_numbers(log)
    counts = np.bincount(log.arm, minlength=len(log.arms))
    events = np.bincount(log.arm, weights=log.outcome, minlength=len(log.arms))
    rate = float(log.outcome.mean())
    fewest = float((min(rate, 1 - rate) * counts).min())
    shown = listed([f"{arm} {int(k):,} of {n:,}" for arm, k, n in zip(log.arms, events, counts, strict=True)])
    status: Status = "warn" if fewest < ENOUGH_EVENTS else "pass"
    fix = f"; fewer than {ENOUGH_EVENTS} expected in an arm: collect more leads" if status == "warn" else ""
    return Check("support", status, fewest, f"{log.names['outcome']}: {shown}{fix}")


def _support_of_numbers(log: AssignmentLog) -> Check:
    """Where one amount outweighs all others it decides the answer, and intervals promise more than they hold."""
    carried = effective_number(log.outcome) * min(log.arm_counts.values()) / len(log)
    status: Status = "warn" if carried < ENOUGH_AMOUNTS else "pass"
    text = (
        f"{log.names['outcome']}: {log.outcome_kind}, mean {log.outcome.mean():.4g}, largest {log.outcome.max():.4g}; "
        f"its spread rests on about {carried:,.0f} leads in the smallest arm"
    )
    fix = "intervals are not to be trusted: judge a share such as `bought` instead, or amounts capped before the draw"
    return Check("support", status, carried, _with_fix(text, status, fix))


def _features(log: AssignmentLog, named: bool) -> Check:
    count = log.features.shape[1]
    if log.left_out:
        reasons = listed([f"{name} ({why})" for name, why in log.left_out.items()])
        return Check(
            "features",
            "warn",
            count,
            f"features were not named; used {listed(log.features.columns)}; left out {reasons}; "
            "name those known before assignment: `data.features`",
        )
    if not named:
        return Check(
            "features",
            "warn",
            count,
            f"features were not named; used {listed(log.features.columns)}; "
            "name those known before assignment: `data.features`",
        )
    wide = [
        str(name)
        for name in log.features.columns
        if not is_numeric_dtype(log.features[name].dtype) and log.features[name].nunique() > MANY_LEVELS
    ]
    if wide:
        return Check(
            "features",
            "warn",
            count,
            f"text with over {MANY_LEVELS} different values: {listed(wide)}; group them, or leave them out",
        )
    return Check("features", "pass", count, f"{count} features, named in the configuration")


def _score(log: AssignmentLog) -> Check:
    if log.score_source == "given":
        return Check("score", "pass", None, f"score `{log.names['score']}`, as it was before assignment")
    return Check(
        "score",
        "warn",
        None,
        "no score column: one is estimated from controls, out of fold, and its groups are data-made; "
        "name the score that the team used: `data.score`",
    )
