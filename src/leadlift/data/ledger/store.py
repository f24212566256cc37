"""Assignments in the ledger, behind the same interface as those in a folder of files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from leadlift.base.problems import stop
from leadlift.data.assignment_tables import PREFIX, to_stored
from leadlift.data.assignments import DrawInfo, KeptAssignments
from leadlift.data.ledger.aliases import known_aliases
from leadlift.data.ledger.chain import append_staged
from leadlift.data.ledger.failures import WHERE, said
from leadlift.data.ledger.frames import (
    arrow_table,
    feature_kind,
    features_json,
    plain_feature,
    quoted,
    registered,
    text,
)
from leadlift.data.ledger.imports import ImportResult, Source, import_rows
from leadlift.data.ledger.opening import WAIT, reading, writing

# Column of the ledger -> what stands for it where a draw does not say.
COLUMNS: Mapping[str, str] = {
    "experiment": "",
    "round": "",
    "lead_id": "",
    "organisation_id": "",
    "unit_id": "",
    "stratum": "NULL::VARCHAR",
    "score": "NULL::DOUBLE",
    "score_group": "NULL::VARCHAR",
    "problem": "NULL::VARCHAR",
    "treatment": "",
    "propensities": "",
    "propensity_holdout": "0.0::DOUBLE",
    "holdout": "false",
    "late": "false",
    "policy": "NULL::VARCHAR",
    "policy_run": "NULL::VARCHAR",
    "design_digest": "NULL::VARCHAR",
    "assigned_at": "",
}
REQUIRED = tuple(name for name, instead in COLUMNS.items() if not instead)


@dataclass(frozen=True, eq=False)
class LeadRows:
    """Leads as an import takes them: rows as `read_columns` gives them, their features, and where they come from."""

    rows: pd.DataFrame
    features: pd.DataFrame | None
    source: Source


@dataclass(frozen=True)
class Appended:
    """Where a draw was added, and what became of its leads."""

    path: Path
    leads: ImportResult | None


@dataclass(frozen=True)
class LedgerAssignments(KeptAssignments):
    """All draws in a ledger at one moment; rows are read when they are asked for, and the ledger closed again."""

    ledger: Path = Path()
    wait: float = WAIT
    aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def merged(self) -> Mapping[str, str]:
        """Organisations that the CRM merged, each with what it is called now."""
        return self.aliases

    def _tables(self, experiment: str, columns: Sequence[str] | None) -> list[tuple[DrawInfo, Any]]:
        wanted = [(n, draw) for n, draw in enumerate(self.draws, start=1) if draw.experiment == experiment]
        if not wanted:
            return []
        with reading(self.ledger, self.wait) as connection:
            return [(draw, _batch(connection, n, columns)) for n, draw in wanted]


def _batch(connection: Any, number: int, columns: Sequence[str] | None) -> Any:
    """One draw's rows as an Arrow table; None: all columns, each feature in its own."""
    names = list(COLUMNS) if columns is None else list(columns)
    source = "FROM assignments WHERE batch = $batch"
    kinds = _feature_kinds(connection, source, number) if columns is None else {}
    opened = f", json_transform(features, {text(json.dumps(kinds))}) AS f" if kinds else ""
    selected = [*names, *(f"f.{quoted(name)} AS {quoted(name)}" for name in kinds)]
    query = f"SELECT {', '.join(selected)} FROM (SELECT * EXCLUDE (features){opened} {source}) ORDER BY place"
    return connection.sql(query, params={"batch": number}).to_arrow_table()


def _feature_kinds(connection: Any, source: str, number: int) -> dict[str, str]:
    query = f"SELECT json_group_structure(features::JSON)::VARCHAR {source}"
    ((structure,),) = connection.execute(query, {"batch": number}).fetchall()
    held = json.loads(structure) if structure else {}
    return {name: feature_kind(kind) for name, kind in held.items()} if isinstance(held, dict) else {}


