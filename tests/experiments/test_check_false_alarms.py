"""Alarms over sound logs: the committed result, some of it anew, and all of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scipy.stats import binom

from leadlift.design import RULES, check_log
from leadlift.design.check_rules import LEVEL
from sound_logs import FLAT, LEDGER, flat_log

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "check_false_alarms"
# With a chance of 5% each, 1,000 logs have more alarms than this once in a thousand times.
BOUND = 73


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def alarms(path: Path) -> int:
    """Sound logs with any warning or stop; there must be a thousand, of every kind."""
    found = rows(path)
    assert len(found) >= 1_000
    assert {row["piece"]["kind"] for row in found} == {*FLAT, *LEDGER}
    return sum(bool(row["alarms"]) for row in found)


def test_the_bound_is_that_of_one_log_in_twenty() -> None:
    assert binom.ppf(0.999, 1_000, 0.05) == BOUND


def test_sound_logs_raise_at_most_as_many_alarms_as_they_may() -> None:
    assert alarms(FOLDER / "results.jsonl") <= BOUND


def test_every_check_that_chance_can_raise_was_there_to_be_raised() -> None:
    seen = {code for row in rows(FOLDER / "results.jsonl") for code in row["p"]}
    assert seen == {rule.code for rule in RULES if rule.by_chance}


def test_no_check_errs_more_often_than_its_level_allows() -> None:
    found = [row for row in rows(FOLDER / "results.jsonl") if row["alarms"]]
    for rule in RULES:
        raised = sum(rule.code in row["alarms"] for row in found)
        assert raised <= (binom.ppf(0.9999, 1_000, LEVEL) if rule.by_chance else 2), rule.code


def test_large_faults_are_seen() -> None:
    shares: dict[str, dict[float, list[bool]]] = {}
    for row in rows(FOLDER / "broken.jsonl"):
        piece = row["piece"]
        shares.setdefault(piece["fault"], {}).setdefault(piece["size"], []).append(row["seen"])
    assert len(shares) == 6
    for fault, sizes in shares.items():
        rates = [sum(sizes[size]) / len(sizes[size]) for size in sorted(sizes)]
        assert rates[-1] > 0.5, fault
        assert rates == sorted(rates), fault


@pytest.mark.parametrize("kind", FLAT)
def test_a_log_made_anew_has_the_committed_p_values(kind: str) -> None:
    (committed,) = [row for row in rows(FOLDER / "results.jsonl") if row["piece"] == {"kind": kind, "seed": 1}]
    found = {check.code: check.value for check in check_log(flat_log(kind, 1), features_named=True, seed=0)}
    assert committed["p"] == {code: pytest.approx(found[code], abs=1e-4) for code in committed["p"]}


@pytest.mark.slow
def test_alarms_made_anew() -> None:
    # `results/` is not committed: a run that is broken off goes on there. Delete the folder to begin afresh.
    folder = FOLDER / "results"
    subprocess.run([sys.executable, str(FOLDER / "run.py"), str(folder)], check=True)
    assert alarms(folder / "results.jsonl") <= BOUND
