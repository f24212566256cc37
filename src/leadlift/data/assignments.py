"""Assignments without a ledger: a folder with a Parquet file per draw. Nothing of a draw depends on it.

A draw is one file that appears whole or not at all. Files are only ever added: draw 2 can be written by whoever has
read draw 1, and by no one who has not. So two processes can't both add what only one of them has seen.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from leadlift.base.arrays import Column
from leadlift.base.errors import FileError
from leadlift.base.problems import stop
from leadlift.data.assignment_tables import PREFIX, from_stored, to_stored

WHERE = "the kept assignments"
KEY = b"leadlift"
# What later draws ask of earlier ones; features stay on disk.
READ = (
    "lead_id",
    "organisation_id",
    "unit_id",
    "stratum",
    "treatment",
    "propensities",
    "propensity_holdout",
    "holdout",
)


@dataclass(frozen=True)
class DrawInfo:
    """What a draw says of itself beside its rows.

    `settings` are those that its propensities rest on. `score_cuts` are the cuts it used, frozen for the experiment.
    `holdout_until` is a day, YYYY-MM-DD.
    """

    experiment: str
    round: int
    salt: str
    arms: tuple[str, ...]
    settings: Mapping[str, Any]
    design_digest: str
    score_cuts: tuple[float, ...] | None
    holdout_until: str | None
    assigned_at: str


@dataclass(frozen=True)
class KeptAssignments:
    """All draws kept at one moment, in the order they were written.

    Attributes:
        draws: what each says of itself.
        paths: their files, in the same order.
    """

    draws: tuple[DrawInfo, ...]
    paths: tuple[Path, ...]

    @property
    def merged(self) -> Mapping[str, str]:
        """Organisations that the CRM merged, each with what it is called now."""
        return {}

    @cached_property
    def experiments(self) -> tuple[str, ...]:
        """Names of the experiments that drew, in order."""
        return tuple(dict.fromkeys(draw.experiment for draw in self.draws))

    def draws_of(self, experiment: str) -> list[DrawInfo]:
        """What the experiment's draws say of themselves."""
        return [draw for draw in self.draws if draw.experiment == experiment]

    def leads(self, experiment: str) -> pd.DataFrame:
        """What a later draw needs of the experiment's assignments: a row per lead, a `propensity_<arm>` per arm."""
        return self._rows(experiment, READ)

    def assigned(self, experiment: str) -> pd.DataFrame:
        """The experiment's assignments so far with all their columns, features included; as `leads` otherwise."""
        return self._rows(experiment, None)

    def organisations(self, experiment: str) -> pd.DataFrame:
        """Organisations of an experiment: `organisation_id`, `holdout`, `holdout_until` (text or None), once each."""
        parts = []
        for draw, table in self._tables(experiment, ("organisation_id", "holdout")):
            part = table.group_by(["organisation_id"]).aggregate([("holdout", "max")]).to_pandas()
            part.columns = ["organisation_id", "holdout"]
            parts.append(part.assign(holdout_until=draw.holdout_until))
        everyone: pd.DataFrame = pd.concat(parts, ignore_index=True)
        return self._renamed(everyone).drop_duplicates("organisation_id")

    def _rows(self, experiment: str, columns: Sequence[str] | None) -> pd.DataFrame:
        parts = [from_stored(table, draw.arms) for draw, table in self._tables(experiment, columns)]
        if not parts:
            return from_stored(None, ())
        kept: pd.DataFrame = pd.concat(parts, ignore_index=True)
        wide = [name for name in kept.columns if name.startswith(PREFIX)]
        # An arm that a round did not have.
        return self._renamed(kept.assign(**{name: kept[name].fillna(0.0) for name in wide}))

    def _renamed(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(organisation_id=self.names_now(frame["organisation_id"]))

    def names_now(self, organisations: Column) -> Column:
        """Organisations, merged ones under the name they have now."""
        merged = dict(self.merged)
        return organisations.map(lambda name: merged.get(name, name)).astype("str") if merged else organisations

    def _tables(self, experiment: str, columns: Sequence[str] | None) -> list[tuple[DrawInfo, Any]]:
        wanted = [(d, p) for d, p in zip(self.draws, self.paths, strict=True) if d.experiment == experiment]
        return [(draw, _read(path, columns)) for draw, path in wanted]


class AssignmentStore:
    """The assignments of a workspace: read them all, add a draw."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def read(self) -> KeptAssignments:
        """What is kept now.

        Raises:
            FileError: a draw is missing or can't be read.
        """
        try:
            paths = sorted(self.folder.glob("[0-9]*.parquet")) if self.folder.exists() else []
        except OSError as error:
            raise _file_error("readable", "the folder can be read", error, self.folder) from None
        for number, path in enumerate(paths, start=1):
            if path.name != _name(number):
                raise stop(
                    WHERE,
                    "draw-missing",
                    "draws are numbered without gaps",
                    f"{self.folder / _name(number)} is not there",
                    "bring the file back from a copy: a draw is never deleted",
                    FileError,
                )
        return KeptAssignments(tuple(map(_info, paths)), tuple(paths))

    def append(self, frame: pd.DataFrame, info: DrawInfo, *, after: KeptAssignments) -> Path | None:
        """Adds a draw, whole or not at all.

        Args:
            frame: a row per lead, with `propensity_<arm>` columns.
            info: what the draw says of itself.
            after: what was kept when the draw was made.

        Returns:
            The new file; None when another process wrote a draw since `after` was read: then read and draw again.

        Raises:
            FileError: the file can't be written; nothing is.
        """
        table = to_stored(frame, info.arms)
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), KEY: json.dumps(asdict(info)).encode()})
        target = self.folder / _name(len(after.paths) + 1)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return target if _write_once(table, target) else None
        except (OSError, pa.ArrowException) as error:
            raise _file_error("write", "assignments can be written", error, self.folder) from None

    def check_writable(self) -> None:
        """Raises FileError if a draw could not be written, before anyone draws."""
        try:
            place = next(path for path in (self.folder, *self.folder.absolute().parents) if path.exists())
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            raise _file_error("write", "assignments can be written", error, self.folder) from None


def _write_once(table: Any, target: Path) -> bool:
    """Writes the file under a name of its own, then gives it the target's name unless that is taken."""
    handle, name = tempfile.mkstemp(prefix=".draw-", suffix=".part", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            pq.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        # Unlike a rename, a link fails when the name is taken: that is what keeps two processes apart.
        os.link(temporary, target)
        return True
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)


def _name(number: int) -> str:
    return f"{number:06d}.parquet"


def _info(path: Path) -> DrawInfo:
    try:
        held = json.loads(pq.read_schema(path).metadata[KEY])
        cuts = held["score_cuts"]
        return DrawInfo(
            **{**held, "arms": tuple(held["arms"]), "score_cuts": None if cuts is None else tuple(cuts)},
        )
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise _file_error("readable", "every draw can be read", error, path) from None


def _read(path: Path, columns: Sequence[str] | None) -> Any:
    try:
        # Not as a data set: its folder's name says nothing about its columns.
        return pq.ParquetFile(path).read(columns=None if columns is None else list(columns))
    except (OSError, pa.ArrowException) as error:
        raise _file_error("readable", "every draw can be read", error, path) from None


def _file_error(code: str, rule: str, error: Exception, path: Path) -> Exception:
    said = getattr(error, "strerror", None) or str(error).split("\n", 1)[0] or type(error).__name__
    fix = "check the path, the space and the permissions" if code == "write" else "bring the file back from a copy"
    return stop(WHERE, code, rule, f"{path}: {said}", fix, FileError)
