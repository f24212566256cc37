"""The chain: each batch of assignments carries a digest over itself and the one before, so that an edit is found."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadlift.base.errors import FileError
from leadlift.base.problems import stop
from leadlift.base.record import Record
from leadlift.data.ledger.failures import WHERE
from leadlift.data.ledger.opening import WAIT, reading
from leadlift.data.ledger.schema import secret_key

START = "0" * 64
CHUNK = 8192
SHOWN = 5

# What a row's hash covers, each as text that no version of the engine writes differently.
_COLUMNS = (
    "experiment",
    "round::VARCHAR",
    "lead_id",
    "organisation_id",
    "unit_id",
    "stratum",
    "printf('%.17g', score)",
    "score_group",
    "problem",
    "features",
    "treatment",
    "to_json(map_keys(propensities))::VARCHAR",
    "array_to_string(list_transform(map_values(propensities), lambda p: printf('%.17g', p)), ',')",
    "printf('%.17g', propensity_holdout)",
    "holdout::INTEGER::VARCHAR",
    "late::INTEGER::VARCHAR",
    "policy",
    "policy_run",
    "design_digest",
    "epoch_us(assigned_at)::VARCHAR",
    "hex(salt)",
)
ROW_HASH = f"sha256($key || to_json([{', '.join(_COLUMNS)}])::VARCHAR)"


@dataclass(frozen=True)
class ChainCheck(Record):
    """Whether the assignments are those that were appended.

    Attributes:
        batches: how many were appended.
        rows: assignments in them.
        forgotten: of these, erased on request; their hashes still stand for them.
        head: digest of the last batch, to be noted wherever the log is used.
        problems: what was edited, in words; none in a sound ledger.
    """

    batches: int
    rows: int
    forgotten: int
    head: str
    problems: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing was edited."""
        return not self.problems


def head(connection: Any) -> str:
    """Digest of the last batch; zeros before the first."""
    last = connection.execute("SELECT digest FROM batches ORDER BY batch DESC LIMIT 1").fetchall()
    return str(last[0][0]) if last else START


def append_staged(connection: Any, experiment: str, info: str) -> str:
    """Appends the rows of the temporary table `staged` as one batch; returns its digest.

    `staged` has the columns of `assignments` but batch, place, salt and row_hash. Its rows are kept in the order of
    `lead_id`, so that the order in which they came does not matter.
    """
    ((batch,),) = connection.execute("SELECT coalesce(max(batch), 0) + 1 FROM batches").fetchall()
    names = "experiment, round, lead_id, organisation_id, unit_id, stratum, score, score_group, problem, features, "
    names += (
        "treatment, propensities, propensity_holdout, holdout, late, policy, policy_run, design_digest, assigned_at"
    )
    ((added,),) = connection.execute(
        f"""
        INSERT INTO assignments
        SELECT *, {ROW_HASH} FROM (
            SELECT $batch::INTEGER, place, {names}, unhex(md5($secret || place)) AS salt
            FROM (SELECT *, row_number() OVER (ORDER BY lead_id) - 1 AS place FROM staged)
        ) ORDER BY place
        """,
        # A row's salt can't be found again once the row is gone: the secret it was made with is not kept.
        {"key": secret_key(connection), "batch": batch, "secret": secrets.token_hex(32)},
    ).fetchall()
    _refuse_lost(connection, added)
    previous, moment = head(connection), time.time_ns() // 1000
    chunks = _chunks(connection, "WHERE batch = $batch", {"batch": batch}).get(batch, [])
    digest = _digest(previous, batch, experiment, added, moment, info, chunks)
    values = [batch, experiment, added, moment, info, previous, digest]
    connection.execute("INSERT INTO batches VALUES (?, ?, ?, make_timestamptz(?), ?, ?, ?)", values)
    return digest


