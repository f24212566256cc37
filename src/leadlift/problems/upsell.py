"""Next products per organisation, each with its reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from leadlift.base.arrays import Codes, Floats
from leadlift.problems.mixtures import Mixtures

BLOCK = 4_000_000
LEVEL = 0.95
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


def next_products(
    model: Mixtures,
    label: Codes,
    problem_names: list[str],
    matrix: Any,
    organisations: Any,
    products: Any,
    *,
    most: int,
) -> pd.DataFrame:
    """The products of problems that each organisation does not have, the largest lift in chance first.

    Only products that lie in a problem of which the organisation already has a product are named, so that each has a
    reason; organisations without such a deal get none.

    Args:
        model: fitted mixtures.
        label: the problem of each product, -1 for none.
        problem_names: names of the problems.
        matrix: what organisations have, sparse, shape (organisations, products).
        organisations, products: names.
        most: how many per organisation.

    Returns:
        A row per organisation and product: `organisation_id`, `rank`, `product`, `problem`, `because` (products of
        that problem that it has), `chance` (of being the next one, among those it does not have), `lift` over
        popularity with `lift_lower` and `lift_upper`: 95%, from what its few deals leave open about its mixture, given
        the problems.
    """
    rows = []
    shares = model.shares(matrix)
    names, items = np.asarray(organisations, dtype=object), np.asarray(products, dtype=object)
    step = max(BLOCK // max(matrix.shape[1], 1), 1)
    for start in range(0, matrix.shape[0], step):
        part = matrix[start : start + step]
        rows += _of_block(model, label, part, shares[start : start + step], names[start : start + step], items, most)
    frame = pd.DataFrame(rows, columns=UPSELL_COLUMNS)
    return frame.assign(problem=[problem_names[k] for k in frame["problem"]])


def _of_block(
    model: Mixtures, label: Codes, part: Any, shares: Floats, names: Any, items: Any, most: int
) -> list[tuple[Any, ...]]:
    held = part.toarray() > 0
    chance, plain = model.chances(shares), np.tile(model.background, (part.shape[0], 1))
    chance[held] = plain[held] = 0.0
    chance /= np.maximum(chance.sum(axis=1, keepdims=True), 1e-300)
    plain /= np.maximum(plain.sum(axis=1, keepdims=True), 1e-300)
    many = len(model.base)
    counts = np.stack([held[:, label == k].sum(axis=1) for k in range(many)], axis=1)
    allowed = ~held & (label >= 0)[None, :] & (np.where(label >= 0, counts[:, np.maximum(label, 0)], 0) > 0)
    gain = np.where(allowed & (chance > plain), chance, 0.0)
    order = np.argsort(-gain, axis=1, kind="stable")[:, :most]
    i, place = np.nonzero(np.take_along_axis(gain, order, axis=1) > 0)
    p = order[i, place]
    lift = chance[i, p] / plain[i, p]
    lower, upper = _intervals(model, p, shares[i], lift, counts[i].sum(axis=1))
    because = [_because(model, held[row], label, int(label[product]), items) for row, product in zip(i, p, strict=True)]
    return list(zip(names[i], place + 1, items[p], label[p], because, chance[i, p], lift, lower, upper, strict=True))


def _because(model: Mixtures, held: Any, label: Codes, problem: int, items: Any) -> str:
    mine = np.flatnonzero(held & (label == problem))
    return "; ".join(items[mine[np.argsort(-model.weight[problem][mine], kind="stable")][:REASONS]])


def _intervals(model: Mixtures, product: Codes, theta: Floats, lift: Floats, deals: Floats) -> tuple[Floats, Floats]:
    """The lifts' intervals: each is linear in the mixture, whose posterior is Dirichlet; a beta with its moments."""
    slope = model.weight[:, product].T
    mean = (theta * slope).sum(axis=1)
    variance = ((theta * slope**2).sum(axis=1) - mean**2) / (model.concentration + deals + 1.0)
    low, high = slope.min(axis=1), slope.max(axis=1)
    open_ones = (variance > 0) & (mean > low) & (mean < high)
    width = np.where(open_ones, high - low, 1.0)
    share = np.where(open_ones, (mean - low) / width, 0.5)
    size = np.where(open_ones, share * (1.0 - share) * width**2 / np.where(open_ones, variance, 1.0) - 1.0, 1.0)
    tail = (1.0 - LEVEL) / 2.0
    ends = [special.betaincinv(share * size, (1.0 - share) * size, at) for at in (tail, 1.0 - tail)]
    lower, upper = (np.where(open_ones, (low + width * end) / mean * lift, lift) for end in ends)
    return lower, upper
