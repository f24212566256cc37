"""What the checks of an experiment look at: its ledger, its lot, its frozen design, and its log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from leadlift.base.errors import ConfigError, DataError
from leadlift.base.experiment import ExperimentConfig
from leadlift.base.records import Check
from leadlift.data.ledger.evidence import LedgerFacts, ledger_facts
from leadlift.data.ledger.opening import WAIT, reading
from leadlift.data.ledger.outcomes import complete_until, observed_lag
from leadlift.design import Evidence, LotFacts, as_checks
from leadlift.study.assign import frozen_digest
from leadlift.study.ledger_log import LedgerLog, windows_of


def ledger_evidence(
    config: ExperimentConfig,
    ledger: Path,
    found: LedgerLog | None,
    *,
    source: str | Path | ExperimentConfig,
    wait: float = WAIT,
) -> Evidence:
    """What checks may look at in an experiment's ledger; the ledger is closed again when it is read.

    Args:
        config: the experiment.
        ledger: the ledger's file.
        found: the log read from it; None: there is none.
        source: path of the configuration, beside which a frozen design is looked for; or the configuration itself.
        wait: seconds to wait for another process that has the ledger open.
    """
    lot = config.experiment
    digest, problems = _frozen(config, source)
    return Evidence(
        log=None if found is None else found.log,
        # Named or not, they are those that were known when the lead was assigned.
        features_named=True,
        seed=config.seed,
        ledger=_facts(config, ledger, wait),
        lot=LotFacts(
            lot.unit, lot.mode, lot.round, lot.shares, tuple(lot.capacity), tuple(lot.shares_with), design_digest=digest
        ),
        months=None if found is None else _months(found),
        problems=problems,
    )


def _frozen(config: ExperimentConfig, source: str | Path | ExperimentConfig) -> tuple[str | None, tuple[Check, ...]]:
    """Digest of the frozen design, if there is one; or what is wrong with it."""
    try:
        return frozen_digest(config, source, None), ()
    except (DataError, ConfigError) as error:
        return None, tuple(replace(check, code=f"design-{check.code}") for check in as_checks(error.problems))


def _facts(config: ExperimentConfig, ledger: Path, wait: float) -> LedgerFacts:
    with reading(ledger, wait) as connection:
        given = config.deals.booking_lag_days
        lag = observed_lag(connection) if given is None else given
        try:
            cut_off = complete_until(connection) - pd.Timedelta(days=lag)
        except DataError:
            # No deals yet: every window is open.
            cut_off = pd.Timestamp(0, tz="UTC")
        return ledger_facts(connection, windows_of(config, cut_off))


def _months(found: LedgerLog) -> Any:
    names = found.leads.columns
    column = "assigned_at (ledger)" if "assigned_at (ledger)" in names else "assigned_at"
    return found.leads[column].dt.strftime("%Y-%m").to_numpy(dtype=object)[found.log.position]
