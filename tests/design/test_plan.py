"""A plan's answers: each against the formula it stands for, and how they move with what is given."""

from __future__ import annotations

import copy
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from leadlift.base.errors import ConfigError
from leadlift.base.experiment import parse_experiment
from leadlift.base.yaml import read_yaml
from leadlift.design import Clusters, DesignPlan, plan_design
from leadlift.design.plan_records import PlanRow
from leadlift.design.power_simulation import draw_sizes

TODAY = date(2026, 11, 21)
EXAMPLE = Path(__file__).parents[2] / "configs" / "spring_calls.yaml"


def plan(past: Clusters | None = None, *, lot: dict[str, Any] | None = None, **given: Any) -> DesignPlan:
    """A plan of one arm against control, leads drawn one by one unless `lot` says otherwise."""
    arms = {"control": {"share": 0.5}, "call": {"share": 0.5}}
    values = {
        "experiment": {"arms": arms, "unit": "lead", **(lot or {})},
        "score_groups": {"cuts": [0.2, 0.6]},
        "plan": given,
    }
    return plan_design(parse_experiment(values, today=TODAY), today=TODAY, past=past)


def row(found: DesignPlan, question: str, segment: str, arm: str = "call") -> PlanRow:
    return next(r for r in found.rows if (r.question, r.segment, r.treatment) == (question, segment, arm))


def normal_size(effect: float, variances: list[float], level: float, share: float = 1.0, power: float = 0.8) -> float:
    """Leads by the textbook: two equal arms, the far tail left out."""
    z = stats.norm.isf(level / 2) + stats.norm.ppf(power)
    return float(2 * z**2 * sum(variances) / effect**2 / share)


GROUPS = {"low": 0.5, "medium": 0.3, "high": 0.2}
RATES = {"low": 0.05, "medium": 0.2, "high": 0.5}


def test_one_share_is_the_textbook_size() -> None:
    found = row(plan(baseline=0.1, uplift=0.02, leads=8000), "overall", "all")
    assert found.leads_needed == pytest.approx(normal_size(0.02, [0.09, 0.1056], 0.05), abs=1.1)
    assert found.alpha == 0.05
    assert found.method == "normal"
    by_hand = stats.norm.cdf(0.02 / np.sqrt((0.09 + 0.1056) / 4000) - stats.norm.isf(0.025))
    assert found.power_at_hand == pytest.approx(by_hand, abs=1e-6)


def test_money_uses_students_t() -> None:
    found = row(plan(baseline=100, sd=1.0, uplift=0.1, leads=1000), "overall", "all")
    assert found.method == "welch"
    assert found.leads_needed == int(np.ceil(2 * 1570.7330430520037))


def test_a_group_needs_its_share_of_the_leads_and_of_the_level() -> None:
    found = row(plan(baseline=RATES, group_shares=GROUPS, uplift={"high": 0.1}), "group", "high")
    assert found.alpha == pytest.approx(0.05 / 3)
    assert found.leads_needed == pytest.approx(normal_size(0.1, [0.25, 0.24], 0.05 / 3, 0.2), rel=1e-3)


def test_a_difference_adds_the_variances_of_four_means() -> None:
    found = row(plan(baseline=0.3, group_shares=GROUPS, difference=0.1), "difference", "medium - low")
    both = [0.21 / 0.3 + 0.21 / 0.5, (0.4 * 0.6) / 0.3 + 0.21 / 0.5]
    assert found.leads_needed == pytest.approx(normal_size(0.1, both, 0.05 / 3), rel=1e-3)


def test_gaining_most_needs_every_difference_at_once() -> None:
    found = plan(baseline=0.3, group_shares=GROUPS, difference=0.1, leads=10_000)
    most = row(found, "best", "medium")
    # Medium's own uplift is the larger one, against low (half of the leads) and against high (a fifth).
    variances = [[0.21 / 0.3 + 0.21 / other, 0.24 / 0.3 + 0.21 / other] for other in (0.5, 0.2)]
    sizes = [normal_size(0.1, pair, 0.05 / 3, power=np.sqrt(0.8)) for pair in variances]
    assert most.leads_needed == pytest.approx(max(sizes), rel=1e-3)
    errors = [np.sqrt(sum(pair) / 5000) for pair in variances]
    seen = [stats.norm.cdf(0.1 / se - stats.norm.isf(0.05 / 6)) for se in errors]
    assert most.power_at_hand == pytest.approx(np.prod(seen), abs=1e-4)
    # Both at once, with the correlation that their common group gives: the promise holds, with little to spare.
    common = (0.21 + 0.24) / 0.3 / 5000
    together = common / np.prod(errors)
    both = stats.multivariate_normal([0.1 / se for se in errors], [[1, together], [together, 1]])
    least = both.cdf([np.inf, np.inf], lower_limit=[stats.norm.isf(0.05 / 6)] * 2)
    assert most.power_at_hand <= least <= most.power_at_hand + 0.1


