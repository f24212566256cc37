"""The lot for units that are new: hashed or blocked, with or without a capped arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from leadlift.base.arrays import Bools, Codes, Column, Floats
from leadlift.design.blocked import blocked_arms
from leadlift.design.capacity import fitted_scale, rounded_in
from leadlift.design.hashed import hashed_arms
from leadlift.design.hashing import buckets

Mode = Literal["hashed", "blocked"]


@dataclass(frozen=True, eq=False)
class Units:
    """What is drawn: organisations or leads.

    Attributes:
        ids: identifiers as text, shape (n,), each once.
        stratum: stratum codes, shape (n,).
        leads: leads of each unit in this draw, shape (n,), 1 or more.
    """

    ids: Column
    stratum: Codes
    leads: Codes

    def where(self, chosen: Bools) -> Units:
        """The units chosen."""
        return Units(self.ids[chosen], self.stratum[chosen], self.leads[chosen])


@dataclass(frozen=True, eq=False)
class Drawn:
    """The lot's outcome.

    Attributes:
        arm: arm codes, shape (n,).
        propensities: P(arm) by stratum, exactly as drawn, shape (strata, arms).
    """

    arm: Codes
    propensities: Floats


def draw_lot(
    units: Units, shares: Floats, *, mode: Mode, salt: str, capped: int | None = None, capacity: int = 0
) -> Drawn:
    """Draws an arm for every unit; the same units and salt draw the same arms, in any order.

    Args:
        units: what is drawn.
        shares: P(arm) by stratum before any cap, shape (strata, arms); rows add up to 1.
        mode: `hashed`: a unit's arm depends on its own bucket only; `blocked`: on the units drawn with it.
        salt: names the lot.
        capped: code of the arm with a capacity; None: there is none. The draw is then a list in either mode.
        capacity: leads that arm may get.

    Returns: arms and the propensities they were drawn with. A cap scales its arm's share down where it must, and the
        other arms' up in proportion.
    """
    if capped is None:
        return Drawn(_uncapped(units, shares, mode, salt), shares)
    scale = fitted_scale(units.leads, shares[units.stratum, capped], capacity)
    propensities = _with_cap(shares, capped, scale)
    taken = _capped_units(units, propensities[units.stratum, capped], salt)
    arm = np.full(len(units.ids), capped, dtype=np.intp)
    others = np.delete(np.arange(shares.shape[1]), capped)
    rest = shares[:, others] / shares[:, others].sum(axis=1, keepdims=True)
    arm[~taken] = others[_uncapped(units.where(~taken), rest, mode, f"{salt}/rest")]
    return Drawn(arm, propensities)


def _uncapped(units: Units, shares: Floats, mode: Mode, salt: str) -> Codes:
    if shares.shape[1] == 1:
        return np.zeros(len(units.ids), dtype=np.intp)
    if mode == "blocked":
        return blocked_arms(units.ids, units.stratum, shares, salt)
    bucket = buckets(units.ids, salt)
    # One row of shares for all saves millions of lookups.
    return hashed_arms(bucket, shares[0] if (shares == shares[0]).all() else shares[units.stratum])


def _with_cap(shares: Floats, capped: int, scale: float) -> Floats:
    """Shares with the capped arm's multiplied by `scale`, the others' raised so that rows add up to 1."""
    scaled = shares * ((1 - scale * shares[:, capped]) / (1 - shares[:, capped]))[:, None]
    scaled[:, capped] = scale * shares[:, capped]
    return scaled


def _capped_units(units: Units, probability: Floats, salt: str) -> Bools:
    order = np.lexsort((buckets(units.ids, salt), units.stratum))
    luck = buckets(units.ids, f"{salt}/capacity")
    coin = buckets(units.ids.iloc[order[:1]], f"{salt}/coin")
    return rounded_in(probability, units.leads, order=order, luck=luck, coin=float(coin.sum()))
