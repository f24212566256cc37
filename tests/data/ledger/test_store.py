"""The ledger as a store of assignments: the same draws and answers as a folder of files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ledger_rows import draw, info

from leadlift.base.errors import DataError, FileError
from leadlift.base.experiment import parse_experiment
from leadlift.data import AssignmentStore
from leadlift.data.ledger import LedgerStore, verify_ledger
from leadlift.data.ledger.chain import append_staged
from leadlift.data.ledger.opening import writing
from leadlift.design import assign, lead_list, settings_digest

NOW = pd.Timestamp("2026-06-01T09:00:00Z")


def experiment(**changes):
    lot = {
        "arms": {"control": {"share": 0.5}, "call": {"share": 0.3}, "mail": {"share": 0.2}},
        "holdout": {"share": 0.2, "until": "2027-06-30"},
        **changes,
    }
    values = {"name": "spring", "experiment": lot, "leads": {"features": ["size", "city"]}}
    return parse_experiment(values, today=NOW.date())


def listed(number, start=0, seed=1):
    rng = np.random.default_rng([seed, start])
    place = np.arange(start, start + number)
    return pd.DataFrame(
        {
            "lead_id": [f"{k:05d}" for k in place],
            "organisation_id": [f"org-{k // 3}" for k in place],
            "score": rng.uniform(size=number),
            "size": np.where(place % 4 == 0, np.nan, place),
            "city": np.where(place % 5 == 0, None, "Köln"),
        }
    )


def add(store, frame, config, now=NOW):
    kept = store.read()
    drawn = assign(lead_list(frame, config, now=now), config, kept, now=now, digest=settings_digest(config))
    return drawn, (store.append(drawn.frame, drawn.info, after=kept) if len(drawn.frame) else None)


@pytest.fixture
def both(tmp_path):
    return AssignmentStore(tmp_path / "files"), LedgerStore(tmp_path / "spring.duckdb")


def same(left, right):
    order = sorted(left.columns)
    assert sorted(right.columns) == order
    left, right = (frame.sort_values("lead_id", ignore_index=True)[order] for frame in (left, right))
    for name in order:
        if pd.api.types.is_numeric_dtype(left[name].dtype):
            np.testing.assert_array_equal(left[name], right[name], err_msg=name)
        else:
            assert left[name].astype(object).fillna("-").tolist() == right[name].astype(object).fillna("-").tolist()


def test_draws_are_those_of_a_folder_of_files(both):
    config = experiment()
    for number, start in ((300, 0), (400, 200), (30, 700)):
        drawn = [add(store, listed(number, start), config)[0] for store in both]
        same(drawn[0].frame, drawn[1].frame)
        assert drawn[0].info == drawn[1].info
    files, ledger = (store.read() for store in both)
    assert files.draws == ledger.draws
    same(files.leads("spring"), ledger.leads("spring"))
    assert files.leads("spring").dtypes.to_dict() == ledger.leads("spring").dtypes.to_dict()
    clients = [
        kept.organisations("spring").sort_values("organisation_id", ignore_index=True) for kept in (files, ledger)
    ]
    pd.testing.assert_frame_equal(*clients)
    assert verify_ledger(both[1].path).sound


def test_all_columns_come_back(both):
    for store in both:
        add(store, listed(60), experiment())
    files, ledger = (store.read().assigned("spring") for store in both)
    extra = set(ledger.columns) - set(files.columns)
    assert extra <= {"problem", "policy_run"}
    same(files, ledger.drop(columns=list(extra)))


def test_assigning_again_changes_nothing(both):
    store = both[1]
    add(store, listed(60), experiment())
    before = store.path.read_bytes()
    drawn, path = add(store, listed(60), experiment())
    assert (len(drawn.frame), path) == (0, None)
    assert drawn.result.rows.dropped == {"already assigned": 60}
    assert store.path.read_bytes() == before


def test_a_draw_made_before_another_was_written_is_not_kept(both):
    store = both[1]
    kept = store.read()
    assert store.append(draw(4), info(), after=kept) == store.path
    assert store.append(draw(4, start=4), info(), after=kept) is None
    assert len(store.read().leads("calls")) == 4


def test_a_lead_is_assigned_once(both):
    store = both[1]
    store.append(draw(4), info(), after=store.read())
    before = store.path.read_bytes()
    with pytest.raises(DataError, match=r"\[assigned-twice\](.|\n)*2 leads(.|\n)*e\.g\. lead L2"):
        store.append(draw(4, start=2), info(), after=store.read())
    with pytest.raises(DataError, match="assigned-twice"):
        store.append(pd.concat([draw(1, start=9)] * 2), info(), after=store.read())
    assert store.path.read_bytes() == before
    other = draw(4, experiment="mails")
    assert store.append(other, info(experiment="mails"), after=store.read()) == store.path


def test_a_store_without_a_ledger_is_empty(both):
    kept = both[1].read()
    assert kept.experiments == ()
    assert list(kept.leads("spring").columns) == list(both[0].read().leads("spring").columns)
    both[1].check_writable()
    assert not Path(both[1].path).exists()


def test_the_digest_depends_on_neither_row_order_nor_columns_order(tmp_path):
    kept = []
    for name, frame in (("a", draw(50)), ("b", draw(50).sample(frac=1, random_state=1)[draw(50).columns[::-1]])):
        store = LedgerStore(tmp_path / f"{name}.duckdb")
        store.append(frame, info(), after=store.read())
        kept.append(store.read().assigned("calls"))
    pd.testing.assert_frame_equal(*kept)


class Losing:
    """A connection whose engine writes no assignment and says so."""

    def __init__(self, connection):
        self.connection = connection

    def execute(self, query, *values):
        nothing = "INSERT INTO assignments" in query
        return self.connection.execute("SELECT 0" if nothing else query, *(() if nothing else values))


def append_losing(path):
    with writing(path) as connection:
        columns = "* EXCLUDE (batch, place, salt, row_hash)"
        connection.execute(f"CREATE TEMP TABLE staged AS SELECT {columns} FROM assignments")
        append_staged(Losing(connection), "spring", "{}")


def test_a_draw_of_which_rows_are_lost_is_not_kept(both):
    store = both[1]
    drawn, _ = add(store, listed(60), experiment())
    with pytest.raises(FileError, match="0 of 60 were"):
        append_losing(store.path)
    assert len(drawn.frame) == 60
    assert len(store.read().assigned("spring")) == 60
    assert verify_ledger(store.path).sound
