"""From the ledger to the AssignmentLog: outcomes in closed windows, and features as they were known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from leadlift.base.deals_config import DealsFile
from leadlift.base.experiment import CONTROL, ExperimentConfig
from leadlift.base.problems import listed, share, stop
from leadlift.base.records import RowAccount
from leadlift.data import AssignmentLog, build_log
from leadlift.data.ledger.aliases import merged_arms
from leadlift.data.ledger.chain import head, verify
from leadlift.data.ledger.features import USED, known_features, logged_names
from leadlift.data.ledger.frames import query_frame, quoted, text
from leadlift.data.ledger.opening import WAIT, reading
from leadlift.data.ledger.outcomes import (
    Windows,
    complete_until,
    deal_account,
    drawn,
    lead_outcomes,
    observed_lag,
    refuse_deals_without_leads,
)
from leadlift.data.ledger.totals import OrganisationTotals, organisation_totals
from leadlift.problems.as_of import PREFIX
from leadlift.study.log_problems import LogProblems, made_from
from leadlift.study.problem_files import deals_frame

OutcomeName = Literal["converted", "revenue"]
ROLES = {"lead_id": "lead_id", "organisation": "organisation_id", "stratum": "stratum", "cost": "cost"}


@dataclass(frozen=True, eq=False)
class LedgerLog:
    """An AssignmentLog and what the ledger says beside it.

    Attributes:
        log: the leads whose window is closed; the others are in its row account.
        leads: a row per lead of the log, by `lead_id`: assignment, outcome, `touched`, features.
        deals: where every deal of the ledger went.
        touched: the column of `leads` that says who was touched: a feature may have its plain name.
        totals: the organisations' totals, where the lot was drawn for organisations.
        cut_off: until when outcomes are known: the last complete import of deals less the booking lag.
        booking_lag_days: that lag.
        rounds: rounds of the experiment that drew the log's leads.
        chain_head: digest of the ledger's last batch, to be logged with the study.
        merged: merged organisations whose leads were drawn into different arms, in words.
        problems: where the leads' problems come from.
    """

    log: AssignmentLog
    leads: pd.DataFrame
    deals: RowAccount
    cut_off: pd.Timestamp
    booking_lag_days: float
    rounds: tuple[int, ...]
    chain_head: str
    merged: tuple[str, ...]
    totals: OrganisationTotals | None = None
    touched: str = "touched"
    problems: LogProblems = field(default_factory=LogProblems)


def read_ledger_log(
    config: ExperimentConfig,
    ledger: Path,
    *,
    outcome: OutcomeName = "converted",
    problems: LogProblems | None = None,
    wait: float = WAIT,
) -> LedgerLog:
    """The log of the experiment that `config` describes; the ledger is closed again when it is read.

    Args:
        config: the experiment, with the lag of its deals.
        ledger: the ledger's file.
        outcome: `converted`: deals won within the window; `revenue`: their money.
        problems: a problem model, for leads whose problem was not logged when they were assigned.
        wait: seconds to wait for another process that has the ledger open.

    Raises:
        FileError: the ledger can't be read.
        DataError: no assignments, no deals, a feature that became known only after its lead was assigned.
    """
    with reading(ledger, wait) as connection:
        arms = _arms(connection, config.name)
        given = config.deals.booking_lag_days
        lag = observed_lag(connection) if given is None else given
        cut_off = complete_until(connection) - pd.Timedelta(days=lag)
        with drawn(connection, windows_of(config, cut_off)):
            if config.experiment.unit == "lead":
                refuse_deals_without_leads(connection)
            used, dropped = _used(lead_outcomes(connection, windows_of(config, cut_off)), cut_off)
            mixtures = logged_names(connection, PREFIX)
            seen = list(dict.fromkeys([*config.leads.features, *(mixtures if _seen(config) else [])]))
            features = known_features(connection, seen if config.leads.features else None)
            shares = _propensities(connection, arms)
            deals = deal_account(connection)
            totals = _totals(connection, config, arms, cut_off)
        merged, chain_head = tuple(merged_arms(connection, config.name)), head(connection)
    if config.problems is not None and not _seen(config):
        features = features.drop(columns=[name for name in mixtures if name in features.columns])
    origin = problems or LogProblems()
    if origin.saved is not None and used["problem"].isna().all():
        used, made, origin = _made(used, origin, ledger, wait)
        if _seen(config):
            features = pd.concat([features.drop(columns=mixtures, errors="ignore"), made], axis=1)
            seen = list(dict.fromkeys([*seen, *made.columns]))
    names, frame = _frame(used, features, shares)
    wanted = seen if config.leads.features else None
    log = _log(frame, config, names, arms, features=wanted, outcome=outcome, dropped=dropped)
    rounds = tuple(sorted(map(int, used["round"].unique())))
    return LedgerLog(log, frame, deals, cut_off, lag, rounds, chain_head, merged, totals, names["touched"], origin)


def _seen(config: ExperimentConfig) -> bool:
    """Whether learners are to see the mixture of problems."""
    return config.problems is not None and config.problems.features


def _made(
    used: pd.DataFrame, origin: LogProblems, ledger: Path, wait: float
) -> tuple[pd.DataFrame, pd.DataFrame, LogProblems]:
    """Leads with the problem that deals known before each assignment tell, and their mixtures."""
    assert origin.saved is not None
    settings = DealsFile(ledger=str(ledger))
    deals = deals_frame(settings, None, wait)
    made = made_from(origin.saved, settings, deals, used["organisation_id"], used["assigned_at"])
    return used.assign(problem=made.problem), made.mixtures, replace(origin, made=True, deals=made.deals)


def _totals(
    connection: Any, config: ExperimentConfig, arms: list[str], cut_off: pd.Timestamp
) -> OrganisationTotals | None:
    if config.experiment.unit != "organisation":
        return None
    return organisation_totals(connection, windows_of(config, cut_off), arms, config.score_groups.names)


def windows_of(config: ExperimentConfig, cut_off: pd.Timestamp) -> Windows:
    """What counts as an outcome and a touch of the experiment, and until when outcomes are known."""
    lot = config.experiment
    mechanics = tuple(dict.fromkeys(name for arm in lot.arms.values() for name in arm.mechanics))
    return Windows(config.name, lot.window_days, lot.touch_days, mechanics, cut_off)


def _arms(connection: Any, experiment: str) -> list[str]:
    """The arms of all draws of an experiment, control first."""
    query = "SELECT info FROM batches WHERE experiment = $experiment ORDER BY batch"
    infos = connection.execute(query, {"experiment": experiment}).fetchall()
    if not infos:
        _refuse_removed(connection)
        others = connection.execute("SELECT DISTINCT experiment FROM batches ORDER BY 1").fetchall()
        raise stop(
            "the ledger",
            "no-assignments",
            "leads were assigned in this experiment",
            f"none in `{experiment}`; the ledger holds {listed(name for (name,) in others)}",
            "assign first: `leadlift assign CONFIG --leads FILE`",
        )
    arms = dict.fromkeys(arm for (info,) in infos for arm in json.loads(info)["arms"])
    return [CONTROL, *[arm for arm in arms if arm != CONTROL]]


def _refuse_removed(connection: Any) -> None:
    """Stops where assignments are missing because somebody removed them: they are not to be drawn anew."""
    chain = verify(connection)
    if not chain.sound:
        rule, fix = "assignments stay as they were appended", "restore the ledger from a copy"
        raise stop("the ledger", "edited-ledger", rule, listed(chain.problems, 3), fix)


def _propensities(connection: Any, arms: list[str]) -> pd.DataFrame:
    columns = ", ".join(f"coalesce(propensities[{text(arm)}], 0.0) AS {quoted(f'propensity_{arm}')}" for arm in arms)
    return query_frame(connection, f"SELECT {columns} {USED} ORDER BY lead_id")


def _used(everyone: pd.DataFrame, cut_off: pd.Timestamp) -> tuple[pd.DataFrame, dict[str, int]]:
    """Leads whose outcome is known, and how many of the others there are, by reason."""
    holdout, late, still_open = (everyone[name].astype(bool) for name in ("holdout", "late", "open"))
    dropped = {
        "holdout": int(holdout.sum()),
        "late_lead": int((late & ~holdout).sum()),
        "open_window": int((still_open & ~late & ~holdout).sum()),
    }
    used = everyone[~holdout & ~late & ~still_open].reset_index(drop=True)
    if used.empty:
        raise stop(
            "the assignment log",
            "all-open",
            "some leads have a closed window",
            f"{dropped['open_window']:,} of {len(everyone):,} leads are open; deals count up to {cut_off:%Y-%m-%d}",
            "wait, or import later deals: `leadlift import CONFIG deals FILE`",
        )
    return used, {reason: n for reason, n in dropped.items() if n}


def _frame(used: pd.DataFrame, features: pd.DataFrame, shares: pd.DataFrame) -> tuple[dict[str, str], pd.DataFrame]:
    """One frame of all columns; ours get another name where a feature has it, told by the first result."""
    features = features.drop(columns="lead_id")
    names = {str(name): str(name) for name in used.columns if name not in ("holdout", "late", "open")}
    for name in names.keys() & set(features.columns) - {"score"}:
        names[name] = f"{name} (ledger)"
    ours = used[list(names)].rename(columns=names)
    if "score" in features.columns:
        features = features.drop(columns="score")
    return names, pd.concat([ours, shares, features], axis=1)


def _log(
    frame: pd.DataFrame,
    config: ExperimentConfig,
    names: Mapping[str, str],
    arms: list[str],
    *,
    features: list[str] | None,
    outcome: OutcomeName,
    dropped: Mapping[str, int],
) -> AssignmentLog:
    roles = {"treatment": names["treatment"], "outcome": names[outcome]}
    roles |= {role: names[name] for role, name in ROLES.items()}
    if frame[names["stratum"]].isna().all():
        del roles["stratum"]
    if frame[names["problem"]].notna().any():
        roles["problem"] = names["problem"]
    if frame["score"].notna().any():
        roles["score"] = names["score"]
    if config.value is not None:
        frame = frame.assign(**{"value (ledger)": _value(frame, config, names)})
        roles["value"] = "value (ledger)"
    taken = {*names.values(), "value (ledger)", *(f"propensity_{arm}" for arm in arms)}
    columns = [str(name) for name in frame.columns if name not in taken]
    return build_log(
        frame
        if features is not None
        else frame[[*dict.fromkeys([*roles.values(), *(f"propensity_{a}" for a in arms), *columns])]],
        roles=roles,
        control=CONTROL,
        propensity={arm: f"propensity_{arm}" for arm in arms},
        features=features,
        positive=None,
        already_dropped=dropped,
    )


def _value(frame: pd.DataFrame, config: ExperimentConfig, names: Mapping[str, str]) -> pd.Series[Any]:
    """Money per lead: the deals' amounts, a column that came with the leads, or so much per deal."""
    value = config.value
    assert value is not None
    if value.per_outcome is not None:
        return frame[names["converted"]] * value.per_outcome
    if value.column == config.deals.amount:
        return frame[names["revenue"]]
    if value.column not in frame.columns:
        raise stop(
            "the value",
            "missing-column",
            f"`{value.column}` is the deals' amount or a feature of the leads",
            f"it is neither in {share(len(frame), len(frame))}",
            f"`value: {{column: {config.deals.amount}}}`",
        )
    return frame[value.column]
