"""How many problems there are: decided by deals that were hidden, not by taste."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from leadlift.base.arrays import Bools, Codes, Floats
from leadlift.inference.multiplicity import adjust_p_values
from leadlift.problems.caution import fit_cautious
from leadlift.problems.graph import communities, intersection_graph, without_small
from leadlift.problems.heldout import Gains, fitness, heldout_gains, hide_one
from leadlift.problems.intersections import intersect
from leadlift.problems.stability import Stability, matched, screen, stability

# A problem is the same in half of the organisations if this much of it is.
SAME = 0.5


@dataclass(frozen=True, eq=False)
class Halves:
    """What is learnt on one half of the organisations and tried on the other."""

    graph: Any
    background: Floats
    train: Any
    hidden: Any


@dataclass(frozen=True, eq=False)
class Level:
    """The communities at one resolution.

    Attributes:
        name: the resolution in words.
        label: the community of each product, -1 for none, shape (products,).
        stability: of each community.
        half_labels: the communities that each half of the organisations has alone.
    """

    name: str
    label: Codes
    stability: Stability
    half_labels: tuple[Codes, ...]


@dataclass(frozen=True, eq=False)
class Candidate:
    """One set of communities that could be the problems, and what became of it.

    Attributes:
        name: where they come from.
        label: the community of each product, -1 for none.
        stability: of each community.
        stable: which communities come back, shape (communities,).
        gain: per hidden deal, by the stable communities found on the *other* half, nats, shape (deals,).
        problem_gain: the same for whether the deal lies in each community, shape (deals, communities); NaN for
            communities that are not stable, or not found on the other half.
    """

    name: str
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


def no_candidate(products: int) -> Candidate:
    """What is left to say where no products intersect more than chance."""
    none = np.zeros(0)
    label = np.full(products, -1, dtype=np.intp)
    return Candidate("none", label, Stability(none, none), none.astype(bool), none, np.zeros((0, 0)))


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
        shared = intersect(train, products, screen=screen(len(products)), q=q)
        hidden = hide_one(matrix, others, rng)
        found.append(Halves(intersection_graph(shared, q=q), fitness(shared.null), train, hidden))
    return found


def level(
    label: Codes, resolution: float, resampled: Sequence[Any], halves: Sequence[Halves], *, least: int, seed: int
) -> Level:
    """The communities at one resolution, of all organisations, of resampled ones and of the halves."""
    others = [communities(graph, resolution=resolution, seed=seed) for graph in resampled]
    alone = tuple(without_small(communities(half.graph, resolution=resolution, seed=seed), least) for half in halves)
    return Level(f"resolution {resolution:g}", label, stability(label, others), alone)


def candidates(
    levels: Sequence[Level], halves: Sequence[Halves], *, stable: float, mixture: Mapping[str, Any]
) -> list[Candidate]:
    """Every resolution by itself; and stable communities of all of them together, coarse first and fine first."""
    sets = [(one.name, [(one, k) for k in range(len(one.stability.recovered))]) for one in levels]
    steady = [(one, k) for one in levels for k in np.flatnonzero(one.stability.recovered >= stable)]
    sets += [("coarse first", _disjoint(steady)), ("fine first", _disjoint(steady[::-1]))]
    found: dict[bytes, Candidate] = {}
    for name, chosen_ones in sets:
        candidate = _judged(name, chosen_ones, halves, stable, mixture, len(levels[0].label))
        kept = np.where(np.append(candidate.stable, False)[candidate.label], candidate.label, -1)
        found.setdefault(_canonical(kept), candidate)
    return list(found.values())


def _canonical(label: Codes) -> bytes:
    """The same bytes for the same sets of products, however they are numbered."""
    _, first, back = np.unique(label, return_index=True, return_inverse=True)
    return np.where(label >= 0, first[back], -1).tobytes()


def _disjoint(ones: Sequence[tuple[Level, Any]]) -> list[tuple[Level, Any]]:
    """In this order, those that share no product with one taken before."""
    taken, kept = np.zeros(len(ones[0][0].label) if ones else 0, dtype=bool), []
    for one, k in ones:
        members = one.label == k
        if not taken[members].any():
            taken |= members
            kept.append((one, k))
    return kept


def _judged(
    name: str,
    ones: Sequence[tuple[Level, Any]],
    halves: Sequence[Halves],
    stable: float,
    mixture: Mapping[str, Any],
    products: int,
) -> Candidate:
    label = np.full(products, -1, dtype=np.intp)
    for number, (one, k) in enumerate(ones):
        label[one.label == k] = number
    steady = Stability(
        np.array([one.stability.recovered[k] for one, k in ones]),
        np.array([one.stability.together[k] for one, k in ones]),
    )
    good = steady.recovered >= stable
    found = [_tried(_as_half_knows(ones, good, side), len(ones), half, mixture) for side, half in enumerate(halves)]
    gain, by_problem = [one.which for one in found], [one.problem for one in found]
    return Candidate(name, label, steady, good, np.concatenate(gain), np.concatenate(by_problem))


def _as_half_knows(ones: Sequence[tuple[Level, Any]], good: Bools, side: int) -> Codes:
    """The stable communities as one half of the organisations has them, -1 for none, shape (products,)."""
    label = np.full(len(ones[0][0].label) if ones else 0, -1, dtype=np.intp)
    matches: dict[int, Codes] = {}
    for number, (one, k) in enumerate(ones):
        if not good[number]:
            continue
        if id(one) not in matches:
            matches[id(one)] = matched(one.label, one.half_labels[side], least=SAME)
        other = matches[id(one)][k]
        if other >= 0:
            label[(one.half_labels[side] == other) & (label < 0)] = number
    return label


def _tried(label: Codes, many: int, half: Halves, mixture: Mapping[str, Any]) -> Gains:
    """Gains on hidden deals, a column per community; NaN for those that the half does not have."""
    deals = len(half.hidden.product)
    problem = np.full((deals, many), np.nan)
    there = np.unique(label[label >= 0])
    if not there.size or not deals:
        return Gains(np.zeros(deals), problem)
    anew = np.full(many + 1, -1, dtype=np.intp)
    anew[there] = np.arange(len(there))
    mine = anew[label]
    gains = heldout_gains(
        fit_cautious(half.train, mine, half.background, **mixture), mine, half.background, half.hidden
    )
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
    return min(kept, key=lambda number: (candidates[number].n_stable or np.inf, number))