@pytest.mark.parametrize(("correction", "share"), [("none", 1), ("holm", 6), ("bonferroni", 6)])
def test_the_level_is_shared_by_arms_and_groups(correction: str, share: int) -> None:
    arms = {"control": {"share": 0.4}, "call": {"share": 0.3}, "mail": {"share": 0.3}}
    found = plan(lot={"arms": arms}, baseline=RATES, group_shares=GROUPS, correction=correction)
    assert row(found, "group", "low", "mail").alpha == pytest.approx(0.05 / share)
    assert row(found, "overall", "all").alpha == pytest.approx(0.05 / (1 if correction == "none" else 2))


def test_strata_take_the_groups_out_of_the_spread() -> None:
    given = {"baseline": RATES, "group_shares": GROUPS, "uplift": 0.05}
    inside, all_of_it = (row(plan(lot={"strata": s}, **given), "overall", "all") for s in (["score_group"], []))
    # Within: 0.5 x 0.0475 + 0.3 x 0.16 + 0.2 x 0.25; between: 0.02917, in each arm.
    within = 0.5 * 0.0475 + 0.3 * 0.16 + 0.2 * 0.25
    touched = 0.5 * 0.09 + 0.3 * 0.1875 + 0.2 * 0.2475
    assert inside.leads_needed == pytest.approx(normal_size(0.05, [within, touched], 0.05), rel=1e-3)
    between = float(np.average((np.array([0.05, 0.2, 0.5]) - 0.185) ** 2, weights=[0.5, 0.3, 0.2]))
    assert all_of_it.leads_needed == pytest.approx(
        normal_size(0.05, [within + between, touched + between], 0.05), rel=1e-3
    )


@pytest.mark.parametrize(("groups", "times"), [("whole", 4 * 1.64), ("mixed", 1.0)])
def test_whole_organisations_in_a_group_share_its_mean(groups: str, times: float) -> None:
    """Without strata, what the group adds to one lead of an organisation it adds to (cv^2 + 1) m of them."""
    size = {"leads_per_organisation": {"mean": 4, "cv": 0.8, "groups": groups}, "rho": 0.1}
    lot = {"unit": "organisation", "strata": []}
    found = row(plan(lot=lot, baseline=RATES, group_shares=GROUPS, uplift=0.05, **size), "overall", "all")
    inside = [0.5 * 0.0475 + 0.3 * 0.16 + 0.2 * 0.25, 0.5 * 0.09 + 0.3 * 0.1875 + 0.2 * 0.2475]
    variances = [v * (1 + (4 * 1.64 - 1) * 0.1) + 0.029025 * times for v in inside]
    assert found.leads_needed == pytest.approx(normal_size(0.05, variances, 0.05), rel=5e-3)


def test_organisations_multiply_the_leads_by_the_design_effect() -> None:
    size = {"leads_per_organisation": {"mean": 4, "cv": 0.5}, "rho": 0.1}
    one = row(plan(baseline=0.2, uplift=0.03), "overall", "all")
    many = row(plan(lot={"unit": "organisation"}, baseline=0.2, uplift=0.03, **size), "overall", "all")
    assert many.design_effect == pytest.approx(1.4)
    assert many.leads_needed == pytest.approx(1.4 * one.leads_needed, rel=2e-3)
    drawn_singly = row(plan(baseline=0.2, uplift=0.03, **size), "overall", "all")
    assert drawn_singly.leads_needed == one.leads_needed


def test_mixed_groups_need_fewer_leads_than_whole_ones() -> None:
    def needed(groups: str, question: str, segment: str) -> int:
        size = {"mean": 6, "cv": 0.5, "groups": groups}
        found = plan(
            lot={"unit": "organisation"},
            baseline=0.3,
            group_shares=GROUPS,
            uplift={"high": 0.1},
            difference=0.1,
            leads_per_organisation=size,
            rho=0.2,
        )
        return row(found, question, segment).leads_needed

    assert needed("mixed", "group", "high") < needed("whole", "group", "high")
    assert needed("mixed", "difference", "medium - low") < needed("whole", "difference", "medium - low")


