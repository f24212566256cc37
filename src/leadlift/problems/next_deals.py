"""Which ranking of next products to ship: chosen and measured on deals set aside, before the date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse, stats

from leadlift.base.arrays import Bools, Codes, Floats
from leadlift.base.record import Record
from leadlift.problems.caution import fit_cautious, sampled
from leadlift.problems.deals import DealTable
from leadlift.problems.found import Found, renumbered
from leadlift.problems.heldout import fitness
from leadlift.problems.later_deals import SetAside, known_then, set_aside
from leadlift.problems.lifts import LiftBand, lift_bands
from leadlift.problems.mixtures import Mixtures
from leadlift.problems.neighbours import Kind, Neighbours, count_pairs, fit_neighbours, kinds
from leadlift.problems.order import recall_and_ndcg
from leadlift.problems.ranking import Ranker, Trend, blended, near_chances, popular_chances, problem_chances

WEIGHTS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
NO_TREND = Trend(1.0, 0.0)
TRENDS = (NO_TREND, *(Trend(days, power) for days in (30.0, 90.0, 365.0) for power in (0.5, 1.0)))


@dataclass(frozen=True)
class RankingScore(Record):
    """How a ranking does on deals set aside: means over organisations with 95% intervals, shares in [0, 1]."""

    ranking: str
    recall: float
    recall_lower: float
    recall_upper: float
    ndcg: float
    ndcg_lower: float
    ndcg_upper: float


@dataclass(frozen=True)
class NextDealTest(Record):
    """How next products are ranked, and what that is worth on deals that had no part in it.

    Attributes:
        set_aside: which deals were: "by time" (the last ones) or "by lot" (one of each organisation).
        since: the day from which deals were set aside; None by lot.
        n_chosen: organisations whose deals set aside chose the ranking.
        n_measured: other organisations, whose deals set aside say how good it is.
        neighbours: which neighbours of products were chosen; None where problems alone rank.
        trend: how much the pace of late counts.
        problem_weight: of problems beside neighbours, [0, 1].
        scores: of rankings, recall@10 and NDCG@10.
        gain: in NDCG@10 over popularity, paired, with its 95% interval.
        problem_gain: in NDCG@10 over the same ranking without problems, paired; 0 where they have no weight.
        lifts: how much oftener than by popularity suggestions were bought, by what the ranking said of them.
    """

    set_aside: str
    since: str | None
    n_chosen: int
    n_measured: int
    neighbours: str | None
    trend: str
    problem_weight: float
    scores: tuple[RankingScore, ...]
    gain: float
    gain_lower: float
    gain_upper: float
    problem_gain: float
    problem_gain_lower: float
    problem_gain_upper: float
    lifts: tuple[LiftBand, ...]

    @property
    def worth(self) -> bool:
        """Whether suggestions are better than popularity's."""
        return self.gain_lower > 0


@dataclass(frozen=True, eq=False)
class NextDeals:
    """The ranking, fitted on all deals, and its test."""

    ranker: Ranker
    test: NextDealTest


@dataclass(frozen=True, eq=False)
class _Parts:
    """What rankings of the organisations asked about are made of, shape (asked, products) each but the trends."""

    held: Bools
    later: Any
    near: Mapping[Kind, Floats]
    by_problem: Floats | None
    trend: Mapping[Trend, Floats]


@dataclass(frozen=True)
class _Recipe:
    """A ranking: which neighbours, what weight of problems, which trend."""

    kind: Kind = "bought together"
    weight: float = 0.0
    trend: Trend = field(default=NO_TREND)

    def chances(self, parts: _Parts, rows: Any) -> Floats:
        near = parts.near[self.kind][rows]
        by_problem = near if parts.by_problem is None else parts.by_problem[rows]
        return blended(near, by_problem, self.weight, parts.trend[self.trend])


