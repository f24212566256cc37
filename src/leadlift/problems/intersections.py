"""Which products share organisations more than popularity and breadth explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from leadlift.base.arrays import Codes, Floats
from leadlift.base.problems import stop
from leadlift.problems.null import NullModel, configuration_model
from leadlift.problems.tails import poisson_binomial_tail

# Pairs looked at together: their chances by class fill this many numbers.
BLOCK = 400_000
# Up to so many products every pair's expectation is one matrix product.
DENSE = 6_000
MANY = 1_000_000
# Pairs that there is memory for: about a hundred bytes each. How many there are is judged by so many products.
MOST_PAIRS = 40_000_000
JUDGED_BY = 200
EULER = 0.5772156649015329


@dataclass(frozen=True, eq=False)
class Intersections:
    """Every pair of products that at least one organisation has, shape (pairs,) each.

    Pairs that no organisation has are left out; they count as tests all the same.

    Attributes:
        products: names, shape (products,).
        organisations: how many organisations have each product, shape (products,).
        n_organisations: organisations with a deal.
        first, second: numbers of the two products, first below second.
        shared: organisations that have both.
        expected: organisations that would, by popularity and breadth alone; somewhat too many, since the null meets
            breadth on average only: unrelated products have a lift somewhat below 1 (experiments/problems_claims).
        p_value: of so many shared organisations or more, by popularity and breadth alone; 1 for pairs that share no
            more than expected.
        q_value: the p-value adjusted for the false discovery rate over all pairs (Benjamini-Yekutieli).
        null: the model of popularity and breadth alone.
    """

    products: tuple[str, ...]
    organisations: Codes
    n_organisations: int
    first: Codes
    second: Codes
    shared: Codes
    expected: Floats
    p_value: Floats
    q_value: Floats
    null: NullModel

    def __len__(self) -> int:
        return len(self.first)

    @property
    def n_pairs(self) -> int:
        """How many pairs of products there are, shared by an organisation or not."""
        return len(self.products) * (len(self.products) - 1) // 2

    @property
    def lift(self) -> Floats:
        """Shared organisations over expected ones."""
        return self.shared / self.expected

    @property
    def jaccard(self) -> Floats:
        """Shared organisations over organisations with either product."""
        return self.shared / (self.organisations[self.first] + self.organisations[self.second] - self.shared)

    def frame(self, *, q: float = np.inf, most: int | None = None) -> pd.DataFrame:
        """A row per pair, the surest first: `product`, `other`, `shared`, `expected`, `lift`, `jaccard`, `p_value`,
        `q_value`.

        Args:
            q: only pairs with a q-value below it.
            most: only so many.
        """  # fmt: skip
        kept = np.flatnonzero(self.q_value < q)
        order = np.lexsort((self.second[kept], self.first[kept], -self.lift[kept], self.p_value[kept]))
        rows = kept[order][:most]
        names = np.array(self.products, dtype=object)
        return pd.DataFrame(
            {
                "product": pd.array(names[self.first[rows]], dtype="str"),
                "other": pd.array(names[self.second[rows]], dtype="str"),
                "shared": self.shared[rows],
                "expected": self.expected[rows],
                "lift": self.lift[rows],
                "jaccard": self.jaccard[rows],
                "p_value": self.p_value[rows],
                "q_value": self.q_value[rows],
            }
        )


def intersect(
    matrix: Any, products: Sequence[str], *, screen: float | None = None, q: float | None = None
) -> Intersections:
    """Intersections of every pair of products.

    Args:
        matrix: organisations x products, sparse, 1 where an organisation has a product; organisations without any are
            left out of account.
        products: names of the columns.
        screen: p-values are computed for pairs that share more than this many standard deviations above expectation;
            the others' are called 1. None: 0, and 2 where there are more than a million pairs.
        q: leaves out pairs that can't be significant at this false discovery rate for sharing a single organisation:
            with many products that is most of them. None: all pairs are listed.

    Returns: the intersections, sparse from end to end.

    Raises:
        DataError: more pairs of products share an organisation than there is memory for.

    References:
        Saracco et al. (2017), Inferring monopartite projections of bipartite networks; Benjamini, Yekutieli (2001).
    """
    matrix = sparse.csr_array(matrix, dtype=np.int32)
    breadth = np.diff(matrix.indptr)
    matrix, breadth = matrix[breadth > 0], breadth[breadth > 0]
    popularity = np.asarray(matrix.sum(axis=0)).astype(np.intp)
    _check_room(matrix, breadth)
    both = sparse.csr_array(matrix.T.tocsr() @ matrix)
    both.sort_indices()
    row = np.repeat(np.arange(both.shape[0]), np.diff(both.indptr))
    upper = row < both.indices
    if q is not None and _one_is_too_few(matrix.shape[0], int(upper.sum()), len(products), q):
        upper &= both.data > 1
    first, second, shared = row[upper], both.indices[upper].astype(np.intp), both.data[upper].astype(np.intp)
    if screen is None:
        screen = 0.0 if len(first) <= MANY else 2.0
    null = configuration_model(breadth, popularity)
    expected, p_value = _against(null, first, second, shared, screen)
    tests = len(products) * (len(products) - 1) // 2
    return Intersections(
        products=tuple(products),
        organisations=popularity,
        n_organisations=matrix.shape[0],
        first=first,
        second=second,
        shared=shared,
        expected=expected,
        p_value=p_value,
        q_value=adjusted(p_value, tests),
        null=null,
    )


def _check_room(matrix: Any, breadth: Codes) -> None:
    """Stops before memory is gone: organisations that buy nearly everything make every pair of products one."""
    size = matrix.shape[1]
    wide = breadth.astype(np.float64)
    if min(float(wide @ (wide - 1)), size * (size - 1.0)) / 2 <= MOST_PAIRS:
        return
    some = np.linspace(0, size - 1, JUDGED_BY).astype(np.intp)
    pairs = (matrix[:, some].T.tocsr() @ matrix).nnz * size / JUDGED_BY / 2
    if pairs <= MOST_PAIRS:
        return
    raise stop(
        "the deals",
        "too-many-pairs",
        f"up to {MOST_PAIRS:,} pairs of products share an organisation",
        f"about {pairs:,.0f}, of {size:,} products; the broadest organisation has {breadth.max():,} of them",
        "leave out organisations that stand for many (guests, resellers), or name products by their line",
    )


def _one_is_too_few(organisations: int, listed: int, products: int, q: float) -> bool:
    """Whether no pair that shares one organisation can be significant.

    Chances of two products rise with breadth together, so a pair is expected in at least one of all organisations
    times both popularities over their square: its p-value is at least 1 - exp(-1 / organisations). The largest p-value
    that Benjamini-Yekutieli can call significant is the one that ranks last among the pairs listed.
    """
    tests = products * (products - 1) // 2
    return bool(-np.expm1(-1.0 / organisations) > q * listed / (tests * _harmonic(tests)))


def _against(null: NullModel, first: Codes, second: Codes, shared: Codes, screen: float) -> tuple[Floats, Floats]:
    expected, variance = _moments(null, first, second)
    p_value = np.ones(len(first))
    asked = np.flatnonzero(shared > expected + screen * np.sqrt(variance))
    chance = np.ascontiguousarray(null.chance.T)
    step = max(BLOCK // max(len(null.many), 1), 1)
    for start in range(0, len(asked), step):
        block = asked[start : start + step]
        pair = chance[first[block]] * chance[second[block]]
        p_value[block] = poisson_binomial_tail(pair, null.many, shared[block])
    return expected, p_value


def _moments(null: NullModel, first: Codes, second: Codes) -> tuple[Floats, Floats]:
    """Mean and variance of each pair's shared organisations."""
    chance = np.ascontiguousarray(null.chance.T)
    if chance.shape[0] <= DENSE:
        weighed = chance * null.many
        mean = (weighed @ chance.T)[first, second]
        square = ((weighed * chance) @ (chance**2).T)[first, second]
        return mean, np.maximum(mean - square, 0.0)
    mean, square = np.empty(len(first)), np.empty(len(first))
    step = max(BLOCK // max(len(null.many), 1), 1)
    for start in range(0, len(first), step):
        block = slice(start, start + step)
        pair = chance[first[block]] * chance[second[block]]
        mean[block], square[block] = pair @ null.many, pair**2 @ null.many
    return mean, np.maximum(mean - square, 0.0)


def adjusted(p_value: Floats, tests: int) -> Floats:
    """Benjamini-Yekutieli q-values, where `tests` counts p-values of 1 that are not listed.

    >>> adjusted(np.array([0.001, 0.5]), 3).round(4).tolist()
    [0.0055, 1.0]
    """
    order = np.argsort(p_value, kind="stable")
    scaled = p_value[order] * tests * _harmonic(tests) / np.arange(1, len(p_value) + 1)
    adjusted_values = np.empty(len(p_value))
    adjusted_values[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted_values


def _harmonic(tests: int) -> float:
    return float((1.0 / np.arange(1, tests + 1)).sum() if tests < 10_000 else np.log(tests) + EULER + 0.5 / tests)
