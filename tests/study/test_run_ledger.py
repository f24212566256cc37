"""`leadlift run` on an experiment: the log comes from its ledger, and the study is noted there."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from import_files import DRAWN, Workspace, filled, workspace
from mlflow import MlflowClient

import leadlift as ll
from leadlift.base.experiment import HoldoutConfig
from leadlift.base.idea_config import EffectsFile
from leadlift.base.yaml import read_experiment
from leadlift.data.ledger import recorded_studies, verify_ledger
from leadlift.design.holdout import held_out
from leadlift.study import simulate_crm
from leadlift.study.holdouts import held_out_today
from leadlift.study.idea_inputs import read_effects

QUICK = "learners: [t]\nfolds: 2\nscore_groups: {cuts: [0.2, 0.6]}\ntracking: {uri: 'sqlite:///STORE/mlflow.db'}"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Workspace:
    folder = tmp_path_factory.mktemp("run")
    more = QUICK.replace("STORE", str(folder))
    return filled(folder, simulate_crm(leads=1_500, seed=5, leads_per_organisation=2.0), more=more)


@pytest.fixture(scope="module")
def result(place):
    return ll.run_study(place.config, out=place.folder / "out")


def test_the_study_says_what_it_read(place, result) -> None:
    log = place.log()
    said = json.loads((place.folder / "out" / "results.json").read_text(encoding="utf-8"))
    assert said["log_digest"] == log.log.digest
    assert said["rows"]["read"] == said["rows"]["used"] + sum(said["rows"]["dropped"].values())
    assert said["ledger"]["chain_head"] == verify_ledger(place.ledger).head
    assert said["ledger"]["cut_off"] == log.cut_off.isoformat()
    assert said["ledger"]["deals"]["used"] == log.deals.used
    assert said["ledger"]["rounds"] == [1]
    assert said["settings"]["experiment"]["window_days"] == 90
    assert said["settings"]["ledger"] == "calls.duckdb"
    assert (place.folder / "out" / "report.html").is_file()


def test_the_study_is_noted_in_the_ledger(place, result) -> None:
    (study,) = (s for s in recorded_studies(place.ledger) if s.run_id == result.mlflow.run_id)
    assert (study.experiment, study.log_digest, study.rounds) == ("calls", result.log_digest, (1,))
    assert study.chain_head == result.ledger.chain_head
    assert [row["effect"] for row in study.effects] == [effect.effect for effect in result.effects]
    assert all(row["se"] is not None for row in study.effects if row["segment_by"] == "all")
    assert verify_ledger(place.ledger).sound
    run = MlflowClient(tracking_uri=f"sqlite:///{place.folder}/mlflow.db").get_run(study.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["leadlift.chain_head"] == study.chain_head


def test_the_ledgers_own_checks_are_asked(place, result) -> None:
    found = {check.code: check.status for check in result.checks}
    assert found["edited-ledger"] == found["arm-switch"] == found["late-leads"] == "pass"
    assert set(found.values()) <= {"pass", "warn"}


def test_an_edited_ledger_stops_the_study(place, tmp_path) -> None:
    import duckdb

    elsewhere = Workspace(tmp_path)
    for file in ("calls.yaml", "calls.duckdb"):
        (tmp_path / file).write_bytes((place.folder / file).read_bytes())
    with duckdb.connect(str(elsewhere.ledger)) as connection:
        # The lead and its arm stay, so that nothing but the chain can tell.
        connection.execute("UPDATE assignments SET score = 0.999 WHERE place = 3")
    noted = len(recorded_studies(elsewhere.ledger))
    stopped = ll.run_study(elsewhere.config, out=tmp_path / "out")
    assert stopped.stopped
    assert {check.code for check in stopped.checks if check.status == "stop"} == {"edited-ledger"}
    assert stopped.effects == ()
    assert (tmp_path / "out" / "results.json").is_file()
    assert len(recorded_studies(elsewhere.ledger)) == noted


def test_organisations_come_first(place, result) -> None:
    first = result.effects[0]
    assert (first.estimand, first.outcome, first.segment) == ("organisation_total", "deals", "all")
    totals = place.log().totals
    assert first.n_treatment + first.n_control == len(totals) == result.ledger.organisations.used
    assert result.ledger.organisation_deals.used == totals.deals.sum()
    page = (place.folder / "out" / "report.html").read_text(encoding="utf-8")
    answer = page.index("per organisation, all its deals counted")
    assert answer < page.index('<dl class="strip">')
    assert "Effect on an organisation&#39;s total" in page or "Effect on an organisation's total" in page
    run = MlflowClient(tracking_uri=f"sqlite:///{place.folder}/mlflow.db").get_run(result.mlflow.run_id)
    assert run.data.metrics["effect/organisation_totals deals/all/call"] == pytest.approx(first.effect)


def test_the_complier_average_stands_beside(place, result) -> None:
    rows = {row.outcome: row for row in result.compliers}
    assert set(rows) == {"deals", "revenue"}
    assert rows["deals"].touched_control < 0.1
    assert rows["deals"].touched_treatment > 0.8
    effect = result.effects[0].effect
    took = rows["deals"].touched_treatment - rows["deals"].touched_control
    assert rows["deals"].effect == pytest.approx(effect / took)
    page = (place.folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "What a touch brings per organisation that is touched because the lot said so" in page


def test_the_ledger_is_free_while_the_study_fits(place, monkeypatch) -> None:
    from leadlift.study import run

    seen = []

    def analyse(*_, **__):
        program = f"import duckdb; duckdb.connect({str(place.ledger)!r}).close()"
        seen.append(subprocess.run([sys.executable, "-c", program], check=False, capture_output=True).returncode)
        raise InterruptedError

    monkeypatch.setattr(run, "analyse", analyse)
    with pytest.raises(InterruptedError):
        ll.run_study(place.config)
    assert seen == [0]


def test_the_same_ledger_gives_the_same_numbers_whatever_its_path(place, result, tmp_path, monkeypatch) -> None:
    elsewhere = Workspace(tmp_path)
    for file in ("calls.yaml", "calls.duckdb"):
        (tmp_path / file).write_bytes((place.folder / file).read_bytes())
    again = ll.run_study(elsewhere.config)
    assert again.config_digest == result.config_digest
    assert again.log_digest == result.log_digest
    assert again.effects == result.effects


def test_a_study_that_cannot_be_noted_writes_nothing(place, tmp_path, monkeypatch) -> None:
    from leadlift.base.errors import FileError
    from leadlift.study import ledger_study

    def busy(*_, **__):
        raise FileError("the ledger was held by another process")

    monkeypatch.setattr(ledger_study, "record_study", busy)
    with pytest.raises(FileError):
        ll.run_study(place.config, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


CONTENT = """\
version: 1
name: calls
{ledger}
experiment: {{arms: {{control: {{share: 0.5}}, call: {{share: 0.5}}}}}}
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CONTENT.format(ledger=""), ["the configuration names the ledger", "`ledger: calls.duckdb`"]),
        (CONTENT.format(ledger="ledger: gone.duckdb"), ["gone.duckdb is not there", "import leads or assign first"]),
        ("version: 1\nname: calls\n", ["`data` is missing, and so is an `experiment`", "`ledger` and `experiment`"]),
        ("version: 1\nledger: calls.duckdb\n", ["`experiment` is missing"]),
    ],
)
def test_a_configuration_without_a_log_is_said(folder, leadlift, text, words) -> None:
    (folder / "calls.yaml").write_text(text, encoding="utf-8")
    ended = leadlift("run", "calls.yaml")
    assert ended.code == 1
    assert all(word in ended.err for word in words), ended.err
    assert [path.name for path in folder.iterdir()] == ["calls.yaml"]


