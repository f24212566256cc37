"""Effects with their errors: difference in means, means of per-lead scores, means over organisations.

Every estimate carries the influence of each unit, scaled so that variances and covariances are plain sums of products
over units: se^2 = sum_j infl_j^2, and cov(a, b) = sum_j infl_a,j infl_b,j for any two estimates on the same units.

Fewer than 10 units in an arm: no error is given. Fewer than 40, or fewer than 20 units per mean on average: CR2 with
Satterthwaite's degrees of freedom. Else CR1 and t with J - 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from leadlift.base.problems import stop
from leadlift.base.record import Record
from leadlift.base.records import IntervalMethod
from leadlift.inference._arrays import (
    Floats,
    Ints,
    check_lengths,
    check_propensities,
    codes,
    finite_columns,
    segment_mask,
    unit_codes,
)
from leadlift.inference._linear import UnitParts, cr1_influence, cr2_influence, linearise
from leadlift.inference.cells import merge_cells

UNITS_FOR_AN_ERROR = 10
UNITS_FOR_CR1 = 40
UNITS_PER_MEAN = 20


@dataclass(frozen=True)
class Estimate(Record):
    """A number with its error, and each unit's part in it.

    Attributes:
        value: the estimate, outcome units; NaN if an arm has no lead.
        influence: each unit's scaled influence, shape (J,), 0 for units not used; all NaN if no error is given.
        n_units: units used.
        df: degrees of freedom of t; NaN if no error is given.
        se: standard error, outcome units; NaN if an arm has fewer than 10 units.
        method: `t` (CR1), `satterthwaite` (CR2), or `none`.
    """

    value: float
    influence: Floats
    n_units: int
    df: float
    se: float
    method: IntervalMethod = "t"


@dataclass(frozen=True)
class MeansDifference(Record):
    """A difference in means and the two means that it is made of.

    Attributes:
        estimate: treatment_mean - control_mean, outcome units.
        treatment_mean: mean under treatment, cells weighted by size, outcome units.
        control_mean: mean under control, likewise.
        n_treatment: leads (or organisations) in the treated arm.
        n_control: leads (or organisations) in control.
    """

    estimate: Estimate
    treatment_mean: float
    control_mean: float
    n_treatment: int
    n_control: int


def difference_in_means(
    y: Any,
    arm: Any,
    *,
    propensity_treated: Any,
    propensity_control: Any,
    cell: Any,
    unit: Any,
    n_units: int,
    segment: Any = None,
    weights: Any = None,
) -> MeansDifference:
    """Hajek's difference in means: 1/e-weighted means within cells, combined by cell size.

    A cell's size counts all its leads in the segment, those of other arms too, and is taken as given. Cells with fewer
    than two units in an arm join a neighbour (`cells`); there the 1/e weights keep the means right. Errors are
    linearised by unit.

    Args:
        y: outcome, shape (n,), outcome units.
        arm: 1 treated, 0 control, other codes for other arms, shape (n,).
        propensity_treated: P(treated arm) by design, shape (n,), inside (0, 1).
        propensity_control: P(control) by design, shape (n,), inside (0, 1).
        cell: codes of propensity x stratum x round, shape (n,).
        unit: unit (organisation) codes 0 ... n_units - 1, shape (n,).
        n_units: number of units in the whole log, J.
        segment: rows to use, booleans, shape (n,); None: all.
        weights: positive sample weights, shape (n,): how many leads each stands for; None: all equal.

    Returns:
        The difference, the means and the numbers of leads.

    Raises:
        PropensityError: a propensity outside (0, 1).
        DataError: lengths differ, a value is missing, or a code is out of range.

    References:
        Hajek (1971); Bell, McCaffrey (2002); Pustejovsky, Tipton (2018).

    Examples:
        >>> n = 80
        >>> y, arm = np.arange(n) % 4 == 1, np.arange(n) % 2
        >>> half = np.full(n, 0.5)
        >>> result = difference_in_means(y, arm, propensity_treated=half, propensity_control=half,
        ...     cell=np.zeros(n), unit=np.arange(n), n_units=n)
        >>> result.estimate.value, round(result.estimate.se, 4), result.estimate.df
        (0.5, 0.0796, 79.0)
    """
    where = "a difference in means"
    equal = np.ones(np.shape(y)) if weights is None else weights
    outcome, e_1, e_0, size = finite_columns(
        where, y=y, propensity_treated=propensity_treated, propensity_control=propensity_control, weights=equal
    )
    check_propensities(where, propensity_treated=e_1, propensity_control=e_0)
    mask = segment_mask(where, segment, outcome.size)
    taken, place, units = codes(where, "arm", arm), codes(where, "cell", cell), unit_codes(where, unit, n_units)
    check_lengths(where, y=outcome, arm=taken, cell=place, unit=units)
    inverse = 1 / np.where(taken == 1, e_1, e_0)
    rows = (outcome[mask], taken[mask], inverse[mask], size[mask], place[mask], units[mask])
    return _arm_means(*rows, n_units, cr2=False)


def _arm_means(
    y: Floats, arm: Ints, inverse: Floats, size: Floats, cell: Ints, unit: Ints, n_units: int, *, cr2: bool
) -> MeansDifference:
    used = (arm == 0) | (arm == 1)
    n_treatment, n_control = int((arm == 1).sum()), int((arm == 0).sum())
    units = [np.unique(unit[arm == a]).size for a in (0, 1)]
    if not n_treatment or not n_control:
        nothing = Estimate(np.nan, np.full(n_units, np.nan), int(np.unique(unit[used]).size), np.nan, np.nan, "none")
        return MeansDifference(nothing, np.nan, np.nan, n_treatment, n_control)
    merged = merge_cells(cell, arm, unit)
    cell_share = np.bincount(merged, weights=size) / size.sum()
    signed = np.concatenate([-cell_share, cell_share])
    group = arm[used] * cell_share.size + merged[used]
    parts = linearise(y[used], (inverse * size)[used], group, unit[used], signed)
    control, treated = parts.means[: cell_share.size], parts.means[cell_share.size :]
    mean_1, mean_0 = float(cell_share @ treated), float(cell_share @ control)
    estimate = replace(estimate_from_parts(parts, n_units, min(units), cr2=cr2), value=mean_1 - mean_0)
    return MeansDifference(estimate, mean_1, mean_0, n_treatment, n_control)


def estimate_from_parts(parts: UnitParts, n_units: int, smaller_arm: int, *, cr2: bool = False) -> Estimate:
    """The estimate of linearised means, with the error that the number of units allows.

    Args:
        parts: units' linearised parts.
        n_units: number of units in the whole log, J.
        smaller_arm: units in the smaller arm.
        cr2: use CR2 whatever the number of units.

    Returns:
        The estimate; without an error if the smaller arm has fewer than 10 units.
    """
    present = int(np.unique(parts.unit).size)
    if smaller_arm < UNITS_FOR_AN_ERROR:
        return Estimate(parts.value, np.full(n_units, np.nan), present, np.nan, np.nan, "none")
    few = cr2 or smaller_arm < UNITS_FOR_CR1 or parts.unit.size < UNITS_PER_MEAN * parts.coefficient.size
    influence, df = cr2_influence(parts, n_units) if few else cr1_influence(parts, n_units)
    se = float(np.sqrt((influence**2).sum()))
    return Estimate(parts.value, influence, present, df, se, "satterthwaite" if few else "t")


def organisation_means(
    y: Any,
    arm: Any,
    *,
    propensity_treated: Any,
    propensity_control: Any,
    cell: Any,
    unit: Any,
    n_units: int,
    segment: Any = None,
) -> MeansDifference:
    """The difference per organisation: each organisation's mean outcome counts once (once per cell it is in).

    For logs in which all leads of an organisation have one arm. Otherwise as `difference_in_means`, with organisations
    in the place of leads. Errors are CR2 throughout, which here is Welch's two-sample error.

    Args:
        y: outcome, shape (n,), outcome units.
        arm: 1 treated, 0 control, other codes for other arms, shape (n,).
        propensity_treated: P(treated arm) by design, shape (n,), inside (0, 1), one per organisation and cell.
        propensity_control: P(control) by design, likewise.
        cell: codes of propensity x stratum x round, shape (n,).
        unit: organisation codes 0 ... n_units - 1, shape (n,).
        n_units: number of organisations in the whole log, J.
        segment: rows to use, booleans, shape (n,); None: all.

    Returns:
        The difference, the means and the numbers of organisations.

    Raises:
        PropensityError: a propensity outside (0, 1).
        DataError: leads of one organisation have different arms within a cell, or as `difference_in_means`.

    Examples:
        >>> n = 160
        >>> unit = np.arange(n) // 2
        >>> half = np.full(n, 0.5)
        >>> result = organisation_means(unit % 2, unit % 2, propensity_treated=half, propensity_control=half,
        ...     cell=np.zeros(n), unit=unit, n_units=80)
        >>> result.estimate.value, result.n_treatment
        (1.0, 40)
    """
    where = "means over organisations"
    outcome, e_1, e_0 = finite_columns(
        where, y=y, propensity_treated=propensity_treated, propensity_control=propensity_control
    )
    mask = segment_mask(where, segment, outcome.size)
    taken, place, units = codes(where, "arm", arm), codes(where, "cell", cell), unit_codes(where, unit, n_units)
    check_lengths(where, y=outcome, arm=taken, cell=place, unit=units)
    order = np.flatnonzero(mask)[np.lexsort((outcome[mask], place[mask], units[mask]))]
    _, first = np.unique(np.column_stack([units[order], place[order]]), axis=0, return_index=True)
    _one_arm_each(taken[order], first)
    rows = np.diff(np.r_[first, order.size])
    means = np.add.reduceat(outcome[order], first) / rows if first.size else outcome[:0]
    kept = order[first]
    check_propensities(where, propensity_treated=e_1[kept], propensity_control=e_0[kept])
    inverse = 1 / np.where(taken == 1, e_1, e_0)[kept]
    return _arm_means(means, taken[kept], inverse, np.ones(kept.size), place[kept], units[kept], n_units, cr2=True)


def _one_arm_each(arm: Ints, first: Ints) -> None:
    if not first.size:
        return
    mixed = int((np.minimum.reduceat(arm, first) != np.maximum.reduceat(arm, first)).sum())
    if mixed:
        rule, fix = "all leads of an organisation have one arm", "use difference_in_means"
        raise stop("means over organisations", "arm-switch", rule, f"{mixed:,} organisations differ", fix)
