"""All deals of a ledger, whatever experiment: what problems are found in."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from leadlift.data.ledger.aliases import canonical
from leadlift.data.ledger.frames import query_frame
from leadlift.data.ledger.opening import WAIT, reading


def ledger_deals(path: Path, *, wait: float = WAIT) -> pd.DataFrame:
    """A row per deal, by its identifier: `organisation_id` (merged ones under one name), `product`, `closed_at`,
    `known_at`, `won`, `amount`.

    Raises:
        FileError: there is no ledger, it is held by another process, or can't be read.
    """  # fmt: skip
    query = """
        SELECT coalesce(c.organisation_id, d.organisation_id) AS organisation_id,
            product, closed_at, known_at, won, amount
        FROM deals d LEFT JOIN canonical c ON c.alias = d.organisation_id ORDER BY deal_id
    """
    with reading(path, wait) as connection, canonical(connection):
        return query_frame(connection, query)
