"""What an experiment would be worth: the gain it may open, and what it would teach about all other cells.

References: Raiffa, Schlaifer (1961), Applied statistical decision theory (preposterior analysis); Frazier, Powell,
Dayanik (2009), The knowledge-gradient policy for correlated normal beliefs; O'Hagan, Stevens, Campbell (2005),
Assurance in clinical trial design.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from leadlift.base.arrays import Codes, Floats


@dataclass(frozen=True, eq=False)
class Designs:
    """One test for each of some cells, shape (cells,).

    Attributes:
        designed_for: uplift over break-even that the test is to find, outcome units.
        n_per_arm: leads in each of two arms; NaN where the outcome's variance is not known.
        se: standard error that the test's estimate will have.
        assurance: chance that the test shows an uplift over break-even, whatever the truth may be.
    """

    designed_for: Floats
    n_per_arm: Floats
    se: Floats
    assurance: Floats


def design_tests(
    mean: Floats, sd: Floats, bar: Floats, lead_variance: Floats, other_se: float, *, alpha: float, power: float
) -> Designs:
    """Two equal arms for each cell, normal approximation.

    A test is designed for the predicted uplift over break-even, or for one predictive standard deviation where that is
    more: a cell predicted to be just worth it is not given a test without end.

    Args:
        mean, sd: of the true uplift, as predicted.
        bar: uplift that breaks even.
        lead_variance: of one lead's outcome, the same in both arms; NaN where not known.
        other_se: error that a test is taken to have where the variance is not known.
        alpha: two-sided level.
        power: at `designed_for`.

    Examples:
        >>> one = np.array([2.0]), np.array([1.0]), np.array([0.0]), np.array([900.0])
        >>> design_tests(*one, 1.0, alpha=0.05, power=0.8).n_per_arm.tolist()
        [3532.0]
    """
    critical = float(special.ndtri(1 - alpha / 2))
    ahead = mean - bar
    designed_for = np.maximum(ahead, sd)
    n = np.ceil(2 * lead_variance * ((critical + float(special.ndtri(power))) / designed_for) ** 2)
    se = np.where(np.isfinite(n), np.sqrt(2 * lead_variance / np.where(n > 0, n, 1.0)), other_se)
    return Designs(designed_for, n, se, special.ndtr((ahead - critical * se) / np.hypot(sd, se)))


def expected_improvement(distance: Floats, sd: Floats) -> Floats:
    """E[max(distance + sd Z, 0)] - max(distance, 0): what knowing better is worth for a choice between two.

    >>> expected_improvement(np.array([0.0, -3.0]), np.array([1.0, 1.0])).round(4).tolist()
    [0.3989, 0.0004]
    """
    size = np.where(sd > 0, sd, 1.0)
    z = np.abs(distance) / size
    value = size * (np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) - z * special.ndtr(-z))
    return np.where(sd > 0, np.maximum(value, 0.0), 0.0)


def information(covariance: Floats, variance: Floats, se: Floats, distance: Floats, leads: Floats) -> Floats:
    """What a test is expected to add, over all cells, to the gain of doing what then looks worth it.

    Args:
        covariance: of each tested cell with every cell, shape (tests, cells).
        variance: of each tested cell, shape (tests,).
        se: of each test's estimate, shape (tests,).
        distance: predicted uplift less break-even, shape (cells,).
        leads: that each cell's decision is about, shape (cells,).

    Returns: outcome units times leads, shape (tests, cells); the sum over cells is the test's.
    """
    moved = np.abs(covariance) / np.sqrt(variance + se**2)[:, None]
    return expected_improvement(np.broadcast_to(distance, moved.shape), moved) * leads


def one_after_another(
    covariance: Floats, place: Codes, se: Floats, distance: Floats, leads: Floats, many: int
) -> tuple[Floats, Codes]:
    """What each test is worth alone, and an order in which each is worth most once those before it are done.

    Tests of like cells teach the same thing: the second is worth less than the first.

    Args:
        covariance: of each tested cell with every cell, shape (tests, cells).
        place: the cell of each test, shape (tests,).
        se, distance, leads: as for `information`.
        many: how long the order is to be.

    Returns: worth alone, shape (tests,); numbers of the tests in order, shape (many,) or as many as there are.
    """
    left = covariance.copy()
    tests = np.arange(len(place))
    chosen: list[int] = []
    alone = np.zeros(len(place))
    for step in range(min(many, len(place))):
        variance = left[tests, place]
        worth = information(left, variance, se, distance, leads).sum(axis=1)
        if step == 0:
            alone = worth
        worth[chosen] = -1.0
        best = int(np.argmax(worth))
        chosen.append(best)
        left = left - np.outer(left[:, place[best]], left[best]) / (variance[best] + se[best] ** 2)
    return alone, np.array(chosen, dtype=np.intp)
