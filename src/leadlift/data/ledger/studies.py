"""Studies that used the ledger: what later studies and audits build on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from leadlift.base.problems import stop
from leadlift.base.record import Record
from leadlift.base.records import Effect
from leadlift.data.ledger.failures import WHERE
from leadlift.data.ledger.opening import WAIT, reading, writing


@dataclass(frozen=True)
class RecordedStudy(Record):
    """One study: its run, the log it used, and the chain's head at that moment."""

    run_id: str
    experiment: str
    log_digest: str
    chain_head: str
    rounds: tuple[int, ...]
    effects: tuple[Any, ...] = ()


def record_study(
    path: str | Path,
    *,
    run_id: str,
    experiment: str,
    log_digest: str,
    chain_head: str,
    rounds: Sequence[int],
    effects: Sequence[Effect] = (),
    wait: float = WAIT,
) -> None:
    """Notes a study in the ledger; one that is noted already stays as it is.

    Raises:
        FileError: the ledger is held by another process, or can't be written.
        DataError: the ledger has no such head.
    """
    with writing(Path(path), wait) as connection:
        values: list[Any] = [run_id]
        ((known,),) = connection.execute("SELECT count(*) FROM studies WHERE run_id = ?", values).fetchall()
        if known:
            return
        ((heads,),) = connection.execute("SELECT count(*) FROM batches WHERE digest = ?", [chain_head]).fetchall()
        if not heads:
            raise stop(
                WHERE,
                "unknown-head",
                "a study used a log of this ledger",
                f"no batch has the digest {chain_head[:12]}...",
                "note the study in the ledger that its log came from",
            )
        values += [experiment, log_digest, chain_head, json.dumps(list(rounds))]
        values += [json.dumps([effect.to_dict() for effect in effects]), pd.Timestamp.now(tz="UTC").isoformat()]
        connection.execute("INSERT INTO studies VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def recorded_studies(path: str | Path, *, wait: float = WAIT) -> tuple[RecordedStudy, ...]:
    """The studies noted in the ledger, in the order in which they were noted.

    Raises:
        FileError: the ledger is held by another process, or can't be read.
    """
    query = """
        SELECT run_id, experiment, log_digest, chain_head, rounds, effects FROM studies ORDER BY recorded_at, run_id
    """
    with reading(Path(path), wait) as connection:
        rows = connection.execute(query).fetchall()
    return tuple(
        RecordedStudy(run, experiment, digest, head, tuple(json.loads(rounds)), tuple(json.loads(effects)))
        for run, experiment, digest, head, rounds, effects in rows
    )
