"""The World: a simulated company whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from leadlift.base.errors import ConfigError
from leadlift.base.problems import stop
from leadlift.data.world.arms import ARMS
from leadlift.data.world.check import check_names, is_number
from leadlift.data.world.company import Company
from leadlift.data.world.config import WorldConfig
from leadlift.data.world.features import FEATURES, feature_frame
from leadlift.data.world.history import make_history
from leadlift.data.world.leads import SCORE_GROUPS, make_leads
from leadlift.data.world.observe import Observed, observe
from leadlift.data.world.organisations import (
    make_organisations,
    organisation_frame,
)
from leadlift.data.world.products import make_products, product_frame
from leadlift.data.world.streams import Floats
from leadlift.data.world.tables import history_frame
from leadlift.data.world.text import seconds, words
from leadlift.data.world.truth import truth_frame


@dataclass(frozen=True, eq=False, repr=False)
class World(Company):
    """A simulated company: its organisations, products, deals and leads, and what a touch would do to each lead.

    Made by `make_world`. Tables are built when first asked for and then kept; take a copy before changing one.

    Attributes:
        config: the parameters it was made from.
        seed: the number every draw comes from.
        organisation_data, product_data, history_data, lead_data: the same as arrays, with what nobody can see.
    """

    def __repr__(self) -> str:
        sizes = f"leads={len(self.lead_data)}, organisations={len(self.organisation_data)}"
        return f"World({sizes}, preset={self.config.preset!r}, seed={self.seed})"

    @property
    def cuts(self) -> tuple[float, float]:
        """Frozen cuts of the score: `low` is below the first, `high` from the second on."""
        return self.lead_data.cuts

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the feature columns of `leads`."""
        return FEATURES

    @cached_property
    def organisations(self) -> pd.DataFrame:
        """A row per organisation: `organisation_id`, `industry`, `region`, `employees`."""
        return organisation_frame(self.organisation_data)

    @cached_property
    def products(self) -> pd.DataFrame:
        """A row per product: `product`, and the truth: `problem`, `position` in its chain, `price`."""
        return product_frame(self.product_data)

    @cached_property
    def mixtures(self) -> Floats:
        """The truth: each organisation's shares of client problems, shape (organisations, problems)."""
        return self.organisation_data.mixture

    @cached_property
    def deals(self) -> pd.DataFrame:
        """The deals before `today`, by time: `deal_id`, `organisation_id`, `product`, `lead_id` (missing), `closed_at`,
        `won`, `amount`, `currency`, `known_at`.
        """  # fmt: skip
        return history_frame(self)

    @cached_property
    def leads(self) -> pd.DataFrame:
        """A row per lead, by creation: `lead_id`, `organisation_id`, `product`, `created_at`, `score`, `score_group`,
        and the features (numbers may be NaN, words missing).
        """  # fmt: skip
        data = self.lead_data
        front = pd.DataFrame(
            {
                "lead_id": self.lead_ids.array,
                "organisation_id": self.organisation_ids.take(data.organisation),
                "product": words(self.product_names, data.product),
                "created_at": seconds(self.today, data.day),
                "score": data.score,
                "score_group": words(SCORE_GROUPS, data.group),
            }
        )
        features = feature_frame(self.config, self.seed, self.organisation_data, self.history_data, data)
        return pd.concat([front, features], axis=1)

    def truth(self, arms: Mapping[str, Sequence[str]] = ARMS) -> pd.DataFrame:
        """What each arm would do to each lead, in expectation: see `truth_frame`."""
        return truth_frame(self, arms)

    def observe(
        self,
        assignments: pd.DataFrame,
        arms: Mapping[str, Sequence[str]] = ARMS,
        *,
        until: pd.Timestamp | None = None,
        draw: int = 0,
    ) -> Observed:
        """What happens when leads get the arms they were assigned: see `leadlift.data.world.observe.observe`."""
        return observe(self, assignments, arms, until=until, draw=draw)


def make_world(config: WorldConfig | None = None, *, seed: int, **changes: object) -> World:
    """Makes a simulated company.

    Args:
        config: its parameters; None: the defaults.
        seed: a whole number from 0; the same seed and parameters give the same world on any machine.
        **changes: parameters that differ from `config`, such as `leads=1_000`.

    Returns: the world.

    Raises:
        ConfigError: a parameter or the seed can't be used; every one is named.

    >>> world = make_world(leads=100, seed=1)
    >>> world.leads.shape, world.deals.columns.tolist()[:3]
    ((100, 18), ['deal_id', 'organisation_id', 'product'])
    """
    config = configured(config or WorldConfig(), changes)
    if not is_number(seed, whole=True) or seed < 0:
        rule = "`seed` is a whole number from 0"
        raise stop("the World", "world-seed", rule, f"seed={seed!r}", "seed=0", ConfigError)
    organisations = make_organisations(config, seed)
    products = make_products(config, seed)
    history = make_history(config, seed, organisations, products)
    leads = make_leads(config, seed, organisations, products, history)
    return World(config, int(seed), organisations, products, history, leads)


def configured(config: WorldConfig, changes: Mapping[str, object]) -> WorldConfig:
    """`config` with some parameters changed; unknown names are refused with the nearest one."""
    check_names(changes, type(config))
    return replace(config, **changes)  # type: ignore[arg-type]
