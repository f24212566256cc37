"""Reads the table to import from CSV, Parquet or a DuckDB file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from leadlift.base.errors import FileError
from leadlift.base.problems import did_you_mean, stop
from leadlift.data.files import read_table
from leadlift.data.ledger.failures import engine, said
from leadlift.data.ledger.frames import query_frame, quoted

DUCKDB = (".duckdb", ".db")


def read_source(path: Path, table: str, text_columns: Iterable[str]) -> pd.DataFrame:
    """The rows of a CSV or Parquet file, or of the table of that name in a DuckDB file.

    Args:
        path: the file.
        table: the name of the table in a DuckDB file.
        text_columns: columns of a CSV file that stay text, so that identifiers keep their leading zeros.

    Raises:
        FileError: the file can't be read whole; nothing of it is used.
    """
    if not path.is_file():
        raise stop(f"the {table}", "no-file", "the file exists", f"{path} is not there", _near(path), FileError)
    if path.suffix.lower() not in DUCKDB:
        return read_table(path, text_columns)
    with said(path), engine().connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        names += [name for (name,) in connection.execute("SELECT view_name FROM duckdb_views()").fetchall()]
        if table not in names:
            raise stop(
                f"the {table}",
                "no-table",
                f"the file has a table `{table}`",
                f"{path.name} has none",
                did_you_mean(table, names),
                FileError,
            )
        return query_frame(connection, f"SELECT * FROM {quoted(table)}")


def _near(path: Path) -> str:
    if not path.parent.is_dir():
        return f"the folder {path.parent} is not there either; check the path"
    return did_you_mean(path.name, sorted(file.name for file in path.parent.iterdir() if file.is_file()))
