"""Assignments as they come in: checked, and turned into numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadlift.base.problems import Problems, did_you_mean, listed, share
from leadlift.data.world.company import Company
from leadlift.data.world.streams import Integers
from leadlift.data.world.text import seconds

REQUIRED = ("lead_id", "treatment", "assigned_at")
WHERE = "the assignments"


@dataclass(frozen=True, eq=False)
class Assigned:
    """Checked assignments, in the order they came.

    Attributes:
        lead: number of the lead.
        arm: code into `arms`.
        arms: the arms that occur.
        start: when the lead's window starts: its assignment, or its creation if that is later.
        late: whether it was created after it was assigned, or the assignments say that it is late.
        lead_id, treatment, assigned_at: the columns, with rows numbered from 0.
    """

    lead: Integers
    arm: Integers
    arms: tuple[str, ...]
    start: pd.Series
    late: npt.NDArray[np.bool_]
    lead_id: pd.Series
    treatment: pd.Series
    assigned_at: pd.Series


def read_assignments(world: Company, frame: pd.DataFrame, arms: Mapping[str, Any]) -> Assigned:
    """Checks `frame` and looks up its leads and arms.

    Raises:
        DataError: columns or values that can't be used; every problem is named.
    """
    problems = Problems(WHERE)
    for name in REQUIRED:
        if name not in frame.columns:
            fix = did_you_mean(name, [str(column) for column in frame.columns])
            problems.add("column", f"there is a column `{name}`", "none", fix)
    problems.stop_if_any()
    frame = frame.reset_index(drop=True)
    lead_id, treatment = frame["lead_id"].astype("str"), frame["treatment"].astype("str")
    lead = world.lead_ids.get_indexer(pd.Index(lead_id))
    _check_leads(problems, world, frame, lead, lead_id)
    _check_arms(problems, treatment, arms)
    _check_times(problems, frame["assigned_at"])
    problems.stop_if_any()
    assigned_at = frame["assigned_at"].dt.tz_convert("UTC").astype("datetime64[us, UTC]")
    created = seconds(world.today, world.lead_data.day[lead])
    start = assigned_at.where(assigned_at >= created, created)
    names = tuple(sorted(treatment.unique().tolist()))
    return Assigned(
        lead=lead.astype(np.int64),
        arm=pd.Index(names).get_indexer(pd.Index(treatment)).astype(np.int64),
        arms=names,
        start=start,
        late=(created > assigned_at).to_numpy() | _said_late(frame),
        lead_id=lead_id,
        treatment=treatment,
        assigned_at=assigned_at,
    )


def _said_late(frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """What a column `late` says: a late lead may be logged with the time at which it inherited its arm."""
    return np.asarray(frame["late"].fillna(False) if "late" in frame else np.zeros(len(frame)), dtype=np.bool_)


def _check_leads(
    problems: Problems, world: Company, frame: pd.DataFrame, lead: npt.NDArray[np.intp], lead_id: pd.Series
) -> None:
    if len(frame) == 0:
        problems.add("no-leads", "someone is assigned", "0 rows", "assign leads of this world")
    unknown = lead < 0
    if unknown.any():
        found = f"{share(int(unknown.sum()), len(frame))}, e.g. {listed(lead_id[unknown].head(3))}"
        problems.add("unknown-lead", "every lead is one of this world's", found, "take `lead_id` from `World.leads`")
    twice = lead_id.duplicated()
    if twice.any():
        found = f"{share(int(twice.sum()), len(frame))}, e.g. {listed(lead_id[twice].head(3))}"
        fix = "one arm per lead; observe a later round by itself, with another `draw`"
        problems.add("lead-twice", "each lead is assigned once", found, fix)
    if "organisation_id" in frame.columns and not unknown.any():
        _check_organisations(problems, world, frame, lead, lead_id)


def _check_organisations(
    problems: Problems, world: Company, frame: pd.DataFrame, lead: npt.NDArray[np.intp], lead_id: pd.Series
) -> None:
    truth = pd.Series(world.organisation_ids.take(world.lead_data.organisation[lead]))
    wrong = (frame["organisation_id"].astype("str") != truth).to_numpy(dtype=bool)
    if wrong.any():
        found = f"{share(int(wrong.sum()), len(frame))}, e.g. {listed(lead_id[wrong].head(3))}"
        fix = "leave out `organisation_id`, or take it from `World.leads`"
        problems.add("other-organisation", "a lead belongs to its organisation", found, fix)


def _check_arms(problems: Problems, treatment: pd.Series, arms: Mapping[str, Any]) -> None:
    for name in treatment.unique().tolist():
        if name not in arms:
            fix = f'{did_you_mean(str(name), arms)} or say what it does: arms={{"{name}": ("call",)}}'
            problems.add("unknown-arm", f"each treatment is one of the arms: {listed(arms)}", f"{name!r}", fix)


def _check_times(problems: Problems, assigned_at: pd.Series) -> None:
    if not isinstance(assigned_at.dtype, pd.DatetimeTZDtype):
        fix = 'pd.to_datetime(..., utc=True), or .dt.tz_localize("UTC")'
        problems.add("time-zone", "`assigned_at` is a time with a zone", f"its type is {assigned_at.dtype}", fix)
    elif assigned_at.isna().any():
        found = share(int(assigned_at.isna().sum()), len(assigned_at))
        problems.add("missing-time", "every assignment has its time", f"none in {found}", "export `assigned_at`")
