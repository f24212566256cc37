"""Power by simulation: logs drawn as the design says, analysed as leadlift analyses them.

Formulas count on many organisations. Where an arm has fewer than 30, this draws the experiment again and again and
counts how often the effect is told from zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from leadlift.base.arrays import Codes, Floats
from leadlift.design.clusters import Clusters
from leadlift.inference import Estimate, difference_in_means, p_value

FEWEST_ORGANISATIONS = 10
FEW_ORGANISATIONS = 30
DRAWS = 1000


@dataclass(frozen=True)
class SimulatedLog:
    """One experiment's outcomes.

    Attributes:
        y: outcome, shape (n,), outcome units.
        arm: 1 touched, 0 control, shape (n,).
        group: code of the score group, shape (n,).
        organisation: its code, shape (n,).
    """

    y: Floats
    arm: Codes
    group: Codes
    organisation: Codes


def draw_log(
    *,
    organisations: tuple[int, int],
    clusters: Clusters,
    means: Floats,
    sd: Floats | None,
    rng: np.random.Generator,
    group_shares: Floats | None = None,
    groups: Literal["mixed", "whole"] = "whole",
) -> SimulatedLog:
    """Draws one experiment whose organisations are kept whole.

    Args:
        organisations: in control and in the touched arm.
        clusters: their sizes and the correlation inside them.
        means: mean outcome by arm (control first) and group, shape (2, groups).
        sd: spread of money outcomes by group, shape (groups,); None: outcomes are 0 or 1.
        rng: source of the draws.
        group_shares: leads by group, shape (groups,); None: one group.
        groups: `whole` puts all leads of an organisation into one group, `mixed` each lead for itself.

    Returns:
        The log. Two leads of an organisation in one group have correlation rho.
    """
    total = sum(organisations)
    sizes = draw_sizes(total, clusters, rng)
    organisation = np.repeat(np.arange(total), sizes)
    arm = (np.arange(total) >= organisations[0]).astype(np.intp)[organisation]
    shares = np.ones(1) if group_shares is None else group_shares
    if groups == "whole":
        group = rng.choice(shares.size, size=total, p=shares)[organisation]
    else:
        group = rng.choice(shares.size, size=organisation.size, p=shares)
    mean = means[arm, group]
    if sd is not None:
        shared, own = rng.standard_normal(total)[organisation], rng.standard_normal(organisation.size)
        y = mean + sd[group] * (np.sqrt(clusters.rho) * shared + np.sqrt(1 - clusters.rho) * own)
    else:
        luck = rng.random(total)[organisation]
        y = (rng.random(organisation.size) < _rates(mean, luck, clusters.rho)).astype(np.float64)
    return SimulatedLog(y, arm, group.astype(np.intp), organisation.astype(np.intp))


def draw_sizes(many: int, clusters: Clusters, rng: np.random.Generator) -> Codes:
    """Leads of each organisation, 1 or more: 1 + a gamma variable, rounded up or down by lot so that the mean stays."""
    more = clusters.mean - 1
    if more <= 0:
        return np.ones(many, dtype=np.intp)
    spread = clusters.cv * clusters.mean
    drawn = np.full(many, more) if spread == 0 else rng.gamma((more / spread) ** 2, spread**2 / more, many)
    whole = np.floor(drawn)
    return (1 + whole + (rng.random(many) < drawn - whole)).astype(np.intp)


def _rates(mean: Floats, luck: Floats, rho: float) -> Floats:
    if rho == 0:
        return mean
    # A beta variable with these parameters gives two leads of one organisation exactly the correlation rho.
    size = (1 - rho) / rho
    rates: Floats = stats.beta.ppf(luck, mean * size, (1 - mean) * size)
    return rates


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


def effect_of(log: SimulatedLog, *, share: float) -> Estimate:
    """leadlift's difference in means, with its error by organisation."""
    n = log.y.size
    return difference_in_means(
        log.y,
        log.arm,
        propensity_treated=np.full(n, share),
        propensity_control=np.full(n, 1 - share),
        cell=np.zeros(n, dtype=np.intp),
        unit=log.organisation,
        n_units=int(log.organisation.max()) + 1,
    ).estimate


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
    hits = 0
    for _ in range(draws):
        found = [_drawn_effect(part, rng) for part in parts]
        variances = np.array([estimate.se**2 for estimate in found])
        freedom = np.array([estimate.df for estimate in found])
        if not variances.sum() > 0:
            continue
        value = found[0].value - sum(estimate.value for estimate in found[1:])
        df = variances.sum() ** 2 / (variances**2 / freedom).sum()
        hits += p_value(value, float(np.sqrt(variances.sum())), float(df)) < alpha
    return hits / draws


def _drawn_effect(part: Part, rng: np.random.Generator) -> Estimate:
    means = np.array([[part.baseline], [part.baseline + part.uplift]])
    spread = None if part.sd is None else np.array([part.sd])
    log = draw_log(organisations=part.organisations, clusters=part.clusters, means=means, sd=spread, rng=rng)
    return effect_of(log, share=part.organisations[1] / sum(part.organisations))
