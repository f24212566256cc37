"""Features as LightGBM takes them: numbers, dates as days, and text as categories fixed at fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types
from scipy.sparse import issparse

from leadlift.base.errors import NotFittedError
from leadlift.base.problems import listed, stop
from leadlift.data.door import to_pandas


class FeatureEncoder:
    """Turns text columns into categories that stay those of the rows it was fitted on; the rest are numbers or dates.

    Missing values pass through, and so do, as missing, categories never seen at fit. Pandas 3 text would fail in
    LightGBM, and pandas categories taken anew from each frame would silently number themselves anew. A category of
    whole numbers is the same as integers, as floats beside gaps, and as text. Dates become days since 1970.

    >>> encoder = FeatureEncoder().fit(pd.DataFrame({"channel": ["web", "phone"], "size": [1, 2]}))
    >>> encoder.transform(pd.DataFrame({"channel": ["post", "web"], "size": [3, None]})).to_dict("list")
    {'channel': [nan, 'web'], 'size': [3.0, nan]}
    """

    categories: dict[str, pd.Index[Any]]
    columns: list[str]
    dates: frozenset[str]

    def fit(self, X: Any) -> FeatureEncoder:
        """Learns the columns of `X`, shape (n, features), and the categories of its text columns."""
        frame = as_frame(X)
        twice = frame.columns[frame.columns.duplicated()].unique()
        if len(twice):
            rule = "every feature has a name of its own"
            raise stop("the features", "duplicate-column", rule, f"twice: {listed(twice)}", "rename or drop one")
        self.columns = list(frame.columns)
        self.dates = frozenset(name for name in frame.columns if types.is_datetime64_any_dtype(frame[name].dtype))
        self.categories = {
            name: pd.Index(sorted(_as_text(frame[name]).dropna().unique()))
            for name in frame.columns
            if name not in self.dates and not _is_number(frame[name])
        }
        return self

    def transform(self, X: Any) -> pd.DataFrame:
        """The columns learnt at fit, in their order, shape (n, features).

        Raises:
            NotFittedError: called before fit.
            DataError: a column learnt at fit is not there.
        """
        if not hasattr(self, "columns"):
            raise NotFittedError("the features' categories are fixed at fit: call fit first")
        frame = as_frame(X)
        missing = [name for name in self.columns if name not in frame.columns]
        if missing:
            raise stop("the features", "missing-column", "every feature of the fit is there", listed(missing), "add it")
        return pd.DataFrame({name: self._encoded(name, frame[name]) for name in self.columns}, index=frame.index)

    def _encoded(self, name: str, column: pd.Series[Any]) -> pd.Series[Any]:
        if name not in self.categories:
            return self._number(name, column)
        codes = self.categories[name].get_indexer(pd.Index(_as_text(column)))
        return pd.Series(pd.Categorical.from_codes(codes, categories=self.categories[name]), index=column.index)

    def _number(self, name: str, column: pd.Series[Any]) -> pd.Series[Any]:
        kind = "date" if name in self.dates else "number"
        try:
            return _days(column) if kind == "date" else column.astype(np.float64)
        except (TypeError, ValueError):
            raise stop(
                "the features",
                "text-in-number",
                "a feature is of the kind it was at fit",
                f"`{name}` was a {kind} and now holds {'no dates' if kind == 'date' else 'text'}",
                f"write {kind}s, or leave the cell empty",
            ) from None


def as_frame(X: Any) -> pd.DataFrame:
    """Features as a pandas frame with text column names; arrays get the names x0, x1, ..."""
    if isinstance(X, pd.DataFrame):
        return to_pandas(X).set_index(X.index)
    if not is_array(X):
        return to_pandas(X)
    if issparse(X):
        found = f"a sparse matrix of shape {X.shape}"
        raise stop("the features", "sparse", "features are dense: sparse input is not supported", found, "densify it")
    values = np.asarray(X)
    if values.ndim != 2:
        rule = "features have shape (n, features)"
        raise stop("the features", "shape", rule, f"shape {values.shape}", "Reshape your data: one row per lead")
    if values.dtype.kind == "c":
        found = "complex numbers: Complex data not supported"
        raise stop("the features", "complex", "features are real numbers or text", found, "split them in two features")
    return pd.DataFrame(values, columns=[f"x{j}" for j in range(values.shape[1])])


def is_array(X: Any) -> bool:
    """Whether features come without names."""
    return isinstance(X, np.ndarray) or not hasattr(type(X), "columns")  # a lazy frame would be asked for them


def _is_number(column: pd.Series[Any]) -> bool:
    return types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype)


def _as_text(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column as text, None where missing: 10.0, as whole numbers are read beside gaps, is `10`."""
    return column.astype(object).where(column.notna(), None).map(_text, na_action="ignore")


def _text(value: Any) -> str:
    whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if whole else str(value)


def _days(column: pd.Series[Any]) -> pd.Series[Any]:
    if column.isna().all():
        return pd.Series(np.nan, index=column.index)
    if not types.is_datetime64_any_dtype(column.dtype):
        raise TypeError("no dates")
    days = (pd.to_datetime(column, utc=True) - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
    return days.astype(np.float64)
