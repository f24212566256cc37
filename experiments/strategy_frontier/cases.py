"""The five cases: a simulated company under each preset, and Hillstrom's e-mail trial with a cost per e-mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leadlift import simulate_crm
from leadlift.base.config import parse_config
from leadlift.base.decisions import StrategyValue
from leadlift.data import AssignmentLog, find_file, read_table
from leadlift.decide import Leads, leads_of, named_strategies, ranking_of
from leadlift.decide.lines import by_organisation
from leadlift.decide.touching import cut
from leadlift.report import strategy_words
from leadlift.study.analyse import analyse
from leadlift.study.progress import Silent
from leadlift.study.run import _result

PRESETS = ("fence_sitters", "likeliest", "unrelated", "null")
HILLSTROM = "hillstrom"
LEADS, SEED = 40_000, 3
RULES = ("score_first", "fence_sitters_first", "skip_the_dead", "triage", "uplift_first", "random")
FIXED = RULES[:4]
# The team touches a fifth of what comes in: 400 of 2,000 leads a week.
WEEK, CAPACITY = 2_000, 400
EMAIL_COST, EMAILS = 0.10, 32_000


@dataclass(frozen=True)
class Case:
    """What a study said of one case.

    Attributes:
        strategies: every strategy at every capacity.
        measure: which measure the case is about.
        sentence: the answer in words.
        capacity: of the team.
        current: the strategy in use.
        unit: what is counted.
        truth: what strategies that were fixed beforehand really bring, by strategy and capacity.
    """

    strategies: Sequence[StrategyValue]
    measure: str
    sentence: str
    capacity: float
    current: str
    unit: str
    truth: dict[str, list[float]]


def company(preset: str) -> Case:
    """The simulated company: half of the organisations are called."""
    crm = simulate_crm(leads=LEADS, seed=SEED, preset=preset)
    settings = {
        **crm.config.model_dump(mode="json"),
        "strategies": list(RULES),
        "decide": {"capacity": CAPACITY, "leads": WEEK, "per": "week"},
        "value": None,
        "learners": ["t"],
    }
    config = parse_config(settings)
    found = analyse(crm.log, config, Silent())
    rows = found.strategies
    shares = np.array(sorted({row.share for row in rows}))
    uplift = crm.truth.set_index("lead_id").loc[list(crm.log.lead_id), "uplift_call"].to_numpy()
    truth = {}
    for strategy in named_strategies(FIXED):
        order = by_organisation(ranking_of(strategy, leads_of(crm.log, crm.world.cuts)), crm.log.organisation)
        truth[strategy.name] = [float(f"{WEEK * v:.5g}") for v in cut(order, uplift, shares).value]
    words = " ".join(strategy_words(_result(config, found, ())))
    return Case(rows, "outcome", words, CAPACITY, "score_first", "deals a week", truth)


class BigSpendersFirst:
    """Whoever spent most last year: what many shops do."""

    name = "big_spenders_first"
    needs = ("history",)

    def rank(self, leads: Leads) -> np.ndarray:
        return leads["history"].to_numpy()


def hillstrom() -> Case:
    """Hillstrom: two e-mails against none, spend within two weeks, ten cents an e-mail."""
    settings = {
        "name": HILLSTROM,
        "learners": ["t"],
        "strategies": ["uplift_first", "uplift_value_first", "random"],
        "decide": {
            "capacity": EMAILS,
            "costs": {"Mens E-Mail": EMAIL_COST, "Womens E-Mail": EMAIL_COST},
            "current": "big_spenders_first",
        },
        "value": {"column": "spend", "unit": "USD"},
    }
    config = parse_config(settings)
    frame = read_table(find_file("hillstrom.parquet", None, None), ["segment"])
    log = AssignmentLog.from_frame(
        frame,
        treatment="segment",
        control="No E-Mail",
        propensity=dict.fromkeys(("No E-Mail", "Mens E-Mail", "Womens E-Mail"), 1 / 3),
        outcome="spend",
        features=["recency", "history", "mens", "womens", "zip_code", "newbie", "channel"],
    )
    found = analyse(log, config, Silent(), strategies=[BigSpendersFirst()])
    words = strategy_words(_result(config, found, ()), "money")
    capacity = found.decision.capacity if found.decision is not None else 0.0
    return Case(found.strategies, "money", " ".join(words), capacity, "big_spenders_first", "USD", {})
