"""Is a mechanic's uplift the same on two products? Equivalent within a margin, different, or not known yet.

All pairs of products that tried a mechanic are judged together, by intervals that hold for all of them at once. Two
products are equivalent if their 90% interval lies inside the margin (two one-sided tests at 5%), and differ if their
95% interval leaves out 0 and they are not equivalent. A difference that is not significant shows nothing.

References: Schuirmann (1987), Comparison of the two one-sided tests procedure; Tukey (1953), Kramer (1956), Hayter
(1984), A proof of the conjecture that the Tukey-Kramer multiple comparisons procedure is conservative.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy import special, stats

from leadlift.base.problems import stop
from leadlift.base.record import Record
from leadlift.inference import Interval
from leadlift.problems.asked import is_number

Answer = Literal["unify", "keep apart", "not known yet"]
POWER = 0.8


@dataclass(frozen=True)
class Comparison(Record):
    """One mechanic on two products, seen together with all products of the group that tried it.

    Attributes:
        product, other: names.
        mechanic: what was done on both.
        difference: uplift on `product` less that on `other`, outcome units.
        equivalence: simultaneous 90% interval, to be held against the margin.
        interval: simultaneous 95% interval, to be held against 0.
        answer: unify (equivalent), keep apart (different), or not known yet.
        times: how many times the leads so far would settle it if there were no difference; 1 or less: enough.
        leads: leads in all, over both products and arms, still to be measured then; None where no study tells the
            outcome's variance. Both None once it is settled, and without a margin.
    """

    product: str
    other: str
    mechanic: str
    difference: float
    equivalence: Interval
    interval: Interval
    answer: Answer
    times: float | None
    leads: int | None


def compare(
    product: str,
    other: str,
    mechanic: str,
    *,
    effects: tuple[float, float],
    errors: tuple[float, float],
    lead_variances: tuple[float, float],
    margin: float | None,
    together: int,
    alpha: float = 0.05,
) -> Comparison:
    """Judges one pair.

    Args:
        product, other: names.
        mechanic: name.
        effects: measured uplift on either, outcome units.
        errors: standard errors.
        lead_variances: of one lead's outcome; NaN where not known.
        margin: differences smaller than this don't matter, outcome units, above 0; None: nothing is equivalent.
        together: how many products of the group tried the mechanic; all their pairs are judged at once.
        alpha: of both judgements, over all pairs of the mechanic in the group.

    Raises:
        DataError: a margin that is not above 0.

    Examples:
        >>> pair = {"product": "a", "other": "b", "mechanic": "call", "lead_variances": (0.09, 0.09), "together": 2}
        >>> compare(**pair, effects=(0.02, 0.021), errors=(0.002, 0.002), margin=0.01).answer
        'unify'
        >>> compare(**pair, effects=(0.02, 0.021), errors=(0.02, 0.02), margin=0.01).answer
        'not known yet'
    """
    difference, se = effects[0] - effects[1], math.hypot(*errors)
    near, far = (critical(together, level) * se for level in (1 - 2 * alpha, 1 - alpha))
    answer: Answer = "not known yet"
    if margin is not None and abs(difference) + near < checked_margin(margin):
        answer = "unify"
    elif abs(difference) > far:
        answer = "keep apart"
    wanted = None if margin is None or answer != "not known yet" else wanted_error(margin, together, alpha)
    return Comparison(
        product=product,
        other=other,
        mechanic=mechanic,
        difference=difference,
        equivalence=Interval(difference - near, difference + near),
        interval=Interval(difference - far, difference + far),
        answer=answer,
        times=None if wanted is None else (se / wanted) ** 2,
        leads=None if wanted is None else _leads_missing(errors, lead_variances, wanted),
    )


def checked_margin(margin: float) -> float:
    """A margin above 0.

    Raises:
        DataError: it is not.
    """
    if not (is_number(margin) and margin > 0):
        rule = "a margin is the largest difference in uplift that doesn't matter, above 0"
        raise stop("the funnels", "margin", rule, str(margin), "declare one in outcome units, such as 0.01")
    return margin


def checked_alpha(alpha: float) -> float:
    """An error that both judgements can be held to.

    Raises:
        DataError: it is not inside (0, 0.5).
    """
    if not (is_number(alpha) and 0 < alpha < 0.5):
        raise stop("the funnels", "alpha", "`alpha` is a number inside (0, 0.5)", str(alpha), "write 0.05")
    return alpha


@lru_cache(maxsize=512)
def critical(together: int, level: float) -> float:
    """Tukey's critical value of all pairwise differences, in standard errors of a difference.

    >>> round(critical(2, 0.9), 4), round(critical(5, 0.95), 4)
    (1.6449, 2.7278)
    """
    if together <= 2:
        return float(special.ndtri((1 + level) / 2))
    return float(stats.studentized_range.ppf(level, together, np.inf)) / math.sqrt(2)


def wanted_error(margin: float, together: int, alpha: float = 0.05) -> float:
    """Standard error of a difference at which products without one are shown equivalent with power 80%."""
    return margin / (critical(together, 1 - 2 * alpha) + float(special.ndtri((1 + POWER) / 2)))


def leads_for(lead_variance: float, wanted: float) -> float:
    """Leads per arm on each of two like products that give their difference the error `wanted`; NaN if not known."""
    return 4 * lead_variance / wanted**2


def _leads_missing(errors: tuple[float, float], lead_variances: tuple[float, float], wanted: float) -> int | None:
    if not all(math.isfinite(variance) for variance in lead_variances):
        return None
    missing = 0.0
    for error, variance in zip(errors, lead_variances, strict=True):
        have = 2 * variance / error**2 if math.isfinite(error) else 0.0
        missing += 2 * max(leads_for(variance, wanted) - have, 0.0)
    return math.ceil(missing)
