"""Folds of organisations: no organisation is on both sides of a fold."""

from __future__ import annotations

import numpy as np

from leadlift.base.arrays import Codes
from leadlift.base.problems import stop


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
