"""Sound logs of many kinds: what no check should complain of."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from leadlift import AssignmentLog
from leadlift.base.experiment import ExperimentConfig
from leadlift.base.yaml import read_experiment
from leadlift.data import World, make_world
from leadlift.data.contracts import read_columns
from leadlift.data.ledger import LedgerStore
from leadlift.data.ledger.imports import Source, import_rows
from leadlift.data.ledger.opening import writing
from leadlift.design import assign, lead_list, settings_digest

TWO = {"control": {"share": 0.5}, "call": {"share": 0.5, "mechanics": ["call"]}}
THREE = {
    "control": {"share": 0.4},
    "call": {"share": 0.35, "mechanics": ["call"]},
    "email": {"share": 0.25, "mechanics": ["email"]},
}
FLAT = ("leads", "organisations", "strata", "lost outcomes", "money")
FEATURES = ("size", "age", "region", "visits")


@dataclass(frozen=True)
class Design:
    """One kind of experiment in a ledger: its lot, months of draws, and what else the ledger holds."""

    lot: dict[str, Any]
    months: int = 3
    open_months: int = 0
    other: bool = False
    lost: float = 0.0
    world: dict[str, Any] = field(default_factory=dict)


LEDGER = {
    "hashed": Design({"arms": TWO}),
    "blocked": Design({"arms": TWO, "mode": "blocked", "strata": ["score_group", "problem"]}),
    "capped": Design({"arms": TWO, "capacity": {"call": 180}}),
    "leads drawn": Design({"arms": TWO, "unit": "lead"}, open_months=1),
    "three arms, holdout": Design(
        {"arms": THREE, "holdout": {"share": 0.1, "until": "2027-06-30"}},
        months=2,
        world={"leads_per_organisation": 3.0},
    ),
    "another experiment, CRM": Design({"arms": TWO, "shares_with": ["newsletter"]}, other=True, lost=0.03),
}


def flat_log(kind: str, seed: int) -> AssignmentLog:
    """A flat log that no check should complain of."""
    frame, arguments = flat_frame(kind, seed)
    return AssignmentLog.from_frame(frame, **arguments)


def flat_frame(kind: str, seed: int, leads: int = 3_000) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Clients with one to nine leads; features, outcome and loss go with the client. And what its columns mean."""
    rng = np.random.default_rng([seed, FLAT.index(kind)])
    client = np.repeat(np.arange(leads), rng.integers(1, 10, leads))[:leads]
    many = int(client.max()) + 1
    stratum = rng.integers(0, 3, many)[client]
    shares = np.array([[0.5, 0.5, 0.0], [0.4, 0.35, 0.25], [0.6, 0.2, 0.2]])[
        stratum if kind == "strata" else np.zeros(leads, dtype=int)
    ]
    names = np.array(["control", "call", "email"])
    luck = rng.random(leads) if kind in ("leads", "lost outcomes") else rng.random(many)[client]
    arm = (luck[:, None] >= shares.cumsum(axis=1)[:, :2]).sum(axis=1)
    own = rng.normal(size=many)[client]
    frame = pd.DataFrame(
        {
            "lead_id": [f"l{k:05d}" for k in range(leads)],
            "organisation_id": [f"o{k:05d}" for k in client],
            "stratum": np.array(["low", "medium", "high"])[stratum],
            "arm": names[arm],
            "size": own.round(4),
            "age": rng.gamma(2.0, 3.0, leads).round(2),
            "region": np.array(["north", "south", "west"])[(rng.random(many) * 3).astype(int)][client],
            "visits": rng.poisson(3.0, leads),
            "score": expit(-1 + 0.7 * own + 0.3 * rng.normal(size=leads)).round(4),
        }
    )
    chance = expit(-1.2 + 0.6 * own + 0.3 * (arm > 0))
    frame["won"] = (rng.random(leads) < chance).astype(float)
    if kind == "money":
        frame["won"] *= np.exp(0.5 * rng.normal(size=leads)).round(2)
    if kind == "lost outcomes":
        frame.loc[(rng.random(many) < 0.03)[client], "won"] = np.nan
    used = {name: f"p_{name}" for name in names[: 3 if kind == "strata" else 2]}
    for place, column in enumerate(used.values()):
        frame[column] = shares[:, place]
    if kind == "strata":
        frame = frame[frame["stratum"] != "low"]
    arguments = {
        "treatment": "arm",
        "control": "control",
        "propensity": used,
        "outcome": "won",
        "features": list(FEATURES),
        "lead_id": "lead_id",
        "organisation": "organisation_id",
        "score": "score",
        "stratum": "stratum" if kind == "strata" else None,
    }
    return frame, arguments


@lru_cache(maxsize=2)
def company(seed: int, leads: int, **more: Any) -> World:
    """A simulated company."""
    return make_world(leads=leads, seed=seed, late_share=0.0, **more)


