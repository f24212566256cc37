"""Next products per organisation, each with its reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from leadlift.base.arrays import Codes, Floats
from leadlift.problems.found import Found
from leadlift.problems.lifts import LOOKED_AT, Suggested, lifts_of, suggested
from leadlift.problems.next_deals import NextDeals
from leadlift.problems.ranking import Ranker, popular_chances

BLOCK = 4_000_000
REASONS = 3
UPSELL_COLUMNS = [
    "organisation_id",
    "rank",
    "product",
    "problem",
    "because",
    "chance",
    "lift",
    "lift_lower",
    "lift_upper",
]


def next_products(following: NextDeals, found: Found, matrix: Any, organisations: Any, *, most: int) -> pd.DataFrame:
    """The products that each organisation does not have, the likeliest first.

    A product is named if something that the organisation has speaks for it, and if suggestions of its kind were bought
    oftener than by popularity on deals set aside: the interval of their lift lies above 1. Where the ranking as a
    whole was no better than popularity, nothing is named.

    Args:
        following: the ranking and its test.
        found: problems and products.
        matrix: what organisations have, sparse, shape (organisations, products).
        organisations: their identifiers.
        most: products per organisation.

    Returns:
        A row per organisation and product: `organisation_id`, `rank`, `product`, `problem` (missing unless the
        organisation has another product of it), `because` (the products it has that speak most for this one), `chance`
        (of being the next one, among those it does not have), `lift` of that chance over popularity with `lift_lower`
        and `lift_upper`: measured on deals set aside, of suggestions of which the ranking says about the same; 95%,
        over organisations, so true as far as the deals to come are like those set aside.
    """
    parts = []
    names = np.asarray(organisations, dtype=object)
    step = max(BLOCK // max(matrix.shape[1], 1), 1)
    for start in range(0, matrix.shape[0] if following.test.worth and most else 0, step):
        part = sparse.csr_array(matrix[start : start + step], dtype=np.float32)
        parts.append(_of_block(following, found, part, names[start : start + step], most))
    if not parts:
        return pd.DataFrame(columns=UPSELL_COLUMNS)
    return pd.concat(parts, ignore_index=True)


def _of_block(following: NextDeals, found: Found, part: Any, names: Any, most: int) -> pd.DataFrame:
    ranker = following.ranker
    chance, reason = ranker.reasoned(part)
    held = part.toarray() > 0
    chance[~reason] = 0.0
    named = suggested(chance, popular_chances(ranker.popularity, held), most=max(most, LOOKED_AT))
    named = named.only(lifts_of(named, following.test.lifts)[1] > 1.0)
    named = named.only(_place(named.row) < most)
    lift, lower, upper = lifts_of(named, following.test.lifts)
    shared = ranker.touched(part)
    label = found.label[named.product]
    mine = (label >= 0) & shared[named.row, np.maximum(label, 0)]
    return pd.DataFrame(
        {
            "organisation_id": names[named.row],
            "rank": _place(named.row) + 1,
            "product": np.asarray(found.products, dtype=object)[named.product],
            "problem": found.any_name[np.where(mine, label, -1)],
            "because": _because(ranker, named, part, np.asarray(found.products, dtype=object)),
            "chance": lift * named.plain,
            "lift": lift,
            "lift_lower": lower,
            "lift_upper": upper,
        }
    )


def _place(row: Codes) -> Codes:
    """The place of each entry within its row; rows come one after the other."""
    start = np.flatnonzero(np.concatenate([[True], row[1:] != row[:-1]])) if len(row) else np.empty(0, dtype=np.intp)
    return np.arange(len(row)) - np.repeat(start, np.diff(np.append(start, len(row))))


def _because(ranker: Ranker, named: Suggested, part: Any, items: Any) -> Any:
    """The products held that speak most for each suggestion: its neighbours, else those of its problem."""
    breadth = np.diff(part.indptr)[named.row]
    suggestion = np.repeat(np.arange(len(breadth)), breadth)
    place = np.arange(len(suggestion)) - np.repeat(np.cumsum(breadth) - breadth, breadth)
    held = part.indices[np.repeat(part.indptr[named.row], breadth) + place]
    says = _says(ranker, held, named.product[suggestion])
    order = np.lexsort((held, -says, suggestion))
    order = order[says[order] > 0]
    rank = _place(suggestion[order])
    words = np.full(len(breadth), "", dtype=object)
    for number in range(REASONS):
        chosen = order[rank == number]
        words[suggestion[chosen]] += ("; " if number else "") + items[held[chosen]]
    return words


def _says(ranker: Ranker, held: Codes, product: Codes) -> Floats:
    """How much each product held says for the suggested one."""
    says = np.zeros(len(held))
    if ranker.weight < 1.0:
        weight = ranker.neighbours.weight
        says = np.maximum(np.asarray(weight[held, product], dtype=np.float64).ravel(), 0.0)
    if ranker.mixtures is None or ranker.weight == 0.0:
        return says
    label = ranker.label[product]
    same = (label >= 0) & (ranker.label[held] == label)
    # Neighbours come first: a product of the same problem speaks through the problem alone.
    by_problem = ranker.mixtures.weight[np.maximum(label, 0), held]
    return np.where(says > 0, 1.0 + says, np.where(same, by_problem, 0.0))
