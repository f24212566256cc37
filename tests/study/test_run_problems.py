"""`leadlift run` with a saved problem model: problems and mixtures as of each assignment, and nothing known later."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from leadlift.base.yaml import read_config
from leadlift.data import make_world
from leadlift.study.problems import find_problems
from leadlift.study.run import read_log_and_problems

STUDY = """\
version: 1
name: calls
data:
  log: log.csv
  treatment: arm
  control: control
  propensity: {control: 0.5, call: 0.5}
  outcome: won
  features: [size]
  lead_id: lead
  organisation: client
  score: score
problems: {model: model, deals: {file: deals.csv}, assigned_at: drawn}
learners: [t]
folds: 2
"""
DRAWN = "2026-02-01T09:00:00Z"


@pytest.fixture(scope="module")
def deals():
    world = make_world(leads=100, organisations=1_200, problems=3, products=18, deals_per_organisation=8.0, seed=2)
    return world.deals[world.deals["closed_at"] < "2026-01-15"]


@pytest.fixture(scope="module")
def model(deals, tmp_path_factory):
    place = tmp_path_factory.mktemp("search")
    store = {"uri": f"sqlite:///{place / 'mlflow.db'}"}
    config = {"deals": {"file": "-"}, "problems": {"resamples": 4}, "tracking": store}
    find_problems(config, deals, place / "found")
    return (place / "found" / "problem_model.json").read_text()


@pytest.fixture
def workspace(folder, deals, model):
    rng = np.random.default_rng(1)
    clients = np.append(np.sort(deals["organisation_id"].unique())[:700], "newcomer")
    log = pd.DataFrame({"client": clients.repeat(2)})
    log["arm"] = np.where(rng.random(len(clients)) < 0.5, "call", "control").repeat(2)
    log["won"] = (rng.random(len(log)) < 0.3 + 0.1 * (log["arm"] == "call")).astype(int)
    log["size"], log["score"] = rng.normal(size=len(log)).round(3), rng.random(len(log)).round(3)
    log["lead"], log["drawn"] = np.arange(len(log)), DRAWN
    log.to_csv(folder / "log.csv", index=False)
    deals.to_csv(folder / "deals.csv", index=False)
    (folder / "model").mkdir()
    (folder / "model" / "problem_model.json").write_text(model)
    (folder / "calls.yaml").write_text(STUDY)
    return folder


def planted(deals, closed):
    """The last problem's products for everyone, closed at a moment."""
    products = deals["product"].unique()
    names = deals["organisation_id"].unique()
    rows = pd.MultiIndex.from_product([names, products], names=["organisation_id", "product"]).to_frame(index=False)
    return pd.concat([deals, rows.assign(closed_at=closed, won=True, amount=1.0)], ignore_index=True)


def read(folder):
    return read_log_and_problems(read_config(folder / "calls.yaml"), folder)


def test_deals_known_after_the_assignment_change_nothing(workspace, leadlift, deals):
    without, _ = read(workspace)
    late = planted(deals, "2026-02-01T09:00:00Z")
    late.to_csv(workspace / "deals.csv", index=False)
    ended = leadlift("run", "calls.yaml")
    assert ended.code == 0, ended.err
    assert "Effect on “won” by client problem" in ended.out
    result = json.loads((workspace / "results" / "calls" / "results.json").read_text())
    assert result["log_digest"] == without.digest
    found = result["problems"]
    assert (found["source"], found["mixtures"]) == ("made", ["mixture_P1", "mixture_P2", "mixture_P3"])
    assert found["deals"]["dropped"]["known after assignment"] >= 700 * 18
    assert found["deals"]["read"] == len(late)
    assert {e["segment"] for e in result["effects"] if e["segment_by"] == "problem"} == {"P1", "P2", "P3", "unknown"}
    assert {e["segment_by"] for e in result["pooled"]} == {"problem", "score_group x problem"}
    cards = {card["problem"]: card for card in found["cards"]}
    assert sum(card["n_leads"] for card in cards.values()) == 1_402
    assert len(cards["P1"]["products"]) == cards["P1"]["n_products"] >= 3
    page = (workspace / "results" / "calls" / "report.html").read_text()
    for part in ('id="problem-effects"', 'id="intersections"', 'id="product-map"', "<h3>The problems</h3>"):
        assert part in page
    assert "left out" in page
    leads = pd.read_parquet(workspace / "results" / "calls" / "leads.parquet")
    assert leads["problem"].tolist()[-2:] == ["unknown", "unknown"]
    kept = {path.name for path in (workspace / "mlruns" / "artifacts").rglob("*")}
    assert {"intersections.png", "product_map.png", "problem_effects.png", "problem_cards.json"} <= kept
    # The same deals a second earlier would have changed it.
    planted(deals, "2026-02-01T08:59:59Z").to_csv(workspace / "deals.csv", index=False)
    assert read(workspace)[0].digest != without.digest


