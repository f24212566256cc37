"""One study from file to folder and MLflow run, and what must not depend on the order of its rows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

import leadlift as ll
from leadlift.base.errors import ConfigError, DataError, FileError, TrackingError
from leadlift.base.records import StudyResult
from small_logs import COLUMNS, PEOPLE, small_log, write_study

ARMS = ("none", "call", "sms")
THIRDS = dict.fromkeys(ARMS, 1 / 3)


def people_log(n: int = 600) -> pd.DataFrame:
    """A log that is full of names and addresses: as identifiers, clients, a text feature and strata."""
    frame = small_log(n, arms=ARMS)
    frame["id"] = [f"{PEOPLE[k % 2]} {k}" for k in range(n)]
    frame["client"] = [f"{PEOPLE[k // 5 % 2]} and sons {k // 5}" for k in range(n)]
    frame["channel"] = [PEOPLE[k % 2] for k in range(n)]
    frame["region"] = [PEOPLE[k // 5 % 2] for k in range(n)]
    return frame


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def store(place) -> str:
    return f"sqlite:///{place / 'runs' / 'mlflow.db'}"


@pytest.fixture(scope="module")
def result(place, store) -> StudyResult:
    """A run of the log full of names, which the tests of this module share."""
    frame = people_log()
    frame.loc[10, "won"] = np.nan
    config = write_study(
        place,
        frame,
        top={"name": "spring calls", "tracking": {"uri": store, "experiment": "calls"}},
        propensity=THIRDS,
        lead_id="id",
        organisation="client",
        score="score",
        stratum="region",
    )
    return ll.run_study(config, out=place / "out" / "calls")


@pytest.fixture(scope="module")
def client(result, store) -> MlflowClient:
    return MlflowClient(tracking_uri=store)


@pytest.fixture(scope="module")
def run(client, result):
    return client.get_run(result.mlflow.run_id)


@pytest.fixture(scope="module")
def artifacts(client, run, tmp_path_factory) -> Path:
    return Path(client.download_artifacts(run.info.run_id, "", str(tmp_path_factory.mktemp("artifacts"))))


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_folder_holds_all(result, place):
    out = place / "out" / "calls"
    assert {path.name for path in out.iterdir()} == {
        "results.json",
        "report.html",
        "leads.parquet",
        "figures",
        "tables",
    }
    assert json.loads((out / "results.json").read_text()) == result.to_dict()
    assert (out / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert {"effects.csv", "learners.csv", "checks.csv", "balance.csv"} <= files(out / "tables")
    assert any(name.endswith(".svg") for name in files(out / "figures"))
    # Nothing half made is left beside it.
    assert [path.name for path in (place / "out").iterdir()] == ["calls"]


def test_leads_stand_in_input_order(result, place):
    leads = pd.read_parquet(place / "out" / "calls" / "leads.parquet")
    frame = people_log().drop(index=10)
    arms = ("call", "sms")
    assert list(leads) == [
        "lead_id",
        "score_group",
        "treatment",
        *[f"uplift_{learner}[{arm}]" for learner in ("t", "x") for arm in arms],
    ]
    assert leads["lead_id"].tolist() == frame["id"].tolist()
    assert leads["treatment"].tolist() == frame["arm"].tolist()
    assert set(leads["score_group"]) == {"low", "medium", "high"}
    means = frame.groupby(leads["score_group"].to_numpy())["score"].mean()
    assert means["low"] < means["medium"] < means["high"]
    assert leads.filter(like="uplift").notna().all(axis=None)


def test_the_result_counts_and_names(result):
    assert result.study == "spring calls"
    assert (result.rows.read, result.rows.used, dict(result.rows.dropped)) == (600, 599, {"missing_outcome": 1})
    assert list(result.arms) == ["none", "call", "sms"]
    assert sum(result.arms.values()) == 599
    assert result.n_organisations == 120
    assert not result.stopped
    assert {row.learner for row in result.learners} == {"t", "x", "score"}
    assert result.settings["data"]["log"] == "log.csv"


def test_the_run_is_finished_and_tagged(result, run, client):
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "spring calls"
    tags = run.data.tags
    assert tags["leadlift.config_digest"] == result.config_digest
    assert tags["leadlift.log_digest"] == result.log_digest
    assert tags["leadlift.design_digest"] == result.design_digest
    assert tags["leadlift.stopped"] == "false"
    assert tags["mlflow.note.content"].startswith("**")
    experiment = client.get_experiment(run.info.experiment_id)
    assert experiment.name == "calls"
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"


def test_parameters_and_metrics(result, run):
    assert run.data.params["data.outcome"] == "won"
    assert run.data.params["learners"] == "t, x"
    assert run.data.params["seed"] == "0"
    assert not [name for name in run.data.params if name.startswith("tracking")]
    metrics = run.data.metrics
    assert metrics["rows/read"] == 600
    for row in result.effects:
        if row.effect is not None:
            assert metrics[f"effect/{row.estimator}/{row.segment}/{row.treatment}"] == row.effect
            assert metrics[f"effect_se/{row.estimator}/{row.segment}/{row.treatment}"] == row.se
    assert metrics["checks/stop"] == 0


def test_the_dataset(result, run):
    (given,) = run.inputs.dataset_inputs
    assert given.dataset.digest == result.log_digest
    assert given.dataset.name == "log.csv"
    assert json.loads(given.dataset.profile) == {"num_rows": 599}


def test_a_nested_run_per_learner(result, run, client):
    children = client.search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    assert {child.data.params["learner"] for child in children} == {"t", "x", "score"}
    for child in children:
        assert child.info.status == "FINISHED"
        assert child.data.tags["leadlift.log_digest"] == result.log_digest
        for row in result.learners:
            if row.learner == child.data.params["learner"]:
                assert child.data.metrics.get(f"qini/{row.treatment}") == row.qini
                assert child.data.metrics[f"blocks_used/{row.treatment}"] == row.blocks_used


def test_the_runs_files(artifacts, place):
    held = files(artifacts)
    assert held >= files(place / "out" / "calls")
    assert {"tables/effects.json", "tables/checks.json"} <= held
    out = place / "out" / "calls"
    for name in ("results.json", "report.html"):
        assert (artifacts / name).read_bytes() == (out / name).read_bytes()


def test_the_run_carries_no_name_or_address(artifacts, run, client):
    words = ("Ann Smith", "Bob Jones", "example.org", "and sons")
    children = client.search_runs([run.info.experiment_id])
    spoken = [repr((child.data.tags, child.data.params, child.data.metrics, child.inputs)) for child in children]
    for path in sorted(artifacts.rglob("*")):
        if path.suffix == ".parquet":
            spoken.append(pd.read_parquet(path).to_csv())
        elif path.is_file():
            spoken.append(path.read_bytes().decode("utf-8", "replace"))
    assert len(spoken) > 15
    for text in spoken:
        assert [word for word in words if word in text] == []


def test_the_runs_leads_have_row_numbers_for_names(artifacts):
    leads = pd.read_parquet(artifacts / "leads.parquet")
    assert leads["lead_id"].tolist() == [k for k in range(600) if k != 10]


def test_nothing_but_mlflow_and_the_time_differs_between_runs_and_orders(result, place, store, tmp_path):
    def wanted(of):
        return {name: value for name, value in of.to_dict().items() if name not in ("mlflow", "created_at")}

    again = ll.run_study(place / "study.yaml")
    assert wanted(again) == wanted(result)
    frame = pd.read_csv(place / "log.csv").sample(frac=1, random_state=0)
    (tmp_path / "study.yaml").write_text((place / "study.yaml").read_text())
    frame.to_csv(tmp_path / "log.csv", index=False)
    shuffled = ll.run_study(tmp_path / "study.yaml", out=tmp_path / "out")
    assert wanted(shuffled) == wanted(result)
    leads = pd.read_parquet(tmp_path / "out" / "leads.parquet").set_index("lead_id")
    first = pd.read_parquet(place / "out" / "calls" / "leads.parquet").set_index("lead_id")
    assert leads.index.tolist() == frame.dropna(subset="won")["id"].tolist()
    pd.testing.assert_frame_equal(leads.loc[first.index], first)


@pytest.mark.parametrize("roles", [{}, {"organisation": "client"}])
def test_rows_without_identifiers_in_any_order(roles, tmp_path, store):
    """Exact copies of rows are real where there is no identifier."""
    frame = pd.concat([small_log(300), small_log(300).head(60)], ignore_index=True).drop(columns="id")
    found, leads = [], []
    for name, rows in (("one", frame), ("two", frame.sample(frac=1, random_state=4))):
        (tmp_path / name).mkdir()
        config = write_study(tmp_path / name, rows, top={"tracking": {"uri": store}}, **roles)
        values = ll.run_study(config, out=tmp_path / name / "out").to_dict()
        found.append({key: value for key, value in values.items() if key not in ("mlflow", "created_at")})
        table = pd.read_parquet(tmp_path / name / "out" / "leads.parquet")
        assert table["lead_id"].tolist() == list(range(360))
        leads.append(table.set_index(rows.index).drop(columns="lead_id"))
    assert found[0] == found[1]
    assert found[0]["rows"]["read"] == 360
    # Copies share their arm and features, yet may fall into different folds: whose is whose is settled up to copies.
    one, two = (table.assign(**frame.drop(columns="score")) for table in leads)
    columns = list(one)
    one, two = one.sort_values(columns), two.loc[one.index].sort_values(columns)
    pd.testing.assert_frame_equal(one.reset_index(drop=True), two.reset_index(drop=True))


def mismatched() -> pd.DataFrame:
    frame = small_log(400)
    return frame[(frame["arm"] == "none") | (frame.index % 4 == 0)]


def test_a_log_that_a_check_stops(leadlift, study, tmp_path):
    ended = leadlift("run", study(mismatched()), "--out", "out")
    assert ended.code == 1
    assert "the split is not the one designed" in ended.out
    assert "Traceback" not in ended.err
    assert files(tmp_path / "out") == {"results.json", "report.html"}
    values = json.loads((tmp_path / "out" / "results.json").read_text())
    (stop,) = [check for check in values["checks"] if check["status"] == "stop"]
    assert stop["code"] == "sample-ratio"
    assert values["effects"] == values["learners"] == []
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlruns' / 'mlflow.db'}")
    run = client.get_run(values["mlflow"]["run_id"])
    assert run.info.status == "FAILED"
    assert run.data.tags["leadlift.stopped"] == "true"
    assert run.data.metrics["checks/stop"] == 1


def test_a_log_that_a_check_stops_as_json(leadlift, study):
    ended = leadlift("run", study(mismatched()), "--json")
    assert ended.code == 1
    assert json.loads(ended.out)["effects"] == []


def test_the_command_prints_the_effects_and_where_things_are(leadlift, study, tmp_path):
    config = study(top={"learners": ["t"]}, score="score")
    ended = leadlift("run", config)
    assert ended.code == 0
    assert "medium" in ended.out
    assert str(Path("results") / "study" / "report.html") in ended.out
    assert "sqlite:///mlruns/mlflow.db" in ended.out
    assert "INFO" not in ended.err
    held = files(tmp_path / "results" / "study")
    assert "results.json" in held
    # A second run takes the first one's place, in the folder and not in the store.
    again = leadlift("run", config, "--json")
    assert again.code == 0
    values = json.loads(again.out)
    assert json.loads((tmp_path / "results" / "study" / "results.json").read_text()) == values
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlruns' / 'mlflow.db'}")
    (experiment,) = [e for e in client.search_experiments() if e.name == "study"]
    assert len(client.search_runs([experiment.experiment_id], "params.learner != 'none'")) == 4


def quick(place, **top):
    return write_study(place, small_log(80), top={"learners": ["t"], "name": "quick", **top})


@pytest.mark.parametrize("form", ["store", "file:store", "uri"])
def test_tracking_to_a_folder(form, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri = (tmp_path / "store").as_uri() if form == "uri" else form
    result = ll.run_study(quick(tmp_path, tracking={"uri": uri, "leads": False}))
    run = MlflowClient(tracking_uri=uri).get_run(result.mlflow.run_id)
    assert run.info.status == "FINISHED"
    held = {item.path for item in MlflowClient(tracking_uri=uri).list_artifacts(run.info.run_id)}
    assert "results.json" in held
    assert "leads.parquet" not in held


def test_the_environment_names_the_store_where_the_configuration_does_not(tmp_path, monkeypatch):
    uri = f"sqlite:///{tmp_path / 'elsewhere' / 'a.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.chdir(tmp_path)
    result = ll.run_study(quick(tmp_path))
    assert result.mlflow.tracking_uri == uri
    assert result.mlflow.experiment == "quick"
    assert MlflowClient(tracking_uri=uri).get_run(result.mlflow.run_id).info.status == "FINISHED"
    assert not (tmp_path / "mlruns").exists()


def test_a_run_that_breaks_is_failed_and_leaves_no_folder(tmp_path, monkeypatch, store):
    import leadlift.study.run as module

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_result", full)
    with pytest.raises(FileError, match=r"(?s)\[write\].*No space left on device"):
        ll.run_study(quick(tmp_path, tracking={"uri": store, "experiment": "broken"}), out=tmp_path / "deep" / "out")
    assert not (tmp_path / "deep").exists()
    client = MlflowClient(tracking_uri=store)
    (run,) = client.search_runs([client.get_experiment_by_name("broken").experiment_id])
    assert run.info.status == "FAILED"


def test_the_folder_before_stays_where_a_run_breaks(tmp_path, monkeypatch, store):
    import leadlift.study.run as module

    config = quick(tmp_path, tracking={"uri": store})
    ll.run_study(config, out=tmp_path / "out")
    before = (tmp_path / "out" / "results.json").read_bytes()
    monkeypatch.setattr(module.Tracker, "fill_run", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ll.run_study(config, out=tmp_path / "out")
    assert (tmp_path / "out" / "results.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".leadlift")] == []


def test_a_mounted_folder_is_filled_in_place(tmp_path, monkeypatch, store):
    """A folder that can't be renamed, as a mounted one."""
    out = tmp_path / "out"
    (out / "figures").mkdir(parents=True)
    (out / "figures" / "old.svg").write_text("old")
    (out / "results.json").write_text("old")
    rename = Path.rename

    def refuse(path, target):
        if path == out:
            raise OSError(16, "Device or resource busy")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    result = ll.run_study(quick(tmp_path, tracking={"uri": store}), out=out)
    assert json.loads((out / "results.json").read_text())["mlflow"]["run_id"] == result.mlflow.run_id
    assert not (out / "figures" / "old.svg").exists()