def test_a_ledger_without_deals_or_assignments_is_said(folder, leadlift) -> None:
    from import_files import workspace

    place = workspace(folder, features=())
    crm = simulate_crm(leads=60, seed=1)
    place.put("leads", crm.tables["leads"])
    assert "no-assignments" in leadlift("run", place.config).err
    place.assign(crm.tables["assignments"])
    before = hashlib.sha256(place.ledger.read_bytes()).hexdigest()
    ended = leadlift("run", place.config)
    assert ended.code == 1
    assert "[no-deals]" in ended.err
    assert hashlib.sha256(place.ledger.read_bytes()).hexdigest() == before
    assert not Path("results").exists()
    assert "mlruns" not in os.listdir()


def test_its_effects_are_measured_effects_of_the_experiments_product(place, result) -> None:
    effects = read_effects(EffectsFile(ledger=place.ledger.name, products={"calls": "tyres"}), place.folder)
    one = next(
        effect
        for effect in result.effects
        if (effect.segment_by, effect.estimator, effect.estimand) == ("all", "aipw", "per_lead")
    )
    (row,) = effects.to_dict("records")
    assert (row["product"], row["mechanic"], row["effect"], row["se"]) == ("tyres", "call", one.effect, one.se)
    assert (row["n_treatment"], row["n_control"]) == (one.n_treatment, one.n_control)


