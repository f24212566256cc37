"""How many problems there are: decided by deals that were hidden, not by taste."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from leadlift.base.arrays import Bools, Codes, Floats
from leadlift.inference.multiplicity import adjust_p_values
from leadlift.problems.graph import communities, intersection_graph, without_small
from leadlift.problems.heldout import Gains, fitness, heldout_gains, hide_one
from leadlift.problems.intersections import intersect
from leadlift.problems.mixtures import fit_mixtures
from leadlift.problems.stability import SCREEN, Stability, matched, stability

# A problem is the same in half of the organisations if this much of it is.
SAME = 0.5


@dataclass(frozen=True, eq=False)
class Candidate:
    """One resolution of the graph, and what became of it.

    Attributes:
        resolution: of the Leiden communities.
        label: the community of each product, -1 for none.
        stability: of each community.
        stable: which communities come back, shape (communities,).
        gain: per hidden deal, by the stable communities found on the *other* half, nats, shape (deals,).
        problem_gain: the same for whether the deal lies in each community, shape (deals, communities); NaN for
            communities that are not stable, or not found on the other half.
    """

    resolution: float
    label: Codes
    stability: Stability
    stable: Bools
    gain: Floats
    problem_gain: Floats

    @property
    def n_stable(self) -> int:
        """How many communities come back."""
        return int(self.stable.sum())

    def p_values(self) -> Floats:
        """One-sided p-values of no gain, adjusted over communities (Holm), shape (communities,); 1 where none is."""
        p = np.ones(len(self.stable))
        for k in range(len(p)):
            gain = self.problem_gain[:, k]
            gain = gain[~np.isnan(gain)]
            if gain.size > 2 and gain.std() > 0:
                p[k] = stats.t.sf(gain.mean() / (gain.std(ddof=1) / np.sqrt(gain.size)), gain.size - 1)
        return adjust_p_values(p, method="holm") if p.size else p


@dataclass(frozen=True)
class Halves:
    """What is learnt on one half of the organisations and tried on the other."""

    graph: Any
    background: Floats
    train: Any
    hidden: Any


def no_candidate(resolution: float, products: int) -> Candidate:
    """What is left to say where no products intersect more than chance."""
    none = np.zeros(0)
    label = np.full(products, -1, dtype=np.intp)
    return Candidate(resolution, label, Stability(none, none), none.astype(bool), none, np.zeros((0, 0)))


def split_halves(matrix: Any, products: Sequence[str], *, q: float, most: int, seed: int) -> list[Halves]:
    """Two halves of the organisations, each the other's judge; at most `most` deals are hidden in each."""
    rng = np.random.default_rng([seed, 1])
    half = rng.permutation(matrix.shape[0]) % 2
    found = []
    for side in (0, 1):
        train = matrix[np.flatnonzero(half == side)]
        others = np.flatnonzero(half != side)
        if len(others) > most:
            others = np.sort(rng.choice(others, most, replace=False))
        shared = intersect(train, products, screen=SCREEN)
        hidden = hide_one(matrix, others, rng)
        found.append(Halves(intersection_graph(shared, q=q), fitness(shared.null), train, hidden))
    return found


def judge(
    label: Codes,
    resolution: float,
    resampled: Sequence[Any],
    halves: Sequence[Halves],
    *,
    least_products: int,
    stable: float,
    mixture: Mapping[str, Any],
    seed: int,
) -> Candidate:
    """Stability and held-out gain of one partition."""
    partition: Callable[[Any], Codes] = lambda graph: without_small(  # noqa: E731
        communities(graph, resolution=resolution, seed=seed), least_products
    )
    steady = stability(label, [communities(graph, resolution=resolution, seed=seed) for graph in resampled])
    good = steady.recovered >= stable
    gains, by_problem = [], []
    for half in halves:
        found = _tried(label, good, partition(half.graph), half, mixture)
        gains.append(found.which)
        by_problem.append(found.problem)
    return Candidate(resolution, label, steady, good, np.concatenate(gains), np.concatenate(by_problem))


def _tried(label: Codes, good: Bools, other: Codes, half: Halves, mixture: Mapping[str, Any]) -> Gains:
    """Gains of the stable communities as that half knows them."""
    match = np.where(good, matched(label, other, least=SAME), -1)
    there = np.flatnonzero(match >= 0)
    deals = len(half.hidden.product)
    problem = np.full((deals, len(match)), np.nan)
    if not there.size or not deals:
        return Gains(np.zeros(deals), problem)
    anew = np.full(int(other.max()) + 2, -1, dtype=np.intp)
    anew[match[there]] = np.arange(len(there))
    mine = anew[other]
    model = fit_mixtures(half.train, mine, half.background, **mixture)
    gains = heldout_gains(model, mine, half.background, half.hidden)
    problem[:, there] = gains.problem
    return Gains(gains.which, problem)


def chosen(candidates: Sequence[Candidate]) -> int:
    """The candidate with fewest problems among those not clearly behind the best: one standard error of the pair."""
    means = [candidate.gain.mean() if candidate.gain.size else 0.0 for candidate in candidates]
    best = int(np.argmax(means))
    kept = []
    for number, candidate in enumerate(candidates):
        behind = candidates[best].gain - candidate.gain
        error = behind.std(ddof=1) / np.sqrt(behind.size) if behind.size > 1 else 0.0
        if behind.size == 0 or behind.mean() <= error:
            kept.append(number)
    return min(kept, key=lambda number: (candidates[number].n_stable or np.inf, candidates[number].resolution))
