"""Kinds of settings that every configuration is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from leadlift.base.labels import label_text


def _label(value: object) -> object:
    return label_text(value) if isinstance(value, str | int | float) else value


def _name(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Label = Annotated[
    str,
    BeforeValidator(_label),
    Field(min_length=1),
    WithJsonSchema({"type": ["string", "number", "boolean"], "description": "text, a number, or true or false"}),
]
ColumnName = Annotated[
    str, BeforeValidator(_name), Field(min_length=1), WithJsonSchema({"type": ["string", "integer"], "minLength": 1})
]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Settings(BaseModel):
    """Frozen settings; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)
