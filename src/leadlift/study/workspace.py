"""`leadlift init` and `leadlift ui`: a new workspace, and MLflow's pages on its runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

from leadlift.base.errors import TrackingError
from leadlift.base.problems import stop
from leadlift.data.ledger import make_ledger
from leadlift.study.demo import as_exported, refuse_content
from leadlift.study.files import staging
from leadlift.study.simulate import simulate_crm
from leadlift.study.tracking import DEFAULT_URI

STUDY = """\
# A study of a log that is there already: one log, one configuration, one MLflow run.  leadlift run study.yaml
# `leads.csv` is simulated. Put your own log in its place and name its columns below.
version: 1
name: {name}
data:
  log: leads.csv                        # CSV or Parquet, a row per lead
  treatment: treatment                  # the arm that the lot assigned
  control: control                      # the arm that is not touched
  propensity: {{control: 0.5, call: 0.5}} # P(arm) by design: numbers, or a column per arm
  outcome: converted                    # 0/1, yes/no, a count or money
  features: [{features}]
  lead_id: lead_id
  organisation: organisation_id         # leave out if every lead stands for itself
  score: score                          # the score before assignment; leave out to have one estimated
score_groups: {{quantiles: [0.3333333, 0.6666667], names: [low, medium, high]}}
learners: [t, x]
"""
EXPERIMENT = """\
# An experiment, for every command: design, assign, import, check and run.
version: 1
name: {name}
ledger: {ledger}                 # assignments, leads, touches and deals, in one file
data: {{timezone: UTC}}                   # of times that carry none
leads:                                  # where your files call a column otherwise, `lead_id: Id`; so touches, deals
  features: [{features}]
experiment:
  arms: {{control: {{share: 0.5}}, call: {{share: 0.5, mechanics: [call], cost: 35}}}}
  strata: [score_group]
  unit: organisation                    # the lot is drawn for clients; or lead
  holdout: {{share: 0.05, until: {until}}}      # clients that no experiment may touch until then
  window_days: 90                       # a deal counts when it is won within so many days
  touch_days: 14
value: {{column: amount, unit: EUR}}      # a deal's money; put your own unit here
score_groups: {{quantiles: [0.3333333, 0.6666667], names: [low, medium, high]}}
plan:                                   # what `leadlift design` answers; put your own numbers here
  baseline: {{low: 0.05, medium: 0.12, high: 0.3}}       # share won without a touch
  leads_per_week: 150
  weeks: 12
  leads_per_organisation: {{mean: 1.6, cv: 0.7}}
  rho: 0.05                             # how alike leads of one client are
  uplift: {{medium: 0.06}}                # what is to be seen
learners: [t, x]
"""
LEDGER = "ledger.duckdb"
IGNORED = "mlruns/\nresults/\n"


def make_workspace(folder: str | Path, *, leads: int = 6_000, seed: int = 0, today: date | None = None) -> Path:
    """Makes a folder for experiments, and for logs that are there already; returns the study's configuration.

    It holds `experiment.yaml` with its empty ledger, and `study.yaml` with a simulated log that it runs on.

    Raises:
        FileError: the folder is there and not empty, or can't be written.
    """
    folder = Path(folder)
    refuse_content(folder)
    crm = simulate_crm(leads=leads, seed=seed)
    columns = [*crm.flat.columns[:3], "treatment", "score", "converted", "revenue", "cost", *crm.world.features]
    with staging(folder) as temporary:
        as_exported(crm.flat[columns]).to_csv(temporary / "leads.csv", index=False)
        name = _plain(folder.absolute().name)
        features = ", ".join(crm.world.features)
        text = STUDY.format(name=name, features=features)
        (temporary / "study.yaml").write_text(text, encoding="utf-8")
        until = date((today or date.today()).year + 1, 12, 31)
        text = EXPERIMENT.format(name=name, ledger=LEDGER, until=until, features=features)
        (temporary / "experiment.yaml").write_text(text, encoding="utf-8")
        make_ledger(temporary / LEDGER)
        (temporary / ".gitignore").write_text(IGNORED, encoding="utf-8")
    return folder / "study.yaml"


def _plain(name: str) -> str:
    """A name that needs no quotes in YAML."""
    kept = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name).strip("-")
    return f"study-{kept}" if not kept[:1].isalpha() or kept.lower() in ("true", "false", "null") else kept


def open_ui(*, uri: str | None, port: int, ready: Callable[[], None] = lambda: None) -> int:
    """Serves MLflow's pages on 127.0.0.1 until interrupted; returns the server's exit code.

    `ready` is called once the store is known to be there.

    Raises:
        TrackingError: there is no store yet.
    """
    store = uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI
    if store.startswith("sqlite:///") and not Path(store.removeprefix("sqlite:///")).exists():
        raise stop(
            "the MLflow store",
            "no-store",
            "runs were tracked here before",
            f"{store} is not there",
            "run `leadlift demo` or `leadlift run` in this folder first",
            TrackingError,
        )
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "ui",
        "--backend-store-uri",
        store,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    ready()
    try:
        return subprocess.run(command, check=False, env=environment).returncode
    except KeyboardInterrupt:
        return 0
