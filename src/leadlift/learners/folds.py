"""Folds of organisations: no organisation is on both sides of a fold."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from leadlift.base.arrays import Codes
from leadlift.base.problems import stop
from leadlift.data import AssignmentLog


def organisation_folds(organisation: Codes, n_organisations: int, folds: int, rng: np.random.Generator) -> Codes:
    """The fold of each lead, shape (n,): organisations dealt out at random, as evenly as their number allows.

    Args:
        organisation: code of each lead's client, 0 .. n_organisations - 1, shape (n,).
        folds: how many.
        rng: draws the order.

    Raises:
        DataError: fewer organisations than folds.
    """
    if n_organisations < folds:
        raise stop(
            "the folds",
            "too-few-organisations",
            "at least one organisation per fold",
            f"{n_organisations:,} organisations for {folds} folds",
            "use fewer folds",
        )
    fold_of = np.empty(n_organisations, dtype=np.intp)
    fold_of[rng.permutation(n_organisations)] = np.arange(n_organisations) % folds
    return fold_of[organisation]


def fold_units(log: AssignmentLog) -> tuple[Codes, int]:
    """What is never split between those who learn and those who are judged, and how many there are.

    Organisations; where the lot was drawn in permuted blocks, organisations and blocks joined where they share a lead.
    """
    return kept_together(log.organisation, log.block)


def kept_together(organisation: Codes, together: Any) -> tuple[Codes, int]:
    """Units of folds: organisations, and whatever else must not be split, joined where they share a lead.

    In a permuted block one lead's arm says something of the others', so a block is kept on one side of a fold.

    Args:
        organisation: code of each lead's client, shape (n,).
        together: label of each lead's permuted block, shape (n,), or None.

    Returns: the unit of each lead, 0, 1, ..., shape (n,), and how many there are.

    >>> kept_together(np.array([0, 0, 1, 2]), ["p", "q", "q", "r"])
    (array([0, 0, 0, 1]), 2)
    """
    if together is None:
        return organisation, int(organisation.max()) + 1
    block = np.unique(np.asarray(together), return_inverse=True)[1]
    first = int(organisation.max()) + 1
    links = coo_array((np.ones(len(block)), (organisation, first + block)), shape=(first + int(block.max()) + 1,) * 2)
    joined = connected_components(links, directed=False)[1][organisation]
    names, unit = np.unique(joined, return_inverse=True)
    return unit, len(names)
