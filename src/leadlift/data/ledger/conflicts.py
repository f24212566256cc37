"""What an import would contradict: the file itself, the leads that are known, or what was imported before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from leadlift.base.problems import Problems, listed
from leadlift.data.contracts import CONTRACTS, TableName
from leadlift.data.ledger.aliases import canonical

KNOWN_LEADS = "(SELECT lead_id FROM leads UNION SELECT lead_id FROM assignments)"
OWNERS = """(
    SELECT lead_id, organisation_id FROM leads UNION SELECT lead_id, organisation_id FROM assignments
)"""


def _found(connection: Any, query: str) -> tuple[int, str]:
    """How many different names a query finds, and the first few."""
    ((number,),) = connection.execute(f"SELECT count(*) FROM ({query})").fetchall()
    names = connection.execute(f"{query} ORDER BY 1 LIMIT 3").fetchall() if number else []
    return int(number), listed(name for (name, *_) in names)


def _refuse_repeats(connection: Any, table: TableName, key: str, problems: Problems) -> None:
    name = key.split(",", maxsplit=1)[0]
    query = f"SELECT {name} FROM staged GROUP BY {key} HAVING count(*) > 1"
    number, names = _found(connection, f"SELECT DISTINCT {name} FROM ({query})")
    if number:
        per = f"`{name}`" if "," not in key else f"`{name}` and `known_at`"
        problems.add(
            "different-rows",
            f"the {table} have one row per {per}",
            f"{number:,} have rows that differ, e.g. {names}",
            "keep the row that is right",
        )


def _refuse_changes(connection: Any, table: TableName, problems: Problems) -> None:
    """Adds a problem where the ledger has the same identifier with other content."""
    key, *others = (field.name for field in CONTRACTS[table])
    differs = " OR ".join(f"s.{name} IS DISTINCT FROM t.{name}" for name in others)
    query = f"SELECT DISTINCT s.{key} FROM staged s JOIN {table} t ON t.{key} = s.{key} WHERE {differs}"
    number, names = _found(connection, query)
    if number:
        ((columns,),) = connection.execute(
            "SELECT concat_ws(', ', "
            + ", ".join(f"CASE WHEN bool_or(s.{n} IS DISTINCT FROM t.{n}) THEN '`{n}`' END" for n in others)
            + f") FROM staged s JOIN {table} t ON t.{key} = s.{key}"
        ).fetchall()
        problems.add(
            "changed-row",
            f"{table} that were imported stay as they are",
            f"{number:,} of the ledger's differ in {columns}, e.g. {names}",
            "leave them out of the file, or export them as they were imported",
        )


def _refuse_unknown_leads(connection: Any, table: TableName, problems: Problems) -> None:
    query = f"SELECT DISTINCT s.lead_id FROM staged s ANTI JOIN {KNOWN_LEADS} k USING (lead_id)"
    number, names = _found(connection, f"{query} WHERE s.lead_id IS NOT NULL")
    if number:
        problems.add(
            "unknown-lead",
            f"every lead of the {table} is known",
            f"{number:,} are neither imported nor assigned, e.g. {names}",
            "import the leads first: `leadlift import CONFIG leads FILE`",
        )


def _check_leads(connection: Any, problems: Problems) -> None:
    _refuse_repeats(connection, "leads", "lead_id, known_at", problems)
    query = """
        SELECT DISTINCT s.lead_id FROM staged s JOIN leads l ON l.lead_id = s.lead_id AND l.known_at = s.known_at
        WHERE row(l.organisation_id, l.product, l.created_at, l.score, l.problem, l.features)
            IS DISTINCT FROM row(s.organisation_id, s.product, s.created_at, s.score, s.problem, s.features)
    """
    number, names = _found(connection, query)
    if number:
        problems.add(
            "changed-row",
            "what was known of a lead at a moment stays as it is",
            f"{number:,} leads have other data at the same `known_at`, e.g. {names}",
            "give the new data the moment at which it became known",
        )


def _check_touches(connection: Any, problems: Problems) -> None:
    _refuse_repeats(connection, "touches", "touch_id", problems)
    _refuse_changes(connection, "touches", problems)
    _refuse_unknown_leads(connection, "touches", problems)


def _check_deals(connection: Any, problems: Problems) -> None:
    _refuse_repeats(connection, "deals", "deal_id", problems)
    _refuse_changes(connection, "deals", problems)
    _refuse_unknown_leads(connection, "deals", problems)
    _refuse_other_owners(connection, problems)
    _refuse_currencies(connection, problems)
    number, names = _found(connection, "SELECT deal_id FROM staged WHERE won AND amount IS NULL")
    if number:
        problems.add(
            "no-amount",
            "a deal that was won has its amount",
            f"{number:,} have none, e.g. {names}",
            "fill it in: 0 where a deal brings no money",
        )


def _refuse_other_owners(connection: Any, problems: Problems) -> None:
    """Adds a problem where a deal's organisation never had the deal's lead."""
    query = f"""
        SELECT DISTINCT s.deal_id FROM staged s SEMI JOIN {KNOWN_LEADS} k USING (lead_id)
        ANTI JOIN (
            SELECT o.lead_id, coalesce(c.organisation_id, o.organisation_id) AS owner
            FROM {OWNERS} o LEFT JOIN canonical c ON c.alias = o.organisation_id
        ) o ON o.lead_id = s.lead_id AND o.owner = coalesce(
            (SELECT c.organisation_id FROM canonical c WHERE c.alias = s.organisation_id), s.organisation_id
        )
    """
    with canonical(connection):
        number, names = _found(connection, query)
    if number:
        problems.add(
            "other-organisation",
            "a deal belongs to its lead's organisation",
            f"{number:,} deals name a lead of another one, e.g. {names}",
            "correct the deal; if the CRM merged the two, import that first: `leadlift import CONFIG aliases FILE`",
        )


def _refuse_currencies(connection: Any, problems: Problems) -> None:
    query = """
        SELECT currency, count(*) FROM (SELECT currency FROM staged UNION ALL SELECT currency FROM deals)
        WHERE currency IS NOT NULL GROUP BY currency ORDER BY count(*) DESC, currency
    """
    found = connection.execute(query).fetchall()
    if len(found) > 1:
        problems.add(
            "mixed-currencies",
            "all amounts are in one currency",
            listed([f"{currency} {n:,} deals" for currency, n in found]),
            "convert the amounts before the import",
        )


def _check_aliases(connection: Any, problems: Problems) -> None:
    _refuse_repeats(connection, "aliases", "alias", problems)
    _refuse_changes(connection, "aliases", problems)


CHECKS: Mapping[TableName, Callable[[Any, Problems], None]] = {
    "leads": _check_leads,
    "touches": _check_touches,
    "deals": _check_deals,
    "aliases": _check_aliases,
}
