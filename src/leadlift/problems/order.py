"""The best of many, and how good an order was."""

from __future__ import annotations

from typing import Any

import numpy as np

from leadlift.base.arrays import Codes, Floats

K = 10


def best_first(chance: Floats, k: int) -> Codes:
    """The k largest of each row, the largest first; ties by column, shape (rows, k).

    >>> best_first(np.array([[0.1, 0.4, 0.2, 0.3]]), 2).tolist()
    [[1, 3]]
    """
    cut = chance.shape[1] - k
    top = np.argpartition(chance, cut, axis=1)[:, cut:] if cut > 0 else np.tile(np.arange(k), (len(chance), 1))
    top.sort(axis=1)
    order = np.argsort(-np.take_along_axis(chance, top, axis=1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(top, order, axis=1), dtype=np.intp)


def recall_and_ndcg(chance: Floats, later: Any) -> tuple[Floats, Floats]:
    """recall@10 (of at most ten later deals) and NDCG@10 of each organisation.

    Args:
        chance: what products are ordered by, shape (organisations, products).
        later: what organisations bought, one product or more each, sparse, the same shape.

    References: Järvelin, Kekäläinen (2002), Cumulated gain-based evaluation of IR techniques.
    """
    k = min(K, chance.shape[1])
    many = np.diff(later.indptr)
    bought = np.zeros(chance.shape, dtype=bool)
    bought[np.repeat(np.arange(len(many)), many), later.indices] = True
    hit = np.take_along_axis(bought, best_first(chance, k), axis=1)
    most = np.minimum(many, k)
    discount = 1.0 / np.log2(np.arange(k) + 2)
    return hit.sum(axis=1) / most, (hit @ discount) / np.cumsum(discount)[most - 1]
