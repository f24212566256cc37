"""The configuration of `leadlift problems`: which deals, as of when, and what counts as a problem."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from leadlift.base.config import Tracking, without_password
from leadlift.base.deals_config import DealsFile, published_deals
from leadlift.base.fields import Settings
from leadlift.base.idea_config import EffectsFile, IdeaRules
from leadlift.base.settings import parse_settings
from leadlift.base.yaml import read_yaml


class ProblemRules(Settings):
    """What counts as a problem."""

    false_discovery_rate: float = Field(0.05, gt=0, lt=0.5, description="Of intersections (Benjamini-Yekutieli).")
    resamples: int = Field(20, ge=2, le=500, description="How often organisations are drawn anew.")
    stable: float = Field(0.75, gt=0, le=1, description="Least mean similarity with its like in the resamples.")
    least_products: int = Field(3, ge=3)
    error: float = Field(0.01, gt=0, lt=0.5, description="Chance to claim a problem where there is none.")


class Upsell(Settings):
    """Next products per organisation."""

    products: int = Field(3, ge=0, le=50, description="How many per organisation; 0: none.")


class ProblemsConfig(Settings):
    """One search for problems: one source of deals, one configuration, one MLflow run."""

    version: Literal[1] = 1
    name: str = Field("problems", min_length=1, pattern=r"^[^/\\\x00]+$", description="Absent: the file's name.")
    deals: DealsFile
    as_of: date | None = Field(None, description="Deals closed or known on this day or later are left out.")
    problems: ProblemRules = ProblemRules()
    upsell: Upsell = Upsell()
    previous: str | None = Field(
        None, min_length=1, description="`problem_model.json` of an earlier search, whose names problems keep."
    )
    effects: EffectsFile | None = Field(None, description="Measured uplift by product and mechanic.")
    ideas: IdeaRules = IdeaRules()
    seed: int = Field(0, ge=0)
    tracking: Tracking = Tracking()

    def published(self) -> dict[str, Any]:
        """The settings as plain values; paths reduced to file names, passwords left out."""
        values = self.model_dump(mode="json")
        values["deals"] = published_deals(values["deals"])
        values["previous"] = None if self.previous is None else Path(self.previous).name
        for name in ("file", "ledger") if self.effects is not None else ():
            path = values["effects"][name]
            values["effects"][name] = None if path is None else Path(path).name
        if self.tracking.uri is not None:
            values["tracking"]["uri"] = without_password(self.tracking.uri)
        return values

    def for_digest(self) -> dict[str, Any]:
        """What the numbers depend on: tracking and the path of the deals left out."""
        values = self.published()
        del values["tracking"], values["previous"]
        for name in ("file", "ledger", "source"):
            del values["deals"][name]
        if self.effects is not None:
            del values["effects"]["file"], values["effects"]["ledger"]
        return values


def parse_problems(values: Mapping[str, Any], where: str = "the configuration") -> ProblemsConfig:
    """Checks plain values and freezes them.

    Raises:
        ConfigError: unknown, missing or unusable keys, all of them named.
    """
    return parse_settings(ProblemsConfig, dict(values), where)


def read_problems(path: str | Path) -> ProblemsConfig:
    """The search for problems that a YAML file configures.

    Raises:
        FileError: the file isn't there or can't be read.
        ConfigError: something in it can't be used.
    """
    path = Path(path)
    return parse_problems({"name": path.stem, **read_yaml(path)}, where=path.name)
