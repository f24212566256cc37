"""Uplift of products x mechanics as sums of normal effects: likelihood and posterior, through low rank.

    uplift = mean + covariates + mechanic + product + problems + problems x mechanic + cell

Everything but products and cells is a vector u of few columns. Given u, products are independent of each other, so no
matrix is larger than u is long.

References: Henderson (1975), Best linear unbiased estimation and prediction under a selection model; Harville (1977),
Maximum likelihood approaches to variance component estimation; Woodbury (1950).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg

from leadlift.base.arrays import Bools, Codes, Floats

SELECTION = "selection"
SPREADS = ("mechanic", "product", "problem", "problem x mechanic", "cell")


@dataclass(frozen=True, eq=False)
class Field:
    """What is known before any variance is.

    Attributes:
        effect: measured uplift, NaN where not tried, shape (products, mechanics).
        noise: squared standard errors, likewise.
        profile: shares of problems, shape (products, problems).
        covariate: shape (products, mechanics, covariates).
        mean_sd: prior standard deviation of the mean.
        covariate_sd: that of each covariate's slope, shape (covariates,).
        shift: expected part of product and cell effects, per unit of selection, shape (products, mechanics).
        narrowing: how much of the cells' variance selection takes, per squared unit, likewise.
    """

    effect: Floats
    noise: Floats
    profile: Floats
    covariate: Floats
    mean_sd: float
    covariate_sd: Floats
    shift: Floats
    narrowing: Floats

    @cached_property
    def tried(self) -> Bools:
        """Where something was measured."""
        return np.isfinite(self.effect)

    @property
    def n_columns(self) -> int:
        """Length of u."""
        mechanics, problems = self.effect.shape[1], self.profile.shape[1]
        return int(1 + self.covariate.shape[2] + mechanics + problems * (1 + mechanics))

    @cached_property
    def columns(self) -> list[Codes]:
        """The columns of u that a mechanic's cells see: mean, covariates, mechanic, problems, problems x mechanic."""
        extra, problems, mechanics = self.covariate.shape[2], self.profile.shape[1], self.effect.shape[1]
        start = 1 + extra + mechanics
        shared, main = np.arange(1 + extra), start + np.arange(problems)
        return [
            np.concatenate([shared, [1 + extra + m], main, start + problems * (1 + m) + np.arange(problems)])
            for m in range(mechanics)
        ]

    @cached_property
    def rows(self) -> list[Floats]:
        """Each mechanic's cells in those columns, shape (products, columns)."""
        ones = np.ones((len(self.effect), 1))
        return [
            np.hstack([ones, self.covariate[:, m], ones, self.profile, self.profile])
            for m in range(self.effect.shape[1])
        ]

    def scale(self, spread: Mapping[str, float]) -> Floats:
        """Prior standard deviation of each column of u."""
        problems, mechanics = self.profile.shape[1], self.effect.shape[1]
        return np.concatenate(
            [
                [self.mean_sd],
                self.covariate_sd,
                np.full(mechanics, spread["mechanic"]),
                np.full(problems, spread["problem"]),
                np.full(problems * mechanics, spread["problem x mechanic"]),
            ]
        )


