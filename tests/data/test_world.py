"""The World's tables: what they hold, that they are the same everywhere, and that problems drive them."""

import dataclasses
import hashlib

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

import leadlift.data.world as room
from leadlift.data.world import PRESETS, WorldConfig, flat_log, make_world, six_group_assignment

# Made by `digest(600 leads, seed 11)` when the World was written (numpy 2.4.6, pandas 3.0, scipy 1.17). It changes only
# when the World's definition changes on purpose.
DIGEST = "575aecabfd756ad6965a52d2a49e75d9424861d497f67221d66537dacbd064e2"
DEALS = [
    "deal_id", "organisation_id", "product", "lead_id", "closed_at", "won", "amount", "currency", "known_at",
]  # fmt: skip


@pytest.fixture(scope="module")
def world():
    return make_world(leads=20_000, seed=5)


def as_bytes(frame):
    return frame.to_csv(index=False, lineterminator="\n").encode()


def test_the_shop_window_is_sorted():
    names = room.__all__
    constants = [name for name in names if name.isupper()]
    assert constants == sorted(constants)
    assert all(hasattr(room, name) for name in names)


def test_the_same_seed_gives_the_same_world_on_any_machine():
    world = make_world(leads=600, seed=11)
    lot = six_group_assignment(world)
    seen = world.observe(lot)
    tables = [world.organisations, world.products, world.deals, world.leads, world.truth().round(9), lot]
    tables += [seen.touches, seen.deals, seen.outcomes, flat_log(world, seen, lot)]
    assert hashlib.sha256(b"".join(map(as_bytes, tables))).hexdigest() == DIGEST


def test_another_seed_gives_another_world():
    assert not make_world(leads=50, seed=1).leads.equals(make_world(leads=50, seed=2).leads)
    pd.testing.assert_frame_equal(make_world(leads=50, seed=1).leads, make_world(leads=50, seed=1).leads)


def test_presets_change_the_effect_and_nothing_else():
    worlds = [make_world(leads=300, seed=4, preset=preset) for preset in PRESETS]
    for other in worlds[1:]:
        pd.testing.assert_frame_equal(worlds[0].leads, other.leads)
        pd.testing.assert_frame_equal(worlds[0].deals, other.deals)


def test_leads_have_the_columns_the_tables_need(world):
    leads = world.leads
    front = ["lead_id", "organisation_id", "product", "created_at", "score", "score_group"]
    assert leads.columns.tolist() == [*front, *world.features]
    assert len(leads) == 20_000
    assert leads["lead_id"].is_unique
    assert leads["created_at"].dt.tz is not None
    assert leads["created_at"].is_monotonic_increasing
    assert leads["score"].between(0, 1).all()
    assert not leads[[*front, "past_deals", "visits_30d", "emails_opened", "source"]].isna().any().any()
    assert leads["budget"].isna().mean() == pytest.approx(0.2, abs=0.01)
    for name in ("employees", "need", "timing_days", "authority", "topic"):
        assert leads[name].isna().mean() == pytest.approx(0.1, abs=0.01)


def test_some_organisations_have_several_leads_and_some_leads_are_late(world):
    leads = world.leads
    late = leads["created_at"] > world.today
    assert late.sum() == 1_000
    assert leads.loc[late, "organisation_id"].isin(leads.loc[~late, "organisation_id"]).all()
    sizes = leads.groupby("organisation_id").size()
    assert sizes.mean() == pytest.approx(1.6, abs=0.01)
    assert 0.4 < (sizes > 1).mean() / 0.35 < 2
    assert sizes.max() > 8


def test_score_groups_are_thirds_of_the_ordinary_leads(world):
    ordinary = world.leads[world.leads["created_at"] <= world.today]
    shares = ordinary["score_group"].value_counts(normalize=True)
    assert shares.to_dict() == pytest.approx({"low": 1 / 3, "medium": 1 / 3, "high": 1 / 3}, abs=1e-3)
    cut = np.array(["low", "medium", "high"])[np.searchsorted(world.cuts, world.leads["score"], side="right")]
    assert (cut == world.leads["score_group"]).all()


def test_deals_cover_two_years_won_and_lost(world):
    deals = world.deals
    assert deals.columns.tolist() == DEALS
    assert deals["deal_id"].is_unique
    assert deals["lead_id"].isna().all()
    assert deals["closed_at"].is_monotonic_increasing
    assert pd.Timestamp("2024-01-01", tz="UTC") <= deals["closed_at"].min()
    assert deals["closed_at"].max() < world.today
    assert (deals["known_at"] >= deals["closed_at"]).all()
    assert 1 - deals["won"].mean() == pytest.approx(0.35, abs=0.01)
    assert len(deals) == pytest.approx(4 * len(world.organisations), rel=0.05)
    assert (deals["amount"] > 0).all()


def test_deals_follow_the_season(world):
    months = world.deals["closed_at"].dt.month.value_counts()
    assert months[6] > 1.15 * months[8]
    calm = make_world(leads=20_000, seed=5, season=0.0).deals["closed_at"].dt.month.value_counts()
    assert calm[6] < 1.1 * calm[8]


def test_problems_drive_what_is_bought(world):
    problem = world.products.set_index("product")["problem"]
    bought = world.deals[world.deals["won"]]
    rows = pd.Index(world.organisations["organisation_id"]).get_indexer(bought["organisation_id"])
    share = world.mixtures[rows, problem.loc[bought["product"]].to_numpy()]
    by_chance = (world.mixtures.mean(axis=0) ** 2).sum()
    assert share.mean() > 2 * by_chance
    assert (world.products.groupby("problem").size() >= 3).all()
    np.testing.assert_allclose(world.mixtures.sum(axis=1), 1)


