"""Says in the user's words what a configuration gets wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from leadlift.base.errors import ConfigError
from leadlift.base.problems import Problems, did_you_mean, nearest

# What a key should hold, by the kind of failure.
WANTED = {
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "string_pattern_mismatch": "text without slashes and line breaks",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "finite_number": "a finite number",
    "date_type": "a date such as 2027-06-30",
    "date_parsing": "a date such as 2027-06-30",
    "date_from_datetime_parsing": "a date such as 2027-06-30",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "invalid_key": "under a key that is text",
}

# What else to say of a key that is missing.
MORE = {
    "data.propensity": (
        ", the probabilities that the lot was drawn with; without a lot no number can be trusted, and leads can only "
        "be ranked (`list`)"
    ),
}
BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("above", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("below", "lt"),
}


def explain(error: Mapping[str, Any], model: type[BaseModel], problems: Problems) -> None:
    """Adds one failure of `model` to the problems."""
    path = [str(part) for part in error["loc"] if not is_branch(part)]
    name = ".".join(path) or "the configuration"
    kind = error["type"]
    if kind == "extra_forbidden":
        hint = did_you_mean(path[-1], allowed_keys(model, path[:-1]))
        problems.add("unknown-key", "every key is one leadlift knows", f"`{name}`", hint, ConfigError)
    elif kind == "missing":
        fix = f"add `{name}`{MORE.get(name, '')}"
        problems.add("missing-key", "required keys are given", f"`{name}` is missing", fix, ConfigError)
    elif kind == "value_error":
        message = str(error["ctx"]["error"])
        problems.add("value", f"`{name}` can be used", message, f"change `{name}`", ConfigError)
    else:
        problems.add("value", f"`{name}` is {_wanted(error)}", _found(error), _fix(error, name), ConfigError)


def _fix(error: Mapping[str, Any], name: str) -> str:
    """The nearest word where a word is wanted, else which key to change."""
    value = error.get("input")
    words = re.findall(r"'([^']*)'", str(error["ctx"]["expected"])) if error["type"] == "literal_error" else []
    match = nearest(value, words) if isinstance(value, str) else None
    return f"did you mean `{match}`?" if match is not None else f"change `{name}`"


def is_branch(part: object) -> bool:
    """Whether part of a location names a branch of a union (`<text>`), or a mapping's key, and no key of the user's."""
    return (isinstance(part, str) and part.startswith("<") and part.endswith(">")) or part == "[key]"


def allowed_keys(model: type[BaseModel], path: list[str]) -> list[str]:
    """The keys that `model` knows under `path`."""
    inside: list[type[BaseModel]] = []
    for part in path:
        if part.isdigit():
            # A place in a list of settings.
            continue
        if inside:
            # A key of a mapping whose values are settings: the name of an arm, say.
            model, inside = inside[0], []
            continue
        field = model.model_fields.get(part)
        nested = [] if field is None else _models_in(field.annotation)
        if not nested:
            return []
        if field is not None and get_origin(field.annotation) is dict:
            inside = nested
        else:
            model = nested[0]
    return list(model.model_fields)


def _wanted(error: Mapping[str, Any]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "literal_error":
        return str(context["expected"]).replace("'", "`")
    if kind in BOUNDS:
        words, key = BOUNDS[kind]
        return f"{words} {context[key]}"
    if kind == "form":
        return str(error["msg"])
    return WANTED.get(kind, "usable")


def _found(error: Mapping[str, Any]) -> str:
    value = error.get("input")
    if value is None:
        return "found nothing"
    if isinstance(value, bool):
        return f"found {str(value).lower()}"
    if isinstance(value, str | int | float):
        return f"found `{value}`"
    if isinstance(value, Mapping):
        return "found a mapping"
    return "found a list" if isinstance(value, list | tuple) else f"found `{value}`"


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
