import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from leadlift.data import make_world
from leadlift.problems import ProblemModel, read_deals
from leadlift.problems.later_deals import set_aside
from leadlift.problems.lifts import gamma_interval, lift_bands, lifts_of, suggested
from leadlift.problems.order import recall_and_ndcg
from leadlift.problems.ranking import Trend, popular_chances

CUT = "2025-07-01"


@pytest.fixture(scope="module")
def world():
    return make_world(leads=100, organisations=6_000, problems=4, products=40, deals_per_organisation=9.0, seed=3)


@pytest.fixture(scope="module")
def model(world):
    return ProblemModel(resamples=4, as_of=CUT).fit(world.deals)


@pytest.fixture(scope="module")
def after(world, model):
    """Rows of organisations that bought something new after the cut, and what."""
    early, every = model.deals_, read_deals(world.deals)
    rows = pd.Index(every.organisations).get_indexer(pd.Index(early.organisations))
    columns = pd.Index(every.products).get_indexer(pd.Index(early.products))
    new = sparse.csr_array(every.matrix[rows][:, columns] - early.matrix)
    new.eliminate_zeros()
    asked = np.flatnonzero(np.diff(new.indptr) > 0)
    return asked, new[asked]


def suggestions(model, rows):
    ranker, held = model.next_deals().ranker, model.deals_.matrix[rows]
    return ranker.chances(held), popular_chances(ranker.popularity, held.toarray() > 0)


def test_the_ranking_predicts_deals_better_than_popularity_and_as_well_as_it_says(model, after):
    rows, later = after
    chance, plain = suggestions(model, rows)
    mine, popular = recall_and_ndcg(chance, later)[1], recall_and_ndcg(plain, later)[1]
    test = model.next_deals().test
    assert mine.mean() > popular.mean() + 0.1
    assert test.worth
    assert test.neighbours.startswith("bought after")
    said = next(score for score in test.scores if score.ranking == "chosen")
    assert abs(mine.mean() - said.ndcg) < 0.05


def test_lifts_hold_on_later_deals(model, after):
    rows, later = after
    chance, plain = suggestions(model, rows)
    named = suggested(chance, plain)
    bought = later.toarray()[named.row, named.product] / np.diff(later.indptr)[named.row]
    lift, lower, upper = lifts_of(named, model.next_deals().test.lifts)
    table = pd.DataFrame({"lower": lower, "upper": upper, "bought": bought, "plain": named.plain})
    actual = table.groupby(["lower", "upper"]).sum().eval("bought / plain").reset_index(name="lift")
    # What came true is a sample as well: as wide an interval again on both sides.
    room = (actual["upper"] - actual["lower"]) / 2
    assert actual["lift"].between(actual["lower"] - room, actual["upper"] + room).all()
    assert len(actual) >= 3
    assert lift.max() > 3 * lift.min()


def test_every_suggestion_has_a_reason_and_is_new(world, model):
    found = model.upsell_fitted(most=4)
    assert (found.groupby("organisation_id").size() <= 4).all()
    assert (found.groupby("organisation_id")["rank"].max() == found.groupby("organisation_id").size()).all()
    assert (found["because"].str.len() > 0).all()
    assert (found["lift_lower"] > 1).all()
    assert found["lift"].between(found["lift_lower"], found["lift_upper"]).all()
    known = world.deals[["closed_at", "known_at"]].max(axis=1) < CUT
    had = world.deals[world.deals["won"] & known][["organisation_id", "product"]]
    pairs = set(had.itertuples(index=False, name=None))
    assert not pairs & set(found[["organisation_id", "product"]].itertuples(index=False, name=None))
    named = found.assign(reason=found["because"].str.split("; ")).explode("reason")
    assert set(named[["organisation_id", "reason"]].itertuples(index=False, name=None)) <= pairs
    problem = model.product_problem_.set_index("product")["problem"]
    told = named[named["problem"].notna()]
    assert (problem.loc[told["product"]].to_numpy() == told["problem"].to_numpy()).all()


