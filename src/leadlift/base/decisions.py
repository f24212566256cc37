"""Records of what a study says about whom to touch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from leadlift.base.record import Record

Measure = Literal["outcome", "money"]


@dataclass(frozen=True)
class StrategyValue(Record):
    """What one strategy earns at one capacity, over touching no one, from the randomised log alone.

    Values are totals over the leads of the list (`Decision.leads`): outcomes, or money after touch costs (`measure`).
    Ends of intervals hold at once for all strategies and capacities of a measure. `difference` is paired, on the same
    leads: against the strategy `difference_from`, and `over_random` against touching at random. `method` is
    `sequential` for what a fitted model orders, and `fixed` for the rest. `truth` and `difference_truth` are what a
    simulated company knows: what touching those very leads really brings.
    """

    strategy: str
    treatment: str
    measure: Measure
    capacity: float
    share: float
    n_touched: float
    value: float | None
    value_lower: float | None
    value_upper: float | None
    value_se: float | None
    difference_from: str
    difference: float | None
    difference_lower: float | None
    difference_upper: float | None
    over_random: float | None
    over_random_lower: float | None
    over_random_upper: float | None
    possibly_best: bool | None
    extrapolates: bool
    method: Literal["fixed", "sequential"]
    message: str = ""
    truth: float | None = None
    difference_truth: float | None = None


@dataclass(frozen=True)
class Settled(Record):
    """How one strategy stands to the current practice as capacity grows, read off the paired difference's band.

    Attributes:
        better_from, better_to: the longest stretch of capacities in which it is surely better; None: nowhere.
        worse_from, worse_to: the longest stretch in which it is surely worse; None: nowhere.
        crosses_at: where the estimates cross; None: they don't.
        crosses_after, crosses_before: between which they must cross, where both signs are sure.
    """

    strategy: str
    treatment: str
    measure: Measure
    against: str
    better_from: float | None
    better_to: float | None
    worse_from: float | None
    worse_to: float | None
    crosses_at: float | None
    crosses_after: float | None
    crosses_before: float | None


@dataclass(frozen=True)
class StopsPaying(Record):
    """The capacity at which more touches of one strategy stop paying: its net money is largest there.

    `pays_to` and `stops_from` are the ends of the capacities that can't be told from the best at 95%: below `pays_to`
    more touches surely pay, above `stops_from` they surely don't.
    """

    strategy: str
    treatment: str
    capacity: float
    pays_to: float
    stops_from: float


@dataclass(frozen=True)
class ResponseShares(Record):
    """Bounds on how many leads a touch moves which way; binary outcomes only.

    Who would have bought without a touch and who with it is never seen of the same lead, so shares are bounded by the
    arms' means (Frechet): `lower` and `upper`. The interval (Imbens, Manski) holds the true share with 95%.
    """

    treatment: str
    kind: Literal["persuadable", "sure_thing", "lost_cause", "do_not_disturb"]
    lower: float
    upper: float
    interval_lower: float | None
    interval_upper: float | None


@dataclass(frozen=True)
class LeaveAlone(Record):
    """A group that a touch harms, or in which it costs more than it brings.

    `verdict` is `harmful` where the simultaneous upper end of the mean uplift lies below 0, `unprofitable` where that
    of the money it brings less its cost does, else `keep`. `effect` is in outcome units (harmful) or money per lead.
    """

    treatment: str
    segment_by: str
    segment: str
    n: int
    verdict: Literal["harmful", "unprofitable", "keep"]
    effect: float | None
    effect_upper: float | None
    net: float | None
    net_upper: float | None


@dataclass(frozen=True)
class ActedOn(Record):
    """A list to act on that the study wrote: by which strategy and arm, how many leads, and what acting on it costs.

    `new_leads` says whether they came from a file of their own rather than from the log.
    """

    strategy: str
    treatment: str
    n: int
    new_leads: bool
    warning: str


@dataclass(frozen=True)
class Decision(Record):
    """What the strategies were compared for.

    Attributes:
        capacity: touches that the team has; `given` says whether the configuration named it.
        leads: leads of the list, or of one period.
        per: the period, in a word; empty: these leads, once.
        current: the strategy in use, and its treatment.
        run_share: the share of leads that was ever touched; beyond it values extrapolate.
        by_organisation: strategies choose organisations, since organisations were drawn.
        assume_no_spillover: leads were chosen though organisations were drawn.
        unit: unit of money; empty where there is none.
        costs: money per touch, by arm.
        held_back: leads on which learned strategies were judged.
        blocks_used: blocks of organisations among them.
        act: the list to act on, if one was asked for.
    """

    capacity: float
    given: bool
    leads: int
    per: str
    current: str
    current_treatment: str
    run_share: float
    by_organisation: bool
    assume_no_spillover: bool
    unit: str
    costs: dict[str, float]
    held_back: int
    blocks_used: int
    settled: tuple[Settled, ...] = ()
    stops_paying: tuple[StopsPaying, ...] = ()
    shares: tuple[ResponseShares, ...] = ()
    leave_alone: tuple[LeaveAlone, ...] = ()
    act: ActedOn | None = None
