"""Text of a CSV file to typed columns: encodings, separators, quotes, decimal commas."""

from __future__ import annotations

import gzip
import io
import re
import zlib

import pandas as pd
import pyarrow as pa
import pyarrow.csv
from pandas.api.types import is_numeric_dtype as is_number

from leadlift.base.arrays import Column
from leadlift.base.errors import FileError
from leadlift.base.problems import listed, stop
from leadlift.data.columns import MISSING

BOOLEAN = {"true": True, "false": False}
DECIMAL_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?([eE][+-]?\d+)?")
TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(?P<zone>Z|[+-]\d\d:?\d\d)?)?")
HEADER = re.compile(r'(?:[^"\n]|"[^"]*")*')


def csv_frame(content: bytes, name: str, text_columns: set[str]) -> pd.DataFrame:
    """The table in a CSV file's content; `text_columns` stay text.

    Raises:
        FileError: it can't be read whole.
    """
    text = _decoded(content, name)
    if not text.strip():
        raise empty_file(name)
    separator = _separator(text)
    _refuse_broken_quotes(text, separator, name)
    return _typed(_table(text, separator, name), separator, text_columns)


def empty_file(name: str) -> Exception:
    """The error for a file that holds nothing."""
    return stop("the data", "empty-file", "the file holds a table", f"{name} is empty", "export it again", FileError)


def first_line(error: Exception) -> str:
    """The first line of another library's message."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no reason given"


def _table(text: str, separator: str, name: str) -> pa.Table:
    options = pa.csv.ParseOptions(delimiter=separator, newlines_in_values='"' in text)
    header = pa.csv.read_csv(io.BytesIO((_header(text) + "\n").encode()), parse_options=options).column_names
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
    types = pa.csv.ConvertOptions(
        column_types={column: pa.large_string() for column in header}, strings_can_be_null=False
    )
    try:
        return pa.csv.read_csv(io.BytesIO(text.encode()), parse_options=options, convert_options=types)
    except pa.ArrowException as error:
        raise stop(
            "the data",
            "csv",
            "every row of a CSV file has as many fields as the header",
            f"{name}: {_without_data(first_line(error))}",
            "mend that row, or quote fields that hold a separator",
            FileError,
        ) from None


def _header(text: str) -> str:
    match = HEADER.match(text.lstrip("\n"))
    return match.group() if match else ""


def _without_data(message: str) -> str:
    """The parser's message less the row it quotes, which may hold names."""
    match = re.search(r"(?:Row #\d+: )?Expected \d+ columns, got \d+", message)
    return match.group() if match else "the rows can't be told apart"


def _decoded(content: bytes, name: str) -> str:
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            raise stop(
                "the data",
                "gzip",
                "the compressed file is whole",
                f"{name} is cut short or damaged",
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
    header = re.sub(r'"[^"]*"', "", _header(text))
    return max([",", ";", "\t", "|"], key=header.count)


def _refuse_broken_quotes(text: str, separator: str, name: str) -> None:
    """Every quoted field must end where it should: a lone quote would silently swallow the rows after it."""
    if '"' not in text:
        return
    edge = re.escape(separator)
    whole = re.compile(rf'(?:(?<=[{edge}\n])|\A)"[^"]*(?:""[^"]*)*"(?=[{edge}\n]|\Z)')
    rest = whole.sub(lambda field: "\n" * field.group().count("\n"), text)
    broken = re.search(rf'(?:(?<=[{edge}\n])|\A)"', rest)
    if broken is None and rest.count('"') % 2:
        broken = re.search('"', rest)
    if broken is not None:
        line = rest.count("\n", 0, broken.start()) + 1
        raise stop(
            "the data",
            "csv-quote",
            "every quote in a CSV file is closed",
            f"{name}: a quote is left open, likely in line {line:,}",
            "close the quote, or double it inside a quoted field",
            FileError,
        )


def _typed(table: pa.Table, separator: str, text_columns: set[str]) -> pd.DataFrame:
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
    if present.str.lower().isin(BOOLEAN).all():
        return text.str.strip().str.lower().map(BOOLEAN).astype("boolean")
    numbers = _parse(present, decimal_comma)
    if numbers is None:
        times = _times(text, present)
        return _blank_to_missing(text) if times is None else times
    values = dict(zip(words[present.index], numbers, strict=True))
    parsed = text.map(values).astype(float)
    if len(present) == len(words) and bool((numbers == numbers.round()).all()) and numbers.abs().max() < 2**53:
        return parsed.astype("int64")
    return parsed


def _times(text: Column, present: Column) -> Column | None:
    """ISO 8601 dates and times as such, so that they mean what they would in Parquet."""
    found = [TIME.fullmatch(word) for word in present]
    zoned = [match is not None and match["zone"] is not None for match in found]
    if None in found or (any(zoned) and not all(zoned)):
        return None
    stripped = text.str.strip()
    filled = stripped.where(~stripped.str.lower().isin(MISSING), None)
    try:
        return pd.to_datetime(filled, format="ISO8601", utc=all(zoned))
    except ValueError:
        return None


def _parse(words: Column, decimal_comma: bool) -> Column | None:
    numbers = pd.to_numeric(words, errors="coerce")
    if not numbers.isna().any():
        return numbers.astype(float)
    if decimal_comma and words.map(lambda word: DECIMAL_COMMA.fullmatch(word) is not None).all():
        return pd.to_numeric(words.str.replace(".", "").str.replace(",", ".")).astype(float)
    return None
