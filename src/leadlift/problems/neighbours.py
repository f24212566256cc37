"""Neighbours of products: how much a product that an organisation has speaks for each other one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import sparse

from leadlift.base.arrays import Codes, Floats

Kind = Literal["bought together", "bought after", "bought together, ridge", "bought after, ridge"]
KINDS: tuple[Kind, ...] = ("bought together", "bought after", "bought together, ridge", "bought after, ridge")
# The ridge solves one equation per product: up to so many products.
RIDGE_UP_TO = 5_000
PENALTY = 500.0
# Beyond so many products neighbours are sparse: the nearest of each product.
DENSE = 6_000
NEAREST = 200
# Pairs of deals that orders are counted from, and together; organisations with more products than this say little.
MOST_PAIRS = 30_000_000
CHUNK = 4_000_000
BROADEST = 2_000


@dataclass(frozen=True, eq=False)
class Neighbours:
    """What each product held says for every other one.

    Attributes:
        kind: how it was learnt.
        weight: shape (products held, products), dense or sparse, 0 on the diagonal, nowhere below 0 after summing:
            scores below 0 are 0.
    """

    kind: Kind
    weight: Any

    def scores(self, held: Any) -> Floats:
        """Sums over the products held, shape (organisations, products), 0 or more."""
        found: Any = held @ self.weight
        found = found.toarray() if sparse.issparse(found) else found
        return np.asarray(np.maximum(found, 0.0), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Counts:
    """How many organisations bought two products, and in which order.

    Attributes:
        both: organisations that have both, shape (products, products); on the diagonal those with the product.
        after: those that bought the second later or on the same day.
    """

    both: Any
    after: Any


def count_pairs(matrix: Any, day: Floats, rng: np.random.Generator) -> Counts:
    """Counts pairs of products, with their order.

    Args:
        matrix: organisations x products, sparse rows, 1 where an organisation has a product.
        day: when it first bought it, in the order of `matrix.data`, shape (deals,); NaN: not known.
        rng: draws organisations where there are more pairs than are counted.
    """
    breadth = np.diff(matrix.indptr)
    if matrix.shape[1] > DENSE:
        rows = np.flatnonzero(breadth <= BROADEST)
        matrix, day = matrix[rows], day[_places(matrix.indptr, rows)]
    values = sparse.csr_array(
        (np.ones(matrix.nnz, dtype=np.float32), matrix.indices, matrix.indptr), shape=matrix.shape
    )
    both = sparse.csr_array(values.T.tocsr() @ values)
    if np.isnan(day).all():
        return Counts(both, both)
    return Counts(both, _ordered(values, np.floor(day), rng))


def _ordered(matrix: Any, day: Floats, rng: np.random.Generator) -> Any:
    """Organisations that bought the second product on a later day, or on the same."""
    rows = _affordable(np.diff(matrix.indptr), rng)
    size = matrix.shape[1]
    found = sparse.csr_array((size, size), dtype=np.float32)
    pairs = np.cumsum(np.diff(matrix.indptr)[rows].astype(np.int64) ** 2)
    for part in np.split(rows, np.searchsorted(pairs, np.arange(CHUNK, pairs[-1] if len(pairs) else 0, CHUNK))):
        breadth = np.diff(matrix.indptr)[part]
        place = _places(matrix.indptr, part)
        first = np.repeat(place, np.repeat(breadth, breadth))
        start = np.repeat(matrix.indptr[part], breadth)
        within = np.repeat(breadth, breadth)
        offset = np.arange(len(first)) - np.repeat(np.cumsum(within) - within, within)
        second = np.repeat(start, within) + offset
        kept = (day[second] >= day[first]) & (first != second)
        columns = (matrix.indices[first[kept]], matrix.indices[second[kept]])
        ones = np.ones(len(columns[0]), dtype=np.float32)
        found = found + sparse.coo_array((ones, columns), shape=(size, size)).tocsr()
    return found


def _affordable(breadth: Codes, rng: np.random.Generator) -> Codes:
    """Organisations whose pairs are counted: all, or so many by lot as there is time for."""
    rows = np.flatnonzero((breadth > 1) & (breadth <= BROADEST))
    pairs = breadth[rows].astype(np.int64) ** 2
    if pairs.sum() <= MOST_PAIRS:
        return rows
    order = rng.permutation(len(rows))
    return np.sort(rows[order[np.cumsum(pairs[order]) <= MOST_PAIRS]])


def _places(indptr: Any, rows: Codes) -> Codes:
    """Where the deals of these rows are stored, row after row."""
    breadth = np.diff(indptr)[rows]
    return np.repeat(indptr[rows] - np.cumsum(breadth) + breadth, breadth) + np.arange(breadth.sum())


def kinds(products: int, *, dated: bool) -> list[Kind]:
    """The kinds of neighbours that can be had."""
    return [
        kind for kind in KINDS if (dated or "after" not in kind) and (products <= RIDGE_UP_TO or "ridge" not in kind)
    ]


def fit_neighbours(counts: Counts, wanted: list[Kind]) -> list[Neighbours]:
    """Neighbours of each kind.

    Without a ridge: the cosine of the two products' organisations; "after" counts only those that bought the second
    on a later day or on the same. With it: weights that together predict what an organisation has from its other
    products, so that a product near to all others is not counted again with each.

    Args:
        counts: of pairs.
        wanted: kinds, see `kinds`.

    References:
        Sarwar et al. (2001), Item-based collaborative filtering recommendation algorithms; Steck (2019),
        Embarrassingly shallow autoencoders for sparse data.
    """
    own = np.maximum(counts.both.diagonal(), 1.0)
    solved = _solved(counts.both) if any("ridge" in kind for kind in wanted) else None
    return [Neighbours(kind, _weight(kind, counts, own, solved)) for kind in wanted]


def _solved(both: Any) -> Any:
    full = both.toarray()
    full[np.diag_indices_from(full)] += PENALTY
    return np.linalg.inv(full)


def _weight(kind: Kind, counts: Counts, own: Any, solved: Any) -> Any:
    pairs = counts.after if "after" in kind else counts.both
    if kind == "bought together, ridge":
        weight = -solved / np.diag(solved)
    elif kind == "bought after, ridge":
        ordered = pairs.toarray()
        np.fill_diagonal(ordered, 0.0)
        weight = solved @ ordered
    else:
        scale = sparse.diags_array((1.0 / np.sqrt(own)).astype(np.float32))
        near = sparse.csr_array(scale @ pairs @ scale)
        if near.shape[0] > DENSE:
            return _nearest(near)
        weight = near.toarray()
    np.fill_diagonal(weight, 0.0)
    return weight


def _nearest(near: Any) -> Any:
    """The largest entries of each column, without the diagonal."""
    by_column = sparse.csc_array(near)
    size, column = np.diff(by_column.indptr), np.repeat(np.arange(near.shape[1]), np.diff(by_column.indptr))
    values = np.where(by_column.indices == column, 0.0, by_column.data)
    order = np.lexsort((by_column.indices, -values, column))
    place = np.arange(len(order)) - np.repeat(by_column.indptr[:-1], size)
    kept = order[(place < NEAREST) & (values[order] > 0)]
    found = (values[kept].astype(np.float32), (by_column.indices[kept], column[kept]))
    return sparse.coo_array(found, shape=near.shape).tocsr()