def _refuse_lost(connection: Any, added: int) -> None:
    """Raises FileError unless every row that was staged was written: a chain over fewer rows would look whole."""
    ((staged,),) = connection.execute("SELECT count(*) FROM staged").fetchall()
    if added != staged:
        rule, found = "every assignment of a draw is written", f"{added:,} of {staged:,} were"
        raise stop(WHERE, "rows-lost", rule, found, "nothing was kept; check the disk, and assign again", FileError)


def verify_ledger(path: str | Path, *, wait: float = WAIT) -> ChainCheck:
    """Recomputes every hash and digest, and says what is not as it was appended.

    Whoever edits the file and recomputes the chain with the key inside it is found by the head that each study logged.

    Raises:
        FileError: the ledger is held by another process, or can't be read.
    """
    with reading(Path(path), wait) as connection:
        return verify(connection)


def verify(connection: Any) -> ChainCheck:
    """The same on an open ledger."""
    batches = connection.execute(
        "SELECT batch, experiment, rows, epoch_us(appended_at), info, previous, digest FROM batches ORDER BY batch"
    ).fetchall()
    problems = _edited_rows(connection)
    held = dict(
        connection.execute(
            "SELECT batch, count(*) FROM (SELECT batch FROM assignments UNION ALL SELECT batch FROM forgotten)"
            " GROUP BY batch"
        ).fetchall()
    )
    chunks = _chunks(connection, "", {})
    before = START
    for place, (batch, experiment, rows, moment, info, previous, digest) in enumerate(batches, start=1):
        found = held.pop(batch, 0)
        if found != rows:
            problems.append(f"batch {batch} has {found:,} rows, {rows:,} were appended")
        if previous != before or batch != place:
            problems.append(f"batch {batch} does not follow on the one before it")
        if _digest(previous, batch, experiment, rows, moment, info, chunks.get(batch, [])) != digest:
            problems.append(f"batch {batch} is not the one that was appended: its digest differs")
        before = digest
    problems += [f"{n:,} rows belong to batch {batch}, which was never appended" for batch, n in sorted(held.items())]
    problems += _lost_heads(connection, {START, *(row[-1] for row in batches)})
    forgotten = connection.execute("SELECT count(*) FROM forgotten").fetchall()[0][0]
    return ChainCheck(len(batches), sum(row[2] for row in batches), forgotten, before, tuple(problems))


def _edited_rows(connection: Any) -> list[str]:
    query = f"SELECT batch, lead_id FROM assignments WHERE row_hash <> {ROW_HASH} ORDER BY batch, place"
    edited = connection.execute(query, {"key": secret_key(connection)}).fetchall()
    shown = [f"the assignment of lead {lead} in batch {batch} was edited" for batch, lead in edited[:SHOWN]]
    return shown if len(edited) <= SHOWN else [*shown, f"{len(edited) - SHOWN:,} more assignments were edited"]


def _lost_heads(connection: Any, heads: set[str]) -> list[str]:
    studies = connection.execute("SELECT run_id, chain_head FROM studies ORDER BY recorded_at, run_id").fetchall()
    return [
        f"study {run} rests on assignments that are no longer there" for run, known in studies if known not in heads
    ]


def _chunks(connection: Any, where: str, values: dict[str, Any]) -> dict[int, list[str]]:
    """A digest per chunk of rows, by batch: one text over all hashes of millions of rows would need their memory."""
    query = f"""
        SELECT batch, place // {CHUNK} AS chunk, sha256(string_agg(row_hash, '' ORDER BY place))
        FROM (
            SELECT batch, place, row_hash FROM assignments {where}
            UNION ALL SELECT batch, place, row_hash FROM forgotten {where}
        ) GROUP BY batch, chunk ORDER BY batch, chunk
    """
    found: dict[int, list[str]] = {}
    for batch, _, digest in connection.execute(query, values or None).fetchall():
        found.setdefault(batch, []).append(digest)
    return found


def _digest(previous: str, batch: int, experiment: str, rows: int, moment: int, info: str, chunks: list[str]) -> str:
    parts = [previous, str(batch), experiment, str(rows), str(moment), info, *chunks]
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()
