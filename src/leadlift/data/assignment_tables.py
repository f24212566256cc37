"""Assignments as tables: wide propensities in frames and exports, one map column where they are kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leadlift.base.arrays import Column

PREFIX = "propensity_"
IDENTIFIERS = ("lead_id", "organisation_id", "unit_id", "stratum", "treatment")


def to_stored(frame: pd.DataFrame, arms: tuple[str, ...]) -> Any:
    """An Arrow table with one map column `propensities` in place of a column per arm.

    >>> frame = pd.DataFrame({"lead_id": ["1"], "propensity_control": [0.5], "propensity_call": [0.5]})
    >>> to_stored(frame, ("control", "call")).to_pylist()
    [{'lead_id': '1', 'propensities': [('control', 0.5), ('call', 0.5)]}]
    """
    wide = [f"{PREFIX}{arm}" for arm in arms]
    place = frame.columns.get_loc(wide[0])
    table = pa.table({str(name): _arrow(column) for name, column in frame.drop(columns=wide).items()})
    n, k = len(frame), len(arms)
    offsets = pa.array(np.arange(0, n * k + 1, k, dtype=np.int32))
    keys = pa.DictionaryArray.from_arrays(pa.array(np.tile(np.arange(k, dtype=np.int8), n)), pa.array(arms))
    values = pa.array(frame[wide].to_numpy(dtype=np.float64).ravel())
    maps = pa.MapArray.from_arrays(offsets, keys.cast(pa.string()), values)
    return table.add_column(place, "propensities", maps)


def _arrow(column: Column) -> Any:
    if not isinstance(column.dtype, pd.DatetimeTZDtype):
        return pa.array(column, from_pandas=True)
    # Times by their numbers: Arrow reads them in a way that pandas warns of.
    moments = column.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]").to_numpy()
    return pa.array(moments, type=pa.timestamp("us"), from_pandas=True).cast(pa.timestamp("us", "UTC"))


def from_stored(table: Any, arms: tuple[str, ...]) -> pd.DataFrame:
    """The frame of a kept table: text columns as text, the map opened into a column per arm; None: no rows."""
    if table is None:
        texts = {name: pd.Series(dtype="str") for name in IDENTIFIERS}
        return pd.DataFrame({**texts, "propensity_holdout": pd.Series(dtype=float), "holdout": pd.Series(dtype=bool)})
    values = table.column("propensities").combine_chunks().items.to_numpy(zero_copy_only=False)
    wide = values.reshape(-1, len(arms))
    columns: dict[str, Any] = {}
    for name in table.column_names:
        if name == "propensities":
            columns |= {f"{PREFIX}{arm}": wide[:, k] for k, arm in enumerate(arms)}
        elif name in IDENTIFIERS:
            columns[name] = table.column(name).cast(pa.large_string()).to_pandas()
        else:
            columns[name] = table.column(name).to_pandas()
    return pd.DataFrame(columns)
