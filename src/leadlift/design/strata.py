"""Strata: the cells inside which the lot is drawn. A stratum belongs to the unit and never changes again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Column, Floats
from leadlift.base.config import ScoreGroups
from leadlift.base.problems import listed, stop

NO_PROBLEM = "unknown"


def frozen_cuts(score: Floats, settings: ScoreGroups) -> tuple[float, ...]:
    """The cuts between score groups: those given, or the first draw's quantiles.

    At a quantile the cut is the lowest score of the upper group, as in the study of a log.

    >>> frozen_cuts(np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), ScoreGroups(quantiles=[0.3333333, 0.6666667]))
    (0.3, 0.5)
    """
    if settings.cuts is not None:
        return tuple(settings.cuts)
    ordered = np.sort(score)
    starts = np.round(np.asarray(settings.edges) * len(ordered), 3).astype(np.intp)
    return tuple(float(ordered[min(start, len(ordered) - 1)]) for start in starts)


def group_codes(score: Floats, cuts: Sequence[float]) -> Codes:
    """The score group of each lead, shape (n,); a score on a cut belongs to the group above it, a missing one is -1.

    >>> group_codes(np.array([0.1, 0.2, np.nan]), [0.2]).tolist()
    [0, 1, -1]
    """
    code = np.searchsorted(np.asarray(cuts), score, side="right").astype(np.intp)
    return np.where(np.isnan(score), -1, code)


def refuse_empty_groups(code: Codes, score: Floats, cuts: Sequence[float], names: Sequence[str]) -> None:
    """Raises DataError if the cuts leave a score group without leads."""
    sizes = np.bincount(code[code >= 0], minlength=len(names))
    empty = [name for name, size in zip(names, sizes, strict=True) if size == 0]
    if empty:
        raise stop(
            "the score groups",
            "empty-group",
            "every score group holds leads",
            f"none in {listed(empty)}; cuts {listed([f'{cut:.4g}' for cut in cuts])}, scores from "
            f"{np.nanmin(score):.4g} to {np.nanmax(score):.4g}",
            "choose `score_groups.cuts` between the scores that occur, or fewer groups",
        )


def unit_groups(unit: Codes, units: int, group: Codes) -> Codes:
    """Each unit's highest score group, shape (units,).

    >>> unit_groups(np.array([0, 0, 1]), 2, np.array([0, 2, 1])).tolist()
    [2, 1]
    """
    highest = np.full(units, -1, dtype=np.intp)
    np.maximum.at(highest, unit, group)
    return highest


def main_problems(unit: Codes, units: int, problem: Column) -> tuple[Codes, list[str]]:
    """Each unit's most frequent problem, the first by name among equals; `unknown` where no lead has one.

    Returns: codes, shape (units,), and the problems' names.

    >>> code, names = main_problems(np.array([0, 0, 0, 1]), 2, pd.Series(["people", "data", "people", None]))
    >>> [names[c] for c in code]
    ['people', 'unknown']
    """
    code, found = pd.factorize(problem, sort=True)
    names = [*map(str, found), NO_PROBLEM]
    some = code >= 0
    pair, count = np.unique(unit[some] * len(names) + code[some], return_counts=True)
    owner, which = np.divmod(pair, len(names))
    # Pairs stand by name within a unit, and the sort keeps that order among equals.
    best = np.lexsort((-count, owner))
    owners, first = np.unique(owner[best], return_index=True)
    main = np.full(units, len(found), dtype=np.intp)
    main[owners] = which[best][first]
    return main, names


def crossed(parts: Sequence[tuple[Codes, Sequence[str]]], units: int) -> tuple[Codes, list[str]]:
    """The strata that cross these parts, such as `high/people`: those that occur; without parts, `all`.

    Returns: codes, shape (units,), and the strata's names.

    >>> groups, problems = (np.array([1, 0, 1]), ["low", "high"]), (np.array([0, 1, 0]), ["people", "data"])
    >>> crossed([groups, problems], 3)[1]
    ['low/data', 'high/people']
    """
    code, names = np.zeros(units, dtype=np.intp), ["all"]
    for number, (part, labels) in enumerate(parts):
        code = code * len(labels) + part
        names = [f"{name}/{label}" if number else label for name in names for label in labels]
    occurs = np.bincount(code, minlength=len(names)) > 0
    place = np.cumsum(occurs) - 1
    return place[code], [name for name, there in zip(names, occurs, strict=True) if there]
