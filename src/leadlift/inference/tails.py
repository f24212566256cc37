"""How many values a mean's error really rests on."""

from __future__ import annotations

from typing import Any

import numpy as np


def effective_number(values: Any) -> float:
    """How many values the spread rests on: (sum d^2)^2 / sum d^4, with d the distance from the mean.

    For a rare 0/1 event it is about the number of events. Where it is small, one value decides the standard error, and
    a t interval promises more than it holds.

    Args:
        values: shape (n,), any units.

    Returns: between 1 and n; 0 if the values do not vary.

    Examples:
        >>> round(effective_number([0.0] * 999 + [1e6]), 2), round(effective_number([0.0, 1.0] * 50))
        (1.0, 100)
    """
    numbers = np.asarray(values, dtype=np.float64)
    distance = np.abs(numbers - numbers.mean()) if numbers.size else numbers
    largest = float(distance.max(initial=0.0))
    if largest == 0:
        return 0.0
    squared = (distance / largest) ** 2
    return float(squared.sum() ** 2 / (squared**2).sum())
