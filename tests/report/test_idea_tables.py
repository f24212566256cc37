import numpy as np
import pandas as pd
import pytest

from leadlift.data import make_world
from leadlift.problems import ProblemModel, ideas
from leadlift.report.idea_tables import funnels_table, hypotheses_table, idea_notes


@pytest.fixture(scope="module")
def found():
    world = make_world(leads=100, seed=1, organisations=2_000, problems=4, products=24, deals_per_organisation=11.0)
    model = ProblemModel(resamples=4).fit(world.deals)
    rng = np.random.default_rng(0)
    frame = pd.concat(
        [world.products.iloc[::2].assign(mechanic="call"), world.products.iloc[::3].assign(mechanic="sms")]
    )
    frame = frame.assign(effect=0.02 + 0.02 * (frame["problem"] < 2) + 0.004 * rng.normal(size=len(frame)), se=0.004)
    effects = frame[["product", "mechanic", "effect", "se"]].assign(n_treatment=12_000, n_control=12_000)
    return ideas(model, effects, margin=0.02, most=20)


def test_every_problem_has_a_row_and_every_cell_is_text(found):
    table = funnels_table(found)
    assert [row.cells[0] for row in table.rows] == [group.group for group in found.funnels]
    assert all(len(row.cells) == len(table.columns) for row in table.rows)
    assert {row.cells[5] for row in table.rows} <= {"unify", "keep apart", "not known yet"}


def test_hypotheses_are_told_as_hypotheses(found):
    table = hypotheses_table(found, most=5)
    assert len(table.rows) == 5
    assert all(isinstance(cell, str) and cell for row in table.rows for cell in row.cells)
    assert "nothing here is measured" in table.note


def test_notes_say_what_is_open_and_how_cells_were_chosen(found):
    words = " ".join(idea_notes(found))
    assert "teaches most" in words
    assert "chosen by belief" in words
    if any(group.open for group in found.funnels):
        assert "more leads" in words
