"""The committed trial of power promised: every design has all its experiments, and every promise is kept."""

import json
from collections import defaultdict
from pathlib import Path

from scipy import stats

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "power"


def results() -> dict[tuple[str, str], tuple[float, int, int]]:
    """By design and promise: the power promised, how often the effect was seen, and out of how many experiments."""
    found: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    for line in (FOLDER / "results.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found[row["piece"]["design"], row["which"]].append(row)
    assert all(len({row["promised"] for row in rows}) == 1 for rows in found.values())
    return {
        key: (rows[0]["promised"], sum(row["seen"] for row in rows), sum(row["draws"] for row in rows))
        for key, rows in found.items()
    }


def test_every_design_has_all_its_experiments() -> None:
    found = results()
    assert len({design for design, _ in found}) == 29
    assert len(found) == 87
    assert {draws for _, _, draws in found.values()} == {6000}


def test_promises_are_kept() -> None:
    """The exact 99.9% interval of the power obtained reaches to within 2 points of the promise.

    But for a loss against a small holdout, which no plan asks for: the README says so, and a plan warns.
    """
    broken = {}
    for key, (promised, seen, draws) in results().items():
        band = stats.binomtest(seen, draws).proportion_ci(0.999, method="exact")
        if not (band.low <= promised + 0.02 and band.high >= promised - 0.02):
            broken[key] = (promised, seen / draws)
    assert set(broken) == {("holdout", "10% held, a loss")}


def test_only_these_are_off_by_more_than_two_points_as_they_stand() -> None:
    """Named in the README; one more would be news."""
    off = {key for key, (promised, seen, draws) in results().items() if abs(seen / draws - promised) > 0.02}
    assert off <= {
        ("holdout", "10% held"),
        ("holdout", "10% held, a loss"),
        ("holdout, groups", "20% held, a loss"),
        ("money, skewed, 30% touched", "smallest seen"),
        ("organisations, 20% touched", "power at hand"),
    }
