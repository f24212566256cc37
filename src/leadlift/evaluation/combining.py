"""One number, with its interval, of what several blocks of organisations showed; or several numbers with covariances.

References: Wager (2024), Sequential validation of treatment heterogeneity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from leadlift.base.arrays import Floats
from leadlift.evaluation.judging import JudgedBlock, Measure, degrees_of_freedom
from leadlift.inference import Sequential, combine

LEVEL = 0.95


def combined(
    blocks: Sequence[JudgedBlock], arm: str, measure: Callable[[JudgedBlock], tuple[float, float]]
) -> Sequential:
    """One number of all blocks that can judge an arm, with its interval.

    Args:
        blocks: as judged.
        arm: the arm against control.
        measure: from a block to a value and its standard error; NaN or an error of 0 where it has none.

    Returns: sum(A_k/s_k)/sum(1/s_k), t with the blocks' degrees of freedom together; `blocks_used` 0 where none is
    left.
    """
    judging = [block for block in blocks if block.judges(arm)]
    found = [measure(block) for block in judging]
    df = [degrees_of_freedom(block.units[arm]) for block in judging]
    return combine([value for value, _ in found], [se for _, se in found], df, LEVEL)


@dataclass(frozen=True, eq=False)
class Jointly:
    """Several measures of the same blocks.

    Attributes:
        values: shape (M,), each as `combined` gives it; NaN where no block has it.
        covariance: shape (M, M).
        df: degrees of freedom.
    """

    values: Floats
    covariance: Floats
    df: float


def combined_jointly(
    blocks: Sequence[JudgedBlock], arm: str, measures: Sequence[Callable[[JudgedBlock], Measure]]
) -> Jointly:
    """Measures as `combined`, with the covariances between them.

    Args:
        blocks: as judged.
        arm: the arm against control.
        measures: from a block to a value with its influence.
    """
    judging = [block for block in blocks if block.judges(arm)]
    found = [[measure(block) for measure in measures] for block in judging]
    if not found or not measures:
        return Jointly(np.full(len(measures), np.nan), np.full((len(measures),) * 2, np.nan), np.nan)
    value = np.array([[m.value for m in row] for row in found])
    error = np.array([[m.se for m in row] for row in found])
    used = np.isfinite(value) & np.isfinite(error) & (error > 0)
    weight = np.divide(1.0, error, out=np.zeros_like(error), where=used)
    total = weight.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = weight / total
    covariance = np.zeros((len(measures),) * 2)
    for row, weights in zip(found, weight, strict=True):
        parts = np.vstack(
            [w * m.influence if w > 0 else np.zeros_like(m.influence) for m, w in zip(row, weights, strict=True)]
        )
        covariance += parts @ parts.T
    values = np.where(used, weight * np.where(used, value, 0.0), 0.0).sum(axis=0)
    missing = ~used.any(axis=0)
    values[missing] = np.nan
    covariance[missing, :] = covariance[:, missing] = np.nan
    return Jointly(values, covariance, sum(degrees_of_freedom(block.units[arm]) for block in judging))
