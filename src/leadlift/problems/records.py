"""What a search for problems found, as a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from leadlift.base.record import Record
from leadlift.base.records import Check, RowAccount, TrackedRun
from leadlift.problems.cards import ProblemCard
from leadlift.problems.ideas import Ideas
from leadlift.problems.next_deals import NextDealTest


@dataclass(frozen=True)
class Pair(Record):
    """Two products that share more organisations than popularity and breadth explain."""

    product: str
    other: str
    shared: int
    expected: float
    lift: float
    jaccard: float
    p_value: float
    q_value: float


@dataclass(frozen=True)
class CandidateSet(Record):
    """One set of communities that could have been the problems: `gain` is in nats per hidden deal."""

    communities_from: str
    communities: int
    stable: int
    products: int
    gain: float
    gain_se: float | None
    hidden_deals: int
    chosen: bool


@dataclass(frozen=True)
class NamesKept(Record):
    """Names of problems against those of an earlier search: kept, new, and gone."""

    kept: tuple[str, ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True)
class ProblemsResult(Record):
    """All that `leadlift problems` found; `results.json` is its `to_dict()`.

    `pairs` are the surest intersections; `n_significant` counts those at the configured false discovery rate among
    `n_pairs`. `disagreements` are products that the factors put elsewhere than the partition. `n_unknown` counts
    organisations without a deal in any problem's products. `ideas` are funnels to unify and mechanics worth trying;
    `effects_digest` is that of the measured effects they rest on. `known_until` is when the last deal was known that
    is used, ISO 8601; `model_digest` that of the saved problem model; `names` are held against an earlier search.
    `next_deals` is how next products are ranked and tested, absent where none are asked for.
    """

    study: str
    created_at: str
    config_digest: str
    deals_digest: str
    as_of: str | None
    versions: Mapping[str, str]
    rows: RowAccount
    checks: tuple[Check, ...]
    n_organisations: int
    n_products: int
    n_pairs: int
    n_significant: int
    pairs: tuple[Pair, ...]
    problems: tuple[ProblemCard, ...]
    candidate_sets: tuple[CandidateSet, ...]
    n_refused: int
    disagreements: tuple[str, ...]
    n_unknown: int
    ideas: Ideas
    next_deals: NextDealTest | None = None
    effects_digest: str | None = None
    known_until: str | None = None
    model_digest: str | None = None
    names: NamesKept | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    mlflow: TrackedRun | None = None
