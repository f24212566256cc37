"""What a plan answers: records for the table, the figure, the frozen file and `--json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from leadlift.base.record import Record
from leadlift.design.clusters import Clusters

Question = Literal["overall", "group", "difference", "best"]
HowFound = Literal["normal", "welch", "pooled", "simulation", "none"]


@dataclass(frozen=True)
class PlanRow(Record):
    """One question and what it takes. Uplifts are in outcome units; 0.02 of a share is two percentage points.

    Attributes:
        question: the uplift over all leads, in a group, the difference between two groups, or that one gains most.
        treatment: the arm, against control.
        segment: `all`, a group, `medium - low`, or the group that gains most.
        share: its part of the leads that enter.
        baseline: mean outcome of control there; None for differences.
        target: what is to be seen; None if nothing was asked.
        alpha: level of this one test, multiplicity included.
        power: wanted.
        leads_needed: leads that must enter, all arms and groups together, to see the target.
        weeks_needed: weeks of inflow until they have entered.
        detectable: the smallest uplift seen with the wanted power from the leads at hand.
        power_at_hand: power at the target from the leads at hand; that one gains most: at least.
        design_effect: how many times the variance is that of independent leads.
        method: how it was computed; `none` when organisations are too few for any interval.
        note: what to know beside the numbers; empty when nothing.
    """

    question: Question
    treatment: str
    segment: str
    share: float
    baseline: float | None
    target: float | None
    alpha: float
    power: float
    leads_needed: int | None
    weeks_needed: float | None
    detectable: float | None
    power_at_hand: float | None
    design_effect: float
    method: HowFound
    note: str = ""


@dataclass(frozen=True)
class PowerCurve(Record):
    """Detectable uplift by leads, and power by uplift at the leads at hand, for one arm in one segment.

    Attributes:
        treatment: the arm.
        segment: `all` or a group.
        leads: leads that have entered, all arms and groups together, shape (points,).
        detectable: the smallest uplift then seen, None where there is none, shape (points,).
        uplift: uplifts, outcome units, shape (points,).
        power: P(it is seen) from the leads at hand, shape (points,).
        target: what is to be seen, if something is.
    """

    treatment: str
    segment: str
    leads: tuple[float, ...]
    detectable: tuple[float | None, ...]
    uplift: tuple[float, ...]
    power: tuple[float, ...]
    target: float | None = None


@dataclass(frozen=True)
class Spending(Record):
    """A split and what it costs to see the target with it.

    Attributes:
        segment: where the target is: `all` or a group.
        shares: of the lot, by arm, control first.
        leads: leads that must enter.
        touches: leads touched, all arms.
        cost: of those touches and leads, money.
        weeks: until they have entered; None without an inflow.
    """

    segment: str
    shares: Mapping[str, float]
    leads: int
    touches: int
    cost: float
    weeks: float | None


@dataclass(frozen=True)
class HoldoutRow(Record):
    """What a holdout of one size can show of the whole programme by its end.

    Attributes:
        share: of organisations held out.
        organisations: held out by then.
        detectable: the smallest programme effect seen, outcome units per organisation.
        detectable_per_lead: the same per lead.
        power: at the programme effect that was asked for.
    """

    share: float
    organisations: int
    detectable: float | None
    detectable_per_lead: float | None
    power: float | None


@dataclass(frozen=True)
class HoldoutPlan(Record):
    """How large the permanent holdout should be.

    Attributes:
        weeks: from today until it ends.
        until_given: whether the end date was given, else half a year is taken.
        planned: the share configured, if one is.
        target: programme effect to be seen, outcome units per lead, if asked.
        share_needed: the smallest share that shows it; None if none does, or nothing was asked.
        rows: several sizes.
    """

    weeks: float
    until_given: bool
    planned: float | None
    target: float | None
    share_needed: float | None
    rows: tuple[HoldoutRow, ...]


@dataclass(frozen=True)
class RankingPlan(Record):
    """Leads until a ranking's Qini can be told from zero.

    Attributes:
        qini: the pilot's, outcome units per lead.
        se: its standard error.
        pilot_leads: leads that it was judged on.
        leads_needed: leads of a study that sees a Qini of this size; None if the pilot's is not positive.
        weeks_needed: until they have entered.
        detectable: the smallest Qini seen from the leads at hand.
    """

    qini: float
    se: float
    pilot_leads: int
    leads_needed: int | None
    weeks_needed: float | None
    detectable: float | None


@dataclass(frozen=True)
class DesignPlan(Record):
    """All that a plan answers.

    Attributes:
        name: of the experiment.
        outcome_kind: `binary` or `money`.
        shares: of the lot, by arm, control first.
        effective_shares: the same where a capacity lowers an arm's; control takes what it leaves.
        leads_per_week: that enter, holdout taken off.
        weeks: how long the team would wait.
        leads_at_hand: that enter in that time, or the list's length, holdout taken off.
        window_days: days until the last outcome is known.
        alpha: two-sided level, before multiplicity.
        power: wanted.
        correction: how the level is shared.
        clusters: how leads are spread over organisations.
        clusters_from: `given`, `past` deals, or `assumed` when nothing is known.
        rows: the questions.
        curves: for the figure.
        spending: what the split given costs; None without a target.
        cheapest: the split that costs least; None without a target, or when no split reaches it in time.
        holdout: size of the permanent holdout.
        ranking: leads for a ranking.
        cautions: what weakens the answers.
        problem_model: digest of the problem model whose problems are logged; None: there is none.
        problem_shares: how common each of its problems is.
        settings: the configuration, as plain values.
    """

    name: str
    outcome_kind: Literal["binary", "money"]
    shares: Mapping[str, float]
    effective_shares: Mapping[str, float]
    leads_per_week: float | None
    weeks: float
    leads_at_hand: float | None
    window_days: int
    alpha: float
    power: float
    correction: str
    clusters: Clusters
    clusters_from: Literal["given", "past", "assumed"]
    rows: tuple[PlanRow, ...]
    curves: tuple[PowerCurve, ...] = ()
    spending: Spending | None = None
    cheapest: Spending | None = None
    holdout: HoldoutPlan | None = None
    ranking: RankingPlan | None = None
    cautions: tuple[str, ...] = ()
    problem_model: str | None = None
    problem_shares: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
