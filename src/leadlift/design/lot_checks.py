"""What makes a lot impossible, or another than the one that was begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes
from leadlift.base.digest import digest_of
from leadlift.base.errors import ConfigError
from leadlift.base.experiment import ExperimentConfig
from leadlift.base.problems import Problems, listed, stop
from leadlift.base.record import plain
from leadlift.data import DrawInfo

WHERE = "the lot"
# Who else may be drawn and how many fit: they may change from draw to draw, and are logged with each.
PER_DRAW = frozenset({"capacity", "shares_with", "excludes", "round"})
# Between rounds the shares may change; these decide what a unit and a stratum are.
FOR_GOOD = ("unit", "strata", "salt", "score_groups")
# Among a draw's settings: digest of the problem model that its strata may rest on.
MODEL = "problem_model"


def lot_settings(config: ExperimentConfig) -> dict[str, Any]:
    """The settings that propensities rest on, as plain values."""
    lot = config.experiment.model_dump(mode="json", exclude=set(PER_DRAW))
    groups = config.score_groups.model_dump(mode="json")
    return dict(plain({**lot, "salt": config.salt, "score_groups": groups}))


def settings_digest(config: ExperimentConfig) -> str:
    """Digest of the experiment's name, round and lot settings."""
    return digest_of({"name": config.name, "round": config.experiment.round, **lot_settings(config)})


def refuse_another_lot(config: ExperimentConfig, draws: Sequence[DrawInfo]) -> None:
    """Raises ConfigError if the settings are not those that the experiment's earlier draws were made with."""
    if not draws:
        return
    problems = Problems(WHERE)
    last, now = max(draw.round for draw in draws), lot_settings(config)
    if config.experiment.round < last:
        found, fix = f"round {config.experiment.round} after round {last}", f"go on with `round: {last}`"
        problems.add("round-over", "a round that was followed by another is over", found, fix, ConfigError)
    for number, draw in enumerate(draws, start=1):
        same_round = draw.round == config.experiment.round
        keys = now if same_round else FOR_GOOD
        changed = [key for key in keys if now[key] != plain(draw.settings).get(key)]
        if changed:
            what = "a draw's design stays" if same_round else "units and strata stay through all rounds"
            fix = "put them back" + (", or begin the next round: `round: ...`" if same_round else "")
            problems.add("design-changed", what, f"since draw {number}: {listed(changed)} changed", fix, ConfigError)
            break
    problems.stop_if_any()


def refuse_another_model(round_: int, model: str | None, draws: Sequence[DrawInfo]) -> None:
    """Raises ConfigError if earlier draws of the round took problems from another model, or from none."""
    for number, draw in enumerate(draws, start=1):
        before = draw.settings.get(MODEL)
        if draw.round == round_ and before != model:
            found = f"draw {number} had {before or 'none'}, this one has {model or 'none'}"
            fix = "put the model back, or begin the next round: `round: ...`"
            raise stop(WHERE, "design-changed", "a round has one problem model", found, fix, ConfigError)


def refuse_small_strata(stratum: Codes, names: Sequence[str], before: Mapping[str, int]) -> None:
    """Raises DataError if a stratum has a single unit, earlier draws counted: a block of one balances nothing.

    Args:
        stratum: of each unit that can be drawn, shape (n,).
        names: of the strata.
        before: units of earlier draws by name of the stratum.
    """
    alone = units_alone(stratum, names, before)
    if alone:
        raise stop(
            WHERE,
            "stratum-of-one",
            "a blocked lot has two units or more in every stratum",
            f"one unit in {listed(alone)}",
            "merge it: fewer `strata` or other `score_groups.cuts`; or draw hashed",
        )


def units_alone(stratum: Codes, names: Sequence[str], before: Mapping[str, int]) -> list[str]:
    """Strata with a single unit, earlier draws counted; arguments as for `refuse_small_strata`."""
    units = np.bincount(stratum, minlength=len(names))
    return [name for name, n in zip(names, units, strict=True) if n == 1 and not before.get(name)]


def refuse_bad_holdout(config: ExperimentConfig, now: pd.Timestamp) -> None:
    """Raises ConfigError if the holdout is over, or has the salt of the lot: arms would then follow the holdout."""
    holdout = config.experiment.holdout
    if holdout is None:
        return
    if holdout.until <= now.date():
        raise stop(
            WHERE,
            "holdout-over",
            "the holdout ends after today",
            f"it ended on {holdout.until}",
            "name a later day and a new `salt`, and begin the next round: `round: ...`",
            ConfigError,
        )
    if holdout.salt == config.salt:
        raise stop(
            WHERE,
            "same-salt",
            "the lot and the holdout are drawn by different salts",
            f"both by `{config.salt}`",
            "give the experiment a `salt` of its own, or another name",
            ConfigError,
        )


def one_capped_arm(config: ExperimentConfig) -> str | None:
    """The arm with a capacity, or None.

    Raises:
        ConfigError: several arms have one.
    """
    capped = list(config.experiment.capacity)
    if len(capped) > 1:
        raise stop(
            WHERE,
            "several-caps",
            "one arm has a capacity",
            f"{len(capped)}: {listed(capped)}",
            "keep the scarcest one, and give the others shares that fit",
            ConfigError,
        )
    return capped[0] if capped else None


def refuse_no_room(arm: str, capacity: int, late: int, stratum: Codes, leads: Codes) -> None:
    """Raises DataError if the capacity leaves a new unit no chance of the arm."""
    strata, largest = len(np.unique(stratum)), int(leads.max(initial=0))
    room = capacity - late
    if room < 0 or (late and room <= largest):
        found = f"{late:,} late leads of earlier units in {arm} leave {max(room, 0):,} of {capacity:,}"
        fix = "raise the capacity for this draw, or draw the new units next time"
    elif capacity < strata:
        found = f"{capacity:,} leads for {strata} strata"
        fix = "raise the capacity, or have fewer strata"
    elif room <= largest:
        found = f"{capacity:,} leads; the largest unit alone has {largest:,}"
        fix = f"raise the capacity above {largest:,}, split the list, or draw leads (`unit: lead`)"
    else:
        return
    rule = f"the capacity of {arm} leaves every stratum and every unit a chance"
    raise stop(WHERE, "capacity", rule, found, fix)
