"""Areas under the targeting operator characteristic, from per-lead scores.

TOC(q) is the mean score of the top share q by priority, less the mean of all. AUTOC averages it over q, QINI averages
q TOC(q): both as grf defines them, over the observed ranks.

    AUTOC = mean_i TOC(i/n)        QINI = sum_i (i/n^2) TOC(i/n)

A partial area stops at the share `top` that can be touched: AUTOC's sum there, QINI's integral of q TOC(q), which is
linear between ranks. Neither is divided by `top`.

Leads of one priority share their mean score; where their weights differ as well, the lighter come first. So row order
means nothing. (In grf the order of unequal weights within ties does count; this is one such order.)

The influence is the derivative of the area in each lead's weight, shared by tied leads. It holds the part due to
estimated ranks: a lead that enters moves those below it down.

References: Yadlowsky, Fleming, Shah, Brunskill, Wager (2025), JASA; grf, rank_average_treatment_effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from leadlift.base.problems import did_you_mean, share, stop
from leadlift.base.record import Record
from leadlift.inference._arrays import Bools, Floats, Ints, finite_columns

Target = Literal["qini", "autoc"]


@dataclass(frozen=True)
class RankArea(Record):
    """An area and each lead's part in it.

    Attributes:
        value: the area, outcome units per lead.
        influence: shape (n,), outcome units; adds up to 0. The error is that of its mean by unit (`area_se`).
    """

    value: float
    influence: Floats


@dataclass(frozen=True)
class Ranking:
    """Leads from highest to lowest priority, ties averaged.

    Attributes:
        order: rows from highest to lowest priority, shape (n,).
        group: tie group of each sorted row, 0 is the highest priority, shape (n,).
        size: rows of each group, shape (groups,).
        score: group mean scores, on every sorted row, shape (n,), outcome units.
        weight: weights, sorted, shape (n,).
    """

    order: Ints
    group: Ints
    size: Ints
    score: Floats
    weight: Floats


def ranked(scores: Floats, priority: Floats, weights: Floats) -> Ranking:
    """Sorts leads by priority; ties by weight and score, so that sums don't depend on row order."""
    order = np.argsort(-priority)
    falls = np.diff(priority[order]) != 0
    if not falls.all():
        order = np.lexsort((scores, weights, -priority))
        falls = np.diff(priority[order]) != 0
    group = np.concatenate([[0], np.cumsum(falls)]).astype(np.int64)
    size = np.bincount(group).astype(np.int64)
    total = np.bincount(group, weights=weights[order])
    mean = np.bincount(group, weights=(weights * scores)[order]) / total
    return Ranking(order.astype(np.int64), group, size, mean[group], weights[order])


def rank_area(scores: Any, priority: Any, *, target: Target, weights: Any = None, top: float = 1.0) -> RankArea:
    """AUTOC or QINI of a priority, with each lead's influence.

    Args:
        scores: per-lead uplift scores, shape (n,), outcome units.
        priority: what leads are ranked by, highest first, shape (n,).
        target: `qini` or `autoc`.
        weights: positive sample weights, shape (n,); None: all equal. Rescaling them changes nothing.
        top: the share of leads, highest first, over which the area runs, inside (0, 1]; not divided by it.

    Returns:
        The area; exactly 0, with influence 0, for a constant priority.

    Raises:
        DataError: no leads, lengths that differ, a missing value, a weight that isn't positive, another target, or a
            share outside (0, 1].

    Examples:
        >>> rank_area([3.0, 1.0, 0.0, 0.0], [4, 3, 2, 1], target="qini").value
        0.3125
        >>> rank_area([3.0, 1.0, 0.0, 0.0], [1, 1, 1, 1], target="autoc").value
        0.0
    """
    outcome, order_by, weight = ranking_columns("a ranking", scores, priority, weights)
    if target not in ("qini", "autoc"):
        found = f"`{target}`: {did_you_mean(str(target), ['qini', 'autoc'])}"
        raise stop("an area", "target", "`target` is `qini` or `autoc`", found, "choose one")
    if not 0 < top <= 1:
        raise stop("an area", "share", "`top` lies inside (0, 1]", f"{top:g}", "0.3 is the highest 30% of leads")
    if is_constant(order_by):
        return RankArea(0.0, np.zeros_like(outcome))
    ranking = ranked(outcome, order_by, weight)
    if top < 1:
        value, by_position, by_score = _partial(ranking, target, top)
    else:
        value, by_position, by_score = (_qini if target == "qini" else _autoc)(ranking)
    shared = _group_mean(by_position, ranking)
    own = (outcome[ranking.order] - ranking.score) * _group_mean(by_score, ranking)
    influence = np.empty_like(outcome)
    influence[ranking.order] = shared + own
    return RankArea(value, influence * weight * outcome.size / ranking.weight.sum())


def _autoc(ranking: Ranking) -> tuple[float, Floats, Floats]:
    """AUTOC, its derivative in the weight of each position, and in the score of each position per unit of weight."""
    score, weight = ranking.score, ranking.weight
    above, gained = np.cumsum(weight), np.cumsum(weight * score)
    total, mean = above[-1], gained[-1] / above[-1]
    toc_at = gained / above - mean
    value = float((weight * toc_at).sum() / total)
    below = _reverse_cumsum(weight / above)
    diluted = _reverse_cumsum(weight * gained / above**2)
    return value, toc_at - value + score * below - diluted - (score - mean), below - 1


