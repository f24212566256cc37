"""A card per problem: what a person reads to know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse, stats

from leadlift.base.arrays import Bools, Codes, Floats
from leadlift.base.record import Record
from leadlift.problems.deals import DealTable
from leadlift.problems.found import Found
from leadlift.problems.labels import telling_words, words_by_product
from leadlift.problems.mixtures import Mixtures
from leadlift.problems.selection import Candidate

CHAINED = 15
LEAST_BOTH = 10
LEAST_DEALS = 3


@dataclass(frozen=True)
class ProductWeight(Record):
    """A product of a problem: its share of the problem's deals, and how many organisations have it."""

    product: str
    weight: float
    organisations: int


@dataclass(frozen=True)
class Chain(Record):
    """What is bought after what: of the organisations that bought both while both were sold, how many bought `first`
    on an earlier day.

    `p_value` is of either order being as likely, over organisations that bought them on different days.
    """

    first: str
    then: str
    organisations: int
    first_before: int
    then_before: int
    p_value: float


@dataclass(frozen=True)
class TypicalOrganisation(Record):
    """An organisation that typifies a problem: its share of the problem, and how many of its products it has."""

    organisation: str
    share: float
    products: int


@dataclass(frozen=True)
class ProblemCard(Record):
    """One client problem.

    Attributes:
        problem: its name, which stays between fits.
        products: all of its products, the heaviest first.
        organisations: how many organisations have it as their main problem.
        share: its share of all organisations' mixtures.
        chains: what is typically bought after what.
        typical: organisations that typify it.
        recovered: mean Jaccard similarity with the most similar community when organisations are resampled, [0, 1].
        together: how often two of its products stay together then, [0, 1].
        gain: gain in log-likelihood per hidden deal over popularity alone, nats; None where it was not found on half
            of the organisations.
        p_value: of no gain, adjusted over all problems (Holm).
        agreement: share of its products that the factors put together as well, [0, 1].
        words: that its products' names share and others' don't; empty where names tell nothing.
    """

    problem: str
    products: tuple[ProductWeight, ...]
    organisations: int
    share: float
    chains: tuple[Chain, ...]
    typical: tuple[TypicalOrganisation, ...]
    recovered: float
    together: float
    gain: float | None
    p_value: float
    agreement: float
    words: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What a person may call it: the words that its products' names share, else its heaviest product."""
        return " ".join(self.words) or self.products[0].product.strip()


def problem_cards(
    found: Found,
    table: DealTable,
    *,
    mixtures: pd.DataFrame,
    agrees: Bools,
    candidate: Candidate,
    p_value: Floats,
) -> tuple[ProblemCard, ...]:
    """A card for each problem.

    Args:
        found: the problems.
        table: the deals they were found in.
        mixtures: of the table's organisations.
        agrees: which products the second view puts in the same problem, shape (products,).
        candidate: the communities that the problems were among.
        p_value: of each community's gain.
    """
    model, label = found.mixtures, found.label
    if model is None:
        return ()
    matrix, shares = table.matrix, mixtures.to_numpy()
    popularity, breadth = np.asarray(matrix.sum(axis=0)), np.diff(matrix.indptr)
    main = found.main(mixtures, table.organisations, matrix).value_counts()
    days = sparse.csc_array((table.first_day, matrix.indices, matrix.indptr), shape=matrix.shape[::-1]).tocsr()
    words = words_by_product(table.products)
    cards = []
    for k, (name, at) in enumerate(zip(found.names, found.community, strict=True)):
        members = np.flatnonzero(label == k)
        heaviest = members[np.argsort(-model.weight[k][members], kind="stable")]
        bought = np.asarray(matrix[:, members].sum(axis=1)).astype(np.intp)
        cards.append(
            ProblemCard(
                problem=name,
                products=product_weights(members, k, model, table.products, popularity),
                organisations=int(main.get(name, 0)),
                share=float(shares[:, k].mean()),
                chains=typical_chains(days, heaviest, table.products),
                typical=typical_organisations(shares[:, k], bought, breadth, table.organisations),
                recovered=float(candidate.stability.recovered[at]),
                together=float(candidate.stability.together[at]),
                gain=float(np.nanmean(candidate.problem_gain[:, at])),
                p_value=float(p_value[at]),
                agreement=float(agrees[members].mean()),
                words=telling_words(words, members),
            )
        )
    return tuple(cards)


def product_weights(
    members: Codes, problem: int, model: Mixtures, products: Any, popularity: Codes
) -> tuple[ProductWeight, ...]:
    """A problem's products by weight; ties by name."""
    weight = model.weight[problem]
    order = members[np.lexsort((members, -weight[members]))]
    return tuple(ProductWeight(str(products[p]), float(weight[p]), int(popularity[p])) for p in order)


def typical_chains(columns: Any, members: Codes, products: Any, *, most: int = 5) -> tuple[Chain, ...]:
    """The surest orders between a problem's most common products.

    Only organisations that bought both while both were sold are looked at: that an older product is bought before one
    that came later says nothing of those who buy.

    Args:
        columns: first day of each organisation and product by column, sparse; days count from 1, NaN without dates.
        members: the products looked at, the heaviest first.
        products: names.
        most: how many to give.
    """
    found = []
    members = members[:CHAINED]
    for at, a in enumerate(members):
        for b in members[at + 1 :]:
            one, other = _days_of_both(columns, int(a), int(b))
            before, after = int((one < other).sum()), int((one > other).sum())
            if before + after < LEAST_BOTH:
                continue
            p = min(1.0, 2.0 * float(stats.binom.sf(max(before, after) - 1, before + after, 0.5)))
            first, then, n, m = (a, b, before, after) if before >= after else (b, a, after, before)
            found.append(Chain(str(products[first]), str(products[then]), len(one), n, m, p))
    # The orders that were looked at are many: only those that hold against all of them are told.
    sure = [chain for chain in found if chain.p_value * len(found) < 0.05]
    sure.sort(key=lambda chain: (-(chain.first_before - chain.then_before), chain.first, chain.then))
    return tuple(sure[:most])


def _days_of_both(columns: Any, a: int, b: int) -> tuple[Floats, Floats]:
    """When organisations that have both first bought each, both while anybody first bought either."""
    one, other = (slice(columns.indptr[p], columns.indptr[p + 1]) for p in (a, b))
    _, place, there = np.intersect1d(columns.indices[one], columns.indices[other], True, True)
    all_one, all_other = columns.data[one], columns.data[other]
    start, end = max(all_one.min(), all_other.min()), min(all_one.max(), all_other.max())
    mine, theirs = all_one[place], all_other[there]
    both_sold = (np.minimum(mine, theirs) >= start) & (np.maximum(mine, theirs) <= end)
    return mine[both_sold], theirs[both_sold]


def typical_organisations(
    shares: Floats, bought: Codes, breadth: Codes, names: Any, *, most: int = 5
) -> tuple[TypicalOrganisation, ...]:
    """Organisations whose deals are nearly all of one problem, those with most of its products first.

    Args:
        shares: their shares of the problem, shape (organisations,).
        bought: how many of its products each has, shape (organisations,).
        breadth: how many products each has, shape (organisations,).
        names: identifiers.
        most: how many to give.
    """
    enough = np.flatnonzero(breadth >= LEAST_DEALS)
    if not enough.size:
        enough = np.flatnonzero(breadth > 0)
    order = enough[np.lexsort((enough, -bought[enough], -np.round(shares[enough], 2)))][:most]
    return tuple(TypicalOrganisation(str(names[i]), float(shares[i]), int(bought[i])) for i in order)
