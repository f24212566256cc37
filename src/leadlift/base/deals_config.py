"""Where deals are, and where client problems come from in a study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from leadlift.base.fields import ColumnName, Settings
from leadlift.base.tables import Timezone


class DealsFile(Settings):
    """A file of deals, and how its columns are called; or a ledger's deals. Without `won` every row is a deal won."""

    file: str | None = Field(None, min_length=1)
    ledger: str | None = Field(None, min_length=1, description="Ledger whose deals are read instead of a file.")
    organisation: ColumnName = "organisation_id"
    product: ColumnName = "product"
    closed_at: ColumnName | None = "closed_at"
    known_at: ColumnName | None = "known_at"
    won: ColumnName | None = "won"
    amount: ColumnName | None = Field("amount", description="Money, or a quantity: below 0 it is a return.")
    returns: Literal["refuse", "drop"] = Field("refuse", description="What to do with returns.")
    timezone: Timezone | None = None
    source: str | None = Field(None, description="Where to get the file.")

    @model_validator(mode="after")
    def _one_source(self) -> DealsFile:
        if (self.file is None) == (self.ledger is None):
            raise ValueError("give `file` or `ledger`, one of them")
        named = self.model_fields_set - {"file", "ledger", "returns"}
        if self.ledger is not None and named:
            raise ValueError(f"a ledger's deals have columns of their own: leave out `{sorted(named)[0]}`")
        return self

    @property
    def columns(self) -> dict[str, str | None]:
        """The deals' own names of columns by role."""
        roles = {"organisation", "product", "closed_at", "known_at", "won", "amount"}
        return self.model_dump(include=roles)


def published_deals(values: Mapping[str, Any]) -> dict[str, Any]:
    """A deals' settings as plain values, paths reduced to file names."""
    paths = {name: None if values[name] is None else Path(values[name]).name for name in ("file", "ledger")}
    return {**values, **paths}


class ProblemSource(Settings):
    """Client problems in a study or an experiment: a saved problem model, and deals to apply it to.

    Each organisation's mixture and main problem are made from the model and the deals known before its leads are
    assigned. What was logged at assignment is used as it is.
    """

    model: str = Field(min_length=1, description="`problem_model.json`, which `leadlift problems` saved.")
    deals: DealsFile | None = Field(None, description="Deals to make mixtures from; a ledger has its own.")
    assigned_at: ColumnName | None = Field(None, description="Column of a log: when the lead was assigned.")
    features: bool = Field(True, description="Whether learners see the mixture.")


def published_source(source: ProblemSource | None) -> dict[str, Any]:
    """The settings under their key, paths reduced to file names; nothing where there are none."""
    if source is None:
        return {}
    values = source.model_dump(mode="json")
    deals = None if source.deals is None else published_deals(values["deals"])
    return {"problems": {**values, "model": Path(source.model).name, "deals": deals}}


def without_paths(values: Mapping[str, Any]) -> dict[str, Any]:
    """Published settings less the problem source's files; without one, less its empty key."""
    source = values.get("problems")
    if source is None:
        return {name: value for name, value in values.items() if name != "problems"}
    deals = source["deals"]
    if deals is not None:
        deals = {name: value for name, value in deals.items() if name not in ("file", "ledger", "source")}
    return {**values, "problems": {**{name: source[name] for name in ("assigned_at", "features")}, "deals": deals}}
