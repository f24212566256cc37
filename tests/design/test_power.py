"""Power, sizes and detectable uplift: identities between them, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlift.base.errors import DataError
from leadlift.design.power import detectable, leads_needed, normal_leads, power_of, quantiles
from leadlift.design.power_shares import cheapest_split
from leadlift.design.split import sample_ratio_p

EVEN = {"variances": [1.0, 1.0], "alpha": 0.05}


@settings(max_examples=40, deadline=None)
@given(
    effect=st.floats(0.02, 2),
    share=st.floats(0.05, 0.95),
    power=st.floats(0.3, 0.95),
    method=st.sampled_from(["normal", "welch", "pooled"]),
)
def test_size_power_and_detectable_agree(effect: float, share: float, power: float, method: str) -> None:
    common = {"alpha": 0.05, "method": method}
    shares = np.array([1 - share, share])
    n = leads_needed(effect, variances=[1.0, 2.0], shares=shares, power=power, **common)
    reached = power_of(effect, variances=[1.0, 2.0], leads=n * shares, **common)
    assert reached == pytest.approx(power, abs=1e-8) or (method != "normal" and (n * shares).min() < 2.001)
    seen = detectable(variances_at=lambda _: [1.0, 2.0], leads=n * shares, power=reached, **common)
    assert seen == pytest.approx(effect, rel=1e-6)


@pytest.mark.parametrize("method", ["normal", "welch"])
def test_swapped_arms_and_rescaled_outcomes_change_nothing(method: str) -> None:
    there = power_of(0.3, variances=[1.0, 4.0], leads=[100, 50], alpha=0.05, method=method)
    back = power_of(-0.3, variances=[4.0, 1.0], leads=[50, 100], alpha=0.05, method=method)
    scaled = power_of(30.0, variances=[1e4, 4e4], leads=[100, 50], alpha=0.05, method=method)
    assert there == pytest.approx(back, rel=1e-12)
    assert there == pytest.approx(scaled, rel=1e-9)


def test_without_an_effect_the_power_is_the_level() -> None:
    for method in ("normal", "welch", "pooled"):
        assert power_of(0.0, leads=[40, 90], method=method, **EVEN) == pytest.approx(0.05, abs=1e-9)


def test_power_counts_units_not_leads() -> None:
    """Fewer units, fewer degrees of freedom, less power."""
    many = power_of(0.5, leads=[80, 80], method="welch", **EVEN)
    few = power_of(0.5, leads=[80, 80], method="welch", leads_per_unit=8, **EVEN)
    assert few < many - 0.01
    assert power_of(0.5, leads=[80, 80], method="normal", leads_per_unit=8, **EVEN) > many


def test_one_unit_behind_a_mean_shows_nothing() -> None:
    assert power_of(5.0, leads=[10, 10], method="welch", leads_per_unit=8, **EVEN) == 0


def test_huge_effects_are_seen_and_have_no_digits_to_lose() -> None:
    assert power_of(50.0, leads=[500, 500], method="welch", **EVEN) == pytest.approx(1.0)


def test_nothing_larger_than_the_largest_is_detectable() -> None:
    seen = detectable(
        variances_at=lambda u: [0.09, max((0.9 + u) * (0.1 - u), 1e-9)],
        leads=[20, 20],
        alpha=0.01,
        power=0.99,
        method="normal",
        largest=0.1 - 1e-9,
    )
    assert seen is None


def test_the_closed_form_leaves_only_the_far_tail_out() -> None:
    exact = leads_needed(0.1, shares=[0.5, 0.5], power=0.8, method="normal", **EVEN)
    closed = normal_leads(0.1, np.ones(2), np.full(2, 0.5), 0.05, 0.8)
    assert closed == pytest.approx(exact, rel=1e-5)
    assert quantiles(0.05, 0.5) == pytest.approx(1.959964, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"alpha": 0.0}, "level lies between 0 and 1"),
        ({"variances": [1.0, 0.0]}, "positive variance"),
        ({"leads": [10, -1]}, "positive variance and leads"),
        ({"leads": [10, math.nan]}, "positive variance and leads"),
        ({"leads": [10]}, "each mean has"),
    ],
)
def test_power_refuses(change: dict[str, object], words: str) -> None:
    arguments = {"variances": [1.0, 1.0], "leads": [10, 10], "alpha": 0.05, "method": "normal", **change}
    with pytest.raises(DataError, match=words):
        power_of(0.1, **arguments)


@pytest.mark.parametrize("change", [{"effect": 0.0}, {"power": 0.05}, {"power": 1.0}])
def test_a_size_refuses(change: dict[str, float]) -> None:
    arguments = {"effect": 0.1, "power": 0.8, **change}
    effect = arguments.pop("effect")
    with pytest.raises(DataError, match="an effect that is not 0, at a power between the level and 1"):
        leads_needed(effect, shares=[0.5, 0.5], method="normal", **EVEN, **arguments)


def test_the_cheapest_split_is_the_square_root_rule() -> None:
    """Shares go with the root of variance over cost (Cochran): here 1 for a lead, 9 for a touched one."""
    split = cheapest_split(
        variances=np.array([1.0, 1.0]), error=np.array([0.1]), touch_cost=np.array([8.0]), lead_cost=1.0
    )
    assert split.shares == pytest.approx([0.75, 0.25], abs=1e-4)
    assert (1 / split.leads).sum() == pytest.approx(0.01)
    assert split.cost == pytest.approx(split.leads @ [1, 9])


def test_costs_of_touches_alone_use_all_the_leads_there_are() -> None:
    arguments = {"variances": np.ones(2), "error": np.array([0.1]), "touch_cost": np.array([8.0]), "lead_cost": 0.0}
    some, more = (cheapest_split(**arguments, most_leads=n) for n in (500, 5000))
    assert some.leads.sum() == pytest.approx(500)
    assert more.leads[1] < some.leads[1]
    assert cheapest_split(**arguments, most_leads=399) is None


def test_control_is_the_largest_arm_when_several_are_compared_with_it() -> None:
    """Dunnett's rule for equal variances: control has the root of the number of arms times an arm's leads."""
    split = cheapest_split(variances=np.ones(5), error=np.full(4, 0.1), touch_cost=np.zeros(4), lead_cost=1.0)
    assert split.leads[0] / split.leads[1] == pytest.approx(2, rel=1e-3)


def test_a_split_of_three_arms_has_no_binomial_test() -> None:
    with pytest.raises(DataError, match="only chi2 takes more than two"):
        sample_ratio_p([1, 2, 3], [1, 1, 1], method="binomial")


def test_a_share_of_zero_is_refused() -> None:
    with pytest.raises(DataError, match="a positive share"):
        sample_ratio_p([1, 2], [1, 0])
