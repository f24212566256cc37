"""New units: held out, left to other experiments, or drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from leadlift.base.arrays import Bools, Codes, Column
from leadlift.base.experiment import ExperimentConfig
from leadlift.base.problems import listed
from leadlift.data import KeptAssignments
from leadlift.design.assignment_records import CapacityUse, StratumDraw
from leadlift.design.assignment_table import PREFIX, coded
from leadlift.design.holdout import held_out
from leadlift.design.lot import Drawn, Units, draw_lot
from leadlift.design.lot_checks import one_capped_arm, refuse_no_room, refuse_small_strata, units_alone
from leadlift.design.neighbours import neighbours
from leadlift.design.strata import crossed, group_codes, main_problems, refuse_empty_groups, unit_groups


@dataclass(frozen=True, eq=False)
class Before:
    """What the draw needs to know of earlier ones.

    Attributes:
        kept: every draw so far.
        units: this experiment's units by stratum.
        late: leads of this list that inherit an arm, by arm.
        first: whether nothing was drawn before.
    """

    kept: KeptAssignments
    units: Mapping[str, int]
    late: Mapping[str, int]
    first: bool


@dataclass(frozen=True, eq=False)
class Newcomers:
    """New leads with all that the lot gave them, and the lot in numbers."""

    rows: pd.DataFrame
    units: int
    left_out: Mapping[str, int]
    strata: tuple[StratumDraw, ...] = ()
    capacity: CapacityUse | None = None
    notes: tuple[str, ...] = field(default_factory=tuple)


def draw_newcomers(
    frame: pd.DataFrame, config: ExperimentConfig, before: Before, cuts: Sequence[float] | None, now: pd.Timestamp
) -> Newcomers:
    """Draws the lot for leads of new units.

    Args:
        frame: the leads, rows numbered from 0.
        config: the experiment.
        before: what was drawn earlier.
        cuts: between score groups; None: there are no scores.
        now: when the lot is drawn.

    Raises:
        ConfigError: several capped arms.
        DataError: an empty score group, a stratum or a capacity too small, undeclared overlap.
    """
    unit, ids, held = _units(frame, config)
    around = neighbours(frame["organisation_id"], held[unit], config, before.kept, now=now)
    if not around.free.all():
        frame = frame[around.free].reset_index(drop=True)
        unit, ids, held = _units(frame, config)
    if frame.empty:
        none = Drawn(np.zeros(0, dtype=np.intp), np.zeros((1, len(config.experiment.arms))))
        return Newcomers(_rows(frame, config, unit, unit, (), none), 0, around.reasons, notes=around.notes)
    stratum, names = _strata(frame, config, unit, len(ids), cuts, before.first)
    units = Units(ids, stratum, np.bincount(unit, minlength=len(ids)))
    drawn = _drawn(units.where(~held), names, config, before)
    arm = np.full(len(ids), -1, dtype=np.intp)
    arm[~held] = drawn.arm
    return Newcomers(
        rows=_rows(frame, config, unit, stratum, names, Drawn(arm, drawn.propensities)),
        units=int((~held).sum()),
        left_out=around.reasons,
        strata=_in_numbers(units, names, arm, drawn, config),
        capacity=_capacity_use(units, arm, drawn, config, before),
        notes=(*around.notes, *_alone(units.where(~held), names, config, before)),
    )


def _alone(units: Units, names: Sequence[str], config: ExperimentConfig, before: Before) -> list[str]:
    """What to say of strata that hold one unit so far; a blocked lot refused them."""
    alone = units_alone(units.stratum, names, before.units) if config.experiment.mode == "hashed" else []
    return [f"one unit so far in {listed(alone)}: nothing can be compared there until more arrive"] if alone else []


def _units(frame: pd.DataFrame, config: ExperimentConfig) -> tuple[Codes, Column, Bools]:
    """Each lead's unit, the units' identifiers, and which units are held out."""
    if config.experiment.unit == "lead":
        unit, ids, owner = np.arange(len(frame)), frame["lead_id"], frame["organisation_id"]
    else:
        unit, uniques = pd.factorize(frame["organisation_id"])
        ids = owner = pd.Series(uniques, dtype="str")
    holdout = config.experiment.holdout
    held = np.zeros(len(ids), dtype=bool) if holdout is None else held_out(owner, holdout.share, holdout.salt)
    return unit.astype(np.intp), ids, held


def _strata(
    frame: pd.DataFrame, config: ExperimentConfig, unit: Codes, units: int, cuts: Sequence[float] | None, first: bool
) -> tuple[Codes, list[str]]:
    parts: list[tuple[Codes, Sequence[str]]] = []
    for part in config.experiment.strata:
        if part == "problem":
            parts.append(main_problems(unit, units, frame["problem"]))
            continue
        assert cuts is not None
        score, names = frame["score"].to_numpy(), config.score_groups.names
        code = group_codes(score, cuts)
        if first:
            refuse_empty_groups(code, score, cuts, names)
        parts.append((unit_groups(unit, units, code), names))
    return crossed(parts, units)


def _drawn(units: Units, names: Sequence[str], config: ExperimentConfig, before: Before) -> Drawn:
    lot, arms = config.experiment, list(config.experiment.shares)
    shares = np.tile(np.array(list(lot.shares.values())), (len(names), 1))
    if lot.mode == "blocked":
        refuse_small_strata(units.stratum, names, before.units)
    capped = one_capped_arm(config)
    if capped is None or not len(units.ids):
        return draw_lot(units, shares, mode=lot.mode, salt=config.salt)
    late = before.late.get(capped, 0)
    refuse_no_room(capped, lot.capacity[capped], late, units.stratum, units.leads)
    room = lot.capacity[capped] - late
    return draw_lot(units, shares, mode=lot.mode, salt=config.salt, capped=arms.index(capped), capacity=room)


def _rows(
    frame: pd.DataFrame, config: ExperimentConfig, unit: Codes, stratum: Codes, names: Sequence[str], drawn: Drawn
) -> pd.DataFrame:
    """The leads with their units' lot; those held out (arm -1) have no arm, and propensity 0 for every arm."""
    arms, propensities = list(config.experiment.shares), drawn.propensities
    lead_arm, lead_stratum = drawn.arm[unit], stratum[unit]
    held = lead_arm < 0
    holdout = config.experiment.holdout
    name = "lead_id" if config.experiment.unit == "lead" else "organisation_id"
    wide = {f"{PREFIX}{a}": np.where(held, 0.0, propensities[lead_stratum, k]) for k, a in enumerate(arms)}
    return frame.assign(
        unit_id=frame[name],
        stratum=coded(lead_stratum, names),
        treatment=coded(lead_arm, arms),
        **wide,
        propensity_holdout=0.0 if holdout is None else holdout.share,
        holdout=held,
        late=False,
    )


def _in_numbers(
    units: Units, names: Sequence[str], arm: Codes, drawn: Drawn, config: ExperimentConfig
) -> tuple[StratumDraw, ...]:
    rows = []
    for s, name in enumerate(names):
        for a, label in enumerate(config.experiment.shares):
            inside = (units.stratum == s) & (arm == a)
            p = float(drawn.propensities[s, a])
            rows.append(StratumDraw(name, label, p, int(inside.sum()), int(units.leads[inside].sum())))
    return tuple(rows)


def _capacity_use(
    units: Units, arm: Codes, drawn: Drawn, config: ExperimentConfig, before: Before
) -> CapacityUse | None:
    capped = one_capped_arm(config)
    if capped is None or not (arm >= 0).any():
        return None
    code, late, free = list(config.experiment.shares).index(capped), before.late.get(capped, 0), arm >= 0
    chance = drawn.propensities[units.stratum[free], code]
    return CapacityUse(
        treatment=capped,
        capacity=config.experiment.capacity[capped],
        late=late,
        scale=float(drawn.propensities[0, code] / config.experiment.shares[capped]),
        expected=late + float((units.leads[free] * chance).sum()),
        assigned=late + int(units.leads[arm == code].sum()),
    )
