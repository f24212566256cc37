"""Settings of strategies: which rules of whom to touch are compared, at what capacity, and what a touch costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from leadlift.base.fields import ColumnName, Label, Money, Settings
from leadlift.base.problems import did_you_mean, listed

StrategyName = Literal[
    "score_first",
    "fence_sitters_first",
    "skip_the_dead",
    "triage",
    "bant",
    "representatives_pick",
    "uplift_first",
    "uplift_value_first",
    "by_problem",
    "random",
    "everyone",
    "no_one",
]
BANT = ("budget", "authority", "need", "timing")
# Which settings each strategy has beyond its name; the others have none.
SETTINGS: dict[str, tuple[str, ...]] = {
    "fence_sitters_first": ("middle",),
    "skip_the_dead": ("dead",),
    "triage": ("dead", "sure", "column"),
    "bant": ("columns", "weights", "words", "lower_is_better"),
    "representatives_pick": ("column",),
    "uplift_first": ("learner",),
    "uplift_value_first": ("learner",),
    "by_problem": ("column", "order", "learner"),
}
OWN = ("columns", "weights", "words", "lower_is_better", "column", "order", "learner", "middle", "dead", "sure")
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class ValueConfig(Settings):
    """What an outcome is worth: a column of money, or an amount per outcome."""

    column: ColumnName | None = None
    per_outcome: Money | None = None
    unit: str | None = Field(None, min_length=1, description="Unit of money, such as EUR.")

    @model_validator(mode="after")
    def _one_way(self) -> ValueConfig:
        if (self.column is None) == (self.per_outcome is None):
            raise ValueError("give `column` or `per_outcome`, one of them")
        return self


class StrategyConfig(Settings):
    """One strategy: its name alone, or with its settings."""

    strategy: StrategyName
    name: Label | None = Field(None, description="What it is called in results; absent: the strategy's own name.")
    columns: dict[Literal["budget", "authority", "need", "timing"], ColumnName] | None = None
    weights: dict[Literal["budget", "authority", "need", "timing"], Money] | None = None
    words: dict[ColumnName, dict[Label, Share | None]] | None = Field(
        None, description="What the words of a column are worth, 0 to 1; null: not known."
    )
    lower_is_better: list[Literal["budget", "authority", "need", "timing"]] | None = None
    column: ColumnName | None = None
    order: list[Label] | None = Field(None, description="Problems, the first to be touched first.")
    learner: Label | None = Field(
        None, description="Whose prediction orders leads; absent: the learner chosen, else the last of `learners`."
    )
    middle: float | None = Field(
        None, allow_inf_nan=False, description="The score of a fence-sitter; absent: the middle group's middle."
    )
    dead: float | None = Field(
        None, allow_inf_nan=False, description="Below this score a lead is dead; absent: the first cut."
    )
    sure: float | None = Field(
        None, allow_inf_nan=False, description="From this score on a lead closes anyway; absent: the last cut."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {"strategy": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"enum": list(known_names())}, handler(schema)]}

    @model_validator(mode="after")
    def _own_settings(self) -> StrategyConfig:
        allowed = SETTINGS.get(self.strategy, ())
        for name in OWN:
            if getattr(self, name) is not None and name not in allowed:
                hint = f"it has {listed(f'`{one}`' for one in allowed)}" if allowed else "it has none"
                raise ValueError(f"`{name}` is no setting of {self.strategy}: {hint}")
        if self.strategy == "bant" and not self.columns:
            raise ValueError("`columns` is missing: which column is budget, authority, need, timing")
        parts = self.columns or {}
        for setting, named, known in (
            ("weights", self.weights, parts),
            ("lower_is_better", self.lower_is_better, parts),
            ("words", self.words, parts.values()),
        ):
            idle = [str(one) for one in named or () if one not in known]
            if idle:
                raise ValueError(f"`{setting}` names `{idle[0]}`, which `columns` does not")
        if self.dead is not None and self.sure is not None and self.dead >= self.sure:
            raise ValueError(f"`dead` is below `sure`: no score lies between {self.dead:g} and {self.sure:g}")
        if self.strategy == "representatives_pick" and self.column is None:
            raise ValueError("`column` is missing: the representative's rank or tick")
        return self

    @property
    def label(self) -> str:
        """What the strategy is called in results."""
        return self.name or self.strategy

    @property
    def learns(self) -> bool:
        """Whether a fitted model orders the leads."""
        return self.strategy in ("uplift_first", "uplift_value_first") or (
            self.strategy == "by_problem" and self.order is None
        )


class ListConfig(Settings):
    """A list to act on: who would be touched by one strategy."""

    strategy: Label
    treatment: Label | None = Field(None, description="By which arm, where there are several.")
    capacity: int | None = Field(None, ge=1, description="How many touches; absent: `decide.capacity`.")
    leads: str | None = Field(None, description="A file of new leads; absent: the log's own leads.")


class Representative(Settings):
    """One more representative: how many touches, at what fixed cost, in the same period."""

    touches: int = Field(ge=1)
    cost: Money


class DecideConfig(Settings):
    """The team's capacity, and what touches cost."""

    capacity: int | None = Field(None, ge=1, description="Touches that the team has, in one period or in all.")
    leads: int | None = Field(None, ge=1, description="Leads that come in one period; absent: the leads of the log.")
    per: str | None = Field(None, min_length=1, description="The period, in a word: week, month.")
    current: Label | None = Field(None, description="The strategy in use; absent: the first one named.")
    steps: int = Field(20, ge=4, le=200, description="Capacities at which strategies are compared.")
    costs: dict[Label, Money] | None = Field(None, description="Money per touched lead, by arm.")
    representative: Representative | None = None
    assume_no_spillover: bool = Field(
        False, description="Choose leads, not organisations, though organisations were drawn."
    )
    act: ListConfig | None = Field(None, description="Write a list of whom to touch.")

    @model_validator(mode="after")
    def _fits(self) -> DecideConfig:
        if self.capacity is not None and self.leads is not None and self.capacity > self.leads:
            raise ValueError(f"the capacity, {self.capacity:,} touches, is above the {self.leads:,} leads")
        if self.per is not None and self.leads is None:
            raise ValueError(f"`leads` is missing: how many leads come per {self.per}")
        return self


def strategy_misfits(
    strategies: Sequence[StrategyConfig], decide: DecideConfig, learners: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """What is wrong across `strategies`, `decide` and `learners`: the key, and the fault in words."""
    labels = [one.label for one in strategies]
    for place, one in enumerate(strategies):
        if labels.index(one.label) != place:
            yield f"strategies.{place}", f"two strategies are called `{one.label}`: give one a `name`"
        if one.learner is not None and one.learner not in learners:
            yield f"strategies.{place}.learner", f"`{one.learner}` is none; {did_you_mean(one.learner, learners)}"
        if one.learns and not learners:
            yield f"strategies.{place}", f"`{one.label}` needs a learner: `learners: [x]`"


def known_names() -> tuple[str, ...]:
    """Names of the strategies that come with leadlift."""
    names: tuple[Any, ...] = get_args(StrategyName)
    return names
