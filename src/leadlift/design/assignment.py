"""Assigns a list of leads: who is known, who is late, who is held out, and the lot for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from leadlift.base.arrays import floats
from leadlift.base.experiment import ExperimentConfig
from leadlift.base.records import RowAccount
from leadlift.data import DrawInfo, KeptAssignments
from leadlift.design.assignment_records import AssignmentResult
from leadlift.design.assignment_table import PREFIX, assignment_table
from leadlift.design.history import find_places, late_rows, units_by_stratum
from leadlift.design.lead_list import LeadList
from leadlift.design.lot_checks import (
    MODEL,
    lot_settings,
    refuse_another_lot,
    refuse_another_model,
    refuse_bad_holdout,
)
from leadlift.design.newcomers import Before, Newcomers, draw_newcomers
from leadlift.design.strata import frozen_cuts


@dataclass(frozen=True, eq=False)
class Assignment:
    """A draw, not yet written.

    Attributes:
        frame: a row per lead not assigned before: the columns of the `assignments` table, a `propensity_<arm>` each.
        info: what the draw says of itself where it is kept.
        result: the draw in numbers.
    """

    frame: pd.DataFrame
    info: DrawInfo
    result: AssignmentResult


def assign(
    leads: LeadList, config: ExperimentConfig, kept: KeptAssignments, *, now: pd.Timestamp, digest: str
) -> Assignment:
    """Assigns the leads that were not assigned before; nothing is written.

    A lead of a unit that was drawn before is late: it takes the unit's stratum, arm and propensities. The others'
    units are new: held out by the holdout's own lot, or drawn. The same leads, configuration and history give the
    same assignment, in any row order.

    Args:
        leads: the checked list.
        config: the experiment.
        kept: every draw so far, of this and other experiments.
        now: when the lot is drawn, UTC.
        digest: of the design, logged with every row.

    Raises:
        ConfigError: the settings can't be drawn, or are not those the experiment began with.
        DataError: a lead that moved, an empty score group, a stratum or a capacity too small, undeclared overlap.
    """
    draws = kept.draws_of(config.name)
    refuse_another_lot(config, draws)
    refuse_another_model(config.experiment.round, leads.problem_model, draws)
    refuse_bad_holdout(config, now)
    past = kept.leads(config.name)
    listed = leads.frame.assign(organisation_id=kept.names_now(leads.frame["organisation_id"]))
    places = find_places(listed, past, config.experiment.unit)
    late = late_rows(listed[places.late], past, places.unit_row[places.late])
    new = listed[places.new].reset_index(drop=True) if len(past) else listed
    cuts = draws[0].score_cuts if draws else _first_cuts(new, config)
    inherited = {str(arm): int(n) for arm, n in late["treatment"].value_counts().items()}
    before = Before(kept, units_by_stratum(past), inherited, first=not draws)
    fresh = draw_newcomers(new, config, before, cuts, now)
    info = _info(config, late, cuts, now, digest, leads.problem_model)
    rows = pd.concat([fresh.rows, late], ignore_index=True) if len(late) else fresh.rows
    frame = assignment_table(rows, leads.features, config, info, now)
    dropped = {"already assigned": int(places.known.sum()), **leads.left_out, **fresh.left_out}
    account = RowAccount(leads.read, len(frame), {reason: n for reason, n in dropped.items() if n})
    draw = len(draws) + (1 if len(frame) else 0)
    notes = (*fresh.notes, *_over_capacity(config, inherited), *_another_design(draws, info))
    return Assignment(frame, info, _result(config, fresh, frame, info, account, draw, notes))


def _over_capacity(config: ExperimentConfig, late: Mapping[str, int]) -> list[str]:
    """What to say where late leads alone exceed a capacity: they keep their arm all the same."""
    over = [(arm, late.get(arm, 0), most) for arm, most in config.experiment.capacity.items()]
    return [
        f"{n:,} late leads took over {arm}, over its capacity of {most:,}; touches that are missed change no assignment"
        for arm, n, most in over
        if n > most
    ]


def _another_design(draws: Sequence[DrawInfo], info: DrawInfo) -> list[str]:
    """What to say where the round went on under another design than it began with."""
    earlier = [draw.design_digest for draw in draws if draw.round == info.round]
    if not earlier or info.design_digest in earlier[-1:]:
        return []
    return [
        f"the design was frozen anew: the draw before was made under {earlier[-1]}, this one is {info.design_digest}"
    ]


def _first_cuts(new: pd.DataFrame, config: ExperimentConfig) -> tuple[float, ...] | None:
    """The cuts that this experiment keeps; None without scores."""
    if "score" not in new:
        return None
    scores = floats(new["score"].dropna())
    return frozen_cuts(scores, config.score_groups) if len(scores) else None


def _info(
    config: ExperimentConfig,
    late: pd.DataFrame,
    cuts: tuple[float, ...] | None,
    now: pd.Timestamp,
    digest: str,
    model: str | None,
) -> DrawInfo:
    holdout = config.experiment.holdout
    # Late leads of an earlier round may have an arm that this one dropped.
    inherited = [name.removeprefix(PREFIX) for name in late.columns if name.startswith(PREFIX)] if len(late) else []
    return DrawInfo(
        experiment=config.name,
        round=config.experiment.round,
        salt=config.salt,
        arms=tuple(dict.fromkeys([*config.experiment.shares, *(arm for arm in inherited if arm != "holdout")])),
        settings=lot_settings(config) | ({} if model is None else {MODEL: model}),
        design_digest=digest,
        score_cuts=cuts,
        holdout_until=None if holdout is None else holdout.until.isoformat(),
        assigned_at=now.isoformat(),
    )


def _result(
    config: ExperimentConfig,
    fresh: Newcomers,
    frame: pd.DataFrame,
    info: DrawInfo,
    rows: RowAccount,
    draw: int,
    notes: tuple[str, ...],
) -> AssignmentResult:
    return AssignmentResult(
        experiment=config.name,
        round=info.round,
        draw=draw,
        mode=config.experiment.mode,
        unit=config.experiment.unit,
        assigned_at=info.assigned_at,
        design_digest=info.design_digest,
        rows=rows,
        units=fresh.units,
        late=int(frame["late"].sum()),
        holdout_organisations=int(frame.loc[frame["holdout"], "organisation_id"].nunique()),
        holdout_leads=int(frame["holdout"].sum()),
        score_cuts=info.score_cuts,
        strata=fresh.strata,
        capacity=fresh.capacity,
        notes=notes,
    )