def test_a_password_is_not_written_down(tmp_path):
    with pytest.raises(TrackingError) as error:
        ll.run_study(quick(tmp_path, tracking={"uri": "postgresql://ann:p@ss/word@127.0.0.1:9/mlflow"}))
    assert "p@ss" not in str(error.value)
    assert "word" not in str(error.value)
    from leadlift.base.yaml import read_config

    uri = read_config(tmp_path / "study.yaml").published()["tracking"]["uri"]
    assert uri == "postgresql://127.0.0.1:9/mlflow"


def test_a_study_of_a_log_in_hand(store):
    log = ll.AssignmentLog.from_frame(small_log(200), **COLUMNS)
    result = ll.run_study({"name": "in hand", "learners": ["t"], "tracking": {"uri": store}}, log)
    assert result.log_digest == log.digest
    assert result.settings["data"] is None
    with pytest.raises(ConfigError, match="`data` is missing"):
        ll.run_study({"name": "in hand"})


def test_an_analysis_that_cannot_be_done_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    config = write_study(tmp_path, small_log(200).assign(client="one"), organisation="client")
    with pytest.raises(DataError, match="in one fold only"):
        ll.run_study(config, out="out")
    assert {path.name for path in tmp_path.rglob("*")} == {"log.csv", "study.yaml"}


def test_progress_is_told(store):
    steps = []

    class Listener:
        def step(self, name, total=None):
            from contextlib import nullcontext

            steps.append(name)
            return nullcontext(steps.append)

    log = ll.AssignmentLog.from_frame(small_log(200), **COLUMNS)
    ll.run_study({"learners": ["t"], "folds": 2, "tracking": {"uri": store}}, log, progress=Listener())
    assert steps[:4] == ["checks", "cross-fitting", "1 of 2", "2 of 2"]
    assert {"effects", "sequential validation", "writing"} <= set(steps)
