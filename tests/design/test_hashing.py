"""Buckets: uniform, independent, the same in Python and SQL, and as published."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from leadlift.data import all_different, sql_buckets
from leadlift.data.buckets import BUCKET_SQL, MANY
from leadlift.design import buckets
from leadlift.design.hashed import hashed_arms

DOCS = Path(__file__).resolve().parents[2] / "docs" / "assignment.md"
ODD = ["", "org-1", "ORG-1", "007", "7", " 7", "ü-Zürich", "零", "a:b", "it's", 'quo"te', "-1", "x" * 300, "tab\there"]


@pytest.fixture(scope="module")
def million() -> pd.Series:
    return pd.Series(np.char.mod("org-%d", np.arange(1_000_000)), dtype="str")


def in_a_loop(ids: list[str], salt: str) -> list[float]:
    return [int(hashlib.md5(f"{salt}:{name}".encode()).hexdigest()[:13], 16) / 16**13 for name in ids]


def test_buckets_are_uniform(million: pd.Series) -> None:
    counts = np.bincount((buckets(million, "spring-calls") * 1000).astype(int), minlength=1000)
    assert len(counts) == 1000
    assert 0.0005 < stats.chisquare(counts).pvalue < 0.9995


def test_salts_are_independent(million: pd.Series) -> None:
    one, other = buckets(million, "spring-calls"), buckets(million, "spring-calls/capacity")
    table = np.histogram2d(one, other, bins=30, range=((0, 1), (0, 1)))[0]
    assert 0.0005 < stats.chi2_contingency(table).pvalue < 0.9995


def test_python_and_sql_agree_to_the_last_bit() -> None:
    ids = pd.Series([*ODD, *(f"lead-{k}" for k in range(1000))], dtype="str")
    expected = in_a_loop(ids.tolist(), "säl't")
    assert buckets(ids, "säl't").tolist() == expected
    assert sql_buckets(ids, "säl't").tolist() == expected


def test_many_identifiers_go_through_sql_and_stay_in_order() -> None:
    ids = pd.Series([f"lead-{k}" for k in np.random.default_rng(0).permutation(MANY + 7)], dtype="str")
    assert buckets(ids, "s").tolist() == in_a_loop(ids.tolist(), "s")


def test_published_vectors() -> None:
    text = DOCS.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| `([0-9a-f]{13})` \| ([0-9.]+) \|$", text, re.MULTILINE)
    assert len(rows) >= 6
    for salt, name, digits, published in rows:
        (bucket,) = buckets(pd.Series([name]), salt)
        assert int(digits, 16) / 16**13 == bucket
        assert f"{bucket:.15f}" == published
    assert BUCKET_SQL.format(salt="'spring-calls'", id="organisation_id") in text


def test_arms_follow_the_line() -> None:
    shares = np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])
    assert hashed_arms(np.array([0.19, 0.2, 0.5, 0.9999]), shares[0]).tolist() == [0, 1, 2, 2]
    assert hashed_arms(np.array([0.15, 0.15]), shares).tolist() == [0, 1]


def test_shares_whose_sum_rounds_below_one_leave_no_gap() -> None:
    assert hashed_arms(np.array([1 - 2**-52]), np.full(10, 0.1)).tolist() == [9]


@pytest.mark.parametrize("n", [10, MANY])
def test_doubles_are_found_among_few_and_many(n: int) -> None:
    ids = pd.Series([f"lead-{k}" for k in range(n)], dtype="str")
    assert all_different(ids)
    assert not all_different(pd.concat([ids, ids.tail(1)], ignore_index=True))
