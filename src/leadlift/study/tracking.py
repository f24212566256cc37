"""One MLflow run per study, nested runs per learner. The only module that talks to MLflow."""

from __future__ import annotations

import logging
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes
from leadlift.base.config import StudyConfig, without_password
from leadlift.base.errors import TrackingError
from leadlift.base.problems import stop
from leadlift.base.records import StudyResult, TrackedRun
from leadlift.report import answer
from leadlift.study.files import tables

# Codes such as 1007, lead-00012, 00Q5g000 or a UUID; anything with more letters in a row may be a name.
PLAIN = re.compile(
    r"(?:(?:lead|id|contact|opp|deal|org|crm)[-_:#/]?)?(?=.*\d)(?:[A-Za-z]{0,3}[0-9_:/#-]+)+[A-Za-z]{0,3}",
    re.IGNORECASE,
)
DEFAULT_URI = "sqlite:///mlruns/mlflow.db"


def _refuse_no_folder(database: Path) -> None:
    folder = database.absolute().parent
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        raise NotADirectoryError(f"{there} is a file, not a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(f"no write permission in {there}")


def _absolute(uri: str) -> str:
    """The URI with a whole path: MLflow keeps stores open by URI, and another folder would write into the first's."""
    if not uri.startswith("sqlite:///"):
        return uri
    return f"sqlite:///{Path(uri.removeprefix('sqlite:///')).absolute()}"


def tracking_uri(config: StudyConfig) -> str:
    """Where runs go: the configuration's word, else MLFLOW_TRACKING_URI, else sqlite under mlruns/."""
    return config.tracking.uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


@contextmanager
def _said_plainly(uri: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        first = (str(error).strip().splitlines() or ["no reason given"])[0]
        # Some libraries start with the name of their own error: `(sqlite3.DatabaseError) ...`.
        reason = re.sub(r"^[(][\w.]+[)] ", "", first)
        raise stop(
            "tracking",
            "mlflow",
            "the MLflow store can be used",
            f"{without_password(uri)}: {without_password(reason)}",
            "check `tracking.uri`, or leave it out for sqlite under mlruns/",
            TrackingError,
        ) from error


class Tracker:
    """A study's place in the MLflow store. Nothing global is set: several studies may track to several stores.

    Raises:
        TrackingError: the store can't be used.
    """

    def __init__(self, config: StudyConfig) -> None:
        self.uri = tracking_uri(config)
        self.experiment = config.tracking.experiment or config.name
        self._started = int(time.time() * 1000)
        self._try()

    def _try(self) -> None:
        """Finds a store that can't be used before hours of work; makes nothing, so that bad data leaves nothing."""
        with _said_plainly(self.uri):
            if self.uri.startswith("sqlite:///"):
                database = Path(self.uri.removeprefix("sqlite:///"))
                _refuse_no_folder(database)
                if database.exists():
                    self._connect()
            elif self.uri.startswith(("http://", "https://")):
                # MLflow itself would try for minutes before it said so.
                address = urlsplit(self.uri)
                port = address.port or (443 if address.scheme == "https" else 80)
                socket.create_connection((address.hostname or "", port), timeout=10).close()
            elif "://" in self.uri and not self.uri.startswith("file:"):
                self._connect()

    def _connect(self) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow import MlflowClient

        # After the import, which sets the level itself: making tables is no news to the user.
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        self._client = MlflowClient(tracking_uri=_absolute(self.uri))
        self._client.get_experiment_by_name(self.experiment)

    def _experiment_made(self) -> str:
        found = self._client.get_experiment_by_name(self.experiment)
        if found is not None:
            return str(found.experiment_id)
        location = None
        if self.uri.startswith("sqlite:///"):
            folder = Path(self.uri.removeprefix("sqlite:///")).absolute().parent
            location = (folder / "artifacts" / re.sub(r"[^\w.-]+", "-", self.experiment)).as_uri()
        # Without this tag the UI opens the experiment in its view for language models.
        tags = {"mlflow.experimentKind": "custom_model_development"}
        return str(self._client.create_experiment(self.experiment, artifact_location=location, tags=tags))

    def open_run(self, result: StudyResult) -> TrackedRun:
        """Creates the study's run, still without content."""
        return self.open_named(result.study, _tags(result))

    def open_named(self, name: str, tags: Mapping[str, str]) -> TrackedRun:
        """Creates a run with these tags, still without content."""
        with _said_plainly(self.uri):
            if self.uri.startswith("sqlite:///"):
                Path(self.uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
            self._connect()
            self._experiment_id = self._experiment_made()
            run = self._client.create_run(self._experiment_id, start_time=self._started, run_name=name, tags=dict(tags))
        return TrackedRun(without_password(self.uri), self.experiment, run.info.run_id)

    @contextmanager
    def closed(self, run: TrackedRun, *, failed: bool) -> Iterator[None]:
        """Closes the run at the end, as FAILED where the study `failed` or an error left it half written."""
        try:
            yield
        except BaseException:
            with suppress(Exception):
                self._client.set_terminated(run.run_id, "FAILED")
            raise
        with _said_plainly(self.uri):
            self._client.set_terminated(run.run_id, "FAILED" if failed else "FINISHED")

    def fill_plain(
        self,
        run: TrackedRun,
        settings: Mapping[str, Any],
        metrics: Mapping[str, float],
        tables: Mapping[str, pd.DataFrame],
        folder: Path,
    ) -> None:
        """Logs settings as parameters, metrics, tables and the files of a folder."""
        with _said_plainly(self.uri):
            params = {_safe(name): value for name, value in _flattened(settings) if not name.startswith("tracking.")}
            self._log(run.run_id, params, {_safe(name): value for name, value in metrics.items()})
            for name, table in tables.items():
                plain_table = table.astype(object).where(table.notna(), None)
                self._client.log_table(run.run_id, plain_table, f"tables/{name}.json")
            self._client.log_artifacts(run.run_id, str(folder))

    def fill_run(self, run: TrackedRun, result: StudyResult, folder: Path, leads: pd.DataFrame | None) -> None:
        """Logs parameters, dataset, metrics, tables and files."""
        with _said_plainly(self.uri):
            self._log(run.run_id, _params(result), _metrics(result))
            self._log_dataset(run.run_id, result)
            for name, table in tables(result).items():
                self._client.log_table(
                    run.run_id, table.astype(object).where(table.notna(), None), f"tables/{name}.json"
                )
            self._client.log_artifacts(run.run_id, str(folder))
            self._log_leads(run.run_id, leads)
            self._log_learners(run.run_id, result)

    def _log(self, run_id: str, params: Mapping[str, str], metrics: Mapping[str, float]) -> None:
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        self._client.log_batch(
            run_id,
            metrics=[Metric(name, value, now, 0) for name, value in metrics.items()],
            params=[Param(name, value[:500]) for name, value in params.items()],
        )

    def _log_dataset(self, run_id: str, result: StudyResult) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        name = str((result.settings.get("data") or {}).get("log") or result.settings.get("ledger") or "frame")
        profile = f'{{"num_rows": {result.rows.used}}}'
        dataset = Dataset(
            name=name, digest=result.log_digest, source_type="local", source=f'{{"uri": "{name}"}}', profile=profile
        )
        self._client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "randomised log")])])

    def _log_leads(self, run_id: str, leads: pd.DataFrame | None) -> None:
        if leads is None:
            return
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "leads.parquet"
            leads.to_parquet(path, index=False)
            self._client.log_artifact(run_id, str(path))

    def _log_learners(self, run_id: str, result: StudyResult) -> None:
        for learner in dict.fromkeys(row.learner for row in result.learners):
            child = self._client.create_run(
                self._experiment_id,
                start_time=self._started,
                run_name=f"{result.study}: {learner}",
                tags={
                    "mlflow.parentRunId": run_id,
                    "leadlift.learner": learner,
                    "leadlift.log_digest": result.log_digest,
                },
            )
            self._log(child.info.run_id, {"learner": learner}, _learner_metrics(result, learner))
            self._client.set_terminated(child.info.run_id)