def test_what_an_organisations_leads_share_cancels_between_its_groups() -> None:
    """Equal spreads: v/s_a + v/s_b + 2 (M - 1) rho v - 2 (M - 1) rho v; as many leads as independent ones."""
    given = {"baseline": 100, "sd": 10, "group_shares": GROUPS, "difference": 2}
    size = {"leads_per_organisation": {"mean": 6, "cv": 0.5, "groups": "mixed"}, "rho": 0.3}
    apart = row(plan(**given), "difference", "medium - low")
    together = row(plan(lot={"unit": "organisation"}, **given, **size), "difference", "medium - low")
    assert together.leads_needed == pytest.approx(apart.leads_needed, rel=0.01)


def test_rho_comes_from_the_past_and_sizes_from_the_plan_if_given() -> None:
    past = Clusters(3, 0.4, 0.15)
    lot = {"unit": "organisation"}
    assert plan(past, lot=lot, baseline=0.2).clusters == past
    sized = plan(past, lot=lot, baseline=0.2, leads_per_organisation={"mean": 2})
    assert sized.clusters == Clusters(2, 0.0, 0.15)
    assert sized.clusters_from == "past"


def test_an_unknown_rho_is_assumed_and_said() -> None:
    found = plan(lot={"unit": "organisation"}, baseline=0.2, leads_per_organisation={"mean": 2})
    assert found.clusters.rho == 0.05
    assert any("`plan.rho` is not given: 0.05 is assumed" in words for words in found.cautions)


def test_weeks_are_leads_over_the_inflow_less_the_holdout() -> None:
    held = {"holdout": {"share": 0.1, "until": date(2027, 11, 20)}}
    found = plan(lot=held, baseline=0.1, uplift=0.02, leads_per_week=1000, weeks=4, programme_uplift=0.01)
    need = row(found, "overall", "all")
    assert found.leads_per_week == pytest.approx(900)
    assert found.leads_at_hand == pytest.approx(3600)
    assert need.weeks_needed == pytest.approx(need.leads_needed / 900, rel=1e-3)


def test_a_list_is_drawn_less_its_holdout() -> None:
    lot = {"holdout": {"share": 0.1, "until": date(2027, 11, 20)}, "capacity": {"call": 91}}
    found = plan(lot=lot, baseline=0.1, uplift=0.02, leads=1000)
    assert found.leads_at_hand == pytest.approx(900)
    assert found.effective_shares["call"] == pytest.approx(0.1)
    assert "10.0% of the 1,000 leads are held out" in found.cautions


def test_a_capacity_lowers_the_arms_share() -> None:
    found = plan(lot={"capacity": {"call": 100}}, baseline=0.1, uplift=0.02, leads_per_week=1000)
    # The cap less one organisation's leads, over the leads of a draw.
    assert found.effective_shares == pytest.approx({"control": 0.901, "call": 0.099})
    assert found.shares["call"] == 0.5
    assert any("its share falls from 50.0% to 9.9%" in words for words in found.cautions)
    free = plan(lot={"capacity": {"call": 100}}, baseline=0.1, uplift=0.02, leads_per_week=100)
    assert free.effective_shares == pytest.approx(free.shares)


def test_a_capacity_lets_the_other_arms_grow_in_proportion_as_the_lot_does() -> None:
    arms = {"control": {"share": 0.4}, "call": {"share": 0.2}, "mail": {"share": 0.4}}
    found = plan(lot={"arms": arms, "capacity": {"call": 101}}, baseline=0.1, uplift=0.02, leads_per_week=1000)
    assert found.effective_shares == pytest.approx({"control": 0.45, "call": 0.1, "mail": 0.45})
    assert any("and the other arms take the rest" in words for words in found.cautions)


def test_a_capacity_is_planned_less_the_largest_organisation() -> None:
    size = {"leads_per_organisation": {"mean": 4, "cv": 0.8}, "rho": 0.1}
    lot = {"unit": "organisation", "capacity": {"call": 100}}
    found = plan(lot=lot, baseline=0.1, uplift=0.02, leads_per_week=1000, **size)
    sizes = draw_sizes((400, 250), Clusters(4, 0.8), np.random.default_rng(1)).max(axis=1)
    assert found.effective_shares["call"] == pytest.approx((100 - np.median(sizes)) / 1000, abs=0.002)


