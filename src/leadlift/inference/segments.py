"""Do effects differ between segments at all, and which segments may gain most?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from leadlift.base.record import Record
from leadlift.inference._arrays import Bools, Floats, checked_level
from leadlift.inference.simultaneous import correlation_of, draw_statistics, smallest_df, usable_rows


@dataclass(frozen=True)
class EqualityTest(Record):
    """The test that all effects are equal.

    Attributes:
        statistic: F; NaN if fewer than two effects have an error.
        df: numerator degrees of freedom, effects with an error less one.
        df_denominator: denominator degrees of freedom.
        p_value: of equal effects.
    """

    statistic: float
    df: int
    df_denominator: float
    p_value: float


def equality_test(values: Any, covariance: Any, df: Any) -> EqualityTest:
    """Wald test that K effects are equal, with F as its reference.

    Effects that share units have covariances that are estimated too. Then the statistic is Hotelling's, scaled to F
    by (df - K + 2)/df: without it, 12 equal effects on 21 shared units are called different in four logs of ten. The
    scaling is exact where all effects are on the same units, and cautious where few are shared.

    Args:
        values: effects, shape (K,), outcome units.
        covariance: their covariances, shape (K, K); effects whose row is NaN or zero are left out.
        df: degrees of freedom of the errors, a number or shape (K,), of which the smallest counts.

    Returns:
        The test; NaN if fewer than two effects have an error, or too few units are shared by too many effects. A large
        p-value doesn't show that effects are equal.

    References:
        Wald (1943); Hotelling (1931).

    Examples:
        >>> test = equality_test([0.0, 2.0], np.diag([0.5, 0.5]), 30)
        >>> test.statistic, test.df, round(test.p_value, 4)
        (4.0, 1, 0.0546)
    """
    usable = usable_rows(covariance) & np.isfinite(np.asarray(values, dtype=np.float64))
    least_df = smallest_df(df, usable)
    effects = np.asarray(values, dtype=np.float64)[usable]
    if effects.size < 2 or np.isnan(least_df):
        return EqualityTest(float("nan"), max(int(effects.size) - 1, 0), least_df, float("nan"))
    matrix = np.asarray(covariance, dtype=np.float64)[np.ix_(usable, usable)]
    from_mean = np.eye(effects.size)[1:] - np.eye(effects.size)[0]
    spread = from_mean @ matrix @ from_mean.T
    rank = int(np.linalg.matrix_rank(spread, hermitian=True))
    if rank == 0:
        return EqualityTest(float("nan"), 0, least_df, float("nan"))
    differences = from_mean @ effects
    wald = float(differences @ np.linalg.pinv(spread, hermitian=True) @ differences)
    shared = _share_units(matrix)
    denominator = least_df - rank + 1 if shared else least_df
    if shared and least_df < effects.size - 1:
        return EqualityTest(float("nan"), rank, float("nan"), float("nan"))
    statistic = wald / rank * (denominator / least_df if np.isfinite(least_df) else 1.0)
    return EqualityTest(statistic, rank, denominator, float(stats.f.sf(statistic, rank, denominator)))


def _share_units(covariance: Floats) -> bool:
    correlation = correlation_of(covariance)
    return bool((np.abs(correlation - np.diag(np.diag(correlation))) > 1e-12).any())


def possibly_best(values: Any, covariance: Any, df: Any, *, level: float, rng: np.random.Generator) -> Bools:
    """Segments that can't be told from the best one (Hsu's multiple comparisons with the best).

    Segment k is left out if, for some other j, values[k] - values[j] < -d_k se(k, j); d_k is the one-sided critical
    value for all comparisons with k, from their actual covariances. With probability `level` at least, the truly best
    segment stays in.

    Args:
        values: effects, shape (K,), outcome units; larger is better.
        covariance: their covariances, shape (K, K).
        df: degrees of freedom of the errors, a number or shape (K,), of which the smallest counts.
        level: confidence, inside (0, 1).
        rng: source of the draws.

    Returns:
        Booleans, shape (K,). A segment without a value or an error stays in: nothing shows that it is worse.

    Raises:
        DataError: a level outside (0, 1).

    References:
        Hsu (1981, 1996), Multiple Comparisons.

    Examples:
        >>> possibly_best([0.0, 1.0, 1.1], np.eye(3) * 0.01, 50, level=0.95, rng=np.random.default_rng(1))
        array([False,  True,  True])
    """
    checked_level(level)
    effects = np.asarray(values, dtype=np.float64)
    matrix = np.atleast_2d(np.asarray(covariance, dtype=np.float64))
    diagonal = np.diag(matrix)
    usable = np.isfinite(effects) & np.isfinite(diagonal)
    result = np.ones(effects.shape, dtype=np.bool_)
    places = np.flatnonzero(usable)
    least_df = smallest_df(df, usable)
    if places.size < 2 or np.isnan(least_df):
        return result
    effects, matrix = effects[places], matrix[np.ix_(places, places)]
    result[places] = [_may_be_best(k, effects, matrix, least_df, level, rng) for k in range(places.size)]
    return result


def _may_be_best(
    k: int, effects: Floats, covariance: Floats, df: float, level: float, rng: np.random.Generator
) -> bool:
    others = np.delete(np.arange(effects.size), k)
    contrast = np.eye(effects.size)[others] - np.eye(effects.size)[k]
    behind, spread = contrast @ effects, contrast @ covariance @ contrast.T
    variance = np.diag(spread)
    certain = variance <= 1e-14 * np.diag(covariance).max()
    if (behind[certain] > 0).any():
        return False
    if certain.all() or (behind[~certain] <= 0).all():
        return True
    kept = spread[np.ix_(~certain, ~certain)]
    critical = one_sided_critical(kept, df, level, rng)
    return bool((behind[~certain] <= critical * np.sqrt(variance[~certain])).all())


def one_sided_critical(covariance: Floats, df: float, level: float, rng: np.random.Generator) -> float:
    """The `level` quantile of max T over the numbers with these covariances; exact for one number."""
    if len(covariance) == 1:
        return float(stats.t.ppf(level, df))
    largest = draw_statistics(correlation_of(covariance), df, rng, lambda draws: draws.max(axis=1))
    return float(np.quantile(largest, level))
