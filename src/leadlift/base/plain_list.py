"""Settings of a list without a lot: leads from a file, ranked by one rule; a list to act on that is no evidence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from leadlift.base.config import ScoreGroups
from leadlift.base.errors import ConfigError
from leadlift.base.fields import ColumnName, Settings
from leadlift.base.problems import stop
from leadlift.base.settings import parse_settings
from leadlift.base.strategies import StrategyConfig

KEY = "list"
REFERENCES = ("everyone", "no_one")


class PlainList(Settings):
    """Which leads are ranked, by which rule, and how many are listed."""

    leads: str = Field(description="CSV or Parquet file: beside this file, else in the folder LEADLIFT_DATA names.")
    source: str | None = Field(None, description="Where to get the file; printed when it is absent.")
    strategy: StrategyConfig = Field(description="The rule that ranks: its name, or with its settings.")
    capacity: int = Field(ge=1, description="How many touches.")
    lead_id: ColumnName | None = Field(None, description="Column of identifiers; absent: the row's number, from 0.")
    organisation: ColumnName | None = Field(None, description="Touch organisations whole; absent: lead by lead.")
    score: ColumnName | None = Field(None, description="Column of scores, for rules that follow one.")

    @model_validator(mode="after")
    def _ranks_without_a_lot(self) -> PlainList:
        if self.strategy.learns:
            raise ValueError(
                f"{self.strategy.strategy} follows a model of uplift, which is learnt from a log that was drawn: "
                "`decide.act` of a study lists by it"
            )
        if self.strategy.strategy in REFERENCES:
            raise ValueError(f"{self.strategy.strategy} puts no lead before another; name a rule, or `random`")
        return self


class PlainListConfig(Settings):
    """One list: no log, no lot, no study."""

    version: Literal[1] = 1
    name: str = Field("list", min_length=1, pattern=r"^[^/\\\x00-\x1f\x7f]+$", description="Absent: the file's name.")
    list: PlainList
    score_groups: ScoreGroups = ScoreGroups()
    seed: int = Field(0, ge=0, description="Seed of the draw among leads that a rule can't tell apart.")

    def published(self) -> dict[str, Any]:
        """The settings as plain values; paths reduced to file names."""
        values = self.model_dump(mode="json", exclude_none=True)
        values["list"]["leads"] = Path(self.list.leads).name
        return values


def parse_plain_list(values: Mapping[str, Any], where: str = "the configuration") -> PlainListConfig:
    """Checks plain values and freezes them.

    Raises:
        ConfigError: unknown, missing or unusable keys, all of them named; a study's log beside the list.
    """
    beside = [key for key in ("data", "experiment", "ledger") if key in values]
    if beside:
        raise stop(
            where,
            "list-and-study",
            "a configuration is of one thing",
            f"`list` ranks leads without a lot, and `{beside[0]}` is of a log that was drawn",
            "keep one; a study lists by `decide.act`",
            ConfigError,
        )
    return parse_settings(PlainListConfig, dict(values), where)
