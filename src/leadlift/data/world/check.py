"""Every problem in a `WorldConfig`, collected and raised once."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from leadlift.base.errors import ConfigError
from leadlift.base.problems import Problems, did_you_mean, listed
from leadlift.data.world.mechanics import Mechanic

if TYPE_CHECKING:
    from leadlift.data.world.config import WorldConfig

PRESETS = ("fence_sitters", "likeliest", "unrelated", "null")
MOST_PRODUCTS = 1_000

# name: (least, most, whole number). An open lower end is written as the least positive number.
_TINY = 5e-324
_RANGES: dict[str, tuple[float, float, bool]] = {
    "leads": (1, 100_000_000, True),
    "leads_per_organisation": (1, math.inf, False),
    "late_share": (0, 0.9, False),
    "problems": (1, MOST_PRODUCTS // 3, True),
    "products": (3, MOST_PRODUCTS, True),
    "mixture_concentration": (_TINY, math.inf, False),
    "problem_signal": (0, 1, False),
    "chain_strength": (0, 1, False),
    "firmographic_signal": (0, 1, False),
    "history_days": (1, 36_500, True),
    "deals_per_organisation": (0, 100, False),
    "lost_share": (0, 1, False),
    "season": (0, 0.9, False),
    "price": (_TINY, math.inf, False),
    "price_spread": (0, 3, False),
    "lead_days": (1, 3_650, True),
    "base_rate": (0.001, 0.6, False),
    "score_quality": (0, 1, False),
    "organisation_sd": (0, 5, False),
    "product_sd": (0, 5, False),
    "missing": (0, 0.5, False),
    "effect_size": (0, 10, False),
    "mechanic_affinity": (0, 1, False),
    "contamination": (0, 1, False),
    "missed": (0, 1, False),
    "spillover": (0, 1, False),
    "touch_days": (_TINY, math.inf, False),
    "first_close_days": (_TINY, math.inf, False),
    "window_days": (1, 3_650, False),
    "closed_in_window": (0.5, 1, False),
    "booking_lag_days": (0, 365, False),
    "lost_recorded": (0, 1, False),
    "unlinked_share": (0, 1, False),
    "other_deals": (0, 20, False),
    "reps": (1, 100_000, True),
}


def check_config(config: WorldConfig) -> None:
    """Stops on whatever is wrong with `config`, all at once.

    Raises:
        ConfigError: one or more parameters can't be used; every one is named.
    """
    problems = Problems("the configuration of the World")
    usable = {name: _in_range(problems, config, name) for name in _RANGES}
    _check_names(problems, config)
    _check_organisations(problems, config)
    _check_mechanics(problems, config.mechanics, config.contamination_mechanic)
    if usable["products"] and usable["problems"] and config.products < 3 * config.problems:
        _add(
            problems,
            "products",
            "each problem has three products or more",
            f"{config.products} products for {config.problems} problems",
            f"products={3 * config.problems} or more",
        )
    _check_times(problems, config, usable)
    problems.stop_if_any()


def _add(problems: Problems, name: str, rule: str, found: str, fix: str) -> None:
    problems.add(f"world-{name.replace('_', '-')}", rule, found, fix, ConfigError)


def is_number(value: Any, *, whole: bool) -> bool:
    """Whether `value` is a finite number, and a whole one if that is asked.

    >>> is_number(3.0, whole=False), is_number(3.5, whole=True), is_number("3", whole=True), is_number(True, whole=True)
    (True, False, False, False)
    """
    if isinstance(value, bool):
        return False
    if whole:
        return hasattr(value, "__index__")
    return hasattr(value, "__float__") and math.isfinite(float(value))


def _in_range(problems: Problems, config: WorldConfig, name: str) -> bool:
    least, most, whole = _RANGES[name]
    value = getattr(config, name)
    if is_number(value, whole=whole) and least <= value <= most:
        return True
    rule = f"`{name}` is a {'whole ' if whole else ''}number {_interval(least, most)}"
    _add(problems, name, rule, f"{name}={value!r}", _nearest_allowed(value, name))
    return False


def _interval(least: float, most: float) -> str:
    low = "above 0" if least == _TINY else f"from {least:g}"
    return low if most == math.inf else f"{low} to {most:,.9g}"


def _nearest_allowed(value: Any, name: str) -> str:
    least, most, whole = _RANGES[name]
    if whole and isinstance(value, float) and value.is_integer() and least <= value <= most:
        return f"{name}={int(value)}"
    if is_number(value, whole=whole) and value > most:
        return f"{name}={most:.9g} or less"
    return f"a {name} above 0" if least == _TINY else f"{name}={least:g} or more"


def _check_names(problems: Problems, config: WorldConfig) -> None:
    if config.preset not in PRESETS:
        _add(
            problems,
            "preset",
            f"`preset` is one of {listed(PRESETS)}",
            f"preset={config.preset!r}",
            did_you_mean(str(config.preset), PRESETS),
        )
    if not isinstance(config.currency, str) or not config.currency.strip():
        _add(problems, "currency", "`currency` is a code", f"currency={config.currency!r}", 'currency="EUR"')
    if not isinstance(config.start, str) or pd.isna(pd.to_datetime(config.start, format="%Y-%m-%d", errors="coerce")):
        _add(problems, "start", "`start` is a day", f"start={config.start!r}", 'start="2024-01-01"')


def _check_organisations(problems: Problems, config: WorldConfig) -> None:
    number = config.organisations
    if number is not None and not (is_number(number, whole=True) and number >= 1):
        rule = "`organisations` is a whole number from 1, or None for as many as the leads need"
        _add(problems, "organisations", rule, f"organisations={number!r}", "organisations=None")


def _check_mechanics(problems: Problems, mechanics: tuple[Mechanic, ...], contaminating: str) -> None:
    others = [mechanic for mechanic in mechanics if not isinstance(mechanic, Mechanic)]
    if others:
        _add(problems, "mechanics", "a mechanic is a `Mechanic`", f"{others[0]!r}", 'Mechanic("call", 35.0, 1.0)')
        return
    names = [mechanic.name for mechanic in mechanics]
    if not names:
        _add(problems, "mechanics", "sales can do something", "no mechanics", "leave out `mechanics`")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        _add(problems, "mechanics", "each mechanic is named once", f"twice: {listed(twice)}", "rename one")
    for mechanic in mechanics:
        _check_mechanic(problems, mechanic)
    if names and contaminating not in names:
        _add(
            problems,
            "contamination_mechanic",
            f"`contamination_mechanic` is one of {listed(names)}",
            f"contamination_mechanic={contaminating!r}",
            did_you_mean(str(contaminating), names),
        )


def _check_mechanic(problems: Problems, mechanic: Mechanic) -> None:
    for name, least in (("cost", 0.0), ("strength", 0.0), ("amount_factor", _TINY)):
        value = getattr(mechanic, name)
        if not (is_number(value, whole=False) and value >= least):
            rule = f"a mechanic's `{name}` is a number {_interval(least, math.inf)}"
            _add(problems, "mechanics", rule, f"{mechanic.name}: {name}={value!r}", f"another {name}")


def _check_times(problems: Problems, config: WorldConfig, usable: dict[str, bool]) -> None:
    if not all(usable[name] for name in ("touch_days", "first_close_days", "window_days")):
        return
    if not config.touch_days < config.first_close_days < config.window_days:
        _add(
            problems,
            "times",
            "a lead is touched before it can close, and can close before its window does",
            f"touch_days={config.touch_days:g}, first_close_days={config.first_close_days:g}, "
            f"window_days={config.window_days:g}",
            "touch_days < first_close_days < window_days",
        )


def check_names(names: Iterable[str], config: type[WorldConfig]) -> None:
    """Stops on parameters that the configuration does not have, with the nearest name of each.

    Raises:
        ConfigError: one or more unknown names.
    """
    allowed = [field.name for field in dataclasses.fields(config)]
    problems = Problems("the configuration of the World")
    for name in names:
        if name not in allowed:
            _add(problems, "unknown", "only known parameters are set", f"`{name}`", did_you_mean(name, allowed))
    problems.stop_if_any()
