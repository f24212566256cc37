"""Each check of a flat log: broken alone it says so, and all others pass."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadlift import AssignmentLog
from leadlift.design import check_log
from sound_logs import FLAT, flat_frame, flat_log


def lost(frame, share, *, arm=None, seed=1, column="won"):
    """Takes the outcome away from a share of leads, of one arm or all."""
    chosen = np.random.default_rng(seed).random(len(frame)) < share
    if arm is not None:
        chosen &= (frame["arm"] == arm).to_numpy()
    frame.loc[chosen, column] = np.nan
    return frame


def without(frame, share, seed=1, by="lead_id", **where):
    """Leaves out a share of the leads, or clients, where columns have these values."""
    code, names = pd.factorize(frame[by])
    chosen = (np.random.default_rng(seed).random(len(names)) < share)[code]
    for name, value in where.items():
        chosen &= (frame[name] == value).to_numpy()
    return frame[~chosen]


def missing_everywhere(frame, more):
    return lost(frame, 0.1)


def copied(frame, more):
    return pd.concat([frame, frame.head(5)], ignore_index=True)


def calls_left_out(frame, more):
    return without(frame, 0.13, arm="call")


def one_stratum_off(frame, more):
    high = without(frame, 0.4, by="organisation_id", arm="control", stratum="high")
    return without(high, 0.4, by="organisation_id", arm="call", stratum="medium")


def calls_lost(frame, more):
    return lost(frame, 0.03, arm="call")


def clients_split(frame, more):
    sizes = frame.groupby("organisation_id")["lead_id"].transform("size")
    second = frame[sizes > 2].groupby("organisation_id").tail(1).index[:6]
    frame.loc[second, "arm"] = frame.loc[second, "arm"].map({"call": "control", "control": "call"})
    return frame


def calls_to_the_large(frame, more):
    frame["size"] += 0.3 * (frame["arm"] == "call")
    return frame


def rare_arm(frame, more):
    rng = np.random.default_rng(0)
    frame = pd.concat([frame.assign(lead_id=f"{k}-" + frame["lead_id"]) for k in range(4)], ignore_index=True)
    frame = frame.assign(arm=np.where(rng.random(len(frame)) < 0.015, "call", "control"), p_call=0.015, p_control=0.985)
    return frame.assign(organisation_id=frame["lead_id"])


def few_outcomes(frame, more):
    return frame.assign(won=(np.arange(len(frame)) % 100 == 7).astype(float))


def one_large_amount(frame, more):
    frame.loc[frame.index[frame["arm"] == "call"][0], "won"] = 1e6
    return frame


def filled_in_later(frame, more):
    more["features"] = [*more["features"], "contract"]
    return frame.assign(contract=np.where((frame["won"] == 1) & (np.arange(len(frame)) % 10 == 0), "signed", "none"))


def not_named(frame, more):
    more["features"] = None
    return frame[[name for name in frame.columns if name != "stratum"]]


def many_levels(frame, more):
    more["features"] = [*more["features"], "street"]
    return frame.assign(street=[f"street {k % 500}" for k in range(len(frame))])


def no_score(frame, more):
    more["score"] = None
    return frame


BREAKS = [
    ("rows", "leads", missing_everywhere, "warn", "used; dropped: missing_outcome 3"),
    ("duplicates", "leads", copied, "warn", "exact copies dropped: 5 of 3,005 rows (0.17%); export each lead once"),
    (
        "sample-ratio",
        "leads",
        calls_left_out,
        "warn",
        "control 1,526 (planned 1,408.5), call 1,291 (planned 1,408.5); p = 9.53e-06; the split is not the one",
    ),
    (
        "sample-ratio-by-stratum",
        "strata",
        one_stratum_off,
        "warn",
        "furthest off high: control 66 (planned 89.4), call 43 (planned 29.8)",
    ),
    ("outcomes-missing", "leads", calls_lost, "warn", "leads drop out differently by arm"),
    ("organisations", "organisations", clients_split, "warn", "6 have leads in different arms, although organisations"),
    ("balance", "leads", calls_to_the_large, "warn", "largest standardised difference +0.3"),
    ("propensities", "leads", rare_arm, "warn", "from 0.015 to 0.985, known by design; arms this rare"),
    ("support", "leads", few_outcomes, "warn", "fewer than 20 expected in an arm"),
    ("support", "money", one_large_amount, "warn", "its spread rests on about 0 leads in the smallest arm"),
    ("known-later", "leads", filled_in_later, "warn", "settle the outcome `won`: contract; they look as if"),
    ("features", "leads", not_named, "warn", "features were not named; used size, age, region, visits; name those"),
    ("features", "leads", many_levels, "warn", "text with over 200 different values: street; group them"),
    ("score", "leads", no_score, "warn", "no score column: one is estimated from controls"),
]


@pytest.mark.parametrize(
    ("code", "kind", "change", "status", "words"), BREAKS, ids=lambda value: getattr(value, "__name__", None)
)
def test_a_break_is_seen_by_its_check_alone(code, kind, change, status, words):
    frame, more = flat_frame(kind, seed=5)
    frame = change(frame.reset_index(drop=True), more)
    log = AssignmentLog.from_frame(frame, **more)
    found = check_log(log, features_named=more["features"] is not None, seed=0)
    assert {check.code: check.status for check in found if check.status != "pass"} == {code: status}
    (message,) = [check.message for check in found if check.code == code]
    assert words in message


@pytest.mark.parametrize("kind", FLAT)
def test_sound_logs_pass(kind):
    assert {
        check.code: check.message
        for check in check_log(flat_log(kind, 5), features_named=True, seed=0)
        if check.status != "pass"
    } == {}


def test_a_split_that_nobody_would_draw_stops():
    frame, more = flat_frame("leads", seed=5)
    log = AssignmentLog.from_frame(without(frame, 0.5, arm="call"), **more)
    assert [c.code for c in check_log(log, features_named=True, seed=0) if c.status == "stop"] == ["sample-ratio"]


def test_outcomes_that_one_arm_loses_in_number_stop():
    frame, more = flat_frame("leads", seed=5)
    log = AssignmentLog.from_frame(lost(frame, 0.3, arm="call"), **more)
    assert [c.code for c in check_log(log, features_named=True, seed=0) if c.status == "stop"] == ["outcomes-missing"]


def test_a_split_of_clients_that_are_mostly_whole_counts_clients():
    frame, more = flat_frame("organisations", seed=5)
    frame = clients_split(frame, more)
    log = AssignmentLog.from_frame(frame, **more)
    assert (log.drawn.unit, log.drawn.split) == ("organisations", 6)
    assert sum(log.drawn.found) == frame["organisation_id"].nunique()
