import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from leadlift.base.errors import DataError
from leadlift.inference.multiplicity import adjust_p_values
from leadlift.problems import intersect
from leadlift.problems.intersections import adjusted


def independent(seed, organisations=6_000, products=80):
    """Independent products, heavy-tailed breadth."""
    rng = np.random.default_rng(seed)
    wish = np.outer(rng.pareto(1.2, organisations) + 0.2, np.exp(rng.normal(0, 1, products)) / products * 1.5)
    return sparse.csr_array((rng.random(wish.shape) < wish / (1 + wish)).astype(np.int32))


def names(matrix):
    return [f"p{j}" for j in range(matrix.shape[1])]


def test_counts_of_a_small_case():
    matrix = np.array([[1, 1, 0], [1, 1, 1], [1, 0, 0], [0, 1, 1], [0, 0, 0]])
    frame = intersect(matrix, ["a", "b", "c"]).frame().set_index(["product", "other"])
    assert frame["shared"].to_dict() == {("a", "b"): 2, ("b", "c"): 2, ("a", "c"): 1}
    assert frame.loc[("a", "b"), "jaccard"] == pytest.approx(2 / 4)
    assert frame.loc[("b", "c"), "lift"] > 1


def test_expected_is_the_sum_of_the_null_chances():
    matrix = independent(0)
    found = intersect(matrix, names(matrix))
    null = found.null
    both = np.einsum("c,ca,cb->ab", null.many, null.chance, null.chance)
    assert found.expected == pytest.approx(both[found.first, found.second])


def test_order_of_organisations_and_those_without_deals_change_nothing():
    matrix = independent(1)
    shuffled = matrix[np.random.default_rng(0).permutation(matrix.shape[0])]
    padded = sparse.vstack([shuffled, sparse.csr_array((50, matrix.shape[1]), dtype=np.int32)])
    one, other = intersect(matrix, names(matrix)), intersect(padded, names(matrix))
    assert (one.p_value == other.p_value).all()
    assert (one.shared == other.shared).all()


def test_copying_every_organisation_doubles_shared_and_expected():
    matrix = independent(2)
    one, two = intersect(matrix, names(matrix)), intersect(sparse.vstack([matrix, matrix]), names(matrix))
    assert (two.shared == 2 * one.shared).all()
    assert two.expected == pytest.approx(2 * one.expected, rel=1e-6)


def test_independent_products_are_called_independent_where_the_hypergeometric_test_fails():
    p, naive = [], []
    for seed in range(4):
        matrix = independent(seed)
        found = intersect(matrix, names(matrix))
        organisations = found.organisations
        p.append(found.p_value)
        naive.append(
            stats.hypergeom.sf(
                found.shared - 1, matrix.shape[0], organisations[found.first], organisations[found.second]
            )
        )
    p, naive = np.concatenate(p), np.concatenate(naive)
    assert (naive < 0.001).mean() > 0.5
    assert (p < 0.001).mean() < 0.004
    # Margins are met in expectation only, so the test errs on the side of caution.
    assert 0.001 < (p < 0.05).mean() < 0.05


def test_products_bought_together_are_found():
    matrix = independent(3).toarray()
    rng = np.random.default_rng(3)
    both = rng.random(matrix.shape[0]) < 0.05
    matrix[both, 5] = matrix[both, 9] = 1
    found = intersect(matrix, names(matrix))
    first = found.frame().iloc[0]
    assert (first["product"], first["other"]) == ("p5", "p9")
    assert first["q_value"] < 1e-6
    assert (found.q_value < 0.05).sum() == 1


def test_every_organisation_with_every_product_is_no_finding():
    found = intersect(np.ones((30, 4)), ["a", "b", "c", "d"])
    assert (found.shared == 30).all()
    assert found.expected == pytest.approx(np.full(6, 30.0))
    assert (found.q_value == 1).all()


def test_screening_leaves_small_p_values_as_they_are():
    matrix = independent(4)
    every, some = intersect(matrix, names(matrix)), intersect(matrix, names(matrix), screen=2.0)
    kept = some.p_value < 1
    assert 0 < kept.sum() < len(kept) / 5
    assert some.p_value[kept] == pytest.approx(every.p_value[kept], rel=1e-9)
    assert every.p_value[~kept].min() > 0.005


def test_q_values_count_the_pairs_that_nobody_has():
    p = np.array([1e-6, 0.004, 0.03])
    full = np.concatenate([p, np.ones(97)])
    assert adjusted(p, 100) == pytest.approx(adjust_p_values(full, method="benjamini_yekutieli")[:3])


def test_pairs_left_out_are_not_significant():
    rng = np.random.default_rng(0)
    pairs = [(i, p) for i in range(400) for p in rng.choice(3_000, 6, replace=False)]
    pairs += [(i, p) for i in range(40) for p in range(8)]
    rows, columns = np.unique(np.array(pairs), axis=0).T
    matrix = sparse.csr_array((np.ones(len(rows), dtype=np.int32), (rows, columns)), shape=(400, 3_000))
    names = [str(p) for p in range(3_000)]
    full, few = intersect(matrix, names), intersect(matrix, names, q=0.05)
    assert len(few) < len(full) / 3
    sure = [set(zip(one.first[one.q_value < 0.05], one.second[one.q_value < 0.05], strict=True)) for one in (full, few)]
    assert sure[0] == sure[1]
    assert len(sure[0]) > 20
    # Nothing is left out where one organisation could be enough.
    dense = sparse.csr_array((rng.random((2_000, 10)) < 0.05).astype(np.int32))
    assert len(intersect(dense, names[:10], q=0.05)) == len(intersect(dense, names[:10]))


def test_more_pairs_than_there_is_memory_for():
    few = sparse.random_array((300, 50_000), density=1e-4, rng=0, format="csr")
    guest = sparse.csr_array(np.ones((1, 50_000)))
    with pytest.raises(DataError, match=r"50,000 products; the broadest organisation has 50,000 of them"):
        intersect(sparse.vstack([few, guest]).tocsr().sign(), [str(p) for p in range(50_000)])


def test_only_the_surest_pairs_are_listed():
    rng = np.random.default_rng(0)
    matrix = sparse.csr_array((rng.random((500, 12)) < 0.3).astype(np.int32))
    found = intersect(matrix, list("abcdefghijkl"))
    whole = found.frame()
    pd.testing.assert_frame_equal(found.frame(most=5), whole.head(5))
    level = whole["q_value"].median()
    pd.testing.assert_frame_equal(found.frame(q=level), whole[whole["q_value"] < level].reset_index(drop=True))
