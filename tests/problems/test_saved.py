"""Saved problem models, and what they say of organisations as of a moment."""

import json

import numpy as np
import pandas as pd
import pytest

from leadlift.base.errors import DataError
from leadlift.data import make_world
from leadlift.problems import ProblemModel
from leadlift.problems.as_of import problems_as_of
from leadlift.problems.saved import parse_saved, saved_problems

NOW = pd.Timestamp("2027-01-01T00:00:00Z")


@pytest.fixture(scope="module")
def deals():
    world = make_world(leads=100, organisations=1_500, problems=3, products=18, deals_per_organisation=8.0, seed=2)
    return world.deals.assign(known_at=world.deals["known_at"].fillna(world.deals["closed_at"]))


@pytest.fixture(scope="module")
def model(deals):
    return ProblemModel(resamples=4).fit(deals)


@pytest.fixture(scope="module")
def saved(model):
    return saved_problems(model, created_at=NOW, deals_digest="d")


def leads(names, moment):
    organisations = pd.Series(list(names))
    return organisations, pd.Series(pd.DatetimeIndex([moment] * len(organisations)))


def test_a_saved_model_says_what_the_fitted_one_says(model, saved, deals):
    again = parse_saved(saved.text())
    names = model.mixtures_.index[:400]
    after = deals["known_at"].max() + pd.Timedelta(days=1)
    for one in (saved, again):
        found = problems_as_of(one, deals, *leads(names, after))
        known = found.problem != "unknown"
        assert known.sum() > 300
        assert found.problem.tolist() == model.main_problems()[names].tolist()
        told = found.mixtures.to_numpy()[known]
        assert told == pytest.approx(model.mixtures_.loc[names].to_numpy()[known], abs=2e-4)
        assert found.mixtures.columns.tolist() == [f"mixture_{name}" for name in saved.names]
    assert again.digest == saved.digest
    assert again.known_until == saved.known_until == deals.query("won")["known_at"].max()


def test_only_deals_known_before_a_lead_was_assigned_enter(saved, deals):
    early = saved.known_until + pd.Timedelta(days=1)
    names = sorted(deals["organisation_id"].unique())[:200]
    asked = leads(names, early)
    before = problems_as_of(saved, deals, *asked)
    # The other problem's heaviest products, closed in time but known too late; closed and known too late.
    products = saved.product_problem.query("problem == 'P3'")["product"].tolist()
    planted = pd.DataFrame([{"organisation_id": name, "product": p} for name in names for p in products])
    late = early + pd.Timedelta(days=1)
    for closed, known in ((early - pd.Timedelta(hours=1), late), (late, late), (early, early), (late, pd.NaT)):
        rows = planted.assign(won=True, amount=1.0, closed_at=closed, known_at=known)
        after = problems_as_of(saved, pd.concat([deals, rows], ignore_index=True), *asked)
        assert after.problem.tolist() == before.problem.tolist()
        pd.testing.assert_frame_equal(after.mixtures, before.mixtures)
        assert after.deals.dropped["known after assignment"] == len(rows)
    # In time, the same deals turn everyone to that problem.
    rows = planted.assign(won=True, amount=1.0, closed_at=early - pd.Timedelta(hours=2), known_at=pd.NaT)
    turned = problems_as_of(saved, pd.concat([deals, rows], ignore_index=True), *asked)
    assert (turned.problem == "P3").mean() > 0.9


def test_leads_of_one_organisation_have_their_own_moments(saved, deals):
    start = saved.known_until + pd.Timedelta(days=1)
    rows = pd.DataFrame(
        {
            "organisation_id": "new",
            "product": saved.product_problem.query("problem == 'P2'")["product"],
            "won": True,
            "closed_at": start + pd.Timedelta(days=1),
        }
    )
    everything = pd.concat([deals, rows], ignore_index=True)
    moments = pd.Series([start, start + pd.Timedelta(days=1), start + pd.Timedelta(days=2)])
    found = problems_as_of(saved, everything, pd.Series(["new"] * 3), moments)
    # A deal closed at the very moment of the draw was not known before it.
    assert found.problem.tolist() == ["unknown", "unknown", "P2"]
    assert np.isnan(found.mixtures.to_numpy()[:2]).all()


def test_a_model_of_later_deals_is_refused(saved, deals):
    moments = pd.Series([saved.known_until, saved.known_until + pd.Timedelta(days=1)])
    with pytest.raises(DataError, match="known-later") as error:
        problems_as_of(saved, deals, pd.Series(["a", "b"]), moments)
    assert "as_of" in str(error.value)


def test_no_deal_in_time_is_said(saved, deals):
    after = leads(["nobody"], saved.known_until + pd.Timedelta(days=1))
    with pytest.raises(DataError, match="of no lead"):
        problems_as_of(saved, deals, *after)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "leadlift problems 1"}', "no json"])
def test_another_file_is_no_model(text):
    assert parse_saved(text) is None


def test_numbers_of_products_are_checked(saved):
    values = json.loads(saved.text())
    values["problem"][0] = 99
    assert parse_saved(json.dumps(values)) is None


def test_no_problems_can_be_saved():
    lonely = make_world(leads=100, organisations=400, deals_per_organisation=3, problem_signal=0.0, seed=1).deals
    saved = saved_problems(ProblemModel(resamples=2).fit(lonely), created_at=NOW, deals_digest="d")
    again = parse_saved(saved.text())
    assert again.names == ()
    found = problems_as_of(again, lonely, *leads(lonely["organisation_id"].unique()[:5], NOW + pd.Timedelta(days=9999)))
    assert set(found.problem) == {"unknown"}
