import numpy as np
import pandas as pd
import pytest

from leadlift.data import make_world
from leadlift.problems import ProblemModel, ideas, product_profiles


@pytest.fixture(scope="module")
def world():
    return make_world(leads=100, seed=1, organisations=3_000, problems=4, products=24, deals_per_organisation=11.0)


@pytest.fixture(scope="module")
def model(world):
    return ProblemModel(resamples=6).fit(world.deals)


@pytest.fixture(scope="module")
def effects(world):
    """A call gains two points for products of two problems and none for the others; visits gain one everywhere."""
    rng = np.random.default_rng(0)
    catalogue = world.products
    calls = catalogue.iloc[::2].assign(mechanic="call", effect=lambda f: np.where(f["problem"] < 2, 2.0, 0.0))
    visits = catalogue.iloc[::3].assign(mechanic="visit", effect=1.0)
    frame = pd.concat([calls, visits])[["product", "mechanic", "effect"]]
    frame["effect"] += 0.1 * rng.normal(size=len(frame))
    return frame.assign(se=0.1, n_treatment=180_000, n_control=180_000)


def test_profiles_put_products_with_their_problem(model):
    profiles = product_profiles(model)
    assert profiles.sum(axis=1).to_numpy() == pytest.approx(np.ones(24))
    assert profiles.idxmax(axis=1).tolist() == model.product_problem_["problem"].tolist()


def test_what_works_for_a_problem_is_suggested_for_its_other_products(world, model, effects):
    found = ideas(model, effects, margin=0.8, break_even=0.5, most=6)
    problem = world.products.set_index("product")["problem"]
    assert {h.mechanic for h in found.hypotheses[:4]} == {"call"}
    assert all(problem[h.product] < 2 for h in found.hypotheses[:4])
    assert all(h.like_product is not None and problem[h.like_product] < 2 for h in found.hypotheses[:4])
    assert len(found.teachings) == 6
    assert [h.rank_information for h in found.teachings] == list(range(1, 7))


def test_every_problem_has_its_funnels(model, effects):
    found = ideas(model, effects, margin=0.8)
    assert [group.group for group in found.funnels] == [card.problem for card in model.problems_]
    assert any(group.unify for group in found.funnels)
    for group in found.funnels:
        assert 0.5 < group.together <= 1
        assert group.clients.lift > 1.1
    assert found.to_dict()["rows"]["used"] == len(effects)


def test_without_effects_there_are_shared_clients_only(model):
    found = ideas(model)
    assert (found.hypotheses, found.components, found.rows) == ((), (), None)
    assert {check.code for check in found.checks} == {"margin", "effects"}
    assert all(group.answer == "not known yet" for group in found.funnels)


def test_few_effects_still_judge_funnels(model, effects):
    members = [product.product for product in model.problems_[0].products]
    few = pd.DataFrame({"product": members[:2], "mechanic": "call", "effect": [1.0, 9.0], "se": 0.1})
    found = ideas(model, few, margin=0.5)
    assert found.hypotheses == ()
    assert sum(len(group.stops) for group in found.funnels) == 1


def test_effects_of_products_that_no_deal_names_are_said(model, effects):
    strange = effects.assign(product=effects["product"].str.upper())
    checks = {check.code: check for check in ideas(model, strange).checks}
    found = checks["products-without-deals"]
    assert found.status == "warn"
    assert found.value == strange["product"].nunique()
    assert f"did you mean `{sorted(effects['product'])[0]}`" in found.message
    assert "products-without-deals" not in {check.code for check in ideas(model, effects).checks}
