"""A fitted problem model as it is saved: plain JSON, enough to tell any organisation's mixture from its deals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Floats
from leadlift.base.digest import digest_of
from leadlift.base.problem_records import CardProduct
from leadlift.problems.found import Found
from leadlift.problems.labels import number_of
from leadlift.problems.mixtures import Mixtures
from leadlift.problems.model import ProblemModel

FORMAT = "leadlift problems 1"
# Products in pictures: an equal share of each problem, the heaviest first.
MOST_SHOWN = 400
LEAST_SHOWN = 3
DIGITS = 9
DECISIVE = ("problems", "products", "problem", "weight", "base", "concentration")


@dataclass(frozen=True, eq=False)
class SurePairs:
    """Pairs of products that share more organisations than chance: numbers of products, and lift, shape (pairs,)."""

    first: Codes
    second: Codes
    lift: Floats


@dataclass(frozen=True, eq=False)
class SavedProblems:
    """Problems and all that tells an organisation's mixture of them; nothing of the deals themselves.

    Attributes:
        found: the problems, with the products of problems alone.
        known_until: when the last deal was known that they were learnt from; None: the deals had no dates.
        created_at: when the model was saved.
        deals_digest: of the deals that they were learnt from.
        q: false discovery rate of the pairs.
        pairs: of the products that pictures show.
        organisations: how many have each product, shape (products,).
    """

    found: Found
    known_until: pd.Timestamp | None
    created_at: pd.Timestamp
    deals_digest: str
    q: float
    pairs: SurePairs
    organisations: Codes

    @property
    def names(self) -> tuple[str, ...]:
        """The problems' names."""
        return self.found.names

    @property
    def horizon(self) -> pd.Timestamp:
        """Nothing that the model rests on became known later than this."""
        return self.created_at if self.known_until is None else self.known_until

    @cached_property
    def digest(self) -> str:
        """Of what mixtures are made with; the same whenever and wherever it was saved."""
        content = self._content()
        return digest_of({name: content[name] for name in DECISIVE})

    @property
    def product_problem(self) -> pd.DataFrame:
        """A row per product: `product`, `problem`, `weight`, as a fitted model has them."""
        found = self.found
        weight = (
            np.empty(0) if found.mixtures is None else found.mixtures.weight[found.label, np.arange(len(found.label))]
        )
        names = found.any_name[found.label]
        columns = {"product": pd.array(found.products, dtype="str"), "problem": pd.array(names, dtype="str")}
        return pd.DataFrame({**columns, "weight": weight})

    def products_of(self) -> dict[str, tuple[CardProduct, ...]]:
        """All products of each problem, the heaviest first."""
        rows = self.product_problem.sort_values(["weight", "product"], ascending=[False, True])
        return {
            name: tuple(CardProduct(str(p), float(w)) for p, w in zip(part["product"], part["weight"], strict=True))
            for name in self.names
            for part in [rows[rows["problem"] == name]]
        }

    def text(self) -> str:
        """The file's content."""
        return json.dumps({"format": FORMAT, **self._content()}, ensure_ascii=False, allow_nan=False) + "\n"

    def _content(self) -> dict[str, Any]:
        found, mixtures = self.found, self.found.mixtures
        return {
            "created_at": self.created_at.isoformat(),
            "known_until": None if self.known_until is None else self.known_until.isoformat(),
            "deals_digest": self.deals_digest,
            "problems": list(found.names),
            "products": [str(name) for name in found.products],
            "problem": found.label.tolist(),
            "weight": [] if mixtures is None else _rounded(mixtures.weight),
            "base": [] if mixtures is None else _rounded(mixtures.base),
            "background": [] if mixtures is None else _rounded(mixtures.background),
            "concentration": 0.0 if mixtures is None else float(mixtures.concentration),
            "organisations": self.organisations.tolist(),
            "q": self.q,
            "pairs": [self.pairs.first.tolist(), self.pairs.second.tolist(), _rounded(self.pairs.lift, 4)],
        }


