"""Logs whose truth is known: who buys, whom a touch moves, and what every strategy really earns."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from scipy.special import expit

from leadlift import AssignmentLog
from leadlift.decide.lines import by_organisation
from leadlift.decide.touching import cut

ORGANISATIONS = 1_500
CUTS = (0.12, 0.3)
WORLDS = (
    "fence-sitters gain, leads drawn",
    "one problem gains, organisations drawn",
    "no one gains, organisations drawn",
)
# Organisations of the population on which the truth is taken.
POPULATION, LEARNED_POPULATION = 200_000, 20_000
FEATURES = ["readiness", "problem", "size"]


def population(organisations: int, rng: np.random.Generator, world: str) -> pd.DataFrame:
    """Leads with features, a score, the chance to buy without a touch, and what a touch adds to it.

    A third of the organisations have several leads, which share a part of what makes them buy.
    """
    leads_of = 1 + rng.poisson(0.6, organisations)
    organisation = np.repeat(np.arange(organisations), leads_of)
    n = len(organisation)
    shared = rng.normal(size=organisations)[organisation]
    readiness = 0.5 * shared + np.sqrt(0.75) * rng.normal(size=n)
    problem = rng.integers(3, size=n)
    chance = expit(-1.7 + 1.1 * readiness + 0.5 * rng.normal(size=organisations)[organisation])
    gain = np.where(problem == 1, 0.35, -0.05) if world.startswith("one problem") else fence_sitters(readiness, problem)
    uplift = np.zeros(n) if world.startswith("no one") else np.clip(gain, -chance, 1 - chance)
    return pd.DataFrame(
        {
            "organisation": organisation,
            "readiness": readiness + 0.3 * rng.normal(size=n),
            "problem": problem.astype(float),
            "size": rng.normal(size=n),
            "score": expit(-1.7 + 1.1 * (readiness + 0.4 * rng.normal(size=n))),
            "chance": chance,
            "uplift": uplift,
        }
    )


def fence_sitters(readiness: np.ndarray, problem: np.ndarray) -> np.ndarray:
    """Middle readiness gains, for two problems of three; the likeliest lose a little."""
    return 0.3 * np.exp(-(((readiness - 0.3) / 0.7) ** 2)) * (problem > 0) - 0.1 * (readiness > 1.2)


def make_log(world: str, seed: int) -> AssignmentLog:
    """1,500 organisations, 2,400 leads; half are touched."""
    rng = np.random.default_rng([seed, WORLDS.index(world)])
    leads = population(ORGANISATIONS, rng, world)
    drawn = (
        rng.random(ORGANISATIONS)[leads["organisation"]] if "organisations drawn" in world else rng.random(len(leads))
    )
    touched = drawn < 0.5
    bought = rng.random(len(leads)) < leads["chance"] + touched * leads["uplift"]
    frame = leads.drop(columns=["chance", "uplift"]).assign(
        organisation=leads["organisation"].map("o{:04d}".format),
        arm=np.where(touched, "call", "none"),
        bought=bought.astype(int),
    )
    return AssignmentLog.from_frame(
        frame,
        treatment="arm",
        control="none",
        propensity={"call": 0.5, "none": 0.5},
        outcome="bought",
        features=FEATURES,
        organisation="organisation",
        score="score",
    )


def earns(priority: np.ndarray, uplift: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """What touching the first of a whole population earns, per lead, shape (Q,)."""
    return cut(priority, uplift, shares).value


def ranked(leads: pd.DataFrame, priority: np.ndarray, world: str) -> np.ndarray:
    """A strategy's order of leads; where organisations are drawn, of organisations."""
    if "organisations drawn" not in world:
        return priority
    return by_organisation(priority, leads["organisation"].to_numpy())


@cache
def large(world: str, organisations: int) -> pd.DataFrame:
    """A population large enough to be the truth, the same for every log."""
    return population(organisations, np.random.default_rng([99, WORLDS.index(world)]), world)
