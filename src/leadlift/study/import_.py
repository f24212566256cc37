"""`leadlift import`: leads, touches and deals into the ledger, checked, whole or not at all, safe to repeat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from leadlift.base.errors import ConfigError
from leadlift.base.experiment import ExperimentConfig
from leadlift.base.fields import Settings
from leadlift.base.problems import did_you_mean, listed, stop
from leadlift.base.yaml import read_experiment
from leadlift.data.contracts import CONTRACTS, TableName, read_columns
from leadlift.data.ledger import LeadRows
from leadlift.data.ledger.imports import ImportResult, Source, import_rows
from leadlift.data.ledger.opening import WAIT, writing
from leadlift.data.ledger.source import read_source


def ledger_path(config: ExperimentConfig, beside: Path) -> Path:
    """The ledger that the configuration names, beside its file.

    Raises:
        ConfigError: it names none.
    """
    if config.ledger is None:
        raise stop(
            "the configuration",
            "missing-key",
            "the configuration names the ledger",
            "`ledger` is missing",
            f"add `ledger: {config.name}.duckdb`",
            ConfigError,
        )
    return beside / config.ledger


def import_file(
    config: str | Path,
    table: str,
    file: str | Path,
    *,
    complete_until: str | None = None,
    partial: bool = False,
    wait: float = WAIT,
    now: pd.Timestamp | None = None,
) -> ImportResult:
    """Imports one file into the ledger: what `leadlift import` does.

    Args:
        config: path of the experiment's configuration.
        table: leads, touches, deals or aliases.
        file: CSV, Parquet, or a DuckDB file with a table of that name.
        complete_until: until when the deals are complete; None: until the last one in the file was
            known, at most until now.
        partial: the deals are not all there are: outcomes stay open as far as they were.
        wait: seconds to wait for another process that has the ledger open.
        now: when rows become known that don't say when; None: the clock.

    Returns: what was added, and what was there already.

    Raises:
        ConfigError: the configuration can't be used.
        FileError: the file can't be read, or the ledger not written.
        DataError: the rows break their contract, or contradict the ledger; every failure is named.
    """
    path, file = Path(config), Path(file)
    settings = read_experiment(path)
    ledger = ledger_path(settings, path.parent)
    name = table_of(table)
    columns = _names(settings, name)
    frame = read_source(file, name, _text_columns(name, columns))
    today = pd.Timestamp.now(tz="UTC") if now is None else now
    if name == "leads":
        found = lead_rows(frame, settings, Source(file.name, today))
    else:
        rows = read_columns(name, frame, columns, timezone=settings.data.timezone)
        until = _complete(rows, complete_until, today) if name == "deals" and not partial else None
        found = LeadRows(rows, None, Source(file.name, today, until))
    with writing(ledger, wait) as connection:
        return import_rows(connection, name, found.rows, found.source, features=found.features)


def lead_rows(frame: pd.DataFrame, config: ExperimentConfig, source: Source, *, drawn: bool = False) -> LeadRows:
    """The leads of a file and their features, as the ledger takes them.

    Args:
        frame: the file's rows.
        config: names the columns.
        source: of the rows.
        drawn: they are about to be drawn: what only tells their age may be absent, and with `unit: lead` the
            organisation.

    Raises:
        DataError: the contract is broken; every failure is named.
    """
    names = _names(config, "leads")
    if drawn and config.experiment.unit == "lead" and names["organisation_id"] not in frame:
        names["organisation_id"] = names["lead_id"]
    features = _features(config, frame, names)
    spared = [name for name in ("created_at",) if drawn and name not in config.leads.model_fields_set]
    rows = read_columns("leads", frame, names, timezone=config.leads_timezone, needed=features, spared=spared)
    return LeadRows(rows, frame[features] if features else None, source)


def table_of(table: str) -> TableName:
    """The table of that name.

    Raises:
        ConfigError: there is none.
    """
    for name in CONTRACTS:
        if name == table:
            return name
    raise stop(
        "the command",
        "table",
        f"what is imported is one of {listed(CONTRACTS)}",
        f"`{table}`",
        did_you_mean(table, CONTRACTS),
        ConfigError,
    )


def _names(config: ExperimentConfig, table: TableName) -> dict[str, str]:
    """The file's own names of the columns."""
    if table == "aliases":
        return {}
    section: Settings = getattr(config, table)
    named = {field.name: getattr(section, field.name, None) for field in CONTRACTS[table]}
    return {name: own if own is not None else name for name, own in named.items()}


def _text_columns(table: TableName, names: dict[str, str]) -> list[str]:
    kept = [field.name for field in CONTRACTS[table] if field.kind in ("identifier", "text")]
    return [names.get(name, name) for name in kept]


def _features(config: ExperimentConfig, frame: pd.DataFrame, names: dict[str, str]) -> list[str]:
    """The features that the configuration names; where it names none, all other columns."""
    if config.leads.features:
        return list(dict.fromkeys(config.leads.features))
    taken = set(names.values())
    return [str(name) for name in frame.columns if name not in taken]


def _complete(rows: pd.DataFrame, given: str | None, today: pd.Timestamp) -> pd.Timestamp | None:
    """Until when the deals are complete: as said, else until the last one of the file was known; never after today."""
    if given is not None:
        said = moment(given, "--complete-until")
        if said > today:
            rule, fix = "`--complete-until` is no later than now", "deals that are still to come leave windows open"
            raise stop("the command", "complete-until", rule, f"`{given}`", fix, ConfigError)
        return said
    if not len(rows):
        return None
    known = rows["known_at"].fillna(rows["closed_at"]) if "known_at" in rows else rows["closed_at"]
    last: Any = known.max()
    return min(pd.Timestamp(last), today)


def moment(given: str, option: str) -> pd.Timestamp:
    """The moment that an option names.

    Raises:
        ConfigError: it is no time, or has no zone.
    """
    try:
        found: Any = pd.Timestamp(given)
    except ValueError:
        found = pd.NaT
    if found is pd.NaT or found.tzinfo is None:
        raise stop(
            "the command",
            option.strip("-"),
            f"`{option}` is a time with its zone",
            f"`{given}`",
            "write it as 2026-03-31T09:30:00+02:00",
            ConfigError,
        )
    return pd.Timestamp(found.tz_convert("UTC"))
