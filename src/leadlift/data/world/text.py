"""Identifiers and words as pandas text columns, made without a loop over rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.extensions import ExtensionArray


def identifiers(prefix: str, numbers: npt.NDArray[np.int64], digits: int = 7) -> ExtensionArray:
    """Text such as `lead-0000012` for each whole number, as one text column.

    >>> list(identifiers("lead-", np.array([12, 3])))
    ['lead-0000012', 'lead-0000003']
    """
    largest = int(numbers.max(initial=0))
    digits = max(digits, len(str(largest)))
    padded = pd.Series(numbers + 10**digits).astype("str").str.slice(1)
    return (prefix + padded).array


def words(names: Sequence[str], codes: npt.NDArray[np.int64]) -> ExtensionArray:
    """The name that each code points at; code -1 is a missing value.

    >>> pd.Series(words(["a", "b"], np.array([1, -1, 0]))).fillna("?").tolist()
    ['b', '?', 'a']
    """
    return pd.array(list(names), dtype="str").take(codes, allow_fill=True)


def seconds(start: str | pd.Timestamp, after: npt.NDArray[np.float64]) -> pd.Series:
    """Moments `after` so many days from `start`, to the second, in UTC.

    >>> seconds("2024-01-01", np.array([0.5])).iloc[0].isoformat()
    '2024-01-01T12:00:00+00:00'
    """
    origin = pd.Timestamp(start).tz_localize(None).to_datetime64().astype("datetime64[s]")
    moments = origin + np.floor(after * 86_400).astype("timedelta64[s]")
    return pd.Series(moments.astype("datetime64[us]")).dt.tz_localize("UTC")
