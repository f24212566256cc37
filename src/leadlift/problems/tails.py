"""Tails of sums of independent yes/no events whose chances differ: the Poisson-binomial distribution."""

from __future__ import annotations

import numpy as np
from scipy import special

from leadlift.base.arrays import Codes, Floats

STEPS = 200
ENOUGH = 1e-9
# Below this many standard deviations from the mean the two terms of the formula cancel; the limit takes their place.
NEAR = 1e-4
LARGEST = 700.0


def poisson_binomial_tail(chance: Floats, many: Floats, least: Floats | Codes) -> Floats:
    """P(X >= least) for X a sum of independent yes/no events, by saddlepoint.

    The Lugannani-Rice formula with Daniels's first continuity correction; exact for `least` of 0, 1 and all events.
    The relative error stays about the same however small the tail: under 1% where the variance of the sum, tilted to
    have `least` as its mean, is above 10, and under 20% where it is above 0.5.

    Args:
        chance: chances of the events, a row per sum, a column per kind of event, shape (sums, kinds), in [0, 1].
        many: events of each kind, shape (kinds,), whole numbers.
        least: the count reached, shape (sums,), whole numbers.

    Returns: probabilities, shape (sums,). 0 where more was reached than there are events that can happen.

    References:
        Lugannani, Rice (1980), Saddle point approximation for the distribution of the sum of independent random
        variables; Daniels (1987), Tail probability approximations.

    Examples:
        >>> poisson_binomial_tail(np.array([[0.5]]), np.array([10.0]), np.array([8])).round(3).tolist()
        [0.056]
    """
    chance, at_least = np.atleast_2d(chance), np.asarray(least, dtype=np.float64)
    certain = (chance >= 1) @ many
    possible = (chance > 0) @ many
    open_chance = np.where(chance >= 1, 0.0, chance)
    needed, left = at_least - certain, possible - certain
    tail = np.ones(len(at_least))
    tail[needed > left] = 0.0
    never = np.log1p(-open_chance) @ many
    one = needed == 1
    tail[one & (left >= 1)] = -np.expm1(never[one & (left >= 1)])
    every = (needed == left) & (needed > 1)
    tail[every] = _all_of(open_chance[every], many)
    rest = np.flatnonzero((needed > 1) & (needed < left))
    if rest.size:
        tail[rest] = _saddlepoint(open_chance[rest], many, needed[rest])
    return tail


def _all_of(chance: Floats, many: Floats) -> Floats:
    logs = np.log(chance, where=chance > 0, out=np.zeros_like(chance))
    return np.exp(logs @ many)


def _saddlepoint(chance: Floats, many: Floats, at: Floats) -> Floats:
    """Upper tails of counts that can be reached and exceeded."""
    tilt = _tilts(chance, many, at)
    grown = np.exp(tilt)[:, None]
    spread_out = 1.0 + chance * (grown - 1.0)
    share = chance * grown / spread_out
    variance = (share * (1.0 - share)) @ many
    cumulant = np.log(spread_out) @ many
    w = np.sign(tilt) * np.sqrt(2.0 * np.maximum(tilt * at - cumulant, 0.0))
    u = -np.expm1(-tilt) * np.sqrt(variance)
    near = np.abs(w) < NEAR
    skewness = (share * (1.0 - share) * (1.0 - 2.0 * share)) @ many / variance**1.5
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        gap = np.where(near, 0.5 / np.sqrt(variance) - skewness / 6.0, 1.0 / u - 1.0 / w)
    density = np.exp(-0.5 * w**2) / np.sqrt(2.0 * np.pi)
    # Far out, the normal tail and its correction nearly cancel: they are added on their common scale.
    far = density * (special.erfcx(np.maximum(w, 0.0) / np.sqrt(2.0)) * np.sqrt(np.pi / 2.0) + gap)
    clipped: Floats = np.clip(np.where(w > 0, far, special.ndtr(-w) + density * gap), 0.0, 1.0)
    return clipped


def _tilts(chance: Floats, many: Floats, at: Floats) -> Floats:
    """The tilt at which each sum's mean is `at`, by Newton steps kept inside a bracket."""
    mean, possible = chance @ many, (chance > 0) @ many
    tilt = np.log(at * (possible - mean) / (mean * (possible - at)))
    # Equal chances would have exactly this tilt; unequal ones lie on the same side of zero.
    low, high = np.where(tilt > 0, 0.0, -LARGEST), np.where(tilt > 0, LARGEST, 0.0)
    going = np.arange(len(at))
    for _ in range(STEPS):
        part, now = chance[going], tilt[going]
        grown = np.exp(now)[:, None]
        share = part * grown / (1.0 + part * (grown - 1.0))
        miss = share @ many - at[going]
        slope = (share * (1.0 - share)) @ many
        open_still = np.abs(miss) > ENOUGH * np.maximum(at[going], 1.0)
        if not open_still.any():
            break
        going, now, miss, slope = going[open_still], now[open_still], miss[open_still], slope[open_still]
        low[going] = np.where(miss < 0, np.maximum(low[going], now), low[going])
        high[going] = np.where(miss > 0, np.minimum(high[going], now), high[going])
        step = now - np.divide(miss, slope, out=np.full_like(miss, np.inf), where=slope > 0)
        inside = (step > low[going]) & (step < high[going])
        tilt[going] = np.where(inside, step, (low[going] + high[going]) / 2.0)
    return tilt
