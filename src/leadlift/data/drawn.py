"""What the lot drew: whole organisations or single leads, read off the arms."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from leadlift.base.arrays import Bools, Codes, Column, Floats
from leadlift.data.log import Drawn

# Organisations stay whole this many standard deviations more often than a lot of leads leaves them: once in millions.
BEYOND_CHANCE = 5.0


def drawn_units(
    arm: Codes, planned: Floats, organisation: Column | None, stratum: Column | None, *, lost: Bools
) -> Drawn:
    """The units that the lot drew, with their arms.

    Args:
        arm: arm codes, shape (n,).
        planned: P(arm), shape (n, arms).
        organisation: of each lead; None: each is its own.
        stratum: of each lead; None: there is one.
        lost: leads without an outcome or score, shape (n,).
    """
    kind: Literal["organisations", "leads"] = "leads"
    code, split = np.arange(len(arm)), 0
    if organisation is not None:
        client = pd.factorize(organisation)[0]
        whole = _whole(arm, client)
        split = int((~whole).sum())
        if split == 0 or _by_organisation(whole, client, planned):
            kind, code = "organisations", client
    first = np.unique(code, return_index=True)[1]
    units = pd.DataFrame(
        {
            "arm": arm[first],
            "stratum": "" if stratum is None else stratum.to_numpy()[first],
            "leads": np.bincount(code),
            "lost": np.bincount(code, weights=lost).astype(np.intp),
            **{f"planned_{k}": column[first] for k, column in enumerate(planned.T)},
        }
    )
    found = np.bincount(arm[first], minlength=planned.shape[1])
    return Drawn(kind, tuple(map(int, found)), tuple(map(float, planned[first].sum(axis=0))), units, split)


def _whole(arm: Codes, client: Codes) -> Bools:
    """Which organisations have all their leads in one arm."""
    first = np.unique(client, return_index=True)[1]
    return np.asarray(np.bincount(client, weights=arm != arm[first][client]) == 0)


def _by_organisation(whole: Bools, client: Codes, planned: Floats) -> bool:
    """Whether more organisations are whole than a lot of single leads would leave."""
    with np.errstate(divide="ignore"):
        together = [np.bincount(client, weights=np.log(column)) for column in planned.T]
    chance = np.minimum(np.exp(together).sum(axis=0), 1.0)
    spread = np.sqrt((chance * (1 - chance)).sum())
    return bool(whole.sum() - chance.sum() > BEYOND_CHANCE * spread) and spread > 0
