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
from scipy import stats

from leadlift.base.problems import stop
from leadlift.inference._arrays import Floats, check_lengths, unit_codes
from leadlift.inference.ranks import RankArea

# Weights held at once: 16 MB, whatever the log's size.
AT_ONCE = 4_000_000
LEVELS = 1 << 16


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
    influence = _by_unit(areas, unit, n_units)
    values = np.array([area.value for area in areas])
    scale = np.abs(influence).max(axis=0, initial=0.0)
    scale[scale == 0] = 1.0
    # Single precision is a millionth of the spread; scaled, so that any unit of the outcome fits.
    parts = (influence / scale).astype(np.float32)
    counts = _poisson_table()
    step = max(1, AT_ONCE // max(n_units, 1))
    drawn = [_weights(min(step, draws - k), n_units, counts, rng) @ parts for k in range(0, draws, step)]
    resampled: Floats = values + np.concatenate(drawn).astype(np.float64) * scale
    return resampled


def _by_unit(areas: Sequence[RankArea], unit: Any, n_units: int) -> Floats:
    """As `unit_influence` but for the last bits, which draws don't need: no sorting, shape (n_units, rankings)."""
    units = unit_codes("resamples", unit, n_units)
    check_lengths("resamples", unit=units, **{f"area {k}": area.influence for k, area in enumerate(areas)})
    present = int((np.bincount(units, minlength=n_units) > 0).sum())
    scale = np.sqrt(present / (present - 1)) / units.size if present > 1 else np.nan
    summed: Floats = np.column_stack([np.bincount(units, weights=a.influence, minlength=n_units) for a in areas])
    return summed * scale


def _weights(draws: int, n_units: int, counts: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Poisson(1) counts less 1, shape (draws, n_units), single precision; four from each 64 random bits."""
    words = rng.integers(0, 1 << 64, size=-(-draws * n_units // 4), dtype=np.uint64)
    drawn: np.ndarray[Any, Any] = counts[words.view(np.uint16)[: draws * n_units]].reshape(draws, n_units)
    return drawn


def _poisson_table() -> np.ndarray[Any, Any]:
    """Counts less 1 at 65,536 even steps of probability, with mean 0 and variance 1 exactly."""
    counts: Floats = stats.poisson.ppf((np.arange(LEVELS) + 0.5) / LEVELS, 1.0)
    table: np.ndarray[Any, Any] = ((counts - counts.mean()) / counts.std()).astype(np.float32)
    return table
