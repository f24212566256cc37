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
    y: Any, uplift: Any, treatment: Any, *, k: float, strategy: Strategy = "overall", propensity: Any = None
) -> float:
    """Uplift among the first k leads of a ranking: treated mean less control mean.

    Args:
        y: outcome, shape (n,), outcome units.
        uplift: what leads are ranked by, highest first, shape (n,).
        treatment: 1 treated, 0 control, shape (n,).
        k: a share inside (0, 1], of which the whole leads count, or a whole number of leads.
        strategy: `overall`, the first k of all leads; `by_group`, the first k of each arm.
        propensity: P(treatment = 1) by design; where leads differ, each counts with one over that of its arm.

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
    inputs = _inputs(where, y, uplift, treatment, propensity, strategy)
    sizes = [inputs.y.size] if strategy == "overall" else [int(inputs.treated.sum()), int((~inputs.treated).sum())]
    counts = [_whole(where, k, size) for size in sizes]
    return _bin(inputs, 1, [(0, count) for count in counts], strategy).uplift


def uplift_by_bin(
    y: Any, uplift: Any, treatment: Any, *, bins: int, strategy: Strategy = "overall", propensity: Any = None
) -> tuple[RankBin, ...]:
    """Uplift along a ranking cut into bins of equal size, highest first. A description: for intervals see `gain_band`.

    Args:
        y: outcome, shape (n,), outcome units.
        uplift: what leads are ranked by, shape (n,).
        treatment: 1 treated, 0 control, shape (n,).
        bins: how many; the first ones hold a lead more where the leads don't divide.
        strategy: as `uplift_at_k`.
        propensity: as `uplift_at_k`.

    Raises:
        DataError: a bin without leads of some arm, or as `uplift_at_k`.
        PropensityError: a propensity outside (0, 1).

    Examples:
        >>> [row.uplift for row in uplift_by_bin([1, 0, 1, 0], [4, 3, 2, 1], [1, 0, 0, 1], bins=2)]
        [1.0, -1.0]
    """
    where = "`uplift_by_bin`"
    inputs = _inputs(where, y, uplift, treatment, propensity, strategy)
    arms = [inputs.treated, ~inputs.treated]
    sizes = [inputs.y.size] if strategy == "overall" else [int(arm.sum()) for arm in arms]
    if not 1 <= bins <= min(sizes):
        found = f"{bins} bins for {min(sizes):,} leads"
        raise stop(where, "bins", "every bin holds leads", found, "ask for fewer bins")
    edges = [np.concatenate([[0], np.cumsum([len(part) for part in np.array_split(range(n), bins)])]) for n in sizes]
    return tuple(
        _bin(inputs, b + 1, [(int(edge[b]), int(edge[b + 1])) for edge in edges], strategy) for b in range(bins)
    )


def _inputs(where: str, y: Any, uplift: Any, treatment: Any, propensity: Any, strategy: Any) -> MetricInputs:
    if strategy not in get_args(Strategy):
        found = f"`{strategy}`: {did_you_mean(str(strategy), get_args(Strategy))}"
        raise stop(where, "strategy", "`strategy` is `overall` or `by_group`", found, "choose one")
    return metric_inputs(where, y, uplift, treatment, propensity=propensity)


def _whole(where: str, k: float, n: int) -> int:
    share = isinstance(k, float | np.floating)
    # 0.29 of 100 leads is 29, whatever 0.29 is in binary.
    count = int(np.floor(k * n + 1e-9)) if share and 0 < k <= 1 else int(k) if not share else 0
    if not 1 <= count <= n:
        rule = "`k` is a share inside (0, 1] or a whole number of leads"
        raise stop(where, "k", rule, f"{k:g} of {n:,} leads", "0.3 is the highest 30%")
    return count


def _bin(inputs: MetricInputs, number: int, cuts: list[tuple[int, int]], strategy: Strategy) -> RankBin:
    if strategy == "overall":
        inside = _inside(inputs.uplift, *cuts[0])
        parts = [np.where(arm, inside, 0.0) for arm in (inputs.treated, ~inputs.treated)]
    else:
        parts = [_within(inputs, arm, cut) for arm, cut in zip((inputs.treated, ~inputs.treated), cuts, strict=True)]
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


def _within(inputs: MetricInputs, arm: Bools, cut: tuple[int, int]) -> Floats:
    part = np.zeros(inputs.y.size)
    part[arm] = _inside(inputs.uplift[arm], *cut)
    return part


def _inside(priority: Floats, start: int, end: int) -> Floats:
    """How much of each lead lies at ranks start to end: 1, 0, or the share of its tie that does."""
    values, group, size = np.unique(-priority, return_inverse=True, return_counts=True)
    after = np.cumsum(size)
    shared = np.clip(np.minimum(after, end) - np.maximum(after - size, start), 0, None) / size
    return np.asarray(shared[group.reshape(-1)], dtype=np.float64) if values.size else np.zeros(0)
