"""An experiment's configuration: arms, lot, holdout, capacity, and the questions its plan answers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from leadlift.base.config import Analysis, StudyConfig
from leadlift.base.deals_config import published_source, without_paths
from leadlift.base.fields import Label, Money, Settings
from leadlift.base.plan import PlanConfig
from leadlift.base.problems import did_you_mean, listed
from leadlift.base.settings import parse_settings, raise_found
from leadlift.base.strategies import DecideConfig
from leadlift.base.tables import DealColumns, LeadColumns, TableData, TouchColumns

CONTROL = "control"
# What stands in an arm's place for organisations that are held out.
HOLDOUT = "holdout"
SHARES_MISS = 1e-6


class ArmConfig(Settings):
    """One arm: its share of the lot, what sales does to its leads, and what that costs per lead."""

    share: float = Field(gt=0, lt=1, description="P(this arm | not held out).")
    mechanics: list[Label] = Field([], description="What counts as the touch: call, email, visit ...")
    cost: Money = Field(0.0, description="Money per touched lead.")


class HoldoutConfig(Settings):
    """Organisations that no experiment may touch until a date; drawn before any experiment, by its own salt."""

    share: float = Field(gt=0, lt=1, description="Share of organisations held out.")
    until: date = Field(description="The day the holdout ends, YYYY-MM-DD.")
    salt: Label = Field("holdout", description="Salt of the holdout's own lot: the same for every experiment.")

    @field_validator("until")
    @classmethod
    def _not_over(cls, until: date, info: ValidationInfo) -> date:
        today = (info.context or {}).get("today")
        if today is not None and until <= today:
            raise ValueError(f"the holdout must end after today ({today}); it ends on {until}")
        return until


class LotConfig(Settings):
    """Who is drawn, into which arms, inside which cells, and how many may be touched."""

    arms: dict[Label, ArmConfig] = Field(description="Two arms or more; exactly one is called control.")
    strata: list[Literal["score_group", "problem"]] = Field(["score_group"], description="Cells of the lot.")
    unit: Literal["organisation", "lead"] = "organisation"
    mode: Literal["hashed", "blocked"] = "hashed"
    round: int = Field(1, ge=1, description="Which pass of the loop this is.")
    holdout: HoldoutConfig | None = None
    capacity: dict[Label, Annotated[int, Field(gt=0)]] = Field(
        {}, description="Leads touched by an arm at most, per draw."
    )
    window_days: int = Field(90, ge=1, le=3650, description="Days after assignment in which an outcome counts.")
    touch_days: int = Field(14, ge=1, le=3650, description="Days after assignment in which a first touch counts.")
    salt: Label | None = Field(None, description="Salt of the lot; absent: the experiment's name.")
    shares_with: list[Label] = Field([], description="Experiments whose organisations this one may draw as well.")
    excludes: list[Label] = Field([], description="Experiments whose organisations this one leaves alone.")

    @field_validator("arms")
    @classmethod
    def _arms_add_up(cls, arms: dict[str, ArmConfig]) -> dict[str, ArmConfig]:
        if CONTROL not in arms:
            raise ValueError(f"one arm is called `{CONTROL}`; the arms are {listed(arms)}")
        if len(arms) < 2:
            raise ValueError("an experiment has two arms or more")
        if HOLDOUT in arms:
            raise ValueError(f"no arm is called `{HOLDOUT}`: that is who no experiment may touch")
        total = math.fsum(arm.share for arm in arms.values())
        if abs(total - 1) > SHARES_MISS:
            shares = listed([f"{name} {arm.share:g}" for name, arm in arms.items()])
            raise ValueError(f"shares must add up to 1; {shares} add up to {total:.6g}")
        return arms

    @model_validator(mode="after")
    def _fits_together(self) -> LotConfig:
        raise_found(self._misfits())
        return self

    def _misfits(self) -> Iterator[tuple[str, str]]:
        for arm in self.capacity:
            if arm not in self.arms:
                yield f"capacity.{arm}", f"no arm is called `{arm}`; {did_you_mean(arm, self.treated_arms)}"
            elif arm == CONTROL:
                yield f"capacity.{arm}", "control is not touched, so it has no capacity"
        if len(set(self.strata)) != len(self.strata):
            yield "strata", "a stratum is named twice"
        if self.touch_days > self.window_days:
            yield "touch_days", f"touches end with the window: {self.touch_days} days are over {self.window_days}"
        both = sorted(set(self.shares_with) & set(self.excludes))
        if both:
            yield "excludes", f"{listed(both)} can't be shared with and excluded at once"

    @property
    def shares(self) -> dict[str, float]:
        """P(arm | not held out), rescaled to add up to 1 exactly; control first."""
        total = math.fsum(arm.share for arm in self.arms.values())
        return {name: self.arms[name].share / total for name in (CONTROL, *self.treated_arms)}

    @property
    def treated_arms(self) -> tuple[str, ...]:
        """The arms that are touched, in the order given."""
        return tuple(name for name in self.arms if name != CONTROL)


class ExperimentConfig(Analysis):
    """One experiment, for every command: what is drawn, what its plan asks, its files' columns, and its study."""

    version: Literal[1] = 1
    name: str = Field(
        "experiment", min_length=1, pattern=r"^[^/\\\x00-\x1f\x7f]+$", description="Absent: the file's name."
    )
    ledger: str | None = Field(None, description="The store of assignments, touches and deals.")
    data: TableData = TableData()
    leads: LeadColumns = LeadColumns()
    touches: TouchColumns = TouchColumns()
    deals: DealColumns = DealColumns()
    experiment: LotConfig
    plan: PlanConfig | None = Field(None, description="What is known and asked before the lot is drawn.")

    @property
    def salt(self) -> str:
        """Salt of the lot."""
        return self.experiment.salt if self.experiment.salt is not None else self.name

    @model_validator(mode="after")
    def _problems_of_leads(self) -> ExperimentConfig:
        source = self.problems
        if source is not None and source.assigned_at is not None:
            raise_found([("problems.assigned_at", "the lot knows when it was drawn: leave it out")])
        if source is not None and source.deals is not None and self.ledger is not None:
            raise_found([("problems.deals", "the ledger holds the deals: leave it out")])
        return self

    @model_validator(mode="after")
    def _plan_names_groups(self) -> ExperimentConfig:
        if self.plan is not None:
            raise_found(self._plan_misfits(self.plan))
        return self

    def _plan_misfits(self, plan: PlanConfig) -> Iterator[tuple[str, str]]:
        yield from plan.misfits(tuple(self.score_groups.names))
        by_group = any(isinstance(given, dict) for given in (plan.baseline, plan.sd, plan.uplift))
        if by_group and plan.group_shares is None and self.score_groups.cuts is not None:
            yield "plan.group_shares", "numbers by score group need each group's share of the leads"

    @property
    def group_shares(self) -> dict[str, float] | None:
        """Leads by score group: as the plan says, else as quantiles do; None if neither does."""
        given = None if self.plan is None else self.plan.group_shares
        if given is not None:
            total = math.fsum(given.values())
            return {name: given.get(name, 0.0) / total for name in self.score_groups.names}
        if self.score_groups.cuts is not None:
            return None
        edges = [0.0, *self.score_groups.edges, 1.0]
        return {name: b - a for name, a, b in zip(self.score_groups.names, edges, edges[1:], strict=False)}

    @property
    def leads_timezone(self) -> str | None:
        """Zone of the leads' times that carry none."""
        return self.leads.timezone or self.data.timezone

    def study(self) -> StudyConfig:
        """What is asked of the experiment's log."""
        asked = {name: getattr(self, name) for name in Analysis.model_fields}
        return StudyConfig(name=self.name, **{**asked, "decide": self._decide()})

    def _decide(self) -> DecideConfig:
        """The team's capacity and costs; where those are not said, what the arms cost."""
        costs = {name: self.experiment.arms[name].cost for name in self.experiment.treated_arms}
        if self.decide.costs is not None or self.value is None or not any(costs.values()):
            return self.decide
        # What nobody wrote down stays unsaid: costs alone ask for no strategies.
        return DecideConfig.model_construct(self.decide.model_fields_set, **{**dict(self.decide), "costs": costs})

    def published(self) -> dict[str, Any]:
        """The settings as plain values, for results.json and MLflow; paths reduced to file names."""
        values = self.model_dump(mode="json")
        values["tracking"] = self.study().published()["tracking"]
        values |= published_source(self.problems)
        values["ledger"] = None if self.ledger is None else Path(self.ledger).name
        return values

    def for_digest(self) -> dict[str, Any]:
        """What the study's numbers depend on: tracking and the ledger's path left out."""
        values = self.published()
        del values["tracking"], values["ledger"]
        return without_paths(values)


def parse_experiment(
    values: object, where: str = "the configuration", *, today: date | None = None
) -> ExperimentConfig:
    """Checks plain values and freezes them.

    Args:
        values: what the YAML file holds.
        where: names the file in messages.
        today: a holdout that ends by this day is refused; None: one that is over is no hindrance.

    Raises:
        ConfigError: unknown, missing or unusable keys, all of them named.
    """
    return parse_settings(ExperimentConfig, values, where, context={"today": today})
