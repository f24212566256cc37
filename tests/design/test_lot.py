"""The lot: every unit's realised frequency is its propensity, and a cap is never exceeded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from leadlift.design import Units, draw_lot
from leadlift.design.blocked import block_length, blocked_arms
from leadlift.design.capacity import fitted_scale, rounded_in
from leadlift.design.holdout import held_out

SHARES = {
    "two arms": np.array([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]),
    "by stratum": np.array([[0.9, 0.1], [1 / 3, 2 / 3], [0.123, 0.877]]),
    "three arms": np.tile([0.5, 0.2, 0.3], (3, 1)),
}
CAPS = {"no cap": None, "cap": 1}


@dataclass
class Redrawn:
    """Many draws of one list."""

    propensities: np.ndarray
    arms: np.ndarray
    capped_leads: np.ndarray


def some_units(n: int = 40, seed: int = 0) -> Units:
    rng = np.random.default_rng(seed)
    sizes = np.where(np.arange(n) % 11 == 0, 9, rng.integers(1, 5, n))
    return Units(pd.Series([f"org-{k}" for k in range(n)]), np.sort(np.arange(n) % 3), sizes)


def redraw(units: Units, shares: np.ndarray, mode, capped, draws: int) -> Redrawn:
    capacity = int(0.5 * (units.leads * shares[units.stratum, 1]).sum()) + 9
    arms = np.empty((draws, len(units.ids)), dtype=np.int8)
    for number in range(draws):
        drawn = draw_lot(units, shares, mode=mode, salt=f"redraw {number}", capped=capped, capacity=capacity)
        arms[number] = drawn.arm
    leads = ((arms == 1) * units.leads).sum(axis=1)
    if capped is not None:
        assert leads.max() <= capacity
        assert (drawn.propensities[:, 1] < shares[:, 1]).all()
    return Redrawn(drawn.propensities, arms, leads)


def worst_z(units: Units, redrawn: Redrawn) -> float:
    """The largest |z| of realised frequency against propensity: of every unit and arm, and of every stratum's total."""
    draws, found = len(redrawn.arms), []
    for arm in range(redrawn.propensities.shape[1]):
        p = redrawn.propensities[units.stratum, arm]
        inside = redrawn.arms == arm
        found.append(np.abs(inside.mean(axis=0) - p) / np.sqrt(p * (1 - p) / draws))
        for stratum in np.unique(units.stratum):
            share = inside[:, units.stratum == stratum].mean(axis=1)
            spread = max(float(share.std()), 1e-9)
            found.append(np.array([abs(share.mean() - p[units.stratum == stratum][0]) / spread * np.sqrt(draws)]))
    return float(np.concatenate(found).max())


@pytest.mark.parametrize("capped", CAPS.values(), ids=CAPS)
@pytest.mark.parametrize("shares", SHARES.values(), ids=SHARES)
@pytest.mark.parametrize("mode", ["hashed", "blocked"])
def test_realised_frequencies_are_the_propensities(mode, shares, capped) -> None:
    units = some_units()
    assert worst_z(units, redraw(units, shares, mode, capped, draws=600)) < 4.5


@pytest.mark.slow
@pytest.mark.parametrize("capped", CAPS.values(), ids=CAPS)
@pytest.mark.parametrize("shares", SHARES.values(), ids=SHARES)
@pytest.mark.parametrize("mode", ["hashed", "blocked"])
def test_realised_frequencies_are_the_propensities_in_10_000_draws(mode, shares, capped) -> None:
    units = some_units()
    assert worst_z(units, redraw(units, shares, mode, capped, draws=10_000)) < 4.5


def test_the_holdout_takes_its_share_of_every_organisation() -> None:
    ids = some_units().ids
    rate = np.mean([held_out(ids, 0.2, f"salt {number}") for number in range(2000)], axis=0)
    assert (np.abs(rate - 0.2) / np.sqrt(0.2 * 0.8 / 2000)).max() < 4.5


@pytest.mark.parametrize("mode", ["hashed", "blocked"])
@pytest.mark.parametrize("capped", CAPS.values(), ids=CAPS)
def test_the_order_of_units_changes_nothing(mode, capped) -> None:
    units, order = some_units(), np.random.default_rng(3).permutation(40)
    moved = Units(units.ids.iloc[order], units.stratum[order], units.leads[order])
    settings = {"mode": mode, "salt": "s", "capped": capped, "capacity": 30}
    one, other = (draw_lot(u, SHARES["three arms"], **settings).arm for u in (units, moved))
    assert other.tolist() == one[order].tolist()


def test_blocks_keep_every_arm_to_its_share() -> None:
    units = Units(pd.Series([f"o{k}" for k in range(103)]), np.repeat([0, 1], [60, 43]), np.ones(103, np.intp))
    for number in range(50):
        arm = blocked_arms(units.ids, units.stratum, np.array([[0.5, 0.5], [0.75, 0.25]]), f"s{number}")
        assert arm[:60].sum() == 30
        # 40 in whole blocks of four; the last three get none or one.
        assert arm[60:].sum() in {10, 11}


def test_a_share_without_a_short_block_is_kept_within_one_over_the_stratum() -> None:
    shares = np.array([[0.1234, 0.8766]])
    assert block_length(shares[0]) == 0
    ids = pd.Series([f"o{k}" for k in range(57)])
    counts = [int((blocked_arms(ids, np.zeros(57, np.intp), shares, f"s{k}") == 0).sum()) for k in range(300)]
    assert set(counts) == {7, 8}
    assert np.mean(counts) == pytest.approx(57 * 0.1234, abs=4.5 * 0.5 / np.sqrt(300))


def test_pairs_in_blocks_are_apart_and_hashed_pairs_independent() -> None:
    units = some_units(30)
    for mode, expected in (("blocked", -0.25 / 9), ("hashed", 0.0)):
        arms = redraw(units, SHARES["two arms"], mode, None, 3000).arms[:, units.stratum == 0].astype(float)
        covariance = np.cov(arms.T)[np.triu_indices(10, 1)]
        assert covariance.mean() == pytest.approx(expected, abs=4.5 * 0.25 / np.sqrt(3000 * 45))


@pytest.mark.parametrize("scale", [1.0, 0.37])
def test_rounding_keeps_the_leads_to_less_than_the_last_unit(scale) -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        leads = rng.integers(1, 30, 50)
        p = np.round(rng.random(50), 2) * scale
        chosen = rounded_in(p, leads, order=rng.permutation(50), luck=rng.random(50), coin=float(rng.random()))
        assert abs((leads * chosen).sum() - (leads * p).sum()) < leads.max()
        assert not chosen[p == 0].any()


def test_rounding_settles_equal_units_exactly() -> None:
    rng = np.random.default_rng(2)
    for _ in range(100):
        luck = rng.random(40)
        chosen = rounded_in(
            np.full(40, 0.3), np.ones(40, np.intp), order=np.arange(40), luck=luck, coin=float(rng.random())
        )
        assert chosen.sum() == 12


def test_the_cap_leaves_a_share_alone_that_fits() -> None:
    leads = np.array([5, 1, 1, 1])
    assert fitted_scale(leads, np.full(4, 0.5), 9) == 1.0
    assert fitted_scale(leads, np.full(4, 0.5), 8) == pytest.approx(0.75)


def test_rounding_takes_microseconds_a_unit() -> None:
    import time

    n, rng = 300_000, np.random.default_rng(0)
    started = time.process_time()
    rounded_in(np.full(n, 0.3), rng.integers(1, 9, n), order=np.arange(n), luck=rng.random(n), coin=0.5)
    assert time.process_time() - started < 3.0
