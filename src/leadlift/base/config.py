"""A study's configuration: frozen, checked once, every failure at once, unknown keys refused with the nearest name."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import (
    BaseModel,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from leadlift.base.deals_config import ProblemSource, published_source, without_paths
from leadlift.base.errors import ConfigError, DataError, LeadliftError
from leadlift.base.fields import ColumnName, Label, Settings
from leadlift.base.learner_options import LearnerName, LearnerOptions
from leadlift.base.problems import did_you_mean, stop
from leadlift.base.settings import parse_settings, raise_found
from leadlift.base.strategies import DecideConfig, StrategyConfig, ValueConfig, strategy_misfits


class TreatmentColumn(Settings):
    """The column that holds the arm, and which arm is control."""

    column: ColumnName
    control: Label


class OutcomeColumn(Settings):
    """The column that holds the outcome; `positive` names the value that counts as 1 when it holds two words."""

    column: ColumnName
    positive: Label | None = None


class StratumShares(Settings):
    """Arm shares that differ between strata: a stratum's shares add up to 1."""

    by_stratum: dict[Label, dict[Label, float]]


def _column_or_mapping(value: object) -> str | None:
    if isinstance(value, Mapping | BaseModel):
        return "<mapping>"
    return "<text>" if isinstance(value, str | int) and not isinstance(value, bool) else None


def _number_or_column(value: object) -> str | None:
    if isinstance(value, str):
        return "<text>"
    return "<number>" if isinstance(value, int | float) and not isinstance(value, bool) else None


def _propensity_form(value: object) -> str | None:
    if isinstance(value, StratumShares) or (isinstance(value, Mapping) and "by_stratum" in value):
        return "<by stratum>"
    if isinstance(value, Mapping):
        nested = bool(value) and all(isinstance(shares, Mapping) for shares in value.values())
        return "<strata>" if nested else "<arms>"
    return "<text>" if isinstance(value, str) else None


def _one_of(choose: Callable[[object], str | None], wanted: str) -> Any:
    """A union whose branch the value's form decides, so that only that branch's failures are told."""
    return Discriminator(choose, custom_error_type="form", custom_error_message=wanted)


Text = Annotated[ColumnName, Tag("<text>")]
ArmPropensity = Annotated[
    Annotated[float, Tag("<number>")] | Text, _one_of(_number_or_column, "a number, or the name of a column")
]
Propensity = Annotated[
    Text
    | Annotated[StratumShares, Tag("<by stratum>")]
    | Annotated[dict[Label, dict[Label, float]], Tag("<strata>")]
    | Annotated[dict[Label, ArmPropensity], Tag("<arms>")],
    _one_of(_propensity_form, "a mapping of each arm to its share or column, or the column of P(treated)"),
]
Treatment = Annotated[
    Text | Annotated[TreatmentColumn, Tag("<mapping>")],
    _one_of(_column_or_mapping, "the name of a column, or a mapping of `column` and `control`"),
]
Outcome = Annotated[
    Text | Annotated[OutcomeColumn, Tag("<mapping>")],
    _one_of(_column_or_mapping, "the name of a column, or a mapping of `column` and `positive`"),
]


