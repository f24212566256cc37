"""Plans an experiment: what its leads can show, what more it would take, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Literal

from leadlift.base.errors import ConfigError
from leadlift.base.experiment import ExperimentConfig
from leadlift.base.plan import PlanConfig
from leadlift.base.problems import stop
from leadlift.base.record import plain
from leadlift.design.clusters import Clusters
from leadlift.design.lot_checks import one_capped_arm
from leadlift.design.plan_answers import Answerer
from leadlift.design.plan_groups import plan_groups, spread_over
from leadlift.design.plan_questions import Ask, against_every_other, questions
from leadlift.design.plan_records import DesignPlan, HoldoutPlan, PlanRow, RankingPlan
from leadlift.design.plan_spending import leads_per_draw, spending_of, touches_per_lead
from leadlift.design.power_holdout import plan_holdout
from leadlift.design.power_ranking import plan_ranking

ASSUMED_RHO = 0.05
HALF_A_YEAR = 26.0
# With 104 held out losses were seen 4 points less often than promised, with 208 as promised: experiments/power.
FEW_HELD_OUT = 200


def plan_design(config: ExperimentConfig, *, today: date, past: Clusters | None = None) -> DesignPlan:
    """Answers every question of a configuration's `plan`.

    Args:
        config: the experiment; its `plan` says what is known and asked.
        today: the day from which weeks count.
        past: how past leads are spread over organisations, when a table of them was read.

    Raises:
        ConfigError: there is no plan, or several arms have a capacity, which no lot keeps.
    """
    plan = _plan_of(config)
    one_capped_arm(config)
    organisations, source = _clusters(config, plan, past)
    # Leads of one organisation are in both arms if leads are drawn: what they share cancels.
    clusters = Clusters() if config.experiment.unit == "lead" else organisations
    per_week = _drawable(config, plan.leads_per_week)
    at_hand = _drawable(config, plan.leads) if per_week is None else per_week * plan.weeks
    shares = effective_shares(config, leads_per_draw(plan, per_week, at_hand), clusters)
    whole = config.experiment.unit == "organisation"
    answerer = Answerer(
        alpha=plan.alpha,
        power=plan.power,
        corrected=plan.correction != "none",
        money=plan.outcome_kind == "money",
        whole=whole,
        per_week=per_week,
        at_hand=at_hand,
        seed=config.seed,
    )
    asks = questions(config, plan, shares=shares, clusters=clusters)
    most = against_every_other(config, plan, shares=shares, clusters=clusters)
    rows = [answerer.row(ask) for ask in asks]
    spending, cheapest = spending_of(config, plan, asks, rows, shares, answerer, clusters)
    holdout = _holdout(config, plan, organisations, today)
    drawn = [ask for ask in asks if ask.question != "difference" and (at_hand is not None or ask.target is not None)]
    return DesignPlan(
        name=config.name,
        outcome_kind=plan.outcome_kind,
        shares=config.experiment.shares,
        effective_shares=shares,
        leads_per_week=per_week,
        weeks=plan.weeks,
        leads_at_hand=at_hand,
        window_days=config.experiment.window_days,
        alpha=plan.alpha,
        power=plan.power,
        correction=plan.correction,
        clusters=clusters,
        clusters_from=source,
        rows=(*rows, *_best(most, answerer)),
        curves=tuple(answerer.curve(ask) for ask in drawn),
        spending=spending,
        cheapest=cheapest,
        holdout=holdout,
        ranking=_ranking(plan, per_week, at_hand),
        cautions=(*_cautions(config, plan, source, shares), *_holdout_cautions(holdout)),
        settings=plain(config.published()),
    )


def _plan_of(config: ExperimentConfig) -> PlanConfig:
    if config.plan is None:
        raise stop(
            "the configuration",
            "missing-key",
            "a plan says what is known and asked",
            "`plan` is missing",
            "add `plan: {baseline: 0.12, leads_per_week: 300, uplift: 0.02}` with your own numbers",
            ConfigError,
        )
    return config.plan


def _clusters(
    config: ExperimentConfig, plan: PlanConfig, past: Clusters | None
) -> tuple[Clusters, Literal["given", "past", "assumed"]]:
    given = plan.leads_per_organisation
    sizes_given = "leads_per_organisation" in plan.model_fields_set or config.experiment.unit == "lead"
    if past is not None:
        sized = Clusters(given.mean, given.cv, past.rho) if sizes_given else past
        return sized, "past"
    if plan.rho is not None or given.mean == 1:
        return Clusters(given.mean, given.cv, plan.rho or 0.0), "given" if sizes_given else "assumed"
    return Clusters(given.mean, given.cv, ASSUMED_RHO), "assumed"


def _drawable(config: ExperimentConfig, leads: float | None) -> float | None:
    """Leads less those held out."""
    held = 0.0 if config.experiment.holdout is None else config.experiment.holdout.share
    return None if leads is None else leads * (1 - held)


def effective_shares(config: ExperimentConfig, drawn: float | None, clusters: Clusters) -> Mapping[str, float]:
    """Shares of the lot after the capacity: a capped arm gets what it can touch, the others grow in proportion."""
    shares = dict(config.experiment.shares)
    room = touches_per_lead(config, drawn, clusters)
    for arm, most in room.items():
        if shares[arm] > most:
            rest = (1 - most) / (1 - shares[arm])
            shares = {name: most if name == arm else share * rest for name, share in shares.items()}
    return shares


def _best(most: Mapping[tuple[str, str], list[Ask]], answerer: Answerer) -> list[PlanRow]:
    """What "this group gains most" takes: every difference with it seen, all of them together with the power.

    Its differences share its own uplift, so that they go together: the power of all at once is at least the product of
    their powers, which is what is said here.

    References: Slepian (1962), The one-sided barrier problem for Gaussian noise.
    """
    found = []
    for (_, name), pairs in most.items():
        joint = answerer.power ** (1 / len(pairs))
        found.append(_best_row(name, pairs, replace(answerer, power=joint), answerer.power))
    return found


def _best_row(name: str, pairs: list[Ask], answerer: Answerer, power: float) -> PlanRow:
    rows = [answerer.row(pair) for pair in pairs]
    hardest = max(rows, key=lambda row: row.leads_needed or 0)
    seen = [row.detectable for row in rows]
    known = [value for value in seen if value is not None]
    reached = [row.power_at_hand for row in rows if row.power_at_hand is not None]
    return replace(
        hardest,
        question="best",
        segment=name,
        power=power,
        detectable=max(known) if len(known) == len(seen) else None,
        power_at_hand=math.prod(reached) if len(reached) == len(rows) else None,
    )


def _holdout(config: ExperimentConfig, plan: PlanConfig, clusters: Clusters, today: date) -> HoldoutPlan | None:
    held = config.experiment.holdout
    if plan.leads_per_week is None or (held is None and plan.programme_uplift is None):
        return None
    weeks = HALF_A_YEAR if held is None else (held.until - today).days / 7
    groups = plan_groups(config, plan)
    # Totals of organisations are compared over all groups at once, whatever the strata of the lot.
    met = 1.0 if plan.leads_per_organisation.groups == "mixed" else clusters.met
    return plan_holdout(
        clusters=clusters,
        mean=math.fsum(group.share * group.mean for group in groups),
        variance=sum(spread_over(groups, 0.0, design_effect=clusters.design_effect, met=met)),
        leads=plan.leads_per_week * weeks,
        alpha=plan.alpha,
        power=plan.power,
        weeks=weeks,
        until_given=held is not None,
        planned=None if held is None else held.share,
        target=plan.programme_uplift,
    )


def _holdout_cautions(holdout: HoldoutPlan | None) -> list[str]:
    held = [] if holdout is None else [row for row in holdout.rows if row.share == holdout.planned]
    return [
        f"{row.organisations:,} organisations held out: under {FEW_HELD_OUT} their totals are too skewed for a good "
        "promise; a gain is seen a little more often than said, a loss less often"
        for row in held
        if row.organisations < FEW_HELD_OUT
    ]


def _ranking(plan: PlanConfig, per_week: float | None, at_hand: float | None) -> RankingPlan | None:
    pilot = plan.pilot
    if pilot is None:
        return None
    return plan_ranking(
        qini=pilot.qini,
        se=pilot.se,
        leads=pilot.leads,
        judged=pilot.judged,
        alpha=plan.alpha,
        power=plan.power,
        per_week=per_week,
        at_hand=at_hand,
    )


def _cautions(config: ExperimentConfig, plan: PlanConfig, source: str, shares: Mapping[str, float]) -> list[str]:
    found = []
    lot = config.experiment
    if source == "assumed" and plan.leads_per_organisation.mean == 1:
        found.append(
            "every lead is counted as an organisation of its own: give `plan.leads_per_organisation` "
            "and `plan.rho` (or `plan.past`) if clients have several"
        )
    elif source == "assumed":
        found.append(f"`plan.rho` is not given: {ASSUMED_RHO:g} is assumed; `plan.past` would estimate it")
    lowered = [arm for arm in lot.treated_arms if shares[arm] < lot.shares[arm] - 1e-9]
    for arm in lowered:
        found.append(
            f"{arm} can touch {lot.capacity[arm]:,} leads a draw: its share falls from {lot.shares[arm]:.1%} "
            f"to {shares[arm]:.1%}, and {'control takes' if len(lot.arms) == 2 else 'the other arms take'} the rest"
        )
    if plan.leads is not None and lot.holdout is not None:
        found.append(f"{lot.holdout.share:.1%} of the {plan.leads:,} leads are held out")
    if plan.leads_per_week is None and plan.leads is None:
        found.append("neither `plan.leads_per_week` nor `plan.leads` is given: no weeks and no smallest uplift")
    if config.group_shares is None:
        found.append("`plan.group_shares` is not given: nothing is said by score group")
    return found
