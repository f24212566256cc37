"""Result records: frozen, checked when made, and one `to_dict()` for MLflow, the report, the screen and `--json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from leadlift.base.decisions import Decision, StrategyValue
from leadlift.base.problem_records import PooledEffect, UpliftCard
from leadlift.base.record import Record

Status = Literal["pass", "warn", "stop"]
IntervalMethod = Literal["t", "satterthwaite", "miettinen_nurminen", "none"]


@dataclass(frozen=True)
class RowAccount(Record):
    """Where every row went: `read = used + dropped`, or the record can't be made.

    >>> RowAccount(read=10, used=7, dropped={"open_window": 2})
    Traceback (most recent call last):
        ...
    ValueError: rows don't add up: 10 read, 7 used, 2 dropped (open_window 2)
    """

    read: int
    used: int
    dropped: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lost = sum(self.dropped.values())
        if self.read != self.used + lost or min([self.used, *self.dropped.values()]) < 0:
            reasons = ", ".join(f"{reason} {n:,}" for reason, n in self.dropped.items()) or "nothing"
            raise ValueError(f"rows don't add up: {self.read:,} read, {self.used:,} used, {lost:,} dropped ({reasons})")
        object.__setattr__(self, "dropped", MappingProxyType(dict(self.dropped)))

    def __reduce__(self) -> tuple[type[RowAccount], tuple[int, int, dict[str, int]]]:
        return RowAccount, (self.read, self.used, dict(self.dropped))


@dataclass(frozen=True)
class Check(Record):
    """One check of a log: `value` is its figure, `message` says it in words, with one fix unless it passed."""

    code: str
    status: Status
    value: float | int | None
    message: str


@dataclass(frozen=True)
class Effect(Record):
    """The effect of one arm against control in one segment, by one estimator.

    Effects, means and intervals are in outcome units. `simultaneous_*` and `p_value_adjusted` hold over all arms and
    segments of the same `segment_by`, outcome and estimator. `estimand` is `per_lead`; `per_organisation` where each
    organisation's mean counts once; or `organisation_total`: all deals (or revenue) of an organisation in its window.
    `interval` names how the interval was made: `t` (CR1, t with J-1), `satterthwaite` (CR2), `miettinen_nurminen` (few
    events) or `none` (under 10 organisations an arm).
    """

    treatment: str
    outcome: str
    segment_by: str
    segment: str
    estimator: str
    n_treatment: int
    n_control: int
    control_mean: float | None
    treatment_mean: float | None
    effect: float | None
    se: float | None
    ci_lower: float | None
    ci_upper: float | None
    simultaneous_lower: float | None
    simultaneous_upper: float | None
    p_value: float | None
    p_value_adjusted: float | None
    estimand: str = "per_lead"
    interval: IntervalMethod = "t"
    n_organisations: int | None = None


@dataclass(frozen=True)
class ComplierEffect(Record):
    """What a touch does to units that are touched because the lot said so, for one arm against control.

    `touched_*` are shares of units touched within the touch days. `effect` is per such unit, in outcome units: of an
    organisation's total with `estimand` `organisation_total`, else per lead. The Anderson-Rubin set is all numbers
    from `ci_lower` to `ci_upper` (`interval`), all but those between them (`outside`), or excludes none (`everything`);
    `none`: too few units.
    """

    treatment: str
    outcome: str
    estimand: str
    touched_treatment: float | None
    touched_control: float | None
    effect: float | None
    ci_lower: float | None
    ci_upper: float | None
    interval: Literal["interval", "outside", "everything", "none"]


@dataclass(frozen=True)
class SegmentTest(Record):
    """Do segments differ at all, and which of them may gain most (Hsu)?

    `possibly_best` holds the segments that can't be told from the best at 95%; `p_value` is that of equal effects.
    """

    treatment: str
    outcome: str
    segment_by: str
    estimator: str
    statistic: float | None
    df: int
    p_value: float | None
    possibly_best: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class CurvePoint(Record):
    """One point of an uplift curve: touching the top `share` of leads gains `gain` outcome units per lead over none.

    `random` is the gain of touching that share at random; bands are simultaneous over the curve, at 95%.
    """

    share: float
    gain: float
    lower: float | None
    upper: float | None
    random: float


@dataclass(frozen=True)
class UpliftBin(Record):
    """A fifth of the leads by predicted uplift: what was predicted for them and what was observed, outcome units.

    `simultaneous_*` hold over all fifths at once. Ends are None where events or organisations are too few.
    """

    learner: str
    treatment: str
    bin: int
    n: int
    predicted: float
    observed: float
    lower: float | None
    upper: float | None
    simultaneous_lower: float | None = None
    simultaneous_upper: float | None = None


@dataclass(frozen=True)
class Calibration(Record):
    """The linear test of predicted uplift (Chernozhukov et al.): slope 1 is calibrated, slope 0 is no ranking.

    `slope` is in outcome units of observed uplift per outcome unit of predicted uplift; `p_value` is that of slope 0,
    `p_value_slope_one` that of slope 1. `difference` is mean observed less mean predicted uplift, outcome units per
    lead. `bins` are fifths of the prediction, lowest first. All of it on leads that no model had seen; nothing for a
    score, which is in other units.
    """

    slope: float | None = None
    slope_lower: float | None = None
    slope_upper: float | None = None
    p_value: float | None = None
    blocks_used: int = 0
    p_value_slope_one: float | None = None
    difference: float | None = None
    difference_lower: float | None = None
    difference_upper: float | None = None
    bins: tuple[UpliftBin, ...] = ()


@dataclass(frozen=True)
class RankingResult(Record):
    """How well one learner, or the score, ranks leads by uplift for one arm.

    `qini` and `autoc` are in outcome units per lead. `method` is `sequential` for whatever a fitted model orders, and
    `fixed` for a score that came with the log. `message` is empty unless a number is missing, and then says why.
    """

    learner: str
    treatment: str
    qini: float | None
    qini_lower: float | None
    qini_upper: float | None
    autoc: float | None
    autoc_lower: float | None
    autoc_upper: float | None
    method: Literal["sequential", "fixed"] = "sequential"
    blocks_used: int = 0
    calibration: Calibration = field(default_factory=Calibration)
    qini_se: float | None = None
    autoc_se: float | None = None
    curve: tuple[CurvePoint, ...] = ()
    message: str = ""


@dataclass(frozen=True)
class RankingDifference(Record):
    """The paired difference in Qini between a learner and another ranking, on the same leads."""

    learner: str
    against: str
    treatment: str
    difference: float | None
    lower: float | None
    upper: float | None
    p_value: float | None
    blocks_used: int = 0
    message: str = ""


@dataclass(frozen=True)
class Candidate(Record):
    """One learner against a constant, on leads that no model had seen.

    `qini` is in outcome units per lead. `loss_gain` is the constant's DR-loss less the learner's, `behind_best` the
    learner's DR-loss less the best one's, both in outcome units squared. Intervals hold at 95% over all learners and
    both measures at once; `beats_constant` if either lies above zero.
    """

    learner: str
    qini: float | None
    qini_lower: float | None
    qini_upper: float | None
    loss_gain: float | None
    loss_gain_lower: float | None
    loss_gain_upper: float | None
    behind_best: float | None
    behind_best_se: float | None
    beats_constant: bool


@dataclass(frozen=True)
class LearnerChoice(Record):
    """Which learner is chosen for an arm: the simplest within one standard error of the best, or none.

    Only learners that beat a constant can be chosen. Where none does, `chosen` is None and `message` says so: nothing
    may then rank leads by uplift.
    """

    treatment: str
    chosen: str | None
    best: str | None
    candidates: tuple[Candidate, ...] = ()
    message: str = ""


@dataclass(frozen=True)
class BalanceRow(Record):
    """The standardised difference of one feature between an arm and control (difference over pooled spread)."""

    feature: str
    treatment: str
    difference: float


@dataclass(frozen=True)
class ScoreInfo(Record):
    """The conversion score and its groups: `source` is `given` (it came with the log) or `estimated` (data-made).

    `cuts` separate the groups: the first holds scores below the first cut, the second those from it on, and so on.
    """

    source: Literal["given", "estimated"]
    names: tuple[str, ...]
    cuts: tuple[float, ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class TruthRow(Record):
    """What a simulated company really does: the true effect of one arm in one segment, outcome units per lead."""

    treatment: str
    segment_by: str
    segment: str
    effect: float


@dataclass(frozen=True)
class TrackedRun(Record):
    """Where MLflow keeps the run."""

    tracking_uri: str
    experiment: str
    run_id: str


@dataclass(frozen=True)
class LedgerUse(Record):
    """What a study read from a ledger.

    Attributes:
        chain_head: digest of the ledger's last batch of assignments; the chain proves that they are still the same.
        rounds: rounds of the experiment that were read.
        cut_off: until when outcomes are known, ISO 8601: the last complete import of deals less the booking lag.
        booking_lag_days: days that deals take to be booked.
        deals: where every deal went: used are those that count to the log's leads.
        organisations: where every organisation that was drawn went, with `unit: organisation`.
        organisation_deals: where every deal went: used are those that count to these organisations' totals.
    """

    chain_head: str
    rounds: tuple[int, ...]
    cut_off: str
    booking_lag_days: float
    deals: RowAccount
    organisations: RowAccount | None = None
    organisation_deals: RowAccount | None = None


@dataclass(frozen=True)
class ProblemUse(Record):
    """Client problems in a study.

    Attributes:
        source: `logged` at assignment; or `made` from a problem model and deals known before each assignment.
        cards: a card per problem.
        model: digest of the problem model; None: none is at hand.
        known_until: when the last deal that the model rests on was known, ISO 8601.
        deals: where every deal went that mixtures were made from; None: they were logged.
        mixtures: names of the mixture's features that learners saw.
    """

    source: Literal["logged", "made"]
    cards: tuple[UpliftCard, ...]
    model: str | None = None
    known_until: str | None = None
    deals: RowAccount | None = None
    mixtures: tuple[str, ...] = ()


@dataclass(frozen=True)
class StudyResult(Record):
    """All that one study found; `results.json` is its `to_dict()`.

    `outcome_kind` is `binary`, `count` or `money`; effects of binary outcomes are differences in shares (0.02 is two
    percentage points). `truth` is filled for simulated companies only. `strategies` is empty, and `decision` null,
    unless strategies were asked for. `pooled` and `problems` are for studies whose leads have client problems. `weight`
    names the column that says how many leads each stands for, if one does.
    """

    study: str
    created_at: str
    config_digest: str
    log_digest: str
    design_digest: str | None
    versions: Mapping[str, str]
    rows: RowAccount
    arms: Mapping[str, int]
    outcome: str
    outcome_kind: Literal["binary", "count", "money"]
    n_organisations: int
    organisations_given: bool
    checks: tuple[Check, ...]
    effects: tuple[Effect, ...] = ()
    compliers: tuple[ComplierEffect, ...] = ()
    segment_tests: tuple[SegmentTest, ...] = ()
    pooled: tuple[PooledEffect, ...] = ()
    problems: ProblemUse | None = None
    score: ScoreInfo | None = None
    learners: tuple[RankingResult, ...] = ()
    differences: tuple[RankingDifference, ...] = ()
    choices: tuple[LearnerChoice, ...] = ()
    balance: tuple[BalanceRow, ...] = ()
    strategies: tuple[StrategyValue, ...] = ()
    decision: Decision | None = None
    truth: tuple[TruthRow, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    ledger: LedgerUse | None = None
    mlflow: TrackedRun | None = None
    weight: str | None = None

    @property
    def stopped(self) -> bool:
        """Whether a check stopped the study before anything was estimated."""
        return any(check.status == "stop" for check in self.checks)
