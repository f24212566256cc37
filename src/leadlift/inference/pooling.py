"""Partial pooling: effects of segments drawn towards what they have in common, as far as the data say that they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, special, stats

from leadlift.base.arrays import Codes, Floats

# Points of the spread's posterior: half of them below the estimates' scale.
POINTS = 100
HALVINGS = 60


@dataclass(frozen=True, eq=False)
class Pooled:
    """Partially pooled effects, shape (segments,) each, in outcome units.

    Attributes:
        effect: posterior means.
        se: posterior standard deviations.
        lower, upper: ends of the intervals. They cover on average over segments, not each segment's effect.
        weight: how much of an effect is its own estimate, [0, 1]; the rest is the mean of its like.
        spread: posterior median of the standard deviation of true effects around their mean.
    """

    effect: Floats
    se: Floats
    lower: Floats
    upper: Floats
    weight: Floats
    spread: float


def partially_pooled(
    effect: Floats, covariance: Floats, df: Floats, *, like: Codes | None = None, level: float = 0.95
) -> Pooled:
    """Effects of a hierarchical normal model: true effects lie around the mean of their like with a spread.

        estimate ~ N(effect, V),   effect_k ~ N(mean of its like, spread^2)

    The means and the spread have flat priors. The intervals integrate over both, so that a spread which few segments
    can't settle widens them. Each variance is first widened as t is wider than the normal at its degrees of freedom.

    Args:
        effect: one estimate per segment, shape (k,).
        covariance: of the estimates, shape (k, k).
        df: degrees of freedom of their errors, shape (k,).
        like: number of the mean that a segment lies around, shape (k,); None: all lie around one.
        level: share of true effects that the intervals are to hold.

    Returns: the effects; all NaN where there are fewer than two segments more than means.

    References:
        Morris (1983), Parametric empirical Bayes inference; Gelman (2006), Prior distributions for variance parameters
        in hierarchical models.
    """
    k = len(effect)
    group = np.zeros(k, dtype=np.intp) if like is None else np.unique(like, return_inverse=True)[1]
    means = np.eye(int(group.max(initial=-1)) + 1)[group]
    if k < means.shape[1] + 2 or not np.isfinite(effect).all() or not (np.diag(covariance) > 0).all():
        nothing = np.full(k, np.nan)
        return Pooled(nothing, nothing, nothing, nothing, nothing, float("nan"))
    wider = stats.t.isf((1 - level) / 2, df) / stats.norm.isf((1 - level) / 2)
    v = covariance * np.outer(wider, wider)
    scale = float(np.hypot(np.sqrt(k / np.sum(1.0 / np.diag(v))), effect.std()))
    place = (np.arange(POINTS) + 0.5) / POINTS
    spreads = scale * place / (1.0 - place)
    fits = [_given(effect, v, means, spread) for spread in spreads]
    log_weight = np.array([fit[0] for fit in fits])
    # A flat prior: even steps of `place` are steps of the spread that grow as 1 / (1 - place)^2.
    mass = np.exp(log_weight - log_weight.max()) / (1.0 - place) ** 2
    mass /= mass.sum()
    centre, sd, own = (np.stack([fit[part] for fit in fits]) for part in (1, 2, 3))
    mean = mass @ centre
    tail = (1 - level) / 2
    return Pooled(
        effect=mean,
        se=np.sqrt(mass @ (sd**2 + (centre - mean) ** 2)),
        lower=_quantile(tail, mass, centre, sd),
        upper=_quantile(1 - tail, mass, centre, sd),
        weight=mass @ own,
        spread=float(spreads[np.searchsorted(np.cumsum(mass), 0.5)]),
    )


def _given(effect: Floats, v: Floats, means: Floats, spread: float) -> tuple[float, Floats, Floats, Floats]:
    """Log marginal likelihood, and the effects' means, standard deviations and own weights, given the spread."""
    total = linalg.cho_factor(v + spread**2 * np.eye(len(v)), lower=True)
    inverse = linalg.cho_solve(total, np.eye(len(v)))
    information = means.T @ inverse @ means
    of_means = linalg.inv(information)
    common = means @ (of_means @ (means.T @ (inverse @ effect)))
    rest = effect - common
    half_log_det = float(np.log(np.diag(total[0])).sum() + 0.5 * np.linalg.slogdet(information)[1])
    pull = spread**2 * inverse
    left = means - pull @ means
    variance = spread**2 * (1.0 - np.diag(pull)) + np.einsum("ij,jl,il->i", left, of_means, left)
    return (
        -half_log_det - 0.5 * float(rest @ inverse @ rest),
        common + pull @ rest,
        np.sqrt(np.maximum(variance, 0.0)),
        np.asarray(np.diag(pull)),
    )


def _quantile(chance: float, mass: Floats, centre: Floats, sd: Floats) -> Floats:
    """Quantiles of mixtures of normals, one per column."""
    far = 10.0 * sd.max(axis=0)
    low, high = centre.min(axis=0) - far, centre.max(axis=0) + far
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = mass @ special.ndtr((middle - centre) / sd) < chance
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2)
