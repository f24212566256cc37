"""Strategies through the main job: from the configuration to results, page, figure, MLflow; and what is refused."""

import json

import numpy as np
import pandas as pd
import pytest

import leadlift as ll
from leadlift import AssignmentLog
from leadlift.base.config import parse_config
from leadlift.base.errors import ConfigError, DataError
from leadlift.base.records import LearnerChoice
from leadlift.learners import OutOfFold
from leadlift.study.act import asked_list, made_list
from leadlift.study.strategies import asked
from small_logs import COLUMNS, small_log

DRAWN = {"organisation": "client", "score": "score", "lead_id": "id"}
BANT = {"strategy": "bant", "columns": {"need": "channel"}}
WORDS = {"fair": 0, "phone": 0.5, "web": 1}
RULES = ["score_first", "fence_sitters_first", "uplift_first", "random"]


class BigFirst:
    """The ten lines of the documentation."""

    name = "big_first"
    needs = ("size",)

    def rank(self, leads):
        return leads["size"].to_numpy()


def run(study, leadlift, top, frame=None, **data):
    config = study(frame, top=top, **{**DRAWN, **data})
    return leadlift("run", config, "--out", "out")


def test_the_main_job_settles_whom_to_touch(study, leadlift, folder):
    top = {"strategies": RULES, "decide": {"capacity": 50, "leads": 200, "per": "week"}, "learners": ["t"]}
    ended = run(study, leadlift, top, small_log(1_200))
    assert ended.code == 0, ended.err
    assert "With 50 touches a week" in ended.out
    found = json.loads((folder / "out" / "results.json").read_text())
    row = found["strategies"][0]
    assert {"strategy", "capacity", "n_touched", "value", "value_lower", "value_upper", "difference_from"} <= set(row)
    assert [one["capacity"] for one in found["strategies"] if one["strategy"] == "random"][4] == 50
    assert found["decision"]["current"] == "score_first"
    page = (folder / "out" / "report.html").read_text()
    assert "Whom to touch" in page
    assert "With 50 touches a week" in page
    assert (folder / "out" / "figures" / "strategies.png").stat().st_size > 10_000
    assert (folder / "out" / "tables" / "strategies.csv").exists()
    from mlflow import MlflowClient

    metrics = MlflowClient(found["mlflow"]["tracking_uri"]).get_run(found["mlflow"]["run_id"]).data.metrics
    at = next(one for one in found["strategies"] if one["strategy"] == "score_first" and one["capacity"] == 50)
    assert metrics["strategy/outcome/score_first/call"] == pytest.approx(at["value"])


def test_anyone_adds_a_strategy(folder):
    log = ll.AssignmentLog.from_frame(small_log(600), **COLUMNS, organisation="client", score="score")
    result = ll.run_study({"learners": ["t"], "decide": {"steps": 4}}, log, strategies=[BigFirst()])
    assert {row.strategy for row in result.strategies} == {"big_first", "random"}
    assert result.decision.current == "big_first"


def test_without_strategies_nothing_is_said_of_them(study, leadlift, folder):
    assert run(study, leadlift, {"learners": ["t"]}).code == 0
    found = json.loads((folder / "out" / "results.json").read_text())
    assert (found["strategies"], found["decision"]) == ([], None)
    assert "Whom to touch" not in (folder / "out" / "report.html").read_text()


