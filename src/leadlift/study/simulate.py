"""A simulated company, a six-group test on it, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from leadlift.base.arrays import Floats
from leadlift.base.config import StudyConfig, parse_config
from leadlift.base.records import TruthRow
from leadlift.data import AssignmentLog, World, build_log, flat_log, make_world, six_group_assignment

GROUPS = ("low", "medium", "high")
STRATEGIES = ("score_first", "fence_sitters_first", "skip_the_dead", "triage", "uplift_first", "uplift_value_first")


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedCrm:
    """What a CRM would hold after one round, and the truth that only a simulation knows.

    Attributes:
        world: the company.
        tables: organisations, leads, assignments, touches and deals, as a CRM would export them.
        flat: a row per lead of the round, as many analysts have it; late and open leads are left out.
        log: the AssignmentLog of `flat`; late and open leads are in its row account.
        truth: each lead's chances under every arm, by assignment: see `World.truth`.
        config: a study of this log.
    """

    world: World
    tables: Mapping[str, pd.DataFrame]
    flat: pd.DataFrame
    log: AssignmentLog
    truth: pd.DataFrame
    config: StudyConfig

    def __repr__(self) -> str:
        return f"SimulatedCrm({self.world!r}, {self.log!r})"

    def true_effects(self) -> tuple[TruthRow, ...]:
        """The true effect of each arm over the log's leads, overall, by score group and by problem if it has them."""
        assert self.log.score is not None
        problem = np.array([]) if self.log.problem is None else self.log.problem.astype(str)
        group = np.searchsorted(self.world.cuts, self.log.score, side="right")
        rows = []
        for arm, uplift in zip(self.log.treated_arms, self.true_uplift().T, strict=True):
            rows.append(TruthRow(arm, "all", "all", float(uplift.mean())))
            rows += [
                TruthRow(arm, "score_group", name, float(uplift[group == k].mean())) for k, name in enumerate(GROUPS)
            ]
            rows += [
                TruthRow(arm, "problem", str(name), float(uplift[problem == name].mean()))
                for name in np.unique(problem)
            ]
        return tuple(rows)

    def with_problem(self, problem: Any) -> SimulatedCrm:
        """The same with each lead's main client problem in its log, shape (rows of `flat`,)."""
        flat = self.flat.assign(problem=problem)
        assert self.config.data is not None
        data = self.config.data.model_copy(update={"problem": "problem"})
        config = self.config.model_copy(update={"data": data})
        dropped = {reason: self.log.account.dropped.get(reason, 0) for reason in ("late_lead", "open_window")}
        return replace(self, flat=flat, config=config, log=_log(flat, config, dropped))

    def true_uplift(self) -> Floats:
        """What each arm really adds to each lead of the log, shape (n, treated arms), in its order."""
        assert self.log.lead_id is not None
        truth = self.truth.set_index("lead_id").loc[self.log.lead_id.tolist()]
        return np.asarray(truth[[f"uplift_{arm}" for arm in self.log.treated_arms]], dtype=np.float64)


def simulate_crm(
    leads: int = 40_000,
    seed: int = 0,
    *,
    arms: Mapping[str, float] | None = None,
    unit: Literal["organisation", "lead"] = "organisation",
    **world: Any,
) -> SimulatedCrm:
    """Makes a company, draws a six-group test on its leads, and observes what happens.

    Args:
        leads: how many leads.
        seed: the same seed gives the same company, lot and outcomes on any machine.
        arms: share of each arm; those other than `control` are named after their mechanic. None: half are called.
        unit: what the lot is drawn for.
        **world: other parameters of `leadlift.data.WorldConfig`, such as `preset="null"`.

    Raises:
        ConfigError: a parameter can't be used.
        PropensityError: the shares don't add up.

    >>> crm = simulate_crm(leads=2_000, seed=1)
    >>> sorted(crm.tables), crm.log.arms
    (['assignments', 'deals', 'leads', 'organisations', 'touches'], ('control', 'call'))
    """
    company = make_world(leads=leads, seed=seed, **world)
    shares = {"control": 0.5, "call": 0.5} if arms is None else dict(arms)
    mechanics: dict[str, tuple[str, ...]] = {arm: () if arm == "control" else (arm,) for arm in shares}
    assignments = six_group_assignment(company, arms=shares, unit=unit)
    observed = company.observe(assignments, mechanics)
    tables = {
        "organisations": company.organisations,
        "leads": company.leads.drop(columns="score_group"),
        "assignments": assignments,
        "touches": observed.touches,
        "deals": pd.concat([company.deals, observed.deals], ignore_index=True),
    }
    flat = flat_log(company, observed, assignments)
    config = _config(company, list(shares))
    late = observed.outcomes["late"].to_numpy()
    dropped = {"late_lead": int(late.sum()), "open_window": int((observed.outcomes["open"].to_numpy() & ~late).sum())}
    return SimulatedCrm(company, tables, flat, _log(flat, config, dropped), company.truth(mechanics), config)


def _config(world: World, arms: list[str]) -> StudyConfig:
    return parse_config(
        {
            "version": 1,
            "name": "demo",
            "data": {
                "log": "leads.csv",
                "treatment": "treatment",
                "control": "control",
                "propensity": {arm: f"propensity_{arm}" for arm in arms},
                "outcome": "converted",
                "features": list(world.features),
                "lead_id": "lead_id",
                "organisation": "organisation_id",
                "score": "score",
                "stratum": "stratum",
                "value": "revenue",
                "cost": "cost",
            },
            "score_groups": {"cuts": list(world.cuts), "names": list(GROUPS)},
            "strategies": list(STRATEGIES),
            "decide": {"capacity": 400, "leads": 2_000, "per": "week"},
            "value": {"column": "revenue", "unit": world.config.currency},
        }
    )


def _log(flat: pd.DataFrame, config: StudyConfig, dropped: Mapping[str, int]) -> AssignmentLog:
    assert config.data is not None
    arguments = config.data.log_arguments()
    features, propensity, control, positive, timezone = (
        arguments.pop(name) for name in ("features", "propensity", "control", "positive", "timezone")
    )
    return build_log(
        flat,
        roles={role: column for role, column in arguments.items() if column is not None},
        control=control,
        propensity=propensity,
        features=features,
        positive=positive,
        timezone=timezone,
        already_dropped={reason: n for reason, n in dropped.items() if n},
    )
