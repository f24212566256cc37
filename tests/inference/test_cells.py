import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leadlift.base.errors import DataError
from leadlift.inference import cell_counts, merge_cells, merge_strata


def test_a_small_cell_joins_the_next_and_the_last_joins_the_one_before():
    cell = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
    assert merge_cells(cell, [0, 0, 0, 1, 0, 0, 1, 1, 0, 1], range(10)).tolist() == [0] * 10
    assert merge_cells(cell, [0, 0, 1, 1, 0, 0, 1, 1, 0, 1], range(10)).tolist() == [0] * 4 + [1] * 6
    # Two leads of one unit are one unit.
    assert merge_cells([0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1] * 2, [0, 0, 1, 2, 3, 4, 5, 6]).tolist() == [0] * 8


def test_leads_of_other_arms_follow_their_cell_and_do_not_count():
    merged = merge_cells([3, 3, 3, 3, 5, 5], [1, 1, 0, 0, -1, -1], range(6))
    assert merged.tolist() == [0] * 6


@given(st.lists(st.tuples(st.integers(-3, 6), st.integers(-1, 1), st.integers(0, 9)), min_size=1, max_size=60))
@example([(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0), (2, 1, 0)])
def test_merged_cells_are_runs_of_cells_with_two_units_in_both_arms(rows):
    cell, arm, unit = np.array(rows).T
    merged = merge_cells(cell, arm, unit)
    order = np.argsort(cell, kind="stable")
    assert (np.diff(merged[order]) >= 0).all()
    for c in np.unique(cell):
        assert np.unique(merged[cell == c]).size == 1
    held = [np.unique(unit[(merged == k) & (arm == a)]).size for k in np.unique(merged) for a in (0, 1)]
    assert min(held) >= 2 or merged.max() == 0


def test_strata_merge_by_the_same_rule():
    assert merge_strata([0, 1, 1, 2], [0, 1, 2, 3]).tolist() == [0, 0, 0, 0]
    assert merge_strata([0, 0, 1, 1], [0, 1, 2, 2]).tolist() == [0, 0, 0, 0]
    assert merge_strata([0, 0, 1, 1], [0, 1, 2, 3]).tolist() == [0, 0, 1, 1]


def test_counts_by_cell():
    counts = cell_counts(
        [1, 0, 1, 1, 0, 0, 1, 0, 1], [1, 1, 0, 0, 1, 1, 0, 0, -1], cell=[0] * 4 + [1] * 5, unit=range(9)
    )
    assert counts.to_dict() == {
        "events_treated": [1, 0],
        "n_treated": [2, 2],
        "events_control": [2, 1],
        "n_control": [2, 2],
        "size": [4, 5],
    }
    with pytest.raises(DataError, match="`y` is 0 or 1"):
        cell_counts([2.0], [1], cell=[0], unit=[0])
