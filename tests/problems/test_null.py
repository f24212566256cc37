import numpy as np
import pytest

from leadlift.problems import configuration_model


def degrees(matrix):
    return matrix.sum(axis=1), matrix.sum(axis=0)


def some_matrix(seed, organisations=400, products=30):
    rng = np.random.default_rng(seed)
    chance = np.outer(rng.pareto(1.5, organisations) + 0.3, rng.pareto(1.5, products) + 0.2)
    matrix = rng.random(chance.shape) < chance / (1 + chance)
    return matrix[matrix.any(axis=1)]


@pytest.mark.parametrize("seed", range(5))
def test_both_margins_are_met_in_expectation(seed):
    breadth, popularity = degrees(some_matrix(seed))
    model = configuration_model(breadth, popularity)
    assert model.many @ model.chance == pytest.approx(popularity, abs=1e-6)
    assert model.chance.sum(axis=1) == pytest.approx(model.breadth, abs=1e-6)
    assert model.many.sum() == len(breadth)


def test_odds_factor_into_breadth_and_popularity():
    breadth, popularity = degrees(some_matrix(1))
    chance = configuration_model(breadth, popularity).chance
    inside = chance[(chance < 1).all(axis=1)]
    inside = inside[:, ((inside > 0) & (inside < 1)).all(axis=0)]
    assert min(inside.shape) > 3
    log_odds = np.log(inside / (1 - inside))
    centred = log_odds - log_odds.mean(axis=0) - log_odds.mean(axis=1, keepdims=True) + log_odds.mean()
    assert np.abs(centred).max() < 1e-6


def test_closed_form_for_equal_products():
    # Two products alike: an organisation with one of them has either with one half.
    model = configuration_model(np.array([1, 1, 1, 1]), np.array([2, 2]))
    assert model.chance == pytest.approx(np.full((1, 2), 0.5))


def test_who_has_everything_is_certain():
    matrix = np.ones((5, 3), dtype=int)
    assert configuration_model(*degrees(matrix)).chance == pytest.approx(np.ones((1, 3)))
    matrix[0] = [1, 0, 0]
    model = configuration_model(*degrees(matrix))
    assert model.many @ model.chance == pytest.approx([5, 4, 4])


def test_broad_organisations_share_classes_and_margins_still_hold():
    rng = np.random.default_rng(2)
    matrix = rng.random((500, 400)) < rng.uniform(0.01, 0.9, 500)[:, None]
    matrix = matrix[matrix.any(axis=1)]
    breadth, popularity = degrees(matrix)
    model = configuration_model(breadth, popularity)
    assert len(model.many) < len(np.unique(breadth)) / 1.5
    assert model.many @ model.chance == pytest.approx(popularity, rel=1e-6)
