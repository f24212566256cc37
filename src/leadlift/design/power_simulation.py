"""Power by simulation: experiments drawn as the design says, analysed as leadlift analyses them.

Formulas count on many organisations. Where an arm has fewer than 30, this draws the experiment again and again and
counts how often the effect is told from zero. The difference in means of one cell, its CR2 error and Satterthwaite's
degrees of freedom need only each organisation's number of leads and their sum, so all draws are computed at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from leadlift.base.arrays import Floats
from leadlift.design.clusters import Clusters

FEWEST_ORGANISATIONS = 10
FEW_ORGANISATIONS = 30
DRAWS = 8_000
BLOCK = 2_000


@dataclass(frozen=True)
class Part:
    """Leads of one segment in a simulated experiment.

    Attributes:
        organisations: in control and in the touched arm.
        clusters: their sizes and the correlation inside them.
        baseline: mean outcome of control, outcome units.
        uplift: touched less control, outcome units.
        sd: spread of money outcomes; None: outcomes are 0 or 1.
    """

    organisations: tuple[int, int]
    clusters: Clusters
    baseline: float
    uplift: float
    sd: float | None


@dataclass(frozen=True)
class Differences:
    """Differences in means of many draws, with variances and degrees of freedom, each shape (draws,)."""

    value: Floats
    variance: Floats
    df: Floats


def simulated_power(parts: Sequence[Part], *, alpha: float, rng: np.random.Generator, draws: int = DRAWS) -> float:
    """How often an uplift, or the first part's less the second's, is told from zero.

    Args:
        parts: one segment, or two without common organisations. Under 10 organisations in an arm of one, no interval
            is given and nothing is seen.
        alpha: level of the test.
        rng: source of the draws.
        draws: how many experiments.

    Returns:
        The power, with a standard error of at most 0.5 / sqrt(draws).

    Examples:
        >>> part = Part((15, 15), Clusters(3, 0.5, 0.1), baseline=5.0, uplift=2.0, sd=1.0)
        >>> simulated_power([part], alpha=0.05, rng=np.random.default_rng(1), draws=20)
        1.0
    """
    if min(min(part.organisations) for part in parts) < FEWEST_ORGANISATIONS:
        return 0.0
    seen = 0
    for start in range(0, draws, BLOCK):
        many = min(BLOCK, draws - start)
        found = [_drawn(part, many, rng) for part in parts]
        value = found[0].value - sum(other.value for other in found[1:])
        variance = sum((other.variance for other in found[1:]), found[0].variance)
        spread = sum((other.variance**2 / other.df for other in found[1:]), found[0].variance ** 2 / found[0].df)
        with np.errstate(divide="ignore", invalid="ignore"):
            # Without any variance there is no error, and nothing is told from zero.
            p = 2 * stats.t.sf(np.abs(value) / np.sqrt(variance), variance**2 / spread)
        seen += int((p < alpha).sum())
    return seen / draws


def _drawn(part: Part, many: int, rng: np.random.Generator) -> Differences:
    sums, sizes = [], []
    for arm, mean in enumerate((part.baseline, part.baseline + part.uplift)):
        size = draw_sizes((many, part.organisations[arm]), part.clusters, rng)
        sizes.append(size)
        sums.append(_draw_sums(size, mean, part, rng))
    return differences((sizes[0], sizes[1]), (sums[0], sums[1]))


def draw_sizes(shape: tuple[int, int], clusters: Clusters, rng: np.random.Generator) -> Floats:
    """Leads of each organisation, 1 or more: 1 + a gamma variable, rounded up or down by lot so that the mean stays."""
    more = clusters.mean - 1
    if more <= 0:
        return np.ones(shape)
    spread = clusters.cv * clusters.mean
    drawn = np.full(shape, more) if spread == 0 else rng.gamma((more / spread) ** 2, spread**2 / more, shape)
    whole = np.floor(drawn)
    sizes: Floats = 1 + whole + (rng.random(shape) < drawn - whole)
    return sizes


def _draw_sums(sizes: Floats, mean: float, part: Part, rng: np.random.Generator) -> Floats:
    """Each organisation's sum of outcomes; two of its leads have correlation rho."""
    rho = part.clusters.rho
    if part.sd is not None:
        shared, own = rng.standard_normal(sizes.shape), rng.standard_normal(sizes.shape)
        money: Floats = sizes * (mean + part.sd * np.sqrt(rho) * shared) + part.sd * np.sqrt((1 - rho) * sizes) * own
        return money
    rate = np.full(sizes.shape, mean)
    if rho > 0:
        # Leads that share a rate drawn from this beta distribution have correlation rho.
        weight = (1 - rho) / rho
        rate = rng.beta(mean * weight, (1 - mean) * weight, sizes.shape)
    return rng.binomial(sizes.astype(np.int64), rate).astype(np.float64)


def differences(sizes: tuple[Floats, Floats], sums: tuple[Floats, Floats]) -> Differences:
    """leadlift's difference in means with its CR2 error, for many experiments at once.

    Args:
        sizes: leads of each organisation, control's and the touched arm's, shapes (draws, organisations).
        sums: their outcomes added up, likewise, outcome units.

    References: Bell, McCaffrey (2002); the same as `difference_in_means` on one cell, which a test holds it to.
    """
    means = []
    variance, trace, trace_of_square = (np.zeros(sizes[0].shape[0]) for _ in range(3))
    for size, total in zip(sizes, sums, strict=True):
        leads = size.sum(axis=1, keepdims=True)
        mean = total.sum(axis=1, keepdims=True) / leads
        leverage = size / leads
        means.append(mean[:, 0])
        part = (total - size * mean) / leads
        variance = variance + (part**2 / (1 - leverage)).sum(axis=1)
        weight = 1 / (leads * (1 - leverage))
        trace = trace + 1 / leads[:, 0]
        squared = (leverage**2 * weight).sum(axis=1) ** 2
        trace_of_square = trace_of_square + (leverage**2 * weight**2 * (1 - 2 * leverage)).sum(axis=1) + squared
    return Differences(means[1] - means[0], variance, trace**2 / trace_of_square)
