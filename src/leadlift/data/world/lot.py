"""A plain lot in six groups (score group x arm), for trying things out: the design room has the real one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from leadlift.base.errors import ConfigError, PropensityError
from leadlift.base.problems import Problems, did_you_mean, listed, stop
from leadlift.data.world.leads import SCORE_GROUPS
from leadlift.data.world.streams import Floats, Integers, uniforms
from leadlift.data.world.text import words
from leadlift.data.world.world import World

UNITS = ("organisation", "lead")
Shares = Mapping[str, float | Mapping[str, float]]


def six_group_assignment(
    world: World,
    *,
    arms: Shares | None = None,
    unit: Literal["organisation", "lead"] = "organisation",
    salt: int = 0,
) -> pd.DataFrame:
    """Draws an arm for every unit by lot, with known probabilities.

    A unit's stratum is the highest score group of its ordinary leads. Late leads inherit stratum, arm and
    probabilities of their organisation; with unit `lead` they draw for themselves.

    Args:
        world: the company.
        arms: each arm's share, or its share by score group; None: half `control`, half `call`.
        unit: what is drawn for.
        salt: another number draws another lot.

    Returns:
        A row per lead, in the order of `world.leads`: `lead_id`, `organisation_id`, `unit_id`, `stratum`, `score`,
        `score_group`, `treatment`, `propensity_<arm>` for each arm, `late`, `assigned_at`.

    Raises:
        ConfigError: an unknown unit.
        PropensityError: shares outside (0, 1), or that don't add up to 1 in a score group.

    >>> from leadlift.data.world import make_world
    >>> lot = six_group_assignment(make_world(leads=100, seed=1), arms={"control": 0.5, "call": 0.5}, salt=7)
    >>> sorted(lot["treatment"].unique())
    ['call', 'control']
    """
    if unit not in UNITS:
        fix = did_you_mean(str(unit), UNITS)
        raise stop("the lot", "unit", f"`unit` is one of {listed(UNITS)}", f"unit={unit!r}", fix, ConfigError)
    names, shares = _shares({"control": 0.5, "call": 0.5} if arms is None else arms)
    leads = world.leads
    late = (leads["created_at"] > world.today).to_numpy()
    number = world.lead_data.organisation if unit == "organisation" else np.arange(len(leads))
    stratum = _strata(world, number, late)[number]
    luck = uniforms(world.seed, f"lot/{salt}", int(number.max()) + 1)[number]
    drawn = (luck[:, None] >= np.cumsum(shares, axis=1)[stratum][:, :-1]).sum(axis=1)
    front = leads[["lead_id", "organisation_id"]].copy()
    front["unit_id"] = leads["organisation_id"] if unit == "organisation" else leads["lead_id"]
    front["stratum"] = words(SCORE_GROUPS, stratum)
    front[["score", "score_group"]] = leads[["score", "score_group"]]
    front["treatment"] = words(names, drawn)
    for code, name in enumerate(names):
        front[f"propensity_{name}"] = shares[stratum, code]
    front["late"] = late
    front["assigned_at"] = leads["created_at"].where(late, world.today)
    return front


def _shares(arms: Shares) -> tuple[list[str], Floats]:
    """Names of the arms, and their shares by score group, shape (groups, arms)."""
    columns = [
        [share] * 3 if not isinstance(share, Mapping) else [share.get(g, 0.0) for g in SCORE_GROUPS]
        for share in arms.values()
    ]
    shares = np.array(columns, dtype=np.float64).reshape(len(arms), 3).T
    problems = Problems("the shares of the arms")
    for group, row in zip(SCORE_GROUPS, shares, strict=True):
        if len(row) < 2 or not (row > 0).all() or abs(row.sum() - 1.0) > 1e-9:
            found = ", ".join(f"{arm} {share:g}" for arm, share in zip(arms, row, strict=True))
            rule = "two or more arms have shares above 0 that add up to 1"
            fix = 'for instance arms={"control": 0.5, "call": 0.5}'
            problems.add("propensity-range", rule, f"{group}: {found}", fix, PropensityError)
    problems.stop_if_any()
    return [str(arm) for arm in arms], shares


def _strata(world: World, number: Integers, late: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Integers:
    """The highest score group of each unit's ordinary leads (of its late ones if it has no other)."""
    group = world.lead_data.group
    highest = np.full(int(number.max()) + 1, -1, dtype=np.int64)
    np.maximum.at(highest, number[~late], group[~late])
    alone = np.full(len(highest), 0, dtype=np.int64)
    np.maximum.at(alone, number, group)
    return np.where(highest >= 0, highest, alone)