def test_as_many_as_are_asked_for(model):
    few, many = (model.upsell_fitted(most=most).groupby("organisation_id").size() for most in (2, 20))
    assert few.max() == 2
    assert 10 < many.max() <= 20
    assert model.upsell_fitted(most=0).empty


def test_new_organisations_get_the_same(world, model):
    fitted = model.upsell_fitted(most=2)
    known = world.deals[world.deals["organisation_id"] == fitted["organisation_id"].iloc[0]]
    again = model.upsell(known, most=2)
    mine = fitted[fitted["organisation_id"] == known["organisation_id"].iloc[0]]
    pd.testing.assert_frame_equal(again, mine.reset_index(drop=True))
    strange = pd.DataFrame({"organisation_id": ["new"], "product": ["never sold"], "closed_at": ["2025-01-01"]})
    assert model.upsell(strange).empty


def test_without_structure_nothing_is_named():
    world = make_world(leads=100, organisations=2_000, products=30, problem_signal=0.0, seed=4)
    model = ProblemModel(resamples=3).fit(world.deals)
    assert not model.next_deals().test.worth
    assert model.upsell_fitted().empty


def test_without_dates_a_deal_of_each_is_hidden(world):
    deals = world.deals.drop(columns=["closed_at", "known_at"], errors="ignore")
    model = ProblemModel(resamples=3).fit(deals)
    test = model.next_deals().test
    assert (test.set_aside, test.since, test.trend) == ("by lot", None, "none")
    assert test.worth


def test_what_is_set_aside_was_not_shown():
    rng = np.random.default_rng(0)
    matrix = sparse.csr_array((rng.random((500, 20)) < 0.3).astype(np.int32))
    day = rng.uniform(0, 100, matrix.nnz)
    for days in (day, np.full(matrix.nnz, np.nan)):
        found = set_aside(matrix, days, np.random.default_rng(1))
        assert found.by_time == (not np.isnan(days).any())
        assert (found.shown.toarray() * found.later.toarray() == 0).all()
        hidden = matrix.nnz - found.earlier.nnz
        assert 0 < found.later.nnz <= hidden
        assert len(found.day) == found.earlier.nnz
        if found.by_time:
            assert found.day.max() < found.until
        else:
            assert (np.diff(found.later.indptr) == 1).all()
            assert hidden == found.later.nnz


def test_trend_rises_with_late_deals():
    matrix = sparse.csr_array(np.ones((100, 2)))
    day = np.tile([0.0, 100.0], 100)
    none, some = Trend(30.0, 0.0), Trend(30.0, 1.0)
    assert none.factors(matrix, day, 100.0).tolist() == [1.0, 1.0]
    early, late = some.factors(matrix, day, 100.0)
    assert early < 1.0 < late
    assert late == pytest.approx((100 + 1) / (100 * (1 + 0.5 ** (100 / 30)) / 2 + 1))


def test_lifts_where_chances_are_right():
    rng = np.random.default_rng(5)
    plain = np.full((4_000, 10), 0.1)
    true = plain * np.where(np.arange(10) < 3, 2.0, 0.571428)
    true /= true.sum(axis=1, keepdims=True)
    product = (rng.random((4_000, 1)) > true.cumsum(axis=1)).sum(axis=1)
    later = sparse.csr_array((np.ones(4_000), (np.arange(4_000), product)), shape=plain.shape)
    said = true + rng.uniform(0, 1e-6, true.shape)
    bands = lift_bands(said, plain, later)
    assert sum(band.lift_lower < 2.0 < band.lift_upper for band in bands) >= len(bands) - 1
    assert sum(band.suggestions for band in bands) == 3 * 4_000


def test_rare_hits_have_wide_intervals():
    # Exact Poisson limits of 0 and 3 events (Garwood).
    assert gamma_interval(0.0, 0.0, 1.0) == pytest.approx((0.0, 3.689), abs=1e-3)
    assert gamma_interval(3.0, 3.0, 1.0) == pytest.approx((0.619, 8.767), abs=1e-3)
