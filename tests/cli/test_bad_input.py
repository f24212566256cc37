"""What `leadlift run` says of input it can't use. Each ends with 1 and leaves nothing behind."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

from small_logs import PEOPLE, small_log, write_study

FORBIDDEN = re.compile(
    r"invalid|please|traceback|pydantic|nonetype|\b(dict|str|int|float|tuple|dtype|ndarray|object)\b|<class|valueerror",
    re.IGNORECASE,
)
HALVES = {"none": 0.5, "call": 0.5}


def changed(**columns):
    return small_log().assign(**columns)


def everywhere(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def third(column: str, value: object):
    """The small log with one cell changed; the column becomes one of objects."""
    frame = small_log()
    frame[column] = frame[column].astype(object)
    frame.loc[3, column] = value
    return frame


def switched():
    frame = small_log()
    frame.loc[1, "id"] = frame.loc[0, "id"]
    frame.loc[0, "arm"], frame.loc[1, "arm"] = "none", "call"
    return frame


def repeated():
    frame = small_log()
    frame.loc[1, ["id", "arm"]] = frame.loc[0, ["id", "arm"]]
    return frame


STRATA = {"a": HALVES, "b": {"none": 0.3, "call": 0.7}}

# Name: the log, its configuration, and the words that the message must hold.
CASES = {
    "missing column": (None, {"outcome": "wonn"}, ["[missing-column]", "`wonn` is not there", "did you mean `won`?"]),
    "missing feature": (None, {"features": ["sise"]}, ["`sise` is not there", "did you mean `size`?"]),
    "missing propensity column": (
        changed(p_call=0.5),
        {"propensity": {"none": "p_cal", "call": "p_call"}},
        ["[propensity-missing]", "`p_cal` is not there; did you mean `p_call`?"],
    ),
    "columns missing at once": (
        None,
        {"treatment": "arms", "lead_id": "idd", "features": ["sise"], "propensity": "pp"},
        ["4 problems", "`arms` is not there", "`idd` is not there", "`sise` is not there", "`pp` is not there"],
    ),
    "arm without propensity": (
        small_log(arms=("none", "call", "sms")),
        {},
        ["[propensity-arm]", "no propensity for sms"],
    ),
    "misspelt arm": (None, {"propensity": {"none": 0.5, "cal": 0.5}}, ["no propensity for call; did you mean `cal`?"]),
    "propensity of an absent arm": (None, {"propensity": {**HALVES, "sms": 0.1}}, ["no lead has the arm sms"]),
    "constant of 0": (None, {"propensity": {"none": 1, "call": 0}}, ["[propensity-range]", "400 of 400 rows", "1 + 0"]),
    "constants off 1": (None, {"propensity": {"none": 0.5, "call": 0.4}}, ["[propensity-sum]", "0.5 + 0.4 = 0.9"]),
    "no number for an arm": (None, {"propensity": {"none": 0.5, "call": True}}, ["`data.propensity.call` is a number"]),
    "no propensities": (None, {"propensity": {}}, ["[propensity-missing]", "none given"]),
    "propensity a bare number": (None, {"propensity": 0.5}, ["`data.propensity` is a mapping of each arm"]),
    "column per arm empty": (
        third("size", 1.0).assign(a=0.5, b=[np.nan, *[0.5] * 399]),
        {"propensity": {"none": "a", "call": "b"}},
        ["[propensity-missing]", "`b`: no number in 1 of 400 rows (0.25%)"],
    ),
    "column per arm 1": (
        changed(a=[0.0, *[0.5] * 399], b=[1.0, *[0.5] * 399]),
        {"propensity": {"none": "a", "call": "b"}},
        ["[propensity-range]", "1 of 400 rows (0.25%), e.g. 0 + 1"],
    ),
    "column per arm off 1": (
        changed(a=0.5, b=[0.6, *[0.5] * 399]),
        {"propensity": {"none": "a", "call": "b"}},
        ["[propensity-sum]", "1 of 400 rows (0.25%), e.g. 0.5 + 0.6 = 1.1"],
    ),
    "single column 0": (changed(p=[0.0, *[0.5] * 399]), {"propensity": "p"}, ["[propensity-range]", "1 of 400 rows"]),
    "single column text": (
        third("size", 1.0).assign(p=["half", *[0.5] * 399]),
        {"propensity": "p"},
        ["`p`: no number in"],
    ),
    "single column for three arms": (
        small_log(arms=("none", "call", "sms")).assign(p=0.5),
        {"propensity": "p"},
        ["[propensity-form]", "`p` for 3 arms: none, call, sms"],
    ),
    "strata without shares": (
        changed(cell=["a", "b", "c", "a"] * 100),
        {"stratum": "cell", "propensity": {"by_stratum": STRATA}},
        ["[propensity-stratum]", "no shares for c (100 rows)"],
    ),
    "strata without their column": (None, {"propensity": {"by_stratum": STRATA}}, ["no `stratum` column given"]),
    "stratum lacks an arm": (
        changed(cell="a"),
        {"stratum": "cell", "propensity": {"by_stratum": {"a": {"none": 1.0}}}},
        ["no propensity for call in stratum a"],
    ),
    "stratum off 1": (
        changed(cell=["a", "b"] * 200),
        {"stratum": "cell", "propensity": {"by_stratum": {**STRATA, "b": {"none": 0.5, "call": 0.6}}}},
        ["[propensity-sum]", "200 of 400 rows (50%)"],
    ),
    "stratum of 0": (
        changed(cell=["a", "b"] * 200),
        {"stratum": "cell", "propensity": {"by_stratum": {**STRATA, "b": {"none": 0.0, "call": 1.0}}}},
        ["[propensity-range]", "200 of 400 rows (50%)"],
    ),
    "one arm only": (changed(arm="none"), {}, ["[one-arm]", "every lead has `arm` = `none`"]),
    "control absent": (None, {"control": "nine"}, ["[control-missing]", "found: call, none", "did you mean `none`?"]),
    "arms are people": (
        changed(arm=[f"Ann {k} <ann{k}@example.org>" for k in range(400)]),
        {},
        ["[control-missing]", "found: 400 different values"],
    ),
    "no outcome variation": (changed(won=0), {}, ["[constant-outcome]", "`won` is 0 in all 400 rows"]),
    "no outcomes": (changed(won=None), {}, ["[outcome-missing]", "`won` is empty in every row"]),
    "an arm without outcomes": (
        small_log().assign(won=lambda d: d["won"].where(d["arm"] == "none")),
        {},
        ["[empty-arm]", "none in call"],
    ),
    "text in the outcome": (
        third("won", PEOPLE[0]),
        {},
        ["[text-in-number]", "`won`", "text in 1 of 400 rows (0.25%)"],
    ),
    "two words without positive": (
        changed(won=["bought", "left"] * 200),
        {},
        ["[text-in-number]", "name the value that counts as 1"],
    ),
    "positive names nothing": (
        changed(won=["bought", "left"] * 200),
        {"outcome": {"column": "won", "positive": "sold"}},
        ["[outcome-positive]", "`sold`", "bought, left"],
    ),
    "text in the score": (
        third("score", PEOPLE[0]),
        {"score": "score"},
        ["the score `score` is a number", "text in 1 of"],
    ),
    "score beyond 1": (changed(score=50.0), {"score": "score"}, ["[score-range]", "divide percentages by 100"]),
    "infinite feature": (third("size", np.inf), {}, ["[infinite]", "`size`: infinite in 1 of 400 rows"]),
    "infinite outcome": (third("won", -np.inf), {}, ["[infinite]", "`won`: infinite in 1 of 400 rows"]),
    "a lead in two arms": (switched(), {"lead_id": "id"}, ["[arm-switch]", "leads in different arms: 2 of 400 rows"]),
    "a lead twice": (repeated(), {"lead_id": "id"}, ["[duplicate-lead]", "leads with different rows: 2 of 400 rows"]),
    "a lead without id": (third("id", None), {"lead_id": "id"}, ["[lead-id-missing]", "`id`: none in 1 of 400 rows"]),
    "a lead without client": (
        third("client", None),
        {"organisation": "client"},
        ["[organisation-missing]", "`client`: none in 1 of 400 rows"],
    ),
    "a lead without arm": (third("arm", None), {}, ["[arm-missing]", "`arm`: none in 1 of 400 rows"]),
    "feature equals the outcome": (
        changed(bought=small_log()["won"].map({1: "yes, by Ann", 0: "no"})),
        {"features": ["size", "bought"]},
        ["[leaking-feature]", "`bought` says the same as the outcome `won`"],
    ),
    "feature is the outcome": (
        None,
        {"features": ["size", "won"]},
        ["[leaking-feature]", "`won` is the outcome itself"],
    ),
    "several at once": (
        third("size", np.inf).assign(score=2.0, won=1),
        {"score": "score", "propensity": {"none": 0.5, "call": 0.6}},
        ["4 problems", "[infinite]", "[score-range]", "[constant-outcome]", "[propensity-sum]"],
    ),
    "header only": ("id,arm,won,size,channel\n", {}, ["[empty]", "0 rows"]),
    "empty file": (b"", {}, ["[empty-file]", "log.csv is empty"]),
    "byte-order mark only": (b"\xef\xbb\xbf", {}, ["[empty-file]"]),
    "quote left open": ('arm,won\nnone,1\n"call,0\nnone,0\n', {}, ["[csv-quote]", "likely in line 3"]),
    "two quotes left open": (
        'arm,won\n"none,1\ncall,0\n"none,0\ncall,1\n',
        {},
        ["[csv-quote]", "likely in line 2"],
    ),
    "a row too short": (f"arm,won\nnone,1\n{PEOPLE[0]}\n", {}, ["[csv]", "Expected 2 columns, got 1"]),
    "a column twice": ("arm,won,won\nnone,1,1\n", {}, ["[csv-header]", "won more than once"]),
    "no encoding": (b"arm,won\nno\x81ne,1\n", {}, ["[encoding]", "log.csv is none of them"]),
}
# The configuration itself.
CONFIGS = {
    "unknown key": ({"score_group": {}}, ["[unknown-key]", "`score_group`", "did you mean `score_groups`?"]),
    "unknown nested key": ({"tracking": {"url": "x"}}, ["`tracking.url`", "did you mean `uri`?"]),
    "unknown data key": ({"data": {"organization": "x"}}, ["`data.organization`", "did you mean `organisation`?"]),
    "unknown key of a form": (
        {"data": {"treatment": {"colum": "arm", "control": "none"}, "control": None}},
        ["2 problems", "`data.treatment.colum`", "did you mean `column`?", "`data.treatment.column` is missing"],
    ),
    "unknown key of the outcome": (
        {"data": {"outcome": {"column": "won", "positve": "x"}}},
        ["1 problem", "`data.outcome.positve`", "did you mean `positive`?"],
    ),
    "no control": ({"data": {"control": None}}, ["`control` is missing"]),
    "two controls": (
        {"data": {"treatment": {"column": "arm", "control": "call"}}},
        ["`control` is `none` but `treatment.control` is `call`"],
    ),
    "a capitalised arm": (
        {"data": {"propensity": {"Control": [1], "call": 0.5}}},
        ["`data.propensity.Control` is a number"],
    ),
    "a learner that is not": ({"learners": ["t", "z"]}, ["`learners.1` is `s`, `t`, `x`, `r`, `dr`", "found `z`"]),
    "a version to come": ({"version": 2}, ["`version` is 1", "found `2`"]),
    "folds": ({"folds": 1}, ["`folds` is at least 2", "found `1`"]),
    "cuts": ({"score_groups": {"cuts": [0.5, 0.2]}}, ["cuts and quantiles must rise"]),
    "a zone that is not": ({"data": {"timezone": "Europe/Berln"}}, ["did you mean `Europe/Berlin`?"]),
    "all at once": (
        {"learner": ["t"], "folds": "many", "data": {"outcom": "won", "features": "size"}},
        ["4 problems", "`learner`", "`folds` is a whole number", "`data.outcom`", "`data.features` is a list"],
    ),
}


@pytest.fixture
def refused(leadlift, folder):
    """Runs a configuration that can't be used; returns what it said."""

    def run(config: Path, *words: object) -> str:
        before = everywhere(folder)
        ended = leadlift("run", config, *words)
        assert ended.code == 1
        assert everywhere(folder) == before
        assert ended.out == ""
        assert not FORBIDDEN.search(ended.err), ended.err
        assert "@" not in ended.err
        assert "Ann" not in ended.err
        assert "fix: " in ended.err
        return ended.err

    return run


