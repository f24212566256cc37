import pandas as pd
import pytest
from pydantic import ValidationError

from leadlift.base.errors import DataError, FileError
from leadlift.base.idea_config import EffectsFile, IdeaRules
from leadlift.data.ledger.studies import RecordedStudy
from leadlift.study.idea_inputs import effects_of_studies, read_effects


def effect(**changes):
    return {
        "treatment": "call",
        "outcome": "won",
        "segment_by": "all",
        "segment": "all",
        "estimator": "aipw",
        "n_treatment": 100,
        "n_control": 90,
        "effect": 0.02,
        "se": 0.01,
        "estimand": "per_lead",
    } | changes


def study(*effects, run="r1", experiment="spring"):
    return RecordedStudy(run, experiment, "d", "h", (1,), tuple(effects))


def test_a_file_with_its_own_names(tmp_path):
    frame = pd.DataFrame({"Product": ["007"], "way": ["call"], "gain": [0.1], "error": [0.02], "n": [10]})
    frame.to_csv(tmp_path / "effects.csv", index=False)
    settings = EffectsFile(file="effects.csv", product="Product", mechanic="way", effect="gain", se="error")
    found = read_effects(settings, tmp_path)
    assert found.to_dict("records") == [{"product": "007", "mechanic": "call", "effect": 0.1, "se": 0.02}]
    with pytest.raises(DataError, match="did you mean `Product`"):
        read_effects(settings.model_copy(update={"product": "product"}), tmp_path)
    with pytest.raises(FileError):
        read_effects(EffectsFile(file="absent.csv"), tmp_path)


def test_one_source_and_a_margin_above_zero():
    with pytest.raises(ValidationError, match="one of them"):
        EffectsFile()
    with pytest.raises(ValidationError, match="one of them"):
        EffectsFile(file="a.csv", ledger="b.duckdb")
    with pytest.raises(ValidationError):
        IdeaRules(margin=0)
    assert IdeaRules(break_even={"call": 0.01}).break_even == {"call": 0.01}


def test_the_last_study_of_each_experiment_counts_once():
    studies = [
        study(effect(effect=0.01)),
        study(effect(effect=0.03), effect(estimator="difference_in_means", effect=0.5), run="r2"),
        study(effect(effect=0.09), run="r3", experiment="autumn"),
    ]
    found = effects_of_studies(studies, products={"spring": "insurance"})
    assert found.to_dict("records") == [
        {"product": "insurance", "mechanic": "call", "effect": 0.03, "se": 0.01, "n_treatment": 100, "n_control": 90}
    ]


def test_effects_by_product_come_first():
    by_product = effect(segment_by="product", segment="tyres", effect=0.05)
    found = effects_of_studies([study(effect(), by_product)], products={"spring": "insurance"})
    assert found[["product", "effect"]].values.tolist() == [["tyres", 0.05]]


def test_effects_without_an_error_or_per_organisation_are_no_effects():
    rows = [effect(se=None), effect(effect=None), effect(estimand="per_organisation")]
    with pytest.raises(DataError, match="no-effects"):
        effects_of_studies([study(*rows)], products={"spring": "insurance"})


def test_what_is_not_clear_is_asked():
    studies = [study(effect(), effect(outcome="money"))]
    with pytest.raises(DataError, match="money, won"):
        effects_of_studies(studies, products={"spring": "insurance"})
    assert len(effects_of_studies(studies, products={"spring": "insurance"}, outcome="money")) == 1
    with pytest.raises(DataError, match="did you mean `spring`"):
        effects_of_studies(studies, products={"sprin": "insurance"}, outcome="won")
    with pytest.raises(DataError, match="no-effects"):
        effects_of_studies(studies, products={}, outcome="won")
