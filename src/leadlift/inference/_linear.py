"""Sums of cell means, linearised by unit: the one computation behind every effect and its error.

An effect is sum_k c_k ybar_k, with ybar_k the weighted mean of group k (an arm within a cell, or a stratum) and c_k
its signed share. Unit g's part is c_k sum_{i in g} w_i (y_i - ybar_k) / W_k. CR1 scales the variance of all parts by
J/(J-1). CR2 scales that of each by 1/(1 - w_g/W_k), which is exact for such saturated means, and comes with
Satterthwaite's degrees of freedom.

References: Bell, McCaffrey (2002); Pustejovsky, Tipton (2018); Liang, Zeger (1986).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from leadlift.inference._arrays import Floats, Ints, unit_sums


@dataclass(frozen=True)
class UnitParts:
    """The parts of units in group means, one row per (group, unit) pair that occurs.

    Attributes:
        group: code of the group, shape (pairs,).
        unit: code of the unit, shape (pairs,).
        part: the unit's linearised part of the effect, shape (pairs,), outcome units.
        leverage: the unit's share of the group's weight, w_g / W, shape (pairs,).
        means: the groups' weighted means, shape (groups,), outcome units.
        rows: rows per group, shape (groups,).
        total: weight per group, shape (groups,).
        coefficient: the groups' signed shares, shape (groups,).
    """

    group: Ints
    unit: Ints
    part: Floats
    leverage: Floats
    means: Floats
    rows: Ints
    total: Floats
    coefficient: Floats

    @property
    def value(self) -> float:
        """The effect, outcome units."""
        return float(self.coefficient @ self.means)


def linearise(y: Floats, weight: Floats, group: Ints, unit: Ints, coefficient: Floats) -> UnitParts:
    """Group means and units' parts in their weighted sum.

    Args:
        y: outcome, shape (n,), outcome units.
        weight: positive weights, shape (n,); only their ratios within a group matter.
        group: codes 0 ... groups - 1, shape (n,); every group has rows.
        unit: unit codes, shape (n,).
        coefficient: signed share of each group, shape (groups,).

    Returns:
        The parts, by (group, unit).
    """
    groups = coefficient.size
    order = np.lexsort((weight, y, unit, group))
    y, weight, group, unit = y[order], weight[order], group[order], unit[order]
    total = np.bincount(group, weights=weight, minlength=groups).astype(np.float64)
    means = np.bincount(group, weights=weight * y, minlength=groups) / total
    first = np.flatnonzero(np.r_[True, (np.diff(group) != 0) | (np.diff(unit) != 0)])
    pair_group = group[first]
    pair_weight = np.add.reduceat(weight, first)
    residual = np.add.reduceat(weight * (y - means[group]), first)
    return UnitParts(
        group=pair_group,
        unit=unit[first],
        part=coefficient[pair_group] * residual / total[pair_group],
        leverage=pair_weight / total[pair_group],
        means=means,
        rows=np.bincount(group, minlength=groups).astype(np.int64),
        total=total,
        coefficient=coefficient,
    )


def cr1_influence(parts: UnitParts, n_units: int) -> tuple[Floats, float]:
    """Units' influence with CR1's scale, shape (n_units,), and J - 1."""
    present = np.unique(parts.unit).size
    scale = np.sqrt(present / (present - 1))
    return unit_sums(scale * parts.part, parts.unit, n_units), float(present - 1)


def cr2_influence(parts: UnitParts, n_units: int) -> tuple[Floats, float]:
    """Units' influence with CR2's scale, shape (n_units,), and Satterthwaite's degrees of freedom."""
    scale = 1 / np.sqrt(1 - parts.leverage)
    influence = unit_sums(scale * parts.part, parts.unit, n_units)
    return influence, satterthwaite_df(parts)


def satterthwaite_df(parts: UnitParts) -> float:
    """Bell and McCaffrey's degrees of freedom of the CR2 variance, under independent errors of one variance.

    The influences' covariance is M = D - U U', D diagonal over units and U units x groups, so that
    df = (tr M)^2 / tr M^2 needs no units x units matrix. A unit may be in several groups.
    """
    c, h = parts.coefficient[parts.group], parts.leverage
    weight = 1 / (parts.rows[parts.group] * (1 - h))
    _, unit = np.unique(parts.unit, return_inverse=True)
    diagonal = np.bincount(unit, weights=c**2 * h * weight)
    loading = sparse.csr_array((c * h * np.sqrt(weight), (unit, parts.group)))
    squared = np.bincount(unit, weights=c**2 * h**2 * weight)
    trace = diagonal.sum() - squared.sum()
    trace_of_square = (diagonal**2).sum() - 2 * (diagonal * squared).sum() + ((loading.T @ loading) ** 2).sum()
    return float(trace**2 / trace_of_square)
