"""The questions of a plan as numbers: who stands behind each mean, and how its outcome varies."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from leadlift.base.arrays import Floats
from leadlift.base.experiment import CONTROL, ExperimentConfig
from leadlift.base.plan import PlanConfig
from leadlift.design.clusters import Clusters
from leadlift.design.plan_groups import Group, plan_groups, spread_over
from leadlift.design.plan_records import Question


@dataclass(frozen=True)
class Ask:
    """One question: two independent parts, control's and the arm's, and what each varies by.

    Attributes:
        question: what kind.
        treatment: the arm.
        segment: its name.
        groups: score groups in it; for a difference the first less the second.
        share: part of all leads in the segment.
        arm_shares: P(control), P(arm).
        target: what is to be seen.
        tests: how many tests share the level.
        variances_at: of each part's mean times all leads behind it, shape (2,), design effect included.
        clusters: organisations inside the segment.
        largest: no uplift is larger.
    """

    question: Question
    treatment: str
    segment: str
    groups: tuple[Group, ...]
    share: float
    arm_shares: tuple[float, float]
    target: float | None
    tests: int
    variances_at: Callable[[float], Floats]
    clusters: Clusters
    largest: float

    @property
    def shares(self) -> Floats:
        """Leads behind each part over all leads, shape (2,)."""
        return np.array(self.arm_shares) * self.share

    @property
    def baseline(self) -> float | None:
        """Mean outcome of control; None for differences."""
        if self.question not in ("overall", "group"):
            return None
        shares = [group.share for group in self.groups]
        return float(np.average([group.mean for group in self.groups], weights=shares))

    def organisations(self, leads: float) -> tuple[int, int]:
        """In control and in the arm, in the smallest group of the question, when `leads` have entered."""
        smallest = (
            self.share
            if len(self.groups) == 1 or self.question == "overall"
            else min(group.share for group in self.groups)
        )
        control, arm = (leads * share * smallest / self.clusters.mean for share in self.arm_shares)
        return int(control + 1e-9), int(arm + 1e-9)


def questions(
    config: ExperimentConfig, plan: PlanConfig, *, shares: Mapping[str, float], clusters: Clusters
) -> list[Ask]:
    """Every question of a plan, arm by arm: all leads, each group, each pair of groups."""
    groups = plan_groups(config, plan)
    arms = config.experiment.treated_arms
    mixed = plan.leads_per_organisation.groups == "mixed"
    stratified = "score_group" in config.experiment.strata and not (mixed and clusters.mean > 1)
    met = 1.0 if mixed else clusters.met
    asks = []
    for arm in arms:
        split = (shares[CONTROL], shares[arm])
        asks.append(_overall(groups, arm, split, len(arms), clusters, 0.0 if stratified else met))
        if len(groups) > 1:
            asks += _by_group(groups, arm, split, len(arms), clusters, mixed)
            for second, first in itertools.combinations(groups, 2):
                asks.append(_difference(first, second, arm, split, _pairs(arms, groups), clusters, mixed, plan))
    return asks


def _overall(
    groups: tuple[Group, ...], arm: str, split: tuple[float, float], arms: int, clusters: Clusters, met: float
) -> Ask:
    weights = np.array([group.share for group in groups])

    def spread(uplift: float) -> float:
        return sum(spread_over(groups, uplift, design_effect=clusters.design_effect, met=met))

    targets = [group.target for group in groups]
    known = [target for target in targets if target is not None]
    target = float(weights @ np.array(known)) if len(known) == len(targets) else None
    return Ask(
        "overall",
        arm,
        "all",
        groups,
        1.0,
        split,
        target,
        arms,
        lambda uplift: np.array([spread(0.0), spread(uplift)]),
        clusters,
        float(min(group.room for group in groups)),
    )


def _by_group(
    groups: tuple[Group, ...], arm: str, split: tuple[float, float], arms: int, clusters: Clusters, mixed: bool
) -> Iterator[Ask]:
    for group in groups:
        inside = clusters.part(group.share) if mixed else clusters
        yield Ask(
            "group",
            arm,
            group.name,
            (group,),
            group.share,
            split,
            group.target,
            arms * len(groups),
            _group_variances(group, inside.design_effect),
            inside,
            group.room,
        )


def _group_variances(group: Group, effect: float) -> Callable[[float], Floats]:
    return lambda uplift: np.array([group.variance(), group.variance(uplift)]) * effect


def against_every_other(
    config: ExperimentConfig, plan: PlanConfig, *, shares: Mapping[str, float], clusters: Clusters
) -> dict[tuple[str, str], list[Ask]]:
    """By arm and group: that group's uplift less each other's, for whether it gains most; empty under three groups."""
    groups = plan_groups(config, plan)
    arms = config.experiment.treated_arms
    mixed = plan.leads_per_organisation.groups == "mixed"
    if len(groups) < 3:
        return {}
    return {
        (arm, group.name): [
            _difference(group, other, arm, (shares[CONTROL], shares[arm]), _pairs(arms, groups), clusters, mixed, plan)
            for other in groups
            if other is not group
        ]
        for arm in arms
        for group in groups
    }


def _pairs(arms: tuple[str, ...], groups: tuple[Group, ...]) -> int:
    return len(arms) * len(groups) * (len(groups) - 1) // 2


def _difference(
    first: Group,
    second: Group,
    arm: str,
    split: tuple[float, float],
    tests: int,
    clusters: Clusters,
    mixed: bool,
    plan: PlanConfig,
) -> Ask:
    return Ask(
        "difference",
        arm,
        f"{first.name} - {second.name}",
        (first, second),
        1.0,
        split,
        plan.difference,
        tests,
        _pair_variances(first, second, clusters, mixed),
        clusters.part(min(first.share, second.share)) if mixed else clusters,
        first.room - (second.target or 0.0),
    )


def _pair_variances(first: Group, second: Group, clusters: Clusters, mixed: bool) -> Callable[[float], Floats]:
    """The first group's uplift is the second's plus the difference. Organisations in both groups make it vary less."""
    start = second.target or 0.0
    effects = [(clusters.part(g.share) if mixed else clusters).design_effect for g in (first, second)]
    met = 2 * clusters.rho * (clusters.met - 1) if mixed else 0.0

    def part(uplift: float, more: float) -> float:
        own, other = first.variance(uplift + more), second.variance(uplift)
        both = own * effects[0] / first.share + other * effects[1] / second.share
        return both - met * float(np.sqrt(own * other))

    return lambda difference: np.array([part(0.0, 0.0), part(start, difference)])
