"""Erases a client: its rows are gone, their keyed hashes stay in the chain, which still verifies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadlift.base.problems import nearest, stop
from leadlift.base.record import Record
from leadlift.data.ledger.aliases import known_aliases
from leadlift.data.ledger.failures import WHERE
from leadlift.data.ledger.opening import WAIT, copies_of, reading, rewritten


@dataclass(frozen=True)
class Forgotten(Record):
    """What was erased, in rows.

    Attributes:
        identifiers: how many identifiers the client had: its own and those that were merged into it.
        leads: versions of its leads.
        assignments, touches, deals: of the client.
        copies: files beside the ledger, made when it was upgraded, that still hold the client.
    """

    identifiers: int
    leads: int
    assignments: int
    touches: int
    deals: int
    copies: tuple[str, ...] = ()


def forget_organisation(path: str | Path, organisation: str, *, wait: float = WAIT) -> Forgotten:
    """Erases all that the ledger holds of one organisation, merged ones included, and writes the file anew.

    What stays of an assignment is its place in the chain and its hash. The hash was made with a salt of its own, which
    is erased as well: nobody can try names until one fits. A later import of a file that still names the client brings
    it back.

    Raises:
        FileError: the ledger is held by another process, or can't be written.
        DataError: the ledger does not know the organisation.
    """
    path = Path(path)
    with reading(path, wait) as connection:
        names = _identifiers(connection, organisation)
    with rewritten(path, wait) as connection:
        counts = _erase(connection, names)
    return Forgotten(identifiers=len(names), **counts, copies=tuple(copy.name for copy in copies_of(path)))


def _identifiers(connection: Any, organisation: str) -> list[str]:
    """The organisation and all that were merged with it."""
    ends = known_aliases(connection)
    end = ends.get(organisation, organisation)
    names = [end, *[alias for alias, stands_for in ends.items() if stands_for == end]]
    query = """
        SELECT DISTINCT organisation_id FROM (
            SELECT organisation_id FROM leads UNION ALL SELECT organisation_id FROM assignments
            UNION ALL SELECT organisation_id FROM deals
        )
    """
    known = {name for (name,) in connection.execute(query).fetchall()}
    if not known & set(names):
        match = nearest(organisation, known)
        raise stop(
            WHERE,
            "unknown-organisation",
            "the ledger knows the organisation",
            f"`{organisation}` has no leads, assignments or deals in it",
            f"did you mean `{match}`?" if match else "check the identifier; capitals and leading zeros count",
        )
    return names


def _erase(connection: Any, names: list[str]) -> dict[str, int]:
    values = {"names": names}
    connection.execute(
        """
        CREATE TEMP TABLE gone AS
        SELECT lead_id FROM (
            SELECT lead_id, organisation_id FROM leads UNION ALL SELECT lead_id, organisation_id FROM assignments
        ) GROUP BY lead_id HAVING bool_and(list_contains($names, organisation_id))
        """,
        values,
    )
    mine = "list_contains($names, organisation_id) OR lead_id IN (FROM gone)"
    connection.execute(
        f"INSERT INTO forgotten SELECT batch, place, row_hash FROM assignments WHERE {mine}",
        values,
    )
    counts = {}
    for table, where in (
        ("assignments", mine),
        ("touches", "lead_id IN (FROM gone)"),
        ("deals", mine),
        ("leads", mine),
    ):
        given = values if "$names" in where else None
        ((counts[table],),) = connection.execute(f"SELECT count(*) FROM {table} WHERE {where}", given).fetchall()
        connection.execute(f"DELETE FROM {table} WHERE {where}", given)
    connection.execute(
        "DELETE FROM aliases WHERE list_contains($names, alias) OR list_contains($names, organisation_id)", values
    )
    connection.execute("DROP TABLE gone")
    return counts