def next_in_chain(world):
    """How often an organisation's next purchase for the same problem is the next one in that problem's chain."""
    won = world.deals[world.deals["won"]].merge(world.products, on="product")
    won = won.sort_values("closed_at")
    before = won.groupby(["organisation_id", "problem"])["position"].shift()
    length = won.groupby("problem")["position"].transform("max") + 1
    return ((won["position"] == (before + 1) % length)[before.notna()]).mean()


def test_purchases_come_in_chains(world):
    assert next_in_chain(world) == pytest.approx(0.6 + 0.4 / 3, abs=0.03)
    assert next_in_chain(make_world(leads=20_000, seed=5, chain_strength=0.0)) == pytest.approx(1 / 3, abs=0.03)


def test_no_signal_means_products_are_bought_independently():
    world = make_world(leads=20_000, seed=5, problem_signal=0.0)
    problem = world.products.set_index("product")["problem"]
    bought = world.deals[world.deals["won"]]
    rows = pd.Index(world.organisations["organisation_id"]).get_indexer(bought["organisation_id"])
    share = world.mixtures[rows, problem.loc[bought["product"]].to_numpy()]
    assert share.mean() == pytest.approx((world.mixtures.mean(axis=0) ** 2).sum(), abs=0.01)


def lift(world, look):
    """Share of organisations whose main problem is guessed right from a look, over that of guessing the commonest."""
    main = pd.Series(world.mixtures.argmax(axis=1))
    table = pd.crosstab(look.to_numpy(), main.to_numpy())
    return table.max(axis=1).sum() / table.sum().max()


def test_looks_tell_little_about_problems(world):
    both = world.organisations["industry"] + world.organisations["region"]
    assert 1.0 < lift(world, both) < 1.25
    told = make_world(leads=20_000, seed=5, firmographic_signal=1.0)
    assert lift(told, told.organisations["industry"]) > 1.3


def test_a_topic_tells_a_little_about_the_problem(world):
    topic = world.leads["topic"]
    table = pd.crosstab(topic.dropna(), world.truth()["problem"][topic.notna()])
    right = table.to_numpy().max(axis=1).sum() / table.to_numpy().sum()
    assert right == pytest.approx(0.5 + 0.5 * 0.25, abs=0.03)


def auc(score, bought):
    ranks = rankdata(score)
    buyers = bought.sum()
    return (ranks[bought].sum() - buyers * (buyers + 1) / 2) / buyers / (~bought).sum()


def test_the_score_knows_who_buys(world):
    bought = world.observe(six_group_assignment(world, arms={"control": 0.99, "call": 0.01})).outcomes
    assert 0.75 < auc(world.leads["score"].to_numpy(), bought["converted"].to_numpy() == 1) < 0.85


def test_the_score_is_calibrated(world):
    truth, score = world.truth()["p_untouched"], world.leads["score"]
    means = pd.DataFrame({"truth": truth, "score": score}).groupby(pd.qcut(score, 5)).mean()
    assert (means["truth"] / means["score"]).between(0.85, 1.15).all()


def test_leads_of_an_organisation_are_alike():
    def unexplained(sd):
        world = make_world(leads=40_000, seed=2, organisation_sd=sd, product_sd=0.0, season=0.0)
        pairs = world.truth()[["organisation_id", "p_untouched"]].assign(score=world.leads["score"])
        pairs["rest"] = pairs["p_untouched"] - pairs["score"]
        two = pairs.groupby("organisation_id").head(2).groupby("organisation_id")["rest"].agg(["first", "last", "size"])
        two = two[two["size"] == 2]
        return np.corrcoef(two["first"], two["last"])[0, 1]

    assert unexplained(1.0) > unexplained(0.0) + 0.1


def test_more_products_problems_and_organisations():
    world = make_world(leads=500, organisations=3_000, problems=12, products=300, deals_per_organisation=6, seed=1)
    assert (len(world.organisations), len(world.products), world.mixtures.shape[1]) == (3_000, 300, 12)
    assert (world.products.groupby("problem").size() == 25).all()
    assert world.deals["product"].nunique() > 290
    assert make_world(leads=50, products=1_000, problems=300, seed=1).leads["product"].nunique() > 30


@pytest.mark.parametrize("leads", [1, 2, 3, 7])
def test_the_smallest_worlds_work(leads):
    world = make_world(leads=leads, seed=3)
    lot = six_group_assignment(world)
    assert len(world.leads) == len(world.truth()) == leads
    assert len(flat_log(world, world.observe(lot), lot)) <= leads


def test_one_problem_no_deals_no_missing_values_work():
    world = make_world(leads=30, problems=1, products=3, deals_per_organisation=0, missing=0, late_share=0, seed=1)
    assert len(world.deals) == 0
    assert world.deals.columns.tolist() == DEALS
    assert not world.leads.isna().any().any()


def test_every_parameter_is_documented():
    text = WorldConfig.__doc__
    for field in dataclasses.fields(WorldConfig):
        assert f"        {field.name}: " in text, field.name


def test_a_world_prints_in_one_line(world):
    assert repr(world) == "World(leads=20000, organisations=12500, preset='fence_sitters', seed=5)"
