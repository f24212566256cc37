"""Imports: a file's rows against those the ledger has, whole or not at all, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from leadlift.base.problems import Problems
from leadlift.base.record import Record
from leadlift.data.contracts import CONTRACTS, TableName
from leadlift.data.ledger.aliases import merged_arms, refuse_circles
from leadlift.data.ledger.conflicts import CHECKS
from leadlift.data.ledger.frames import features_json, plain_feature, quoted, registered

COLUMNS: Mapping[TableName, tuple[str, ...]] = {
    table: tuple(column.name for column in fields) for table, fields in CONTRACTS.items()
}
# A feature may be called like a column of ours.
PREFIX = "feature "
TYPES: Mapping[str, str] = {"time": "TIMESTAMPTZ", "share": "DOUBLE", "money": "DOUBLE", "truth": "BOOLEAN"}


@dataclass(frozen=True)
class ImportResult(Record):
    """What an import did: `read = added + new_versions + unchanged + repeated`, or the record can't be made.

    Attributes:
        table: leads, touches, deals or aliases.
        file: its name.
        read: rows of the file.
        added: rows that the ledger did not have.
        new_versions: leads that it has with other data: the old version is kept.
        unchanged: rows that it has already.
        repeated: rows that the file holds twice.
        complete_until: deals only: until when the ledger's deals are complete, ISO 8601.
        notes: what else is worth knowing.
    """

    table: str
    file: str
    read: int
    added: int
    new_versions: int
    unchanged: int
    repeated: int
    complete_until: str | None = None
    notes: tuple[str, ...] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        if self.read != self.added + self.new_versions + self.unchanged + self.repeated:
            raise ValueError(f"the rows of {self.file} don't add up: {self.read:,} read")

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return self.added + self.new_versions > 0


@dataclass(frozen=True)
class Source:
    """Where rows come from: the file's name, when they are imported, until when deals are complete."""

    file: str
    now: pd.Timestamp
    complete_until: pd.Timestamp | None = None


