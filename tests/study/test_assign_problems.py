"""Strata by the main problem of a saved model; problem and mixture logged at the draw, used by the study later."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from leadlift.base.errors import ConfigError, DataError
from leadlift.base.yaml import read_experiment
from leadlift.data import AssignmentStore, make_world
from leadlift.data.ledger import LedgerStore
from leadlift.study.assign import assign_leads
from leadlift.study.design import design_study
from leadlift.study.import_ import import_file
from leadlift.study.ledger_log import read_ledger_log
from leadlift.study.log_problems import model_of
from leadlift.study.problems import find_problems

DRAWN = pd.Timestamp("2026-02-01T09:00:00Z")
LATER = pd.Timestamp("2026-07-01T00:00:00Z")
MIXTURES = ["mixture_P1", "mixture_P2", "mixture_P3"]


def values(**more):
    lot = {
        "arms": {"control": {"share": 0.5}, "call": {"share": 0.5, "mechanics": ["call"]}},
        "strata": ["score_group", "problem"],
        "window_days": 60,
    }
    return {
        "version": 1,
        "name": "spring",
        "ledger": "crm.duckdb",
        "leads": {"features": ["size"], "created_at": "created_at"},
        "experiment": lot,
        "score_groups": {"cuts": [0.5], "names": ["low", "high"]},
        "plan": {"baseline": 0.3, "leads": 800, "uplift": 0.1},
        "problems": {"model": "model"},
        "learners": ["t"],
        "folds": 2,
        **more,
    }


@pytest.fixture(scope="module")
def deals():
    world = make_world(leads=100, organisations=1_200, problems=3, products=18, deals_per_organisation=8.0, seed=2)
    return world.deals[world.deals["closed_at"] < "2026-01-15"].astype({"closed_at": str, "known_at": str})


@pytest.fixture(scope="module")
def model(deals, tmp_path_factory):
    place = tmp_path_factory.mktemp("search")
    store = {"uri": f"sqlite:///{place / 'mlflow.db'}"}
    find_problems({"deals": {"file": "-"}, "problems": {"resamples": 4}, "tracking": store}, deals, place / "found")
    return (place / "found" / "problem_model.json").read_text()


@pytest.fixture
def workspace(folder, deals, model):
    (folder / "model").mkdir()
    (folder / "model" / "problem_model.json").write_text(model)
    written(folder)
    deals.to_csv(folder / "deals.csv", index=False)
    leads(deals).to_csv(folder / "leads.csv", index=False)
    return folder


def written(folder, **more):
    (folder / "spring.yaml").write_text(json.dumps(values(**more)), encoding="utf-8")
    return folder / "spring.yaml"


def leads(deals, first=0, organisations=400):
    rng = np.random.default_rng(first)
    clients = np.append(np.sort(deals["organisation_id"].unique())[first : first + organisations], f"newcomer-{first}")
    frame = pd.DataFrame({"organisation_id": clients.repeat(2), "created_at": "2026-01-20T00:00:00Z"})
    frame["lead_id"] = [f"lead-{first + k:05d}" for k in range(len(frame))]
    return frame.assign(score=rng.random(len(frame)).round(3), size=rng.normal(size=len(frame)).round(3))


def planted(deals, name, **when):
    """A deal of every organisation in every product."""
    pairs = [deals["organisation_id"].unique(), deals["product"].unique()]
    rows = pd.MultiIndex.from_product(pairs, names=["organisation_id", "product"]).to_frame(index=False)
    rows = rows.assign(won=True, amount=1.0, currency="EUR", **when)
    return rows.assign(deal_id=[f"{name}-{k}" for k in range(len(rows))])


def outcomes(assigned):
    won = assigned.sample(frac=0.35, random_state=1)
    return won[["lead_id", "organisation_id"]].assign(
        deal_id="won-" + won["lead_id"], product="product-01", closed_at="2026-03-01T00:00:00Z",
        known_at="2026-03-02T00:00:00Z", won=True, amount=9.0,
        currency="EUR",
    )  # fmt: skip


def kept(folder):
    return LedgerStore(folder / "crm.duckdb").read().assigned("spring").sort_values("lead_id", ignore_index=True)


def test_from_the_draw_to_the_study(workspace, leadlift, deals):
    assert leadlift("import", "spring.yaml", "deals", "deals.csv").code == 0
    design = leadlift("design", "spring.yaml")
    assert design.code == 0, design.err
    assert "8 strata: 2 score groups by 3 problems and unknown" in design.out
    ended = leadlift("assign", "spring.yaml", "--leads", "leads.csv", "--at", DRAWN.isoformat())
    assert ended.code == 0, ended.err
    assert "problems by the model" in ended.out
    drawn = kept(workspace)
    assert set(drawn["stratum"].str.split("/").str[1]) == set(drawn["problem"]) == {"P1", "P2", "P3", "unknown"}
    newcomers = drawn["organisation_id"] == "newcomer-0"
    assert set(drawn[newcomers]["problem"]) == {"unknown"}
    assert drawn[newcomers][MIXTURES].isna().all(axis=None)
    known = drawn[drawn["problem"] != "unknown"]
    assert known[MIXTURES].sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert (known[MIXTURES].idxmax(axis=1) == "mixture_" + known["problem"]).all()
    # Months later the deals tell another story of every organisation, some of it from before the draw.
    late = [planted(deals, "a", closed_at="2026-03-05T00:00:00Z", known_at="2026-03-06T00:00:00Z"),
            planted(deals, "b", closed_at="2026-01-10T00:00:00Z", known_at="2026-03-05T00:00:00Z")]  # fmt: skip
    pd.concat([outcomes(drawn), *late], ignore_index=True).to_csv("more.csv", index=False)
    assert leadlift("import", "spring.yaml", "deals", "more.csv", "--complete-until", "2026-06-01T00:00:00Z").code == 0
    ended = leadlift("run", "spring.yaml")
    assert ended.code == 0, ended.err
    result = json.loads((workspace / "results" / "spring" / "results.json").read_text())
    assert (result["problems"]["source"], result["problems"]["mixtures"]) == ("logged", MIXTURES)
    cards = {card["problem"]: card["n_leads"] for card in result["problems"]["cards"]}
    assert cards == drawn["problem"].value_counts().to_dict()
    log = read_ledger_log(read_experiment("spring.yaml"), workspace / "crm.duckdb").log
    assert list(log.features.columns) == ["size", *MIXTURES]
    logged = drawn.set_index("lead_id").loc[log.lead_id]
    assert log.problem.tolist() == logged["problem"].tolist()
    pd.testing.assert_frame_equal(log.features[MIXTURES], logged[MIXTURES].reset_index(drop=True))
    checks = {check["code"]: check["status"] for check in result["checks"]}
    assert checks["edited-ledger"] == "pass"


def test_deals_known_after_the_draw_do_not_decide_it(workspace, deals):
    config = workspace / "spring.yaml"
    import_file(config, "deals", workspace / "deals.csv", now=DRAWN)
    moment = DRAWN.isoformat()
    for n, (closed, known) in enumerate([(moment, moment), ("2026-01-31T00:00:00Z", moment)]):
        planted(deals, f"late-{n}", closed_at=closed, known_at=known).to_csv("late.csv", index=False)
        import_file(config, "deals", workspace / "late.csv", now=LATER)
    assign_leads(config, workspace / "leads.csv", now=DRAWN)
    drawn = kept(workspace)
    # The same draw from a file that ends before it, kept in a folder.
    with_file = written(workspace, ledger=None, problems={"model": "model", "deals": {"file": "deals.csv"}})
    assign_leads(with_file, workspace / "leads.csv", now=DRAWN)
    same = (
        AssignmentStore(workspace / "assignments").read().assigned("spring").sort_values("lead_id", ignore_index=True)
    )
    columns = ["lead_id", "problem", "stratum", "treatment", *MIXTURES]
    pd.testing.assert_frame_equal(drawn[columns], same[columns], check_dtype=False)


def test_a_model_that_rests_on_deals_known_after_the_draw_is_refused(workspace, leadlift, model):
    assert leadlift("import", "spring.yaml", "deals", "deals.csv").code == 0
    later = {**json.loads(model), "known_until": DRAWN.isoformat()}
    (workspace / "model" / "problem_model.json").write_text(json.dumps(later))
    ended = leadlift("assign", "spring.yaml", "--leads", "leads.csv", "--at", DRAWN.isoformat())
    assert ended.code == 1
    assert "known-later" in ended.err
    assert not (workspace / "spring-list.csv").exists()
    assert LedgerStore(workspace / "crm.duckdb").read().draws == ()


def test_a_round_has_one_model(workspace, deals, model):
    config = workspace / "spring.yaml"
    import_file(config, "deals", workspace / "deals.csv", now=DRAWN)
    frozen = design_study(config, workspace / "designs" / "spring", today=DRAWN.date())
    assert set(frozen.plan.problem_shares) == {"P1", "P2", "P3"}
    assign_leads(config, workspace / "leads.csv", now=DRAWN)
    other = json.loads(model)
    other["weight"] = [row[::-1] for row in other["weight"]]
    (workspace / "model" / "problem_model.json").write_text(json.dumps(other))
    more = leads(deals, first=500, organisations=50)
    with pytest.raises(ConfigError, match="the one that the design was frozen with"):
        assign_leads(config, more, now=DRAWN)
    (workspace / "designs" / "spring" / "design.json").unlink()
    with pytest.raises(ConfigError, match="a round has one problem model"):
        assign_leads(config, more, now=DRAWN)


def test_a_problem_that_was_not_logged_is_made_from_deals_known_in_time(workspace, deals):
    plain = written(workspace, problems=None, experiment={**values()["experiment"], "strata": ["score_group"]})
    import_file(plain, "deals", workspace / "deals.csv", now=DRAWN)
    assign_leads(plain, workspace / "leads.csv", now=DRAWN)
    late = planted(deals, "late", closed_at="2026-01-10T00:00:00Z", known_at=DRAWN.isoformat())
    pd.concat([outcomes(kept(workspace)), late], ignore_index=True).to_csv("late.csv", index=False)
    import_file(plain, "deals", workspace / "late.csv", complete_until="2026-06-01T00:00:00Z", now=LATER)
    config = read_experiment(written(workspace))
    found = read_ledger_log(config, workspace / "crm.duckdb", problems=model_of(config.problems, workspace))
    assert found.problems.made
    assert found.problems.deals.dropped["known after assignment"] >= 400 * 18
    assert list(found.log.features.columns) == ["size", *MIXTURES]
    assert (found.log.problem == "unknown").sum() < 0.2 * len(found.log)
    unasked = read_experiment(written(workspace, problems={"model": "model", "features": False}))
    found = read_ledger_log(unasked, workspace / "crm.duckdb", problems=model_of(unasked.problems, workspace))
    assert list(found.log.features.columns) == ["size"]


@pytest.mark.parametrize(
    ("change", "frame", "words"),
    [
        ({}, {"problem": "P1"}, "two-problems"),
        ({"ledger": None}, {}, "names no deals"),
        ({"problems": {"model": "modell"}}, {}, "did you mean"),
        ({"problems": {"model": "model", "assigned_at": "x"}}, {}, "leave it out"),
        ({"problems": {"model": "model", "deals": {"file": "deals.csv"}}}, {}, "leave it out"),
        ({"ledger": "empty.duckdb"}, {}, "import them"),
    ],
)
def test_what_cannot_be_used_is_said_and_nothing_is_drawn(workspace, leadlift, deals, change, frame, words):
    written(workspace, **change)
    leads(deals).assign(**frame).to_csv("leads.csv", index=False)
    if change.get("ledger", "") == "":
        assert leadlift("import", "spring.yaml", "deals", "deals.csv").code in (0, 1)
    ended = leadlift("assign", "spring.yaml", "--leads", "leads.csv", "--at", DRAWN.isoformat())
    assert ended.code == 1
    assert words in ended.err
    assert not (workspace / "spring-list.csv").exists()
    assert not (workspace / "assignments").exists()


def test_leads_without_an_organisation_are_refused(workspace, deals):
    config = workspace / "spring.yaml"
    import_file(config, "deals", workspace / "deals.csv", now=DRAWN)
    with pytest.raises(DataError, match="organisation_id"):
        assign_leads(config, leads(deals).drop(columns="organisation_id"), now=DRAWN)
