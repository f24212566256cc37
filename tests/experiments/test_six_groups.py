"""The committed studies of simulated companies hold the right answers."""

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "six_groups"
GROUPS = ("low", "medium", "high")
ROWS = [json.loads(line) for line in (FOLDER / "results.jsonl").read_text(encoding="utf-8").splitlines()]


def studies(preset: str) -> list[dict[str, Any]]:
    found = [row for row in ROWS if row["piece"]["log"] == preset]
    assert found
    return found


def possibly_best(row: dict[str, Any]) -> list[str]:
    return next(test["possibly_best"] for test in row["segment_tests"] if test["estimator"] == "aipw")


def of_groups(row: dict[str, Any], field: str) -> list[float]:
    by_group = {e["segment"]: e[field] for e in row["effects"] if e["estimator"] == "aipw"}
    return [by_group[group] for group in GROUPS]


@pytest.mark.parametrize(("preset", "group"), [("fence_sitters", "medium"), ("likeliest", "high")])
def test_the_group_that_gains_most_is_found(preset: str, group: str) -> None:
    assert [possibly_best(row) for row in studies(preset)] == [[group]] * len(studies(preset))


def test_where_nobody_is_moved_no_group_shows_an_effect() -> None:
    for row in studies("null"):
        assert max(of_groups(row, "simultaneous_lower")) < 0 < min(of_groups(row, "simultaneous_upper"))


def test_where_the_score_says_nothing_the_truly_best_group_stays_in() -> None:
    for row in studies("unrelated"):
        truth = {t["segment"]: t["effect"] for t in row["truth"] if t["segment_by"] == "score_group"}
        assert max(truth, key=truth.__getitem__) in possibly_best(row)


def test_with_fence_sitters_the_x_learner_beats_the_score() -> None:
    for row in studies("fence_sitters"):
        paired = next(d for d in row["differences"] if d["learner"] == "x")
        assert paired["lower"] > 0


def test_no_study_was_smaller_than_it_says() -> None:
    # 200,000 leads less the late ones and those whose window is open.
    assert all(row["leads"] > 185_000 for row in ROWS if row["truth"])
