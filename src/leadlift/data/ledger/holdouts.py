"""Who is held out: as drawn, under the names that clients have now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from leadlift.data.ledger.aliases import canonical, known_aliases
from leadlift.data.ledger.opening import WAIT, reading

_HELD = """
    SELECT DISTINCT coalesce(c.organisation_id, a.organisation_id) AS organisation_id
    FROM assignments a JOIN batches b ON b.batch = a.batch LEFT JOIN canonical c ON c.alias = a.organisation_id
    WHERE a.holdout AND (
        coalesce(TRY_CAST(b.info->>'holdout_until' AS DATE) > $today, true)
        OR (a.experiment = $experiment AND $until > $today)
    )
"""


@dataclass(frozen=True, eq=False)
class HeldClients:
    """Clients that any experiment of the ledger holds out today.

    Attributes:
        names: as they are called now.
        aliases: names of merged clients, with the name they have now.
    """

    names: frozenset[str]
    aliases: Mapping[str, str]


def held_clients(ledger: Path, experiment: str, *, until: date, today: date, wait: float = WAIT) -> HeldClients:
    """Who was held out, and is today.

    Args:
        ledger: the ledger's file.
        experiment: whose holdout ends on `until`, whatever its draws said.
        until: that day.
        today: holdouts that end by it are over.
        wait: seconds to wait for another process that has the ledger open.
    """
    values = {"experiment": experiment, "until": until, "today": today}
    with reading(ledger, wait) as connection, canonical(connection):
        rows = connection.execute(_HELD, values).fetchall()
        return HeldClients(frozenset(name for (name,) in rows), known_aliases(connection))
