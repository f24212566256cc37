"""What the World does with an assignment: touches, deals, outcomes, by whatever design."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlift.data.world import flat_log, make_world, six_group_assignment

ARMS = {"control": (), "call": ("call",), "both": ("email", "visit"), "offer": ("discount",)}


@pytest.fixture(scope="module")
def world():
    return make_world(leads=5_000, seed=8)


@pytest.fixture(scope="module")
def lot(world):
    return six_group_assignment(world, arms=dict.fromkeys(ARMS, 0.25))


@pytest.fixture(scope="module")
def seen(world, lot):
    return world.observe(lot, ARMS)


def everyone(world, treatment, **more):
    frame = world.leads[["lead_id", "organisation_id"]].copy()
    return frame.assign(treatment=treatment, assigned_at=world.today, **more)


def test_tables_have_the_columns_of_the_contract(seen, world):
    assert seen.touches.columns.tolist() == ["touch_id", "lead_id", "mechanic", "touched_at", "cost", "rep_id"]
    assert seen.deals.columns.tolist() == world.deals.columns.tolist()
    assert seen.deals.dtypes.equals(world.deals.dtypes)
    assert seen.touches["touch_id"].is_unique
    assert pd.concat([seen.deals, world.deals])["deal_id"].is_unique
    assert seen.outcomes["lead_id"].tolist() == world.leads["lead_id"].tolist()


def test_outcomes_agree_with_deals_and_touches(seen, lot, world):
    deals = seen.deals.merge(lot[["lead_id", "assigned_at"]], on="lead_id")
    inside = deals[deals["won"] & (deals["closed_at"] - deals["assigned_at"] < pd.Timedelta(days=90))]
    won = seen.outcomes[seen.outcomes["converted"] == 1]
    assert sorted(inside["lead_id"]) == sorted(won["lead_id"])
    money = inside.set_index("lead_id")["amount"].reindex(won["lead_id"])
    np.testing.assert_allclose(money, won["revenue"])
    spent = seen.touches.groupby("lead_id")["cost"].sum().reindex(seen.outcomes["lead_id"]).fillna(0)
    np.testing.assert_allclose(spent, seen.outcomes["cost"], atol=1e-9)
    assert set(seen.touches["lead_id"]) == set(seen.outcomes.loc[seen.outcomes["touched"], "lead_id"])


def test_some_controls_are_touched_and_some_treated_missed(seen):
    touched = seen.outcomes.groupby("treatment")["touched"].mean()
    assert touched["control"] == pytest.approx(0.03, abs=0.02)
    assert touched.drop("control").to_numpy() == pytest.approx(np.full(3, 0.9), abs=0.03)


def test_each_arm_gets_its_mechanics_at_their_cost(seen, lot):
    touches = seen.touches.merge(lot[["lead_id", "treatment", "assigned_at"]], on="lead_id")
    used = touches.groupby("treatment")["mechanic"].unique().map(sorted).to_dict()
    assert used == {"control": ["call"], "call": ["call"], "both": ["email", "visit"], "offer": ["discount"]}
    assert touches.loc[touches["mechanic"] == "call", "cost"].between(28, 42).all()
    wait = touches["touched_at"] - touches["assigned_at"]
    assert wait.between(pd.Timedelta(0), pd.Timedelta(days=6)).all()


def test_no_deal_closes_before_the_touch_that_moved_it(seen):
    both = seen.deals.merge(seen.touches, on="lead_id")
    assert (both["closed_at"] > both["touched_at"]).all()


def test_there_are_lost_deals_and_deals_after_the_window(seen, lot):
    deals = seen.deals.merge(lot[["lead_id", "assigned_at"]], on="lead_id")
    assert 0.5 < 1 - deals["won"].mean() < 0.9
    assert ((deals["closed_at"] - deals["assigned_at"]) > pd.Timedelta(days=90)).any()


@settings(max_examples=5, deadline=None)
@given(order=st.randoms(use_true_random=False), share=st.floats(0.05, 1.0))
def test_neither_row_order_nor_company_matters(world, lot, seen, order, share):
    rows = order.sample(range(len(lot)), int(share * len(lot)))
    part = world.observe(lot.iloc[rows], ARMS, until=seen.until)
    whole = seen.outcomes.iloc[rows].reset_index(drop=True)
    pd.testing.assert_frame_equal(part.outcomes, whole)
    deals = seen.deals[seen.deals["lead_id"].isin(part.outcomes["lead_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(part.deals, deals)


def test_an_outcome_belongs_to_lead_and_arm(world):
    called = world.observe(everyone(world, "call")).outcomes
    control = world.observe(everyone(world, "control")).outcomes
    mixed = everyone(world, "call")
    mixed.loc[::2, "treatment"] = "control"
    outcomes = world.observe(mixed).outcomes
    assert outcomes["converted"][::2].equals(control["converted"][::2])
    assert outcomes["converted"][1::2].equals(called["converted"][1::2])


def test_nothing_moves_anyone_in_the_null_world():
    world = make_world(leads=3_000, seed=1, preset="null", contamination=0.2)
    arms = {"control": (), "call": ("call",), "offer": ("discount", "visit")}
    seen = {arm: world.observe(everyone(world, arm), arms) for arm in arms}
    for arm in ("call", "offer"):
        pd.testing.assert_frame_equal(seen[arm].deals, seen["control"].deals)
        for name in ("converted", "revenue"):
            pd.testing.assert_series_equal(seen[arm].outcomes[name], seen["control"].outcomes[name])
    truth = world.truth(arms)
    assert (truth[["uplift_call", "uplift_offer", "touch_uplift_call", "revenue_uplift_offer"]] == 0).all().all()


def test_another_draw_is_other_luck_for_the_same_leads(world):
    first, second = (world.observe(everyone(world, "call"), draw=draw).outcomes["converted"] for draw in (0, 1))
    assert (first != second).mean() > 0.1
    assert first.mean() == pytest.approx(second.mean(), abs=0.03)


def test_open_windows_are_told_and_filled_later(world):
    frame = everyone(world, "call")
    frame.loc[::2, "assigned_at"] = world.today + pd.Timedelta(days=30)
    early = world.observe(frame, until=world.today + pd.Timedelta(days=96))
    late = world.observe(frame)
    assert early.outcomes["open"][::2].all()
    ordinary = ~early.outcomes["late"]
    assert not early.outcomes["open"][1::2][ordinary].any()
    assert not late.outcomes["open"].any()
    assert (early.outcomes["converted"] <= late.outcomes["converted"]).all()
    assert early.outcomes["converted"][1::2][ordinary].equals(late.outcomes["converted"][1::2][ordinary])
    assert set(early.deals["deal_id"]) < set(late.deals["deal_id"])
    assert (early.deals["known_at"] <= early.until).all()


def test_late_leads_start_when_they_are_created(world):
    outcomes = world.observe(everyone(world, "call")).outcomes
    created = world.leads["created_at"]
    assert outcomes["late"].equals((created > world.today).rename("late"))
    touches = world.observe(everyone(world, "call")).touches.merge(world.leads[["lead_id", "created_at"]])
    assert (touches["touched_at"] >= touches["created_at"]).all()


def test_spill_over_reaches_the_untouched_of_a_touched_organisation():
    world = make_world(leads=20_000, seed=1, spillover=0.9, missed=0.0, contamination=0.0, leads_per_organisation=4)
    alone = everyone(world, "control")
    mixed = alone.copy()
    mixed.loc[mixed.duplicated("organisation_id"), "treatment"] = "call"
    watched = (mixed["treatment"] == "control") & mixed.duplicated("organisation_id", keep=False)
    middle = watched & (world.leads["score_group"] == "medium")
    gain = world.observe(mixed).outcomes["converted"] - world.observe(alone).outcomes["converted"]
    truth = 0.9 * world.truth()["touch_uplift_call"][middle].mean()
    assert gain[middle].mean() == pytest.approx(truth, abs=0.03)
    assert (gain[(mixed["treatment"] == "control") & ~watched] == 0).all()


def test_deals_without_a_lead_and_deals_of_others():
    world = make_world(leads=4_000, seed=1, unlinked_share=0.25, other_deals=0.5)
    deals = world.observe(six_group_assignment(world)).deals
    assert deals["deal_id"].is_unique
    other = deals["deal_id"].str.startswith("deal-other")
    assert deals.loc[other, "lead_id"].isna().all()
    assert other.sum() == pytest.approx(0.5 * len(world.organisations), rel=0.15)
    assert deals.loc[~other, "lead_id"].isna().mean() == pytest.approx(0.25, abs=0.04)


def test_holdout_is_an_arm_without_mechanics(world):
    held = world.observe(everyone(world, "holdout"), {"holdout": ()}).outcomes
    control = world.observe(everyone(world, "control")).outcomes
    assert held["converted"].equals(control["converted"])


def test_the_lot_draws_what_it_says(world, lot):
    shares = lot["treatment"].value_counts(normalize=True)
    assert shares.to_numpy() == pytest.approx(np.full(4, 0.25), abs=0.03)
    assert (lot[[f"propensity_{arm}" for arm in ARMS]] == 0.25).all().all()
    one = lot.groupby("organisation_id")[["treatment", "stratum", "unit_id"]].nunique()
    assert (one == 1).all().all()
    again = six_group_assignment(world, arms=dict.fromkeys(ARMS, 0.25), salt=1)
    assert (again["treatment"] != lot["treatment"]).mean() > 0.5


def test_the_lots_stratum_is_the_units_highest_group(world, lot):
    place = {"low": 0, "medium": 1, "high": 2}
    ordinary = lot[~lot["late"]]
    highest = ordinary["score_group"].map(place).groupby(ordinary["organisation_id"]).max()
    assert (lot["organisation_id"].map(highest) == lot["stratum"].map(place)).all()


def test_the_lot_takes_shares_by_stratum_and_leads_as_units(world):
    arms = {"control": {"low": 0.8, "medium": 0.5, "high": 0.3}, "call": {"low": 0.2, "medium": 0.5, "high": 0.7}}
    lot = six_group_assignment(world, arms=arms, unit="lead")
    realised = (lot["treatment"] == "call").groupby(lot["stratum"]).mean()
    assert realised.to_dict() == pytest.approx({"low": 0.2, "medium": 0.5, "high": 0.7}, abs=0.04)
    assert lot["stratum"].equals(lot["score_group"].rename("stratum"))
    logged = lot.groupby("stratum")["propensity_call"].first().to_dict()
    assert logged == {"low": 0.2, "medium": 0.5, "high": 0.7}


def test_the_flat_log_has_a_row_per_ordinary_lead(world, lot, seen):
    flat = flat_log(world, seen, lot)
    assert len(flat) == (~lot["late"]).sum()
    assert set(flat["converted"]) == {0, 1}
    assert not flat.drop(columns=list(world.features)).isna().any().any()
    assert flat["lead_id"].is_unique
    chosen = seen.outcomes.set_index("lead_id").loc[flat["lead_id"]]
    np.testing.assert_array_equal(chosen["converted"], flat["converted"])
    np.testing.assert_array_equal(chosen["treatment"], flat["treatment"])
    scores = world.leads.set_index("lead_id")["score"].loc[flat["lead_id"]]
    np.testing.assert_array_equal(scores, flat["score"])
