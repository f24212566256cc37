"""Leads within organisations: how much less they tell than as many independent ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from leadlift.base.problems import stop
from leadlift.base.record import Record


@dataclass(frozen=True)
class Clusters(Record):
    """How leads are spread over organisations.

    Attributes:
        mean: leads per organisation.
        cv: standard deviation of that number over its mean.
        rho: correlation of two leads' outcomes inside an organisation, in [0, 1).
    """

    mean: float = 1.0
    cv: float = 0.0
    rho: float = 0.0

    @property
    def met(self) -> float:
        """Leads in the organisation of a lead taken at random, (cv^2 + 1) m: large ones are met more often."""
        return (self.cv**2 + 1) * self.mean

    @property
    def design_effect(self) -> float:
        """Variance over that of as many independent leads."""
        return design_effect(self.mean, self.cv, self.rho)

    def largest(self, organisations: float) -> int:
        """Leads of the largest of so many organisations, about: 1 + the gamma variable's quantile there.

        >>> Clusters(4, 0.8).largest(500), Clusters(4, 0.0).largest(500), Clusters().largest(500)
        (22, 4, 1)
        """
        more, spread = self.mean - 1, self.cv * self.mean
        if more <= 0 or spread == 0:
            return math.ceil(self.mean)
        tail = 1 / max(organisations, 2.0)
        return 1 + math.ceil(float(stats.gamma.isf(tail, (more / spread) ** 2, scale=spread**2 / more)))

    def part(self, share: float) -> Clusters:
        """Of each organisation only a part, `share` of its leads, each kept or not for itself.

        A kept lead meets share x (met - 1) others.

        >>> round(Clusters(4, 0.5, 0.1).part(0.5).design_effect, 3)
        1.2
        """
        mean = 1 + share * (self.mean - 1)
        met = 1 + share * (self.met - 1)
        return Clusters(mean, float(np.sqrt(max(met / mean - 1, 0))), self.rho)


def design_effect(mean: float, cv: float, rho: float) -> float:
    """1 + ((cv^2 + 1) m - 1) rho: the variance of a mean over that of as many independent leads.

    Args:
        mean: leads per organisation, m.
        cv: standard deviation of that number over its mean.
        rho: correlation of outcomes inside an organisation.

    References:
        Eldridge, Ashby, Kerry (2006), International Journal of Epidemiology 35, 1292-1300.

    Examples:
        >>> round(design_effect(4, 0.5, 0.1), 3)
        1.4
    """
    return 1 + ((cv**2 + 1) * mean - 1) * rho


def estimate_clusters(organisation: Any, outcome: Any) -> Clusters:
    """Sizes of organisations and rho from past leads, by the one-way analysis of variance.

    rho = (MSB - MSW) / (MSB + (n0 - 1) MSW), with n0 = (N - sum n_j^2 / N) / (J - 1). A negative one becomes 0, since
    planning with fewer leads than independent ones need would be a bet on chance.

    Args:
        organisation: whose lead it was, shape (n,).
        outcome: what came of it, shape (n,), outcome units.

    Raises:
        DataError: fewer than two organisations, none with two leads, or an outcome that is missing or never varies.

    References:
        Donner (1986), International Statistical Review 54, 67-82.

    Examples:
        >>> found = estimate_clusters(["a", "a", "b", "b", "c", "c"], [1, 1, 0, 0, 1, 0])
        >>> round(found.rho, 4), found.mean, found.cv
        (0.5, 2.0, 0.0)
    """
    frame = pd.DataFrame({"organisation": organisation, "outcome": outcome})
    known = frame.dropna()
    values = known["outcome"].to_numpy(dtype=np.float64)
    codes = pd.factorize(known["organisation"])[0]
    sizes = np.bincount(codes).astype(np.float64)
    lost = len(frame) - len(known)
    _check(sizes, values, lost)
    n, many = sizes.sum(), sizes.size
    means = np.bincount(codes, weights=values) / sizes
    between = (sizes * (means - values.mean()) ** 2).sum() / (many - 1)
    within = ((values - means[codes]) ** 2).sum() / (n - many)
    n0 = (n - (sizes**2).sum() / n) / (many - 1)
    rho = (between - within) / (between + (n0 - 1) * within)
    return Clusters(float(sizes.mean()), float(sizes.std() / sizes.mean()), float(np.clip(rho, 0, 1 - 1e-9)))


def _check(sizes: Any, values: Any, lost: int) -> None:
    if sizes.size >= 2 and sizes.sum() > sizes.size and np.isfinite(values).all() and np.ptp(values) > 0 and not lost:
        return
    found = f"{int(sizes.sum()):,} leads of {sizes.size:,} organisations, {lost:,} more without organisation or outcome"
    rule = "past leads of two organisations or more, some with two leads, every outcome known, not all equal"
    raise stop("the past leads", "rho", rule, found, "complete the table, or give `plan.rho`")
