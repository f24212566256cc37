"""A list without a lot, through the command line: ranked, said to be no evidence; and what is refused."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from leadlift.base.errors import DataError
from leadlift.study import write_list

CONFIGS = Path(__file__).parents[2] / "configs"
LEADS = pd.DataFrame(
    {
        "id": ["=a", "b", "c", "d"],
        "client": ["x", "x", "y", "z"],
        "score": [0.1, 0.4, 0.9, 0.6],
        "boss": ["high", "low", None, "medium"],
        "money": [3, 1, 2, 4],
    }
)
BANT = {"strategy": "bant", "columns": {"authority": "boss", "budget": "money"}}


@pytest.fixture(scope="module")
def deals(real_data):
    """IT-services deals that nobody drew."""
    return real_data("salvirt_b2b.parquet")


def listed(leadlift, folder, *, file="leads.csv", top=None, **change):
    LEADS.to_csv(folder / "leads.csv", index=False)
    asked = {"leads": file, "strategy": BANT, "capacity": 2, "lead_id": "id", **change}
    config = folder / "plain.yaml"
    config.write_text(yaml.safe_dump({"version": 1, "list": asked, **(top or {})}))
    return leadlift("run", config, "--out", "out")


def test_leads_that_were_not_drawn_are_listed_and_said_to_be_no_evidence(leadlift, folder):
    ended = listed(leadlift, folder)
    assert ended.code == 0, ended.err
    for words in ("2 of 4 leads, by BANT", "no evidence: no lot was drawn", "ends the evidence"):
        assert words in " ".join(ended.out.split())
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["list.json", "whom_to_touch.csv"]
    assert (folder / "out" / "whom_to_touch.csv").read_text().splitlines() == [
        "place,lead_id,reason",
        '1,\'=a,"bant: 0.8125 (authority 1, budget 0.625)"',
        '2,d,"bant: 0.6875 (authority 0.5, budget 0.875)"',
    ]
    found = json.loads((folder / "out" / "list.json").read_text())
    assert (found["strategy"], found["leads"], found["listed"]) == ("bant", 4, 2)
    assert "no evidence" in found["evidence"]
    assert not (folder / "mlruns").exists()
    assert listed(leadlift, folder, capacity=1).code == 0


def test_a_score_and_its_groups_rank_too_and_organisations_are_listed_whole(leadlift, folder):
    rule = {"strategy": "skip_the_dead"}
    ended = listed(leadlift, folder, strategy=rule, score="score", top={"score_groups": {"cuts": [0.2, 0.7]}})
    assert ended.code == 0, ended.err
    assert pd.read_csv("out/whom_to_touch.csv")["lead_id"].tolist() == ["c", "d"]
    assert listed(leadlift, folder, strategy="score_first", score="score", organisation="client", capacity=3).code == 0
    assert pd.read_csv("out/whom_to_touch.csv")["lead_id"].tolist() == ["c", "d"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strategy": "uplift_first"}, "follows a model of uplift"),
        ({"strategy": "everyone"}, "puts no lead before another"),
        ({"strategy": "scor_first"}, "did you mean `score_first`"),
        ({"strategy": "score_first"}, "orders leads by a score"),
        ({"strategy": "score_first", "score": "boss"}, "it holds high, low, medium"),
        ({"strategy": {"strategy": "bant", "columns": {"need": "client"}}}, "not x, y, z"),
        ({"strategy": {"strategy": "bant", "columns": {"need": "bos"}}}, "did you mean `boss`"),
        ({"capacity": 5}, "5 touches for 4 leads"),
        ({"lead_id": "client"}, "one that was there before in 1 of 4 rows"),
        ({"lead_id": "ID_"}, "did you mean `id`"),
        ({"organisation": "boss"}, "1 of 4 rows (25%) have none"),
        ({"file": "lead.csv"}, "did you mean `leads.csv`"),
        ({"top": {"data": {"log": "leads.csv"}}}, "a log that was drawn"),
    ],
)
def test_a_list_that_cannot_be_made_is_refused_and_nothing_is_written(leadlift, folder, change, words):
    ended = listed(leadlift, folder, **change)
    assert ended.code == 1
    assert words in ended.err
    assert not (folder / "out").exists()


def test_a_list_is_no_study(leadlift, folder):
    listed(leadlift, folder)
    ended = leadlift("check", "plain.yaml")
    assert (ended.code, "ranks leads without a lot" in ended.err) == (1, True), ended.err


def test_deals_that_were_not_drawn_are_refused_as_evidence_and_ranked_as_a_list(leadlift, folder, deals):
    data = {"log": str(deals), "outcome": {"column": "Status", "positive": "Won"}}
    for more, words in (
        ({}, "whoever was touched was chosen"),
        ({"treatment": "Up_sale", "control": "No"}, "without a lot no number can be trusted"),
    ):
        (folder / "study.yaml").write_text(yaml.safe_dump({"data": {**data, **more}, "strategies": ["score_first"]}))
        ended = leadlift("run", "study.yaml")
        assert (ended.code, words in ended.err) == (1, True), ended.err
        assert not (folder / "results").exists()


def test_probabilities_that_no_lot_had_stop_the_study(leadlift, folder, deals):
    frame = pd.read_parquet(deals)
    frame.assign(won=(frame["Status"] == "Won").astype(int)).to_parquet("deals.parquet")
    data = {"log": "deals.parquet", "outcome": "won", "treatment": "Up_sale", "control": "No", "features": ["Scope"]}
    study = {"data": {**data, "propensity": {"No": 0.5, "Yes": 0.5}}, "strategies": ["random"], "learners": ["t"]}
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    ended = leadlift("run", "study.yaml", "--json")
    assert ended.code == 1
    found = json.loads(ended.out)
    assert {check["code"] for check in found["checks"] if check["status"] == "stop"} == {"balance"}
    assert (found["strategies"], found["effects"]) == ([], [])


def test_the_example_of_the_repository_runs(deals, tmp_path):
    assert deals.is_file()
    found = write_list(CONFIGS / "bant_list.yaml", tmp_path / "out")
    assert (found.listed, found.leads) == (50, 448)


def test_its_schema_is_the_settings():
    from leadlift.base.config import json_schema
    from leadlift.base.plain_list import PlainListConfig

    text = json.dumps(json_schema(PlainListConfig, "leadlift list"), indent=2, ensure_ascii=False) + "\n"
    assert (CONFIGS / "list.schema.json").read_text(encoding="utf-8") == text, "run `make docs`"
    assert (CONFIGS / "bant_list.yaml").read_text().startswith("# yaml-language-server: $schema=list.schema.json\n")


def test_a_frame_is_taken_as_well(tmp_path):
    asked = {"list": {"leads": "-", "strategy": "score_first", "score": "score", "capacity": 1}}
    assert write_list(asked, tmp_path / "out", leads=LEADS).listed == 1
    with pytest.raises(DataError, match="none in 1 of 4"):
        write_list(asked, tmp_path / "other", leads=LEADS.assign(score=[0.1, None, 0.2, 0.3]))
