"""The ledger's tables, their version, and how an older ledger becomes a current one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

VERSION = 1
FORMAT = "leadlift-ledger"

# No keys or indexes: uniqueness is held by the joins that every write makes, and an index over ten million touches
# would cost more than the touches.
TABLES: Mapping[str, str] = {
    "meta": "key VARCHAR NOT NULL, value VARCHAR NOT NULL",
    "imports": """import_id INTEGER NOT NULL, kind VARCHAR NOT NULL, file VARCHAR NOT NULL, read BIGINT NOT NULL,
        added BIGINT NOT NULL, imported_at TIMESTAMPTZ NOT NULL, complete_until TIMESTAMPTZ""",
    "leads": """lead_id VARCHAR NOT NULL, version INTEGER NOT NULL, organisation_id VARCHAR NOT NULL, product VARCHAR,
        created_at TIMESTAMPTZ, score DOUBLE, problem VARCHAR, features VARCHAR NOT NULL,
        known_at TIMESTAMPTZ NOT NULL, import_id INTEGER NOT NULL""",
    "batches": """batch INTEGER NOT NULL, experiment VARCHAR NOT NULL, rows BIGINT NOT NULL,
        appended_at TIMESTAMPTZ NOT NULL, info VARCHAR NOT NULL, previous VARCHAR NOT NULL, digest VARCHAR NOT NULL""",
    "assignments": """batch INTEGER NOT NULL, place BIGINT NOT NULL, experiment VARCHAR NOT NULL,
        round INTEGER NOT NULL, lead_id VARCHAR NOT NULL, organisation_id VARCHAR NOT NULL,
        unit_id VARCHAR NOT NULL, stratum VARCHAR, score DOUBLE, score_group VARCHAR, problem VARCHAR,
        features VARCHAR NOT NULL, treatment VARCHAR, propensities MAP(VARCHAR, DOUBLE) NOT NULL,
        propensity_holdout DOUBLE, holdout BOOLEAN NOT NULL, late BOOLEAN NOT NULL, policy VARCHAR,
        policy_run VARCHAR, design_digest VARCHAR, assigned_at TIMESTAMPTZ NOT NULL, salt BLOB NOT NULL,
        row_hash VARCHAR NOT NULL""",
    "forgotten": "batch INTEGER NOT NULL, place BIGINT NOT NULL, row_hash VARCHAR NOT NULL",
    "touches": """touch_id VARCHAR NOT NULL, lead_id VARCHAR NOT NULL, mechanic VARCHAR NOT NULL,
        touched_at TIMESTAMPTZ NOT NULL, cost DOUBLE NOT NULL, rep_id VARCHAR, import_id INTEGER NOT NULL""",
    "deals": """deal_id VARCHAR NOT NULL, organisation_id VARCHAR NOT NULL, product VARCHAR, lead_id VARCHAR,
        closed_at TIMESTAMPTZ NOT NULL, won BOOLEAN NOT NULL, amount DOUBLE, currency VARCHAR, known_at TIMESTAMPTZ,
        import_id INTEGER NOT NULL""",
    "studies": """run_id VARCHAR NOT NULL, experiment VARCHAR NOT NULL, log_digest VARCHAR NOT NULL,
        chain_head VARCHAR NOT NULL, rounds VARCHAR NOT NULL, effects VARCHAR NOT NULL,
        recorded_at TIMESTAMPTZ NOT NULL""",
    "aliases": "alias VARCHAR NOT NULL, organisation_id VARCHAR NOT NULL, recorded_at TIMESTAMPTZ NOT NULL",
}

# version -> the statements that make it the next one.
MIGRATIONS: Mapping[int, tuple[str, ...]] = {}


def create_tables(connection: Any) -> None:
    """Makes an empty ledger in an empty database."""
    for name, columns in TABLES.items():
        connection.execute(f"CREATE TABLE {name} ({columns})")
    meta = {"format": FORMAT, "version": str(VERSION), "key": secrets.token_hex(32)}
    connection.executemany("INSERT INTO meta VALUES (?, ?)", list(meta.items()))


def version_of(connection: Any) -> int | None:
    """The version of the ledger in this database; None where there is no ledger in it."""
    tables = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if "meta" not in tables:
        return None
    columns = {name for name, *_ in connection.execute("DESCRIBE meta").fetchall()}
    if columns != {"key", "value"}:
        return None
    held = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    return int(held["version"]) if held.get("format") == FORMAT and held.get("version", "").isdigit() else None


def migrate(connection: Any, version: int) -> None:
    """Brings a ledger of an older version to the current one; the caller holds the transaction."""
    for old in range(version, VERSION):
        for statement in MIGRATIONS[old]:
            connection.execute(statement)
    connection.execute("UPDATE meta SET value = ? WHERE key = 'version'", [str(VERSION)])


def secret_key(connection: Any) -> str:
    """The key of this ledger's row hashes."""
    ((key,),) = connection.execute("SELECT value FROM meta WHERE key = 'key'").fetchall()
    return str(key)
