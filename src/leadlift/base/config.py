"""A study's configuration: frozen, checked once, every failure at once, unknown keys refused with the nearest name."""

from __future__ import annotations

import itertools
import types
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from leadlift.base.errors import ConfigError
from leadlift.base.problems import Problems, did_you_mean

LearnerName = Literal["t", "x"]


def _label(value: object) -> object:
    """Arm labels may be text, integers or booleans; they all become text."""
    return str(value) if isinstance(value, bool | int) else value


Label = Annotated[str, BeforeValidator(_label), Field(min_length=1)]


class Settings(BaseModel):
    """Frozen settings; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class TreatmentColumn(Settings):
    """The column that holds the arm, and which arm is control."""

    column: str
    control: Label


class OutcomeColumn(Settings):
    """The column that holds the outcome; `positive` names the value that counts as 1 when it holds two words."""

    column: str
    positive: Label | None = None


class StratumShares(Settings):
    """Arm shares that differ between strata: a stratum's shares add up to 1."""

    by_stratum: dict[Label, dict[Label, float]]


Propensity = str | StratumShares | dict[Label, float | str]


class DataConfig(Settings):
    """Where the log is, and which of its columns means what."""

    log: str = Field(description="CSV or Parquet file: beside this file, else in the folder LEADLIFT_DATA names.")
    source: str | None = Field(None, description="Where to get the file; printed when it is absent.")
    treatment: str | TreatmentColumn = Field(description="Column of the arm that the lot assigned.")
    control: Label | None = Field(None, description="The arm that is not touched.")
    propensity: Propensity = Field(
        description="P(arm): a number per arm, a column per arm, the treated arm's column, or shares by stratum."
    )
    outcome: str | OutcomeColumn = Field(description="Outcome column: 0/1, yes/no, a count or money.")
    features: list[str] | None = Field(None, description="Columns known before assignment; absent: all others.")
    lead_id: str | None = None
    organisation: str | None = Field(None, description="The client; leads of one client are not independent.")
    score: str | None = Field(None, description="Conversion score known before assignment, in [0, 1].")
    stratum: str | None = Field(None, description="The cell inside which the lot was drawn.")
    value: str | None = Field(None, description="Money an outcome is worth, per lead.")
    cost: str | None = Field(None, description="Cost of the touch, per lead.")
    timezone: str | None = None

    @model_validator(mode="after")
    def _control_is_named(self) -> DataConfig:
        if self.control is None and not isinstance(self.treatment, TreatmentColumn):
            raise ValueError("`control` is missing: name the arm that is not touched")
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
        names = ("features", "lead_id", "organisation", "score", "stratum", "value", "cost")
        return {
            "treatment": column,
            "control": control,
            "propensity": propensity,
            "outcome": outcome,
            "positive": positive,
            **{name: getattr(self, name) for name in names},
        }


class ScoreGroups(Settings):
    """How scores become groups: at fixed cuts, or at quantiles of this log's scores."""

    cuts: list[float] | None = None
    quantiles: list[float] | None = None
    names: list[str] = ["low", "medium", "high"]

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


class StudyConfig(Settings):
    """One study: one log, one configuration, one MLflow run."""

    version: Literal[1] = 1
    name: str = Field("study", min_length=1, pattern=r"^[^/\\\x00]+$", description="Absent: the file's name.")
    data: DataConfig | None = Field(None, description="May be absent only where `run_study` is given a log.")
    score_groups: ScoreGroups = ScoreGroups()
    learners: list[LearnerName] = ["t", "x"]
    folds: int = Field(5, ge=2, le=20, description="Folds of organisations for out-of-fold predictions.")
    seed: int = Field(0, ge=0, description="Seed of folds, learners and simulated critical values.")
    tracking: Tracking = Tracking()

    @model_validator(mode="after")
    def _learners_once(self) -> StudyConfig:
        if len(set(self.learners)) != len(self.learners):
            raise ValueError("`learners` names one learner twice")
        return self

    def published(self) -> dict[str, Any]:
        """The settings as plain values, for results.json and MLflow; paths reduced to file names."""
        values = self.model_dump(mode="json")
        if self.data is not None:
            values["data"]["log"] = Path(self.data.log).name
        return values

    def for_digest(self) -> dict[str, Any]:
        """What the study's numbers depend on: tracking and the path of the log left out."""
        values = self.published()
        del values["tracking"]
        if values["data"] is not None:
            del values["data"]["log"], values["data"]["source"]
        return values


def parse_config(values: object, where: str = "the configuration") -> StudyConfig:
    """Checks plain values and freezes them.

    Raises:
        ConfigError: unknown, missing or unusable keys, all of them named.
    """
    try:
        return StudyConfig.model_validate(values)
    except ValidationError as error:
        problems = Problems(where)
        for item in error.errors():
            _explain(item, problems)
        problems.stop_if_any()
        raise


def json_schema() -> dict[str, Any]:
    """JSON Schema of a configuration, for editors."""
    schema = StudyConfig.model_json_schema()
    schema["title"] = "leadlift study"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _explain(item: Any, problems: Problems) -> None:
    path = [str(part) for part in item["loc"] if not _is_union_branch(str(part))]
    name = ".".join(path) or "(top)"
    if item["type"] == "extra_forbidden":
        allowed = _allowed_keys(path[:-1])
        problems.add(
            "unknown-key",
            "every key is one leadlift knows",
            f"`{name}`",
            did_you_mean(path[-1], allowed),
            ConfigError,
        )
        return
    if item["type"] == "missing":
        problems.add("missing-key", "required keys are given", f"`{name}` is missing", f"add `{name}`", ConfigError)
        return
    found = item.get("input")
    shown = f" (found {found!r})" if isinstance(found, str | int | float | bool) or found is None else ""
    message = item["msg"].removeprefix("Value error, ")
    problems.add("value", f"`{name}` can be used", f"{message}{shown}", f"change `{name}`", ConfigError)


def _is_union_branch(part: str) -> bool:
    # pydantic puts the name of the tried type into the location of a union's errors.
    return part[:1].isupper() or part in ("str", "float", "int") or part.startswith(("dict[", "function-"))


def _allowed_keys(path: list[str]) -> list[str]:
    model: type[BaseModel] = StudyConfig
    for part in path:
        nested = _models_in(model.model_fields[part].annotation) if part in model.model_fields else []
        if not nested:
            return []
        model = nested[0]
    return list(model.model_fields)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (types.UnionType, None) or get_args(annotation):
        return [model for part in get_args(annotation) for model in _models_in(part)]
    return []
