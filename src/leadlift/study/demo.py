"""`leadlift demo`: the main job on a simulated company, the truth beside each estimate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from leadlift.base.errors import FileError
from leadlift.base.problems import listed, stop
from leadlift.base.records import StudyResult
from leadlift.data import read_table
from leadlift.problems import ProblemModel
from leadlift.problems.as_of import problems_as_of
from leadlift.problems.saved import saved_problems
from leadlift.study.files import staging
from leadlift.study.log_problems import LogProblems
from leadlift.study.progress import Progress, Silent
from leadlift.study.run import run_study
from leadlift.study.simulate import SimulatedCrm, simulate_crm

UNTOUCHED = ("control", "holdout")
# Organisations drawn anew, to see which problems come back: a demonstration is to be quick.
RESAMPLES = 5


def run_demo(
    *, leads: int, seed: int, out: str | Path | None, preset: str = "fence_sitters", progress: Progress | None = None
) -> StudyResult:
    """Simulates a company, finds its clients' problems in the deals before the lot, and runs its six-group test.

    Raises:
        ConfigError: a parameter of the simulation can't be used.
        FileError: the folder can't be written.
    """
    listener: Progress = progress or Silent()
    with listener.step("simulating"):
        crm = simulate_crm(leads=leads, seed=seed, preset=preset)
    with listener.step("finding problems"):
        crm, problems = with_found_problems(crm)
    return run_study(
        crm.config,
        crm.log,
        out,
        truth=crm.true_effects(),
        true_uplift=crm.true_uplift(),
        problems=problems,
        progress=listener,
    )


def with_found_problems(crm: SimulatedCrm) -> tuple[SimulatedCrm, LogProblems]:
    """The company with the main problem of each lead's client, as deals known before the lot tell it."""
    drawn = crm.tables["assignments"].set_index("lead_id")["assigned_at"]
    model = ProblemModel(resamples=RESAMPLES, as_of=drawn.min(), seed=crm.world.seed).fit(crm.world.deals)
    saved = saved_problems(model, created_at=drawn.min(), deals_digest="")
    moments = crm.flat["lead_id"].map(drawn)
    made = problems_as_of(saved, crm.tables["deals"], crm.flat["organisation_id"], moments)
    return crm.with_problem(made.problem), LogProblems(saved, made=True, deals=made.deals)


def write_demo_tables(folder: str | Path, *, leads: int, seed: int, preset: str = "fence_sitters") -> dict[str, int]:
    """Writes a simulated company's tables as CSV, as a CRM would export them; returns rows by file name.

    Raises:
        ConfigError: a parameter of the simulation can't be used.
        FileError: the folder is there and not empty, or can't be written.
    """
    folder = Path(folder)
    refuse_content(folder)
    crm = simulate_crm(leads=leads, seed=seed, preset=preset)
    frames = {**crm.tables, "flat_log": crm.flat}
    with staging(folder) as temporary:
        for name, frame in frames.items():
            as_exported(frame).to_csv(temporary / f"{name}.csv", index=False)
    return {f"{name}.csv": len(frame) for name, frame in frames.items()}


def write_demo_answer(
    folder: str | Path, lot: str | Path, *, leads: int, seed: int, preset: str = "fence_sitters", after: int = 120
) -> dict[str, int]:
    """Writes the touches and deals with which a simulated company answers a lot that was drawn; rows by file name.

    Args:
        folder: holds the company's tables; `touches.csv` and `deals.csv` there are replaced.
        lot: the list that the CRM got: `lead_id`, `treatment`, `assigned_at`. An arm's name is its mechanic; those of
            `control` and `holdout` have none.
        leads, seed, preset: of the company.
        after: days after the last assignment until which all is known.

    Raises:
        ConfigError: a parameter of the simulation can't be used, or an arm is no mechanic.
        DataError: the list is of another company's leads.
        FileError: the list can't be read, or the folder not written.
    """
    folder, listed_in = Path(folder), Path(lot)
    crm = simulate_crm(leads=leads, seed=seed, preset=preset)
    rows = read_table(listed_in, ["lead_id", "treatment"])
    if "assigned_at" in rows:
        rows["assigned_at"] = pd.to_datetime(rows["assigned_at"], utc=True, errors="coerce")
    arms = sorted(set(rows["treatment"].astype("str"))) if "treatment" in rows else []
    mechanics: dict[str, tuple[str, ...]] = {arm: () if arm in UNTOUCHED else (arm,) for arm in arms}
    until = rows["assigned_at"].max() + pd.Timedelta(days=after) if "assigned_at" in rows else None
    seen = crm.world.observe(rows, mechanics, until=until)
    frames = {"touches": seen.touches, "deals": pd.concat([crm.world.deals, seen.deals], ignore_index=True)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, frame in frames.items():
            as_exported(frame).to_csv(folder / f"{name}.csv", index=False)
    except OSError as error:
        found = f"{folder}: {error.strerror or error}"
        rule, fix = "the tables can be written", "name another folder: `--write`"
        raise stop("the output folder", "write", rule, found, fix, FileError) from error
    return {f"{name}.csv": len(frame) for name, frame in frames.items()}


def as_exported(frame: pd.DataFrame) -> pd.DataFrame:
    """Times as ISO 8601 text with their zone, the rest as it is."""
    times: dict[Any, Any] = {
        name: frame[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        for name in frame.columns
        if isinstance(frame[name].dtype, pd.DatetimeTZDtype)
    }
    return frame.assign(**times)


def refuse_content(folder: Path) -> None:
    """Raises FileError unless `folder` is absent or empty."""
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists():
        held = listed(sorted(path.name for path in folder.iterdir()), 5) if folder.is_dir() else "a file"
        raise stop(
            "the output folder",
            "not-empty",
            "the folder is new or empty",
            f"{folder} holds {held}",
            "name another folder",
            FileError,
        )