def without_names(leads: pd.DataFrame, position: Codes) -> pd.DataFrame:
    """Leads with row numbers for identifiers that could be names or e-mail addresses.

    Identifiers stay where every one is a code: digits with at most three letters in a row, or a prefix such as lead-.
    """
    if leads["lead_id"].map(str).map(lambda text: PLAIN.fullmatch(text) is not None).all():
        return leads
    return leads.assign(lead_id=np.sort(position))


def _tags(result: StudyResult) -> dict[str, str]:
    words = answer(result)
    note = "\n\n".join(
        part for part in (words.organisations, f"**{words.headline}**", words.sure, words.do, *words.cautions) if part
    )
    return {
        "leadlift.config_digest": result.config_digest,
        "leadlift.log_digest": result.log_digest,
        "leadlift.design_digest": result.design_digest or "",
        **({} if result.ledger is None else {"leadlift.chain_head": result.ledger.chain_head}),
        "leadlift.outcome": result.outcome,
        "leadlift.stopped": str(result.stopped).lower(),
        "leadlift.chosen_learner": ", ".join(f"{row.treatment}: {row.chosen or 'none'}" for row in result.choices),
        "mlflow.note.content": note,
        "mlflow.source.name": "leadlift",
    }


def _params(result: StudyResult) -> dict[str, str]:
    flat = dict(_flattened(result.settings))
    return {_safe(name): value for name, value in flat.items() if not name.startswith("tracking.")}


