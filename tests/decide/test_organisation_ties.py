"""Organisations whose leads all say the same tie, whatever their number of leads and the order of rows."""

import numpy as np
import pytest

from leadlift.decide.lines import by_organisation


@pytest.mark.parametrize("value", [0.1, 0.7, -0.3, 1e-9, 1 / 3])
def test_means_of_equal_numbers_tie_whatever_the_size(value):
    size = np.arange(1, 40)
    organisation = np.repeat(np.arange(len(size)), size)
    assert len(np.unique(by_organisation(np.full(len(organisation), value), organisation))) == 1


def test_row_order_does_not_part_organisations():
    rng = np.random.default_rng(0)
    organisation = np.repeat(np.arange(50), 7)
    ranking = np.tile(np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.9]), 50)
    shuffled = rng.permuted(ranking.reshape(50, 7), axis=1).ravel()
    assert len(np.unique(by_organisation(shuffled, organisation))) == 1


def test_what_differs_stays_apart():
    ranking = np.array([-np.inf, 0.1, 0.1 + 1e-9, 0.2, 0.2, -np.inf, 0.0, np.inf])
    organisation = np.array([0, 1, 2, 3, 3, 3, 4, 5])
    found = by_organisation(ranking, organisation)
    assert found == pytest.approx([-np.inf, 0.1, 0.1 + 1e-9, 0.2, 0.2, 0.2, 0.0, np.inf])
    assert len(np.unique(found)) == 6
