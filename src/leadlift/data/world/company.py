"""What a simulated company holds: its parameters and arrays, and the names that its tables share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from leadlift.data.world.config import WorldConfig
from leadlift.data.world.history import History
from leadlift.data.world.leads import Leads
from leadlift.data.world.organisations import Organisations, organisation_ids
from leadlift.data.world.products import Products, product_names
from leadlift.data.world.text import identifiers


@dataclass(frozen=True, eq=False, repr=False)
class Company:
    """The arrays behind a `World`, with what nobody can see.

    Attributes:
        config: the parameters it was made from.
        seed: the number every draw comes from.
        organisation_data, product_data, history_data, lead_data: what was made from them.
    """

    config: WorldConfig
    seed: int
    organisation_data: Organisations
    product_data: Products
    history_data: History
    lead_data: Leads

    @property
    def today(self) -> pd.Timestamp:
        """When the history ends and the leads that are not late exist: the natural day to assign on. UTC."""
        return pd.Timestamp(self.config.start, tz="UTC") + pd.Timedelta(days=self.config.history_days)

    @cached_property
    def lead_ids(self) -> pd.Index:
        """Identifiers of the leads, in order of creation."""
        return pd.Index(identifiers("lead-", np.arange(len(self.lead_data))), name="lead_id")

    @cached_property
    def organisation_ids(self) -> pd.api.extensions.ExtensionArray:
        """Identifiers of the organisations, in order."""
        return organisation_ids(len(self.organisation_data))

    @cached_property
    def product_names(self) -> list[str]:
        """Names of the products, in order."""
        return product_names(self.product_data)