@pytest.mark.parametrize("case", CASES)
def test_a_log_that_cannot_be_used(case, study, refused):
    frame, data, words = CASES[case]
    said = refused(study(frame, **data))
    assert [word for word in words if word not in said] == [], said


@pytest.mark.parametrize("case", CONFIGS)
def test_a_configuration_that_cannot_be_used(case, study, refused):
    top, words = CONFIGS[case]
    data = top.get("data", {})
    said = refused(study(top={key: value for key, value in top.items() if key != "data"}, **data))
    assert [word for word in words if word not in said] == [], said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["study.yaml holds nothing", "start with `version: 1`"]),
        ("- 1\n", ["study.yaml holds a list"]),
        ("data: {log: a.csv\nname: x\n", ["[yaml]", "study.yaml: line "]),
        ("name: a\nname: b\n", ["[yaml]", "line 2, column 1", "duplicate key"]),
        ("version: 1\n1: 2\n", ["`1` is under a key that is text"]),
    ],
)
def test_yaml_that_cannot_be_read(folder, refused, text, words):
    (folder / "study.yaml").write_text(text)
    said = refused(folder / "study.yaml")
    assert [word for word in words if word not in said] == [], said


def test_a_configuration_that_is_not_there(study, refused, folder):
    study()
    assert "did you mean `stduy.yaml`?" not in refused(folder / "stduy.yaml")
    assert f"did you mean `{folder / 'study.yaml'}`?" in refused(folder / "stduy.yaml")
    assert "the folder" in refused(folder / "no" / "study.yaml")