def test_a_list_to_act_on_names_no_client_held_out(place) -> None:
    holdout = "holdout: {share: 0.3, until: 2099-12-31}\n  unit:"
    act = "{strategy: score_first, leads: leads.csv, capacity: 600}"
    more = f"strategies: [score_first]\ndecide: {{steps: 4, act: {act}}}\n"
    text = place.config.read_text().replace("unit:", holdout).replace("value: {", "value: {unit: EUR, ")
    config = place.folder / "list.yaml"
    config.write_text(text + more)
    ll.run_study(config, out=place.folder / "list")
    listed = pd.read_csv(place.folder / "list" / "whom_to_touch.csv")["lead_id"]
    clients = pd.read_csv(place.folder / "leads.csv").set_index("lead_id")["organisation_id"]
    assert held_out(clients, 0.3, "holdout").mean() > 0.2
    assert not held_out(listed.map(clients), 0.3, "holdout").any()
    assert len(listed) > 500


def test_who_is_held_out_is_asked_under_all_names_and_until_the_holdout_ends(tmp_path) -> None:
    more = "score_groups: {cuts: [0.2, 0.6]}"
    place = workspace(tmp_path, more=more)
    rows = {"lead_id": ["1", "2"], "organisation_id": ["old", "kept"], "unit_id": ["old", "kept"], "score": 0.5}
    place.put("leads", pd.DataFrame({**rows, "created_at": "2026-01-01T00:00:00Z"}).drop(columns="unit_id"))
    drawn = {
        "stratum": "",
        "score_group": "medium",
        "propensity_holdout": 0.1,
        "assigned_at": DRAWN,
        "policy": "hashed",
    }
    shares = {"propensity_control": [0.0, 0.5], "propensity_call": [0.0, 0.5]}
    place.assign(pd.DataFrame({**rows, **drawn, **shares, "treatment": [None, "call"], "holdout": [True, False]}))
    place.put("aliases", pd.DataFrame({"alias": ["old"], "organisation_id": ["new"]}))
    config = read_experiment(place.config)
    clients = pd.Series(["old", "new", "kept", "other"])
    assert held_out_today(config, place.ledger)(clients).tolist() == [True, True, False, False]
    lot = HoldoutConfig(share=0.999, until=date(2030, 1, 1))
    asked = config.model_copy(update={"experiment": config.experiment.model_copy(update={"holdout": lot})})
    assert held_out_today(asked, None, today=date(2029, 12, 31))(clients).all()
    assert not held_out_today(asked, None, today=date(2030, 1, 1))(clients).any()