def test_a_model_of_later_deals_is_refused(workspace, leadlift, model):
    values = json.loads(model)
    values["known_until"] = "2026-02-01T09:00:00+00:00"
    (workspace / "model" / "problem_model.json").write_text(json.dumps(values))
    ended = leadlift("run", "calls.yaml")
    assert ended.code == 1
    assert "known-later" in ended.err
    assert "1,402 of 1,402" in ended.err
    assert not (workspace / "results").exists()


def test_learners_see_the_mixture_unless_they_are_not_to(workspace):
    log, _ = read(workspace)
    assert list(log.features.columns) == ["size", "mixture_P1", "mixture_P2", "mixture_P3"]
    shares = log.features[list(log.features.columns[1:])]
    assert shares.sum(axis=1)[log.problem != "unknown"].to_numpy() == pytest.approx(1.0)
    assert shares.isna().all(axis=1)[log.problem == "unknown"].all()
    text = STUDY.replace("assigned_at: drawn", "assigned_at: drawn, features: false")
    (workspace / "calls.yaml").write_text(text)
    assert list(read(workspace)[0].features.columns) == ["size"]


def test_what_was_logged_is_used_as_it_is(workspace):
    frame = pd.read_csv(workspace / "log.csv")
    frame["main"], frame["mixture_P1"] = "P2", 0.25
    frame.to_csv(workspace / "log.csv", index=False)
    (workspace / "calls.yaml").write_text(STUDY.replace("  score: score", "  score: score\n  problem: main"))
    log, found = read(workspace)
    assert set(log.problem) == {"P2"}
    assert not found.made
    assert set(log.features["mixture_P1"]) == {0.25}
    assert log.features["mixture_P2"].nunique() > 10


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("model: model", "model: modell", "did you mean"),
        ("deals: {file: deals.csv}, ", "", "data.problem"),
        (", assigned_at: drawn", "", "assigned_at"),
        (
            "problems: {model: model, deals: {file: deals.csv},",
            "  problem: arm\nproblems: {model: model,",
            "leave it out",
        ),
        ("assigned_at: drawn", "assigned_at: drwn", "did you mean `drawn`"),
        ("assigned_at: drawn", "assigned_at: size", "a time in every row"),
        ("  organisation: client\n", "", "data.organisation"),
        ("file: deals.csv", "file: deals.csv, ledger: x.duckdb", "one of them"),
        ("file: deals.csv", "file: log.csv", "organisation_id"),
    ],
)
def test_what_cannot_be_used_is_said_and_leaves_nothing(workspace, leadlift, old, new, words):
    (workspace / "calls.yaml").write_text(STUDY.replace(old, new))
    ended = leadlift("run", "calls.yaml")
    assert ended.code == 1
    assert words in ended.err
    assert not (workspace / "results").exists()
    assert not (workspace / "mlruns").exists()


def test_problems_of_another_model_are_refused(workspace, leadlift):
    frame = pd.read_csv(workspace / "log.csv").assign(main="insurance")
    frame.to_csv(workspace / "log.csv", index=False)
    (workspace / "calls.yaml").write_text(STUDY.replace("  score: score", "  score: score\n  problem: main"))
    ended = leadlift("run", "calls.yaml")
    assert ended.code == 1
    assert "other-problems" in ended.err


def test_new_leads_of_a_list_get_their_mixture_too(workspace, leadlift, deals):
    names = sorted(deals["organisation_id"].unique())[700:760]
    new = pd.DataFrame({"client": names, "size": 0.0, "score": 0.5}).assign(lead=lambda frame: frame.index + 5_000)
    new.to_csv(workspace / "new.csv", index=False)
    act = "{capacity: 20, act: {strategy: uplift_first, leads: new.csv}}"
    act = f"strategies: [score_first, uplift_first]\ndecide: {act}\n"
    (workspace / "calls.yaml").write_text(STUDY + act)
    ended = leadlift("run", "calls.yaml")
    assert ended.code == 0, ended.err
    listed = pd.read_csv(workspace / "results" / "calls" / "whom_to_touch.csv")
    assert len(listed) == 20
