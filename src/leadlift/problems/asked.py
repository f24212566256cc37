"""What a caller asks of deals and problems, checked before anything is read or fitted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from numbers import Real
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from leadlift.base.problems import Problems, did_you_mean, listed, stop
from leadlift.data.cells import identifiers
from leadlift.problems.deals import DealColumns

WHERE = "the problem model"
# Least and largest value, whether either end is allowed, whether it is a whole number, what to write.
RANGES: dict[str, tuple[float, float, bool, bool, bool, str]] = {
    "q": (0, 1, False, False, False, "0.05"),
    "resamples": (2, math.inf, True, False, True, "20"),
    "stable": (0, 1, False, True, False, "0.75"),
    "least_products": (3, math.inf, True, False, True, "3"),
    "error": (0, 1, False, False, False, "0.01"),
    "noise": (0, 1, True, False, False, "0.15"),
    "concentration": (0, math.inf, False, False, False, "None"),
    "most_organisations": (2, math.inf, True, False, True, "100_000"),
    "most_hidden": (2, math.inf, True, False, True, "20_000"),
    "seed": (0, 2**32 - 2, True, True, True, "0"),
}


def check_settings(settings: Mapping[str, Any]) -> None:
    """Refuses settings of a `ProblemModel` that mean nothing, all of them at once.

    Raises:
        DataError: each is named, with what is allowed.
    """
    problems = Problems(WHERE)
    for name, (low, high, low_too, high_too, whole, example) in RANGES.items():
        value = settings[name]
        if name == "concentration" and value is None:
            continue
        if not _inside(value, low, high, low_too, high_too, whole):
            rule = f"`{name}` is a {'whole ' if whole else ''}number {_range(low, high, low_too, high_too)}"
            problems.add("setting", rule, repr(value), f"write `{name}={example}`")
    resolutions = settings["resolutions"]
    numbers = list(resolutions) if isinstance(resolutions, Iterable) and not isinstance(resolutions, str) else []
    if not numbers or not all(_inside(value, 0, math.inf, False, False, False) for value in numbers):
        rule = "`resolutions` are numbers above 0, at least one"
        problems.add("setting", rule, repr(resolutions), "write `resolutions=(0.5, 1.0, 2.0)`")
    if settings["returns"] not in ("refuse", "drop"):
        rule = '`returns` is "refuse" or "drop"'
        problems.add("setting", rule, repr(settings["returns"]), "write one of them")
    _check_times(settings["as_of"], settings["timezone"], problems)
    problems.stop_if_any()


def deal_columns(given: Mapping[str, str | None] | None) -> DealColumns:
    """Columns of deals by role.

    Raises:
        DataError: a role that there is not.
    """
    roles, problems = [field.name for field in fields(DealColumns)], Problems(WHERE)
    for name in given or {}:
        if name not in roles:
            hint = did_you_mean(str(name), roles)
            problems.add("setting", f"`columns` are named for {listed(roles)}", f"`{name}`", hint)
    problems.stop_if_any()
    values: dict[str, Any] = dict(given or {})
    return DealColumns(**values)


def asked_for(organisations: Any) -> Any:
    """Identifiers that somebody asks for, as identifiers of deals are read.

    Raises:
        DataError: they are no list.
    """
    if isinstance(organisations, str) or not isinstance(organisations, Iterable):
        rule, found = "organisations to answer for are a list of identifiers", repr(organisations)
        raise stop(WHERE, "organisations", rule, found, "put them in a list")
    names = pd.Series(list(organisations))
    return identifiers(names).to_numpy() if len(names) else names.astype("str").to_numpy()


def check_most(most: Any) -> None:
    """Refuses a number of products per organisation that is none.

    Raises:
        DataError: it is not a whole number from 0.
    """
    if not _inside(most, 0, math.inf, True, False, True):
        raise stop(WHERE, "setting", "`most` is a whole number from 0", repr(most), "write `most=3`")


def is_number(value: Any) -> bool:
    """Whether this is a finite number; yes and no are none."""
    return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)


def _inside(value: Any, low: float, high: float, low_too: bool, high_too: bool, whole: bool) -> bool:
    if not is_number(value):
        return False
    number = float(value)
    if whole and not number.is_integer():
        return False
    return (low <= number if low_too else low < number) and (number <= high if high_too else number < high)


def _range(low: float, high: float, low_too: bool, high_too: bool) -> str:
    if high == math.inf:
        return f"from {low:,}" if low_too else f"above {low:,}"
    return f"in {'[' if low_too else '('}{low:,}, {high:,}{']' if high_too else ')'}"


def _check_times(as_of: Any, timezone: Any, problems: Problems) -> None:
    if as_of is not None and not _is_moment(as_of):
        problems.add("as-of", "`as_of` is a day or a time", repr(as_of), "write it as 2026-01-31")
    try:
        if timezone is not None:
            ZoneInfo(timezone)
    except (ValueError, TypeError, KeyError, OSError):
        rule = "`timezone` is a name of the tz database"
        problems.add("timezone", rule, repr(timezone), "write one such as Europe/Berlin")


def _is_moment(value: Any) -> bool:
    try:
        return not pd.isna(pd.Timestamp(value))
    except (ValueError, TypeError):
        return False
