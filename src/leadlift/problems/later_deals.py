"""Deals set aside to choose and to measure a ranking of next products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from leadlift.base.arrays import Codes, Floats
from leadlift.problems.graph import communities, intersection_graph, without_small
from leadlift.problems.heldout import hide_one
from leadlift.problems.intersections import intersect
from leadlift.problems.null import NullModel
from leadlift.problems.stability import overlap, screen

# Share of first purchases, the last ones, that are set aside.
SET_ASIDE = 0.2
# Organisations with deals set aside: fewer than LEAST by time, and one deal of each is hidden by lot instead.
LEAST, MOST = 100, 6_000
# Chances held in memory at once.
ROOM = 25_000_000
# A problem is the same on earlier deals if this much of it is.
SAME = 0.5


@dataclass(frozen=True, eq=False)
class SetAside:
    """Earlier deals, and later ones of some organisations.

    Attributes:
        earlier: what all organisations had, sparse, shape (organisations, products).
        day: when they first bought it, in the order of `earlier.data`; NaN: not known.
        shown: what those asked about had, sparse, shape (asked, products).
        later: what they bought after that, sparse, shape (asked, products).
        until: the day from which deals are set aside; NaN where they were hidden by lot.
    """

    earlier: Any
    day: Floats
    shown: Any
    later: Any
    until: float

    @property
    def by_time(self) -> bool:
        """Whether the last deals were set aside, and not one of each organisation by lot."""
        return not np.isnan(self.until)


def set_aside(matrix: Any, day: Floats, rng: np.random.Generator) -> SetAside:
    """Sets the last deals aside; without dates, or where few would be, one deal of each organisation by lot.

    What comes next is asked, so the deals that came last judge: a deal hidden by lot may have come before those that
    are shown, which is easier to guess and favours other rankings.

    Args:
        matrix: organisations x products, sparse rows, 1 where an organisation has a product.
        day: when it first bought it, in the order of `matrix.data`; NaN without dates.
        rng: draws organisations to ask about where there are many, and hidden deals.
    """
    found = None if np.isnan(day).all() else _by_time(matrix, day, rng)
    return _by_lot(matrix, day, rng) if found is None else found


def _by_time(matrix: Any, day: Floats, rng: np.random.Generator) -> SetAside | None:
    until = float(np.quantile(day, 1.0 - SET_ASIDE))
    early = day < until
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    before, after = _part(matrix, row, early), _part(matrix, row, ~early)
    asked = np.flatnonzero((np.diff(before.indptr) > 0) & (np.diff(after.indptr) > 0))
    if len(asked) < LEAST:
        return None
    asked = _some(asked, matrix.shape[1], rng)
    return SetAside(before, day[early], before[asked], after[asked], until)


def _by_lot(matrix: Any, day: Floats, rng: np.random.Generator) -> SetAside:
    asked = _some(np.flatnonzero(np.diff(matrix.indptr) >= 2), matrix.shape[1], rng)
    hidden = hide_one(matrix, asked, rng)
    ones, each = np.ones(len(asked)), np.arange(len(asked))
    later = sparse.csr_array((ones, (each, hidden.product)), shape=(len(asked), matrix.shape[1]))
    place = sparse.csr_array((np.arange(1.0, matrix.nnz + 1), matrix.indices, matrix.indptr), shape=matrix.shape)
    gone = np.asarray(place[asked].multiply(later).sum(axis=1)).astype(np.intp) - 1
    kept = np.ones(matrix.nnz, dtype=bool)
    kept[gone] = False
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return SetAside(_part(matrix, row, kept), day[kept], hidden.matrix, later, float("nan"))


def _part(matrix: Any, row: Codes, kept: Any) -> Any:
    """Some deals, with all organisations and in the same order."""
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row[kept], minlength=matrix.shape[0]))])
    return sparse.csr_array((np.ones(int(kept.sum())), matrix.indices[kept], indptr), shape=matrix.shape)


def _some(rows: Codes, products: int, rng: np.random.Generator) -> Codes:
    most = int(min(MOST, max(ROOM // products, LEAST)))
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def known_then(
    earlier: Any, label: Codes, *, q: float, resolutions: Sequence[float], least: int, seed: int
) -> tuple[Codes, NullModel]:
    """The problems as earlier deals alone have them, -1 for none, shape (products,); and popularity then.

    For each problem the most similar community at any resolution, if at least half of both is the same.
    """
    found = intersect(earlier, [str(p) for p in range(len(label))], screen=screen(len(label)), q=q)
    then = np.full(len(label), -1, dtype=np.intp)
    best = np.full(int(label.max(initial=-1)) + 1, SAME)
    members: list[Codes] = [np.empty(0, dtype=np.intp)] * len(best)
    graph = intersection_graph(found, q=q)
    mine = np.bincount(label[label >= 0], minlength=len(best))
    for resolution in resolutions if len(best) else ():
        other = without_small(communities(graph, resolution=resolution, seed=seed), least)
        both = overlap(label, other)
        if not both.shape[1]:
            continue
        theirs = np.bincount(other[other >= 0], minlength=both.shape[1])
        like = both / (mine[:, None] + theirs[None, :] - both)
        for k in np.flatnonzero(like.max(axis=1) > best):
            best[k], members[k] = like[k].max(), np.flatnonzero(other == like[k].argmax())
    for k in np.argsort(-best, kind="stable"):
        then[members[k][then[members[k]] < 0]] = k
    return then, found.null
