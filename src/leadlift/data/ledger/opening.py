"""Opens the ledger: waits for whoever holds it, makes or upgrades it, and says in words what is wrong with the file."""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlift.base.errors import FileError
from leadlift.base.problems import stop
from leadlift.data.ledger import schema
from leadlift.data.ledger.failures import WHERE, busy, engine, is_busy, said

if TYPE_CHECKING:
    import duckdb

WAIT = 10.0
# DuckDB keeps processes apart, not the threads of one.
_ONE_THREAD = threading.RLock()


@contextmanager
def reading(path: Path, wait: float = WAIT) -> Iterator[Any]:
    """A connection that can't change the ledger; close it before fitting anything.

    Raises:
        FileError: there is no ledger, it is held by another process, or can't be read.
    """
    if not path.exists():
        raise stop(
            WHERE, "no-ledger", "the ledger exists", f"{path} is not there", "import leads or assign first", FileError
        )
    with said(path), _current(path, wait, read_only=True) as connection:
        yield connection


@contextmanager
def writing(path: Path, wait: float = WAIT) -> Iterator[Any]:
    """A connection inside one transaction: all that is written is kept at the end, or nothing if anything fails.

    A ledger that is not there yet is made under another name and gets its own only when the transaction is kept.

    Raises:
        FileError: the ledger is held by another process, or can't be written.
    """
    if path.exists():
        with said(path), _current(path, wait, read_only=False) as connection, transaction(connection):
            yield connection
        return
    with said(path), _new_file(path) as temporary:
        with _connected(temporary, wait, read_only=False) as connection:
            with transaction(connection):
                schema.create_tables(connection)
                yield connection
            # All of it must stand in the one file that is published, nothing in a log beside it.
            connection.execute("CHECKPOINT")
        _publish(temporary, path)


def make_ledger(path: Path) -> None:
    """Makes an empty ledger, unless there is one.

    Raises:
        FileError: it can't be written, or what is there is no ledger.
    """
    with writing(path):
        pass


@contextmanager
def transaction(connection: Any) -> Iterator[None]:
    """Commits at the end; rolls back if anything is raised."""
    connection.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        # After a full disk there may be nothing left to roll back.
        with suppress(engine().Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def rewritten(path: Path, wait: float = WAIT) -> Iterator[Any]:
    """As `writing`, on a copy that is written anew and then takes the ledger's place: nothing deleted is left in it.

    Raises:
        FileError: the ledger is held by another process, or there is no room for two copies of it; it is as it was.
    """
    with said(path), _current(path, wait, read_only=False) as held, _new_file(path) as first:
        # Nothing of the old file may wait in its write-ahead log, which would outlive it.
        held.execute("CHECKPOINT")
        _copy(held, first)
        with _new_file(first) as second:
            with _connected(first, wait, read_only=False) as connection:
                with transaction(connection):
                    yield connection
                connection.execute("CHECKPOINT")
                # Deleted rows stay in the blocks of the first copy; the second holds only what is left.
                _copy(connection, second)
            shutil.copymode(path, second)
            # Under the old file's lock: whoever waits for it finds the new file.
            os.replace(second, path)


@contextmanager
def _connected(path: Path, wait: float, *, read_only: bool) -> Iterator[Any]:
    if not _ONE_THREAD.acquire(timeout=wait):
        raise busy(path, wait, "")
    try:
        connection = _connect(path, wait, read_only=read_only)
        try:
            connection.execute("SET TimeZone = 'UTC'")
            yield connection
        finally:
            connection.close()
    finally:
        _ONE_THREAD.release()


def _connect(path: Path, wait: float, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    duck = engine()
    until = time.monotonic() + wait
    while True:
        before = _file_number(path)
        try:
            connection: duckdb.DuckDBPyConnection = duck.connect(str(path), read_only=read_only)
        except (duck.IOException, duck.ConnectionException) as error:
            if not is_busy(error):
                raise
            if time.monotonic() >= until:
                raise busy(path, wait, str(error)) from None
        else:
            if before is None or _file_number(path) == before:
                return connection
            # The file was written anew between the look and the lock: this lock is on the one that is gone.
            connection.close()
        time.sleep(0.05)


def _file_number(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _current(path: Path, wait: float, *, read_only: bool) -> Iterator[Any]:
    """A connection to a ledger of this version; an older one is upgraded, after a copy was made beside it."""
    with _connected(path, wait, read_only=read_only) as connection:
        version = schema.version_of(connection)
        _refuse_others(path, version)
        if not read_only:
            _sweep(path)
        if version == schema.VERSION:
            yield connection
            return
    with _connected(path, wait, read_only=False) as connection:
        older = schema.version_of(connection)
        if older is not None and older < schema.VERSION:
            _copy_beside(connection, path, older)
            with transaction(connection):
                schema.migrate(connection, older)
    with _connected(path, wait, read_only=read_only) as connection:
        yield connection


def _refuse_others(path: Path, version: int | None) -> None:
    if version is None:
        raise stop(
            WHERE,
            "not-a-ledger",
            "the file is a ledger of leadlift",
            f"{path} is a DuckDB file with other tables",
            "name another file: `ledger: ...`",
            FileError,
        )
    if version > schema.VERSION:
        raise stop(
            WHERE,
            "ledger-newer",
            f"the ledger's version is {schema.VERSION} or older",
            f"{path} has version {version}",
            "install a newer leadlift",
            FileError,
        )


def copies_of(path: Path) -> list[Path]:
    """The copies that were made of this ledger when it was upgraded."""
    return sorted(path.parent.glob(f"{glob.escape(path.stem)}.version-*{glob.escape(path.suffix)}"))


def _copy_beside(connection: Any, path: Path, version: int) -> None:
    with _new_file(path) as temporary:
        _copy(connection, temporary)
        os.replace(temporary, path.with_name(f"{path.stem}.version-{version}{path.suffix}"))


def _copy(connection: Any, target: Path) -> None:
    # Never by reading the file: closing it anywhere in this process would drop DuckDB's lock on it.
    ((name,),) = connection.execute("SELECT current_database()").fetchall()
    connection.execute(f"ATTACH '{_quoted(target)}' AS leadlift_copy")
    connection.execute(f'COPY FROM DATABASE "{name}" TO leadlift_copy')
    connection.execute("DETACH leadlift_copy")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


@contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    """The name of a file that is not there yet, in a folder beside `path` that goes again."""
    prefix = f".leadlift-{path.name}-{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=path.absolute().parent) as folder:
        yield Path(folder) / path.name


def _sweep(path: Path) -> None:
    """Removes what killed processes left beside the ledger: a copy may still hold a client who was to be forgotten.

    The caller has the ledger to itself, so no copy of it is in use but those of processes that are about to make one.
    """
    sweep(path.absolute().parent, f".leadlift-{path.name}-")


def sweep(folder: Path, start: str) -> None:
    """Removes files and folders called `start`, a process number, a hyphen and more, of processes that are gone."""
    for left in folder.glob(f"{glob.escape(start)}*"):
        number = left.name.removeprefix(start).split("-", maxsplit=1)[0]
        if number.isdigit() and not _runs(int(number)):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _publish(temporary: Path, path: Path) -> None:
    try:
        # Unlike a rename, a link fails when the name is taken.
        os.link(temporary, path)
    except FileExistsError:
        raise stop(
            WHERE,
            "ledger-made",
            "one process makes the ledger",
            f"another process made {path} in the meantime",
            "run the command again",
            FileError,
        ) from None
