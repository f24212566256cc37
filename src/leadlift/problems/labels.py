"""Names of problems that stay when the model is fitted again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from leadlift.base.arrays import Codes
from leadlift.problems.stability import matched

UNKNOWN = "unknown"
LIKE = 0.3


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
