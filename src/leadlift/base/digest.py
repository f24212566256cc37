"""Digests that ignore row order and paths, so that equal studies have equal names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


def digest_of(value: Mapping[str, Any]) -> str:
    """Digest of a plain JSON value, whatever the order of its keys.

    >>> digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def frame_digest(frame: pd.DataFrame) -> str:
    """Digest of a frame's values by column name, whatever the order of its rows and columns."""
    hasher = hashlib.sha256()
    columns = sorted(map(str, frame.columns))
    hasher.update(json.dumps(columns).encode())
    row_hashes = np.zeros(len(frame), dtype=np.uint64)
    for name in columns:
        # Each column's hash is mixed with its position, so that swapping two columns shows.
        row_hashes = row_hashes * np.uint64(0x9E3779B97F4A7C15) + _hashes(frame[name])
    hasher.update(np.sort(row_hashes).tobytes())
    return hasher.hexdigest()[:16]


def _hashes(column: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        values = column.astype(object).where(column.notna(), None).map(repr).to_numpy(dtype=object)
    return pd.util.hash_array(values, categorize=True)
