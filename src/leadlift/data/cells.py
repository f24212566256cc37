"""Cells as they come in: what can be read as an identifier, a time, a number or yes and no, and what it then is."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from leadlift.base.arrays import Column
from leadlift.data.columns import NO, YES

ZONED = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)")
PLAIN = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?")


def identifiers(column: Column) -> Column:
    """Identifiers as text: leading zeros and capitals kept, whole numbers without `.0`; blank ones are missing.

    >>> identifiers(pd.Series([7.0, None])).tolist(), identifiers(pd.Series(["007", "Ab", " "])).tolist()
    (['7', nan], ['007', 'Ab', nan])
    """
    if types.is_integer_dtype(column.dtype) or isinstance(column.dtype, pd.StringDtype):
        text = column.astype("str")
    else:
        text = column.map(_identifier, na_action="ignore").astype("str")
    return text.mask(column.isna() | (text.str.strip() == ""), np.nan)


def _identifier(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def times(column: Column, timezone: str | None = None) -> Column:
    """Times in UTC; what can't be read is missing. Those without a zone are taken to be in `timezone`, else UTC.

    An hour that a clock change repeats is taken to be the second one, and one that it leaves out the next.

    >>> times(pd.Series(["2026-01-02T10:00:00+01:00", "2026-01-02"]), "Europe/Berlin").astype(str).tolist()
    ['2026-01-02 09:00:00+00:00', '2026-01-01 23:00:00+00:00']
    >>> times(pd.Series(["02/01/2026", "2026-13-01"])).isna().tolist()
    [True, True]
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.tz_convert("UTC").astype("datetime64[us, UTC]")
    if types.is_datetime64_any_dtype(column.dtype):
        return _localised(column, timezone)
    if types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype):
        return pd.Series(pd.NaT, index=column.index, dtype="datetime64[us, UTC]")
    words = column.map(_word, na_action="ignore").astype("str").str.strip()
    zoned = words.str.fullmatch(ZONED).fillna(False).astype(bool)
    plain = words.str.fullmatch(PLAIN).fillna(False).astype(bool)
    known = pd.to_datetime(words.where(zoned), format="ISO8601", utc=True, errors="coerce").astype(
        "datetime64[us, UTC]"
    )
    local = pd.to_datetime(words.where(plain), format="ISO8601", errors="coerce")
    return known.where(zoned, _localised(local, timezone))


def _word(value: object) -> str:
    return str(value.isoformat() if hasattr(value, "isoformat") else value)


def _localised(column: Column, timezone: str | None) -> Column:
    second: Any = np.zeros(len(column), dtype=bool)
    zoned = column.dt.tz_localize(timezone or "UTC", ambiguous=second, nonexistent="shift_forward")
    return zoned.dt.tz_convert("UTC").astype("datetime64[us, UTC]")


def without_zone(column: Column) -> Column:
    """Which times carry no zone.

    >>> without_zone(pd.Series(["2026-01-02T10:00:00Z", "2026-01-02"])).tolist()
    [False, True]
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype) or types.is_numeric_dtype(column.dtype):
        return pd.Series(False, index=column.index)
    if types.is_datetime64_any_dtype(column.dtype):
        return column.notna()
    words = column.map(_word, na_action="ignore").astype("str").str.strip()
    return words.str.fullmatch(PLAIN).fillna(False).astype(bool)


def numbers(column: Column) -> Column:
    """Numbers as doubles; what can't be read is missing.

    >>> numbers(pd.Series(["1.5", "many"])).tolist()
    [1.5, nan]
    """
    if types.is_bool_dtype(column.dtype):
        return pd.Series(np.nan, index=column.index)
    return pd.to_numeric(column, errors="coerce").astype("float64")


def truths(column: Column) -> Column:
    """Yes and no as truths; what can't be read is missing.

    >>> truths(pd.Series(["won", "Lost", "perhaps"])).tolist()
    [True, False, <NA>]
    """
    if types.is_bool_dtype(column.dtype):
        return column.astype("boolean")
    if types.is_numeric_dtype(column.dtype):
        words = column.map({1: "1", 0: "0"})
    else:
        words = column.map(str, na_action="ignore").astype("str").str.strip().str.lower()
    known: Any = {**dict.fromkeys(YES, True), **dict.fromkeys(NO, False)}
    return words.map(known).astype("boolean")
