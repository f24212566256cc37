"""A study of an experiment's ledger: its log read, and its effects noted where the assignments are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from leadlift.base.experiment import ExperimentConfig
from leadlift.base.records import Check, ComplierEffect, Effect, LedgerUse, StudyResult
from leadlift.data.ledger import record_study
from leadlift.design import Evidence
from leadlift.evaluation import lead_compliers, organisation_compliers, organisation_effects
from leadlift.study.evidence import ledger_evidence
from leadlift.study.import_ import ledger_path
from leadlift.study.ledger_log import LedgerLog, read_ledger_log
from leadlift.study.log_problems import model_of


@dataclass(frozen=True, eq=False)
class LedgerStudy:
    """What a study read from a ledger, and the ledger's file; the file is closed."""

    path: Path
    read_log: LedgerLog
    wait: float

    @classmethod
    def read(cls, config: ExperimentConfig, beside: Path, wait: float) -> LedgerStudy:
        """Reads the experiment's log.

        Raises:
            ConfigError: the configuration names no ledger.
            FileError: the ledger or the problem model can't be read.
            DataError: it has no log of this experiment.
        """
        path = ledger_path(config, beside)
        problems = model_of(config.problems, beside)
        return cls(path, read_ledger_log(config, path, problems=problems, wait=wait), wait)

    @property
    def use(self) -> LedgerUse:
        """The same for the result."""
        found, totals = self.read_log, self.read_log.totals
        accounts = () if totals is None else (totals.account, totals.deal_account)
        return LedgerUse(
            found.chain_head, found.rounds, found.cut_off.isoformat(), found.booking_lag_days, found.deals, *accounts
        )

    def effects(self, seed: int) -> tuple[Effect, ...]:
        """Effects on organisations' totals, where the lot was drawn for organisations."""
        totals = self.read_log.totals
        return () if totals is None else tuple(organisation_effects(totals, seed=seed))

    def compliers(self, checks: Sequence[Check]) -> tuple[ComplierEffect, ...]:
        """Complier averages at the level of the unit; none where no touch is known, or touches follow the outcome."""
        found = self.read_log
        if found.totals is not None:
            touched = found.totals.touched
        else:
            touched = found.leads[found.touched].to_numpy(dtype=bool)[found.log.position]
        withheld = any(check.code == "touch-after-close" and check.status != "pass" for check in checks)
        if withheld or not touched.any():
            return ()
        if found.totals is not None:
            return tuple(organisation_compliers(found.totals))
        return tuple(lead_compliers(found.log, touched))

    def evidence(self, config: ExperimentConfig, source: str | Path | ExperimentConfig) -> Evidence:
        """What checks may look at; `source` is the configuration or its path."""
        return ledger_evidence(config, self.path, self.read_log, source=source, wait=self.wait)

    def note(self, result: StudyResult) -> None:
        """Notes the tracked study's effects and the chain's head in the ledger.

        Raises:
            FileError: the ledger is held by another process, or can't be written.
        """
        assert result.mlflow is not None
        record_study(
            self.path,
            run_id=result.mlflow.run_id,
            experiment=result.study,
            log_digest=result.log_digest,
            chain_head=self.use.chain_head,
            rounds=self.use.rounds,
            effects=result.effects,
            wait=self.wait,
        )
