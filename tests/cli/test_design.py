"""`leadlift design` as a newcomer meets it: the answer, the files, and what bad input leaves behind: nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ruamel.yaml import YAML

from leadlift.base.yaml import read_yaml
from leadlift.design import read_frozen

EXAMPLE = Path(__file__).parents[2] / "configs" / "spring_calls.yaml"


@pytest.fixture
def write(folder):
    """Writes a configuration: the example with some sections changed."""

    def written(name: str = "calls.yaml", **sections: dict[str, Any]) -> Path:
        values = read_yaml(EXAMPLE)
        values["experiment"]["holdout"]["until"] = "2099-12-31"
        for section, keys in sections.items():
            values[section] = {**values[section], **keys}
        with (folder / name).open("w") as file:
            YAML(typ="safe").dump(values, file)
        return folder / name

    return written


def in_one_line(text: str) -> str:
    return " ".join(text.split())


def test_the_answer_is_a_sentence(leadlift, write, folder) -> None:
    ended = leadlift("design", write())
    assert ended.code == 0, ended.err
    said = in_one_line(ended.out)
    assert "Seeing +6 pp in the medium group needs about 5,400 leads, 1,700 of them medium; you get 855 a week" in said
    assert "the smallest you can see in 8 weeks is +5.3 pp" in said
    assert "shared by 1 test over all leads, 3 tests by group, 3 tests of differences (Holm" in said
    assert "! call can touch 400 leads a draw" in said


def test_the_files(leadlift, write, folder) -> None:
    leadlift("design", write())
    out = folder / "designs" / "calls"
    assert sorted(path.name for path in out.iterdir()) == [
        "design.json",
        "power_curves.png",
        "power_curves.svg",
        "questions.csv",
    ]
    frozen = read_frozen(out / "design.json")
    questions = pd.read_csv(out / "questions.csv")
    assert len(questions) == len(frozen.answers["rows"]) == 10
    assert (out / "power_curves.svg").read_text().startswith("<svg")
    assert (out / "power_curves.png").read_bytes().startswith(b"\x89PNG")


def test_json_is_the_record(leadlift, write, folder) -> None:
    ended = leadlift("design", write(), "--json", "--out", folder / "d")
    record = json.loads(ended.out)
    assert record["frozen"]["digest"] == read_frozen(folder / "d" / "design.json").digest
    assert record["plan"]["rows"][0]["question"] == "overall"


def test_again_is_the_same_design(leadlift, write, folder) -> None:
    leadlift("design", write())
    file = folder / "designs" / "calls" / "design.json"
    before = file.read_bytes()
    ended = leadlift("design", folder / "calls.yaml")
    assert ended.code == 0
    assert ", frozen on " in ended.out
    assert file.read_bytes() == before


def test_a_frozen_design_is_not_replaced_unasked(leadlift, write, folder) -> None:
    leadlift("design", write())
    file = folder / "designs" / "calls" / "design.json"
    before = file.read_bytes()
    changed = write(plan={"weeks": 12})
    refused = leadlift("design", changed)
    assert refused.code == 1
    assert "`plan.weeks` was 8.0, is 12.0" in refused.err
    assert file.read_bytes() == before
    assert leadlift("design", changed, "--replace").code == 0
    assert file.read_bytes() != before


def test_an_edited_design_is_refused(leadlift, write, folder) -> None:
    leadlift("design", write())
    file = folder / "designs" / "calls" / "design.json"
    edited = file.read_text().replace('"share": 0.5', '"share": 0.6', 1)
    file.write_text(edited)
    ended = leadlift("design", folder / "calls.yaml")
    assert ended.code == 1
    assert "was edited after it was frozen" in ended.err
    assert file.read_text() == edited


def test_rho_from_a_table_of_past_leads(leadlift, write, folder) -> None:
    rows = [(f"org {j}", float(k < j % 3)) for j in range(60) for k in range(3)]
    pd.DataFrame(rows, columns=["client", "won"]).to_csv(folder / "past.csv", index=False)
    path = write(plan={"rho": None, "past": {"file": "past.csv", "organisation": "client", "outcome": "won"}})
    record = json.loads(leadlift("design", path, "--json").out)
    assert record["plan"]["clusters_from"] == "past"
    # Sizes were given; 0, 1 or 2 of 3 leads won: means vary by less than chance, so rho is 0 (by hand -0.08 or so).
    assert record["plan"]["clusters"]["mean"] == 1.6


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"experiment": {"arms": {"control": {"share": 0.5}, "call": {"share": 0.4}}}}, "add up to 0.9"),
        ({"experiment": {"holdout": {"share": 0.05, "until": "2020-01-01"}}}, "must end after today"),
        ({"plan": {"group_shares": {"low": 0.6, "medium": 0.4, "high": 0.0}}}, "the cuts leave high empty"),
        ({"plan": {"baseline": {"low": 0.1, "medium": 1.2, "high": 0.3}}}, "a rate lies between 0 and 1, not 1.2"),
        ({"plan": {"baselin": 0.1}}, "did you mean `baseline`?"),
        ({"plan": {"baseline": None}}, "give the mean outcome without the touch"),
        ({"plan": {"rho": None, "past": {"file": "gone.csv"}}}, "gone.csv"),
    ],
)
def test_bad_input_leaves_nothing(leadlift, write, folder, sections: dict[str, Any], words: str) -> None:
    path = write(**sections)
    ended = leadlift("design", path)
    assert ended.code == 1
    assert words in ended.err
    assert ended.out == ""
    assert [p.name for p in folder.iterdir()] == ["calls.yaml"]


def test_a_past_column_that_is_not_there(leadlift, write, folder) -> None:
    (folder / "past.csv").write_text("organisation,outcome\na,1\na,0\nb,0\n")
    ended = leadlift("design", write(plan={"rho": None, "past": {"file": "past.csv"}}))
    assert ended.code == 1
    assert "did you mean `organisation`?" in ended.err


def test_a_folder_with_other_things_is_left_alone(leadlift, write, folder) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "notes.txt").write_text("keep")
    ended = leadlift("design", write(), "--out", folder / "mine")
    assert ended.code == 1
    assert "holds notes.txt" in ended.err
    assert [p.name for p in (folder / "mine").iterdir()] == ["notes.txt"]
