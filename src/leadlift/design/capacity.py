"""A capped arm: who gets one of the touches there are, with exact probabilities and never one too many."""

from __future__ import annotations

import numpy as np

from leadlift.base.arrays import Bools, Codes, Floats

# A probability this near to 0 or 1 has been settled, but for rounding.
SETTLED = 1e-12


def fitted_scale(leads: Codes, wanted: Floats, capacity: int) -> float:
    """What to multiply the wanted probabilities by, so that the lot can't exceed the capacity; at most 1.

    The sum of leads x probability stays at or below the capacity less the largest unit: the lot keeps that sum but for
    the last unit, which a coin decides.

    Args:
        leads: leads of each unit, shape (n,).
        wanted: P(capped arm) before the cap, shape (n,).
        capacity: leads that may be touched.

    Returns: the factor; 0 or less when the largest unit alone fills the capacity.

    >>> fitted_scale(np.array([1, 1, 1, 1]), np.full(4, 0.5), 2)
    0.5
    """
    expected = float((leads * wanted).sum())
    room = capacity - int(leads.max(initial=0))
    return 1.0 if expected <= room else room / expected


def rounded_in(probability: Floats, leads: Codes, *, order: Codes, luck: Floats, coin: float) -> Bools:
    """Draws units with exactly these probabilities, keeping the number of leads drawn: dependent rounding by pairs.

    Two undecided units i and j at a time: one's probability goes up and the other's down until one of them is 0 or 1,
    in one of two directions, such that both means stay and so does leads_i p_i + leads_j p_j. The last undecided unit
    is drawn by a coin. So P(unit is in) is its probability, and the leads drawn differ from sum(leads x probability)
    by less than the last unit's leads.

    Args:
        probability: P(unit is in), shape (n,), in [0, 1].
        leads: leads of each unit, shape (n,), 1 or more.
        order: the units in the order they come in; neighbours balance each other, so strata stand together.
        luck: uniform in [0, 1), shape (n,): decides the step at which a unit comes in.
        coin: uniform in [0, 1): decides the last one. Independent of `luck`.

    Returns: who is in, shape (n,).

    References: Srinivasan (2001), Distributions on level-sets, for pairs; Deville, Tillé (1998) for weights.

    >>> four = np.full(4, 0.5)
    >>> lot = np.array([0.9, 0.2, 0.7, 0.4])
    >>> int(rounded_in(four, np.ones(4, np.intp), order=np.arange(4), luck=lot, coin=0.5).sum())
    2
    """
    chance: list[float] = probability.tolist()
    weight: list[int] = leads.tolist()
    steps: list[float] = luck.tolist()
    open_unit = -1
    for unit in order.tolist():
        if not SETTLED < chance[unit] < 1 - SETTLED:
            continue
        open_unit = unit if open_unit < 0 else _step(open_unit, unit, chance, weight, steps[unit])
    if open_unit >= 0:
        chance[open_unit] = float(coin < chance[open_unit])
    return np.array(chance) > 0.5


def _step(i: int, j: int, chance: list[float], weight: list[int], luck: float) -> int:
    """Settles one of units i and j, or both; returns the one still undecided, or -1."""
    p, q, ratio = chance[i], chance[j], weight[j] / weight[i]
    # How far i can go up before i is in or j is out, and down before i is out or j is in.
    up, down = min(1 - p, q * ratio), min(p, (1 - q) * ratio)
    move = up if luck * (up + down) < down else -down
    chance[i], chance[j] = _settled(p + move), _settled(q - move / ratio)
    if 0 < chance[i] < 1:
        return i
    return j if 0 < chance[j] < 1 else -1


def _settled(p: float) -> float:
    return 0.0 if p < SETTLED else 1.0 if p > 1 - SETTLED else p
