"""Frames on their way into the ledger and out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd
import pyarrow as pa
from pandas.api import types

from leadlift.base.arrays import Column


def quoted(name: str) -> str:
    """A name as SQL has it.

    >>> print(quoted('a "b'))
    "a ""b"
    """
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as SQL has it.

    >>> print(text("it's"))
    'it''s'
    """
    return "'" + value.replace("'", "''") + "'"


def arrow_table(frame: pd.DataFrame) -> Any:
    """The frame as an Arrow table; NaN is a missing value."""
    return pa.table({str(name): _arrow_column(frame[name]) for name in frame.columns})


def _arrow_column(column: Column) -> Any:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        # Times through their UTC numbers: Arrow reads them in a way that pandas warns of.
        moments = column.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]").to_numpy()
        return pa.array(moments, type=pa.timestamp("us"), from_pandas=True).cast(pa.timestamp("us", "UTC"))
    return pa.array(column, from_pandas=True)


@contextmanager
def registered(connection: Any, name: str, table: Any) -> Iterator[None]:
    """A frame or Arrow table that SQL can read under a name."""
    table = table if isinstance(table, pa.Table) else arrow_table(table)
    connection.register(name, table)
    try:
        yield
    finally:
        connection.unregister(name)


def query_frame(connection: Any, query: str, values: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """What a query gives, as a frame; times in UTC, text as text."""
    frame: pd.DataFrame = connection.sql(query, params=dict(values) if values else None).to_arrow_table().to_pandas()
    texts = {name: frame[name].astype("str") for name in frame.columns if frame[name].dtype == object}
    return frame.assign(**texts) if texts else frame


def plain_feature(column: Column) -> Column:
    """A feature as the ledger keeps it: numbers as doubles, truths, text, times as ISO 8601 text in UTC.

    The same value is kept the same way whatever the file it came in: `3` in one export is `3.0` in the next as soon
    as one cell is empty.

    >>> plain_feature(pd.Series([3, 4])).tolist()
    [3.0, 4.0]
    """
    dtype = column.dtype
    if types.is_bool_dtype(dtype):
        return column.astype("boolean")
    if types.is_numeric_dtype(dtype):
        return column.astype("float64")
    if types.is_datetime64_any_dtype(dtype):
        return pd.to_datetime(column, utc=True).dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return column.astype("str").where(column.notna(), None)


def features_json(names: Sequence[str], prefix: str = "") -> str:
    """The SQL of one JSON text that holds these features, each in the column of its name after `prefix`.

    >>> features_json(["a"], "feature ")
    'to_json(struct_pack("a" := "feature a"))::VARCHAR'
    >>> features_json([])
    "'{}'"
    """
    if not names:
        return "'{}'"
    packed = ", ".join(f"{quoted(name)} := {quoted(prefix + name)}" for name in names)
    return f"to_json(struct_pack({packed}))::VARCHAR"


def feature_kind(found: Any) -> str:
    """The SQL type of a feature, from what `json_group_structure` found in it.

    >>> [feature_kind(found) for found in ("DOUBLE", "NULL", "BOOLEAN", "JSON")]
    ['DOUBLE', 'DOUBLE', 'BOOLEAN', 'VARCHAR']
    """
    if found in ("DOUBLE", "BIGINT", "UBIGINT", "HUGEINT", "NULL"):
        return "DOUBLE"
    return "BOOLEAN" if found == "BOOLEAN" else "VARCHAR"
