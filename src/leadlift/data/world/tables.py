"""Deals and touches as tables, as a CRM would hold them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadlift.data.world.company import Company
from leadlift.data.world.streams import Floats, Integers
from leadlift.data.world.text import identifiers, seconds, words

DAY = 86_400.0


def history_frame(world: Company) -> pd.DataFrame:
    """The deals before today, by time."""
    history, start = world.history_data, pd.Timestamp(world.config.start)
    n = len(history.day)
    return deal_frame(
        world,
        deal_id=identifiers("deal-", np.arange(n)),
        organisation=history.organisation,
        product=history.product,
        lead=np.full(n, -1, dtype=np.int64),
        closed_at=seconds(start, history.day),
        known_at=seconds(start, history.day + history.lag),
        won=history.won,
        amount=history.amount,
    )


def deal_frame(
    world: Company,
    *,
    deal_id: pd.api.extensions.ExtensionArray,
    organisation: Integers,
    product: Integers,
    lead: Integers,
    closed_at: pd.Series,
    known_at: pd.Series,
    won: npt.NDArray[np.bool_],
    amount: Floats,
) -> pd.DataFrame:
    """Deals with the columns of the `deals` table; `lead` is -1 where no lead is named."""
    return pd.DataFrame(
        {
            "deal_id": deal_id,
            "organisation_id": world.organisation_ids.take(organisation),
            "product": words(world.product_names, product),
            "lead_id": world.lead_ids.array.take(lead, allow_fill=True),
            "closed_at": closed_at.reset_index(drop=True),
            "won": won,
            "amount": amount,
            "currency": words([world.config.currency], np.zeros(len(won), dtype=np.int64)),
            "known_at": known_at.reset_index(drop=True),
        }
    )


def later(moments: pd.Series, days: Floats) -> pd.Series:
    """Moments moved by so many days, to the second."""
    return moments + pd.to_timedelta(pd.Series(np.floor(days * DAY), index=moments.index), unit="s")


def numbered(kind: str, draw: int, lead: Integers, leads: int) -> pd.api.extensions.ExtensionArray:
    """Identifiers that depend on draw and lead only, such as `touch-0-0000017`."""
    digits = max(7, len(str(leads)))
    return identifiers(f"{kind}-{draw}-", lead, digits=digits)
