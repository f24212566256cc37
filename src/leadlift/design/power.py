"""Power, sample size and minimal detectable uplift of a signed sum of means: a difference, or one of differences.

The estimate is sum_k (+-1) mean_k, with mean_k over `leads[k]` leads whose outcome has variance `variances[k]`; means
are independent. Its error is unpooled. `normal` compares with the normal, `welch` with Student's t at Satterthwaite's
degrees of freedom, `pooled` with t at the number of units less the number of means.

References: Cohen (1988), chapter 2; Welch (1947); Satterthwaite (1946).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from scipy import optimize, stats

from leadlift.base.arrays import Floats
from leadlift.base.problems import stop

Method = Literal["normal", "welch", "pooled"]
Alternative = Literal["two-sided", "greater"]
FEWEST_UNITS = 2.0
PRECISION = {"xtol": 1e-13, "rtol": 1e-13, "maxiter": 500}


def power_of(
    effect: float,
    *,
    variances: Any,
    leads: Any,
    alpha: float,
    method: Method,
    alternative: Alternative = "two-sided",
    leads_per_unit: float = 1.0,
) -> float:
    """P(the test rejects) when the truth is `effect`.

    Args:
        effect: true value of the signed sum of means, outcome units.
        variances: of the outcome around each mean, design effect included, shape (k,), squared outcome units.
        leads: leads behind each mean, shape (k,).
        alpha: level of the test, inside (0, 1).
        method: what the statistic is compared with.
        alternative: `greater` tests one side, at the whole alpha.
        leads_per_unit: leads per independent unit; degrees of freedom count units.

    Returns:
        The power, in [0, 1]; 0 with fewer than two units behind a mean where degrees of freedom are needed.

    Raises:
        DataError: a level outside (0, 1), a variance or number of leads that is not positive.

    Examples:
        >>> power_of(0.02, variances=[0.09, 0.1056], leads=[3839, 3839], alpha=0.05, method="normal").__round__(4)
        0.8001
    """
    spread, n = np.asarray(variances, dtype=np.float64), np.asarray(leads, dtype=np.float64)
    _check(spread, n, alpha)
    units = n / leads_per_unit
    if method != "normal" and units.min() < FEWEST_UNITS:
        return 0.0
    parts = spread / n
    df = _degrees(parts, units, method)
    shift = effect / float(np.sqrt(parts.sum()))
    return _upper(abs(shift), df, alpha / 2) if alternative == "two-sided" else _upper_tail(shift, df, alpha)


def leads_needed(
    effect: float,
    *,
    variances: Any,
    shares: Any,
    alpha: float,
    power: float,
    method: Method,
    alternative: Alternative = "two-sided",
    leads_per_unit: float = 1.0,
) -> float:
    """Leads in all for which the power at `effect` is `power`; not rounded.

    Args:
        effect: true value to be seen, outcome units, not 0.
        variances: as for `power_of`.
        shares: each mean's share of all leads, shape (k,); they may add up to less than 1.
        alpha: level of the test.
        power: wanted, inside (alpha, 1).
        method: as for `power_of`.
        alternative: as for `power_of`.
        leads_per_unit: as for `power_of`.

    Returns:
        The number of leads, shares[k] of which stand behind mean k.

    Raises:
        DataError: an effect of 0, a power not above alpha, or what `power_of` refuses.

    Examples:
        >>> n = leads_needed(0.1, variances=[1, 1], shares=[0.5, 0.5], alpha=0.05, power=0.8, method="welch")
        >>> round(n / 2, 2)
        1570.73
    """
    share, spread = np.asarray(shares, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    _check(spread, share, alpha)
    if effect == 0 or not alpha < power < 1:
        rule, fix = "an effect that is not 0, at a power between the level and 1", "change them"
        raise stop("a sample size", "size", rule, f"effect {effect:g}, power {power:g}, level {alpha:g}", fix)

    def missing(leads: float) -> float:
        reached = power_of(
            effect,
            variances=spread,
            leads=leads * share,
            alpha=alpha,
            method=method,
            alternative=alternative,
            leads_per_unit=leads_per_unit,
        )
        return reached - power

    fewest = FEWEST_UNITS * leads_per_unit / float(share.min())
    low = 0.5 * normal_leads(effect, spread, share, alpha, power, alternative)
    low = low if method == "normal" else max(low, fewest)
    high = max(low, 1.0)
    if missing(low) >= 0:
        return low
    while missing(high) < 0:
        high *= 2
    return float(optimize.brentq(missing, low, high, **PRECISION))


def normal_leads(
    effect: float, variances: Floats, shares: Floats, alpha: float, power: float, alternative: Alternative = "two-sided"
) -> float:
    """Leads in all by (z_alpha + z_power)^2 sum(v / share) / effect^2, the far tail left out."""
    return float((variances / shares).sum()) * quantiles(alpha, power, alternative) ** 2 / effect**2


def quantiles(alpha: float, power: float, alternative: Alternative = "two-sided") -> float:
    """How many standard errors an effect must be to be seen: z_alpha + z_power.

    >>> round(quantiles(0.05, 0.8), 3)
    2.802
    """
    tail = alpha / 2 if alternative == "two-sided" else alpha
    return float(stats.norm.isf(tail) + stats.norm.ppf(power))


def detectable(
    *,
    variances_at: Callable[[float], Any],
    leads: Any,
    alpha: float,
    power: float,
    method: Method,
    alternative: Alternative = "two-sided",
    leads_per_unit: float = 1.0,
    largest: float = np.inf,
) -> float | None:
    """The smallest positive effect seen with `power`.

    Args:
        variances_at: variances, as for `power_of`, if the effect is so large.
        leads: leads behind each mean, shape (k,).
        alpha: level of the test.
        power: wanted, inside (alpha, 1).
        method: as for `power_of`.
        alternative: as for `power_of`.
        leads_per_unit: as for `power_of`.
        largest: no effect is larger, such as 1 less the control's rate.

    Returns:
        The effect, outcome units; None if not even the largest is seen.

    Examples:
        >>> round(detectable(variances_at=lambda effect: [1, 1], leads=[1571, 1571], alpha=0.05, power=0.8,
        ...     method="welch"), 3)
        0.1
    """
    n = np.asarray(leads, dtype=np.float64)

    def missing(effect: float) -> float:
        reached = power_of(
            effect,
            variances=variances_at(effect),
            leads=n,
            alpha=alpha,
            method=method,
            alternative=alternative,
            leads_per_unit=leads_per_unit,
        )
        return reached - power

    near = quantiles(alpha, power, alternative) * float(np.sqrt((np.asarray(variances_at(0.0)) / n).sum()))
    high = min(near, largest)
    while missing(high) < 0:
        if high >= largest or high > near * 2**20:
            return None
        high = min(2 * high, largest)
    return float(optimize.brentq(missing, 0.0, high, **PRECISION))


def _check(variances: Floats, leads: Floats, alpha: float) -> None:
    positive = np.isfinite(variances).all() and np.isfinite(leads).all() and min(variances.min(), leads.min()) > 0
    if variances.shape != leads.shape or not positive or not 0 < alpha < 1:
        found = f"variances {variances.tolist()}, leads {leads.tolist()}, level {alpha:g}"
        rule, fix = "each mean has a positive variance and leads, and the level lies between 0 and 1", "change them"
        raise stop("a power", "means", rule, found, fix)


def _degrees(parts: Floats, units: Floats, method: Method) -> float:
    if method == "normal":
        return float("inf")
    if method == "pooled":
        return float(units.sum() - units.size)
    return float(parts.sum() ** 2 / (parts**2 / (units - 1)).sum())


def _upper(shift: float, df: float, tail: float) -> float:
    """P(|T| > critical) for a statistic that is `shift` standard errors from 0."""
    return min(1.0, _upper_tail(shift, df, tail) + _upper_tail(-shift, df, tail))


def _upper_tail(shift: float, df: float, tail: float) -> float:
    if np.isinf(df):
        return float(stats.norm.sf(stats.norm.isf(tail) - shift))
    critical = stats.t.isf(tail, df)
    exact = float(stats.nct.sf(critical, df, shift))
    # Far in the tails scipy's noncentral t has no digits left; the shifted t is as good there.
    return exact if np.isfinite(exact) else float(stats.t.sf(critical - shift, df))
