"""Times in a list of leads: each with its zone, or in the one the configuration names."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api import types

from leadlift.base.arrays import Column
from leadlift.base.problems import Problems, share

ZONE = r"(?:[Zz]|[+-]\d{2}:?\d{2})\s*$"


def utc_times(column: Column | None, timezone: str | None, problems: Problems) -> Column | None:
    """Times in UTC; those without a zone need the configuration's. None: there are none, or a problem was added."""
    if column is None:
        return None
    try:
        times = column if types.is_datetime64_any_dtype(column.dtype) else _from_text(column, timezone)
    except (ValueError, TypeError, AttributeError):
        fix = "write times as 2026-03-31T09:30:00Z"
        problems.add("time", f"`{column.name}` holds times", "values that are none", fix)
        return None
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        if timezone is not None:
            return _in_zone(times, timezone)
        found = f"none in {share(_without_zone(column), len(column))}"
        fix = "write it (2026-03-31T09:30:00Z), or say which one to assume: `leads: {timezone: Europe/Berlin}`"
        problems.add("time-zone", f"times in `{column.name}` have a zone", found, fix)
        return None
    return times.dt.tz_convert("UTC")


def _from_text(column: Column, timezone: str | None) -> Column:
    """Times with a zone where all have one, or where a zone is known for the others; else without."""
    zoned = column.str.contains(ZONE, na=False)
    bare = column.notna() & ~zoned
    if not bare.any():
        return pd.to_datetime(column, format="ISO8601", utc=True)
    if timezone is None or bare.all():
        return pd.to_datetime(column.where(bare), format="ISO8601")
    assumed = _in_zone(pd.to_datetime(column.where(bare), format="ISO8601"), timezone)
    return pd.to_datetime(column.where(zoned), format="ISO8601", utc=True).fillna(assumed)


def _in_zone(times: Column, timezone: str) -> Column:
    # An hour that clocks repeat is taken as its second pass: the later time, so that nothing is known too early.
    second = np.zeros(len(times), dtype=bool)
    return times.dt.tz_localize(timezone, ambiguous=second, nonexistent="shift_forward").dt.tz_convert("UTC")


def _without_zone(column: Column) -> int:
    if types.is_datetime64_any_dtype(column.dtype):
        return int(column.notna().sum())
    return int((column.notna() & ~column.str.contains(ZONE, na=False)).sum())
