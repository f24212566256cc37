import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from leadlift.base.errors import DataError
from leadlift.problems import funnel_groups, intersect
from leadlift.problems.funnels import shared_clients
from leadlift.problems.funnels_equivalence import compare, critical, leads_for, wanted_error

PAIR = {"product": "a", "other": "b", "mechanic": "call", "lead_variances": (0.09, 0.09)}


def judged(difference, se, *, margin=0.01, together=2):
    errors = (se / np.sqrt(2),) * 2
    return compare(**PAIR, effects=(0.02 + difference, 0.02), errors=errors, margin=margin, together=together)


def test_two_products_are_judged_by_two_one_sided_tests():
    for difference, se in itertools.product((0.0, 0.004, 0.009, 0.02), (0.001, 0.004, 0.008)):
        lower = stats.norm.sf((difference + 0.01) / se)
        upper = stats.norm.cdf((difference - 0.01) / se)
        assert (judged(difference, se).answer == "unify") == (max(lower, upper) < 0.05)


def test_no_significant_difference_is_no_reason_to_unify():
    vague = judged(0.0, 0.02)
    assert vague.answer == "not known yet"
    assert vague.interval.lower < 0 < vague.interval.upper


def test_a_difference_that_is_shown_but_too_small_to_matter_does_not_stop():
    assert judged(0.003, 0.001).answer == "unify"
    assert judged(0.03, 0.005).answer == "keep apart"
    assert judged(0.03, 0.005, margin=None).answer == "keep apart"
    assert judged(0.0, 0.0001, margin=None).answer == "not known yet"


def test_many_products_are_judged_all_at_once():
    """The range of equal effects exceeds the critical value in 5% of draws."""
    draws = np.random.default_rng(0).normal(size=(200_000, 6))
    reach = np.ptp(draws, axis=1) / np.sqrt(2)
    assert (reach > critical(6, 0.95)).mean() == pytest.approx(0.05, abs=0.003)
    assert judged(0.0, 0.0045, together=12).answer == "not known yet"
    assert judged(0.0, 0.0045).answer == "unify"


def test_the_leads_said_settle_it_in_four_of_five_cases():
    found = judged(0.0, 0.02)
    wanted = wanted_error(0.01, 2)
    assert found.times == pytest.approx((0.02 / wanted) ** 2)
    per_arm = 2 * 0.09 / (0.02**2 / 2)
    assert found.leads == pytest.approx(4 * per_arm * (found.times - 1), rel=1e-6, abs=1)
    assert leads_for(0.09, wanted) == pytest.approx(per_arm * found.times)
    draws = wanted * np.random.default_rng(1).normal(size=200_000)
    assert (np.abs(draws) + critical(2, 0.9) * wanted < 0.01).mean() == pytest.approx(0.8, abs=0.005)


@pytest.mark.parametrize(
    ("truth", "se"),
    [
        ((0.02, 0.03), (0.002, 0.002)),
        ((0.02, 0.03), (0.001, 0.003)),
        ((0.02, 0.02, 0.02, 0.03), (0.001,) * 4),
        ((0.02, 0.02, 0.03, 0.03), (0.001,) * 4),
        ((0.02, 0.03, 0.04, 0.05), (0.001,) * 4),
    ],
)
def test_products_that_differ_by_the_margin_are_unified_in_one_of_twenty_groups_at_most(truth, se):
    draws = np.array(truth) + np.array(se) * np.random.default_rng(3).normal(size=(4_000, len(truth)))
    pairs = list(itertools.combinations(range(len(truth)), 2))
    wrong = 0
    for drawn in draws:
        wrong += any(
            compare(
                **PAIR, effects=(drawn[i], drawn[j]), errors=(se[i], se[j]), margin=0.01, together=len(truth)
            ).answer
            == "unify"
            for i, j in pairs
            if truth[i] != truth[j]
        )
    # Exactly 5% for two products, but for the lot: three standard errors.
    assert wrong / len(draws) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(draws))
    assert wrong > 0


