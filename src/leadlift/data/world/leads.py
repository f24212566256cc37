"""Leads: whose they are, what about, when created, how ready, and what the conversion model makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadlift.data.world.config import WorldConfig
from leadlift.data.world.effects import (
    READINESS_SLOPE,
    Effects,
    expected_score,
    intercept,
    make_effects,
    season_log_odds,
)
from leadlift.data.world.history import SEASON, History, deal_amounts
from leadlift.data.world.organisations import Organisations
from leadlift.data.world.products import Products
from leadlift.data.world.streams import Floats, Integers, gammas, normals, pick, pick_rows, uniforms

SCORE_GROUPS = ("low", "medium", "high")
LATE_DAYS = 60.0
SHARED_READINESS = 0.2  # the organisation's part in the variance of readiness
# What readiness is made of: weights whose squares add up to 1.
READINESS = {"fit": 0.70, "engagement": 0.45, "timing": 0.35, "need": 0.43}


@dataclass(frozen=True, eq=False)
class Leads:
    """The leads in order of creation, an entry each.

    Attributes:
        organisation: number of the organisation.
        problem: the client problem behind the lead.
        product: number of the product.
        day: when it was created, days from today; above 0 for late leads.
        latent: `fit`, `engagement`, `timing`, `need` (readiness is made of them), `openness`, `readiness`.
        score: the conversion score, in (0, 1).
        cuts: the score's upper bounds of `low` and `medium`, frozen: the thirds of the ordinary leads.
        amount: money, if it is won.
        effects: what a touch does.
    """

    organisation: Integers
    problem: Integers
    product: Integers
    day: Floats
    latent: dict[str, Floats]
    score: Floats
    cuts: tuple[float, float]
    amount: Floats
    effects: Effects

    def __len__(self) -> int:
        return len(self.score)

    @property
    def group(self) -> Integers:
        """Score group: 0 low, 1 medium, 2 high. A score on a cut belongs to the group above it."""
        return np.searchsorted(np.array(self.cuts), self.score, side="right").astype(np.int64)


def make_leads(
    config: WorldConfig, seed: int, organisations: Organisations, products: Products, history: History
) -> Leads:
    """Draws the leads of a world."""
    organisation, day = _owners_and_days(config, seed, len(organisations))
    n = len(organisation)
    problem, product = _subjects(config, seed, organisations, products, history, organisation)
    latent = _latents(seed, organisations.readiness[organisation], n)
    log_odds = _log_odds(config, organisations, products, organisation, product, day, latent["readiness"])
    quality = config.score_quality
    seen = quality * latent["readiness"] + np.sqrt(1 - quality**2) * normals(seed, "lead/score", n)
    score = expected_score(config, seen)
    lower, upper = np.quantile(score[day <= 0], [1 / 3, 2 / 3])
    return Leads(
        organisation=organisation,
        problem=problem,
        product=product,
        day=day,
        latent=latent,
        score=score,
        cuts=(round(float(lower), 6), round(float(upper), 6)),
        amount=deal_amounts(products, product, organisations.employees[organisation], normals(seed, "lead/amount", n)),
        effects=make_effects(config, log_odds, latent["readiness"], latent["openness"], latent["timing"]),
    )


def _owners_and_days(config: WorldConfig, seed: int, organisations: int) -> tuple[Integers, Floats]:
    """Organisation and day of creation of every lead, ordered by day: late ones come last."""
    n = config.leads
    late = int(n * config.late_share)
    ordinary = n - late
    owners = max(1, min(organisations, ordinary, round(n / config.leads_per_organisation)))
    appetite = gammas(seed, "organisation/appetite", owners, 0.7)
    more = pick(uniforms(seed, "lead/organisation", n - owners), appetite)
    organisation = np.concatenate([np.arange(owners), more])
    u = uniforms(seed, "lead/day", n)
    day = np.where(np.arange(n) < ordinary, -config.lead_days * u, LATE_DAYS * u)
    order = np.argsort(day, kind="stable")
    return organisation[order], day[order]


def _subjects(
    config: WorldConfig,
    seed: int,
    organisations: Organisations,
    products: Products,
    history: History,
    organisation: Integers,
) -> tuple[Integers, Integers]:
    """Problem and product of each lead: often what follows in the chain that the organisation is in."""
    n = len(organisation)
    problem = pick_rows(uniforms(seed, "lead/problem", n), organisations.mixture[organisation])
    anyones = pick(uniforms(seed, "lead/any", n), products.prevalence)
    problem = np.where(uniforms(seed, "lead/signal", n) < config.problem_signal, problem, anyones)
    last = history.last[organisation, problem].astype(np.int64)
    follows = (uniforms(seed, "lead/chain", n) < config.chain_strength) & (last >= 0)
    popular = products.by_popularity(problem, uniforms(seed, "lead/place", n))
    place = np.where(follows, products.after(problem, last), popular)
    return problem, products.chain[problem, place]


def _latents(seed: int, shared: Floats, n: int) -> dict[str, Floats]:
    """Standard normal traits; those that make readiness are alike within an organisation."""
    names = list(READINESS)
    mine, ours = np.sqrt(1 - SHARED_READINESS), np.sqrt(SHARED_READINESS)
    scale = np.sqrt(sum(weight**2 for weight in READINESS.values()))
    weights = np.array([READINESS[name] for name in names]) / scale
    latent = {name: normals(seed, f"lead/{name}", n) for name in names}
    readiness = ours * shared
    for name, weight in zip(names, weights, strict=True):
        readiness = readiness + mine * weight * latent[name]
    latent["readiness"] = np.round(readiness, 9)
    latent["openness"] = normals(seed, "lead/openness", n)
    return latent


def _log_odds(
    config: WorldConfig,
    organisations: Organisations,
    products: Products,
    organisation: Integers,
    product: Integers,
    day: Floats,
    readiness: Floats,
) -> Floats:
    """Log-odds of converting without a touch."""
    log_odds = intercept(config) + READINESS_SLOPE * readiness
    log_odds += config.organisation_sd * organisations.effect[organisation] + products.effect[product]
    today = np.datetime64(config.start, "D") + config.history_days
    created = today + np.floor(day).astype("timedelta64[D]")
    month = created.astype("datetime64[M]").astype(np.int64) % 12
    relative = config.season * SEASON[month] / np.abs(SEASON).max()
    return np.asarray(log_odds + season_log_odds(config, relative), dtype=np.float64)
