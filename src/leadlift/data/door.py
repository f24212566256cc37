"""The door: frames of any kind come in through Narwhals and become pandas, and go out as what came in."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa

from leadlift.base.arrays import Column
from leadlift.base.errors import DataError
from leadlift.base.problems import stop


def to_pandas(frame: Any) -> pd.DataFrame:
    """A pandas frame with the values of a pandas, Polars, Arrow or DuckDB one, its index dropped.

    Whatever the frame, equal values come out equal: Python objects become booleans, numbers and times.

    Raises:
        DataError: it is none of them.
    """
    if isinstance(frame, pd.DataFrame):
        return _plain(frame.reset_index(drop=True))
    native = _native(frame)
    eager = native.collect() if isinstance(native, nw.LazyFrame) else native
    return _plain(eager.to_pandas().reset_index(drop=True))


def _native(frame: Any) -> Any:
    try:
        return nw.from_native(frame)
    except TypeError:
        raise stop(
            "the data",
            "frame",
            "the log is a pandas, Polars or Arrow frame or a DuckDB relation",
            "found something else",
            "turn it into one of them, or name a file",
            DataError,
        ) from None


def like_frame(table: pd.DataFrame, like: Any) -> Any:
    """A pandas table as a frame of the same library as `like`: pandas, Polars or Arrow; Arrow for DuckDB.

    >>> import polars as pl
    >>> like_frame(pd.DataFrame({"arm": ["call"], "effect": [0.02]}), pl.DataFrame()).row(0)
    ('call', 0.02)

    Raises:
        DataError: `like` is none of them.
    """
    if like is None or isinstance(like, pd.DataFrame):
        return table
    backend = _native(like).implementation
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    if backend not in (nw.Implementation.PANDAS, nw.Implementation.POLARS):
        return arrow
    return nw.from_arrow(arrow, backend=backend).to_native()


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.rename(columns=str)
    if not frame.columns.is_unique:
        return frame
    changed = {name: _without_objects(frame[name]) for name in frame.columns if frame[name].dtype == object}
    return frame.assign(**changed) if changed else frame


def _without_objects(column: Column) -> Column:
    """A column of Python objects as what they are: booleans with gaps, decimals, dates, or text."""
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind == "boolean":
        return column.astype("boolean")
    if kind == "integer":
        return _whole(column)
    if kind in ("decimal", "floating", "mixed-integer-float"):
        return column.astype(float)
    if kind in ("date", "datetime"):
        return pd.to_datetime(column, utc=kind == "datetime")
    return column.map(_hashable, na_action="ignore") if kind in ("bytes", "mixed") else column


def _hashable(value: Any) -> Any:
    """Text in bytes as text; lists and the like, which no label or feature can be, as the text that shows them."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, Hashable) else repr(value)


def _whole(column: Column) -> Column:
    try:
        return column.astype("Int64")
    except (OverflowError, TypeError, ValueError):
        return column.map(str, na_action="ignore")
