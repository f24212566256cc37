import numpy as np
import pytest
from scipy import sparse

from leadlift.problems.cards import typical_chains
from leadlift.problems.labels import telling_words, words_by_product

NAMES = np.array(["early", "late"])


def days_of(*columns):
    """First days by product, for `typical_chains`: a row per product."""
    return sparse.csr_array(np.array(columns))


def test_a_product_that_came_later_is_no_chain():
    # Everybody buys the old product when it is there, and the new one once it is: nothing is known of the order.
    old = np.concatenate([np.arange(1.0, 41.0), np.arange(60.0, 70.0)])
    new = np.concatenate([np.arange(50.0, 90.0), np.arange(69.0, 59.0, -1.0)])
    assert typical_chains(days_of(old, new), np.arange(2), NAMES) == ()


def test_an_order_while_both_are_sold_is_a_chain():
    day = np.arange(1.0, 41.0)
    first, then = np.append(day, [2.0, 60.0]), np.append(day + 5.0, [1.0, 61.0])
    (chain,) = typical_chains(days_of(first, then), np.arange(2), NAMES)
    assert (chain.first, chain.then) == ("early", "late")
    assert chain.first_before > 30
    assert chain.then_before == 1
    assert chain.organisations == chain.first_before + chain.then_before


@pytest.mark.parametrize(
    ("members", "words"),
    [([0, 1, 2], ("hot", "water", "bottle")), ([3, 4, 5], ("sign",)), ([6, 7], ())],
)
def test_words_that_products_share_and_others_lack(members, words):
    names = ["HOT WATER BOTTLE RED", "hot water bottle", "Bottle, hot", "RED SIGN", "sign 2", "SIGN 12", "P-1", "P-2"]
    assert telling_words(words_by_product(names), np.array(members)) == words
