"""The main job: configuration -> log -> checks -> estimates -> tracked, reported study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from leadlift.base.arrays import Floats
from leadlift.base.config import StudyConfig
from leadlift.base.digest import digest_of
from leadlift.base.errors import ConfigError
from leadlift.base.experiment import ExperimentConfig
from leadlift.base.problems import stop
from leadlift.base.record import plain
from leadlift.base.records import StudyResult, TruthRow
from leadlift.base.yaml import parse_any, read_any
from leadlift.data import AssignmentLog, find_file, read_table
from leadlift.data.ledger.opening import WAIT
from leadlift.decide import Strategy
from leadlift.design import Evidence
from leadlift.report import Drawn
from leadlift.report.problem_figures import problem_figures
from leadlift.study.act import Holds
from leadlift.study.analyse import Findings, analyse
from leadlift.study.files import LIST, check_folder, leads_frame, staging, write_result
from leadlift.study.holdouts import held_out_today
from leadlift.study.ledger_study import LedgerStudy
from leadlift.study.log_problems import LogProblems, model_of, refuse_other_problems, with_made_problems
from leadlift.study.problem_use import with_problems
from leadlift.study.progress import Progress, Silent
from leadlift.study.tracking import Tracker, without_names
from leadlift.study.versions import versions


def run_study(
    config: StudyConfig | ExperimentConfig | Mapping[str, Any] | str | Path,
    log: AssignmentLog | None = None,
    out: str | Path | None = None,
    *,
    strategies: Sequence[Strategy] = (),
    truth: Sequence[TruthRow] = (),
    true_uplift: Floats | None = None,
    problems: LogProblems | None = None,
    wait: float = WAIT,
    progress: Progress | None = None,
) -> StudyResult:
    """Runs one study: what `leadlift run` does.

    Args:
        config: a configuration, its plain values, or the path of its YAML file: of a log, or of an experiment, whose
            log is read from its ledger and whose study is noted there.
        log: the leads; None: read from the file or the ledger that the configuration names.
        out: folder for results.json, report.html, figures, tables and leads.parquet; None: they go into the MLflow
            run only.
        strategies: rules of whom to touch, beside those that the configuration names; see `leadlift.decide.strategies`.
        truth: true effects of a simulated company, to stand beside the estimates.
        true_uplift: its leads' true uplift by treated arm, shape (n, arms), outcome units, in the log's order: what
            strategies really bring then stands beside their values.
        problems: where the problems of a given `log` come from; None: as the configuration says.
        wait: seconds to wait for another process that has the ledger open; no study holds it while fitting.
        progress: listens to the steps.

    Returns:
        All that was found. Look at `stopped`: a readable log that its checks stop is tracked as a FAILED run and has
        no estimates.

    Raises:
        ConfigError: the configuration can't be used.
        FileError: the log or the ledger can't be read, or the folder not written.
        DataError: the log would make an answer wrong.
        TrackingError: the MLflow store can't be used.
    """
    listener: Progress = progress or Silent()
    given, beside = _settings(config)
    settings = given.study() if isinstance(given, ExperimentConfig) else given
    folder = None if out is None else Path(out)
    if folder is not None:
        check_folder(folder)
    ledger: LedgerStudy | None = None
    evidence: Evidence | None = None
    if log is None:
        with listener.step("reading"):
            if isinstance(given, ExperimentConfig):
                ledger = LedgerStudy.read(given, beside or Path(), wait)
                log, origin = ledger.read_log.log, ledger.read_log.problems
                evidence = ledger.evidence(given, config if isinstance(config, str | Path) else given)
            else:
                log, origin = read_log_and_problems(given, beside)
    else:
        origin = problems or model_of(settings.problems, beside)
    refuse_other_problems(log, origin)
    tracker = Tracker(settings)
    holds = _holds(given, ledger)
    findings = analyse(log, settings, listener, evidence, strategies, beside, holds, true_uplift)
    if ledger is not None and not findings.stopped:
        # An organisation's total is what its lot decided: it comes first.
        findings = replace(findings, effects=(*ledger.effects(settings.seed), *findings.effects))
    with listener.step("writing"):
        result = with_problems(_result(given, findings, truth), findings.log, origin)
        if ledger is not None:
            compliers = () if result.stopped else ledger.compliers(result.checks)
            result = replace(result, ledger=ledger.use, compliers=compliers)
        pictures = {} if result.problems is None or origin.saved is None else problem_figures(origin.saved)
        return _written(result, findings, settings, tracker, folder, ledger, pictures)


def _holds(config: StudyConfig | ExperimentConfig, ledger: LedgerStudy | None) -> Holds | None:
    """Which clients are held out today, where a list asks for it."""
    if not isinstance(config, ExperimentConfig) or config.decide.act is None:
        return None
    return held_out_today(config, None if ledger is None else ledger.path, WAIT if ledger is None else ledger.wait)


def read_log(config: StudyConfig, beside: Path | None) -> AssignmentLog:
    """The log that a configuration names: beside its file, else in LEADLIFT_DATA."""
    return read_log_and_problems(config, beside)[0]


def read_log_and_problems(config: StudyConfig, beside: Path | None) -> tuple[AssignmentLog, LogProblems]:
    """The same, and where the problems of its leads come from."""
    if config.data is None:
        raise stop(
            "the configuration",
            "missing-key",
            "the configuration names the log",
            "`data` is missing, and so is an `experiment` with its `ledger`",
            "add `data`, or `ledger` and `experiment`, or pass a log to `run_study`",
            ConfigError,
        )
    named = [getattr(config.data, role) for role in ("lead_id", "organisation", "stratum")]
    arm = config.data.log_arguments()["treatment"]
    identifiers = [arm, *(name for name in named if name)]
    frame = read_table(find_file(config.data.log, beside, config.data.source), identifiers)
    frame, arguments, problems = with_made_problems(frame, config, beside)
    return AssignmentLog.from_frame(frame, **arguments), problems


def _settings(
    config: StudyConfig | ExperimentConfig | Mapping[str, Any] | str | Path,
) -> tuple[StudyConfig | ExperimentConfig, Path | None]:
    if isinstance(config, StudyConfig | ExperimentConfig):
        return config, None
    if isinstance(config, Mapping):
        return parse_any(config), None
    return read_any(config), Path(config).parent


def _result(config: StudyConfig | ExperimentConfig, findings: Findings, truth: Sequence[TruthRow]) -> StudyResult:
    log = findings.log
    return StudyResult(
        study=config.name,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        config_digest=digest_of(config.for_digest()),
        log_digest=log.digest,
        design_digest=log.design_digest,
        versions=versions(),
        rows=log.account,
        arms=log.arm_counts,
        outcome=log.names["outcome"],
        outcome_kind=log.outcome_kind,
        weight=log.names.get("weight"),
        n_organisations=log.n_organisations,
        organisations_given=log.organisations_given,
        checks=findings.checks,
        effects=findings.effects,
        segment_tests=findings.segment_tests,
        pooled=findings.pooled,
        score=findings.score,
        learners=findings.rankings,
        differences=findings.differences,
        choices=findings.choices,
        balance=findings.balance,
        strategies=findings.strategies,
        decision=findings.decision,
        truth=tuple(truth),
        settings=plain(config.published()),
    )


def _written(
    result: StudyResult,
    findings: Findings,
    config: StudyConfig,
    tracker: Tracker,
    folder: Path | None,
    ledger: LedgerStudy | None,
    pictures: Mapping[str, Drawn],
) -> StudyResult:
    leads = None if result.stopped else leads_frame(findings)
    with staging(folder) as temporary:
        run = tracker.open_run(result)
        with tracker.closed(run, failed=result.stopped):
            result = replace(result, mlflow=run)
            write_result(temporary, result, pictures)
            tracked = without_names(leads, findings.log.position) if leads is not None else None
            tracker.fill_run(run, result, temporary, tracked if config.tracking.leads else None)
            if leads is not None:
                # Written after the run took its files: the run's own copy carries no names.
                leads.to_parquet(temporary / "leads.parquet", index=False)
            if findings.to_touch is not None:
                findings.to_touch.to_csv(temporary / LIST, index=False)
            if ledger is not None and not result.stopped:
                ledger.note(result)
    return result
