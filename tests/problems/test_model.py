import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

from leadlift.base.errors import NotFittedError
from leadlift.data import make_world
from leadlift.problems import UNKNOWN, ProblemModel

FAST = {"resamples": 6}


def small_world(seed=1, **changes):
    settings = {"organisations": 3_000, "problems": 4, "products": 24, "deals_per_organisation": 11.0, **changes}
    return make_world(leads=100, seed=seed, **settings)


@pytest.fixture(scope="module")
def world():
    return small_world()


@pytest.fixture(scope="module")
def model(world):
    return ProblemModel(**FAST).fit(world.deals)


def true_problems(world, model):
    return world.products.set_index("product")["problem"].loc[model.product_problem_["product"]].to_numpy()


def test_the_hidden_problems_are_found(world, model):
    found = model.product_problem_["problem"].fillna("none")
    assert adjusted_rand_score(true_problems(world, model), found) > 0.95
    assert model.n_problems_ == 4
    assert model.product_problem_["agrees"].mean() > 0.9


def test_mixtures_follow_the_truth(world, model):
    mixtures = model.transform(world.deals)
    assert mixtures.to_numpy().sum(axis=1) == pytest.approx(np.ones(len(mixtures)))
    true = world.mixtures[[int(name.removeprefix("org-")) for name in mixtures.index]]
    main = pd.crosstab(model.product_problem_["problem"], true_problems(world, model)).idxmax(axis=1)
    for name in mixtures:
        assert np.corrcoef(mixtures[name], true[:, main[name]])[0, 1] > 0.8


def test_cards_say_what_a_problem_is(world, model):
    card = model.problems_[0]
    members = set(model.product_problem_.query("problem == @card.problem")["product"])
    assert {product.product for product in card.products} == members
    assert card.recovered > 0.75
    assert card.gain > 0
    assert card.p_value < 0.01
    place = world.products.set_index("product")["position"]
    follows = [(place[chain.then] - place[chain.first]) % 6 for chain in card.chains]
    assert follows.count(1) >= len(follows) - 1
    assert all(one.share > 0.8 for one in card.typical)


def test_few_deals_stay_near_the_base_rate_and_none_is_unknown(world, model):
    product = model.problems_[0].products[0].product
    one = pd.DataFrame({"organisation_id": ["new"], "product": [product]})
    many = pd.DataFrame({"organisation_id": "new", "product": [p.product for p in model.problems_[0].products]})
    asked = ["new", "nobody"]
    few, more = model.transform(one, asked), model.transform(many, asked)
    assert few.loc["new"].idxmax() == more.loc["new"].idxmax() == model.problems_[0].problem
    assert few.loc["new"].max() < more.loc["new"].max()
    assert few.loc["nobody"].isna().all()
    assert model.predict(one, asked).tolist() == [model.problems_[0].problem, UNKNOWN]


def test_unknown_products_are_no_knowledge(model):
    strange = pd.DataFrame({"organisation_id": ["new", "new"], "product": ["a", "b"]})
    assert model.transform(strange).isna().all(axis=None)
    assert model.predict(strange).tolist() == [UNKNOWN]


def test_same_numbers_in_any_row_order(world, model):
    shuffled = world.deals.sample(frac=1, random_state=3)
    again = ProblemModel(**FAST).fit(shuffled)
    pd.testing.assert_frame_equal(again.product_problem_, model.product_problem_)
    pd.testing.assert_frame_equal(again.mixtures_, model.mixtures_)


def test_names_stay_when_it_is_fitted_again(world, model):
    recent = world.deals[world.deals["closed_at"] > "2024-06-01"]
    names = [card.problem for card in model.problems_]
    renamed = model.product_problem_.assign(
        problem=model.product_problem_["problem"].map(dict(zip(names, names[::-1], strict=True)))
    )
    again = ProblemModel(**FAST).fit(recent, previous=renamed)
    both = renamed.merge(again.product_problem_, on="product")
    assert (both["problem_x"] == both["problem_y"]).mean() > 0.95
    own = ProblemModel(**FAST).fit(recent, previous=renamed).fit(world.deals)
    assert (own.product_problem_["problem"] == renamed["problem"]).mean() > 0.95


def test_without_structure_no_problems_are_found():
    world = small_world(seed=5, problem_signal=0.0)
    model = ProblemModel(**FAST).fit(world.deals)
    assert model.n_problems_ == 0
    assert model.product_problem_["problem"].isna().all()
    assert model.transform(world.deals).shape[1] == 0
    assert set(model.predict(world.deals)) == {UNKNOWN}


def test_everybody_with_everything_is_no_problem():
    frame = pd.DataFrame({"organisation_id": np.repeat(range(50), 6), "product": list("abcdef") * 50})
    assert ProblemModel(**FAST).fit(frame).n_problems_ == 0


def test_pairs_are_no_problem_by_themselves():
    rng = np.random.default_rng(0)
    rows = [(i, p) for i in range(3_000) for p in rng.choice(20, 2, replace=False)]
    rows += [(i, p) for i in range(1_000) for p in (20, 21)]
    model = ProblemModel(**FAST).fit(pd.DataFrame(rows, columns=["organisation_id", "product"]))
    assert (model.intersections_.q_value < 1e-6).sum() == 1
    assert model.n_problems_ == 0


def test_later_deals_do_not_enter(world):
    cut = pd.Timestamp("2025-03-01", tz="UTC")
    early = ProblemModel(**FAST, as_of=cut).fit(world.deals)
    planted = world.deals.copy()
    planted.loc[planted["closed_at"] >= cut, "product"] = "planted"
    again = ProblemModel(**FAST, as_of=cut).fit(planted)
    pd.testing.assert_frame_equal(again.product_problem_, early.product_problem_)
    assert again.deals_.account.dropped["after_as_of"] > 0


def test_many_products_stay_sparse():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"organisation_id": rng.integers(3_000, size=50_000), "product": np.arange(50_000)})
    frame = pd.concat([frame, frame.assign(product=rng.permutation(50_000))])
    model = ProblemModel(**FAST).fit(frame)
    assert model.n_problems_ == 0
    assert model.intersections_.n_pairs == 50_000 * 49_999 // 2


def test_sklearn_manners(world, model):
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(NotFittedError, match="call `fit"):
        ProblemModel().transform(world.deals)
