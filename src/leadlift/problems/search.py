"""Which communities could be the problems: every resolution is judged by resampled organisations and hidden deals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from leadlift.base.arrays import Codes
from leadlift.problems.caution import sampled
from leadlift.problems.graph import communities, without_small
from leadlift.problems.selection import Candidate, candidates, chosen, level, no_candidate, split_halves
from leadlift.problems.stability import resampled_graphs

Tick = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Searched:
    """Sets of communities that could be the problems, and which of them was chosen."""

    sets: tuple[Candidate, ...]
    place: int

    @property
    def chosen(self) -> Candidate:
        """The chosen set."""
        return self.sets[self.place]


def search(
    matrix: Any,
    products: Sequence[str],
    graph: Any,
    *,
    q: float,
    resolutions: Sequence[float],
    resamples: int,
    stable: float,
    least_products: int,
    mixture: Mapping[str, Any],
    most_organisations: int,
    most_hidden: int,
    seed: int,
    tick: Tick,
) -> Searched:
    """Judges every resolution and chooses one.

    Args:
        matrix: organisations x products, sparse.
        products: names.
        graph: of their intersections.
        mixture: settings of `fit_cautious`.
        q, resolutions, resamples, stable, least_products, most_organisations, most_hidden, seed: as of `ProblemModel`.
        tick: hears of each step.
    """
    labels = _different(graph, resolutions, least_products, seed)
    if not labels:
        return Searched((no_candidate(len(products)),), 0)
    rng = np.random.default_rng([seed, 0])
    resampled = resampled_graphs(
        matrix, products, q=q, resamples=resamples, most=most_organisations, rng=rng, tick=tick
    )
    sample = sampled(matrix, 2 * most_organisations, rng)
    halves = split_halves(sample, products, q=q, most=most_hidden, seed=seed)
    tick("choosing the number of problems")
    levels = [
        level(label, resolution, resampled, halves, least=least_products, seed=seed) for resolution, label in labels
    ]
    found = candidates(levels, halves, stable=stable, mixture=mixture)
    return Searched(tuple(found), chosen(found))


def _different(graph: Any, resolutions: Sequence[float], least: int, seed: int) -> list[tuple[float, Codes]]:
    """Communities of `least` products or more, once for each partition that there is."""
    found: dict[bytes, tuple[float, Codes]] = {}
    for resolution in resolutions:
        label = without_small(communities(graph, resolution=resolution, seed=seed), least)
        if label.max(initial=-1) >= 0:
            found.setdefault(label.tobytes(), (resolution, label))
    return list(found.values())
