"""Orders the products that an organisation does not have by what is likely to be next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from leadlift.base.arrays import Bools, Codes, Floats
from leadlift.problems.mixtures import Mixtures
from leadlift.problems.neighbours import Neighbours

# Share of popularity in what neighbours say: it orders what they say nothing of.
POPULAR = 0.01
# Deals that a product's usual pace counts for beside its recent ones.
STEADY = 1.0
# What neighbours say is taken to this power: sums of many small likenesses are flatter than chances are.
SHARP = 2.0


@dataclass(frozen=True, eq=False)
class Trend:
    """How much more of late a product is bought than its popularity says: an organisation's deal loses half its
    weight in `half_life` days; the ratio is taken to the power `strength`, 0 for no trend.
    """  # fmt: skip

    half_life: float
    strength: float

    @property
    def words(self) -> str:
        """The trend for a person."""
        if not self.strength:
            return "none"
        return f"half-life of {self.half_life:g} days, to the power {self.strength:g}"

    def factors(self, matrix: Any, day: Floats, until: float) -> Floats:
        """By product, shape (products,), about 1.

        Args:
            matrix: organisations x products, sparse rows, 1 where an organisation has a product.
            day: when it first bought it, in the order of `matrix.data`.
            until: the day from which is looked back.
        """
        many = matrix.shape[1]
        if not self.strength:
            return np.ones(many)
        weight = 0.5 ** (np.maximum(until - day, 0.0) / self.half_life)
        recent = np.bincount(matrix.indices, weights=weight, minlength=many)
        usual = np.bincount(matrix.indices, minlength=many) * (recent.sum() / max(matrix.nnz, 1))
        return np.asarray(((recent + STEADY) / (usual + STEADY)) ** self.strength, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Ranker:
    """Chances of the next product from neighbours of what an organisation has, from its problems and from the trend.

    Attributes:
        popularity: chances of each product by popularity alone, adding up to 1, shape (products,).
        neighbours: of the products.
        mixtures: of problems; None without problems.
        label: the problem of each product, -1 for none, shape (products,).
        weight: of problems beside neighbours, [0, 1].
        trend: factors by product, shape (products,).
    """

    popularity: Floats
    neighbours: Neighbours
    mixtures: Mixtures | None
    label: Codes
    weight: float
    trend: Floats

    def chances(self, matrix: Any) -> Floats:
        """Chances of the next product, 0 for those it has, rows add up to 1, shape (organisations, products).

        Args:
            matrix: what organisations have, sparse.
        """
        return self.reasoned(matrix)[0]

    def reasoned(self, matrix: Any) -> tuple[Floats, Bools]:
        """The chances, and whether something that the organisation has speaks for the product."""
        held = matrix.toarray() > 0
        pull = self.neighbours.scores(matrix) if self.weight < 1.0 else np.zeros(held.shape)
        reason = pull > 0
        near = near_chances(pull, held, self.popularity)
        if self.mixtures is None or self.weight == 0.0:
            return blended(near, near, 0.0, self.trend), reason & ~held
        by_problem = problem_chances(self.mixtures, matrix, held)
        touched = self.touched(matrix)
        reason |= np.where(self.label >= 0, touched[:, np.maximum(self.label, 0)], False)
        return blended(near, by_problem, self.weight, self.trend), reason & ~held

    def touched(self, matrix: Any) -> Bools:
        """Of which problems organisations have a product, shape (organisations, problems)."""
        inside = np.flatnonzero(self.label >= 0)
        ones, size = np.ones(len(inside)), max(int(self.label.max(initial=-1)) + 1, 1)
        step = sparse.csr_array((ones, (inside, self.label[inside])), shape=(len(self.label), size))
        return np.asarray((matrix @ step).toarray() > 0)


def near_chances(pull: Floats, held: Bools, popularity: Floats) -> Floats:
    """What neighbours of the products held say, 0 for those held; rows add up to 1."""
    near = _left(pull.astype(np.float64) ** SHARP, held)
    return (1.0 - POPULAR) * near + POPULAR * popular_chances(popularity, held)


def problem_chances(mixtures: Mixtures, matrix: Any, held: Bools) -> Floats:
    """What an organisation's problems say, 0 for products held; rows add up to 1."""
    return _left(mixtures.chances(mixtures.shares(matrix)), held)


def popular_chances(popularity: Floats, held: Bools) -> Floats:
    """What popularity says, 0 for products held; rows add up to 1."""
    return _left(np.tile(popularity, (len(held), 1)), held)


def blended(near: Floats, by_problem: Floats, weight: float, trend: Floats) -> Floats:
    """Both together, with the trend; rows add up to 1."""
    chance = (near if weight == 0.0 else (1.0 - weight) * near + weight * by_problem) * trend
    return np.asarray(chance / np.maximum(chance.sum(axis=1, keepdims=True), 1e-300), dtype=np.float64)


def _left(values: Floats, held: Bools) -> Floats:
    values[held] = 0.0
    values /= np.maximum(values.sum(axis=1, keepdims=True), 1e-300)
    return values
