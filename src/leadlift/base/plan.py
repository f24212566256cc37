"""The `plan` section of an experiment: what is known before it starts, and what it is to show."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator

from leadlift.base.fields import ColumnName, Label, Settings
from leadlift.base.problems import did_you_mean, listed
from leadlift.base.settings import raise_found

Correction = Literal["holm", "bonferroni", "none"]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
SHARES_MISS = 1e-6


def _number_or_groups(value: object) -> str | None:
    if isinstance(value, Mapping):
        return "<groups>"
    return "<number>" if isinstance(value, int | float) and not isinstance(value, bool) else None


_FORM = Discriminator(
    _number_or_groups,
    custom_error_type="form",
    custom_error_message="a number, or a mapping of score groups to numbers",
)
Amounts = Annotated[Annotated[Finite, Tag("<number>")] | Annotated[dict[Label, Finite], Tag("<groups>")], _FORM]
Spreads = Annotated[Annotated[Positive, Tag("<number>")] | Annotated[dict[Label, Positive], Tag("<groups>")], _FORM]


class OrganisationSize(Settings):
    """How many leads an organisation has in the experiment."""

    mean: float = Field(ge=1, allow_inf_nan=False, description="Leads per organisation.")
    cv: float = Field(0.0, ge=0, allow_inf_nan=False, description="Their standard deviation over their mean.")
    groups: Literal["mixed", "whole"] = Field(
        "whole", description="Are an organisation's leads in one score group (cautious), or each for itself?"
    )


class PastOutcomes(Settings):
    """A table of past leads from which rho (and the sizes of organisations) are estimated."""

    file: str = Field(description="CSV or Parquet, a row per past lead, beside this file.")
    organisation: ColumnName = "organisation_id"
    outcome: ColumnName = "outcome"


class Pilot(Settings):
    """What an earlier study found of a ranking."""

    qini: Finite = Field(description="Its Qini, outcome units per lead.")
    se: Positive = Field(description="The Qini's standard error.")
    leads: int = Field(ge=1, description="How many leads that study read.")
    judged: Literal["sequential", "fixed"] = Field(
        "sequential", description="As `leadlift run` judges learned rankings, or a ranking fixed beforehand."
    )


class PlanConfig(Settings):
    """What is known and asked before the lot is drawn.

    `baseline` is the mean outcome without the touch: a share for a binary outcome; with `sd` given, money.
    """

    sd: Spreads | None = Field(None, description="Given: money, with this spread per lead.")
    baseline: Amounts | None = Field(None, description="Mean outcome of control, or by score group.")
    group_shares: dict[Label, Annotated[float, Field(ge=0, le=1)]] | None = Field(
        None, description="Leads by score group."
    )
    leads_per_week: Positive | None = Field(None, description="Inflow of leads that may be drawn.")
    weeks: Positive = Field(8, description="How long the team would wait.")
    leads: int | None = Field(None, ge=2, description="Leads at hand, for a list instead of an inflow.")
    lead_cost: float = Field(0, ge=0, allow_inf_nan=False, description="Money per lead of any arm, touched or not.")
    weeks_between_draws: Positive = Field(1, description="Capacity is per draw; this is how often the lot is drawn.")
    leads_per_organisation: OrganisationSize = OrganisationSize(mean=1)
    rho: float | None = Field(None, ge=0, lt=1, description="Correlation of outcomes inside an organisation.")
    past: PastOutcomes | None = None
    power: float = Field(0.8, gt=0, lt=1)
    alpha: float = Field(0.05, gt=0, lt=1, description="Two-sided level, before multiplicity.")
    correction: Correction = Field("holm", description="How the level is shared by arms and groups.")
    uplift: Amounts | None = Field(None, description="Uplift to be seen, or by score group.")
    difference: Positive | None = Field(None, description="Difference in uplift between two groups to be seen.")
    programme_uplift: Positive | None = Field(None, description="Programme effect to be seen against the holdout.")
    pilot: Pilot | None = None

    @property
    def outcome_kind(self) -> Literal["binary", "money"]:
        """`binary` unless a spread is given."""
        return "binary" if self.sd is None else "money"

    @field_validator("baseline")
    @classmethod
    def _rates_are_rates(cls, given: Amounts | None, info: ValidationInfo) -> Amounts | None:
        if info.data.get("sd") is None:
            words = "a rate lies between 0 and 1, not {:g}; for money give `sd` as well"
            raise_found((key, words.format(rate)) for key, rate in by_key(given) if not 0 < rate < 1)
        return given

    @field_validator("group_shares")
    @classmethod
    def _groups_share_all_leads(cls, given: dict[str, float] | None) -> dict[str, float] | None:
        if given is not None:
            raise_found(_share_misfits(given))
        return given

    @model_validator(mode="after")
    def _can_be_answered(self) -> PlanConfig:
        raise_found(self._misfits())
        return self

    def _misfits(self) -> Iterator[tuple[str, str]]:
        if self.baseline is None:
            yield "baseline", "give the mean outcome without the touch: a share such as 0.12, or one per score group"
        elif self.sd is None:
            for group, rate in by_key(self.baseline):
                yield from self._rates_with_uplift(group, rate)
        if self.power <= self.alpha:
            yield "power", f"a power of {self.power:g} is reached by chance at a level of {self.alpha:g}"
        if self.leads is not None and self.leads_per_week is not None:
            yield "leads", "give `leads` for a list or `leads_per_week` for an inflow, not both"
        if self.past is not None and self.rho is not None:
            yield "past", "give `rho`, or `past` to estimate it, not both"
        for group, uplift in by_key(self.uplift):
            if uplift == 0:
                yield _key("uplift", group), "an uplift to be seen is not 0"

    def _rates_with_uplift(self, group: str, rate: float) -> Iterator[tuple[str, str]]:
        for moved, uplift in by_key(self.uplift):
            if (not moved or not group or moved == group) and not 0 < rate + uplift < 1:
                words = f"a rate of {rate:g} moved by {uplift:g} is {rate + uplift:.4g}, outside 0 to 1"
                yield _key("uplift", moved), words

    def misfits(self, groups: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """What doesn't fit the score groups: keys and what is wrong with each."""
        for name in ("baseline", "sd", "group_shares", "uplift"):
            given = getattr(self, name)
            if not isinstance(given, Mapping):
                continue
            for key in given:
                if key not in groups:
                    yield f"plan.{name}.{key}", f"no score group is called `{key}`; {did_you_mean(key, groups)}"
            missing = [group for group in groups if group not in given]
            if missing and name != "uplift":
                yield f"plan.{name}", f"{listed(missing)} not given"


def by_key(given: float | Mapping[str, float] | None) -> list[tuple[str, float]]:
    """The numbers of a setting by score group; one for all leads stands under an empty name.

    >>> by_key({"low": 0.1}), by_key(0.2)
    ([('low', 0.1)], [('', 0.2)])
    """
    if given is None:
        return []
    return list(given.items()) if isinstance(given, Mapping) else [("", given)]


def _key(name: str, group: str) -> str:
    return f"{name}.{group}" if group else name


def _share_misfits(given: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    total = math.fsum(given.values())
    if abs(total - 1) > SHARES_MISS:
        yield "", f"shares must add up to 1, not to {total:.6g}"
    empty = [name for name, share in given.items() if share == 0]
    if empty:
        yield "", f"the cuts leave {listed(empty)} empty: move them, or use quantiles"
