"""Columns that betray that they were filled in after assignment."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadlift.data.late import late_columns

RNG = np.random.default_rng(5)
N = 2_000
ARM = RNG.permutation(np.arange(N) % 2)
Y = (RNG.random(N) < 0.3).astype(float)


def reasons(**columns) -> dict[str, str]:
    return late_columns(pd.DataFrame(columns), Y, ARM)


def test_what_was_known_before_stays():
    assert (
        reasons(
            number=RNG.normal(size=N),
            gaps=np.where(RNG.random(N) < 0.5, np.nan, RNG.normal(size=N)),
            text=RNG.choice(["web", "phone", None], size=N),
            constant=1.0,
            empty=np.nan,
            rare=np.where(np.arange(N) < 5, "x", "y"),
            # Says much of the outcome, but settles nothing.
            score=0.3 * Y + RNG.normal(size=N),
        )
        == {}
    )


@pytest.mark.parametrize(
    "column",
    [
        ARM.astype(float),
        ARM + RNG.normal(size=N),
        np.where(ARM == 1, RNG.normal(size=N), np.nan),
        np.where(ARM == 1, "spoke", "did not"),
    ],
)
def test_what_the_touch_made(column):
    assert reasons(column=column) == {"column": "differs between arms more than a lot allows"}


@pytest.mark.parametrize(
    "column",
    [
        Y,
        Y * RNG.lognormal(size=N),
        np.where(Y == 1, "Closed won", "Open"),
        # Says won for some of those who bought, nothing of the rest.
        np.where((Y == 1) & (np.arange(N) < 600), "signed", "open"),
    ],
)
def test_what_the_outcome_made(column):
    assert reasons(column=column) == {"column": "settles the outcome"}


def test_identifiers():
    assert reasons(column=[f"lead {k}" for k in range(N)]) == {"column": "another value in every row"}


def test_an_arm_without_common_levels_is_no_crash():
    arm = np.where(np.arange(N) < 3, 2, ARM)
    text = np.where(np.arange(N) < 3, [f"level {k}" for k in range(N)], "common")
    assert late_columns(pd.DataFrame({"text": text}), Y, arm) in (
        {},
        {"text": "differs between arms more than a lot allows"},
    )


def test_a_lot_is_seldom_blamed():
    """One column in a million is left out by chance; of 300 that a lot drew, none."""
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(500, 300))).rename(columns=str)
    assert late_columns(table, Y[:500], ARM[:500]) == {}
