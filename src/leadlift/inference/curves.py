"""Gain curves with simultaneous bands: what touching the top share of leads gains, per lead."""

from __future__ import annotations

from typing import Any

import numpy as np

from leadlift.base.problems import stop
from leadlift.inference._arrays import Floats
from leadlift.inference.ranks import Ranking, ranked, ranking_columns
from leadlift.inference.simultaneous import max_t

WIDE_TIE = 50


def gain_curve(scores: Any, priority: Any, shares: Any, weights: Any = None) -> Floats:
    """Gain per lead of touching the top share of leads: q times the mean score of the top q.

    Linear within ties, which makes it the mean over all orders of tied leads.

    Args:
        scores: per-lead uplift scores, shape (n,), outcome units.
        priority: what leads are ranked by, highest first, shape (n,).
        shares: shapes (Q,), inside [0, 1].
        weights: positive sample weights, shape (n,); None: all equal. Shares are then shares of the weight.

    Returns:
        Shape (Q,), outcome units per lead of the log; 0 at share 0, the mean score at share 1.

    Raises:
        DataError: a share outside [0, 1], no leads, lengths that differ, a missing value, or a weight that isn't
            positive.

    Examples:
        >>> gain_curve([4.0, 0.0, 2.0, 2.0], [3, 3, 2, 1], [0.0, 0.25, 0.5, 1.0])
        array([0. , 0.5, 1. , 2. ])
    """
    outcome, order_by, weight, at = _columns(scores, priority, shares, weights)
    return _gain_at(ranked(outcome, order_by, weight), at)


def _gain_at(ranking: Ranking, shares: Floats) -> Floats:
    reached = np.concatenate([[0.0], np.cumsum(ranking.weight)])
    gained = np.concatenate([[0.0], np.cumsum(ranking.weight * ranking.score)]) / reached[-1]
    gain: Floats = np.interp(shares, reached / reached[-1], gained)
    return gain


def gain_curve_influence(scores: Any, priority: Any, shares: Any, weights: Any = None) -> Floats:
    """Each lead's influence on the gain at each share.

        IF_i(q) = w_i / mean w (f_i(q) (G_i - m(q)) - mean of the same)

    f is 1 above the cut, 0 below, and the share touched inside a tie. m(q), the mean score at the cut, is the part due
    to the estimated quantile: a lead that enters above the cut pushes another one out. Where few leads tie at the cut,
    m is the mean over ranks within n^(-1/5)/2 of it, since a single score says little.

    Args:
        scores: per-lead uplift scores, shape (n,), outcome units.
        priority: what leads are ranked by, highest first, shape (n,).
        shares: shape (Q,), inside [0, 1].
        weights: as `gain_curve`.

    Returns:
        Shape (n, Q), outcome units, each column adds up to 0; `unit_influence` makes errors of it.

    Raises:
        DataError: as `gain_curve`.

    Examples:
        >>> gain_curve_influence([1.0, 3.0], [1, 2], [1.0]).ravel()
        array([-1.,  1.])
    """
    outcome, order_by, weight, at = _columns(scores, priority, shares, weights)
    ranking = ranked(outcome, order_by, weight)
    touched = _touched_share(ranking, at)
    sorted_scores = outcome[ranking.order][:, None]
    influence = touched * (sorted_scores - _score_at_cut(ranking, at))
    share = (ranking.weight / ranking.weight.mean())[:, None]
    result = np.empty_like(influence)
    result[ranking.order] = share * (influence - (share * influence).mean(axis=0))
    return result


def _touched_share(ranking: Ranking, shares: Floats) -> Floats:
    """How much of each sorted lead the top share takes, shape (n, Q), between 0 and 1."""
    within = np.bincount(ranking.group, weights=ranking.weight)
    after = np.cumsum(within)[ranking.group][:, None]
    width = within[ranking.group][:, None]
    touched: Floats = np.clip((shares * within.sum() - (after - width)) / width, 0, 1)
    return touched


def _score_at_cut(ranking: Ranking, shares: Floats) -> Floats:
    """Mean score of leads at the cut, shape (Q,)."""
    n = ranking.score.size
    reached = np.cumsum(ranking.weight)
    position = np.clip(np.searchsorted(reached, shares * reached[-1]), 0, n - 1)
    half = n**-0.2 / 2
    low, high = np.clip(shares - half, 0, 1), np.clip(shares + half, 0, 1)
    near = (_gain_at(ranking, high) - _gain_at(ranking, low)) / (high - low)
    at_cut: Floats = np.where(ranking.size[ranking.group[position]] >= WIDE_TIE, ranking.score[position], near)
    return at_cut


def band_critical_value(unit_influence: Any, *, level: float, rng: np.random.Generator) -> float:
    """The factor of the standard errors that makes bands over a whole curve simultaneous (sup-t).

    Args:
        unit_influence: units' influence at each share, shape (J, Q), from `unit_influence`; its sums of squares are
            the variances. Shares without variance, such as 0, are left out.
        level: simultaneous confidence, inside (0, 1).
        rng: source of the draws.

    Returns:
        The critical value, t with J - 1, J counted over units with any influence; NaN if no share has variance.

    Raises:
        DataError: a level outside (0, 1).

    References:
        Montiel Olea, Plagborg-Moller (2019), Journal of Applied Econometrics 34, 1-17.

    Examples:
        >>> round(band_critical_value([[1.0], [-1.0], [0.5], [-0.5]], level=0.95, rng=np.random.default_rng(1)), 4)
        3.1824
    """
    influence = np.asarray(unit_influence, dtype=np.float64)
    units = int((influence != 0).any(axis=1).sum())
    return max_t(influence.T @ influence, max(units - 1, 1), level=level, rng=rng)


def _columns(scores: Any, priority: Any, shares: Any, weights: Any) -> tuple[Floats, Floats, Floats, Floats]:
    at = np.atleast_1d(np.asarray(shares, dtype=np.float64))
    if not ((at >= 0) & (at <= 1)).all():
        raise stop("a gain curve", "share", "shares lie in [0, 1]", f"{at}", "0.3 is the highest 30% of leads")
    return *ranking_columns("a gain curve", scores, priority, weights), at