def test_several_capacities_are_refused_as_when_the_lot_is_drawn() -> None:
    arms = {"control": {"share": 0.4}, "call": {"share": 0.3}, "mail": {"share": 0.3}}
    with pytest.raises(ConfigError, match="2: call, mail"):
        plan(lot={"arms": arms, "capacity": {"call": 100, "mail": 100}}, baseline=0.1, leads=1000)


def test_few_organisations_of_groups_without_strata_are_drawn_as_unlike_as_they_are() -> None:
    """What the formula says for many organisations holds for few: drawn and reckoned power agree."""
    size = {"leads_per_organisation": {"mean": 4, "cv": 0.5}, "rho": 0.05, "baseline": RATES, "group_shares": GROUPS}
    for strata in ([], ["score_group"]):
        found = plan(lot={"unit": "organisation", "strata": strata}, leads=224, uplift=0.25, **size)
        drawn = row(found, "overall", "all")
        assert drawn.method == "simulation"
        curve = next(c for c in found.curves if c.segment == "all")
        assert drawn.power_at_hand == pytest.approx(np.interp(0.25, curve.uplift, curve.power), abs=0.05)


def test_few_organisations_are_drawn_and_too_few_are_named() -> None:
    size = {"leads_per_organisation": {"mean": 4, "cv": 0.5}, "rho": 0.1, "baseline": 0.3, "uplift": 0.25}
    some = row(plan(lot={"unit": "organisation"}, leads=160, **size), "overall", "all")
    assert some.method == "simulation"
    assert 0.5 < some.power_at_hand < 0.95
    none = row(plan(lot={"unit": "organisation"}, leads=60, **size), "overall", "all")
    assert none.method == "none"
    assert none.detectable is None
    assert none.power_at_hand == 0
    assert none.note == "7 organisations in an arm: under 10 no interval is given"


def test_few_outcomes_are_named() -> None:
    found = row(plan(baseline=0.02, uplift=0.05, leads=1000), "overall", "all")
    assert found.note == "about 10 outcomes in an arm: too few for more than a rough answer"


def test_the_same_plan_twice_is_the_same_to_the_last_bit() -> None:
    values = read_yaml(EXAMPLE)
    values["plan"] |= {"baseline": 0.2, "uplift": 0.3, "leads_per_week": 10}
    del values["plan"]["group_shares"], values["plan"]["difference"]
    first, second = (
        plan_design(parse_experiment(copy.deepcopy(values), today=TODAY), today=TODAY).to_dict() for _ in range(2)
    )
    assert first == second
    assert any(r["method"] == "simulation" for r in first["rows"])


def test_a_dear_touch_is_used_on_fewer_leads() -> None:
    arms = {"control": {"share": 0.5}, "call": {"share": 0.5, "cost": 35}}
    found = plan(lot={"arms": arms}, baseline=0.2, uplift=0.05, lead_cost=1)
    assert found.cheapest.shares["call"] == pytest.approx(1 / 7, abs=0.01)
    assert found.cheapest.cost < found.spending.cost
    assert found.spending.cost == pytest.approx(found.spending.leads * 18.5, rel=1e-6)


def test_a_group_is_paid_for_with_everyones_leads() -> None:
    arms = {"control": {"share": 0.5}, "call": {"share": 0.5, "cost": 35}}
    found = plan(lot={"arms": arms}, baseline=RATES, group_shares=GROUPS, uplift={"high": 0.1}, lead_cost=1)
    assert found.spending.segment == "high"
    assert found.spending.leads == row(found, "group", "high").leads_needed
    even = found.cheapest.leads
    assert even > found.spending.leads


def test_a_split_beyond_the_capacity_is_not_advised() -> None:
    lot = {"capacity": {"call": 100}}
    assert plan(lot=lot, baseline=0.1, uplift=0.02, leads_per_week=1000).cheapest is None


def test_the_holdout_by_hand() -> None:
    held = {"holdout": {"share": 0.1, "until": date(2027, 11, 20)}}
    found = plan(lot=held, baseline=0.2, leads_per_week=1000, programme_uplift=0.01).holdout
    assert found.weeks == pytest.approx(52)
    ten = next(r for r in found.rows if r.share == 0.1)
    assert ten.organisations == 5200
    se = np.sqrt(0.16 / 5200 + 0.16 / 46800)
    assert ten.detectable == pytest.approx((1.959964 + 0.841621) * se, rel=1e-3)
    assert found.share_needed == pytest.approx(0.36, abs=0.06)


