"""Organisations: hidden mixtures of client problems, and looks that tell little about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadlift.data.world.config import WorldConfig
from leadlift.data.world.streams import Floats, Integers, gammas, normals, pick, uniforms
from leadlift.data.world.text import identifiers, words

INDUSTRIES = (
    "agriculture", "construction", "education", "finance", "health", "hospitality", "logistics", "manufacturing",
    "professional services", "retail", "software", "utilities",
)  # fmt: skip
REGIONS = ("centre", "east", "north", "north-west", "south", "south-west", "west")
_LARGEST = 20_000


@dataclass(frozen=True, eq=False)
class Organisations:
    """The organisations, an entry each.

    Attributes:
        mixture: shares of client problems, shape (n, problems), rows add up to 1.
        industry: code into `INDUSTRIES`.
        region: code into `REGIONS`.
        employees: head count, 1 to 20,000.
        rep: number of the sales representative who serves it.
        effect: what its leads share and nobody sees, standard normal.
        readiness: what its leads share and the features show, standard normal.
    """

    mixture: Floats
    industry: Integers
    region: Integers
    employees: Floats
    rep: Integers
    effect: Floats
    readiness: Floats

    def __len__(self) -> int:
        return len(self.employees)


def prevalence(problems: int) -> Floats:
    """How common each problem is over all organisations, adding up to 1: the first is the most common.

    >>> prevalence(4).round(2).tolist()
    [0.33, 0.26, 0.22, 0.19]
    """
    weights = 1.0 / (np.arange(problems) + 4.0)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def number_of_organisations(config: WorldConfig) -> int:
    """As many as were asked for, else as many as the leads need."""
    if config.organisations is not None:
        return config.organisations
    return max(1, round(config.leads / config.leads_per_organisation))


def make_organisations(config: WorldConfig, seed: int) -> Organisations:
    """Draws the organisations of a world."""
    n = number_of_organisations(config)
    mixture = _mixtures(config, seed, n)
    main = mixture.argmax(axis=1)
    return Organisations(
        mixture=mixture,
        industry=_looks(config, seed, "industry", main, len(INDUSTRIES)),
        region=_looks(config, seed, "region", main, len(REGIONS)),
        employees=_employees(config, seed, main),
        rep=pick(uniforms(seed, "organisation/rep", n), np.ones(config.reps)),
        effect=normals(seed, "organisation/effect", n),
        readiness=normals(seed, "organisation/readiness", n),
    )


def _mixtures(config: WorldConfig, seed: int, n: int) -> Floats:
    """Dirichlet shares, as gamma draws over their sum."""
    alphas = config.mixture_concentration * prevalence(config.problems)
    parts = [gammas(seed, f"organisation/mixture/{k}", n, alpha) for k, alpha in enumerate(alphas)]
    total = np.zeros(n)
    for part in parts:
        total += part
    return np.stack([part / total for part in parts], axis=1)


def _looks(config: WorldConfig, seed: int, name: str, main: npt.NDArray[np.int64], choices: int) -> Integers:
    """A firmographic: now and then one of the three that fit the main problem, else any, as common as it is."""
    n = len(main)
    follows = uniforms(seed, f"organisation/{name}/follows", n) < config.firmographic_signal
    fitting = (main * 5 + 3 * np.floor(3 * uniforms(seed, f"organisation/{name}/fitting", n))).astype(np.int64)
    common = pick(uniforms(seed, f"organisation/{name}/any", n), np.reciprocal(np.arange(choices) + 5.0))
    return np.where(follows, fitting % choices, common)


def _employees(config: WorldConfig, seed: int, main: npt.NDArray[np.int64]) -> Floats:
    """Head counts, log-normal; problems further down the list are a little more at home in large organisations."""
    place = main / max(1, config.problems - 1) - 0.5
    log_size = 3.4 + 1.3 * normals(seed, "organisation/employees", len(main))
    log_size += 5.0 * config.firmographic_signal * place
    return np.asarray(np.clip(np.round(np.exp(log_size)), 1, _LARGEST), dtype=np.float64)


def organisation_ids(n: int) -> pd.api.extensions.ExtensionArray:
    """Identifiers of the organisations, in order."""
    return identifiers("org-", np.arange(n))


def organisation_frame(organisations: Organisations) -> pd.DataFrame:
    """A row per organisation: `organisation_id`, `industry`, `region`, `employees`."""
    return pd.DataFrame(
        {
            "organisation_id": organisation_ids(len(organisations)),
            "industry": words(INDUSTRIES, organisations.industry),
            "region": words(REGIONS, organisations.region),
            "employees": organisations.employees.astype(np.int64),
        }
    )
