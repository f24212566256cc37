"""JSON Schema of results.json, from the records it is made of: for those who read it with other programs."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from leadlift.base.record import Record
from leadlift.base.records import StudyResult

PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    # A number that could not be computed is null.
    float: {"type": ["number", "null"]},
    type(None): {"type": "null"},
    Any: {},
}


def results_schema() -> dict[str, Any]:
    """JSON Schema of `StudyResult.to_dict()`: every key of every record, and no other."""
    records: dict[str, Any] = {}
    top = _record(StudyResult, records)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "leadlift results",
        **top,
        "$defs": dict(sorted(records.items())),
    }


def _record(record: type[Record], records: dict[str, Any]) -> dict[str, Any]:
    # Decisions stand in a file of their own, which builds on the records.
    hints = get_type_hints(record)
    names = [field.name for field in fields(record)]
    return {
        "type": "object",
        "description": " ".join((record.__doc__ or "").split("\n\n")[0].split()),
        "properties": {name: _schema(hints[name], records) for name in names},
        "required": names,
        "additionalProperties": False,
    }


def _schema(hint: Any, records: dict[str, Any]) -> dict[str, Any]:
    if is_dataclass(hint) and isinstance(hint, type) and issubclass(hint, Record):
        if hint.__name__ not in records:
            records[hint.__name__] = {}
            records[hint.__name__] = _record(hint, records)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    origin, inside = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(inside)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(part, records) for part in inside]}
    if origin is tuple:
        return {"type": "array", "items": _schema(inside[0], records)}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _schema(inside[1], records)}
    return PLAIN[hint]
