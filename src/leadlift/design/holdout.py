"""The permanent holdout: organisations that no experiment may touch until a date, drawn by a salt of their own."""

from __future__ import annotations

from leadlift.base.arrays import Bools, Column
from leadlift.design.hashing import buckets


def held_out(organisations: Column, share: float, salt: str) -> Bools:
    """Which organisations are held out: those whose bucket is below the share.

    The lot asks nothing of the experiment, so that every experiment holds out the same organisations, also those that
    come later. A larger share holds out the same ones and more.

    Args:
        organisations: identifiers, shape (n,).
        share: P(held out), in (0, 1).
        salt: of the holdout, not of an experiment.

    >>> import pandas as pd
    >>> held_out(pd.Series(["org-1", "org-2", "org-7"]), 0.4, "holdout").tolist()
    [True, False, False]
    """
    return buckets(organisations, salt) < share