class LedgerStore:
    """The assignments of a ledger: read them all, add a draw."""

    def __init__(self, path: str | Path, *, wait: float = WAIT) -> None:
        self.path = Path(path)
        self.wait = wait

    def read(self) -> LedgerAssignments:
        """What is kept now; nothing where there is no ledger yet.

        Raises:
            FileError: the ledger is held by another process, or can't be read.
        """
        if not self.path.exists():
            return LedgerAssignments((), (), self.path, self.wait)
        with reading(self.path, self.wait) as connection:
            infos = connection.execute("SELECT info FROM batches ORDER BY batch").fetchall()
            aliases = known_aliases(connection)
        draws = tuple(_draw(json.loads(info)) for (info,) in infos)
        return LedgerAssignments(draws, (self.path,) * len(draws), self.path, self.wait, aliases)

    def append(self, frame: pd.DataFrame, info: DrawInfo, *, after: KeptAssignments) -> Path | None:
        """Adds a draw; returns the ledger, or None when another process was faster: see `append_with_leads`."""
        added = self.append_with_leads(frame, info, after=after, leads=None)
        return None if added is None else added.path

    def append_with_leads(
        self, frame: pd.DataFrame, info: DrawInfo, *, after: KeptAssignments, leads: LeadRows | None
    ) -> Appended | None:
        """Adds a draw as one batch of the chain and the leads it was drawn from, whole or not at all.

        Args:
            frame: a row per lead: the columns of the `assignments` table, a `propensity_<arm>` each, the features.
                Without rows, only the leads are added.
            info: what the draw says of itself.
            after: what was kept when the draw was made.
            leads: all leads of the list; None: their table stays as it is.

        Returns:
            The ledger, and what became of the leads; None when another process wrote a draw since `after` was read:
            then read and draw again.

        Raises:
            FileError: the ledger can't be written; nothing is.
            DataError: a lead has an assignment of this experiment already.
        """
        with writing(self.path, self.wait) as connection:
            if connection.execute("SELECT count(*) FROM batches").fetchall()[0][0] != len(after.draws):
                return None
            imported = None
            if leads is not None:
                imported = import_rows(connection, "leads", leads.rows, leads.source, features=leads.features)
            if len(frame):
                append_frame(connection, frame, info)
        return Appended(self.path, imported)

    def check_writable(self) -> None:
        """Raises FileError if a draw could not be written, before anyone draws."""
        if self.path.exists():
            with writing(self.path, self.wait):
                pass
            return
        with said(self.path), tempfile.TemporaryFile(dir=self.path.absolute().parent):
            pass


def append_frame(connection: Any, frame: pd.DataFrame, info: DrawInfo) -> str:
    """Appends a draw inside the caller's transaction; returns the digest of its batch."""
    missing = [name for name in REQUIRED if name not in frame.columns and name != "propensities"]
    if missing:
        raise ValueError(f"a draw has the columns {', '.join(missing)}")
    taken = {*COLUMNS, *(f"{PREFIX}{arm}" for arm in info.arms)}
    features = [str(name) for name in frame.columns if name not in taken]
    wide = [f"{PREFIX}{arm}" for arm in info.arms]
    kept = frame.drop(columns=wide).assign(**{name: plain_feature(frame[name]) for name in features})
    table = arrow_table(kept).append_column(
        "propensities", to_stored(frame[["lead_id", *wide]], info.arms)["propensities"]
    )
    with registered(connection, "incoming", table):
        _refuse_assigned(connection)
        columns = ", ".join(_column(name, table) for name in COLUMNS)
        connection.execute(
            f"CREATE TEMP TABLE staged AS SELECT {columns}, {features_json(features)} AS features FROM incoming"
        )
    try:
        return append_staged(connection, info.experiment, json.dumps(asdict(info), sort_keys=True))
    finally:
        connection.execute("DROP TABLE staged")


def _column(name: str, table: pa.Table) -> str:
    if name in table.column_names:
        dictionary = pa.types.is_dictionary(table.schema.field(name).type)
        return f"{quoted(name)}::VARCHAR AS {name}" if dictionary else quoted(name)
    return f"{COLUMNS[name]} AS {name}"


def _refuse_assigned(connection: Any) -> None:
    query = """
        SELECT count(*), min(lead_id) FROM (
            SELECT lead_id FROM incoming GROUP BY lead_id HAVING count(*) > 1
            UNION ALL SELECT i.lead_id FROM incoming i SEMI JOIN assignments a
                ON a.lead_id = i.lead_id AND a.experiment = i.experiment::VARCHAR
        )
    """
    ((n, example),) = connection.execute(query).fetchall()
    if n:
        raise stop(
            WHERE,
            "assigned-twice",
            "a lead is assigned once in an experiment",
            f"{n:,} leads are assigned already, or twice in this draw, e.g. lead {example}",
            "leave them out: a lead keeps its first assignment",
        )


def _draw(held: dict[str, Any]) -> DrawInfo:
    cuts = held["score_cuts"]
    return DrawInfo(**{**held, "arms": tuple(held["arms"]), "score_cuts": None if cuts is None else tuple(cuts)})