def _qini(ranking: Ranking) -> tuple[float, Floats, Floats]:
    """QINI and its derivatives, as `_autoc`."""
    score, weight = ranking.score, ranking.weight
    above, gained = np.cumsum(weight), np.cumsum(weight * score)
    total, mean = above[-1], gained[-1] / above[-1]
    gap = gained - above * mean
    value = float((weight * gap).sum() / total**2)
    lift = (_reverse_cumsum(weight) - (weight * above).sum() / total) / total
    return value, gap / total - 2 * value + (score - mean) * lift, lift


def _partial(ranking: Ranking, target: Target, top: float) -> tuple[float, Floats, Floats]:
    """A partial area and its derivatives, as `_autoc`.

    A lead at share r adds its score to q (TOC(q) + mean) at every later cut q, and pushes the lead at that cut over it.
    """
    score, share = ranking.score, np.cumsum(ranking.weight) / ranking.weight.sum()
    width = np.diff(share, prepend=0.0)
    inside = np.clip(np.minimum(share, top) - (share - width), 0.0, None)
    gained = np.cumsum(score * width)
    mean = float(gained[-1])
    if target == "qini":
        value = float((inside * (gained - score * width) + score * inside**2 / 2).sum()) - mean * top**2 / 2
        own = inside**2 / (2 * width)
        lift = own + inside * np.clip(top - share, 0.0, None) / width - top**2 / 2
        pushed = _reverse_cumsum(score * inside) - score * (inside - own)
    else:
        reached = gained / share
        value = float((inside * (reached - mean)).sum())
        lift = _reverse_cumsum(inside / share) - top
        at_cut = reached[np.flatnonzero(inside)[-1]]
        pushed = _reverse_cumsum(reached * inside / share) - np.where(inside > 0, reached - at_cut, 0.0)
    by_position = score * lift - pushed
    return value, by_position - float((ranking.weight * by_position).sum() / ranking.weight.sum()), lift


def _reverse_cumsum(values: Floats) -> Floats:
    summed: Floats = np.cumsum(values[::-1])[::-1]
    return summed


def _group_mean(values: Floats, ranking: Ranking) -> Floats:
    total = np.bincount(ranking.group, weights=ranking.weight)
    means: Floats = (np.bincount(ranking.group, weights=ranking.weight * values) / total)[ranking.group]
    return means


def toc(scores: Any, priority: Any, q: Any, weights: Any = None) -> Floats:
    """TOC at given shares: the mean score of the top share less the mean of all.

    At a share between two leads the next lead counts in part: 17.5 leads are 17 and half of the 18th.

    Args:
        scores: per-lead uplift scores, shape (n,), outcome units.
        priority: what leads are ranked by, highest first, shape (n,).
        q: shares, shape (Q,), inside (0, 1].
        weights: positive sample weights, shape (n,); None: all equal.

    Returns:
        Shape (Q,), outcome units per lead touched; 0 at q = 1.

    Raises:
        DataError: a share outside (0, 1], or as `rank_area`.

    Examples:
        >>> toc([3.0, 1.0, 0.0, 0.0], [4, 3, 2, 1], [0.25, 0.5, 1.0])
        array([2., 1., 0.])
    """
    outcome, order_by, weight = ranking_columns("a ranking", scores, priority, weights)
    shares = np.atleast_1d(np.asarray(q, dtype=np.float64))
    if not ((shares > 0) & (shares <= 1)).all():
        raise stop("a targeting curve", "share", "`q` lies inside (0, 1]", f"{shares}", "leave out q = 0")
    ranking = ranked(outcome, order_by, weight)
    above = np.concatenate([[0.0], np.cumsum(ranking.weight)])
    gained = np.concatenate([[0.0], np.cumsum(ranking.weight * ranking.score)])
    reached = shares * above[-1]
    curve: Floats = np.interp(reached, above, gained) / reached - gained[-1] / above[-1]
    return np.where(shares == 1, 0.0, curve)


def is_constant(priority: Any) -> bool:
    """Does this priority rank nothing: one value only, or no lead?

    Examples:
        >>> is_constant([0.5, 0.5]), is_constant([0.5, 0.6]), is_constant([])
        (True, False, True)
    """
    values = np.asarray(priority, dtype=np.float64)
    return bool(values.size == 0 or (values == values[0]).all())


def ranking_columns(where: str, scores: Any, priority: Any, weights: Any) -> tuple[Floats, Floats, Floats]:
    """Scores, priority and weights of the leads of a ranking, each of shape (n,); weights are 1 where none are given.

    Raises:
        DataError: no leads, lengths that differ, a missing value, or a weight that isn't positive.
    """
    given = {} if weights is None else {"weights": weights}
    outcome, order_by, *weighed = finite_columns(where, scores=scores, priority=priority, **given)
    if not outcome.size:
        raise stop(where, "empty", "a ranking has leads", "0 rows", "pass the leads that were ranked")
    weight = weighed[0] if weighed else np.ones_like(outcome)
    bad: Bools = weight <= 0
    if bad.any():
        raise stop(where, "weights", "weights are positive", share(int(bad.sum()), bad.size), "drop such leads")
    return outcome, order_by, weight
