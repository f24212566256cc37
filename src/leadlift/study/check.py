"""`leadlift check`: can this log be trusted?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pandas as pd

from leadlift.base.config import StudyConfig
from leadlift.base.errors import ConfigError, DataError
from leadlift.base.experiment import ExperimentConfig
from leadlift.base.problems import did_you_mean, stop
from leadlift.base.record import Record
from leadlift.base.records import Check
from leadlift.base.settings import parse_settings
from leadlift.base.yaml import is_experiment, read_config, read_experiment, read_yaml
from leadlift.data import read_table
from leadlift.data.ledger.evidence import assigned_leads
from leadlift.data.ledger.opening import WAIT, reading
from leadlift.design import CrmMapping, Evidence, as_checks, run_checks
from leadlift.design.crm_list import harmless
from leadlift.study.evidence import ledger_evidence
from leadlift.study.import_ import ledger_path
from leadlift.study.ledger_log import LedgerLog, read_ledger_log
from leadlift.study.run import read_log

# An experiment may be checked every day, long before its first window is closed: `open-windows` says so.
EDITED = "not as it was appended (`leadlift check` shows examples); restore the ledger from a copy"
NOT_YET = frozenset({"no-deals", "all-open"})


@dataclass(frozen=True)
class CheckResult(Record):
    """What `leadlift check` found: every check that applies, in the order of docs/checks.md; `stopped` if any stops."""

    study: str
    source: Literal["log", "ledger"]
    checks: tuple[Check, ...]

    @property
    def stopped(self) -> bool:
        """Whether a check stops."""
        return any(check.status == "stop" for check in self.checks)


def check_study(
    config: str | Path,
    *,
    received: str | Path | None = None,
    crm: str | Path | None = None,
    names: bool = False,
    wait: float = WAIT,
) -> CheckResult:
    """Checks the log of a study, or an experiment's ledger: what `leadlift check` does. Nothing is written.

    Args:
        config: path of the configuration.
        received: CSV or Parquet file of the leads as the CRM has them now, with their arms; ledgers only.
        crm: YAML file that names the CRM's columns, as for `leadlift assign`; None: our own names.
        names: whether examples are named, as on a screen: identifiers can be people's names.
        wait: seconds to wait for another process that has the ledger open.

    Raises:
        ConfigError: the configuration can't be used.
        FileError: the log, the ledger or the CRM's list can't be read.
        DataError: the ledger holds no assignments of the experiment.
    """
    path = Path(config)
    if is_experiment(read_yaml(path)):
        return _check_ledger(path, read_experiment(path), received, crm, wait, names=names)
    if received is not None:
        rule, fix = "the CRM's list is compared with a ledger", "leave out `--received`"
        raise stop("the command", "received", rule, f"{path.name} is the study of a log", fix, ConfigError)
    return _check_flat(read_config(path), path.parent)


def _check_flat(config: StudyConfig, beside: Path) -> CheckResult:
    try:
        log = read_log(config, beside)
    except DataError as error:
        return CheckResult(config.name, "log", tuple(as_checks(error.problems)))
    named = config.data is None or config.data.features is not None
    return CheckResult(config.name, "log", tuple(run_checks(Evidence(log, features_named=named, seed=config.seed))))


def _check_ledger(
    path: Path,
    config: ExperimentConfig,
    received: str | Path | None,
    crm: str | Path | None,
    wait: float,
    *,
    names: bool,
) -> CheckResult:
    ledger = ledger_path(config, path.parent)
    problems: list[Check] = []
    found: LedgerLog | None = None
    try:
        found = read_ledger_log(config, ledger, wait=wait)
    except DataError as error:
        codes = {problem.code for problem in error.problems}
        if "no-assignments" in codes:
            raise
        if "edited-ledger" in codes:
            told = as_checks(error.problems) if names else [Check("edited-ledger", "stop", None, EDITED)]
            return CheckResult(config.name, "ledger", tuple(told))
        problems = [check for check in as_checks(error.problems) if check.code not in NOT_YET]
    evidence = replace(ledger_evidence(config, ledger, found, source=path, wait=wait), names=names)
    if received is not None:
        evidence = replace(evidence, received=_received(config, ledger, Path(received), crm, wait))
    return CheckResult(config.name, "ledger", (*problems, *run_checks(evidence)))


def _received(config: ExperimentConfig, ledger: Path, file: Path, crm: str | Path | None, wait: float) -> pd.DataFrame:
    """A row per unit that was drawn: its leads, those that the CRM's list lacks, and those that it has otherwise."""
    mapping = CrmMapping() if crm is None else parse_settings(CrmMapping, read_yaml(Path(crm)), Path(crm).name)
    with reading(ledger, wait) as connection:
        assigned = assigned_leads(connection, config.name)
    theirs = {ours: name for name, ours in mapping.columns.items()}
    frame = read_table(file, [theirs.get(name, name) for name in ("lead_id", "treatment")])
    for ours in ("lead_id", "treatment"):
        if theirs.get(ours, ours) not in frame.columns:
            rule = f"the CRM's list has the column `{theirs.get(ours, ours)}`"
            raise stop("the CRM's list", "missing-column", rule, "it is not there", did_you_mean(ours, frame.columns))
    arms = dict(zip(frame[theirs.get("lead_id", "lead_id")], frame[theirs.get("treatment", "treatment")], strict=True))
    if mapping.arms is not None:
        assigned = assigned[assigned["treatment"].isin(mapping.arms)]
    # The list holds identifiers that a spreadsheet would execute behind an apostrophe.
    there = assigned["lead_id"].map(lambda lead: arms.get(lead, arms.get(harmless(lead))))
    assigned = assigned.assign(
        cell=assigned["batch"].astype("str") + "/" + assigned["stratum"].fillna(""),
        leads=1,
        missing=there.isna(),
        other=there.notna() & (there.astype("str") != assigned["treatment"]),
    )
    keys = ["unit_id", "treatment"]
    first = assigned.groupby(keys, as_index=False)["cell"].first()
    return assigned.groupby(keys, as_index=False)[["leads", "missing", "other"]].sum().assign(cell=first["cell"])
