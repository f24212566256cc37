"""The record that every result is: frozen, and turned into plain JSON values by one `to_dict()`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar


class Record:
    """A frozen dataclass that turns into plain JSON values; missing numbers become null."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """The record as plain values: dicts, lists, text, numbers, booleans and None."""
        return {name: plain(getattr(self, name)) for name in self.__dataclass_fields__}


def plain(value: Any) -> Any:
    """A value as JSON can hold it: records and arrays opened, NaN and infinities as None."""
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def known(value: float) -> float | None:
    """A number, or None where it is NaN or infinite."""
    return float(value) if math.isfinite(value) else None
