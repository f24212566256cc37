"""Logs whose true effects are known: leads with or without organisations, two splits, three outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, ndtr

from leadlift import AssignmentLog
from leadlift.base.config import ScoreGroups

GROUPS = ("low", "medium", "high")
CUTS = (1 / 3, 2 / 3)
SCORE_GROUPS = ScoreGroups(cuts=list(CUTS), names=list(GROUPS))
FEATURES = ["f0", "f1", "f2", "f3"]
RATE = {"binary 2%": 0.02, "binary 20%": 0.2, "money": 0.2}
SHARE_TREATED = {"50/50": 0.5, "80/20": 0.8}
MEAN_LEADS = 5  # per organisation
SHARED = 0.5  # share of the score's variance between organisations
UNSEEN = 1.0  # standard deviation of the organisations' unseen effect, log-odds
AMOUNT_SPREAD = 0.8  # of log amounts


@dataclass(frozen=True)
class Leads:
    """Potential outcomes of leads before any lot; `uplift` is in outcome units."""

    organisation: np.ndarray
    score: np.ndarray
    features: np.ndarray
    control: np.ndarray
    touched: np.ndarray
    amount: np.ndarray
    uplift: np.ndarray


@lru_cache
def intercept(rate: float, unseen: float) -> float:
    """Log-odds that make the mean chance under control `rate`."""
    node, weight = np.polynomial.hermite_e.hermegauss(61)
    spread = np.sqrt(0.8**2 + 0.4**2 + unseen**2) * node
    return float(brentq(lambda a: (weight * expit(a + spread)).sum() / weight.sum() - rate, -20, 5))


def make_leads(n: int, outcome: str, organisations: bool, rng: np.random.Generator) -> Leads:
    """Leads with their chances under both arms.

    The score is uniform. Chances rise with it and one feature, and an organisation shifts all of its leads alike (an
    effect that no feature shows). A touch adds most in the middle of the score and where another feature is high. Money
    is an amount (log-normal, larger where a feature is high) if the lead buys.
    """
    unseen = UNSEEN if organisations else 0.0
    # Geometric sizes: many organisations with one lead, some with twenty.
    organisation = np.arange(n)
    if organisations:
        sizes = rng.geometric(1 / MEAN_LEADS, size=2 * n // MEAN_LEADS + 50)
        organisation = np.repeat(np.arange(len(sizes)), sizes)[:n]
    units = int(organisation.max()) + 1
    shared = SHARED if organisations else 0.0
    latent = np.sqrt(shared) * rng.normal(size=units)[organisation] + np.sqrt(1 - shared) * rng.normal(size=n)
    features = rng.normal(size=(n, len(FEATURES)))
    effect = unseen * rng.normal(size=units)[organisation]
    log_odds = intercept(RATE[outcome], unseen) + 0.8 * latent + 0.4 * features[:, 0] + effect
    moved = log_odds + 0.1 + 0.4 * np.exp(-(latent**2)) + 0.2 * features[:, 1]
    control, touched = expit(log_odds), expit(moved)
    worth = np.ones(n)
    amount = np.ones(n)
    if outcome == "money":
        worth = 100 * np.exp(0.3 * features[:, 2])
        amount = worth * np.exp(AMOUNT_SPREAD * rng.normal(size=n) - AMOUNT_SPREAD**2 / 2)
    return Leads(organisation, ndtr(latent), features, control, touched, amount, (touched - control) * worth)


def draw_log(leads: Leads, split: str, rng: np.random.Generator) -> AssignmentLog:
    """The lot, by organisation, and what came of it."""
    share = SHARE_TREATED[split]
    arm = (rng.random(int(leads.organisation.max()) + 1) < share)[leads.organisation]
    buys = rng.random(len(arm)) < np.where(arm, leads.touched, leads.control)
    frame = pd.DataFrame(leads.features.round(3), columns=FEATURES)
    # Identifiers of equal length, so that rows keep their order.
    frame["lead_id"] = np.char.mod("%07d", np.arange(len(arm)))
    frame["arm"] = np.where(arm, "call", "control")
    frame["score"], frame["y"] = leads.score, (buys * leads.amount).round(2)
    grouped = len(np.unique(leads.organisation)) < len(arm)
    if grouped:
        frame["organisation"] = leads.organisation
    return AssignmentLog.from_frame(
        frame,
        treatment="arm",
        control="control",
        propensity={"call": share, "control": 1 - share},
        outcome="y",
        features=FEATURES,
        lead_id="lead_id",
        score="score",
        organisation="organisation" if grouped else None,
    )


def true_effects(leads: Leads) -> dict[str, float]:
    """The mean uplift of these leads, over all and by score group."""
    group = np.digitize(leads.score, CUTS)
    by_group = {name: float(leads.uplift[group == k].mean()) for k, name in enumerate(GROUPS)}
    return {"all": float(leads.uplift.mean()), **by_group}


@lru_cache
def population_effects(outcome: str, organisations: bool) -> dict[str, float]:
    """The mean uplift over all leads that could have been drawn, from four million of them."""
    total: dict[str, list[float]] = {}
    for seed in range(8):
        # Sizes do not go with effects: leads one by one have the same means.
        rng = np.random.default_rng([seed, 77])
        leads = make_leads(500_000, outcome, False, rng)
        if organisations:
            unseen = UNSEEN * rng.normal(size=500_000)
            leads = _with_unseen(leads, outcome, unseen)
        for name, value in true_effects(leads).items():
            total.setdefault(name, []).append(value)
    return {name: float(np.mean(values)) for name, values in total.items()}


def _with_unseen(leads: Leads, outcome: str, unseen: np.ndarray) -> Leads:
    shift = intercept(RATE[outcome], UNSEEN) - intercept(RATE[outcome], 0.0) + unseen
    chances = [expit(np.log(p / (1 - p)) + shift) for p in (leads.control, leads.touched)]
    worth = 100 * np.exp(0.3 * leads.features[:, 2]) if outcome == "money" else 1.0
    return Leads(
        leads.organisation, leads.score, leads.features, *chances, leads.amount, (chances[1] - chances[0]) * worth
    )
