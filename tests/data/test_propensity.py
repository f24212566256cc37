"""Propensities in every form; shares that differ between strata; cells."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from leadlift.base.errors import DataError
from leadlift.data import AssignmentLog
from small_logs import COLUMNS, small_log


def log_of(frame, propensity, **names) -> AssignmentLog:
    return AssignmentLog.from_frame(frame, **{**COLUMNS, "propensity": propensity, **names})


THREE = ("none", "call", "sms")
FRAME = small_log(90, arms=THREE).assign(pn=0.5, pc=0.3, ps=0.2, region=["n", "s", "s"] * 30)
UNEQUAL = {"none": 0.5, "call": 0.3, "sms": 0.2}


def test_constants_and_columns_are_the_same_design():
    constant = log_of(FRAME, UNEQUAL)
    columns = log_of(FRAME, {"none": "pn", "call": "pc", "sms": "ps"})
    mixed = log_of(FRAME, {"none": Decimal("0.5"), "call": "pc", "sms": np.float32(0.2)})
    np.testing.assert_array_equal(constant.propensities, np.tile([0.5, 0.3, 0.2], (90, 1)))
    np.testing.assert_array_equal(constant.propensities, columns.propensities)
    np.testing.assert_allclose(mixed.propensities, columns.propensities, atol=1e-7)
    assert constant.digest == columns.digest
    assert constant.design_digest == columns.design_digest


def test_one_column_is_the_probability_of_the_treated_arm():
    frame = small_log(80).assign(p=np.where(np.arange(80) < 40, 0.25, 0.5))
    log = log_of(frame, "p")
    np.testing.assert_array_equal(log.propensities[:, 1], frame["p"].to_numpy()[log.position])
    np.testing.assert_allclose(log.propensities.sum(axis=1), 1)
    assert len(np.unique(log.cell)) == 2


@pytest.mark.parametrize("wrap", [lambda shares: shares, lambda shares: {"by_stratum": shares}])
def test_shares_by_stratum(wrap):
    shares = {"n": UNEQUAL, "s": {"none": 0.2, "call": 0.2, "sms": 0.6}}
    log = log_of(FRAME, wrap(shares), stratum="region")
    north = FRAME["region"].to_numpy()[log.position] == "n"
    np.testing.assert_allclose(log.propensities[north], [[0.5, 0.3, 0.2]] * 30)
    np.testing.assert_allclose(log.propensities[~north], [[0.2, 0.2, 0.6]] * 60)
    assert (log.cell == log.cell[0]).sum() in (30, 60)
    assert len(np.unique(log.cell)) == 2


def test_strata_and_arms_may_be_numbers():
    frame = small_log(80).assign(arm=lambda d: (d["arm"] == "call").astype(int), cell=np.arange(80) % 2)
    log = log_of(frame, {0: {0: 0.5, 1: 0.5}, 1: {0: 0.4, 1: 0.6}}, stratum="cell", control=0)
    assert sorted(set(log.propensities[:, 1])) == [0.5, 0.6]


def test_cells_cross_strata_and_propensities():
    frame = FRAME.assign(pn=np.where(FRAME.index < 45, 0.5, 0.4), pc=np.where(FRAME.index < 45, 0.3, 0.4))
    log = log_of(frame, {"none": "pn", "call": "pc", "sms": "ps"}, stratum="region")
    assert len(np.unique(log.cell)) == 4


def test_thirds_to_seven_digits_are_made_to_add_up():
    log = log_of(FRAME, dict.fromkeys(THREE, 0.3333333))
    np.testing.assert_allclose(log.propensities.sum(axis=1), 1, rtol=0, atol=1e-15)
    with pytest.raises(DataError, match=r"0\.333 \+ 0\.333 \+ 0\.333 = 0\.999"):
        log_of(FRAME, dict.fromkeys(THREE, 0.333))


def test_the_design_digest_forgets_rows_and_keeps_shares():
    digest = log_of(FRAME, UNEQUAL).design_digest
    assert log_of(FRAME.head(60), UNEQUAL).design_digest == digest
    assert log_of(FRAME, {"none": 0.5, "call": 0.2, "sms": 0.3}).design_digest != digest


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "none given"),
        (0.5, "found neither a mapping of arms nor a column"),
        ([0.5, 0.5], "found neither"),
        ({"none": None, "call": 0.3, "sms": 0.2}, "no number for none"),
        ({"none": 0.5, "call": {"a": 1}, "sms": 0.2}, "no number for call"),
        ({"none": 0.5, "call": float("nan"), "sms": 0.2}, "no number for call"),
        ("pc", "`pc` for 3 arms: none, call, sms"),
    ],
)
def test_what_is_no_propensity(given, words):
    with pytest.raises(DataError, match=words):
        log_of(FRAME, given)


def test_a_missing_stratum_column_is_told_once():
    with pytest.raises(DataError) as error:
        log_of(FRAME, {"n": UNEQUAL, "s": UNEQUAL}, stratum="regoin")
    assert str(error.value).startswith("1 problem")
    assert "did you mean `region`?" in str(error.value)


def test_holdouts_have_no_place_in_a_contrast():
    frame = pd.concat([FRAME, FRAME.head(3).assign(pn=0.0, pc=0.0, ps=0.0)])
    with pytest.raises(DataError, match=r"\[propensity-range\].*\n    3 of 93 rows"):
        log_of(frame, {"none": "pn", "call": "pc", "sms": "ps"})
