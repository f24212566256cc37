"""Leads within organisations: design effects, rho from past leads, and power drawn where organisations are few."""

from __future__ import annotations

import numpy as np
import pytest

from leadlift.base.errors import DataError
from leadlift.design.clusters import Clusters, design_effect, estimate_clusters
from leadlift.design.power import power_of
from leadlift.design.power_simulation import Part, differences, draw_sizes, simulated_power
from leadlift.inference import difference_in_means


def test_design_effect_by_hand() -> None:
    assert design_effect(1, 0, 0.5) == 1
    assert design_effect(10, 0, 0.05) == pytest.approx(1.45)
    assert design_effect(10, 1, 0.05) == pytest.approx(1.95)


def test_a_part_of_everything_is_everything() -> None:
    whole = Clusters(6, 0.7, 0.2)
    assert whole.part(1.0).design_effect == pytest.approx(whole.design_effect)
    assert whole.part(0.0).design_effect == pytest.approx(1.0)


def test_rho_by_hand() -> None:
    """MSB = 4.5, MSW = 0.5, n0 = 2: rho = 4 / 5."""
    found = estimate_clusters(["a", "a", "b", "b"], [1, 2, 4, 5])
    # Sums of squares by hand: between 2 x 1.5^2 x 2 = 9 over 1, within 4 x 0.25 = 1 over 2.
    assert found.rho == pytest.approx((9 - 0.5) / (9 + 0.5))
    assert (found.mean, found.cv) == (2.0, 0.0)


def test_rho_is_found_again() -> None:
    rng = np.random.default_rng(5)
    sizes = 1 + rng.poisson(3, 4000)
    organisation = np.repeat(np.arange(4000), sizes)
    rate = rng.beta(0.2 * 4, 0.8 * 4, 4000)[organisation]
    found = estimate_clusters(organisation, (rng.random(rate.size) < rate).astype(float))
    # A beta distribution with parameters adding up to 4: rho = 1 / 5. Its error here is about 0.01.
    assert found.rho == pytest.approx(0.2, abs=0.035)
    assert found.mean == pytest.approx(4, abs=0.1)


def test_less_alike_than_strangers_counts_as_strangers() -> None:
    assert estimate_clusters(["a", "a", "b", "b"], [0, 1, 0, 1]).rho == 0


@pytest.mark.parametrize(
    ("organisation", "outcome"),
    [
        (["a", "a"], [0, 1]),
        (["a", "b", "c"], [0, 1, 0]),
        (["a", "a", "b"], [1, 1, 1]),
        (["a", "a", "b"], [1, 0, np.nan]),
        (["a", "a", None], [1, 0, 1]),
    ],
)
def test_past_leads_that_say_nothing_are_refused(organisation: list[str], outcome: list[float]) -> None:
    with pytest.raises(DataError, match="past leads of two organisations or more"):
        estimate_clusters(organisation, outcome)


def test_many_differences_at_once_are_leadlifts_own() -> None:
    rng = np.random.default_rng(3)
    sizes = (rng.integers(1, 9, 12), rng.integers(1, 9, 25))
    unit = np.repeat(np.arange(37), np.r_[sizes])
    arm, y = (unit >= 12).astype(int), rng.normal(size=unit.size)
    sums = np.bincount(unit, weights=y)
    found = differences(
        (sizes[0][None].astype(float), sizes[1][None].astype(float)), (sums[None, :12], sums[None, 12:])
    )
    n = y.size
    own = difference_in_means(
        y,
        arm,
        propensity_treated=np.full(n, 0.3),
        propensity_control=np.full(n, 0.7),
        cell=np.zeros(n),
        unit=unit,
        n_units=37,
    ).estimate
    assert own.method == "satterthwaite"
    assert found.value[0] == pytest.approx(own.value, rel=1e-12)
    assert np.sqrt(found.variance[0]) == pytest.approx(own.se, rel=1e-12)
    assert found.df[0] == pytest.approx(own.df, rel=1e-12)


def test_drawn_power_meets_the_formula_where_organisations_are_many() -> None:
    clusters = Clusters(3, 0.5, 0.1)
    part = Part((150, 150), clusters, baseline=0.2, uplift=0.1, sd=None)
    drawn = simulated_power([part], alpha=0.05, rng=np.random.default_rng(1), draws=4000)
    formula = power_of(
        0.1,
        variances=np.array([0.16, 0.21]) * clusters.design_effect,
        leads=[450, 450],
        alpha=0.05,
        method="welch",
        leads_per_unit=3,
    )
    assert drawn == pytest.approx(formula, abs=0.03)


def test_without_an_effect_few_organisations_keep_the_level() -> None:
    part = Part((14, 14), Clusters(4, 0.6, 0.1), baseline=10.0, uplift=0.0, sd=3.0)
    drawn = simulated_power([part], alpha=0.05, rng=np.random.default_rng(2), draws=20_000)
    # 99.9% of 20,000 draws at the level: 0.05 +- 0.0051; CR2 with few unequal organisations may be a little off.
    assert drawn == pytest.approx(0.05, abs=0.008)


def test_under_ten_organisations_nothing_is_seen() -> None:
    part = Part((9, 40), Clusters(), baseline=10.0, uplift=100.0, sd=1.0)
    assert simulated_power([part], alpha=0.05, rng=np.random.default_rng(2), draws=10) == 0


def test_outcomes_that_never_vary_are_never_told_apart() -> None:
    part = Part((12, 12), Clusters(), baseline=0.0, uplift=0.0, sd=None)
    assert simulated_power([part], alpha=0.05, rng=np.random.default_rng(2), draws=10) == 0


def test_sizes_drawn_have_the_mean_and_spread_asked_for() -> None:
    sizes = draw_sizes((200, 400), Clusters(5, 0.6), np.random.default_rng(1))
    assert sizes.min() >= 1
    assert sizes.mean() == pytest.approx(5, abs=0.05)
    assert sizes.std() / sizes.mean() == pytest.approx(0.6, abs=0.02)