def _flattened(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _safe(name: str) -> str:
    """A name that MLflow takes: letters, digits and _ - . space : /"""
    return re.sub(r"[^\w\-. :/]", "_", name)[:240]


def _metrics(result: StudyResult) -> dict[str, float]:
    values: dict[str, float | None] = {"rows/read": result.rows.read, "rows/used": result.rows.used}
    for row in result.effects:
        # In a folder store a metric is a file: no name may stand below another.
        estimator = row.estimator if row.outcome == result.outcome else f"{row.estimator} {row.outcome}"
        name = f"{estimator}/{row.segment}/{row.treatment}"
        values |= {f"effect/{name}": row.effect, f"effect_se/{name}": row.se}
    for test in result.segment_tests:
        kind = "groups" if test.segment_by == "score_group" else test.segment_by
        values[f"{kind}_differ_p/{test.estimator}/{test.treatment}"] = test.p_value
    for near in result.pooled:
        values[f"pooled/{near.estimator}/{near.segment}/{near.treatment}"] = near.effect
    for gap in result.differences:
        values[f"qini_over_score/{gap.learner}/{gap.treatment}"] = gap.difference
    for at in (row for row in result.strategies if result.decision and row.capacity == result.decision.capacity):
        name = f"{at.measure}/{at.strategy}/{at.treatment}"
        values |= {f"strategy/{name}": at.value, f"strategy_difference/{name}": at.difference}
    values |= {
        f"checks/{status}": sum(c.status == status for c in result.checks) for status in ("pass", "warn", "stop")
    }
    return {_safe(name): float(value) for name, value in values.items() if value is not None}


def _learner_metrics(result: StudyResult, learner: str) -> dict[str, float]:
    values: dict[str, float | None] = {}
    for row in result.learners:
        if row.learner == learner:
            arm = row.treatment
            values |= {
                f"qini/{arm}": row.qini,
                f"qini_lower/{arm}": row.qini_lower,
                f"qini_upper/{arm}": row.qini_upper,
            }
            size = row.calibration
            values |= {f"autoc/{arm}": row.autoc, f"calibration_slope/{arm}": size.slope}
            values |= {
                f"calibration_slope_one_p/{arm}": size.p_value_slope_one,
                f"calibration_difference/{arm}": size.difference,
            }
            values[f"blocks_used/{arm}"] = row.blocks_used
    for choice in result.choices:
        for mine in (candidate for candidate in choice.candidates if candidate.learner == learner):
            values[f"loss_gain/{choice.treatment}"] = mine.loss_gain
            values[f"chosen/{choice.treatment}"] = float(choice.chosen == learner)
    return {_safe(name): float(value) for name, value in values.items() if value is not None}
