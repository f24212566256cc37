"""What the lot drew, read off the arms: organisations or leads."""

import numpy as np
import pandas as pd
import pytest

from leadlift.data.drawn import drawn_units


def units(arm, client, share=0.5, lost=None):
    planned = np.column_stack([np.full(len(arm), 1 - share), np.full(len(arm), share)])
    lost = np.zeros(len(arm), dtype=bool) if lost is None else lost
    return drawn_units(np.asarray(arm), planned, pd.Series(client), None, lost=lost)


def test_whole_organisations_are_the_units():
    found = units([1, 1, 0, 0, 1], list("aabbc"), lost=np.array([True, False, True, True, False]))
    assert (found.unit, found.found, found.planned, found.split) == ("organisations", (1, 2), (1.5, 1.5), 0)
    assert found.units["leads"].tolist() == [2, 2, 1]
    assert found.units["lost"].tolist() == [1, 2, 0]


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_a_lot_of_leads_leaves_few_organisations_whole(share):
    rng = np.random.default_rng(0)
    client = np.repeat(np.arange(300), 4)
    found = units((rng.random(1_200) < share).astype(int), client, share)
    assert (found.unit, len(found.units)) == ("leads", 1_200)


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_a_few_split_organisations_do_not_hide_what_was_drawn(share):
    rng = np.random.default_rng(0)
    client = np.repeat(np.arange(300), 4)
    arm = (rng.random(300) < share).astype(int)[client]
    arm[[0, 40, 80]] = 1 - arm[[0, 40, 80]]
    found = units(arm, client, share)
    assert (found.unit, found.split, len(found.units)) == ("organisations", 3, 300)


def test_too_few_organisations_with_several_leads_to_tell():
    found = units([1, 0, 1, 1, 0, 1], list("aabcde"))
    assert (found.unit, found.split) == ("leads", 1)
