"""Configurations: what is accepted, what is published, digests, and the schema that editors read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from leadlift.base.config import json_schema, parse_config, without_password
from leadlift.base.digest import digest_of
from leadlift.base.errors import ConfigError, FileError
from leadlift.base.yaml import read_config, read_yaml

CONFIGS = Path(__file__).parents[2] / "configs"
DATA = {
    "log": "folder/leads.csv",
    "treatment": "arm",
    "control": "none",
    "propensity": {"none": 0.5, "call": 0.5},
    "outcome": "won",
}


def parse(top=None, **data):
    values = {key: value for key, value in {**DATA, **data}.items() if value is not None}
    return parse_config({"version": 1, "data": values, **(top or {})})


def studies() -> list[Path]:
    """The configurations of studies of a log; experiments and problems have their own."""
    return [path for path in sorted(CONFIGS.glob("*.yaml")) if "log" in (read_yaml(path).get("data") or {})]


def test_five_keys_are_enough():
    config = parse()
    assert (config.learners, config.folds, config.seed) == (["t", "x"], 5, 0)
    assert config.score_groups.names == ["low", "medium", "high"]
    assert config.score_groups.edges == [1 / 3, 2 / 3]
    assert config.tracking.leads


def test_columns_in_either_form():
    forms = [
        parse(),
        parse(treatment={"column": "arm", "control": "none"}, control=None),
        parse(treatment={"column": "arm", "control": "none"}),
        parse(outcome={"column": "won"}),
    ]
    arguments = [config.data.log_arguments() for config in forms]
    assert all(one == arguments[0] for one in arguments)
    assert parse(outcome={"column": "won", "positive": True}).data.log_arguments()["positive"] == "True"


@pytest.mark.parametrize(
    ("label", "text"),
    [(0, "0"), (1.0, "1"), (True, "True"), ("true", "True"), ("No", "No"), ("NA", "NA"), ("007", "007")],
)
def test_labels_become_text(label, text):
    config = parse(control=label, propensity={label: 0.5, "call": 0.5})
    assert config.data.control == text
    assert set(config.data.propensity) == {text, "call"}


def test_an_arm_called_no_is_text_in_yaml(tmp_path):
    path = tmp_path / "spring.yaml"
    path.write_text(
        "data: {log: a.csv, treatment: arm, control: No, propensity: {No: 0.5, Yes: 0.5}, outcome: won, stratum: 7}\n"
    )
    config = read_config(path)
    assert config.name == "spring"
    assert config.data.control == "No"
    assert config.data.propensity == {"No": 0.5, "Yes": 0.5}
    assert config.data.stratum == "7"


@pytest.mark.parametrize("propensity", ["p", {"none": "a", "call": 0.5}, {"s": {"none": 0.5, "call": 0.5}}])
def test_forms_of_propensities(propensity):
    assert parse(propensity=propensity).data.log_arguments()["propensity"] == propensity


def test_strata_in_either_form():
    shares = {"s": {"none": 0.5, "call": 0.5}}
    assert parse(propensity={"by_stratum": shares}).data.log_arguments()["propensity"] == shares


def test_the_digest_is_of_what_numbers_depend_on():
    digest = digest_of(parse().for_digest())
    same = [
        parse(log="elsewhere/leads2.csv", source="x"),
        parse({"tracking": {"uri": "sqlite:///a.db", "leads": False}}),
    ]
    assert {digest_of(config.for_digest()) for config in same} == {digest}
    other = [parse(control="call"), parse({"seed": 1}), parse({"learners": ["t"]}), parse(features=["a"])]
    assert len({digest, *(digest_of(config.for_digest()) for config in other)}) == 5


def test_what_is_published_has_no_paths_and_no_password():
    published = parse({"tracking": {"uri": "https://ann:s3cret@runs.example.org/x"}}).published()
    assert published["data"]["log"] == "leads.csv"
    assert published["tracking"]["uri"] == "https://runs.example.org/x"
    assert without_password("failed: http://a:b/c@d@h/x") == "failed: http://h/x"


def test_settings_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        parse().seed = 3


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({"cuts": [0.2], "quantiles": [0.2], "names": ["a", "b"]}, "give `cuts` or `quantiles`, not both"),
        ({"cuts": [0.0, 0.5]}, "cuts and quantiles lie between 0 and 1"),
        ({"cuts": [0.5, 0.5]}, "cuts and quantiles must rise"),
        ({"cuts": [0.5]}, "1 cuts make 2 groups, but `names` has 3"),
        ({"names": ["a", "a"]}, "group names must differ"),
    ],
)
def test_score_groups(groups, words):
    with pytest.raises(ConfigError, match=words):
        parse({"score_groups": groups})


def test_a_configuration_that_cannot_be_read(tmp_path):
    with pytest.raises(FileError, match=r"\[unreadable\]"):
        read_yaml(tmp_path)
    (tmp_path / "a.yaml").write_bytes(b"name: \xff\xfe\xfa")
    with pytest.raises(FileError, match="can be read as UTF-8 text"):
        read_yaml(tmp_path / "a.yaml")


def test_the_schema_on_disk_is_current():
    text = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    assert (CONFIGS / "study.schema.json").read_text(encoding="utf-8") == text, "run `make docs`"


@pytest.mark.parametrize("path", studies(), ids=lambda path: path.stem)
def test_every_study_of_ours_parses_and_fits_the_schema(path):
    read_config(path)
    Draft202012Validator.check_schema(json_schema())
    assert list(Draft202012Validator(json_schema()).iter_errors(read_yaml(path))) == []
    assert path.read_text().startswith("# yaml-language-server: $schema=study.schema.json")


@pytest.mark.parametrize(
    "text",
    [
        "data: {log: a.csv, treatmnt: arm}",
        "learners: [z]",
        "folds: 1",
        "data: {log: a.csv, treatment: {colum: arm}, control: a, outcome: b, propensity: p}",
        "score_group: {}",
    ],
)
def test_the_schema_refuses_what_leadlift_refuses(text):
    values = YAML(typ="safe", pure=True).load(text)
    assert list(Draft202012Validator(json_schema()).iter_errors(values))
    with pytest.raises(ConfigError):
        parse_config(values)


def test_the_schema_takes_every_form():
    check = Draft202012Validator(json_schema())
    for data in (
        {"propensity": {0: 0.5, 1: 0.5}, "control": 0},
        {"propensity": "p", "treatment": {"column": "arm", "control": True}},
        {"propensity": {"by_stratum": {"a": {"x": 1, "y": 0.5}}}, "outcome": {"column": "won", "positive": 1}},
        {"propensity": {"a": {"x": 0.5}}, "control": "x"},
    ):
        assert list(check.iter_errors({"version": 1, "data": {**DATA, **data}})) == []


def test_options_are_of_learners_that_are_named():
    config = parse_config({"learners": ["x"], "learner_options": {"x": {"patience": 20}}})
    assert config.learner_options.arguments() == {"x": {"patience": 20}}
    with pytest.raises(ConfigError, match="`learner_options` names `dr`, which `learners` does not"):
        parse_config({"learners": ["x"], "learner_options": {"dr": {"patience": 20}}})
    with pytest.raises(ConfigError, match="patience"):
        parse_config({"learners": ["x"], "learner_options": {"x": {"patiense": 20}}})
