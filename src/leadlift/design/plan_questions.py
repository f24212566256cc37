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
from leadlift.design.plan_records import Question


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


def plan_groups(config: ExperimentConfig, plan: PlanConfig) -> tuple[Group, ...]:
    """The score groups of a plan; one group of all leads where nothing is known by group."""
    shares = config.group_shares
    if shares is None:
        return (Group("all", 1.0, _of(plan.baseline, "all"), _of_maybe(plan.sd, "all"), _target(plan.uplift, "all")),)
    return tuple(
        Group(name, share, _of(plan.baseline, name), _of_maybe(plan.sd, name), _target(plan.uplift, name))
        for name, share in shares.items()
    )


def questions(
    config: ExperimentConfig, plan: PlanConfig, *, shares: Mapping[str, float], clusters: Clusters
) -> list[Ask]:
    """Every question of a plan, arm by arm: all leads, each group, each pair of groups."""
    groups = plan_groups(config, plan)
    arms = config.experiment.treated_arms
    mixed = plan.leads_per_organisation.groups == "mixed"
    stratified = "score_group" in config.experiment.strata and not (mixed and clusters.mean > 1)
    asks = []
    for arm in arms:
        split = (shares[CONTROL], shares[arm])
        asks.append(_overall(groups, arm, split, len(arms), clusters, plan, stratified))
        if len(groups) > 1:
            asks += _by_group(groups, arm, split, len(arms), clusters, mixed)
            asks += _differences(groups, arm, split, len(arms), clusters, mixed, plan.difference)
    return asks


def _overall(
    groups: tuple[Group, ...],
    arm: str,
    split: tuple[float, float],
    arms: int,
    clusters: Clusters,
    plan: PlanConfig,
    stratified: bool,
) -> Ask:
    weights = np.array([group.share for group in groups])

    def spread(uplift: float) -> float:
        # One uplift for every group; a rate that would pass 1 stays below it.
        inside = np.array([group.variance(min(uplift, group.room * (1 - 1e-9))) for group in groups])
        means = np.array([group.mean for group in groups])
        between = 0.0 if stratified else float(weights @ (means - weights @ means) ** 2)
        return float(weights @ inside) * clusters.design_effect + between

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


def _differences(
    groups: tuple[Group, ...],
    arm: str,
    split: tuple[float, float],
    arms: int,
    clusters: Clusters,
    mixed: bool,
    target: float | None,
) -> Iterator[Ask]:
    pairs = list(itertools.combinations(reversed(groups), 2))
    for first, second in pairs:
        inside = clusters.part(min(first.share, second.share)) if mixed else clusters
        yield Ask(
            "difference",
            arm,
            f"{first.name} - {second.name}",
            (first, second),
            1.0,
            split,
            target,
            arms * len(pairs),
            _pair_variances(first, second, clusters, mixed),
            inside,
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
