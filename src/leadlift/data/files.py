"""Reads a table from CSV or Parquet, whole or not at all."""

from __future__ import annotations

import gzip
import io
import os
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from pandas.api.types import is_numeric_dtype as is_number

from leadlift.base.arrays import Column
from leadlift.base.errors import FileError
from leadlift.base.problems import listed, nearest, stop

PARQUET = (".parquet", ".pq")
TEXT = (".csv", ".tsv", ".txt", ".csv.gz")
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "#n/a"})
DECIMAL_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?([eE][+-]?\d+)?")


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
    for place in places:
        if place.parent.is_dir():
            match = nearest(place.name, [p.name for p in place.parent.iterdir() if _is_table(p)])
            if match:
                return f"did you mean `{match}`?"
    where = "LEADLIFT_DATA names another folder" if has_folder else "set LEADLIFT_DATA to the folder that holds it"
    return f"get it from {source}, and {where}" if source else f"check `data.log`, or {where}: {name}"


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
        raise stop(
            "the data", "empty-file", "the file holds a table", f"{path.name} is empty", "export it again", FileError
        )
    if path.name.lower().endswith(PARQUET):
        return _parquet(content, path.name)
    return _typed(_csv(content, path.name), set(text_columns))


def _parquet(content: bytes, name: str) -> pd.DataFrame:
    try:
        frame: pd.DataFrame = pa.parquet.read_table(pa.BufferReader(content)).to_pandas()
        return frame
    except (pa.ArrowException, OSError) as error:
        raise stop(
            "the data",
            "parquet",
            "the Parquet file is whole",
            f"{name}: {_first_line(error)}",
            "copy or export it again; it may be cut short",
            FileError,
        ) from None


def _csv(content: bytes, name: str) -> tuple[pa.Table, str]:
    text = _decoded(content, name)
    separator = _separator(text)
    if text.count('"') % 2:
        raise stop(
            "the data",
            "csv-quote",
            "every quote in a CSV file is closed",
            f"{name}: {_open_quote(text, separator)}",
            "close the quote, or double it inside a quoted field",
            FileError,
        )
    header = pa.csv.read_csv(
        io.BytesIO(text.split("\n", 1)[0].encode() + b"\n"), parse_options=pa.csv.ParseOptions(delimiter=separator)
    ).column_names
    repeated = sorted({column for column in header if header.count(column) > 1})
    if repeated:
        raise stop(
            "the data",
            "csv-header",
            "column names differ",
            f"{name}: {listed(repeated)} more than once",
            "rename the columns",
            FileError,
        )
    try:
        table = pa.csv.read_csv(
            io.BytesIO(text.encode()),
            parse_options=pa.csv.ParseOptions(delimiter=separator, newlines_in_values='"' in text),
            convert_options=pa.csv.ConvertOptions(
                column_types={column: pa.large_string() for column in header}, strings_can_be_null=False
            ),
        )
    except pa.ArrowException as error:
        raise stop(
            "the data",
            "csv",
            "every row of a CSV file has as many fields as the header",
            f"{name}: {_without_data(_first_line(error))}",
            "mend that row, or quote fields that hold a separator",
            FileError,
        ) from None
    return table, separator


def _without_data(message: str) -> str:
    """The parser's message less the row it quotes, which may hold names."""
    return re.sub(r"(got \d+):.*", r"\1", message)


def _decoded(content: bytes, name: str) -> str:
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError) as error:
            raise stop(
                "the data",
                "gzip",
                "the compressed file is whole",
                f"{name}: {_first_line(error)}",
                "copy it again",
                FileError,
            ) from None
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        codecs = ["utf-16"]
    elif content[1:2] == b"\0" or content[:1] == b"\0":
        codecs = ["utf-16-le" if content[1:2] == b"\0" else "utf-16-be"]
    else:
        codecs = ["utf-8-sig", "cp1252"]
    for codec in codecs:
        try:
            return content.decode(codec).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            continue
    raise stop(
        "the data",
        "encoding",
        "text is UTF-8, UTF-16 or Windows-1252",
        f"{name} is none of them",
        "export it as UTF-8",
        FileError,
    )


def _separator(text: str) -> str:
    header = re.sub(r'"[^"]*"', "", text.split("\n", 1)[0])
    return max([",", ";", "\t", "|"], key=header.count)


def _open_quote(text: str, separator: str) -> str:
    """Where a quote was most likely left open: the first line with an odd number of them."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count('"') % 2:
            return f"a quote is left open, likely in line {number:,}"
    return "a quote is left open"


def _typed(read: tuple[pa.Table, str], text_columns: set[str]) -> pd.DataFrame:
    table, separator = read
    columns = {}
    for name in table.column_names:
        text = table.column(name).to_pandas()
        columns[name] = _blank_to_missing(text) if name in text_columns else _number_or_text(text, separator != ",")
    if separator != ",":
        _refuse_ambiguous(table, columns)
    return pd.DataFrame(columns)


def _refuse_ambiguous(table: pa.Table, columns: dict[str, Column]) -> None:
    """Where some columns have decimal commas, `1.234` in another may mean 1234: better to ask than to guess."""
    texts = {
        name: pd.Series(table.column(name).to_pandas().unique()).dropna() for name, c in columns.items() if is_number(c)
    }
    if not any(text.str.contains(",", regex=False).any() for text in texts.values()):
        return
    for name, text in texts.items():
        filled = text[~text.str.strip().str.lower().isin(MISSING)]
        if len(filled) and filled.str.fullmatch(r"\s*[+-]?\d{1,3}(\.\d{3})+\s*").all():
            raise stop(
                "the data",
                "csv-number",
                "numbers are written one way throughout the file",
                f"`{name}` holds numbers such as 1.234 while other columns have decimal commas",
                "write thousands without a separator",
                FileError,
            )


def _blank_to_missing(text: Column) -> Column:
    return text.where(text.str.strip() != "", None)


def _number_or_text(text: Column, decimal_comma: bool) -> Column:
    words = pd.Series(text.unique()).dropna()
    stripped = words.str.strip()
    present = stripped[~stripped.str.lower().isin(MISSING)]
    if present.empty:
        return pd.Series(float("nan"), index=text.index)
    numbers = _parse(present, decimal_comma)
    if numbers is None:
        return _blank_to_missing(text)
    values = dict(zip(words[present.index], numbers, strict=True))
    parsed = text.map(values).astype(float)
    if len(present) == len(words) and bool((numbers == numbers.round()).all()) and numbers.abs().max() < 2**53:
        return parsed.astype("int64")
    return parsed


def _parse(words: Column, decimal_comma: bool) -> Column | None:
    numbers = pd.to_numeric(words, errors="coerce")
    if not numbers.isna().any():
        return numbers.astype(float)
    if decimal_comma and words.map(lambda word: DECIMAL_COMMA.fullmatch(word) is not None).all():
        return pd.to_numeric(words.str.replace(".", "").str.replace(",", ".")).astype(float)
    return None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
