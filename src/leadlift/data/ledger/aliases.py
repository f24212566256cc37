"""Organisations that the CRM merged: one client under several identifiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pandas as pd

from leadlift.base.problems import listed, stop
from leadlift.data.ledger.frames import registered


def known_aliases(connection: Any) -> dict[str, str]:
    """Each alias with the organisation it stands for at last."""
    rows = connection.execute("SELECT alias, organisation_id FROM aliases").fetchall()
    return resolved(dict(rows))


def resolved(aliases: Mapping[str, str]) -> dict[str, str]:
    """Aliases of aliases followed to their end; those that run in a circle are left out.

    >>> resolved({"a": "b", "b": "c", "x": "y", "y": "x"})
    {'a': 'c', 'b': 'c'}
    """
    ends = {}
    for alias in aliases:
        seen, name = {alias}, aliases[alias]
        while name in aliases and name not in seen:
            seen.add(name)
            name = aliases[name]
        if name not in seen:
            ends[alias] = name
    return ends


def refuse_circles(connection: Any) -> None:
    """Raises DataError where an organisation stands for itself, by whatever way round."""
    rows = dict(connection.execute("SELECT alias, organisation_id FROM aliases").fetchall())
    circular = sorted(set(rows) - set(resolved(rows)))
    if circular:
        raise stop(
            "the aliases",
            "alias-circle",
            "an alias leads to another organisation",
            f"{listed(circular, 5)} lead back to themselves",
            "keep the direction in which the CRM merged them",
        )


@contextmanager
def canonical(connection: Any) -> Iterator[None]:
    """Makes `canonical(alias, organisation_id)` readable: what each merged organisation is called now."""
    ends = known_aliases(connection)
    frame = pd.DataFrame({"alias": list(ends), "organisation_id": list(ends.values())}, dtype="str")
    with registered(connection, "canonical", frame):
        yield


def merged_arms(connection: Any, experiment: str | None = None) -> list[str]:
    """Merged organisations whose leads were drawn into different arms, in words, by experiment."""
    query = """
        SELECT experiment, organisation, string_agg(DISTINCT treatment, ', ' ORDER BY treatment) AS arms
        FROM (
            SELECT experiment, coalesce(c.organisation_id, a.organisation_id) AS organisation,
                coalesce(treatment, 'holdout') AS treatment, a.organisation_id
            FROM assignments a LEFT JOIN canonical c ON c.alias = a.organisation_id
            WHERE $experiment IS NULL OR experiment = $experiment
        )
        GROUP BY ALL HAVING count(DISTINCT treatment) > 1 AND count(DISTINCT organisation_id) > 1 ORDER BY ALL
    """
    with canonical(connection):
        rows = connection.execute(query, {"experiment": experiment}).fetchall()
    return [f"{name}: merged organisation {organisation} has leads in {arms}" for name, organisation, arms in rows]
