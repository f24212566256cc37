"""Draws a design's experiment: not by the plan's formulas, and not by leadlift's own simulation.

Outcomes of one organisation share a uniform variable: a share is a beta variable's quantile there, so that two leads of
a group have correlation rho; money is normal around a shared part, or, skewed, a deal won with lognormal worth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from leadlift.design.clusters import Clusters

Array = np.ndarray
WON = 0.4  # share of leads with a deal, for skewed money


@dataclass(frozen=True)
class Truth:
    """What the experiment is drawn from; `means` and `uplifts` by group, arms by share."""

    means: Array
    uplifts: Array
    group_shares: Array
    sd: float | None
    skewed: bool
    clusters: Clusters
    mixed: bool
    arm_shares: Array
    blocked: bool


@dataclass(frozen=True)
class Drawn:
    y: Array
    arm: Array
    group: Array
    unit: Array


def draw(truth: Truth, leads: float, rng: np.random.Generator) -> Drawn:
    """One experiment with about this many leads: whole organisations, arms by their shares."""
    many = round(leads / truth.clusters.mean)
    sizes = draw_sizes(many, truth.clusters, rng)
    unit = np.repeat(np.arange(many), sizes)
    arm = draw_arms(many, truth, rng)[unit]
    picked = rng.choice(truth.means.size, size=unit.size if truth.mixed else many, p=truth.group_shares)
    group = picked if truth.mixed else picked[unit]
    # Only the first touched arm moves anyone; others are there to take their share of the leads.
    mean = truth.means[group] + truth.uplifts[group] * (arm == 1)
    return Drawn(outcomes(mean, unit, many, truth, rng), arm, group, unit)


def draw_sizes(many: int, clusters: Clusters, rng: np.random.Generator) -> Array:
    """1 + a negative binomial (or, with little spread, binomial) variable with the mean and spread asked for."""
    more, variance = clusters.mean - 1, (clusters.cv * clusters.mean) ** 2
    if more <= 0:
        return np.ones(many, dtype=int)
    if variance > more:
        return 1 + rng.negative_binomial(more**2 / (variance - more), more / variance, many)
    trials = max(round(more**2 / (more - variance)), 1) if variance < more else 1000
    return 1 + rng.binomial(trials, more / trials, many)


def draw_arms(many: int, truth: Truth, rng: np.random.Generator) -> Array:
    if not truth.blocked:
        return rng.choice(truth.arm_shares.size, size=many, p=truth.arm_shares)
    edges = np.round(np.cumsum(truth.arm_shares) * many).astype(int)
    return rng.permutation(np.searchsorted(edges, np.arange(many), side="right"))


def outcomes(mean: Array, unit: Array, many: int, truth: Truth, rng: np.random.Generator) -> Array:
    rho = truth.clusters.rho
    if truth.sd is None:
        rate = mean
        if rho > 0:
            rate = rates(mean, unit, many, truth, rng)
        return (rng.random(unit.size) < rate).astype(float)
    if truth.skewed:
        # Won with probability WON and then lognormal; a touch adds to every won deal in proportion.
        base = truth.means[0]
        log_variance = np.log((truth.sd**2 + base**2) * WON / base**2)
        worth = rng.lognormal(-log_variance / 2, np.sqrt(log_variance), unit.size)
        return base * worth * (rng.random(unit.size) < WON) / WON + (mean - base)
    shared, own = rng.standard_normal(many)[unit], rng.standard_normal(unit.size)
    return mean + truth.sd * (np.sqrt(rho) * shared + np.sqrt(1 - rho) * own)


def rates(mean: Array, unit: Array, many: int, truth: Truth, rng: np.random.Generator) -> Array:
    """Each lead's chance: a beta variable of its organisation, drawn at the same quantile for all its groups."""
    weight = (1 - truth.clusters.rho) / truth.clusters.rho
    if not truth.mixed:
        of_unit = mean[np.unique(unit, return_index=True)[1]]
        return rng.beta(of_unit * weight, (1 - of_unit) * weight)[unit]
    kinds, kind = np.unique(mean, return_inverse=True)
    pairs, pair = np.unique(unit * kinds.size + kind, return_inverse=True)
    middle = kinds[pairs % kinds.size]
    luck = rng.random(many)[pairs // kinds.size]
    return stats.beta.ppf(luck, middle * weight, (1 - middle) * weight)[pair]
