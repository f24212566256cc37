"""The other view: non-negative factors of deals, made without the graph, held against the partition."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy import sparse

from leadlift.base.arrays import Codes
from leadlift.problems.stability import matched

STEPS = 200


def factor_labels(matrix: Any, many: int, *, seed: int) -> Codes:
    """Each product's strongest factor, shape (products,).

    Args:
        matrix: organisations x products, sparse.
        many: how many factors.
        seed: of the random start.

    References:
        Lee, Seung (1999), Learning the parts of objects by non-negative matrix factorization.
    """
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    values = sparse.csr_array(matrix, dtype=np.float64)
    values = values[np.diff(values.indptr) > 1]
    # Without equal scales popular products become factors of their own.
    popularity = np.maximum(np.asarray(values.sum(axis=0)), 1.0)
    scaled = sparse.csr_matrix(values @ sparse.diags_array(1.0 / np.sqrt(popularity)))
    factors = NMF(min(many, *scaled.shape), init="nndsvd", max_iter=STEPS, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        parts = factors.fit_transform(scaled)
    strength = factors.components_ * np.linalg.norm(parts, axis=0)[:, None]
    return np.asarray(strength.argmax(axis=0), dtype=np.intp)


def second_view(label: Codes, factor: Codes) -> Codes:
    """The factors renamed after the problems they match, -1 where a factor matches none, shape (products,)."""
    inside = np.where(label >= 0, factor, -1)
    match = matched(label, inside, least=0.0)
    back = np.full(int(factor.max(initial=-1)) + 1, -1, dtype=np.intp)
    back[match[match >= 0]] = np.flatnonzero(match >= 0)
    return back[factor]
