"""Touches and deals that follow from an assignment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadlift.data.world.company import Company
from leadlift.data.world.door import Assigned
from leadlift.data.world.mechanics import Mechanic
from leadlift.data.world.streams import Floats, Integers, counts, uniforms
from leadlift.data.world.tables import deal_frame, later, numbered
from leadlift.data.world.text import identifiers, words

_TOUCH_COLUMNS = ("touch_id", "lead_id", "mechanic", "touched_at", "cost", "rep_id")


@dataclass(frozen=True, eq=False)
class Fates:
    """What becomes of each assigned lead; arrays in the order of the assignments.

    Attributes:
        touched: whether sales touched it.
        won: whether it is won at some time.
        recorded: whether a deal is written down, won or lost.
        closes: days from the start of its window to the deal.
        lag: days until the deal is known.
        amount: money of the deal.
        mechanics: arm by arm, what a touched lead gets.
    """

    touched: npt.NDArray[np.bool_]
    won: npt.NDArray[np.bool_]
    recorded: npt.NDArray[np.bool_]
    closes: Floats
    lag: Floats
    amount: Floats
    mechanics: dict[str, tuple[Mechanic, ...]]


def touches_table(world: Company, given: Assigned, fates: Fates, draw: int, end: pd.Timestamp) -> pd.DataFrame:
    """A row per touch until `end`, by time; the mechanics of an arm come one after the other within `touch_days`."""
    parts = []
    for code, arm in enumerate(given.arms):
        rows = np.flatnonzero((given.arm == code) & fates.touched)
        used = fates.mechanics[arm]
        parts += [_one_mechanic(world, given, rows, used, step, draw) for step in range(len(used))]
    # An empty first part gives the types where nobody was touched.
    nobody = _one_mechanic(world, given, np.zeros(0, dtype=np.int64), world.config.mechanics, 0, draw)
    touches = pd.concat([part for part in parts if len(part)] or [nobody], ignore_index=True)
    touches = touches[touches["touched_at"] <= end]
    return touches.sort_values(["touched_at", "touch_id"], ignore_index=True)


def _one_mechanic(
    world: Company, given: Assigned, rows: Integers, used: tuple[Mechanic, ...], step: int, draw: int
) -> pd.DataFrame:
    lead, mechanic = given.lead[rows], used[step]
    n = len(world.lead_data)
    wait = uniforms(world.seed, f"observe/{draw}/wait", n)[lead]
    price = uniforms(world.seed, f"observe/{draw}/price/{step}", n)[lead]
    days = world.config.touch_days * (step + wait) / len(used)
    rep = world.organisation_data.rep[world.lead_data.organisation[lead]]
    return pd.DataFrame(
        {
            "touch_id": numbered(f"touch-{step}", draw, lead, n),
            "lead_id": world.lead_ids.array.take(lead),
            "mechanic": words([mechanic.name], np.zeros(len(lead), dtype=np.int64)),
            "touched_at": later(given.start.take(rows), days).array,
            "cost": np.round(mechanic.cost * (0.8 + 0.4 * price), 2),
            "rep_id": words(rep_names(world.config.reps), rep),
        },
        columns=list(_TOUCH_COLUMNS),
    )


def rep_names(reps: int) -> list[str]:
    """Identifiers of the sales representatives.

    >>> rep_names(2)
    ['rep-01', 'rep-02']
    """
    return [str(name) for name in identifiers("rep-", np.arange(1, reps + 1), digits=2)]


def deals_table(world: Company, given: Assigned, fates: Fates, draw: int, end: pd.Timestamp) -> pd.DataFrame:
    """A row per deal that is closed and known by `end`, by time: those of the leads, and others."""
    rows = np.flatnonzero(fates.recorded)
    lead, n = given.lead[rows], len(world.lead_data)
    unlinked = uniforms(world.seed, f"observe/{draw}/unlinked", n)[lead] < world.config.unlinked_share
    start = given.start.take(rows)
    deals = deal_frame(
        world,
        deal_id=numbered("deal", draw, lead, n),
        organisation=world.lead_data.organisation[lead],
        product=world.lead_data.product[lead],
        lead=np.where(unlinked, -1, lead),
        closed_at=later(start, fates.closes[rows]),
        known_at=later(start, fates.closes[rows] + fates.lag[rows]),
        won=fates.won[rows],
        amount=fates.amount[rows],
    )
    if world.config.other_deals > 0:
        deals = pd.concat([deals, _other_deals(world, given, draw)], ignore_index=True)
    deals = deals[deals["known_at"] <= end]
    return deals.sort_values(["closed_at", "deal_id"], ignore_index=True)


def _other_deals(world: Company, given: Assigned, draw: int) -> pd.DataFrame:
    """Deals of the assigned organisations that no lead is behind, within a window of the first assignment."""
    config, organisations = world.config, world.organisation_data
    names = (f"observe/{draw}/other/{what}" for what in ("count", "product", "won", "when", "lag", "amount"))
    count, product, won, when, lag, amount = (uniforms(world.seed, name, len(organisations)) for name in names)
    # One uniform serves all deals of an organisation: the further ones take its shifted copies.
    several = counts(count, config.other_deals, 1.5)
    several[np.setdiff1d(np.arange(len(organisations)), world.lead_data.organisation[given.lead])] = 0
    owner = np.repeat(np.arange(len(organisations)), several)
    turn = np.arange(len(owner)) - np.repeat(np.cumsum(several) - several, several)
    shift = turn * 0.618033988749895
    products = world.product_data
    sold = np.floor((product[owner] + shift) % 1.0 * len(products.price)).astype(np.int64)
    closes = config.window_days * ((when[owner] + shift) % 1.0)
    start = pd.Series(given.start.min()).repeat(len(owner)).reset_index(drop=True)
    return deal_frame(
        world,
        deal_id=numbered("deal-other", draw, np.arange(len(owner)), len(owner)),
        organisation=owner,
        product=sold,
        lead=np.full(len(owner), -1, dtype=np.int64),
        closed_at=later(start, closes),
        known_at=later(start, closes + config.booking_lag_days * lag[owner]),
        won=(won[owner] + shift) % 1.0 >= config.lost_share,
        amount=np.round(products.price[sold] * (0.6 + 0.8 * amount[owner]), 2),
    )
