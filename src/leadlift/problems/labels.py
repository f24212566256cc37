"""Names of problems that stay when the model is fitted again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from leadlift.base.arrays import Codes
from leadlift.problems.stability import matched

UNKNOWN = "unknown"
LIKE = 0.3
# A word tells a problem's products from others if so many of them have it, and so many times the share of the others.
WORDS, LEAST_SHARE, TIMES = 3, 0.3, 3.0


def problem_names(label: Codes, products: Sequence[str], size: Any, previous: Mapping[str, str]) -> list[str]:
    """A name for each problem: that of the previous fit's problem it is most like, else a new number.

    Args:
        label: the problem of each product, -1 for none.
        products: names.
        size: what new problems are numbered by, the largest first, shape (problems,).
        previous: the problem of each product in the previous fit.

    >>> problem_names(np.array([0, 0, 1, 1]), ["a", "b", "c", "d"], [1, 2], {"a": "P7", "b": "P7"})
    ['P7', 'P8']
    """
    many = int(label.max(initial=-1)) + 1
    names: list[str] = [""] * many
    known = sorted(set(previous.values()), key=number_of)
    place = {name: number for number, name in enumerate(known)}
    before = np.array([place.get(previous.get(product, ""), -1) for product in products], dtype=np.intp)
    # What is new in this fit can't speak against a match.
    seen = np.array([product in previous for product in products], dtype=bool)
    for problem, other in enumerate(matched(np.where(seen, label, -1), before, least=LIKE) if known else []):
        if other >= 0:
            names[problem] = known[other]
    following = max((number_of(name) for name in known), default=0)
    for problem in sorted(range(many), key=lambda k: (-float(size[k]), k)):
        if not names[problem]:
            following += 1
            names[problem] = f"P{following}"
    return names


def number_of(name: str) -> int:
    """The number in a problem's name; 0 if it has none.

    >>> number_of("P12"), number_of("insurance")
    (12, 0)
    """
    found = re.search(r"\d+$", name)
    return int(found.group()) if found else 0


def words_by_product(products: Any) -> tuple[Any, list[str]]:
    """Where each product's name has which word, from 1, sparse, shape (products, words); and the words."""
    found = [list(dict.fromkeys(re.findall(r"[^\W\d_]{3,}", str(name).casefold()))) for name in products]
    words = sorted({word for name in found for word in name})
    number = {word: at for at, word in enumerate(words)}
    row = np.repeat(np.arange(len(found)), [len(name) for name in found])
    column = np.array([number[word] for name in found for word in name], dtype=np.intp)
    place = np.array([at for name in found for at in range(1, len(name) + 1)], dtype=np.float64)
    return sparse.csr_array((place, (row, column)), shape=(len(found), len(words))), words


def telling_words(named: tuple[Any, list[str]], members: Codes) -> tuple[str, ...]:
    """The words that a problem's products share and others lack, in the order that names have them.

    Args:
        named: from `words_by_product`.
        members: the problem's products.

    >>> names = ["lunch bag red", "lunch bag blue", "paper bag", "red sign", "blue sign", "tea pot", "tea cup", "mug"]
    >>> telling_words(words_by_product(names), np.array([0, 1, 2]))
    ('lunch', 'bag')
    """
    place, words = named
    has = place.sign()
    inside = np.asarray(has[members].sum(axis=0)) / len(members)
    others = max(has.shape[0] - len(members), 1)
    outside = (np.asarray(has.sum(axis=0)) - inside * len(members)) / others
    times = inside / np.maximum(outside, 0.5 / others)
    telling = np.flatnonzero((inside >= LEAST_SHARE) & (inside * len(members) >= 2) & (times >= TIMES))
    most = telling[np.lexsort((telling, -inside[telling] * np.log(times[telling])))][:WORDS]
    where = np.asarray(place[members].sum(axis=0))[most] / inside[most]
    return tuple(words[word] for word in most[np.argsort(where, kind="stable")])