def import_rows(
    connection: Any, table: TableName, frame: pd.DataFrame, source: Source, *, features: pd.DataFrame | None = None
) -> ImportResult:
    """Writes the rows that the ledger does not have, inside the caller's transaction.

    Args:
        connection: from `writing`.
        table: which table.
        frame: as `read_columns` gives it.
        source: of the rows.
        features: leads only: the features of the same rows.

    Raises:
        DataError: rows contradict each other or the ledger; every conflict is named.
    """
    _stage(connection, table, frame, features)
    try:
        problems = Problems(f"the {table}")
        CHECKS[table](connection, problems)
        problems.stop_if_any()
        ((staged,),) = connection.execute("SELECT count(*) FROM staged").fetchall()
        ((import_id,),) = connection.execute("SELECT coalesce(max(import_id), 0) + 1 FROM imports").fetchall()
        added, versions = WRITERS[table](connection, table, import_id, source)
    finally:
        connection.execute("DROP TABLE staged")
    until = _complete_until(connection, table, frame, source)
    if added + versions or until is not None:
        values = [import_id, table, source.file, len(frame), added + versions, _iso(source.now), _iso(until)]
        connection.execute("INSERT INTO imports VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    notes = tuple(merged_arms(connection)) if table == "aliases" else ()
    known = connection.execute("SELECT max(epoch_us(complete_until)) FROM imports").fetchall()[0][0]
    complete = None if table != "deals" or known is None else pd.Timestamp(known, unit="us", tz="UTC").isoformat()
    unchanged = staged - added - versions
    return ImportResult(
        table, source.file, len(frame), added, versions, unchanged, len(frame) - staged, complete, notes
    )


def _iso(moment: pd.Timestamp | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _complete_until(connection: Any, table: TableName, frame: pd.DataFrame, source: Source) -> pd.Timestamp | None:
    """Until when these deals are complete, if that is later than was known before."""
    if table != "deals" or source.complete_until is None:
        return None
    known = connection.execute("SELECT max(epoch_us(complete_until)) FROM imports").fetchall()[0][0]
    later = known is None or source.complete_until > pd.Timestamp(known, unit="us", tz="UTC")
    return source.complete_until if later else None


def _stage(connection: Any, table: TableName, frame: pd.DataFrame, features: pd.DataFrame | None) -> None:
    """The different rows of the file as a temporary table; leads with their features as one JSON text."""
    given = {} if features is None else {str(name): plain_feature(features[name]) for name in features.columns}
    whole = frame.assign(**{PREFIX + name: column for name, column in given.items()})
    columns = [
        quoted(c.name) if c.name in frame.columns else f"NULL::{TYPES.get(c.kind, 'VARCHAR')} AS {c.name}"
        for c in CONTRACTS[table]
    ]
    if table == "leads":
        columns.append(f"{features_json(list(given), PREFIX)} AS features")
    with registered(connection, "incoming", whole):
        connection.execute(f"CREATE TEMP TABLE staged AS SELECT DISTINCT {', '.join(columns)} FROM incoming")


def _write_leads(connection: Any, table: TableName, import_id: int, source: Source) -> tuple[int, int]:
    """Leads that are new, and new versions of known ones; a version is known from its `known_at` on.

    Without `known_at`, a lead's first version was known when the lead was created, and a later one from now on; so is
    the first where nothing says when the lead was created.
    """
    connection.execute(
        """
        CREATE TEMP TABLE fresh AS
        SELECT s.*, l.version AS last FROM staged s LEFT JOIN (
            SELECT * FROM leads
            QUALIFY row_number() OVER (PARTITION BY lead_id ORDER BY known_at DESC, version DESC) = 1
        ) l ON l.lead_id = s.lead_id
        WHERE CASE
            WHEN s.known_at IS NOT NULL
            THEN NOT EXISTS (FROM leads k WHERE k.lead_id = s.lead_id AND k.known_at = s.known_at)
            ELSE l.lead_id IS NULL OR row(l.organisation_id, l.product, l.created_at, l.score, l.problem, l.features)
                IS DISTINCT FROM row(s.organisation_id, s.product, s.created_at, s.score, s.problem, s.features)
        END
        """
    )
    ((added, rows),) = connection.execute(
        "SELECT count(DISTINCT lead_id) FILTER (last IS NULL), count(*) FROM fresh"
    ).fetchall()
    connection.execute(
        """
        INSERT INTO leads
        SELECT lead_id, (SELECT coalesce(max(version), 0) FROM leads l WHERE l.lead_id = f.lead_id)
            + row_number() OVER (PARTITION BY lead_id ORDER BY known_at), organisation_id, product, created_at, score,
            problem, features, coalesce(known_at, CASE WHEN last IS NULL THEN created_at END, $now::TIMESTAMPTZ),
            $import_id
        FROM fresh f ORDER BY lead_id, known_at
        """,
        {"now": source.now.isoformat(), "import_id": import_id},
    )
    connection.execute("DROP TABLE fresh")
    return added, rows - added


def _write_events(connection: Any, table: TableName, import_id: int, source: Source) -> tuple[int, int]:
    """Touches or deals whose identifiers the ledger does not have."""
    key = COLUMNS[table][0]
    fresh = f"FROM staged s ANTI JOIN {table} t ON t.{key} = s.{key}"
    ((added,),) = connection.execute(f"SELECT count(*) {fresh}").fetchall()
    connection.execute(
        f"INSERT INTO {table} SELECT {', '.join(COLUMNS[table])}, $import_id {fresh} ORDER BY {key}",
        {"import_id": import_id},
    )
    return added, 0


def _write_aliases(connection: Any, table: TableName, import_id: int, source: Source) -> tuple[int, int]:
    fresh = "FROM staged s ANTI JOIN aliases a ON a.alias = s.alias"
    ((added,),) = connection.execute(f"SELECT count(*) {fresh}").fetchall()
    connection.execute(
        f"INSERT INTO aliases SELECT alias, organisation_id, $now::TIMESTAMPTZ {fresh} ORDER BY alias",
        {"now": source.now.isoformat()},
    )
    refuse_circles(connection)
    return added, 0


WRITERS: Mapping[TableName, Callable[[Any, TableName, int, Source], tuple[int, int]]] = {
    "leads": _write_leads,
    "touches": _write_events,
    "deals": _write_events,
    "aliases": _write_aliases,
}
