"""What every function here does with its arrays first: check them, and add them up in an order of their own.

Floating-point sums depend on the order of their terms. Rows are therefore sorted by their values before anything
is added, so that shuffled rows give the same number to the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlift.base.errors import PropensityError
from leadlift.base.problems import Problems, share, stop

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def finite_columns(where: str, **columns: Any) -> tuple[Floats, ...]:
    """The columns as float arrays of one length, all finite.

    Raises:
        DataError: a column is not one-dimensional, differs in length, or holds missing values.
    """
    arrays = {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
    check_lengths(where, **arrays)
    problems = Problems(where)
    for name, array in arrays.items():
        missing = int((~np.isfinite(array)).sum())
        if missing:
            problems.add(
                "missing-value",
                f"`{name}` has a finite number on every row",
                share(missing, array.size),
                "drop these rows, and count them, before this step",
            )
    problems.stop_if_any()
    return tuple(arrays.values())


def check_lengths(where: str, **columns: Any) -> None:
    """Stops unless all columns are one-dimensional and equally long."""
    shapes = {name: np.shape(column) for name, column in columns.items()}
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        found = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise stop(where, "shape", "columns have one value per row", found, "pass arrays of shape (n,)")


def codes(where: str, name: str, values: Any) -> Ints:
    """Whole-number codes as int64.

    Raises:
        DataError: a code that is not a whole number.
    """
    array = np.asarray(values)
    return array.astype(np.int64) if array.dtype.kind in "iub" else _whole(where, name, array)


def _whole(where: str, name: str, array: NDArray[Any]) -> Ints:
    numbers = array.astype(np.float64)
    wrong = int((~(np.isfinite(numbers) & (numbers == np.floor(numbers)))).sum())
    if wrong:
        fix = "code the values as 0, 1, 2, ..."
        raise stop(where, "code", f"`{name}` holds whole numbers", share(wrong, array.size), fix)
    return numbers.astype(np.int64)


def unit_codes(where: str, unit: Any, n_units: int) -> Ints:
    """Unit codes, checked to lie in 0 ... n_units - 1."""
    values = codes(where, "unit", unit)
    outside = int(((values < 0) | (values >= n_units)).sum())
    if outside:
        rule = f"`unit` lies in 0 ... {n_units - 1} (n_units = {n_units:,})"
        raise stop(where, "unit-code", rule, share(outside, values.size), "number the organisations anew")
    return values


def check_propensities(where: str, **propensities: Floats) -> None:
    """Stops unless every propensity lies inside (0, 1), and those given don't add up to more than 1.

    Raises:
        PropensityError: a propensity outside (0, 1), or a sum above 1.
    """
    problems = Problems(where)
    for name, values in propensities.items():
        outside = ~((values > 0) & (values < 1))
        if outside.any():
            example = float(values[outside][0])
            problems.add(
                "propensity-range",
                f"`{name}` lies inside (0, 1)",
                f"{share(int(outside.sum()), values.size)}, e.g. {example:g}",
                "leave out rows on which this contrast was never drawn",
                PropensityError,
            )
    above = np.sum(list(propensities.values()), axis=0) > 1 + 1e-6
    if above.any() and not problems.found:
        names = " + ".join(propensities)
        found = share(int(above.sum()), above.size)
        problems.add("propensity-sum", f"{names} is at most 1", found, "export the design's own", PropensityError)
    problems.stop_if_any()


def segment_mask(where: str, segment: Any, n: int) -> Bools:
    """The rows of a segment as booleans; None means all."""
    if segment is None:
        return np.ones(n, dtype=np.bool_)
    mask = np.asarray(segment)
    if mask.dtype != np.bool_ or mask.shape != (n,):
        found = f"{mask.dtype} of shape {mask.shape}"
        raise stop(where, "segment", f"`segment` is boolean, shape ({n},)", found, "compare codes with a value first")
    return mask


def unit_sums(values: Floats, unit: Ints, n_units: int) -> Floats:
    """Sums by unit, the same to the last bit in any row order.

    Args:
        values: shape (n,).
        unit: codes 0 ... n_units - 1, shape (n,).
        n_units: how many units there are.

    Returns:
        Sums, shape (n_units,); 0 for a unit without rows.
    """
    order = np.lexsort((values, unit))
    return np.bincount(unit[order], weights=values[order], minlength=n_units).astype(np.float64)


def stable_sum(values: Floats) -> float:
    """The sum of `values`, the same to the last bit in any order."""
    return float(np.sort(values).sum())


def checked_level(level: float) -> float:
    """A confidence level, inside (0, 1).

    Raises:
        DataError: a level outside (0, 1), such as 95.
    """
    if not 0 < level < 1:
        raise stop("an interval", "level", "`level` lies inside (0, 1)", f"{level:g}", "write 0.95 for 95%")
    return level
