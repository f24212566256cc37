"""Does a community of products come back when other organisations of the same kind are looked at?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment

from leadlift.base.arrays import Codes, Floats
from leadlift.problems.graph import intersection_graph
from leadlift.problems.intersections import intersect

# Pairs less sure than this can't be significant among so many.
MANY = 100_000


@dataclass(frozen=True, eq=False)
class Stability:
    """How a community fares under resampling, shape (communities,) each, in [0, 1].

    Attributes:
        recovered: mean Jaccard similarity with the most similar community of each resample: at 1 it comes back whole
            and alone; a cut at an arbitrary place comes back at about a half.
        together: how often two of its products stay together.
    """

    recovered: Floats
    together: Floats


def resampled_graphs(
    matrix: Any,
    products: Sequence[str],
    *,
    q: float,
    resamples: int,
    most: int,
    rng: np.random.Generator,
    tick: Callable[[str], None] = lambda words: None,
) -> list[Any]:
    """Intersection graphs of organisations drawn with replacement; of at most `most` of them, which is cautious."""
    organisations = matrix.shape[0]
    drawn = organisations if organisations <= most else most
    graphs = []
    for number in range(resamples):
        rows = np.sort(rng.integers(organisations, size=drawn))
        graphs.append(intersection_graph(intersect(matrix[rows], products, screen=screen(len(products)), q=q), q=q))
        tick(f"{number + 1} of {resamples}")
    return graphs


def screen(products: int) -> float:
    """Standard deviations above expectation from which a pair's p-value is worth its time in a resample.

    Benjamini-Yekutieli asks the more of a pair the more pairs there are: below three deviations the tail, which leans
    to the right, is above one in a thousand.
    """
    return 2.0 if products * (products - 1) // 2 <= MANY else 3.0


def stability(label: Codes, others: Sequence[Codes]) -> Stability:
    """Stability of the communities in `label` over the partitions of resamples.

    References:
        Hennig (2007), Cluster-wise assessment of cluster stability: below 0.75 a cluster is doubtful.

    Examples:
        >>> stability(np.array([0, 0, 1, 1]), [np.array([0, 0, 1, 1]), np.array([0, 0, 0, 0])]).recovered.tolist()
        [0.75, 0.75]
    """
    many = int(label.max(initial=-1)) + 1
    recovered, together = np.zeros((len(others), many)), np.zeros((len(others), many))
    for number, other in enumerate(others):
        both = overlap(label, other)
        mine = np.bincount(label[label >= 0], minlength=many)
        if both.shape[1]:
            theirs = np.bincount(other[other >= 0], minlength=both.shape[1])
            recovered[number] = (both / (mine[:, None] + theirs[None, :] - both)).max(axis=1)
            pairs = (both * (both - 1)).sum(axis=1)
            together[number] = pairs / np.maximum(mine * (mine - 1), 1)
    return Stability(recovered.mean(axis=0), together.mean(axis=0))


def overlap(label: Codes, other: Codes) -> Floats:
    """How many products two partitions' communities share, shape (communities, other's communities)."""
    shape = (int(label.max(initial=-1)) + 1, int(other.max(initial=-1)) + 1)
    both = (label >= 0) & (other >= 0)
    table = sparse.coo_array((np.ones(int(both.sum())), (label[both], other[both])), shape=shape)
    return np.asarray(table.toarray(), dtype=np.float64)


def matched(label: Codes, other: Codes, *, least: float) -> Codes:
    """The other partition's community for each of `label`'s, one to one, by Jaccard; -1 below `least`."""
    both = overlap(label, other)
    found = np.full(both.shape[0], -1, dtype=np.intp)
    if 0 in both.shape:
        return found
    mine = np.bincount(label[label >= 0], minlength=both.shape[0])
    theirs = np.bincount(other[other >= 0], minlength=both.shape[1])
    jaccard = both / np.maximum(mine[:, None] + theirs[None, :] - both, 1)
    rows, columns = linear_sum_assignment(-jaccard)
    good = jaccard[rows, columns] >= max(least, 1e-12)
    found[rows[good]] = columns[good]
    return found
