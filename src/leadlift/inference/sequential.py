"""Sequential validation: what a fitted model orders is judged on organisations that no model had seen.

Organisations come in random order. The first part only trains; each later block is ranked by models fitted on all
earlier organisations. Given those, a block's t statistic is about standard normal if the ranking is worthless, whatever
the earlier blocks showed, so that the blocks' t statistics add up as independent ones do.

References: Wager (2024), Sequential validation of treatment heterogeneity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from leadlift.base.problems import stop
from leadlift.base.record import Record
from leadlift.inference._arrays import Ints, check_lengths, checked_level, codes
from leadlift.inference.intervals import p_value, t_interval

UNITS_PER_BLOCK = 10


@dataclass(frozen=True)
class Block:
    """One block to be judged: fit on `train_units`, rank and score the leads of `block_units`.

    Attributes:
        train_units: unit codes that come earlier in the order.
        block_units: unit codes of the block.
    """

    train_units: Ints
    block_units: Ints


@dataclass(frozen=True)
class Sequential(Record):
    """The combined estimate over blocks.

    Attributes:
        value: estimate, in the units of the blocks' values; NaN if no block is left.
        se: its standard error.
        lower: lower end of the interval.
        upper: upper end of the interval.
        p_value: two-sided, of 0.
        blocks_used: blocks that count; the others had a constant ranking, no error, or too few organisations.
    """

    value: float
    se: float
    lower: float
    upper: float
    p_value: float
    blocks_used: int


def unit_permutation(n_units: int, rng: np.random.Generator) -> Ints:
    """A random order of the units 0 ... n_units - 1, shape (n_units,).

    Examples:
        >>> sorted(unit_permutation(3, np.random.default_rng(1)).tolist())
        [0, 1, 2]
    """
    return rng.permutation(n_units).astype(np.int64)


def sequential_blocks(unit_order: Any, *, blocks: int = 4, train_share: float = 0.5) -> list[Block]:
    """Cuts an order of units into blocks, each with all earlier units to train on.

    Args:
        unit_order: units in random order, each once, shape (J,).
        blocks: how many blocks are judged, at least 1.
        train_share: the share of units, first in order, that only train, inside (0, 1).

    Returns:
        The blocks, in order. Their sizes differ by at most one; with few units some may be empty.

    Raises:
        DataError: a unit comes twice, no blocks, or a share outside (0, 1).

    Examples:
        >>> [(b.train_units.tolist(), b.block_units.tolist()) for b in sequential_blocks([2, 0, 3, 1], blocks=2)]
        [([2, 0], [3]), ([2, 0, 3], [1])]
    """
    order = codes("sequential blocks", "unit_order", unit_order)
    if np.unique(order).size != order.size or blocks < 1 or not 0 < train_share < 1:
        rule = "each unit comes once, there is a block, and `train_share` lies inside (0, 1)"
        found = f"{order.size:,} units, {blocks} blocks, train_share {train_share:g}"
        raise stop("sequential blocks", "blocks", rule, found, "use unit_permutation for the order")
    first = round(order.size * train_share)
    cuts = first + np.round(np.arange(blocks + 1) * (order.size - first) / blocks).astype(np.int64)
    return [Block(order[: cuts[k]], order[cuts[k] : cuts[k + 1]]) for k in range(blocks)]


def combine(values: Any, ses: Any, df: Any = None, level: float = 0.95, *, units: Any = None) -> Sequential:
    """Combines blocks: sum(A_k/s_k) / sum(1/s_k), with standard error sqrt(K) / sum(1/s_k).

    A block whose ranking is constant has no error (NaN or 0): it is dropped, and not counted in `blocks_used`.

    Args:
        values: one estimate per block, A_k, shape (K,), outcome units.
        ses: their standard errors, s_k, shape (K,).
        df: degrees of freedom, a number or one per block; the combined t statistic is given t with their sum over
            the blocks used. None: normal.
        level: confidence, inside (0, 1).
        units: units per block, shape (K,); blocks with fewer than 10 are dropped. None: not checked.

    Returns:
        The combined estimate; NaN with blocks_used 0 if no block is left, never a significant one.

    Raises:
        DataError: lengths differ, or a level outside (0, 1).

    References:
        Wager (2024).

    Examples:
        >>> result = combine([2.0, 1.0, 0.0], [1.0, 0.5, 0.0])
        >>> round(result.value, 4), round(result.se, 4), result.blocks_used
        (1.3333, 0.4714, 2)
    """
    checked_level(level)
    a, s = np.asarray(values, dtype=np.float64), np.asarray(ses, dtype=np.float64)
    check_lengths("sequential blocks", values=a, ses=s)
    used = np.isfinite(a) & np.isfinite(s) & (s > 0)
    if units is not None:
        counts = np.asarray(units, dtype=np.float64)
        check_lengths("sequential blocks", values=a, units=counts)
        used &= counts >= UNITS_PER_BLOCK
    if not used.any():
        nan = float("nan")
        return Sequential(nan, nan, nan, nan, nan, 0)
    precision = 1 / s[used]
    value = float((a[used] * precision).sum() / precision.sum())
    se = float(np.sqrt(precision.size) / precision.sum())
    total_df = _total_df(df, used)
    interval = t_interval(value, se, total_df, level)
    return Sequential(value, se, interval.lower, interval.upper, p_value(value, se, total_df), int(used.sum()))


def _total_df(df: Any, used: Any) -> float:
    if df is None:
        return float("inf")
    return float(np.broadcast_to(np.asarray(df, dtype=np.float64), used.shape)[used].sum())