@pytest.mark.parametrize("strata", [[], ["score_group"]])
@pytest.mark.parametrize("unit", ["organisation", "lead"])
def test_groups_and_organisations_weigh_on_the_holdout_whatever_is_drawn(strata: list[str], unit: str) -> None:
    """The variance of an organisation's total is found again among organisations drawn group by group."""
    held = {"holdout": {"share": 0.2, "until": date(2027, 11, 20)}, "unit": unit, "strata": strata}
    size = {"leads_per_organisation": {"mean": 4, "cv": 0.8}, "rho": 0.1}
    found = plan(lot=held, baseline=RATES, group_shares=GROUPS, leads_per_week=400, **size).holdout
    fifth = next(r for r in found.rows if r.share == 0.2)
    assert fifth.organisations == 1040
    promised = fifth.detectable / (stats.norm.isf(0.025) + stats.norm.ppf(0.8)) / np.sqrt(1 / 1040 + 1 / 4160)
    rng = np.random.default_rng(5)
    sizes = draw_sizes((1, 100_000), Clusters(4, 0.8), rng)[0].astype(int)
    mean = rng.choice([0.05, 0.2, 0.5], len(sizes), p=[0.5, 0.3, 0.2])
    totals = rng.binomial(sizes, rng.beta(9 * mean, 9 * (1 - mean)))
    assert promised == pytest.approx(totals.std(), rel=0.02)


def test_sizes_of_organisations_weigh_on_the_holdout() -> None:
    held = {"holdout": {"share": 0.1, "until": date(2027, 11, 20)}, "unit": "organisation"}

    def smallest(cv: float) -> float:
        size = {"mean": 2, "cv": cv}
        found = plan(lot=held, baseline=0.2, leads_per_week=1000, leads_per_organisation=size, rho=0.0).holdout
        return found.rows[0].detectable_per_lead

    assert smallest(1.0) > 1.1 * smallest(0.0)


@pytest.mark.parametrize(("weekly", "said"), [(30, True), (60, False)])
def test_a_small_holdout_is_named(weekly: float, said: bool) -> None:
    held = {"holdout": {"share": 0.1, "until": date(2027, 11, 20)}}
    found = plan(lot=held, baseline=0.2, leads_per_week=weekly)
    assert any("organisations held out: under 200" in words for words in found.cautions) == said


@pytest.mark.parametrize(("judged", "times"), [("sequential", 1), ("fixed", 2)])
def test_a_ranking_scales_the_pilots_error(judged: str, times: int) -> None:
    pilot = {"qini": 0.004, "se": 0.002, "leads": 5000, "judged": judged}
    found = plan(baseline=0.1, leads=5000, pilot=pilot).ranking
    assert found.leads_needed == pytest.approx(times * 5000 * (2.801585 * 0.5) ** 2, rel=1e-4)
    assert found.detectable == pytest.approx(2.801585 * 0.002 * np.sqrt(times), rel=1e-5)


def test_a_pilot_without_a_ranking_promises_none() -> None:
    found = plan(baseline=0.1, pilot={"qini": -0.001, "se": 0.002, "leads": 5000}).ranking
    assert found.leads_needed is None


def test_without_a_plan_there_is_no_answer() -> None:
    values = {"experiment": {"arms": {"control": {"share": 0.5}, "call": {"share": 0.5}}}}
    with pytest.raises(ConfigError, match="`plan` is missing"):
        plan_design(parse_experiment(values, today=TODAY), today=TODAY)


def test_curves_pass_through_the_rows() -> None:
    found = plan_design(parse_experiment(read_yaml(EXAMPLE), today=TODAY), today=TODAY)
    for curve in found.curves:
        mine = next(r for r in found.rows if r.segment == curve.segment and r.question in ("overall", "group"))
        at_hand = np.interp(found.leads_at_hand, curve.leads, [np.nan if v is None else v for v in curve.detectable])
        assert at_hand == pytest.approx(mine.detectable, rel=0.01)
        assert np.interp(mine.detectable, curve.uplift, curve.power) == pytest.approx(0.8, abs=0.01)
