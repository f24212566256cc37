"""Arguments of the learners, checked: numbers, lengths, propensities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Floats
from leadlift.base.errors import PropensityError
from leadlift.base.problems import listed_labels, stop

WHERE = "the learner's input"
# What numpy would turn into numbers that mean nothing here.
_KINDS = {"M": "dates", "m": "durations", "c": "complex numbers"}


def as_numbers(values: Any, name: str) -> Floats:
    """A vector as numbers.

    Raises:
        DataError: it holds text, dates or complex numbers.
    """
    try:
        found = _KINDS.get(np.asarray(values).dtype.kind)
        numbers = None if found else np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        numbers, found = None, "text"
    if numbers is None:
        raise stop(WHERE, "text-in-number", f"`{name}` holds numbers", f"found {found}", "turn it into numbers")
    return numbers


def as_weights(values: Any) -> Floats:
    """Sample weights as numbers.

    Raises:
        DataError: text, a shape other than (n,), a negative number, or nothing but zeros.
    """
    weights = as_numbers(values, "sample_weight")
    if weights.ndim != 1 or (weights < 0).any() or not weights.any():
        found = f"shape {weights.shape}, {int((weights < 0).sum()):,} negative, {int((weights == 0).sum()):,} zero"
        rule = "`sample_weight` has shape (n,), no negative number, and not only zeros"
        raise stop(WHERE, "weights", rule, found, "pass one weight per lead")
    return weights


def check_settings(random_state: Any, patience: Any = None) -> None:
    """Raises DataError for a seed or a patience that means nothing."""
    if not _is_whole(random_state) or random_state < 0:
        rule = "`random_state` is a whole number, so that the same input gives the same numbers"
        raise stop("the learner", "random-state", rule, f"`{random_state!r}`", "pass 0, 1, ...")
    if patience is not None and (not _is_whole(patience) or patience < 1):
        rule = "`patience` is a whole number of trees, 1 or more"
        raise stop("the learner", "patience", rule, f"`{patience!r}`", "leave it out to grow all trees")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def refuse_unweighted_arms(weight: Floats, arm: Codes, labels: Any) -> None:
    """Raises DataError where all leads of an arm have weight 0: nothing could be learnt of it."""
    total = np.bincount(arm, weights=weight, minlength=len(labels))
    if not total.all():
        rule, found = "leads of every arm have weight", f"only zeros in {listed_labels(map(str, labels[total == 0]))}"
        raise stop(WHERE, "weights", rule, found, "leave the arm out, or weigh its leads")


def refuse_too_few(X: pd.DataFrame) -> None:
    """Raises DataError for fewer than two leads."""
    if len(X) < 2:
        found = f"n_samples = {len(X)}"
        raise stop(WHERE, "too-few-leads", "there are leads of two arms or more", found, "pass more leads")


def check_lengths(X: pd.DataFrame, **vectors: Any) -> None:
    """Raises DataError where a vector has not one entry per row of X, or outcomes are missing."""
    for name, vector in vectors.items():
        if vector is None:
            continue
        refuse_columns(name, vector)
        missing = int(np.asarray(pd.isna(np.asarray(vector))).sum()) if name == "groups" else 0
        if missing:
            rule, fix = "`groups` names the organisation of every lead", "leave out leads without one"
            raise stop(WHERE, "organisation-missing", rule, f"none in {missing:,}", fix)
        n = len(vector)
        if n != len(X):
            raise stop(
                WHERE,
                "length",
                f"`{name}` has one entry per lead",
                f"{n:,} entries for {len(X):,} leads",
                "pass vectors of equal length",
            )
        values = np.asarray(vector)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise stop(
                WHERE,
                "not-finite",
                f"`{name}` is finite",
                f"{int((~np.isfinite(values)).sum()):,} entries are not",
                "leave out leads without an outcome",
            )


def refuse_columns(name: str, vector: Any) -> None:
    """Raises DataError for anything but a vector."""
    shape = np.shape(np.asarray(vector))
    if len(shape) != 1:
        found = f"shape {shape}: {name} should be a 1d array"
        raise stop(WHERE, "shape", f"`{name}` has one entry per lead", found, "pass shape (n,)")


def propensity_by_arm(propensity: Any, n: int, arms: int) -> Floats:
    """Propensities as a matrix, shape (n, arms), control first.

    Raises:
        PropensityError: the shape is wrong, a number is outside (0, 1), or rows don't add up to 1.
    """
    matrix = as_numbers(propensity, "propensity")
    if matrix.shape == (n,) and arms == 2:
        matrix = np.column_stack([1 - matrix, matrix])
    if matrix.shape != (n, arms):
        wanted = f"({n},) or ({n}, 2)" if arms == 2 else f"({n}, {arms})"
        raise stop(
            WHERE,
            "propensity-shape",
            f"propensities have shape {wanted}",
            f"shape {matrix.shape}",
            "pass one column per arm, control first",
            PropensityError,
        )
    if not ((matrix > 0) & (matrix < 1)).all():
        rows = int((~((matrix > 0) & (matrix < 1)).all(axis=1)).sum())
        raise stop(
            WHERE,
            "propensity-range",
            "arm probabilities lie inside (0, 1)",
            f"{rows:,} of {n:,} leads",
            "leave out leads whose arm was certain",
            PropensityError,
        )
    if np.abs(matrix.sum(axis=1) - 1).max(initial=0.0) > 1e-6:
        rows = int((np.abs(matrix.sum(axis=1) - 1) > 1e-6).sum())
        raise stop(
            WHERE,
            "propensity-sum",
            "arm probabilities add up to 1",
            f"{rows:,} of {n:,} leads",
            "pass every arm's probability, control first",
            PropensityError,
        )
    return matrix
