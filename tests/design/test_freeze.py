"""The frozen design: what it holds, and that an edited one is known."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from leadlift.base.errors import ConfigError, DataError, FileError
from leadlift.base.experiment import ExperimentConfig, parse_experiment
from leadlift.base.yaml import read_yaml
from leadlift.design import FrozenDesign, freeze, plan_design, read_frozen
from leadlift.design.freeze import refuse_changed

TODAY = date(2026, 11, 21)
EXAMPLE = Path(__file__).parents[2] / "configs" / "spring_calls.yaml"


@pytest.fixture(scope="module")
def config() -> ExperimentConfig:
    return parse_experiment(read_yaml(EXAMPLE), today=TODAY)


@pytest.fixture(scope="module")
def frozen(config) -> FrozenDesign:
    return freeze(config, plan_design(config, today=TODAY), today=TODAY)


@pytest.fixture
def file(frozen, tmp_path) -> Path:
    path = tmp_path / "design.json"
    path.write_text(frozen.text(), encoding="utf-8")
    return path


def test_it_comes_back_as_it_was(frozen, file) -> None:
    assert read_frozen(file) == frozen


def test_its_digest_does_not_depend_on_layout(frozen, file) -> None:
    values = json.loads(file.read_text())
    file.write_text(json.dumps(dict(reversed(values.items()))))
    assert read_frozen(file).digest == frozen.digest


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('"share": 0.5', '"share": 0.4'),
        ('"frozen_on": "2026-11-21"', '"frozen_on": "2026-11-20"'),
        ('"leads_needed": 5', '"leads_needed": 4'),
        ('"alpha": 0.05', '"alpha": 0.1'),
    ],
)
def test_an_edited_one_is_refused(file, frozen, was: str, becomes: str) -> None:
    text = file.read_text()
    assert was in text
    file.write_text(text.replace(was, becomes, 1))
    with pytest.raises(DataError, match="was edited after it was frozen") as refused:
        read_frozen(file)
    assert frozen.digest in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", '{"format": "leadlift design 1"}', "{", '{"digest": 3}'])
def test_another_file_is_refused(tmp_path, text: str) -> None:
    path = tmp_path / "design.json"
    path.write_text(text)
    with pytest.raises(DataError, match="the file is what `leadlift design` wrote"):
        read_frozen(path)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(FileError, match=r"design\.json: No such file"):
        read_frozen(tmp_path / "design.json")


def test_a_changed_configuration_is_named_key_by_key(config, frozen) -> None:
    refuse_changed(frozen, config)
    values = read_yaml(EXAMPLE)
    values["experiment"]["capacity"] = {}
    values["plan"]["weeks"] = 9
    with pytest.raises(ConfigError) as refused:
        refuse_changed(frozen, parse_experiment(values, today=TODAY))
    said = str(refused.value)
    assert "`experiment.capacity.call` was 400, is absent" in said
    assert "`plan.weeks` was 8.0, is 9.0" in said


def test_where_runs_are_tracked_is_not_part_of_a_design(frozen) -> None:
    values = {**read_yaml(EXAMPLE), "tracking": {"experiment": "elsewhere"}, "ledger": "other.duckdb"}
    refuse_changed(frozen, parse_experiment(values, today=TODAY))
