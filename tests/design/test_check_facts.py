"""Checks of a ledger on small facts: what is equal to the design, what goes together, what is withheld."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from leadlift.data import DrawInfo
from leadlift.data.ledger import ChainCheck
from leadlift.data.ledger.evidence import LedgerFacts
from leadlift.design import Evidence, LotFacts, run_checks

SHARES = {"control": 0.5, "call": 0.3, "email": 0.2}
SETTINGS = {"arms": {name: {"share": share} for name, share in SHARES.items()}}
DRAW = DrawInfo("calls", 1, "calls", tuple(SHARES), SETTINGS, "d1", None, None, "2026-01-10T00:00:00Z")
LOT = LotFacts("organisation", "hashed", 1, SHARES)


def units(n=300, shares=SHARES, **more):
    arms = np.repeat(list(SHARES), [n // 2, n * 3 // 10, n // 5])
    frame = pd.DataFrame({"unit_id": [f"O{k}" for k in range(n)], "treatment": arms})
    wide = {f"propensity_{name}": share for name, share in shares.items()}
    rest = {"batch": 1, "stratum": "all", "arms": 1, "chances": 1, "leads": 2, "late": 0}
    return frame.assign(**rest, **wide, **more)


def facts(**changes):
    rows = [("control", 300, 9), ("call", 180, 160), ("email", 120, 110)]
    sound = LedgerFacts(
        chain=ChainCheck(1, 600, 0, "head"),
        draws={1: DRAW},
        units=units(),
        leads={"used": 600},
        touched=pd.DataFrame(rows, columns=["treatment", "leads", "touched"]),
        first_touches=279,
        closed_before=2,
        already_won=0,
        deals_won=100,
        deals_repeated=0,
        currencies={"EUR": 90, "": 10},
        holdout_leads=0,
        holdout_touched=0,
        holdout_assigned=0,
        overlaps=pd.DataFrame({"experiment": [], "theirs": [], "treatment": [], "clients": []}),
        merged=(),
        forgotten=0,
    )
    return replace(sound, **changes)


def checks(lot=LOT, **changes):
    found = run_checks(Evidence(None, ledger=facts(**changes), lot=lot))
    return {check.code: check for check in found}


def raised(lot=LOT, **changes):
    return {code: check.status for code, check in checks(lot, **changes).items() if check.status != "pass"}


def test_sound_facts_pass_without_a_log():
    assert raised() == {}


def test_a_capacity_scales_its_arm_down_and_the_others_up_alike():
    capped = {"control": 0.5 * 0.85 / 0.7, "call": 0.15, "email": 0.2 * 0.85 / 0.7}
    with_cap = replace(LOT, capped=("call",))
    fewer = units(shares=capped).assign(treatment=np.repeat(list(capped), [182, 45, 73]))
    assert raised(with_cap, units=fewer) == {}
    assert raised(LOT, units=fewer) == {"design": "stop"}
    uneven = {"control": 0.6, "call": 0.15, "email": 0.25}
    assert raised(with_cap, units=units(shares=uneven))["design"] == "stop"
    more = {"control": 0.45, "call": 0.37, "email": 0.18}
    assert raised(with_cap, units=units(shares=more))["design"] == "stop"


def test_propensities_that_change_within_a_unit_stop():
    found = checks(units=units().assign(chances=[2] + [1] * 299))["design"]
    assert (found.status, found.value) == ("stop", 1)
    assert "propensities change within 1 of 300 units" in found.message


def test_another_round_may_have_other_shares():
    assert raised(replace(LOT, round=2, shares={"control": 0.4, "call": 0.6})) == {}


@pytest.mark.parametrize(
    ("mode", "lost", "status"), [("blocked", 2, "stop"), ("hashed", 2, "pass"), ("blocked", 0, "pass")]
)
def test_blocks_add_up_and_hashed_lots_need_not(mode, lost, status):
    assert checks(replace(LOT, mode=mode), units=units().iloc[lost:])["sample-ratio"].status == status


def test_blocks_need_not_add_up_once_a_client_was_forgotten():
    assert raised(replace(LOT, mode="blocked"), units=units().iloc[3:], forgotten=6) == {}


def overlaps(counts):
    rows = [("mail", theirs, arm, n) for (theirs, arm), n in counts.items()]
    return pd.DataFrame(rows, columns=["experiment", "theirs", "treatment", "clients"])


def test_arms_of_two_experiments_that_go_together_are_seen():
    shared = replace(LOT, shares_with=("mail",))
    apart = {("a", "control"): 40, ("a", "call"): 41, ("b", "control"): 39, ("b", "call"): 42}
    together = {("a", "control"): 60, ("a", "call"): 20, ("b", "control"): 20, ("b", "call"): 60}
    assert raised(shared, overlaps=overlaps(apart)) == {}
    assert raised(shared, overlaps=overlaps(together)) == {"overlap": "warn"}
    assert raised(LOT, overlaps=overlaps(apart)) == {"overlap": "warn"}


def test_touches_are_withheld_where_they_follow_the_outcome():
    found = checks(closed_before=30)
    assert found["touch-after-close"].status == "warn"
    for code in ("control-touched", "treated-untouched"):
        assert (found[code].status, found[code].value) == ("pass", None)
        assert found[code].message.startswith("withheld: too many first touches come after the close")


@pytest.mark.parametrize(("touched", "status"), [(15, "pass"), (20, "pass"), (26, "warn")])
def test_a_share_has_to_pass_its_limit_beyond_doubt(touched, status):
    rows = [("control", 300, touched), ("call", 180, 160), ("email", 120, 110)]
    found = checks(touched=pd.DataFrame(rows, columns=["treatment", "leads", "touched"]))
    assert found["control-touched"].status == status


def test_one_arm_of_several_that_nobody_carried_out_is_seen():
    rows = [("control", 300, 9), ("call", 180, 178), ("email", 120, 80)]
    found = checks(touched=pd.DataFrame(rows, columns=["treatment", "leads", "touched"]))["treated-untouched"]
    assert found.status == "warn"
    assert "call 2 of 180 leads (1.1%), email 40 of 120 leads (33%)" in found.message


def test_deals_without_a_currency_are_no_second_one():
    assert raised(currencies={"EUR": 90, "USD": 1}) == {"currencies": "stop"}


def test_without_touches_or_deals_their_checks_are_left_out():
    none = pd.DataFrame({"treatment": [], "leads": [], "touched": []})
    found = checks(touched=none, first_touches=0, closed_before=0, deals_won=0, currencies={})
    assert {"control-touched", "treated-untouched", "touch-after-close", "repeated-deals", "currencies"} & set(
        found
    ) == set()


def test_an_experiment_whose_leads_are_all_held_out():
    assert raised(units=units().iloc[:0], leads={"holdout": 600}, holdout_leads=600) == {}