@dataclass(frozen=True, eq=False)
class Posterior:
    """u, products and cells given the measurements and one set of variances.

    Attributes:
        field: what it was made from.
        spread: standard deviations by name, and `selection`, the correlation of trying with product and cell effects.
        log_likelihood: of the measurements, everything else integrated out; the mean's prior is nearly flat.
    """

    field: Field
    spread: Mapping[str, float]
    log_likelihood: float
    _scale: Floats
    _factor: Floats
    _u: Floats
    _seen: Floats
    _pull: Floats
    _product: Floats

    @cached_property
    def _covariance(self) -> Floats:
        inverse = linalg.cho_solve((self._factor, True), np.eye(len(self._u)), check_finite=False)
        return np.asarray(inverse, dtype=np.float64)

    @cached_property
    def _own(self) -> tuple[Floats, Floats, Floats]:
        """Each cell's expected shift, variance of its own, and the weight of its own measurement."""
        field, selection, cell = self.field, self.spread[SELECTION], self.spread["cell"]
        shift = selection * np.hypot(self.spread["product"], cell) * field.shift
        own = cell**2 * (1.0 - selection**2 * field.narrowing)
        weight = np.where(field.tried, own / (own + np.where(field.tried, field.noise, 1.0)), 0.0)
        return shift, own, weight

    def predict(self) -> tuple[Floats, Floats]:
        """Mean and variance of every cell's *true* uplift, its own deviation included, shape (products, mechanics)."""
        field, (shift, own, weight) = self.field, self._own
        mean, variance = np.empty_like(shift), np.empty_like(shift)
        through = self._seen @ self._covariance
        seen = np.einsum("ij,ij->i", through, self._seen)
        for m, (columns, rows) in enumerate(zip(field.columns, field.rows, strict=True)):
            x = rows * self._scale[columns]
            mean[:, m] = x @ self._u[columns] + self._product
            variance[:, m] = np.einsum("ij,ij->i", x @ self._covariance[np.ix_(columns, columns)], x)
            variance[:, m] -= 2.0 * self._pull * np.einsum("ij,ij->i", x, through[:, columns])
        variance += (self._pull**2 * seen + self._pull)[:, None]
        mean = (1.0 - weight) * (mean + shift) + weight * np.where(field.tried, field.effect, 0.0)
        return mean, (1.0 - weight) ** 2 * variance + (1.0 - weight) * own

    def covariance(self, product: Codes, mechanic: Codes) -> Floats:
        """Covariances of some cells with all, shape (asked, products, mechanics)."""
        field = self.field
        _, own, weight = self._own
        asked = np.zeros((len(product), field.n_columns))
        for k, (p, m) in enumerate(zip(product, mechanic, strict=True)):
            columns = field.columns[m]
            asked[k, columns] = field.rows[m][p] * self._scale[columns]
            asked[k] -= self._pull[p] * self._seen[p]
        through = asked @ self._covariance
        seen = (through @ self._seen.T) * self._pull
        found = np.empty((len(product), *field.effect.shape))
        for m, (columns, rows) in enumerate(zip(field.columns, field.rows, strict=True)):
            found[:, :, m] = through[:, columns] @ (rows * self._scale[columns]).T - seen
        here = np.arange(len(product))
        found[here, product] += self._pull[product][:, None]
        found *= (1.0 - weight[product, mechanic])[:, None, None] * (1.0 - weight)
        found[here, product, mechanic] += (1.0 - weight[product, mechanic]) * own[product, mechanic]
        return found


def posterior(field: Field, spread: Mapping[str, float]) -> Posterior:
    """Integrates u, products and cells out, and keeps what prediction needs.

    Args:
        field: measurements and what they depend on.
        spread: a standard deviation for each of `SPREADS`, and `selection` in [0, 1).
    """
    scale = field.scale(spread)
    products, many = len(field.effect), field.n_columns
    cell, selection = spread["cell"], spread[SELECTION]
    left = field.effect - selection * np.hypot(spread["product"], cell) * field.shift
    total = field.noise + cell**2 * (1.0 - selection**2 * field.narrowing)
    inner, right = np.eye(many), np.zeros(many)
    seen, weights, sums = np.zeros((products, many)), np.zeros(products), np.zeros(products)
    log_likelihood = 0.0
    for m, (columns, every) in enumerate(zip(field.columns, field.rows, strict=True)):
        there = np.flatnonzero(field.tried[:, m])
        x, weight, value = every[there] * scale[columns], 1.0 / total[there, m], left[there, m]
        weighted = x * weight[:, None]
        inner[np.ix_(columns, columns)] += x.T @ weighted
        right[columns] += weighted.T @ value
        seen[np.ix_(there, columns)] += weighted
        weights[there] += weight
        sums[there] += weight * value
        log_likelihood -= 0.5 * float((np.log(2 * np.pi / weight) + weight * value**2).sum())
    variance = spread["product"] ** 2 / (1.0 + spread["product"] ** 2 * weights)
    measured = np.flatnonzero(weights > 0)
    part = seen[measured]
    inner -= part.T @ (part * variance[measured][:, None])
    right -= part.T @ (variance * sums)[measured]
    log_likelihood -= 0.5 * float(np.log1p(spread["product"] ** 2 * weights).sum() - variance @ sums**2)
    factor = linalg.cholesky(inner, lower=True, check_finite=False)
    u = np.asarray(linalg.cho_solve((factor, True), right, check_finite=False), dtype=np.float64)
    log_likelihood -= float(np.log(np.diag(factor)).sum() - 0.5 * right @ u)
    return Posterior(
        field=field,
        spread=dict(spread),
        log_likelihood=log_likelihood,
        _scale=scale,
        _factor=factor,
        _u=u,
        _seen=seen,
        _pull=variance,
        _product=variance * (sums - seen @ u),
    )
