"""What `leadlift problems` is told of measured effects: where they are, and what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from leadlift.base.fields import ColumnName, Label, Settings

Finite = Annotated[float, Field(allow_inf_nan=False)]


def _number_or_mechanics(value: object) -> str | None:
    if isinstance(value, Mapping):
        return "<mechanics>"
    return "<number>" if isinstance(value, int | float) and not isinstance(value, bool) else None


BreakEven = Annotated[
    Annotated[Finite, Tag("<number>")] | Annotated[dict[Label, Finite], Tag("<mechanics>")],
    Discriminator(
        _number_or_mechanics,
        custom_error_type="form",
        custom_error_message="a number, or a mapping of mechanics to numbers",
    ),
]


class EffectsFile(Settings):
    """Measured uplift of mechanics on products: a file, or the studies of a ledger.

    A file has a row per study. From a ledger, each experiment's last study counts: its effects by product where it has
    them, else its effect on all leads, for experiments whose product `products` names. An arm is a mechanic.
    """

    file: str | None = Field(None, min_length=1)
    product: ColumnName = "product"
    mechanic: ColumnName = "mechanic"
    effect: ColumnName = "effect"
    se: ColumnName = Field("se", description="Standard error of the effect.")
    n_treatment: ColumnName = Field("n_treatment", description="Leads treated; the column may be absent.")
    n_control: ColumnName = Field("n_control", description="Leads in control; the column may be absent.")
    ledger: str | None = Field(None, min_length=1, description="Ledger whose studies are read instead of a file.")
    outcome: str | None = Field(None, description="Outcome of the ledger's studies; needed where they have several.")
    products: dict[Label, Label] = Field({}, description="Product of each experiment of the ledger.")
    chosen_by: Literal["belief", "lot"] = Field(
        "belief", description="How it was chosen what to try: tried cells are better than others, or they are not."
    )

    @model_validator(mode="after")
    def _one_source(self) -> EffectsFile:
        if (self.file is None) == (self.ledger is None):
            raise ValueError("give `file` or `ledger`, one of them")
        return self


class IdeaRules(Settings):
    """What counts as alike, what pays, and how many hypotheses are wanted."""

    margin: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Largest difference in uplift that doesn't matter, outcome units."
    )
    break_even: BreakEven = Field(0.0, description="Uplift that pays for a touch: one number, or one per mechanic.")
    hypotheses: int = Field(50, ge=1, le=1_000, description="How many to give.")
