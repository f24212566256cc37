"""Reads a table from CSV or Parquet, whole or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from leadlift.base.errors import FileError
from leadlift.base.problems import listed, nearest, stop
from leadlift.data.csv_text import csv_frame, empty_file, first_line

PARQUET = (".parquet", ".pq")
TEXT = (".csv", ".tsv", ".txt", ".csv.gz")
# Where pandas keeps a frame's index; no column of the user's.
INDEX = re.compile(r"__index_level_\d+__")


def find_file(name: str, beside: Path | None, source: str | None = None) -> Path:
    """The path of a data file: beside the configuration, else in the folder LEADLIFT_DATA names.

    Raises:
        FileError: it is in neither place; the message says where to get it, if that is known.
    """
    places = [Path(name)] if Path(name).is_absolute() else [(beside or Path()) / name]
    folder = os.environ.get("LEADLIFT_DATA")
    if folder and not Path(name).is_absolute():
        places.append(Path(folder) / name)
    for place in places:
        if place.is_file():
            return place
    raise stop(
        "the data",
        "no-file",
        "the log's file exists",
        f"looked for {listed(places)}",
        _where_to_get(name, places, source, bool(folder)),
        FileError,
    )


def _where_to_get(name: str, places: list[Path], source: str | None, has_folder: bool) -> str:
    where = "put it into the folder LEADLIFT_DATA names" if has_folder else "set LEADLIFT_DATA to the folder with it"
    if source:
        return f"get it from {source}, and {where}"
    for place in places:
        if place.parent.is_dir():
            match = nearest(place.name, [p.name for p in place.parent.iterdir() if _is_table(p)])
            if match:
                return f"did you mean `{match}`?"
    return f"check `data.log`, or {where}"


def _is_table(path: Path) -> bool:
    return path.name.lower().endswith((*PARQUET, *TEXT))


def read_table(path: Path, text_columns: Iterable[str] = ()) -> pd.DataFrame:
    """The table in a CSV or Parquet file.

    CSV may start with a byte-order mark, be UTF-8, UTF-16 or Windows-1252, use commas, semicolons, tabs or bars
    between fields, and, unless those are commas, decimal commas.

    Args:
        path: the file.
        text_columns: columns kept as text, so that identifiers keep their leading zeros.

    Raises:
        FileError: the file can't be read whole; nothing of it is used.
    """
    if not _is_table(path):
        raise stop(
            "the data",
            "file-type",
            f"the log is one of {listed((*PARQUET, *TEXT))}",
            path.name,
            "export it as CSV or Parquet",
            FileError,
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise stop(
            "the data",
            "unreadable",
            "the file can be read",
            f"{path}: {error.strerror}",
            "check the permissions",
            FileError,
        ) from None
    if not content.strip():
        raise empty_file(path.name)
    if path.name.lower().endswith(PARQUET):
        return _parquet(content, path.name)
    return csv_frame(content, path.name, set(text_columns))


def _parquet(content: bytes, name: str) -> pd.DataFrame:
    try:
        # A column that pandas had as its index is a column like any other.
        frame: pd.DataFrame = pa.parquet.read_table(pa.BufferReader(content)).to_pandas(ignore_metadata=True)
        return frame.drop(columns=[column for column in frame.columns if INDEX.fullmatch(str(column))])
    except (pa.ArrowException, OSError) as error:
        raise stop(
            "the data",
            "parquet",
            "the Parquet file is whole",
            f"{name}: {first_line(error)}",
            "copy or export it again; it may be cut short",
            FileError,
        ) from None