def saved_problems(model: ProblemModel, *, created_at: pd.Timestamp, deals_digest: str) -> SavedProblems:
    """What is saved of a fitted model."""
    whole = model._found
    members = np.flatnonzero(whole.label >= 0)
    mixtures = whole.mixtures
    if mixtures is not None:
        mixtures = Mixtures(
            np.asarray(_rounded(mixtures.weight[:, members])),
            np.asarray(_rounded(mixtures.base)),
            np.asarray(_rounded(mixtures.background[members])),
            float(mixtures.concentration),
        )
    found = Found(whole.products[members], whole.label[members], whole.names, mixtures, whole.community)
    have = model.intersections_.organisations[members]
    bare = SavedProblems(found, model.deals_.known_until, created_at, deals_digest, model.q, _no_pairs(), have)
    return replace(bare, pairs=_pairs(model, members, shown_products(bare.product_problem)))


def parse_saved(text: str) -> SavedProblems | None:
    """The problems that a file's content holds; None where it is something else."""
    try:
        values = json.loads(text)
        if not isinstance(values, Mapping) or values.get("format") != FORMAT:
            return None
        names, label = tuple(map(str, values["problems"])), np.asarray(values["problem"], dtype=np.intp)
        mixtures = None
        if names:
            weight, base, background = (
                np.asarray(values[key], dtype=float) for key in ("weight", "base", "background")
            )
            mixtures = Mixtures(weight, base, background, float(values["concentration"]))
            if weight.shape != (len(names), len(label)) or label.min() < 0 or label.max() >= len(names):
                return None
        products = np.array([str(name) for name in values["products"]], dtype=object)
        until = values["known_until"]
        return SavedProblems(
            found=Found(products, label, names, mixtures, np.arange(len(names))),
            known_until=None if until is None else pd.Timestamp(until),
            created_at=pd.Timestamp(values["created_at"]),
            deals_digest=str(values["deals_digest"]),
            q=float(values["q"]),
            pairs=_read_pairs(values["pairs"]),
            organisations=np.asarray(values["organisations"], dtype=np.intp),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _read_pairs(parts: Any) -> SurePairs:
    first, second, lift = parts
    return SurePairs(np.asarray(first, dtype=np.intp), np.asarray(second, dtype=np.intp), np.asarray(lift, dtype=float))


def shown_products(products: pd.DataFrame) -> pd.DataFrame:
    """Products that pictures show, problem by problem, the heaviest first; at most so many, an equal share of each.

    Args:
        products: a row per product with `product`, `problem` and `weight`, rows numbered from 0.
    """
    names = sorted(products["problem"].dropna().unique(), key=number_of)
    most = max(MOST_SHOWN // max(len(names), 1), LEAST_SHOWN)
    parts = [
        products[products["problem"] == name].sort_values(["weight", "product"], ascending=[False, True]).head(most)
        for name in names
    ]
    return pd.concat(parts) if parts else products.iloc[:0]


def _pairs(model: ProblemModel, members: Codes, shown: pd.DataFrame) -> SurePairs:
    """Sure pairs among the shown products, by their numbers among the members."""
    found = model.intersections_
    place = np.full(len(found.products), -1, dtype=np.intp)
    kept = members[shown.index.to_numpy(dtype=np.intp)]
    place[kept] = shown.index.to_numpy(dtype=np.intp)
    first, second = place[found.first], place[found.second]
    sure = (found.q_value < model.q) & (first >= 0) & (second >= 0)
    return SurePairs(first[sure], second[sure], found.lift[sure])


def _no_pairs() -> SurePairs:
    return SurePairs(np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp), np.empty(0))


def _rounded(values: Any, digits: int = DIGITS) -> Any:
    """Numbers with so many digits, as lists: half the file, and the same on every machine."""
    if not np.size(values):
        return []
    return np.vectorize(lambda value: float(f"{value:.{digits}g}"), otypes=[float])(values).tolist()
