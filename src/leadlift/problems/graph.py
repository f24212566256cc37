"""The graph of significant intersections, and its communities of products."""

from __future__ import annotations

import ctypes
import os
from typing import Any

import numpy as np
from scipy import sparse

from leadlift.base.arrays import Codes
from leadlift.problems.intersections import Intersections

ONE_SIDED = 1.645
LEAST_WEIGHT = 0.01


def intersection_graph(found: Intersections, *, q: float) -> Any:
    """Products joined where they share organisations at a false discovery rate of `q`, symmetric and sparse.

    An edge weighs the lower 95% limit of the log lift, so that a rare pair with a large lift does not outweigh a sure
    one.
    """
    kept = found.q_value < q
    lower = np.log(found.lift[kept]) - ONE_SIDED / np.sqrt(found.shared[kept])
    size = len(found.products)
    half = sparse.csr_array((np.maximum(lower, LEAST_WEIGHT), (found.first[kept], found.second[kept])), (size, size))
    return half + half.T


def communities(graph: Any, *, resolution: float, seed: int) -> Codes:
    """Leiden communities, the largest first, shape (products,); -1 for products without an edge.

    References:
        Traag, Waltman, van Eck (2019), From Louvain to Leiden: guaranteeing well-connected communities.
    """
    from sknetwork.clustering import Leiden

    label = np.full(graph.shape[0], -1, dtype=np.intp)
    joined = np.flatnonzero(np.diff(graph.indptr) > 0)
    if not joined.size:
        return label
    part = sparse.csr_matrix(graph[joined][:, joined])
    _seed_c(seed)
    found = Leiden(resolution=resolution, random_state=seed).fit_predict(part)
    return _by_size(joined, np.asarray(found, dtype=np.intp), label)


def _seed_c(seed: int) -> None:
    """Seeds the C library's generator: Leiden's refinement draws from it, whatever its own `random_state`."""
    library = ctypes.CDLL("ucrtbase" if os.name == "nt" else None)
    library.srand(ctypes.c_uint(seed + 1))


def _by_size(joined: Codes, found: Codes, label: Codes) -> Codes:
    """Numbers communities from the largest; equally large ones by their first product."""
    size = np.bincount(found)
    first = np.full(len(size), len(label), dtype=np.intp)
    np.minimum.at(first, found, joined)
    place = np.empty(len(size), dtype=np.intp)
    place[np.lexsort((first, -size))] = np.arange(len(size))
    label[joined] = place[found]
    return label


def without_small(label: Codes, least: int) -> Codes:
    """The same communities; products of those with fewer than `least` get -1, the others are numbered anew."""
    size = np.bincount(label[label >= 0], minlength=int(label.max(initial=-1)) + 1)
    kept = np.flatnonzero(size >= least)
    anew = np.full(len(size) + 1, -1, dtype=np.intp)
    anew[kept] = np.arange(len(kept))
    return anew[label]
