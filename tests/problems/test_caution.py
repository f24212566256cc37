import numpy as np
import pytest
from scipy import sparse

from leadlift.data import make_world
from leadlift.problems import read_deals
from leadlift.problems.caution import CONCENTRATIONS, _without, fit_cautious, learnt_concentration
from leadlift.problems.heldout import heldout_gains, hide_one
from leadlift.problems.mixtures import fit_mixtures


def company(signal, concentration=1.0, seed=1):
    """Deals of 3,000 organisations, their true problems and mixtures; popularity by counting."""
    world = make_world(
        leads=100,
        seed=seed,
        organisations=3_000,
        problems=4,
        products=40,
        deals_per_organisation=7.0,
        problem_signal=signal,
        mixture_concentration=concentration,
    )
    table = read_deals(world.deals)
    label = world.products.set_index("product")["problem"].loc[table.products].to_numpy().astype(np.intp)
    sold = np.asarray(table.matrix.sum(axis=0))
    truth = world.mixtures[[int(name.removeprefix("org-")) for name in table.organisations]]
    return table.matrix, label, sold / sold.sum(), truth


def correlation(shares, truth):
    return np.mean([np.corrcoef(shares[:, k], truth[:, k])[0, 1] for k in range(truth.shape[1])])


def gain(model, label, background, matrix):
    hidden = hide_one(matrix, np.arange(matrix.shape[0]), np.random.default_rng(9))
    return heldout_gains(model, label, background, hidden).which.mean()


@pytest.mark.parametrize(("signal", "concentration"), [(0.4, 1.0), (0.85, 6.0)])
def test_where_deals_tell_little_mixtures_are_cautious(signal, concentration):
    matrix, label, background, truth = company(signal, concentration)
    half = matrix.shape[0] // 2
    learnt = fit_cautious(matrix[:half], label, background)
    sure = fit_mixtures(matrix[:half], label, background, concentration=1.0)
    assert 2.5 < learnt.concentration < 30
    # On organisations that neither has seen, trusting their few deals predicts worse and follows the truth less.
    assert gain(learnt, label, background, matrix[half:]) > gain(sure, label, background, matrix[half:]) + 0.01
    follows = [correlation(model.shares(matrix[half:]), truth[half:]) for model in (learnt, sure)]
    assert follows[0] > follows[1]


def test_one_deal_never_settles_a_mixture():
    matrix, label, background, _ = company(1.0, 0.05)
    model = fit_cautious(matrix, label, background)
    assert model.concentration == CONCENTRATIONS[0] == 1.0
    one = sparse.csr_array(([1.0], ([0], [int(np.argmax(label == 2))])), shape=(1, 40))
    assert 0.5 < model.shares(one)[0, 2] < 0.75


def test_where_deals_tell_nothing_only_the_base_rate_is_left():
    matrix, label, background, _ = company(0.0)
    model = fit_cautious(matrix, label, background)
    assert model.concentration > 30
    assert np.abs(model.shares(matrix) - model.base).max() < 0.2
    assert abs(gain(model, label, background, matrix)) < 0.01


def test_hidden_deals_are_taken_out_and_nothing_else():
    matrix, *_ = company(0.85)
    hidden = hide_one(matrix, np.arange(0, 3_000, 7)[: matrix.shape[0] // 7], np.random.default_rng(0))
    left = _without(matrix, hidden)
    taken = (sparse.csr_array(matrix) - left).tocoo()
    taken.eliminate_zeros()
    assert set(zip(taken.row.tolist(), taken.col.tolist(), strict=True)) == set(
        zip(hidden.row.tolist(), hidden.product.tolist(), strict=True)
    )
    assert matrix.sum() == left.sum() + len(hidden.product)


def test_without_a_second_deal_nothing_can_be_learnt():
    matrix = sparse.csr_array(np.eye(6, dtype=np.int32))
    found = learnt_concentration(matrix, np.array([0, 0, 0, 1, 1, 1]), np.full(6, 1 / 6), noise=0.15, seed=0)
    assert found == CONCENTRATIONS[-1]
