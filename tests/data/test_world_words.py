"""Bad parameters and bad assignments get clear words, all at once."""

import numpy as np
import pandas as pd
import pytest

from leadlift.base.errors import ConfigError, DataError, PropensityError
from leadlift.data.world import Mechanic, WorldConfig, flat_log, make_world, six_group_assignment


def words(error, call):
    with pytest.raises(error) as caught:
        call()
    text = str(caught.value)
    assert "Traceback" not in text
    assert "numpy" not in text
    return text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"leads": 0}, "`leads` is a whole number from 1"),
        ({"leads": -5}, "leads=1 or more"),
        ({"leads": 1e4}, "leads=10000"),
        ({"leads": 2.5}, "leads=2.5"),
        ({"leads": "many"}, "leads='many'"),
        ({"leads": True}, "leads=True"),
        ({"leads": None}, "leads=None"),
        ({"base_rate": -0.1}, "`base_rate` is a number from 0.001 to 0.6"),
        ({"base_rate": float("nan")}, "base_rate=nan"),
        ({"missed": 1.2}, "missed=1 or less"),
        ({"contamination": -0.01}, "contamination=0 or more"),
        ({"late_share": 1.5}, "late_share"),
        ({"organisations": 0}, "`organisations` is a whole number from 1, or None"),
        ({"preset": "fence_sitter"}, "did you mean `fence_sitters`?"),
        ({"products": 11}, "11 products for 4 problems"),
        ({"products": 2_000}, "products=1000 or less"),
        ({"mixture_concentration": 0}, "a mixture_concentration above 0"),
        ({"start": "yesterday"}, 'start="2024-01-01"'),
        ({"start": 2024}, "`start` is a day"),
        ({"currency": ""}, "`currency` is a code"),
        ({"mechanics": ()}, "sales can do something"),
        ({"mechanics": ("call",)}, "a mechanic is a `Mechanic`"),
        ({"mechanics": (Mechanic("call", -1.0, 1.0),)}, "call: cost=-1.0"),
        ({"mechanics": (Mechanic("call", 1.0, 1.0), Mechanic("call", 2.0, 1.0))}, "twice: call"),
        ({"contamination_mechanic": "cal"}, "did you mean `call`?"),
        ({"touch_days": 30}, "a lead is touched before it can close"),
        ({"first_close_days": 120}, "touch_days < first_close_days < window_days"),
    ],
)
def test_bad_parameters_get_clear_words(changes, expected):
    assert expected in words(ConfigError, lambda: WorldConfig(**changes))


def test_all_problems_are_told_at_once():
    text = words(ConfigError, lambda: WorldConfig(leads=0, missed=2, preset="nul", season=-1))
    assert text.startswith("4 problems in the configuration of the World")


def test_unknown_parameters_are_named_with_the_nearest():
    assert "did you mean `leads`?" in words(ConfigError, lambda: make_world(lead=10, seed=1))


@pytest.mark.parametrize("seed", [-1, 1.5, "a", None, True])
def test_a_seed_is_a_whole_number(seed):
    assert "`seed` is a whole number from 0" in words(ConfigError, lambda: make_world(leads=10, seed=seed))


def test_numpy_numbers_are_numbers():
    world = make_world(leads=np.int64(10), missed=np.float64(0.2), seed=np.int64(3))
    assert len(world.leads) == 10


@pytest.fixture(scope="module")
def world():
    return make_world(leads=50, seed=1)


@pytest.fixture
def lot(world):
    return six_group_assignment(world)


def test_assignments_that_cannot_be_used_are_told_at_once(world, lot):
    lot.loc[0, "lead_id"] = "lead-x"
    lot.loc[2, "lead_id"] = lot.loc[1, "lead_id"]
    lot.loc[3, "treatment"] = "cal"
    lot["assigned_at"] = lot["assigned_at"].dt.tz_localize(None)
    text = words(DataError, lambda: world.observe(lot))
    assert text.startswith("4 problems in the assignments")
    for expected in (
        "1 of 50 rows (2%), e.g. lead-x",
        "each lead is assigned once",
        "did you mean `call`?",
        "with a zone",
    ):
        assert expected in text


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda lot: lot.drop(columns="treatment"), "there is a column `treatment`"),
        (lambda lot: lot.iloc[:0], "0 rows"),
        (lambda lot: lot.assign(organisation_id="org-9"), "a lead belongs to its organisation"),
        (lambda lot: lot.assign(assigned_at=pd.NaT), "assigned_at"),
        (lambda lot: lot.assign(treatment=None), "unknown-arm"),
    ],
)
def test_each_bad_assignment_gets_its_words(world, lot, spoil, expected):
    assert expected in words(DataError, lambda: world.observe(spoil(lot)))


def test_unknown_mechanics_and_no_arms(world, lot):
    assert "did you mean `visit`?" in words(ConfigError, lambda: world.truth({"control": (), "trip": ("visits",)}))
    assert "there are arms" in words(ConfigError, lambda: world.observe(lot, {}))


def test_until_needs_a_zone(world, lot):
    assert "`until` is a time with a zone" in words(DataError, lambda: world.observe(lot, until="2026-02-01"))


def test_the_flat_log_needs_its_own_assignments(world, lot):
    seen = world.observe(lot)
    assert "one outcome per assignment" in words(DataError, lambda: flat_log(world, seen, lot.iloc[1:]))
    assert "one outcome per assignment" in words(DataError, lambda: flat_log(world, seen, lot.iloc[::-1]))


@pytest.mark.parametrize(
    "arms",
    [{"control": 0.5, "call": 0.6}, {"control": 1.0}, {}, {"control": 1.0, "call": 0.0}, {"a": {"low": 1.0}, "b": 0.5}],
)
def test_shares_that_are_no_lot(world, arms):
    assert "add up to 1" in words(PropensityError, lambda: six_group_assignment(world, arms=arms))


def test_the_unit_of_the_lot_is_known(world):
    assert "did you mean `organisation`?" in words(
        ConfigError, lambda: six_group_assignment(world, unit="organization")
    )