class DataConfig(Settings):
    """Where the log is, and which of its columns means what."""

    log: str = Field(description="CSV or Parquet file: beside this file, else in the folder LEADLIFT_DATA names.")
    source: str | None = Field(None, description="Where to get the file; printed when it is absent.")
    treatment: Treatment = Field(description="Column of the arm that the lot assigned.")
    control: Label | None = Field(None, description="The arm that is not touched.")
    propensity: Propensity = Field(
        description="P(arm): a number per arm, a column per arm, the treated arm's column, or shares by stratum."
    )
    outcome: Outcome = Field(description="Outcome column: 0/1, yes/no, a count or money.")
    features: list[ColumnName] | None = Field(None, description="Columns known before assignment; absent: all others.")
    lead_id: ColumnName | None = None
    organisation: ColumnName | None = Field(None, description="The client; leads of one client are not independent.")
    score: ColumnName | None = Field(None, description="Conversion score known before assignment, in [0, 1].")
    stratum: ColumnName | None = Field(None, description="The cell inside which the lot was drawn.")
    block: ColumnName | None = Field(
        None, description="The permuted block that the lot was drawn in: kept whole wherever leads are held back."
    )
    weight: ColumnName | None = Field(None, description="How many leads each stands for, where some were left out.")
    problem: ColumnName | None = Field(None, description="The main client problem logged at assignment: a segment.")
    value: ColumnName | None = Field(None, description="Money an outcome is worth, per lead.")
    cost: ColumnName | None = Field(None, description="Cost of the touch, per lead.")
    timezone: str | None = Field(None, description="Zone of times that carry none, such as Europe/Berlin; absent: UTC.")

    @field_validator("timezone")
    @classmethod
    def _zone_is_known(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError(f"`{name}` is no time zone; {did_you_mean(name, sorted(available_timezones()))}")
        return name

    @model_validator(mode="after")
    def _control_is_named(self) -> DataConfig:
        beside = self.treatment.control if isinstance(self.treatment, TreatmentColumn) else None
        if self.control is None and beside is None:
            raise ValueError("`control` is missing: name the arm that is not touched")
        if self.control is not None and beside is not None and self.control != beside:
            raise ValueError(f"`control` is `{self.control}` but `treatment.control` is `{beside}`: keep one")
        return self

    def log_arguments(self) -> dict[str, Any]:
        """The arguments of `AssignmentLog.from_frame`."""
        treatment = self.treatment
        column = treatment.column if isinstance(treatment, TreatmentColumn) else treatment
        control = self.control if self.control is not None else getattr(treatment, "control", None)
        outcome = self.outcome if isinstance(self.outcome, str) else self.outcome.column
        positive = None if isinstance(self.outcome, str) else self.outcome.positive
        propensity: Any = self.propensity
        if isinstance(propensity, StratumShares):
            propensity = propensity.by_stratum
        names = (
            "features",
            "lead_id",
            "organisation",
            "score",
            "stratum",
            "block",
            "weight",
            "problem",
            "value",
            "cost",
        )
        return {
            "treatment": column,
            "control": control,
            "propensity": propensity,
            "outcome": outcome,
            "positive": positive,
            "timezone": self.timezone,
            **{name: getattr(self, name) for name in names},
        }


class ScoreGroups(Settings):
    """How scores become groups: at fixed cuts, or at quantiles of this log's scores."""

    cuts: list[float] | None = None
    quantiles: list[float] | None = None
    names: list[Label] = Field(["low", "medium", "high"])

    @model_validator(mode="after")
    def _one_way(self) -> ScoreGroups:
        if self.cuts is not None and self.quantiles is not None:
            raise ValueError("give `cuts` or `quantiles`, not both")
        edges = self.edges
        if any(not 0 < edge < 1 for edge in edges):
            raise ValueError("cuts and quantiles lie between 0 and 1")
        if any(a >= b for a, b in itertools.pairwise(edges)):
            raise ValueError("cuts and quantiles must rise")
        if len(self.names) != len(edges) + 1:
            raise ValueError(f"{len(edges)} cuts make {len(edges) + 1} groups, but `names` has {len(self.names)}")
        if len(set(self.names)) != len(self.names):
            raise ValueError("group names must differ")
        return self

    @property
    def edges(self) -> list[float]:
        """The cuts or quantiles given; without either, equal shares."""
        given = self.cuts if self.cuts is not None else self.quantiles
        if given is not None:
            return given
        return [k / len(self.names) for k in range(1, len(self.names))]


class Tracking(Settings):
    """Where MLflow keeps runs. MLFLOW_TRACKING_URI is used when `uri` is absent; else sqlite under mlruns/."""

    uri: str | None = None
    experiment: str | None = None
    leads: bool = Field(True, description="Whether leads.parquet goes into the run.")


class Analysis(Settings):
    """What is asked of a log, wherever it comes from."""

    score_groups: ScoreGroups = ScoreGroups()
    learners: list[LearnerName] = Field(["t", "x"])
    learner_options: LearnerOptions = LearnerOptions()
    folds: int = Field(5, ge=2, le=20, description="Folds of organisations for out-of-fold predictions.")
    repeats: int = Field(1, ge=1, le=100, description="Draws of the folds; predictions are means over them.")
    seed: int = Field(0, ge=0, description="Seed of folds, learners and simulated critical values.")
    strategies: list[StrategyConfig] = Field([], description="Rules of whom to touch, to be compared.")
    decide: DecideConfig = DecideConfig()
    value: ValueConfig | None = Field(None, description="What an outcome is worth.")
    problems: ProblemSource | None = Field(
        None, description="Client problems: a saved model, and deals to apply it to."
    )
    tracking: Tracking = Tracking()

    @model_validator(mode="after")
    def _learners_once(self) -> Self:
        if len(set(self.learners)) != len(self.learners):
            raise ValueError("`learners` names one learner twice")
        idle = [name for name in self.learner_options.arguments() if name not in self.learners]
        if idle:
            raise ValueError(f"`learner_options` names `{idle[0]}`, which `learners` does not")
        return self

    @model_validator(mode="after")
    def _strategies_fit(self) -> Self:
        raise_found(strategy_misfits(self.strategies, self.decide, self.learners))
        return self


class StudyConfig(Analysis):
    """One study: one log, one configuration, one MLflow run."""

    version: Literal[1] = 1
    name: str = Field("study", min_length=1, pattern=r"^[^/\\\x00-\x1f\x7f]+$", description="Absent: the file's name.")
    data: DataConfig | None = Field(None, description="May be absent only where `run_study` is given a log.")

    @model_validator(mode="after")
    def _problems_of_leads(self) -> Self:
        if self.problems is not None and self.data is not None:
            raise_found(self._problem_misfits(self.problems, self.data))
        return self

    @staticmethod
    def _problem_misfits(source: ProblemSource, data: DataConfig) -> Iterator[tuple[str, str]]:
        if source.deals is None:
            if data.problem is None:
                yield (
                    "problems",
                    "name the leads' problem (`data.problem`), or the deals that it is made from (`deals`)",
                )
            elif source.assigned_at is not None:
                yield "problems.assigned_at", "without `deals` nothing is made as of an assignment: leave it out"
            return
        if source.assigned_at is None:
            yield "problems.assigned_at", "deals count until a lead was assigned: name the column that says when"
        if data.organisation is None:
            yield "data.organisation", "deals are of organisations: name the leads' column"

    def published(self) -> dict[str, Any]:
        """The settings as plain values, for results.json and MLflow; paths reduced to file names."""
        values = self.model_dump(mode="json")
        if self.data is not None:
            values["data"]["log"] = Path(self.data.log).name
        values |= published_source(self.problems)
        if self.tracking.uri is not None:
            values["tracking"]["uri"] = without_password(self.tracking.uri)
        return values

    def for_digest(self) -> dict[str, Any]:
        """What the study's numbers depend on: tracking and the path of the log left out."""
        values = self.published()
        del values["tracking"]
        if values["data"] is not None:
            del values["data"]["log"], values["data"]["source"]
        return without_paths(values)


def without_password(text: str) -> str:
    """A URI, or text that quotes one, less its user and password.

    >>> without_password("postgresql://ann:s3cret@db/mlflow")
    'postgresql://db/mlflow'
    """
    return re.sub(r"//\S*@", "//", text)


def parse_config(values: object, where: str = "the configuration") -> StudyConfig:
    """Checks plain values and freezes them.

    Raises:
        ConfigError: unknown, missing or unusable keys, all of them named.
    """
    given = values if isinstance(values, Mapping) else {}
    if "list" in given:
        rule, fix = "a study is of a log that was drawn", "`leadlift run` writes the list; drop `list` for a study"
        raise stop(where, "list", rule, "`list` ranks leads without a lot", fix, ConfigError)
    data = given.get("data")
    if isinstance(data, Mapping) and not {"treatment", "propensity"} & set(data):
        raise not_randomised(
            where,
            "`data` names neither `treatment` nor `propensity`; without a lot, whoever was touched was chosen, and the "
            "choice is in the outcomes",
            "name both, or draw a lot first (`leadlift assign`); leads can still be ranked: `list` in place of `data`",
            ConfigError,
        )
    return parse_settings(StudyConfig, values, where)


def not_randomised(where: str, found: str, fix: str, error: type[LeadliftError] = DataError) -> LeadliftError:
    """Why leads that were not drawn are no evidence of what a touch brings."""
    rule = "what a touch brings rests on a lot: who was touched was drawn, with known probabilities"
    return stop(where, "not-randomised", rule, found, fix, error)


def json_schema(settings: type[Settings] = StudyConfig, title: str = "leadlift study") -> dict[str, Any]:
    """JSON Schema of a configuration, a study's unless others are named, for editors."""
    schema = {**settings.model_json_schema(), "title": title}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_any_of(schema)}


def _any_of(schema: Any) -> Any:
    # pydantic writes `oneOf`, but 1 is both a number and an integer: editors would refuse it.
    if isinstance(schema, dict):
        return {"anyOf" if key == "oneOf" else key: _any_of(value) for key, value in schema.items()}
    return [_any_of(item) for item in schema] if isinstance(schema, list) else schema
