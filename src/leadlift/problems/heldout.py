"""Do problems predict deals that nobody has shown them?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from leadlift.base.arrays import Codes, Floats
from leadlift.problems.mixtures import Mixtures
from leadlift.problems.null import NullModel

# Chances worked on together.
BLOCK = 4_000_000


@dataclass(frozen=True, eq=False)
class Hidden:
    """Organisations with one product hidden.

    Attributes:
        matrix: what they are shown to have, sparse, shape (organisations, products).
        product: the hidden product of each, shape (organisations,).
        row: the organisation's number in the whole table, shape (organisations,).
    """

    matrix: Any
    product: Codes
    row: Codes


@dataclass(frozen=True, eq=False)
class Gains:
    """Gain in log-likelihood (nats) over popularity, for each organisation's hidden deal.

    Attributes:
        which: of which product it is, shape (organisations,).
        problem: of whether it lies in each problem, shape (organisations, problems).
    """

    which: Floats
    problem: Floats


def hide_one(matrix: Any, rows: Codes, rng: np.random.Generator) -> Hidden:
    """Hides one product, drawn by lot, of each of these organisations that has two or more."""
    breadth = np.diff(matrix.indptr)[rows]
    rows, breadth = rows[breadth >= 2], breadth[breadth >= 2]
    part = sparse.csr_array(matrix[rows], dtype=np.float64)
    part.sort_indices()
    place = part.indptr[:-1] + (rng.random(len(rows)) * breadth).astype(np.intp)
    product = part.indices[place].astype(np.intp)
    part.data[place] = 0.0
    part.eliminate_zeros()
    return Hidden(part, product, rows)


def fitness(null: NullModel) -> Floats:
    """Chances of the next product by popularity alone, adding up to 1, shape (products,).

    Under the configuration model an organisation's next product is drawn from those it does not have in proportion to
    y, whatever its breadth: this is that model's exact conditional chance.
    """
    widest = int(np.argmax(null.many * (null.chance.max(axis=1) < 1.0)))
    chance = np.minimum(null.chance[widest], 1.0 - 1e-9)
    odds = chance / (1.0 - chance)
    if odds.sum() <= 0:
        odds = null.popularity + 1.0
    odds = np.maximum(odds, odds[odds > 0].min() * 0.5)
    return np.asarray(odds / odds.sum(), dtype=np.float64)


def heldout_gains(model: Mixtures, label: Codes, null: Floats, hidden: Hidden) -> Gains:
    """What a model fitted on other organisations gains over popularity alone.

    Args:
        model: mixtures.
        label: the problem of each product, -1 for none, shape (products,).
        null: chances by popularity alone, see `fitness`.
        hidden: organisations the model has not seen.
    """
    many = len(model.base)
    inside = sparse.csr_array(
        (np.ones(int((label >= 0).sum())), (np.flatnonzero(label >= 0), label[label >= 0])), shape=(len(label), many)
    )
    which, problem = np.empty(len(hidden.product)), np.empty((len(hidden.product), many))
    shares = model.shares(hidden.matrix)
    for rows in _blocks(len(hidden.product), len(label)):
        shown = hidden.matrix[rows]
        owner = np.repeat(np.arange(shown.shape[0]), np.diff(shown.indptr))
        chance = model.chances(shares[rows])
        plain = np.tile(null, (shown.shape[0], 1))
        chance[owner, shown.indices] = plain[owner, shown.indices] = 0.0
        chance /= chance.sum(axis=1, keepdims=True)
        plain /= plain.sum(axis=1, keepdims=True)
        each, product = np.arange(shown.shape[0]), hidden.product[rows]
        which[rows] = np.log(chance[each, product] / plain[each, product])
        hit = label[product][:, None] == np.arange(many)
        problem[rows] = _binary_gain(hit, chance @ inside, plain @ inside)
    return Gains(which, problem)


def _binary_gain(hit: Any, chance: Floats, plain: Floats) -> Floats:
    tiny = 1e-12
    yes = np.log(np.clip(chance, tiny, 1.0) / np.clip(plain, tiny, 1.0))
    no = np.log(np.clip(1.0 - chance, tiny, 1.0) / np.clip(1.0 - plain, tiny, 1.0))
    return np.asarray(np.where(hit, yes, no), dtype=np.float64)


def _blocks(rows: int, columns: int) -> Iterator[slice]:
    step = max(BLOCK // max(columns, 1), 1)
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))