@pytest.mark.parametrize(
    ("top", "code", "words"),
    [
        ({"strategies": ["score_fist"]}, 1, "did you mean `score_first`"),
        ({"decide": {"capacity": 50}}, 1, "`decide` is there (capacity), `strategies` is not"),
        ({"strategies": ["score_first"], "decide": {"capacity": 500}}, 1, "500 touches for 400 leads"),
        ({"strategies": ["score_first"], "decide": {"capacity": 5, "leads": 4}}, 1, "above the 4 leads"),
        ({"strategies": ["score_first"], "value": {"per_outcome": 5}}, 1, "has a unit"),
        (
            {"strategies": ["score_first"], "value": {"column": "amount", "unit": "EUR"}},
            1,
            "what each lead brought is named in `data.value: amount`",
        ),
        (
            {"strategies": ["random"], "value": {"per_outcome": 5, "unit": "EUR"}, "decide": {"costs": {}}},
            1,
            "none for call",
        ),
        ({"strategies": [{"strategy": "bant", "columns": {"need": "channel"}}]}, 1, "not fair, phone, web"),
        ({"strategies": [{**BANT, "words": {"channel": {"fair": 5}}}]}, 1, "at most 1"),
        ({"strategies": [{**BANT, "words": {"chanel": {"fair": 1}}}]}, 1, "names `chanel`"),
        ({"strategies": [{**BANT, "weights": {"budget": 2}}]}, 1, "names `budget`"),
        ({"strategies": [{**BANT, "lower_is_better": ["timing"]}]}, 1, "names `timing`"),
        (
            {"strategies": [{**BANT, "words": {"channel": WORDS}, "lower_is_better": ["need"]}]},
            1,
            "`channel` (need) holds words",
        ),
        ({"strategies": [{"strategy": "triage", "dead": 0.5, "sure": 0.1}]}, 1, "no score lies between"),
        ({"strategies": [{"strategy": "skip_the_dead", "dead": float("nan")}]}, 1, "finite number"),
        (
            {"strategies": ["score_first"], "decide": {"representative": {"touches": 10, "cost": 100}}},
            1,
            "`decide.representative` without `value`",
        ),
        ({"strategies": ["uplift_value_first"], "learners": ["t"]}, 1, "there is no `value`"),
        ({"strategies": [{"strategy": "triage", "column": "same"}]}, 1, "it is 1 for all 400"),
        ({"strategies": [{"strategy": "triage", "column": "won"}]}, 1, "`won` is the outcome"),
        ({"strategies": [{"strategy": "triage", "column": "sise"}]}, 1, "did you mean `size`"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(study, leadlift, folder, top, code, words):
    ended = run(study, leadlift, top, small_log().assign(same=1), features=["size", "channel", "same"])
    assert ended.code == code
    assert words in ended.err
    assert not (folder / "out").exists()
    assert not (folder / "mlruns").exists()


def test_a_triage_by_an_empty_column_is_refused(study, leadlift, folder):
    frame = small_log().assign(size=float("nan"))
    ended = run(study, leadlift, {"strategies": [{"strategy": "triage", "column": "size"}]}, frame)
    assert (ended.code, "none of 400 has" in ended.err) == (1, True), ended.err
    assert not (folder / "out").exists()


class Broken(BigFirst):
    def __init__(self, values):
        self.values = values

    def rank(self, leads):
        return self.values(leads["size"].to_numpy(dtype=float, copy=True))


def nothing(values):
    values[:3] = float("nan")
    return values


@pytest.mark.parametrize(("values", "words"), [(nothing, "3 of 400 rows"), (lambda v: v * 0, "the same number")])
def test_a_custom_strategy_that_ranks_nothing_is_refused(folder, values, words):
    log = ll.AssignmentLog.from_frame(small_log(), **COLUMNS)
    with pytest.raises(DataError, match=words):
        ll.run_study({}, log, "out", strategies=[Broken(values)])
    assert not (folder / "out").exists()


def test_two_strategies_of_one_name_are_refused(folder):
    log = ll.AssignmentLog.from_frame(small_log(), **COLUMNS)
    with pytest.raises(ConfigError, match="`big_first` twice"):
        ll.run_study({}, log, strategies=[BigFirst(), BigFirst()])


def test_a_log_without_a_score_judges_the_score_it_estimates_sequentially(folder):
    log = ll.AssignmentLog.from_frame(small_log(1_200), **COLUMNS, organisation="client")
    result = ll.run_study({"strategies": ["score_first", "skip_the_dead"], "learners": ["t"]}, log)
    assert {row.method for row in result.strategies if row.strategy == "score_first"} == {"sequential"}
    assert any(row.value is not None for row in result.strategies if row.strategy == "skip_the_dead")


def test_a_list_to_act_on_is_written_with_its_warning(study, leadlift, folder):
    small_log(50, seed=9).rename(columns={"arm": "past"}).drop(columns="won").to_csv("new.csv", index=False)
    act = {"strategy": "uplift_first", "capacity": 10, "leads": "new.csv"}
    top = {"strategies": ["score_first", "uplift_first"], "decide": {"act": act, "steps": 4}, "learners": ["t"]}
    ended = run(study, leadlift, top, small_log(600))
    assert ended.code == 0, ended.err
    assert "ends the evidence" in ended.out
    lines = (folder / "out" / "whom_to_touch.csv").read_text().splitlines()
    assert lines[0] == "place,lead_id,touch,reason"
    assert len(lines) == 11
    assert ",call,uplift first: predicted " in lines[1]
    found = json.loads((folder / "out" / "results.json").read_text())
    assert found["decision"]["act"]["n"] == 10
    assert "leadlift assign" in (folder / "out" / "report.html").read_text()


def test_the_list_follows_the_learner_that_was_chosen(folder):
    log = AssignmentLog.from_frame(small_log(400), **COLUMNS, score="score")
    config = parse_config(
        {
            "name": "list",
            "learners": ["t", "x"],
            "strategies": ["score_first", "uplift_first"],
            "decide": {"act": {"strategy": "uplift_first", "capacity": 10}},
        }
    )
    question = asked(log, config, ())
    rng = np.random.default_rng(0)
    uplift = {name: rng.normal(size=(400, 1)) for name in ("t", "x")}
    fitted = OutOfFold(uplift, np.zeros((400, 2)), np.zeros(400, dtype=np.intp), np.zeros((400, 2)))
    for chosen, followed in (("t", "t"), ("x", "x"), (None, "x")):
        found = made_list(
            asked_list(question, config, None),
            question,
            fitted,
            config,
            [LearnerChoice("call", chosen, chosen, (), "")],
        )
        first = np.argsort(-uplift[followed][:, 0])[:10]
        assert found["lead_id"].tolist() == [str(row) for row in log.position[first]]


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ({"strategy": "bant"}, "`bant` is none"),
        ({"strategy": "score_first"}, "the list has a length"),
        ({"strategy": "score_first", "capacity": 401}, "401 touches for 400 leads"),
        ({"strategy": "score_first", "capacity": 5, "leads": "absent.csv"}, "absent.csv"),
        ({"strategy": "no_one", "capacity": 5}, "`no_one` puts no lead before another"),
        ({"strategy": "everyone", "capacity": 5}, "`everyone` puts no lead before another"),
    ],
)
def test_a_list_that_cannot_be_is_refused(study, leadlift, folder, act, words):
    ended = run(study, leadlift, {"strategies": ["score_first", "everyone", "no_one"], "decide": {"act": act}})
    assert ended.code == 1
    assert words in ended.err
    assert not (folder / "out").exists()


def test_the_problem_that_was_logged_orders_leads_and_new_ones_too(study, leadlift, folder):
    frame = small_log(600)
    frame["need"] = np.where(np.arange(600) % 3 == 0, "P1", "P2")
    small_log(40, seed=9).assign(need=["P1", "P2"] * 20).drop(columns=["arm", "won"]).to_csv("new.csv", index=False)
    rule = {"strategy": "by_problem", "order": ["P2", "P1"]}
    act = {"strategy": "by_problem", "capacity": 20, "leads": "new.csv"}
    top = {"strategies": [rule], "decide": {"act": act, "steps": 4}, "learners": ["t"]}
    ended = run(study, leadlift, top, frame, problem="need", features=["size", "channel"])
    assert ended.code == 0, ended.err
    listed = pd.read_csv("out/whom_to_touch.csv", dtype=str)["lead_id"]
    assert set(listed) == set(pd.read_csv("new.csv", dtype=str)["id"][1::2])
    found = json.loads((folder / "out" / "results.json").read_text())["decision"]["leave_alone"]
    assert {"score_group", "problem"} <= {row["segment_by"] for row in found}
    frame.drop(columns="need").to_csv("new.csv", index=False)
    ended = run(study, leadlift, top, frame, problem="need", features=["size", "channel"])
    assert (ended.code, "lacks need" in ended.err) == (1, True), ended.err
