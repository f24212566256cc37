"""Records check themselves, turn into plain JSON, and have a schema; digests ignore order."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator

import leadlift as ll
from leadlift.base.digest import digest_of, frame_digest
from leadlift.base.errors import DataError, LeadliftError, PropensityError
from leadlift.base.labels import label_text
from leadlift.base.problems import Problems, did_you_mean, listed, listed_labels, nearest
from leadlift.base.record import plain
from leadlift.base.records import Check, RowAccount
from leadlift.base.schema import results_schema
from small_logs import small_log, write_study

SHIPPED = Path(ll.__file__).parent / "results.schema.json"


def test_rows_add_up_or_there_is_no_account():
    account = RowAccount(10, 7, {"open_window": 2, "missing_outcome": 1})
    assert account.to_dict() == {"read": 10, "used": 7, "dropped": {"open_window": 2, "missing_outcome": 1}}
    for read, used, dropped in ((10, 7, {}), (10, 8, {"a": 1}), (2, 3, {"a": -1}), (1, 2, {})):
        with pytest.raises(ValueError, match="rows don't add up"):
            RowAccount(read, used, dropped)
    with pytest.raises(TypeError):
        account.dropped["more"] = 1


def test_plain_values():
    value = {
        1: (np.float64("nan"), np.arange(2), float("inf"), 0.5, None, True),
        "check": Check("a", "pass", None, "b"),
    }
    assert plain(value) == {
        "1": [None, [0, 1], None, 0.5, None, True],
        "check": {"code": "a", "status": "pass", "value": None, "message": "b"},
    }
    json.dumps(plain(value), allow_nan=False)


def test_the_shipped_schema_of_results_is_current():
    text = json.dumps(results_schema(), indent=2, ensure_ascii=False) + "\n"
    assert SHIPPED.read_text(encoding="utf-8") == text, "run `make docs`"


def test_results_fit_their_schema(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'runs.db'}")
    Draft202012Validator.check_schema(results_schema())
    check = Draft202012Validator(results_schema())
    ll.run_study(write_study(tmp_path, small_log(200), score="score"), out=tmp_path / "out")
    values = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [error.message for error in check.iter_errors(values)] == []
    for broken in (
        {**values, "surprise": 1},
        {key: value for key, value in values.items() if key != "effects"},
        {**values, "effects": [{**values["effects"][0], "effect": "much"}]},
        {**values, "checks": [{**values["checks"][0], "status": "fine"}]},
    ):
        assert list(check.iter_errors(broken))


def test_digests_ignore_the_order_of_rows_and_columns():
    frame = small_log(50).assign(gap=[np.nan, None] * 25)
    digest = frame_digest(frame)
    assert frame_digest(frame.sample(frac=1, random_state=0)[frame.columns[::-1]]) == digest
    assert frame_digest(frame.astype({"won": float, "channel": "category"})) == digest
    assert frame_digest(frame.head(49)) != digest
    assert frame_digest(pd.concat([frame, frame.head(1)])) != digest
    assert frame_digest(frame.rename(columns={"size": "score", "score": "size"})) != digest
    swapped = frame.assign(size=frame["size"].to_numpy()[::-1])
    assert frame_digest(swapped) != digest
    assert digest_of({"a": 1, "b": [1, 2]}) != digest_of({"a": 1, "b": [2, 1]})


def test_problems_are_raised_once_and_all():
    problems = Problems("the data")
    problems.stop_if_any()
    problems.add("a", "one holds", "it does not", "mend it", PropensityError)
    with pytest.raises(PropensityError, match="1 problem in the data"):
        problems.stop_if_any()
    problems.add("b", "two holds", "it does not", "mend it")
    with pytest.raises(DataError) as error:
        problems.stop_if_any()
    assert not isinstance(error.value, PropensityError)
    assert str(error.value).splitlines() == [
        "2 problems in the data",
        "[a] one holds",
        "    it does not",
        "    fix: mend it",
        "[b] two holds",
        "    it does not",
        "    fix: mend it",
    ]


def test_every_error_is_a_built_in_as_well():
    def tree(kind):
        return [kind, *(below for child in kind.__subclasses__() for below in tree(child))]

    for kind in tree(LeadliftError)[1:]:
        assert issubclass(kind, ValueError | OSError | RuntimeError | ImportError), kind


def test_hints():
    assert nearest("Outcom", ["outcome", "treatment"]) == "outcome"
    assert nearest("zzz", ["outcome"]) is None
    assert did_you_mean("zzz", ["b", "a"]) == "allowed: b, a"
    assert listed([]) == "(none)"
    assert listed(range(14)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more"
    assert listed_labels(map(str, range(14))) == "14 different values"
    assert listed_labels(["ann@example.org"]) == "1 different values"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (1.0, "1"), (0.5, "0.5"), (True, "True"), ("tRue", "True"), ("-3.0", "-3"), ("v1.0", "v1.0"), ("", "")],
)
def test_label_text(value, text):
    assert label_text(value) == text
    assert label_text(label_text(value)) == text
