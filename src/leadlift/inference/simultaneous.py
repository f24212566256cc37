"""Bands and p-values that hold over several numbers at once, with their actual correlations.

References: Hothorn, Bretz, Westfall (2008), Simultaneous inference in general parametric models.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from scipy import stats

from leadlift.inference._arrays import Bools, Floats, checked_level

DRAWS = 200_000
BLOCK = 20_000
ENOUGH_DRAWS = 100


def usable_rows(covariance: Any) -> Bools:
    """Rows with a finite, positive variance, shape (K,)."""
    diagonal = np.diag(np.atleast_2d(np.asarray(covariance, dtype=np.float64)))
    return np.isfinite(diagonal) & (diagonal > 0)


def correlation_of(covariance: Any) -> Floats:
    """Correlations from covariances (or correlations), shape (K, K)."""
    matrix = np.atleast_2d(np.asarray(covariance, dtype=np.float64))
    sd = np.sqrt(np.diag(matrix))
    correlation: Floats = matrix / np.outer(sd, sd)
    return correlation


def smallest_df(df: Any, usable: Bools) -> float:
    """The smallest of the usable rows' degrees of freedom; `df` is a number or shape (K,)."""
    values = np.broadcast_to(np.asarray(df, dtype=np.float64), usable.shape)[usable]
    return float(values.min()) if values.size else float("nan")


def draw_statistics(
    correlation: Floats, df: float, rng: np.random.Generator, summary: Callable[[Floats], Floats], draws: int = DRAWS
) -> Floats:
    """A summary of each draw from the multivariate t, shape (draws,).

    Args:
        correlation: shape (K, K); may be singular.
        df: degrees of freedom; infinity draws normals.
        rng: source of the draws.
        summary: from draws of shape (m, K) to shape (m,).
        draws: how many draws.

    Returns:
        The summaries.
    """
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    done = []
    for start in range(0, draws, BLOCK):
        size = min(BLOCK, draws - start)
        normal = rng.standard_normal((size, len(values))) @ root.T
        spread = np.sqrt(rng.chisquare(df, size) / df) if np.isfinite(df) else np.ones(size)
        done.append(summary(normal / spread[:, None]))
    return np.concatenate(done)


def max_t(covariance: Any, df: Any, *, level: float, rng: np.random.Generator) -> float:
    """The critical value for bands over K numbers: the `level` quantile of max |T|.

    Args:
        covariance: covariances or correlations of the K numbers, shape (K, K), possibly singular; rows that are NaN or
            have no variance are left out.
        df: degrees of freedom, a number or shape (K,), of which the smallest counts.
        level: simultaneous confidence, inside (0, 1).
        rng: source of the draws; equal generators give equal values.

    Returns:
        The factor of the standard errors; exact for one number; never below t's nor above Bonferroni's.
        NaN if no row is left.

    Raises:
        DataError: a level outside (0, 1).

    Examples:
        >>> round(max_t([[4.0]], 10, level=0.95, rng=np.random.default_rng(1)), 4)
        2.2281
        >>> round(max_t(np.eye(3), np.inf, level=0.95, rng=np.random.default_rng(1)), 1)
        2.4
    """
    tail = (1 - checked_level(level)) / 2
    usable = usable_rows(covariance)
    many, least_df = int(usable.sum()), smallest_df(df, usable)
    if many == 0 or np.isnan(least_df):
        return float("nan")
    single = float(stats.t.isf(tail, least_df))
    if many == 1:
        return single
    correlation = correlation_of(np.atleast_2d(np.asarray(covariance, dtype=np.float64))[np.ix_(usable, usable)])
    largest = draw_statistics(correlation, least_df, rng, largest_absolute)
    return float(np.clip(np.quantile(largest, level), single, stats.t.isf(tail / many, least_df)))


def largest_absolute(draws: Floats) -> Floats:
    """Largest absolute value of each row, shape (m, K) to (m,)."""
    # Column by column: numpy is slow along an axis of few.
    largest: Floats = reduce(np.maximum, np.abs(draws.T))
    return largest


def adjusted_p_values(t: Any, df: Any, correlation: Any, rng: np.random.Generator) -> Floats:
    """Single-step p-values over K tests, the counterpart of `max_t` bands.

    Args:
        t: t statistics, shape (K,); NaN stays NaN and doesn't count as a test.
        df: degrees of freedom, a number or shape (K,), of which the smallest counts.
        correlation: correlations (or covariances) of the K numbers, shape (K, K).
        rng: source of the draws; with a generator in the same state as `max_t`'s, bands and p-values agree.

    Returns:
        Shape (K,). Never below the plain p-value nor above Bonferroni's, which stands in where draws are too few
        to count; so never 0 while the plain one is not.

    Examples:
        >>> p = adjusted_p_values([2.0, 9.0], np.inf, np.eye(2), np.random.default_rng(1))
        >>> p.round(2), bool(p[1] > 0)
        (array([0.09, 0.  ]), True)
    """
    statistic = np.abs(np.atleast_1d(np.asarray(t, dtype=np.float64)))
    usable = np.isfinite(statistic) & usable_rows(correlation)
    result = np.full(statistic.shape, np.nan)
    least_df, many = smallest_df(df, usable), int(usable.sum())
    if many == 0 or np.isnan(least_df):
        return result
    plain = 2 * stats.t.sf(statistic[usable], least_df)
    if many == 1:
        result[usable] = plain
        return result
    matrix = correlation_of(np.asarray(correlation, dtype=np.float64)[np.ix_(usable, usable)])
    largest = np.sort(draw_statistics(matrix, least_df, rng, largest_absolute))
    result[usable] = _single_step(statistic[usable], plain, largest)
    return result


def _single_step(statistic: Floats, plain: Floats, largest: Floats) -> Floats:
    above = largest.size - np.searchsorted(largest, statistic, side="left")
    bonferroni = np.minimum(1, plain * plain.size)
    simulated = np.where(above >= ENOUGH_DRAWS, np.minimum(above / largest.size, bonferroni), bonferroni)
    # A larger statistic never has the larger p-value, even where Bonferroni's takes over from the draws.
    order = np.argsort(statistic, kind="stable")
    adjusted = np.empty_like(plain)
    adjusted[order] = np.minimum.accumulate(simulated[order])
    return np.maximum(adjusted, plain)
