"""Variances are not known: predictions average over all that the measurements allow.

Priors are weak: half-normal for each standard deviation, as wide as the measured effects are spread beyond their
errors; Beta(2, 3) for the correlation of trying with what is particular to a cell. The posterior is found by its mode,
then by importance sampling from a t distribution that is fitted anew in rounds.

References: Gelman (2006), Prior distributions for variance parameters in hierarchical models; Rue, Martino, Chopin
(2009), Approximate Bayesian inference for latent Gaussian models (integration over few hyperparameters).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import optimize, special, stats
from scipy.stats import qmc

from leadlift.base.arrays import Floats
from leadlift.problems.transfer_gaussian import SELECTION, SPREADS, Field, Posterior, posterior

FREEDOM = 5.0
LEAST_WEIGHT = 5e-4
ROUNDS = (64, 128, 256)
FAR = 6.0
BELIEF = (2.0, 3.0)


@dataclass(frozen=True, eq=False)
class Integral:
    """Posteriors under the variances that matter, the likeliest first, with weights that add up to 1."""

    posteriors: tuple[Posterior, ...]
    weights: Floats
    effective: float

    @cached_property
    def predicted(self) -> tuple[Floats, Floats]:
        """Means and standard deviations under each, shape (points, products, mechanics)."""
        found = [point.predict() for point in self.posteriors]
        return np.stack([mean for mean, _ in found]), np.sqrt(np.stack([variance for _, variance in found]))

    def spreads(self) -> dict[str, Floats]:
        """Each component under each point, shape (points,)."""
        return {name: np.array([point.spread[name] for point in self.posteriors]) for name in (*SPREADS, SELECTION)}


def integrate(field: Field, names: Sequence[str], scale: float, *, points: int, seed: int) -> Integral:
    """Posterior over the components in `names`; the others are 0.

    Args:
        field: measurements and what they depend on.
        names: of `SPREADS` and `selection`, those that can be anything but 0.
        scale: of the half-normal priors, outcome units.
        points: how many to weigh, a power of 2.
        seed: of the points.
    """

    def density(values: Floats) -> float:
        return posterior(field, spreads(values, names, scale)).log_likelihood - 0.5 * float(values @ values)

    start, bounds = np.zeros(len(names)), [(-FAR, FAR)] * len(names)
    mode = optimize.minimize(lambda v: -density(v), start, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-7}).x
    centre, spread = mode, _inverse_curvature(density, mode)
    rng = np.random.default_rng([seed, len(names)])
    for many in ROUNDS:
        drawn, weight, _, _ = _weighed(density, centre, spread, many, rng)
        centre = weight @ drawn
        # A little wider than seen, since few points see the tails.
        spread = 1.3 * (drawn - centre).T @ ((drawn - centre) * weight[:, None]) + 0.01 * np.eye(len(names))
    drawn, weight, height, effective = _weighed(density, centre, spread, points, rng)
    order = np.argsort(-height, kind="stable")
    kept = order[weight[order] > LEAST_WEIGHT]
    found = tuple(posterior(field, spreads(drawn[k], names, scale)) for k in kept)
    return Integral(found, weight[kept] / weight[kept].sum(), effective)


def spreads(values: Floats, names: Sequence[str], scale: float) -> dict[str, float]:
    """Components from the values that are searched, whose priors are standard normal.

    >>> found = spreads(np.array([0.0, 1.0]), ["cell", "selection"], 1.0)
    >>> round(found["cell"], 3), round(found["selection"], 3)
    (0.674, 0.618)
    """
    found = dict.fromkeys((*SPREADS, SELECTION), 0.0)
    for name, value in zip(names, values, strict=True):
        below = float(special.ndtr(-value))
        chosen = name == SELECTION
        found[name] = float(special.betainccinv(*BELIEF, below) if chosen else -scale * special.ndtri(below / 2))
    return found


def _weighed(
    density: Callable[[Floats], float], centre: Floats, spread: Floats, many: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats, float]:
    """Values drawn around `centre`, their weights and log densities, and how many the weights amount to."""
    size = len(centre)
    uniform = np.clip(qmc.Sobol(size + 1, rng=rng).random(many), 1e-9, 1 - 1e-9)
    chi = stats.chi2.ppf(uniform[:, -1], FREEDOM) / FREEDOM
    root = np.linalg.cholesky(spread)
    standard = special.ndtri(uniform[:, :-1]) / np.sqrt(chi)[:, None]
    drawn = np.clip(centre + standard @ root.T, -FAR, FAR)
    proposal = -0.5 * (FREEDOM + size) * np.log1p((standard**2).sum(axis=1) / FREEDOM)
    height = np.array([density(values) for values in drawn])
    weight = np.exp(height - proposal - (height - proposal).max())
    weight /= weight.sum()
    return drawn, weight, height, float(1.0 / (weight**2).sum())


def _inverse_curvature(density: Callable[[Floats], float], mode: Floats, step: float = 0.1) -> Floats:
    """Covariance of the normal that bends like the posterior at its mode, its widths kept between 0.1 and 1.5."""
    size, moves = len(mode), step * np.eye(len(mode))
    curvature = np.empty((size, size))
    middle = density(mode)
    sides = [(density(mode + moves[i]), density(mode - moves[i])) for i in range(size)]
    for i in range(size):
        curvature[i, i] = -(sides[i][0] + sides[i][1] - 2 * middle) / step**2
        for j in range(i):
            both = density(mode + moves[i] + moves[j])
            curvature[i, j] = curvature[j, i] = -(both - sides[i][0] - sides[j][0] + middle) / step**2
    value, vector = np.linalg.eigh(curvature)
    width = 1.0 / np.clip(value, 1.5**-2, 0.1**-2)
    return np.asarray((vector * width) @ vector.T, dtype=np.float64)
