"""Score groups as a plan knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from leadlift.base.experiment import ExperimentConfig
from leadlift.base.plan import PlanConfig


@dataclass(frozen=True)
class Group:
    """Leads of one score group: their share, mean outcome without the touch, and its spread (None: 0 or 1)."""

    name: str
    share: float
    mean: float
    sd: float | None
    target: float | None

    def variance(self, uplift: float = 0.0) -> float:
        """Of one lead's outcome when the mean has moved by `uplift`, squared outcome units."""
        rate = self.mean + uplift
        return self.sd**2 if self.sd is not None else rate * (1 - rate)

    @property
    def room(self) -> float:
        """The largest uplift there can be."""
        return np.inf if self.sd is not None else 1 - self.mean


def plan_groups(config: ExperimentConfig, plan: PlanConfig) -> tuple[Group, ...]:
    """The score groups of a plan; one group of all leads where nothing is known by group."""
    shares = config.group_shares
    if shares is None:
        return (Group("all", 1.0, _of(plan.baseline, "all"), _of_maybe(plan.sd, "all"), _target(plan.uplift, "all")),)
    return tuple(
        Group(name, share, _of(plan.baseline, name), _of_maybe(plan.sd, name), _target(plan.uplift, name))
        for name, share in shares.items()
    )


def spread_over(groups: Sequence[Group], uplift: float, *, design_effect: float, met: float) -> tuple[float, float]:
    """Variance of the mean over all leads times their number: within groups, and between them.

    Args:
        groups: the score groups.
        uplift: one for every group; a rate that would pass 1 stays below it.
        design_effect: of leads of one organisation, within groups.
        met: leads of the same group in the organisation of a lead taken at random: what a group's mean adds to one of
            them it adds to all. 1 where an organisation's leads fall into groups each for itself.

    >>> apart = [Group("low", 0.5, 0.1, None, None), Group("high", 0.5, 0.3, None, None)]
    >>> [round(part, 4) for part in spread_over(apart, 0.0, design_effect=1.2, met=3.0)]
    [0.18, 0.03]
    """
    weights, means = np.array([group.share for group in groups]), np.array([group.mean for group in groups])
    inside = np.array([group.variance(min(uplift, group.room * (1 - 1e-9))) for group in groups])
    between = float(weights @ (means - weights @ means) ** 2)
    return float(weights @ inside) * design_effect, between * met


def _of(given: float | Mapping[str, float] | None, name: str) -> float:
    found = _of_maybe(given, name)
    return 0.0 if found is None else found


def _of_maybe(given: float | Mapping[str, float] | None, name: str) -> float | None:
    if isinstance(given, Mapping):
        return float(given[name])
    return None if given is None else float(given)


def _target(given: float | Mapping[str, float] | None, name: str) -> float | None:
    if isinstance(given, Mapping):
        return float(given[name]) if name in given else None
    return None if given is None else float(given)
