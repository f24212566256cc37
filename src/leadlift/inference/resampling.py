"""Resamples of areas by organisation, fast enough for a thousand of many rankings.

Each organisation is drawn a Poisson(1) number of times, which is the bootstrap without its fixed total. A resampled
area is the area plus what the drawn organisations add through their influence: the area is a smooth function of the
weights, and its influence holds the part due to estimated ranks, so that nothing is sorted again. What is left out is
of order 1/J beside a spread of order 1/sqrt(J).

References: Hanley, MacGibbon (2006), Poisson bootstrap; van der Vaart, Wellner (1996), 3.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from leadlift.base.problems import stop
from leadlift.inference._arrays import Floats, Ints, check_lengths, unit_codes
from leadlift.inference.ranks import RankArea

# Counts drawn at once: few enough to stay in a processor's cache, however large the log.
AT_ONCE, DRAWS_AT_ONCE = 1 << 18, 1_000
# A byte at or above the k-th step counts k: Poisson(1) to the nearest 256th of probability.
STEPS = (94, 188, 235, 251, 255)
# Whole numbers up to 2^53 are exact in a float; one bit is left to spare.
EXACT_BITS = 52


def resample_areas(
    areas: Sequence[RankArea], unit: Any, n_units: int, *, draws: int, rng: np.random.Generator
) -> Floats:
    """Draws of the areas of one log's rankings, all from the same resampled organisations.

    Differences between columns are paired: they are resampled differences.

    Args:
        areas: of rankings of the same leads, each with influence of shape (n,).
        unit: unit codes 0 ... n_units - 1, shape (n,).
        n_units: number of units in the whole log, J.
        draws: how many resamples, at least 1.
        rng: source of the draws.

    Returns:
        Shape (draws, rankings), outcome units per lead. Their spread is `area_se`.

    Raises:
        DataError: no areas, no draws, lengths that differ, or a code out of range.

    Examples:
        >>> area = RankArea(1.0, np.array([2.0, 0.0, -2.0, 0.0]))
        >>> drawn = resample_areas([area, area], [0, 0, 1, 1], 2, draws=4_000, rng=np.random.default_rng(1))
        >>> drawn.shape, round(float(drawn.mean()), 1), round(float(drawn.std()), 1)
        ((4000, 2), 1.0, 1.0)
    """
    if not areas or draws < 1:
        found = f"{len(areas)} areas, {draws} draws"
        raise stop("resamples", "draws", "there are areas and draws", found, "ask for one or more of both")
    units = unit_codes("resamples", unit, n_units)
    check_lengths("resamples", unit=units, **{f"area {k}": area.influence for k, area in enumerate(areas)})
    parts, grain = _whole_parts(areas, units, n_units)
    present = int((np.bincount(units, minlength=n_units) > 0).sum())
    scale = np.sqrt(present / (present - 1)) / units.size if present > 1 else np.nan
    drawn = [_drawn(parts, min(DRAWS_AT_ONCE, draws - k), rng) for k in range(0, draws, DRAWS_AT_ONCE)]
    values = np.array([area.value for area in areas])
    resampled: Floats = values + np.concatenate(drawn) * (grain * scale)
    return resampled


def _whole_parts(areas: Sequence[RankArea], unit: Ints, n_units: int) -> tuple[Floats, Floats]:
    """Units' influences in whole grains, shape (n_units, rankings), and the grain of each ranking.

    Sums of whole numbers are exact: no order of rows, and no number of threads, changes a bit.
    """
    bits = EXACT_BITS - int(np.ceil(np.log2(max(unit.size, 1) * len(STEPS))))
    largest = np.array([np.abs(area.influence).max(initial=0.0) for area in areas])
    grain = np.where(largest > 0, largest, 1.0) / 2.0**bits
    parts = [
        np.bincount(unit, weights=np.rint(area.influence / g), minlength=n_units)
        for area, g in zip(areas, grain, strict=True)
    ]
    return np.column_stack(parts), grain


def _drawn(parts: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """What drawn units add: their parts times their counts, standardised, shape (draws, rankings)."""
    at_once = max(1, AT_ONCE // draws)
    added = np.zeros((draws, parts.shape[1]))
    for start in range(0, len(parts), at_once):
        some = parts[start : start + at_once]
        added += _counts(draws, len(some), rng) @ some
    counts = np.searchsorted(STEPS, np.arange(256), side="right")
    drawn: Floats = (added - counts.mean() * parts.sum(axis=0)) / counts.std()
    return drawn


def _counts(draws: int, n_units: int, rng: np.random.Generator) -> Floats:
    """Poisson(1) counts, shape (draws, n_units), one from each 8 random bits."""
    words = rng.integers(0, 1 << 64, size=-(-draws * n_units // 8), dtype=np.uint64)
    levels = words.view(np.uint8)[: draws * n_units]
    counts = np.zeros(levels.size, dtype=np.uint8)
    for step in STEPS:
        # Comparing is many times faster than looking counts up in a table.
        counts += (levels >= step).view(np.uint8)
    return counts.astype(np.float64).reshape(draws, n_units)
