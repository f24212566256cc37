"""Uplift among the leads ranked highest, and by bin of a ranking: plain means of the arms, as scikit-uplift has them.

Two ways of reading "the first k": `overall` cuts the list of all leads, which is what a team that touches the first k
would see; `by_group` cuts each arm's list by itself, which keeps the arms' shares. A lead that ties with the cut
counts in part, so that the order of rows means nothing (scikit-uplift's follows it there).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from leadlift.base.arrays import Bools, Floats
from leadlift.base.problems import did_you_mean, stop
from leadlift.base.record import Record
from leadlift.evaluation.metric_inputs import MetricInputs, metric_inputs

Strategy = Literal["overall", "by_group"]


@dataclass(frozen=True)
class RankBin(Record):
    """Leads of one stretch of a ranking, highest first.

    Attributes:
        bin: 1 is the highest.
        n_treatment, n_control: leads of each arm; not whole where a tie is cut.
        treatment_mean, control_mean: their mean outcomes, outcome units.
        uplift: the difference, outcome units per lead.
    """

    bin: int
    n_treatment: float
    n_control: float
    treatment_mean: float
    control_mean: float
    uplift: float


def uplift_at_k(
    y: Any,
    uplift: Any,
    treatment: Any,
    *,
    k: float,
    strategy: Strategy = "overall",
    propensity: Any = None,
    sample_weight: Any = None,
) -> float:
    """Uplift among the first k leads of a ranking: treated mean less control mean.

    Args:
        y: outcome, shape (n,), outcome units.
        uplift: what leads are ranked by, highest first, shape (n,).
        treatment: 1 treated, 0 control, shape (n,).
        k: a share inside (0, 1], of which the whole leads count, or a whole number of leads.
        strategy: `overall`, the first k of all leads; `by_group`, the first k of each arm.
        propensity: P(treatment = 1) by design; where leads differ, each counts with one over that of its arm.
        sample_weight: positive weights, shape (n,); None: all equal. k is then a share of the weight, or an amount of
            it with mean 1 a lead, and a lead at the cut counts in part.

    Returns:
        Outcome units per lead.

    Raises:
        DataError: no lead of some arm among the first k, a k that isn't one, another strategy, or as `qini_score`.
        PropensityError: a propensity outside (0, 1).

    References:
        scikit-uplift 0.5.1, `uplift_at_k`.

    Examples:
        >>> uplift_at_k([1, 0, 1, 0], [0.4, 0.3, 0.2, 0.1], [1, 0, 0, 1], k=0.5)
        1.0
        >>> uplift_at_k([1, 0, 1, 0], [0.4, 0.4, 0.4, 0.1], [1, 0, 0, 1], k=2)
        0.5
    """
    where = "`uplift_at_k`"
    inputs = _inputs(where, y, uplift, treatment, propensity, sample_weight, strategy)
    counts = [_first(inputs, k, size) for size in _sizes(inputs, strategy)]
    return _bin(inputs, 1, [(0, count) for count in counts], strategy).uplift


def uplift_by_bin(
    y: Any,
    uplift: Any,
    treatment: Any,
    *,
    bins: int,
    strategy: Strategy = "overall",
    propensity: Any = None,
    sample_weight: Any = None,
) -> tuple[RankBin, ...]:
    """Uplift along a ranking cut into bins of equal size, highest first. A description: for intervals see `gain_band`.

    Args:
        y: outcome, shape (n,), outcome units.
        uplift: what leads are ranked by, shape (n,).
        treatment: 1 treated, 0 control, shape (n,).
        bins: how many; the first ones hold a lead more where the leads don't divide.
        strategy: as `uplift_at_k`.
        propensity: as `uplift_at_k`.
        sample_weight: as `uplift_at_k`; bins are then of equal weight.

    Raises:
        DataError: a bin without leads of some arm, or as `uplift_at_k`.
        PropensityError: a propensity outside (0, 1).

    Examples:
        >>> [row.uplift for row in uplift_by_bin([1, 0, 1, 0], [4, 3, 2, 1], [1, 0, 0, 1], bins=2)]
        [1.0, -1.0]
    """
    where = "`uplift_by_bin`"
    inputs = _inputs(where, y, uplift, treatment, propensity, sample_weight, strategy)
    sizes = _sizes(inputs, strategy)
    if not 1 <= bins <= min(sizes):
        found = f"{bins} bins for {min(sizes):,g} leads"
        raise stop(where, "bins", "every bin holds leads", found, "ask for fewer bins")
    edges = [_edges(size, bins, whole=inputs.weight is None) for size in sizes]
    return tuple(_bin(inputs, b + 1, [(edge[b], edge[b + 1]) for edge in edges], strategy) for b in range(bins))


def _inputs(
    where: str, y: Any, uplift: Any, treatment: Any, propensity: Any, sample_weight: Any, strategy: Any
) -> MetricInputs:
    if strategy not in get_args(Strategy):
        found = f"`{strategy}`: {did_you_mean(str(strategy), get_args(Strategy))}"
        raise stop(where, "strategy", "`strategy` is `overall` or `by_group`", found, "choose one")
    return metric_inputs(where, y, uplift, treatment, propensity=propensity, sample_weight=sample_weight)


def _sizes(inputs: MetricInputs, strategy: Strategy) -> list[float]:
    """The weight of each list that is cut: number of leads where none is given."""
    each = [inputs.weight_by_lead] if strategy == "overall" else [inputs.weight_by_lead[arm] for arm in _arms(inputs)]
    return [float(np.sort(weight).sum()) for weight in each]


def _arms(inputs: MetricInputs) -> tuple[Bools, Bools]:
    return inputs.treated, ~inputs.treated


def _first(inputs: MetricInputs, k: float, size: float) -> float:
    share = isinstance(k, float | np.floating)
    count = k * size if share else float(k)
    if inputs.weight is None:
        # 0.29 of 100 leads is 29, whatever 0.29 is in binary.
        count = float(np.floor(count + 1e-9))
    if (share and k > 1) or not 0 < count <= size:
        rule = "`k` is a share inside (0, 1] or a whole number of leads"
        raise stop(inputs.where, "k", rule, f"{k:g} of {size:,g} leads", "0.3 is the highest 30%")
    return count


def _edges(size: float, bins: int, *, whole: bool) -> list[float]:
    """Where bins start and end, from 0 to `size`; whole leads where they have no weights."""
    if not whole:
        return [float(edge) for edge in np.linspace(0, size, bins + 1)]
    parts = np.array_split(np.arange(int(size)), bins)
    return [0.0, *np.cumsum([len(part) for part in parts]).astype(np.float64).tolist()]


def _bin(inputs: MetricInputs, number: int, cuts: list[tuple[float, float]], strategy: Strategy) -> RankBin:
    if strategy == "overall":
        inside = _inside(inputs.uplift, inputs.weight_by_lead, *cuts[0])
        parts = [np.where(arm, inside, 0.0) for arm in _arms(inputs)]
    else:
        parts = [_within(inputs, arm, cut) for arm, cut in zip(_arms(inputs), cuts, strict=True)]
    # Sorted, here and in `_mean`, so that the order of rows changes no bit.
    counts = [float(np.sort(part).sum()) for part in parts]
    if min(counts) == 0:
        rule = "leads of both arms are among those counted"
        found = f"{counts[0]:g} treated and {counts[1]:g} control leads of bin {number}"
        raise stop(inputs.where, "empty-arm", rule, found, 'take more leads, or strategy="by_group"')
    treated, control = (
        _mean(inputs.y, part / e)
        for part, e in zip(parts, (inputs.propensity_by_lead, 1 - inputs.propensity_by_lead), strict=True)
    )
    return RankBin(number, counts[0], counts[1], treated, control, treated - control)


def _mean(y: Floats, weight: Floats) -> float:
    order = np.lexsort((weight, y))
    return float((weight * y)[order].sum() / np.sort(weight).sum())


def _within(inputs: MetricInputs, arm: Bools, cut: tuple[float, float]) -> Floats:
    part = np.zeros(inputs.y.size)
    part[arm] = _inside(inputs.uplift[arm], inputs.weight_by_lead[arm], *cut)
    return part


def _inside(priority: Floats, weight: Floats, start: float, end: float) -> Floats:
    """How much of each lead's weight lies from start to end of the ranking: all, none, or the share of its tie."""
    order = np.lexsort((weight, -priority))
    values, group = np.unique(-priority[order], return_inverse=True)
    size = np.bincount(group.reshape(-1), weights=weight[order], minlength=values.size)
    after = np.cumsum(size)
    shared = np.clip(np.minimum(after, end) - np.maximum(after - size, start), 0, None) / size
    inside = np.zeros(priority.size)
    inside[order] = shared[group.reshape(-1)]
    return inside * weight