def same(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame as it is."""
    return frame


def sound_ledger(
    folder: Path, kind: str, seed: int, leads: int = 1_600, *, logged: Callable[[pd.DataFrame], pd.DataFrame] = same
) -> Path:
    """An experiment drawn month by month into a ledger in `folder`, with its touches and deals.

    Leads come in at random months; those of organisations drawn before are late. Returns the configuration's path; the
    CRM's list, where there is one, is `crm.csv` beside it. `logged` is what is kept of each draw: all, unless it is to
    be broken.
    """
    design, rng = LEDGER[kind], np.random.default_rng([seed, 99])
    world = company(seed, leads, **design.world)
    config = _configuration(folder, design, world, seed)
    ledger = folder / "spring.duckdb"
    frame = _leads(world, rng.integers(0, design.months, len(world.leads)))
    with writing(ledger) as connection:
        columns = read_columns("leads", frame, {}, timezone=None)
        import_rows(connection, "leads", columns, _source(world, "leads"), features=frame[list(world.features)])
    drawn = _drawn(config, ledger, frame, world, design.months, logged)
    if design.other:
        other = config.model_copy(
            update={
                "name": "newsletter",
                "experiment": config.experiment.model_copy(
                    update={"shares_with": ["spring"], "salt": f"newsletter {seed}"}
                ),
            }
        )
        _drawn(other, ledger, frame, world, 1)
    _happenings(ledger, drawn, world, design)
    if design.lost:
        kept = drawn[rng.random(len(drawn)) >= design.lost]
        kept[["lead_id", "treatment"]].to_csv(folder / "crm.csv", index=False)
    return folder / "spring.yaml"


def _configuration(folder: Path, design: Design, world: World, seed: int) -> ExperimentConfig:
    low, high = world.cuts
    values = {
        "version": 1,
        "name": "spring",
        "ledger": "spring.duckdb",
        "leads": {"features": list(world.features), "created_at": "created_at"},
        "experiment": {**design.lot, "salt": f"spring {seed}", "window_days": 90, "touch_days": 14},
        "score_groups": {"cuts": [low, high], "names": ["low", "medium", "high"]},
        "value": {"column": "amount"},
    }
    path = folder / "spring.yaml"
    path.write_text(json.dumps(values, indent=1), encoding="utf-8")
    return read_experiment(path)


def _leads(world: World, month: np.ndarray) -> pd.DataFrame:
    frame = world.leads.drop(columns="score_group").assign(month=month)
    # A problem that a sales team would note: the product's family.
    family = pd.factorize(frame["product"], sort=True)[0] % 2
    return frame.assign(problem=np.array(["data", "people"])[family])


def _month(world: World, number: int) -> pd.Timestamp:
    return world.today + pd.Timedelta(days=31 * number + 1)


def _source(world: World, file: str) -> Source:
    return Source(f"{file}.csv", world.today + pd.Timedelta(days=1000), None)


def _drawn(
    config: ExperimentConfig,
    ledger: Path,
    frame: pd.DataFrame,
    world: World,
    months: int,
    logged: Callable[[pd.DataFrame], pd.DataFrame] = same,
) -> pd.DataFrame:
    store, drawn = LedgerStore(ledger), []
    for number in range(months):
        now = _month(world, number)
        listed = lead_list(frame[frame["month"] == number], config, now=now)
        before = store.read()
        assignment = assign(listed, config, before, now=now, digest=settings_digest(config))
        kept = logged(assignment.frame).reset_index(drop=True)
        store.append(kept, assignment.info, after=before)
        drawn.append(kept)
    return pd.concat(drawn, ignore_index=True)


def _happenings(ledger: Path, drawn: pd.DataFrame, world: World, design: Design) -> None:
    arms = {name: tuple(arm.get("mechanics", ())) for name, arm in design.lot["arms"].items()} | {"holdout": ()}
    treatment = drawn["treatment"].astype("str").where(~drawn["holdout"], "holdout")
    given = drawn[["lead_id", "organisation_id", "late", "assigned_at"]].assign(treatment=treatment)
    end = _month(world, design.months - design.open_months - 1) + pd.Timedelta(days=96)
    seen = world.observe(given, arms, until=end)
    # Nobody touches the holdout.
    touches = seen.touches[~seen.touches["lead_id"].isin(given.loc[drawn["holdout"], "lead_id"])]
    deals = pd.concat([world.deals, seen.deals], ignore_index=True)
    with writing(ledger) as connection:
        import_rows(
            connection, "touches", read_columns("touches", touches, {}, timezone=None), _source(world, "touches")
        )
        source = Source("deals.csv", end, end)
        import_rows(connection, "deals", read_columns("deals", deals, {}, timezone=None), source)