def fit_next_deals(
    found: Found,
    table: DealTable,
    popularity: Floats,
    *,
    q: float,
    resolutions: Sequence[float],
    least_products: int,
    mixture: Mapping[str, Any],
    most_organisations: int,
    seed: int,
) -> NextDeals:
    """Chooses a ranking on deals set aside, measures it on those of other organisations, and fits it on all deals.

    Nothing that chooses or is chosen from has seen the deals set aside: problems, neighbours, popularity and trend are
    learnt anew on earlier deals.

    Args:
        found: problems, with their mixtures.
        table: the deals; of more than `most_organisations` a sample is looked at.
        popularity: chances by popularity alone, see `fitness`.
        q, resolutions, least_products, most_organisations, seed: as of `ProblemModel`.
        mixture: settings of `fit_cautious`.
    """
    rng = np.random.default_rng([seed, 4])
    matrix, day = _sampled(table, most_organisations, rng)
    aside = set_aside(matrix, day, rng)
    label, null = known_then(aside.earlier, found.label, q=q, resolutions=resolutions, least=least_products, seed=seed)
    label, plain = renumbered(label, np.unique(label[label >= 0])), fitness(null)
    mixtures = fit_cautious(aside.earlier, label, plain, **mixture) if label.max(initial=-1) >= 0 else None
    dated = not np.isnan(day).all()
    wanted = kinds(matrix.shape[1], dated=dated)
    near = fit_neighbours(count_pairs(aside.earlier, aside.day, rng), wanted)
    parts = _parts(aside, near, mixtures, plain)
    side = rng.permutation(len(parts.held)) % 2
    recipe = _best(parts, np.flatnonzero(side == 0), wanted)
    measured = np.flatnonzero(side == 1)
    lifts = lift_bands(
        recipe.chances(parts, measured), popular_chances(plain, parts.held[measured]), aside.later[measured]
    )
    test = _test(parts, recipe, aside, plain, measured, lifts)
    (neighbours,) = fit_neighbours(count_pairs(matrix, day, rng), [recipe.kind])
    trend = recipe.trend.factors(matrix, day, float(np.nanmax(day)) if dated else np.nan)
    ranker = Ranker(popularity, neighbours, found.mixtures, found.label, recipe.weight, trend)
    return NextDeals(ranker, test)


def _sampled(table: DealTable, most: int, rng: np.random.Generator) -> tuple[Any, Floats]:
    """What organisations have and since when; of more than `most` some by lot."""
    dated = sparse.csr_array((table.first_day + 1.0, table.matrix.indices, table.matrix.indptr), table.matrix.shape)
    dated = sampled(dated, most, rng)
    return sparse.csr_array((np.ones(dated.nnz), dated.indices, dated.indptr), dated.shape), dated.data - 1.0


def _parts(aside: SetAside, near: Sequence[Neighbours], mixtures: Mixtures | None, plain: Floats) -> _Parts:
    held = aside.shown.toarray() > 0
    return _Parts(
        held=held,
        later=aside.later,
        near={one.kind: near_chances(one.scores(aside.shown), held, plain) for one in near},
        by_problem=None if mixtures is None else problem_chances(mixtures, aside.shown, held),
        trend={
            trend: trend.factors(aside.earlier, aside.day, aside.until)
            for trend in (TRENDS if aside.by_time else (NO_TREND,))
        },
    )


def _best(parts: _Parts, rows: Codes, wanted: Sequence[Kind]) -> _Recipe:
    """The recipe with the largest NDCG@10: neighbours and trend first, then the weight of problems beside them."""

    def score(recipe: _Recipe) -> float:
        return float(recall_and_ndcg(recipe.chances(parts, rows), parts.later[rows])[1].mean()) if len(rows) else 0.0

    best = max((_Recipe(kind, 0.0, trend) for kind in wanted for trend in parts.trend), key=score)
    if parts.by_problem is None:
        return best
    return max((_Recipe(best.kind, weight, trend) for weight in WEIGHTS for trend in parts.trend), key=score)


def _test(
    parts: _Parts, recipe: _Recipe, aside: SetAside, plain: Floats, rows: Codes, lifts: tuple[LiftBand, ...]
) -> NextDealTest:
    later, held = parts.later[rows], parts.held[rows]
    without = _Recipe(recipe.kind, 0.0, recipe.trend)
    rankings = {
        "chosen": recipe.chances(parts, rows),
        "neighbours alone": without.chances(parts, rows),
        "popularity": popular_chances(plain, held),
    }
    if parts.by_problem is not None:
        rankings["problems alone"] = parts.by_problem[rows]
    found = {name: recall_and_ndcg(values, later) for name, values in rankings.items()}
    gain = _interval(found["chosen"][1] - found["popularity"][1])
    by_problems = _interval(found["chosen"][1] - found["neighbours alone"][1])
    since = None if not aside.by_time else str(pd.Timestamp(aside.until, unit="D").date())
    return NextDealTest(
        set_aside="by time" if aside.by_time else "by lot",
        since=since,
        n_chosen=len(parts.held) - len(rows),
        n_measured=len(rows),
        neighbours=recipe.kind if recipe.weight < 1.0 else None,
        trend=recipe.trend.words,
        problem_weight=recipe.weight,
        scores=tuple(
            RankingScore(name, *_interval(recall), *_interval(gain)) for name, (recall, gain) in found.items()
        ),
        gain=gain[0],
        gain_lower=gain[1],
        gain_upper=gain[2],
        problem_gain=by_problems[0],
        problem_gain_lower=by_problems[1],
        problem_gain_upper=by_problems[2],
        lifts=lifts,
    )


def _interval(values: Floats) -> tuple[float, float, float]:
    """Mean over organisations and its 95% interval; all that is possible for fewer than two."""
    many = len(values)
    if many < 2:
        return float(values.mean()) if many else 0.0, -1.0, 1.0
    half = float(stats.t.ppf(0.975, many - 1) * values.std(ddof=1) / np.sqrt(many))
    mean = float(values.mean())
    return mean, mean - half, mean + half
