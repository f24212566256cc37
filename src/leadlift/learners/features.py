"""Leads' features, encoded once, and LightGBM's bins of them, cut once for every fit on any of the rows."""

from __future__ import annotations

import threading
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from joblib import cpu_count

from leadlift.base.arrays import Codes, Floats
from leadlift.learners.encode import FeatureEncoder

# Without the filter a bin set serves any smallest leaf; the filter drops only features that no such leaf could use.
BINNING: dict[str, Any] = {"verbosity": -1, "deterministic": True, "force_row_wise": True, "feature_pre_filter": False}


class Features:
    """Encoded features of leads.

    Bins are cut from the features of all leads, as LightGBM does for one model. They know no outcome and no arm, so
    models that share them learn nothing of leads that they were not fitted on but where features lie.

    Args:
        X: features, shape (n, features): numbers or text, missing values allowed.
        encoder: fitted on other leads; None: fitted on these.

    >>> features = Features(pd.DataFrame({"channel": ["web", "phone"], "size": [1, None]}))
    >>> features.matrix()
    array([[ 1.,  1.],
           [ 0., nan]])
    """

    def __init__(self, X: Any, encoder: FeatureEncoder | None = None) -> None:
        self.encoder = FeatureEncoder().fit(X) if encoder is None else encoder
        self.frame = self.encoder.transform(X).reset_index(drop=True)
        self._lock = threading.Lock()
        self._bins: lgb.Dataset | None = None

    def __len__(self) -> int:
        return len(self.frame)

    def matrix(self, rows: Codes | slice = slice(None)) -> Floats:
        """Features of `rows` as numbers, shape (rows, features)."""
        return as_matrix(self.frame.iloc[rows])

    @property
    def bins(self) -> lgb.Dataset:
        """LightGBM's bins of all rows, made when first wanted, by any thread once."""
        with self._lock:
            if self._bins is None:
                self._bins = lgb.Dataset(
                    self.matrix(),
                    label=np.zeros(len(self), dtype=np.float32),
                    categorical_feature=_categorical(self.frame),
                    params={**BINNING, "num_threads": cpu_count()},
                ).construct()
            return self._bins


class Rows:
    """Some rows of features; their bins are copied when first wanted.

    A set of rows belongs to one thread: fits change the labels on its bins.
    """

    def __init__(self, features: Features, index: Codes) -> None:
        self.features = features
        self.index = index
        self._bins: lgb.Dataset | None = None
        self._columns: dict[int, Floats] = {}
        self._weighted = False

    def __len__(self) -> int:
        return len(self.index)

    def frame(self) -> pd.DataFrame:
        """The rows' encoded features, shape (rows, features)."""
        return self.features.frame.iloc[self.index]

    def column(self, j: int) -> Floats:
        """A feature that is a number, shape (rows,); read once."""
        if j not in self._columns:
            self._columns[j] = self.features.frame.iloc[:, j].to_numpy(dtype=np.float64)[self.index]
        return self._columns[j]

    def bins(self) -> lgb.Dataset:
        """The rows' bins, without labels of any meaning."""
        if self._bins is None:
            index = self.index.astype(np.int32)
            self._bins = self.features.bins.subset(index, params={**BINNING, "num_threads": 1}).construct()
        return self._bins

    def labelled(self, y: Floats, weight: Floats | None) -> lgb.Dataset:
        """The rows' bins with outcomes and weights, for one fit."""
        if weight is None and self._weighted:
            self._bins = None  # LightGBM has no way to take weights off
        bins = self.bins().set_label(y)
        self._weighted = weight is not None
        return bins if weight is None else bins.set_weight(weight)


def as_matrix(frame: pd.DataFrame) -> Floats:
    """Encoded features as LightGBM numbers them, shape (n, features): categories by code, missing as NaN."""
    categorical = _categorical(frame)
    if not categorical:
        return frame.to_numpy(dtype=np.float64)
    matrix = np.empty(frame.shape, order="F")
    for j, name in enumerate(frame.columns):
        column = frame[name]
        matrix[:, j] = _codes(column) if j in categorical else column.to_numpy(dtype=np.float64)
    return matrix


def _codes(column: pd.Series[Any]) -> Floats:
    codes = column.cat.codes.to_numpy()
    return np.where(codes < 0, np.nan, codes.astype(np.float64))


def _categorical(frame: pd.DataFrame) -> list[int]:
    return [j for j, dtype in enumerate(frame.dtypes) if isinstance(dtype, pd.CategoricalDtype)]
