"""What can go wrong with the ledger's file, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leadlift.base.errors import FileError
from leadlift.base.problems import stop

WHERE = "the ledger"
BUSY = re.compile(r"Conflicting lock is held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")


def engine() -> Any:
    """DuckDB, loaded when it is first needed."""
    import duckdb

    return duckdb


def is_busy(error: Exception) -> bool:
    """Whether somebody else has the file open."""
    text = str(error)
    return "Could not set lock on file" in text or "different configuration than existing connections" in text


def busy(path: Path, wait: float, text: str) -> Exception:
    """The error that says who holds the ledger."""
    holder = BUSY.search(text)
    who = (
        "another part of this program" if holder is None else f"{Path(holder['program']).name}, process {holder['pid']}"
    )
    return stop(
        WHERE,
        "ledger-busy",
        "one process at a time has the ledger open",
        f"{path} was held by {who} for {wait:g} s",
        "wait until that process is done, or end it; `--wait` waits longer",
        FileError,
    )


@contextmanager
def said(path: Path) -> Iterator[None]:
    """Turns the engine's and the system's errors into words."""
    duck = engine()
    try:
        yield
    except duck.Error as error:
        raise _explained(path, str(error)) from error
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise _explained(path, f"{error.strerror or error}") from error


def _explained(path: Path, text: str) -> Exception:
    reason = text.strip().splitlines()[0].removeprefix("IO Error: ").replace(f'"{path}"', path.name)
    if "not a valid DuckDB database file" in text:
        code, rule, fix = "not-a-ledger", "the file is a ledger of leadlift", "name another file: `ledger: ...`"
        reason = f"{path} is no DuckDB file"
    elif "No space left" in text or "File too large" in text:
        code, rule, fix = "disk-full", "the disk has room for the ledger", "make room; the ledger is as it was before"
    elif "Could not read enough bytes" in text or "orrupt" in text or "checksum" in text.lower():
        code, rule, fix = "ledger-broken", "the ledger is whole", "bring it back from a copy: this one is cut short"
        reason = f"{path}: {reason}"
    elif "ermission denied" in text or "ead-only" in text:
        code, rule, fix = (
            "no-permission",
            "the ledger can be written",
            "check the permissions of the file and its folder",
        )
    else:
        code, rule, fix = "ledger", "the ledger can be used", "check the path, the space and the permissions"
    return stop(WHERE, code, rule, reason, fix, FileError)
