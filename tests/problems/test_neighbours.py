import numpy as np
import pytest
from scipy import sparse

from leadlift.problems import neighbours
from leadlift.problems.neighbours import KINDS, count_pairs, fit_neighbours, kinds

ORGANISATIONS, PRODUCTS = 200, 12


@pytest.fixture
def bought():
    rng = np.random.default_rng(0)
    matrix = sparse.csr_array((rng.random((ORGANISATIONS, PRODUCTS)) < 0.3).astype(np.int32))
    return matrix, rng.integers(0, 6, matrix.nnz).astype(float)


def counted_by_hand(matrix, day):
    first = np.full(matrix.shape, np.nan)
    first[np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices] = day
    after = (first[:, :, None] <= first[:, None, :]).sum(axis=0).astype(float)
    np.fill_diagonal(after, 0.0)
    return after


@pytest.mark.parametrize("chunk", [4_000_000, 300])
def test_pairs_are_counted_in_their_order(bought, monkeypatch, chunk):
    monkeypatch.setattr(neighbours, "CHUNK", chunk)
    counts = count_pairs(*bought, np.random.default_rng(0))
    assert (counts.both.toarray() == (bought[0].T @ bought[0]).toarray()).all()
    assert (counts.after.toarray() == counted_by_hand(*bought)).all()


def test_without_dates_there_is_no_order(bought):
    counts = count_pairs(bought[0], np.full(bought[0].nnz, np.nan), np.random.default_rng(0))
    assert (counts.after.toarray() == counts.both.toarray()).all()
    assert all("after" not in kind for kind in kinds(PRODUCTS, dated=False))


def test_the_ridge_is_each_products_own_regression(bought, monkeypatch):
    monkeypatch.setattr(neighbours, "PENALTY", 3.0)
    (found,) = fit_neighbours(count_pairs(*bought, np.random.default_rng(0)), ["bought together, ridge"])
    full = bought[0].toarray().astype(float)
    for product in range(PRODUCTS):
        others = np.delete(full, product, axis=1)
        weight = np.linalg.solve(others.T @ others + 3.0 * np.eye(PRODUCTS - 1), others.T @ full[:, product])
        assert np.delete(found.weight[:, product], product) == pytest.approx(weight, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_no_product_speaks_for_itself(bought, kind):
    (found,) = fit_neighbours(count_pairs(*bought, np.random.default_rng(0)), [kind])
    assert (np.diag(found.weight) == 0).all()
    assert (found.scores(bought[0]) >= 0).all()


def test_many_products_keep_their_nearest(bought, monkeypatch):
    counts = count_pairs(*bought, np.random.default_rng(0))
    (full,) = fit_neighbours(counts, ["bought after"])
    monkeypatch.setattr(neighbours, "DENSE", 5)
    monkeypatch.setattr(neighbours, "NEAREST", 3)
    (few,) = fit_neighbours(counts, ["bought after"])
    assert (np.diff(few.weight.tocsc().indptr) == 3).all()
    for product in range(PRODUCTS):
        kept = few.weight.toarray()[:, product]
        assert sorted(kept[kept > 0]) == pytest.approx(sorted(full.weight[:, product])[-3:])


def test_the_broadest_are_left_out_of_orders(bought, monkeypatch):
    monkeypatch.setattr(neighbours, "BROADEST", 3)
    breadth = np.diff(bought[0].indptr)
    rows = np.repeat(breadth <= 3, breadth)
    few = bought[0].toarray() * (breadth <= 3)[:, None]
    found = count_pairs(*bought, np.random.default_rng(0)).after.toarray()
    assert (found == counted_by_hand(sparse.csr_array(few), bought[1][rows])).all()
