"""Mechanics worth trying on simulated companies: what the committed results must show."""

import json
import statistics
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "transfer"
RIVALS = (
    "similar products (looks)",
    "similar products (problems)",
    "mean of the mechanic",
    "what the company believes in next",
    "at random",
)
COMPANIES = (
    "as assumed",
    "beliefs worth nothing",
    "strong beliefs",
    "heavy tails",
    "problems mean nothing",
    "looks decide",
    "size decides",
    "few cells work",
    "few cells work, problems mean nothing",
)


@pytest.fixture(scope="module")
def rows():
    return [json.loads(line) for line in (FOLDER / "results.jsonl").read_text(encoding="utf-8").splitlines()]


def figures(rows, company, method, name):
    found = {
        row["piece"]["seed"]: row["figures"][name]
        for row in rows
        if row["piece"]["company"] == company and row["method"] == method
    }
    assert len(found) >= 5
    return found


@pytest.mark.parametrize("rival", RIVALS)
def test_picks_beat_every_rival(rows, rival):
    own, other = (figures(rows, "as assumed", method, "regret") for method in ("transfer", rival))
    further = [other[seed] - own[seed] for seed in own]
    assert statistics.fmean(further) - 2.2 * statistics.stdev(further) / len(further) ** 0.5 > 0


def test_intervals_hold_the_truth_overall_and_for_the_picked(rows):
    assert 0.94 <= statistics.fmean(figures(rows, "as assumed", "transfer", "covered").values()) <= 0.98
    # 50 picks of each company: a standard error below 0.01.
    assert 0.93 <= statistics.fmean(figures(rows, "as assumed", "transfer", "covered_picked").values()) <= 0.99
    assert statistics.fmean(figures(rows, "as assumed", "transfer, beliefs recorded", "covered").values()) >= 0.93


def test_a_model_that_ignores_the_choice_is_seen_failing(rows):
    ignored = figures(rows, "as assumed", "transfer, choice ignored", "covered")
    assert max(ignored.values()) < 0.9
    assert statistics.fmean(figures(rows, "as assumed", "transfer", "covered_average").values()) < 0.9


@pytest.mark.parametrize("company", COMPANIES)
def test_on_no_company_is_coverage_far_off(rows, company):
    assert statistics.fmean(figures(rows, company, "transfer", "covered").values()) > 0.9


@pytest.mark.parametrize(
    ("company", "said"),
    [
        ("looks decide", "Where the category decides, picks by category are better"),
        ("size decides", "where the size of the deal does, picks by size are better by a whole point"),
    ],
)
def test_the_readme_owns_up_to_where_looks_win(rows, company, said):
    own, looks = (
        statistics.fmean(figures(rows, company, method, "regret").values())
        for method in ("transfer", "similar products (looks)")
    )
    words = " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())
    assert (looks < own) == (said in words)


def test_where_few_cells_work_picks_are_the_best_as_long_as_problems_matter(rows):
    own = statistics.fmean(figures(rows, "few cells work", "transfer", "regret").values())
    for rival in ("similar products (looks)", "similar products (problems)", "mean of the mechanic", "at random"):
        assert own < statistics.fmean(figures(rows, "few cells work", rival, "regret").values()) - 0.5
