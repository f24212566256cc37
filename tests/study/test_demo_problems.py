"""The demonstration's problems: found in the deals before the lot, the truth beside each."""

import numpy as np
import pytest

from leadlift.study import simulate_crm
from leadlift.study.demo import with_found_problems


def test_the_demo_finds_problems_before_the_lot():
    plain = simulate_crm(leads=6_000, seed=1)
    crm, origin = with_found_problems(plain)
    assert origin.made
    assert origin.saved.known_until < plain.tables["assignments"]["assigned_at"].min()
    assert origin.deals.dropped["known after assignment"] > 0
    assert len(crm.log) == len(plain.log)
    assert crm.log.account == plain.log.account
    assert len(origin.saved.names) == plain.world.config.problems
    truth = {row.segment: row.effect for row in crm.true_effects() if row.segment_by == "problem"}
    names, leads = np.unique(crm.log.problem.astype(str), return_counts=True)
    assert set(truth) == set(names) == {*origin.saved.names, "unknown"}
    (overall,) = (row.effect for row in crm.true_effects() if row.segment_by == "all")
    assert np.average([truth[name] for name in names], weights=leads) == pytest.approx(overall)


def test_a_company_too_small_for_problems_has_none():
    crm, origin = with_found_problems(simulate_crm(leads=60, seed=1))
    assert origin.saved.names == ()
    assert set(crm.log.problem) == {"unknown"}
