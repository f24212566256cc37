"""The door: frames of any kind come in through Narwhals and become pandas."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pandas as pd

from leadlift.base.errors import DataError
from leadlift.base.problems import stop


def to_pandas(frame: Any) -> pd.DataFrame:
    """A pandas frame with the values of a pandas, Polars, Arrow or DuckDB one, its index dropped.

    Raises:
        DataError: it is none of them.
    """
    if isinstance(frame, pd.DataFrame):
        return frame.reset_index(drop=True)
    try:
        native = nw.from_native(frame)
    except TypeError:
        raise stop(
            "the data",
            "frame",
            "the log is a pandas, Polars or Arrow frame or a DuckDB relation",
            f"found {type(frame).__name__}",
            "turn it into one of them, or name a file",
            DataError,
        ) from None
    eager = native.collect() if isinstance(native, nw.LazyFrame) else native
    return eager.to_pandas().reset_index(drop=True)