def clients(seed=0, organisations=12_000):
    """Six groups of four products: organisations of a group buy its products, all buy some of the others."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(6, size=organisations)
    chance = np.where(kind[:, None] == np.arange(24) // 4, 0.3, 0.04)
    return sparse.csr_array((rng.random(chance.shape) < chance).astype(np.int32)), list("abcdefghijklmnopqrstuvwx")


def effects(values, se=0.002, mechanic="call"):
    frame = pd.DataFrame({"product": list(values), "mechanic": mechanic, "effect": list(values.values()), "se": se})
    n = int(2 * 0.09 / se**2)
    return frame.assign(n_treatment=n, n_control=n)


@pytest.fixture(scope="module")
def pairs():
    matrix, products = clients()
    return intersect(matrix, products), matrix


GROUPS = {"P1": list("abcd"), "P2": list("efgh")}


def test_a_group_that_is_alike_is_unified(pairs):
    found = funnel_groups(GROUPS, *pairs, effects=effects(dict.fromkeys("abcd", 0.02)), margin=0.015)
    first, second = found
    assert first.answer == "unify"
    assert [s.products for s in first.unify] == [tuple("abcd")]
    assert first.unify[0].mechanics == ("call",)
    assert (first.stops, first.open, first.unmeasured) == ((), (), 0)
    # Nothing was measured on the other group.
    assert (second.answer, second.unify, second.unmeasured) == ("not known yet", (), 6)


def test_a_stop_sign_where_uplift_differs(pairs):
    found = funnel_groups(GROUPS, *pairs, effects=effects({"a": 0.02, "b": 0.02, "c": 0.06}), margin=0.015)[0]
    assert found.answer == "keep apart"
    assert [s.products for s in found.unify] == [("a", "b")]
    assert {(c.product, c.other) for c in found.stops} == {("a", "c"), ("b", "c")}
    assert found.unmeasured == 3
    apart = funnel_groups(GROUPS, *pairs, effects=effects({"a": 0.02, "c": 0.06}), margin=0.015)[0]
    assert apart.answer == "keep apart"


def test_every_mechanic_measured_on_both_counts(pairs):
    both = pd.concat([effects({"a": 0.02, "b": 0.02}), effects({"a": 0.01, "b": 0.09}, mechanic="visit")])
    found = funnel_groups(GROUPS, *pairs, effects=both, margin=0.015)[0]
    assert (found.answer, found.unify) == ("keep apart", ())


def test_products_that_share_no_clients_are_not_unified(pairs):
    found = funnel_groups({"mixed": ["a", "e"]}, *pairs, effects=effects({"a": 0.02, "e": 0.02}), margin=0.015)[0]
    assert (found.pairs, found.unify, found.answer) == (0, (), "not known yet")


def test_without_a_margin_or_effects_nothing_is_unified(pairs):
    same = effects(dict.fromkeys("abcd", 0.02), se=1e-6)
    assert funnel_groups(GROUPS, *pairs, effects=same)[0].unify == ()
    assert funnel_groups(GROUPS, *pairs)[0].answer == "not known yet"
    for margin in (0.0, float("nan"), "0.01"):
        with pytest.raises(DataError, match="margin"):
            funnel_groups(GROUPS, *pairs, effects=same, margin=margin)
    for alpha in (0, 0.5, "a"):
        with pytest.raises(DataError, match="alpha"):
            funnel_groups(GROUPS, *pairs, effects=same, margin=0.01, alpha=alpha)


def test_uncertain_pairs_come_with_the_leads_that_settle_them(pairs):
    found = funnel_groups(GROUPS, *pairs, effects=effects(dict.fromkeys("ab", 0.02), se=0.02), margin=0.015)[0]
    (comparison,) = found.open
    assert comparison.answer == "not known yet"
    assert comparison.leads > 1_000


def test_shared_clients_are_counted_and_held_against_chance(pairs):
    found, matrix = pairs
    held = matrix.toarray()[:, :4].sum(axis=1)
    clients_of = shared_clients(np.arange(4), found, matrix)
    assert (clients_of.organisations, clients_of.shared) == ((held >= 1).sum(), (held >= 2).sum())
    table = found.frame()
    inside = table[table["product"].isin(list("abcd")) & table["other"].isin(list("abcd"))]
    assert len(inside) == 6
    assert clients_of.lift == pytest.approx(inside["shared"].sum() / inside["expected"].sum())
    assert clients_of.lift > 1.2


def test_an_unknown_product_is_named(pairs):
    with pytest.raises(DataError, match=r"P1: `abc`"):
        funnel_groups({"P1": ["abc"]}, *pairs)
