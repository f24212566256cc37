"""Cells of constant propensity, and the rule by which small ones merge.

Cells are visited in the order of their codes. One with fewer than two units in an arm joins the next cell, until both
arms have two; what is left over at the end joins the cell before. The rule looks at counts only, never at outcomes.
Number cells so that neighbours are alike: stratum by stratum, round by round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from leadlift.base.problems import stop
from leadlift.base.record import Record
from leadlift.inference._arrays import Bools, Ints, check_lengths, codes, finite_columns, segment_mask

MIN_UNITS = 2


@dataclass(frozen=True)
class CellCounts(Record):
    """Events and leads of both arms by (merged) cell, for `miettinen_nurminen`.

    Attributes:
        events_treated: leads with the outcome, treated arm, shape (cells,).
        n_treated: leads of the treated arm, shape (cells,).
        events_control: leads with the outcome, control, shape (cells,).
        n_control: leads of control, shape (cells,).
        size: all leads of the cell, other arms included, shape (cells,).
    """

    events_treated: Ints
    n_treated: Ints
    events_control: Ints
    n_control: Ints
    size: Ints


def merge_cells(cell: Any, arm: Any, unit: Any) -> Ints:
    """Cell codes after small cells joined a neighbour: 0, 1, ... in the order of `cell`.

    Args:
        cell: cell codes, shape (n,).
        arm: 1 treated, 0 control, other codes for other arms (they don't count), shape (n,).
        unit: unit codes, shape (n,).

    Returns:
        Merged codes, shape (n,). If no set of neighbours holds two units of both arms, all rows are one cell.

    Raises:
        DataError: lengths differ, or a code that is not a whole number.

    Examples:
        >>> merge_cells([0, 0, 0, 0, 1, 1, 2, 2, 2, 2], [0, 0, 1, 1, 0, 1, 0, 0, 1, 1], range(10))
        array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    """
    where = "the cells"
    cell, arm, unit = codes(where, "cell", cell), codes(where, "arm", arm), codes(where, "unit", unit)
    check_lengths(where, cell=cell, arm=arm, unit=unit)
    names, position = np.unique(cell, return_inverse=True)
    return joined([some_units(position[arm == a], unit[arm == a], names.size) for a in (0, 1)])[position]


def merge_strata(stratum: Any, unit: Any) -> Ints:
    """Stratum codes after strata with fewer than two units joined a neighbour, by the same rule.

    Args:
        stratum: stratum codes, shape (n,).
        unit: unit codes, shape (n,).

    Returns:
        Merged codes, shape (n,).

    Examples:
        >>> merge_strata([5, 5, 7, 9, 9], [0, 1, 2, 3, 4])
        array([0, 0, 1, 1, 1])
    """
    where = "the strata"
    stratum, unit = codes(where, "stratum", stratum), codes(where, "unit", unit)
    check_lengths(where, stratum=stratum, unit=unit)
    names, position = np.unique(stratum, return_inverse=True)
    return joined([some_units(position, unit, names.size)])[position]


def some_units(group: Ints, unit: Ints, groups: int) -> list[set[int]]:
    """Two different units of each group if it has two, else what it has.

    That is enough to count to two over several groups, and to see a unit that is in more than one of them.
    """
    lowest, highest = np.full(groups, np.iinfo(np.int64).max), np.full(groups, np.iinfo(np.int64).min)
    np.minimum.at(lowest, group, unit)
    np.maximum.at(highest, group, unit)
    return [{a, b} if a <= b else set() for a, b in zip(lowest.tolist(), highest.tolist(), strict=True)]


def joined(units_by_arm: list[list[set[int]]]) -> Ints:
    """New codes of groups in order, from `some_units` of each arm."""
    target = np.zeros(len(units_by_arm[0]), dtype=np.int64)
    current = 0
    held: list[set[int]] = [set() for _ in units_by_arm]
    for k, found in enumerate(zip(*units_by_arm, strict=True)):
        target[k] = current
        held = [before | units for before, units in zip(held, found, strict=True)]
        if all(len(units) >= MIN_UNITS for units in held):
            current, held = current + 1, [set() for _ in units_by_arm]
    return np.minimum(target, max(current - 1, 0))


def cell_counts(y: Any, arm: Any, *, cell: Any, unit: Any, segment: Any = None) -> CellCounts:
    """Events and leads by arm and merged cell.

    Inside a merged cell leads count equally: unlike `difference_in_means`, counts hold no 1/e weights.

    Args:
        y: outcome, 0 or 1, shape (n,).
        arm: 1 treated, 0 control, other codes for other arms, shape (n,).
        cell: cell codes, shape (n,).
        unit: unit codes, shape (n,).
        segment: rows to use, booleans, shape (n,); None: all.

    Returns:
        The counts.

    Raises:
        DataError: an outcome other than 0 and 1, or lengths that differ.

    Examples:
        >>> counts = cell_counts([1, 0, 0, 0], [1, 1, 0, 0], cell=[0] * 4, unit=range(4))
        >>> int(counts.events_treated[0]), int(counts.n_control[0])
        (1, 2)
    """
    where = "the counts by cell"
    (outcome,) = finite_columns(where, y=y)
    mask = segment_mask(where, segment, outcome.size)
    if not np.isin(outcome, (0.0, 1.0)).all():
        raise stop(where, "binary", "`y` is 0 or 1", "other values", "use difference_in_means")
    outcome, taken = outcome[mask], codes(where, "arm", arm)[mask]
    merged = merge_cells(codes(where, "cell", cell)[mask], taken, codes(where, "unit", unit)[mask])
    cells = int(merged.max(initial=-1)) + 1

    def count(rows: Bools) -> Ints:
        return np.bincount(merged[rows], minlength=cells).astype(np.int64)

    treated, control, event = taken == 1, taken == 0, outcome == 1
    return CellCounts(
        events_treated=count(treated & event),
        n_treated=count(treated),
        events_control=count(control & event),
        n_control=count(control),
        size=count(np.ones_like(event)),
    )
