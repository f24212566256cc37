"""What a CRM knows about a lead: noisy, partly missing pictures of what drives it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadlift.data.world.config import WorldConfig
from leadlift.data.world.history import History
from leadlift.data.world.leads import Leads
from leadlift.data.world.organisations import INDUSTRIES, REGIONS, Organisations
from leadlift.data.world.streams import Floats, Integers, normals, pick, uniforms
from leadlift.data.world.text import words

NUMERIC_FEATURES = ("employees", "past_deals", "visits_30d", "emails_opened", "budget", "need", "timing_days")
TEXT_FEATURES = ("industry", "region", "source", "authority", "topic")
FEATURES = NUMERIC_FEATURES + TEXT_FEATURES

SOURCES = ("bought list", "event", "partner", "website", "referral")
AUTHORITIES = ("user", "influencer", "decision maker")
TOPICS = ("costs", "growth", "compliance", "people", "security", "reporting", "service", "speed")
TOPIC_SIGNAL = 0.5  # the topic names the problem in half of the leads, and anything in the others


def feature_frame(
    config: WorldConfig, seed: int, organisations: Organisations, history: History, leads: Leads
) -> pd.DataFrame:
    """The features of every lead, a column each; numbers missing as NaN, words as missing text.

    `budget`, `authority`, `need` and `timing_days` are what the BANT rule asks for; `visits_30d` and `need` go with
    readiness, `emails_opened` with being open to a touch, `topic` weakly with the client problem.
    """
    owner = leads.organisation
    columns: dict[str, object] = {
        "employees": _some_missing(config, seed, "employees", organisations.employees[owner]),
        "past_deals": history.bought[owner],
        **_behaviour(config, seed, leads),
        **_qualification(config, seed, leads),
        "industry": words(INDUSTRIES, organisations.industry[owner]),
        "region": words(REGIONS, organisations.region[owner]),
        **_words(config, seed, leads),
    }
    return pd.DataFrame({name: columns[name] for name in FEATURES})


def _noise(seed: int, name: str, n: int) -> Floats:
    return normals(seed, f"feature/{name}", n)


def _missing(
    config: WorldConfig, seed: int, name: str, n: int, times: float = 1.0
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return uniforms(seed, f"missing/{name}", n) < times * config.missing


def _some_missing(config: WorldConfig, seed: int, name: str, values: Floats, times: float = 1.0) -> Floats:
    return np.where(_missing(config, seed, name, len(values), times), np.nan, values)


def _behaviour(config: WorldConfig, seed: int, leads: Leads) -> dict[str, object]:
    """Counts of what the lead did by itself, and in answer to mail."""
    n, latent = len(leads), leads.latent
    visits = 3.0 + 2.5 * latent["engagement"] + 0.8 * _noise(seed, "visits", n)
    opened = 5.0 + 2.2 * latent["openness"] + 0.8 * _noise(seed, "opened", n)
    return {
        "visits_30d": np.round(np.maximum(visits, 0)).astype(np.int64),
        "emails_opened": np.round(np.clip(opened, 0, 12)).astype(np.int64),
    }


def _qualification(config: WorldConfig, seed: int, leads: Leads) -> dict[str, object]:
    """What a representative asks: budget (money), need (0 to 10), days until the decision."""
    n, latent = len(leads), leads.latent
    budget = np.round(leads.amount * np.exp(0.3 * latent["fit"] + 0.4 * _noise(seed, "budget", n) - 0.2), -2)
    need = np.clip(np.round(5.0 + 2.0 * latent["need"] + 0.8 * _noise(seed, "need", n)), 0, 10)
    timing = np.round(60.0 * np.exp(-0.7 * latent["timing"] + 0.2 * _noise(seed, "timing", n)))
    return {
        "budget": _some_missing(config, seed, "budget", budget, times=2),
        "need": _some_missing(config, seed, "need", need),
        "timing_days": _some_missing(config, seed, "timing_days", timing),
    }


def _words(config: WorldConfig, seed: int, leads: Leads) -> dict[str, object]:
    """Where the lead came from, who is talking, and what about."""
    n, latent = len(leads), leads.latent
    source = np.searchsorted([-1.0, -0.2, 0.4, 1.1], 0.6 * latent["fit"] + 0.8 * _noise(seed, "source", n))
    authority = np.searchsorted([-0.4, 0.6], 0.6 * latent["fit"] + 0.8 * _noise(seed, "authority", n))
    return {
        "source": words(SOURCES, source.astype(np.int64)),
        "authority": words(AUTHORITIES, _unless(authority, _missing(config, seed, "authority", n))),
        "topic": words(topic_names(config), _unless(_topics(config, seed, leads), _missing(config, seed, "topic", n))),
    }


def _topics(config: WorldConfig, seed: int, leads: Leads) -> Integers:
    n = len(leads)
    anything = pick(uniforms(seed, "feature/topic", n), np.ones(config.problems))
    return np.where(uniforms(seed, "feature/topic/true", n) < TOPIC_SIGNAL, leads.problem, anything)


def topic_names(config: WorldConfig) -> list[str]:
    """A topic per problem, in the problems' order."""
    return [TOPICS[k] if k < len(TOPICS) else f"topic {k + 1}" for k in range(config.problems)]


def _unless(codes: Integers, missing: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Integers:
    return np.where(missing, -1, codes).astype(np.int64)
