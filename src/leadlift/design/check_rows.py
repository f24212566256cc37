"""Rows, columns and arms of a log: what was lost, what is doubled, what was known before."""

from __future__ import annotations

import numpy as np
from pandas.api.types import is_numeric_dtype

from leadlift.base.problems import listed, share
from leadlift.data import AssignmentLog
from leadlift.data.late import settles
from leadlift.design.check_rules import CERTAIN, LEVEL, Evidence, Finding, rule, warned
from leadlift.design.redraw import cells_of, redrawn_p

MANY_LEVELS = 200
LEDGER_FEATURES = "name those known before assignment: `leads.features`"
LEDGER_SCORE = "import the score that the team used with the leads: `leads.score`"
MANY_LOST = 0.05
# Arms that lose leads at rates this far apart are no longer comparable.
WIDE_GAP = 0.05
FEWEST_PER_ARM = 10
RARE_ARM = 0.02
# Left out by design, and counted by other checks.
EXPECTED = ("holdout", "late_lead", "open_window")


@rule(
    "rows",
    "log",
    sees="Rows that were read and not used, those aside that are held out, late or open.",
    warns=f"over {MANY_LOST:.0%}",
    fix="find out why so many are lost",
)
def rows(log: AssignmentLog, _: Evidence) -> Finding:
    """Where rows went."""
    account = log.account
    lost = sum(n for reason, n in account.dropped.items() if reason not in EXPECTED)
    reasons = listed([f"{name} {n:,}" for name, n in account.dropped.items()])
    words = f"{account.read:,} rows read, {account.used:,} used" + (f"; dropped: {reasons}" if account.dropped else "")
    return Finding(warned(lost > MANY_LOST * (account.used + lost)), lost, words)


@rule(
    "duplicates",
    "log",
    sees="Exact copies of a lead's row, which are dropped. A lead with different rows, or in two arms, stops.",
    warns="any",
    fix="export each lead once: a join may have multiplied them",
)
def duplicates(log: AssignmentLog, _: Evidence) -> Finding:
    """Copies of rows."""
    if "lead_id" not in log.names:
        return Finding("pass", None, "no lead_id column: repeated leads can't be told; name it if there is one")
    copies = log.account.dropped.get("duplicate_row", 0)
    return Finding(warned(copies > 0), copies, f"exact copies dropped: {share(copies, log.account.read)}")


@rule(
    "outcomes-missing",
    "log",
    sees="Leads without an outcome or score, by arm: an omnibus p-value by drawing the lot again.",
    warns=f"p < {LEVEL:g}",
    stops=f"p < {LEVEL:g}, arms {WIDE_GAP:.0%} apart, and p < {CERTAIN:g} if leads were independent",
    fix="leads drop out differently by arm, and effects may be those of who stayed: complete the outcomes",
    by_chance=True,
)
def outcomes_missing(log: AssignmentLog, evidence: Evidence) -> Finding:
    """Loss by arm: where arms lose leads differently, who stayed is compared with whom."""
    from scipy import stats

    lost = np.array([log.loss_by_arm[arm][0] for arm in log.arms])
    total = np.array([log.loss_by_arm[arm][1] for arm in log.arms])
    if lost.sum() == 0:
        return Finding("pass", None, "every lead has an outcome")
    if lost.sum() == total.sum():
        return Finding("stop", 1.0, "no lead has an outcome")
    units = log.drawn.units
    excess = units["lost"] - lost.sum() / total.sum() * units["leads"]
    planned = units[[f"planned_{k}" for k in range(len(log.arms))]]
    rng = np.random.default_rng([evidence.seed, 16])
    cell = cells_of(units["stratum"], planned)
    p = redrawn_p(excess.to_numpy()[:, None], units["arm"].to_numpy(), cell, len(log.arms), rng)
    alone = float(stats.chi2_contingency(np.vstack([lost, total - lost])).pvalue)
    shares = listed([f"{arm} {share(int(n), int(m))}" for arm, n, m in zip(log.arms, lost, total, strict=True)])
    sure = p < LEVEL and alone < CERTAIN and float(np.ptp(lost / total)) > WIDE_GAP
    status = "stop" if sure else warned(p < LEVEL)
    return Finding(status, p, f"dropped for a missing outcome or score: {shares}; p = {p:.3g}")


