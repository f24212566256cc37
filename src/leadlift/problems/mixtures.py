"""Mixtures of problems: what share of an organisation's deals each problem is behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from leadlift.base.arrays import Codes, Floats

# Deals worked on together.
CHUNK = 400_000
LEAK = 0.05
STILL = 1e-4


@dataclass(frozen=True, eq=False)
class Mixtures:
    """Among the problems' products, one is an organisation's next with chance sum_k theta_k phi_k(p).

    Attributes:
        weight: phi, chances of each product given the problem, 0 for products of none, rows add up to 1, shape
            (problems, products).
        base: how common each problem is, adding up to 1, shape (problems,).
        background: chances of each product from popularity alone, adding up to 1, shape (products,).
        concentration: how many deals the base rate counts for in an organisation's mixture.
    """

    weight: Floats
    base: Floats
    background: Floats
    concentration: float

    def shares(self, matrix: Any, *, steps: int = 50) -> Floats:
        """Each organisation's mixture, shrunk to the base rate, shape (organisations, problems); rows add up to 1."""
        done = [_settled(self, part, steps) for part in _chunks(matrix)]
        return np.concatenate(done) if done else np.empty((0, len(self.base)))

    def chances(self, shares: Floats) -> Floats:
        """Chances of the next product, shape (organisations, products), before those it has are left out.

        Products of no problem have popularity's chance, and the problems' products together what is left.
        """
        none = self.weight.sum(axis=0) == 0
        inside = float(self.background[~none].sum())
        return np.asarray(inside * (shares @ self.weight) + np.where(none, self.background, 0.0), dtype=np.float64)

    def in_order(self, order: list[int]) -> Mixtures:
        """The same with its problems in another order."""
        return Mixtures(self.weight[order], self.base[order], self.background, self.concentration)


def fit_mixtures(
    matrix: Any,
    label: Codes,
    background: Floats,
    *,
    noise: float = 0.15,
    concentration: float = 1.0,
    steps: int = 25,
) -> Mixtures:
    """Latent Dirichlet allocation by expectation-maximisation, started from a partition of products.

    A product of one problem may serve the others: its weights are learnt. Deals of products of no problem say
    nothing. The base rate is learnt too; it is the mean of the prior: an organisation with few deals stays near it.

    Args:
        matrix: organisations x products, sparse, 1 where an organisation has a product.
        label: the problem of each product, -1 for none, shape (products,).
        background: chances of each product from popularity alone, adding up to 1, shape (products,).
        noise: share of deals in the problems' products that come from popularity alone.
        concentration: how many deals the base rate counts for.
        steps: passes over the deals.

    References:
        Blei, Ng, Jordan (2003), Latent Dirichlet allocation; Asuncion et al. (2009), On smoothing and inference for
        topic models (the zero-order update used here).
    """
    many = int(label.max(initial=-1)) + 1
    inside = (label[None, :] == np.arange(many)[:, None]) * background
    popular = inside.sum(axis=0) / inside.sum()
    own = (1.0 - LEAK) * inside / inside.sum(axis=1, keepdims=True) + LEAK * popular
    base = inside.sum(axis=1) / inside.sum()
    model = Mixtures((1.0 - noise) * own + noise * popular, base, background, concentration)
    theta: list[Floats] = []
    for step in range(steps):
        grown, taken = np.zeros_like(own), np.zeros(many)
        for number, part in enumerate(_chunks(matrix)):
            if step == 0:
                theta.append(_settled(model, part, 3))
            pull = _pull(model, part, theta[number])
            counts = theta[number] * (pull @ model.weight.T)
            grown += (pull.T @ theta[number]).T * model.weight
            taken += counts.sum(axis=0)
            theta[number] = _normalised(counts + model.concentration * model.base)
        # Of the deals a problem is credited with, popularity's part teaches nothing about its products.
        learnt = grown * np.divide((1.0 - noise) * own, model.weight, out=np.zeros_like(own), where=model.weight > 0)
        before = own
        # A pinch of popularity keeps every problem's product possible under every other.
        own = _normalised(learnt + popular * (LEAK + LEAK**2 * learnt.sum(axis=1, keepdims=True)))
        base = (taken + 1.0) / (taken.sum() + many)
        model = Mixtures((1.0 - noise) * own + noise * popular, base, background, concentration)
        if np.abs(own - before).sum(axis=1).max(initial=0.0) < 10 * STILL:
            break
    return model


def _chunks(matrix: Any) -> Iterator[Any]:
    """Parts of whole organisations, each with about as many deals."""
    matrix = sparse.csr_array(matrix, dtype=np.float64)
    start, n = 0, matrix.shape[0]
    while start < n:
        end = int(np.searchsorted(matrix.indptr, matrix.indptr[start] + CHUNK, side="right")) - 1
        end = min(max(end, start + 1), start + CHUNK, n)
        yield matrix[start:end]
        start = end


def _pull(model: Mixtures, part: Any, theta: Floats) -> Any:
    """Per deal, one over its chance: what both sides of the step multiply by; 0 for products of no problem."""
    row = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
    chance = np.einsum("ij,ij->i", theta[row], model.weight.T[part.indices])
    over = np.divide(part.data, chance, out=np.zeros_like(chance), where=chance > 0)
    return sparse.csr_array((over, part.indices, part.indptr), shape=part.shape)


def _settled(model: Mixtures, part: Any, steps: int) -> Floats:
    theta = np.tile(model.base, (part.shape[0], 1))
    for _ in range(steps):
        counts = theta * (_pull(model, part, theta) @ model.weight.T)
        after = _normalised(counts + model.concentration * model.base)
        moved = np.abs(after - theta).max(initial=0.0)
        theta = after
        if moved < STILL:
            break
    return theta


def _normalised(values: Floats) -> Floats:
    return np.asarray(values / values.sum(axis=1, keepdims=True), dtype=np.float64)
