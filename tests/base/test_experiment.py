"""The configuration of an experiment: what it accepts, and every wrong key named at once in clear words."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from leadlift.base.config import json_schema
from leadlift.base.errors import ConfigError
from leadlift.base.experiment import ExperimentConfig, parse_experiment
from leadlift.base.yaml import read_experiment, read_yaml

TODAY = date(2026, 11, 21)
EXAMPLE = Path(__file__).parents[2] / "configs" / "spring_calls.yaml"
Change = Callable[[dict[str, Any]], Any]


def refusal(change: Change) -> str:
    """What is said about the example after a change."""
    values = copy.deepcopy(read_yaml(EXAMPLE))
    change(values)
    with pytest.raises(ConfigError) as refused:
        parse_experiment(values, today=TODAY)
    return str(refused.value)


def lot(**keys: Any) -> Change:
    return lambda values: values["experiment"].update(keys)


def asked(**keys: Any) -> Change:
    return lambda values: values["plan"].update(keys)


def test_the_example_reads() -> None:
    config = read_experiment(EXAMPLE, today=TODAY)
    assert config.name == "spring-calls"
    assert config.salt == "spring-calls"
    assert config.experiment.shares == {"control": 0.5, "call": 0.5}
    assert config.experiment.treated_arms == ("call",)
    assert config.group_shares == pytest.approx({"low": 0.5, "medium": 0.3, "high": 0.2})


def test_quantiles_are_shares() -> None:
    values = read_yaml(EXAMPLE)
    values["score_groups"] = {"quantiles": [0.5, 0.8]}
    del values["plan"]["group_shares"]
    assert parse_experiment(values, today=TODAY).group_shares == pytest.approx({"low": 0.5, "medium": 0.3, "high": 0.2})


def test_shares_that_miss_one_by_a_rounding_are_rescaled() -> None:
    values = read_yaml(EXAMPLE)
    values["experiment"]["arms"] = {
        "mail": {"share": 0.3333333},
        "control": {"share": 0.3333333},
        "call": {"share": 0.3333333},
    }
    shares = parse_experiment(values, today=TODAY).experiment.shares
    assert list(shares) == ["control", "mail", "call"]
    assert sum(shares.values()) == pytest.approx(1, abs=1e-15)


ARMS = {"control": {"share": 0.5}, "call": {"share": 0.4}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lot(arms=ARMS), "shares must add up to 1; control 0.5, call 0.4 add up to 0.9"),
        (lot(arms={"a": {"share": 0.5}, "b": {"share": 0.5}}), "one arm is called `control`; the arms are a, b"),
        (lot(arms={"control": {"share": 1.0}}), "`experiment.arms.control.share` is below 1.0"),
        (
            lot(holdout={"share": 0.1, "until": date(2026, 11, 21)}),
            "must end after today (2026-11-21); it ends on 2026",
        ),
        (lot(holdout={"share": 0.1, "until": "soon"}), "is a date such as 2027-06-30"),
        (lot(capacity={"cal": 4}), "no arm is called `cal`; did you mean `call`?"),
        (lot(capacity={"control": 4}), "control is not touched, so it has no capacity"),
        (lot(capacity={"call": 0}), "`experiment.capacity.call` is above 0"),
        (lot(touch_days=100), "touches end with the window: 100 days are over 90"),
        (lot(strata=["score_group", "score_group"]), "a stratum is named twice"),
        (lot(shares_with=["a"], excludes=["a"]), "a can't be shared with and excluded at once"),
        (lot(capacit={}), "did you mean `capacity`?"),
        (
            lambda v: v["experiment"]["arms"]["call"].update(shar=1),
            "`experiment.arms.call.shar`\n    fix: did you mean `sh",
        ),
        (lambda v: v.update(score_groups={"cuts": [0.6, 0.2]}), "cuts and quantiles must rise"),
        (lambda v: v.update(score_groups={"cuts": [0.0, 0.2]}), "cuts and quantiles lie between 0 and 1"),
        (lambda v: v.update(value={"column": "amount", "per_outcome": 3}), "give `column` or `per_outcome`"),
        (lambda v: v["plan"].pop("baseline"), "give the mean outcome without the touch"),
        (asked(baseline=1.2, uplift=None), "a rate lies between 0 and 1, not 1.2; for money give `sd`"),
        (asked(baseline=0.0, uplift=None), "a rate lies between 0 and 1, not 0"),
        (asked(baseline=0.99), "a rate of 0.99 moved by 0.06 is 1.05, outside 0 to 1"),
        (asked(baseline={"low": 0.1, "hig": 0.2}), "no score group is called `hig`; did you mean `high`?"),
        (asked(baseline={"low": 0.1}), "medium, high not given"),
        (asked(group_shares={"low": 0.5, "medium": 0.5, "high": 0}), "the cuts leave high empty"),
        (asked(group_shares={"low": 0.5, "medium": 0.4, "high": 0.2}), "shares must add up to 1, not to 1.1"),
        (lambda v: v["plan"].pop("group_shares"), "numbers by score group need each group's share"),
        (asked(uplift=0), "an uplift to be seen is not 0"),
        (asked(uplift="much"), "is a number, or a mapping of score groups to numbers"),
        (asked(power=0.04), "a power of 0.04 is reached by chance"),
        (asked(power=1), "`plan.power` is below 1"),
        (asked(leads=100), "give `leads` for a list or `leads_per_week` for an inflow, not both"),
        (asked(past={"file": "x.csv"}), "give `rho`, or `past` to estimate it, not both"),
        (asked(baselin=3), "`plan.baselin`\n    fix: did you mean `baseline`?"),
        (asked(leads_per_organisation={"mean": 0.5}), "`plan.leads_per_organisation.mean` is at least 1"),
        (asked(leads_per_week=float("inf")), "a finite number"),
    ],
)
def test_what_is_wrong_is_said(change: Change, words: str) -> None:
    assert words in refusal(change)


def test_every_wrong_key_is_named_at_once() -> None:
    def change(values: dict[str, Any]) -> None:
        values["experiment"]["arms"]["call"]["share"] = 0.4
        values["experiment"]["holdout"]["until"] = date(2025, 1, 1)
        values["score_groups"]["cuts"] = [0.6, 0.2]
        values["plan"]["baseline"]["low"] = 1.5
        values["plan"]["powr"] = 0.8

    said = refusal(change)
    assert said.startswith("5 problems in the configuration")
    for key in ("experiment.arms", "experiment.holdout.until", "score_groups", "plan.powr"):
        assert f"`{key}`" in said


def test_an_arm_may_have_any_name() -> None:
    """Names in upper case, with spaces or like a type are kept in messages."""
    arms = {"control": {"share": 0.5}, "Text Message": {"share": 0.5, "cost": -1}}
    assert "`experiment.arms.Text Message.cost` is at least 0" in refusal(lot(arms=arms, capacity={}))


def test_one_configuration_serves_every_command() -> None:
    values = read_yaml(EXAMPLE)
    values |= {"touches": {"cost": "money"}, "deals": {"amount": "sum", "booking_lag_days": 7}, "folds": 3}
    config = parse_experiment(values)
    assert config.leads_timezone == "Europe/Berlin"
    assert (config.touches.cost, config.deals.amount, config.deals.booking_lag_days) == ("money", "sum", 7)
    study = config.study()
    assert (study.name, study.folds, study.score_groups, study.learners) == (
        "spring-calls",
        3,
        config.score_groups,
        config.learners,
    )


def test_a_ledgers_path_and_passwords_are_not_published() -> None:
    values = read_yaml(EXAMPLE)
    values |= {"ledger": "/secret/place/calls.duckdb", "tracking": {"uri": "postgresql://ann:s3cret@db/mlflow"}}
    config = parse_experiment(values)
    assert config.published()["ledger"] == "calls.duckdb"
    assert config.published()["tracking"]["uri"] == "postgresql://db/mlflow"
    assert config.for_digest() == parse_experiment(read_yaml(EXAMPLE)).for_digest()


def test_a_zone_that_is_none_and_a_learner_named_twice_are_refused() -> None:
    assert "did you mean `Europe/Berlin`?" in refusal(lambda values: values.update(data={"timezone": "Europe/Berlim"}))
    assert "`learners` names one learner twice" in refusal(lambda values: values.update(learners=["t", "t"]))


def test_the_study_of_a_log_is_no_experiment(tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text("version: 1\ndata: {log: leads.csv}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read_experiment(study)
    assert "it is the study of a log" in str(refused.value)
    assert "`leadlift run` takes it" in str(refused.value)


# --- the schema for editors

SCHEMA = json_schema(ExperimentConfig, "leadlift experiment")


def as_editors_read(values: dict[str, Any]) -> Any:
    """A day is text to an editor."""
    return json.loads(json.dumps(values, default=str))


def test_the_schema_on_disk_is_current() -> None:
    text = json.dumps(SCHEMA, indent=2, ensure_ascii=False) + "\n"
    assert (EXAMPLE.parent / "experiment.schema.json").read_text(encoding="utf-8") == text, "run `make docs`"


def test_the_example_names_the_schema_and_fits_it() -> None:
    assert EXAMPLE.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=experiment.schema.json\n")
    Draft202012Validator.check_schema(SCHEMA)
    assert list(Draft202012Validator(SCHEMA).iter_errors(as_editors_read(read_yaml(EXAMPLE)))) == []


@pytest.mark.parametrize(
    "change",
    [lot(mod="hashed"), lot(mode="hased"), lot(arms=["control", "call"]), asked(baseline="a lot"), lot(strata=["a"])],
)
def test_an_editor_marks_what_cannot_be(change: Change) -> None:
    values = read_yaml(EXAMPLE)
    change(values)
    assert not Draft202012Validator(SCHEMA).is_valid(as_editors_read(values))


def test_strategies_of_an_experiment_reckon_with_what_its_arms_cost() -> None:
    values = read_yaml(EXAMPLE)
    config = parse_experiment(values)
    assert [one.strategy for one in config.study().strategies][:2] == ["score_first", "fence_sitters_first"]
    assert config.study().decide.costs == {"call": 35.0}
    assert config.study().value.unit == "EUR"
    del values["value"]
    assert parse_experiment(values).study().decide.costs is None