@rule(
    "organisations",
    "log",
    sees="Organisations per arm, and those with leads in different arms where organisations were drawn.",
    warns=f"under {FEWEST_PER_ARM} in an arm; or any that is split although organisations were drawn",
    fix="keep the arm of each organisation's first lead, or leave those organisations out",
)
def organisations(log: AssignmentLog, evidence: Evidence) -> Finding:
    """Organisations by arm."""
    if not log.organisations_given:
        words = "no organisation column: each lead stands for itself; name it if leads share a client"
        return Finding("pass", len(log), words)
    arms = np.zeros((log.n_organisations, len(log.arms)), dtype=bool)
    arms[log.organisation, log.arm] = True
    fewest, split = int(arms.sum(axis=0).min()), log.drawn.split
    words = (
        f"{log.n_organisations:,} organisations, {fewest:,} in the smallest arm; {split:,} have leads in different arms"
    )
    if fewest < FEWEST_PER_ARM:
        fix = f"under {FEWEST_PER_ARM} an arm no interval is given: draw more organisations"
        return Finding("warn", fewest, words, fix)
    if evidence.ledger is not None:
        # What a ledger knows of units in two arms, `arm-switch` and `merged-organisations` say.
        return Finding("pass", fewest, words)
    if log.drawn.unit == "organisations":
        return Finding(warned(split > 0), split, f"{words}, although organisations were drawn" if split else words)
    note = f"{words}, as a lot of leads makes; a touched lead may sway its colleagues in control"
    return Finding("pass", split, note if split else words)


@rule(
    "propensities",
    "log",
    sees="The smallest P(arm). One outside (0, 1), or arms that don't add up to 1, stop.",
    warns=f"under {RARE_ARM:g}",
    fix="arms this rare carry little evidence: expect wide intervals",
)
def propensities(log: AssignmentLog, _: Evidence) -> Finding:
    """Range of propensities."""
    low = float(log.propensities.min())
    return Finding(warned(low < RARE_ARM), low, f"from {low:.4g} to {log.propensities.max():.4g}, known by design")


@rule(
    "features",
    "log",
    sees="Whether features are named, and text with too many different values.",
    warns=f"features were not named, or text with over {MANY_LEVELS} values",
    fix="name those known before assignment: `data.features`",
)
def features(log: AssignmentLog, evidence: Evidence) -> Finding:
    """Which features are used."""
    count = log.features.shape[1]
    if log.left_out or not evidence.features_named:
        reasons = listed([f"{name} ({why})" for name, why in log.left_out.items()])
        left = f"; left out {reasons}" if log.left_out else ""
        words = f"features were not named; used {listed(log.features.columns)}{left}"
        return Finding("warn", count, words, None if evidence.ledger is None else LEDGER_FEATURES)
    wide = [
        str(name)
        for name in log.features.columns
        if not is_numeric_dtype(log.features[name].dtype) and log.features[name].nunique() > MANY_LEVELS
    ]
    if wide:
        words = f"text with over {MANY_LEVELS} different values: {listed(wide)}"
        return Finding("warn", count, words, "group them, or leave them out")
    return Finding("pass", count, f"{count} features, named in the configuration")


@rule(
    "known-later",
    "log",
    sees="Features that settle the outcome: a value that leaves nothing of it open in 30 leads or more. In a ledger, a "
    "feature or score that became known only after the assignment stops.",
    warns="any",
    fix="they look as if they were filled in after the outcome: take them out of the features",
)
def known_later(log: AssignmentLog, _: Evidence) -> Finding | None:
    """Features that were filled in afterwards."""
    if log.features.shape[1] == 0 or log.outcome_kind != "binary":
        return None
    found = [str(name) for name in log.features.columns if settles(log.features[name], log.outcome)]
    if found:
        return Finding("warn", len(found), f"settle the outcome `{log.names['outcome']}`: {listed(found)}")
    return Finding("pass", 0, "no feature settles the outcome")


@rule(
    "score",
    "log",
    sees="Whether a score came with the log.",
    warns="it has to be estimated",
    fix="name the score that the team used: `data.score`",
)
def score(log: AssignmentLog, evidence: Evidence) -> Finding:
    """Where the score comes from."""
    if log.score_source == "given":
        return Finding("pass", None, f"score `{log.names['score']}`, as it was before assignment")
    words = "no score column: one is estimated from controls, out of fold, and its groups are data-made"
    return Finding("warn", None, words, None if evidence.ledger is None else LEDGER_SCORE)
