"""Rankings of leads cut at capacities: who is touched, what that earns, and each organisation's part in it.

With G the per-lead scores and f_i(k) the share of lead i that the first k touches reach (between 0 and 1 inside a tie),
the value at capacity k is the mean of f_i(k) G_i. Its influence is f_i(k) (G_i - m(k)) less the mean of the same, m(k)
being the mean score at the cut: a lead that enters above the cut pushes another one out. Where nobody is pushed out,
since the ranking touches all that it ever touches, m is 0.

A lead belongs to the interval of capacities in which it is reached, and all leads of one interval are touched alike.
Covariances between rankings and capacities are therefore those of sums by organisation and interval, whatever the
number of leads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from leadlift.base.arrays import Bools, Codes, Floats
from leadlift.learners import in_threads

# Leads that tie across a cut are followed one by one up to this many, as one cell above it.
WIDE_TIE = 50


@dataclass(frozen=True, eq=False)
class Cut:
    """One ranking of n leads at Q capacities.

    Attributes:
        lead, column, weight: which share of which lead lies in which cell, shape (entries,).
        reached: the share of each cell that is touched, shape (cells, Q).
        value: mean of touched scores, shape (Q,), outcome units per lead of the list.
        touched: share of all leads that is touched, shape (Q,).
        at_cut: mean score at the cut, shape (Q,).
    """

    lead: Codes
    column: Codes
    weight: Floats
    reached: Floats
    value: Floats
    touched: Floats
    at_cut: Floats


@dataclass(frozen=True, eq=False)
class _Ties:
    """Leads in order, and their groups of equal priority: start and end in places, mean score."""

    order: Codes
    start: Codes
    end: Codes
    mean: Floats


def cut(priority: Floats, scores: Floats, shares: Floats) -> Cut:
    """Cuts one ranking at every capacity.

    Args:
        priority: highest first, shape (n,); -inf: never touched. Ties share what is left of the capacity. All inf:
            touched whatever the capacity.
        scores: per-lead scores, shape (n,), outcome units.
        shares: capacities as shares of the leads, rising, inside [0, 1], shape (Q,).

    Examples:
        >>> one = cut(np.array([3.0, 2.0, 2.0, -np.inf]), np.array([4.0, 0.0, 2.0, 9.0]), np.array([0.25, 0.5, 1.0]))
        >>> one.value, one.touched
        (array([1.  , 1.25, 1.5 ]), array([0.25, 0.5 , 0.75]))
    """
    n = len(priority)
    ties = _ties(priority, scores)
    eligible = int(ties.end[-1]) if ties.end.size else 0
    asked = np.full(len(shares), float(n)) if n and np.isposinf(priority).all() else shares * n
    reach = np.minimum(asked, eligible)
    gained = _Curve(ties, n)
    inside = np.searchsorted(reach, ties.start, side="right") < np.searchsorted(reach, ties.end, side="left")
    lead, column, weight, wide = _entries(ties, reach, inside)
    intervals = np.triu(np.ones((len(shares), len(shares))))
    return Cut(
        lead=lead,
        column=column,
        weight=weight,
        reached=np.vstack([intervals, _share_of(ties, wide, reach)]),
        value=gained(reach),
        touched=reach / n,
        at_cut=np.where(asked >= eligible, 0.0, _at_cut(ties, gained, reach, n)),
    )


def _ties(priority: Floats, scores: Floats) -> _Ties:
    eligible = np.flatnonzero(priority > -np.inf)
    order = eligible[np.argsort(-priority[eligible], kind="stable")]
    if not order.size:
        return _Ties(order, order, order, np.zeros(0))
    sorted_priority = priority[order]
    start = np.flatnonzero(np.r_[True, sorted_priority[1:] != sorted_priority[:-1]])
    end = np.r_[start[1:], order.size]
    return _Ties(order, start, end, np.add.reduceat(scores[order], start) / (end - start))


class _Curve:
    """Mean per lead of the list that the first so many places gain; linear within ties."""

    def __init__(self, ties: _Ties, n: int) -> None:
        self.places = np.r_[0, ties.end]
        self.gained = np.r_[0.0, np.cumsum(ties.mean * (ties.end - ties.start))] / n

    def __call__(self, places: Floats) -> Floats:
        return np.asarray(np.interp(places, self.places, self.gained))


def _at_cut(ties: _Ties, gained: _Curve, reach: Floats, n: int) -> Floats:
    """Mean score at the cut: of the tie there, or where few tie, of ranks within n^(-1/5)/2 of it."""
    if not ties.end.size:
        return np.zeros_like(reach)
    half = n**0.8 / 2
    low, high = np.maximum(reach - half, 0), np.minimum(reach + half, ties.end[-1])
    near = (gained(high) - gained(low)) * n / (high - low)
    group = np.minimum(np.searchsorted(ties.end, reach, side="left"), ties.end.size - 1)
    return np.where((ties.end - ties.start)[group] >= WIDE_TIE, ties.mean[group], near)


def _share_of(ties: _Ties, groups: Codes, reach: Floats) -> Floats:
    """How much of each group the capacities reach, shape (groups, Q)."""
    start, end = ties.start[groups][:, None], ties.end[groups][:, None]
    share: Floats = np.clip((reach - start) / (end - start), 0.0, 1.0)
    return share


def _entries(ties: _Ties, reach: Floats, inside: Bools) -> tuple[Codes, Codes, Floats, Codes]:
    """Leads by cell, and the wide ties that are cells of their own (after the Q intervals)."""
    size = ties.end - ties.start
    narrow, wide = np.flatnonzero(inside & (size < WIDE_TIE)), np.flatnonzero(inside & (size >= WIDE_TIE))
    cell = np.searchsorted(reach, ties.end, side="left")
    cell[wide] = len(reach) + np.arange(len(wide))
    kept = ~inside | (size >= WIDE_TIE)
    kept &= (cell < len(reach)) | inside
    lead = [ties.order[np.repeat(kept, size)]]
    column = [np.repeat(cell[kept], size[kept])]
    weight = [np.ones(len(lead[0]))]
    steps = np.diff(_share_of(ties, narrow, reach), axis=1, prepend=0.0)
    for group, step in zip(narrow, steps, strict=True):
        members = ties.order[ties.start[group] : ties.end[group]]
        at = np.flatnonzero(step)
        lead.append(np.repeat(members, len(at)))
        column.append(np.tile(at, len(members)))
        weight.append(np.tile(step[at], len(members)))
    return np.concatenate(lead), np.concatenate(column), np.concatenate(weight), wide


@dataclass(frozen=True, eq=False)
class Part:
    """Leads that are ranked together.

    Attributes:
        unit: organisation of each lead, shape (n,).
        priority: of each ranking, shape (n,).
        scores: per-lead scores of each ranking's touch, shape (n,), outcome units.
    """

    unit: Codes
    priority: Sequence[Floats]
    scores: Sequence[Floats]


@dataclass(frozen=True, eq=False)
class Sample:
    """What rankings earn on some leads, with all that errors and covariances need.

    Attributes:
        value: shape (rankings, Q), outcome units per lead.
        touched: share of leads touched, shape (rankings, Q).
        sums: of each ranking, scores and leads by organisation and cell, sparse, shape (organisations, cells).
        weights: of each ranking, from cells to the influence on each value, shape (Q, cells).
        reach: of each ranking, from cells to the leads touched, shape (Q, cells).
    """

    value: Floats
    touched: Floats
    sums: Sequence[Any]
    weights: Sequence[Floats]
    reach: Sequence[Floats]


def earned(parts: Sequence[Part], n_units: int, shares: Floats) -> Sample:
    """What each ranking earns at each capacity; parts are ranked each by itself and count by their leads.

    Args:
        parts: the same rankings in each; an organisation is in one part only.
        n_units: number of organisations in the whole log.
        shares: capacities as shares of the leads, rising, shape (Q,).
    """
    leads = sum(len(part.unit) for part in parts)
    share = np.array([len(part.unit) / leads for part in parts])
    present = np.unique(np.concatenate([part.unit for part in parts])).size
    scale = np.sqrt(present / (present - 1)) / leads if present > 1 else np.nan

    def ranking(s: int) -> tuple[Floats, Floats, Any, Floats, Floats]:
        cuts = [cut(part.priority[s], part.scores[s], shares) for part in parts]
        at_cut = np.asarray(share @ np.array([c.at_cut for c in cuts]))
        sums, reached, own = _columns(parts, cuts, s, n_units)
        centre = np.array([c.value - at_cut * c.touched for c in cuts])
        value, touched = (
            np.asarray(share @ np.array(of)) for of in ([c.value for c in cuts], [c.touched for c in cuts])
        )
        reach = np.vstack([0 * reached, reached, 0 * centre[own]]).T
        return value, touched, sums, scale * np.vstack([reached, -reached * at_cut, -centre[own]]).T, reach

    found = in_threads(ranking, range(len(parts[0].priority)))
    value, touched, sums, weights, reach = zip(*found, strict=True)
    return Sample(np.array(value), np.array(touched), sums, weights, reach)


def _columns(parts: Sequence[Part], cuts: Sequence[Cut], s: int, n_units: int) -> tuple[Any, Floats, Codes]:
    """Sums of scores, then of leads, by organisation and cell, then leads by part; and what is touched of each cell.

    The intervals are the same in all parts, wide ties each part's own.
    """
    q = cuts[0].reached.shape[1]
    reached = np.vstack([cuts[0].reached[:q], *(c.reached[q:] for c in cuts)])
    row, column, score, lead = [], [], [], []
    offset = 0
    for part, one in zip(parts, cuts, strict=True):
        row.append(part.unit[one.lead])
        column.append(np.where(one.column < q, one.column, one.column + offset))
        lead.append(one.weight)
        score.append(one.weight * part.scores[s][one.lead])
        offset += len(one.reached) - q
    where = (np.concatenate(row), np.concatenate(column))
    shape = (n_units, len(reached))
    sizes = [np.bincount(part.unit, minlength=n_units).astype(float) for part in parts]
    matrix = sparse.hstack(
        [
            sparse.csr_array((np.concatenate(score), where), shape=shape),
            sparse.csr_array((np.concatenate(lead), where), shape=shape),
            sparse.csr_array(np.column_stack(sizes)),
        ],
        format="csr",
    )
    return matrix, reached, np.arange(len(parts))


@dataclass(frozen=True, eq=False)
class Joint:
    """How the values of rankings go together.

    Attributes:
        covariance: of all values, in order, shape (M, M).
        apart: how many leads two rankings treat differently at each capacity, shape (rankings, rankings, Q).
    """

    covariance: Floats
    apart: Floats


def joint(samples: Sequence[Sample]) -> Joint:
    """Covariances of all values of all samples, in order; the samples may share organisations."""
    sums = [one for sample in samples for one in sample.sums]
    weights = [one for sample in samples for one in sample.weights]
    reach = [one for sample in samples for one in sample.reach]
    ends = np.cumsum([0, *(len(one) for one in weights)])
    covariance = np.empty((ends[-1], ends[-1]))
    common = np.empty((len(sums), len(sums), len(weights[0])))

    def pair(places: tuple[int, int]) -> None:
        a, b = places
        gram = (sums[a].T @ sums[b]).toarray()
        block = weights[a] @ gram @ weights[b].T
        covariance[ends[a] : ends[a + 1], ends[b] : ends[b + 1]] = block
        covariance[ends[b] : ends[b + 1], ends[a] : ends[a + 1]] = block.T
        common[a, b] = common[b, a] = ((reach[a] @ gram) * reach[b]).sum(axis=1)

    in_threads(pair, [(a, b) for a in range(len(sums)) for b in range(a, len(sums))])
    own = common[np.arange(len(sums)), np.arange(len(sums))]
    return Joint(covariance, np.maximum(own[:, None] + own[None, :] - 2 * common, 0.0))