def test_a_parquet_file_cut_short(folder, study, refused):
    config = study(name="log.parquet")
    whole = (folder / "log.parquet").read_bytes()
    for part in (whole[:-20], whole[: len(whole) // 2], b"PAR1"):
        (folder / "log.parquet").write_bytes(part)
        said = refused(config)
        assert "[parquet]" in said
        assert "log.parquet" in said
        assert "cut short" in said


def test_a_compressed_file_cut_short(folder, refused):
    import gzip

    text = small_log().to_csv(index=False).encode()
    packed = gzip.compress(text)
    for part in (packed[:-9], packed[:40] + b"\0" * 40 + packed[80:]):
        assert "[gzip]" in refused(write_study(folder, part, name="log.csv.gz"))


def test_a_log_that_is_not_there(folder, study, refused, monkeypatch):
    config = study(name="leads.csv", source="the CRM's export page")
    (folder / "leads.csv").unlink()
    said = refused(config)
    assert "leads.csv" in said
    assert "get it from the CRM's export page" in said
    assert "LEADLIFT_DATA" in said
    monkeypatch.setenv("LEADLIFT_DATA", str(folder / "shelf"))
    said = refused(config)
    assert f"{folder / 'leads.csv'}, {folder / 'shelf' / 'leads.csv'}" in said
    assert "get it from the CRM's export page" in said
    assert "did you mean `leads.csv`?" in refused(study(name="leads.csv", log="leads_.csv"))


def test_a_file_of_another_kind(folder, refused):
    assert "[file-type]" in refused(write_study(folder, b"x", name="log.xlsx"))


def test_an_output_folder_below_a_file(folder, study, refused):
    (folder / "taken").write_text("x")
    for out in ("taken", "taken/deep/er"):
        said = refused(study(), "--out", out)
        assert "[not-a-folder]" in said
        assert "taken is a file" in said


def test_an_output_folder_that_cannot_be_written(folder, study, refused, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    said = refused(study(), "--out", "deep/results")
    assert "[no-permission]" in said
    assert f"no write permission in {folder}" in said


def test_an_output_folder_that_refuses_when_it_comes_to_it(folder, study, leadlift, monkeypatch):
    """Permissions that only show when written: a full or read-only disk."""
    import tempfile

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    config = study()
    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    before = everywhere(folder)
    ended = leadlift("run", config, "--out", "deep/results")
    assert ended.code == 1
    assert "[no-permission]" in ended.err
    assert "Permission denied" in ended.err
    assert everywhere(folder) == before


def test_an_output_folder_with_other_content(folder, study, refused):
    (folder / "mine").mkdir()
    (folder / "mine" / "notes.txt").write_text("keep me")
    said = refused(study(), "--out", "mine")
    assert "[not-empty]" in said
    assert "notes.txt" in said
    assert (folder / "mine" / "notes.txt").read_text() == "keep me"


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("http://ann:s3cret@127.0.0.1:9", "http://127.0.0.1:9: [Errno 111] Connection refused"),
        ("nowhere://runs", "nowhere://runs"),
        ("sqlite:///log.csv/runs.db", "log.csv is a file, not a folder"),
        ("sqlite:///log.csv", "file is not a database"),
    ],
)
def test_a_tracking_store_that_cannot_be_used(study, refused, uri, words):
    said = refused(study(top={"tracking": {"uri": uri}}))
    assert "[mlflow] the MLflow store can be used" in said
    assert words in said
    assert "s3cret" not in said


def test_a_tracking_store_without_permission(folder, study, refused, monkeypatch):
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: "store" not in str(path) and real(path, mode))
    (folder / "store").mkdir()
    said = refused(study(top={"tracking": {"uri": "sqlite:///store/runs.db"}}))
    assert "no write permission in" in said


@pytest.mark.parametrize(
    "words", [["run"], ["rum"], ["run", "a.yaml", "b.yaml"], ["run", "a.yaml", "--ou"], ["demo", "--leads", "x"]]
)
def test_wrong_usage_ends_with_2(leadlift, words):
    ended = leadlift(*words)
    assert ended.code == 2
    assert "Usage: " in ended.err
