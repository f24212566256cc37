"""The designs whose promise is tried: configurations as a user would write them, and which of their rows is tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from leadlift.base.experiment import ExperimentConfig, parse_experiment

TODAY = date(2026, 11, 1)
EVEN = {"control": 0.5, "call": 0.5}
GROUPS = {"low": 0.5, "medium": 0.3, "high": 0.2}


@dataclass(frozen=True)
class Design:
    """One design: its plan, its lot, and the row of the answer that is tried."""

    name: str
    plan: dict[str, Any]
    shares: dict[str, float] = field(default_factory=lambda: dict(EVEN))
    question: str = "overall"
    segment: str = "all"
    unit: str = "lead"
    mode: str = "hashed"
    skewed: bool = False
    costs: dict[str, float] = field(default_factory=dict)
    stratified: bool = True
    capacity: dict[str, int] = field(default_factory=dict)

    def config(self) -> ExperimentConfig:
        """The experiment, checked as any other."""
        arms = {name: {"share": share, "cost": self.costs.get(name, 0.0)} for name, share in self.shares.items()}
        strata = ["score_group"] if self.stratified else []
        lot = {"arms": arms, "unit": self.unit, "mode": self.mode, "strata": strata, "capacity": self.capacity}
        cuts = {"cuts": [0.2, 0.6]}
        held = {"holdout": {"share": 0.1, "until": date(2027, 5, 2)}} if self.question == "holdout" else {}
        values = {"name": self.name, "experiment": {**lot, **held}, "score_groups": cuts, "plan": self.plan}
        return parse_experiment(values, today=TODAY)


def organisations(mean: float, cv: float, rho: float, groups: str = "whole") -> dict[str, Any]:
    return {"leads_per_organisation": {"mean": mean, "cv": cv, "groups": groups}, "rho": rho}


BY_GROUP = {"baseline": {"low": 0.05, "medium": 0.2, "high": 0.5}, "group_shares": GROUPS}

DESIGNS = (
    Design("share, even", {"baseline": 0.12, "uplift": 0.05, "leads": 1200}),
    Design("share, rare", {"baseline": 0.03, "uplift": 0.025, "leads": 1500}),
    Design("share, power 90%", {"baseline": 0.3, "uplift": 0.07, "leads": 1000, "power": 0.9}),
    Design("share, 20% touched", {"baseline": 0.12, "uplift": 0.06, "leads": 1500}, {"control": 0.8, "call": 0.2}),
    Design(
        "share, three arms, call",
        {"baseline": 0.2, "uplift": 0.08, "leads": 1200},
        {"control": 0.5, "call": 0.3, "mail": 0.2},
    ),
    Design(
        "share, cheapest split",
        {"baseline": 0.2, "uplift": 0.07, "lead_cost": 3},
        question="cheapest",
        costs={"call": 35},
    ),
    Design("money, even", {"baseline": 100, "sd": 80, "uplift": 9, "leads": 1600}),
    Design(
        "money, skewed, 30% touched",
        {"baseline": 100, "sd": 200, "uplift": 25, "leads": 1800},
        {"control": 0.7, "call": 0.3},
        skewed=True,
    ),
    Design("over groups, stratified", {**BY_GROUP, "uplift": 0.05, "leads": 1200}),
    Design("group high", {**BY_GROUP, "uplift": {"high": 0.15}, "leads": 2000}, question="group", segment="high"),
    Design("group low, rare", {**BY_GROUP, "uplift": {"low": 0.05}, "leads": 1500}, question="group", segment="low"),
    Design(
        "difference, medium less low",
        {**BY_GROUP, "difference": 0.12, "leads": 1500},
        question="difference",
        segment="medium - low",
    ),
    Design(
        "difference, money",
        {"baseline": 50, "sd": 40, "group_shares": GROUPS, "difference": 12, "leads": 1500},
        question="difference",
        segment="high - low",
    ),
    Design(
        "organisations",
        {"baseline": 0.2, "uplift": 0.07, "leads": 1500, **organisations(4, 0.8, 0.1)},
        unit="organisation",
    ),
    Design(
        "organisations, 20% touched",
        {"baseline": 0.2, "uplift": 0.1, "leads": 2000, **organisations(3, 0.6, 0.15)},
        {"control": 0.8, "call": 0.2},
        unit="organisation",
    ),
    Design(
        "organisations, large",
        {"baseline": 0.2, "uplift": 0.1, "leads": 2000, **organisations(8, 0.7, 0.1)},
        unit="organisation",
    ),
    Design(
        "organisations, money",
        {"baseline": 100, "sd": 80, "uplift": 15, "leads": 1500, **organisations(4, 0.8, 0.1)},
        unit="organisation",
    ),
    Design(
        "organisations, group high",
        {**BY_GROUP, "uplift": {"high": 0.18}, "leads": 2000, **organisations(3, 0.6, 0.1)},
        question="group",
        segment="high",
        unit="organisation",
    ),
    Design(
        "organisations, mixed, group high",
        {**BY_GROUP, "uplift": {"high": 0.18}, "leads": 2000, **organisations(5, 0.6, 0.2, "mixed")},
        question="group",
        segment="high",
        unit="organisation",
    ),
    Design(
        "organisations, difference",
        {**BY_GROUP, "difference": 0.15, "leads": 1500, **organisations(3, 0.6, 0.1)},
        question="difference",
        segment="medium - low",
        unit="organisation",
    ),
    Design(
        "organisations, mixed, difference",
        {
            "baseline": 0.3,
            "group_shares": GROUPS,
            "difference": 0.18,
            "leads": 1500,
            **organisations(5, 0.6, 0.2, "mixed"),
        },
        question="difference",
        segment="medium - low",
        unit="organisation",
    ),
    Design(
        "few organisations",
        {"baseline": 0.3, "uplift": 0.25, "leads": 120, **organisations(4, 0.6, 0.1)},
        unit="organisation",
        mode="blocked",
    ),
    Design(
        "few organisations, money, 35% touched",
        {"baseline": 100, "sd": 40, "uplift": 22, "leads": 180, **organisations(4, 0.5, 0.2)},
        {"control": 0.65, "call": 0.35},
        unit="organisation",
        mode="blocked",
    ),
    Design(
        "holdout",
        {"baseline": 0.2, "programme_uplift": 0.04, "leads_per_week": 80, **organisations(2, 0.6, 0.1)},
        question="holdout",
        unit="organisation",
    ),
    Design(
        "organisations, over groups",
        {**BY_GROUP, "uplift": 0.09, "leads": 2000, **organisations(4, 0.8, 0.1)},
        unit="organisation",
    ),
    Design(
        "organisations, over groups, no strata",
        {**BY_GROUP, "uplift": 0.12, "leads": 2000, **organisations(4, 0.8, 0.1)},
        unit="organisation",
        stratified=False,
    ),
    Design(
        "few organisations, over groups, no strata",
        {**BY_GROUP, "uplift": 0.3, "leads": 200, **organisations(4, 0.6, 0.1)},
        unit="organisation",
        mode="blocked",
        stratified=False,
    ),
    Design(
        "share, three arms, call capped",
        {"baseline": 0.2, "uplift": 0.08, "leads": 1500},
        {"control": 0.4, "call": 0.3, "mail": 0.3},
        capacity={"call": 300},
    ),
    Design(
        "holdout, groups",
        {**BY_GROUP, "programme_uplift": 0.03, "leads_per_week": 400, **organisations(2, 0.6, 0.1)},
        question="holdout",
        unit="organisation",
    ),
)
