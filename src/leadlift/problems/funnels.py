"""Products whose lead-generation funnels may be unified: shared clients, and uplift shown to be the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from leadlift.base.arrays import Bools, Codes
from leadlift.base.problems import Problems, did_you_mean
from leadlift.base.record import Record
from leadlift.problems.funnels_equivalence import Answer, Comparison, checked_alpha, checked_margin, compare
from leadlift.problems.intersections import Intersections
from leadlift.problems.transfer_cells import Cells, read_cells

Q = 0.05


@dataclass(frozen=True)
class SharedClients(Record):
    """Whom a set of products reaches.

    Attributes:
        organisations: with at least one of the products: what one funnel would cover.
        shared: with two or more: who would be approached once instead of several times.
        lift: how often an organisation has two of the products, over how often by popularity and breadth alone.
    """

    organisations: int
    shared: int
    lift: float


@dataclass(frozen=True)
class FunnelSet(Record):
    """Products that may share one funnel: each pair shares clients, and each mechanic tried on both works the same."""

    products: tuple[str, ...]
    mechanics: tuple[str, ...]
    clients: SharedClients


@dataclass(frozen=True)
class FunnelGroup(Record):
    """One group of products, such as those of a problem.

    Attributes:
        group: its name.
        products: all of them.
        clients: whom they reach.
        together: how often two of its products stay together when organisations are resampled, or None.
        answer: may all of its products share one funnel? Unify: every two were shown to be alike. Keep apart: there
            is a stop sign. Else not known yet.
        unify: sets of its products that may share a funnel.
        stops: comparisons that show a difference, the largest first.
        open: comparisons that are not known yet, those that take the fewest leads first.
        alike: comparisons that show the same uplift within the margin.
        n_stops, n_open, n_alike: how many there are of each, also where fewer are listed.
        pairs: pairs of its products that share clients more than chance.
        unmeasured: those of them on which no mechanic was measured on both.
        margin: differences smaller than this don't matter, outcome units; None: not declared, nothing is unified.
    """

    group: str
    products: tuple[str, ...]
    clients: SharedClients
    together: float | None
    answer: Answer
    unify: tuple[FunnelSet, ...]
    stops: tuple[Comparison, ...]
    open: tuple[Comparison, ...]
    alike: tuple[Comparison, ...]
    n_stops: int
    n_open: int
    n_alike: int
    pairs: int
    unmeasured: int
    margin: float | None


def funnel_groups(
    groups: Mapping[str, Sequence[str]],
    intersections: Intersections,
    matrix: Any,
    *,
    effects: Any = None,
    margin: float | None = None,
    together: Mapping[str, float] | None = None,
    alpha: float = 0.05,
) -> tuple[FunnelGroup, ...]:
    """Groups of products, whom they share, and which of their funnels may be unified.

    Args:
        groups: products of each group, such as the problems of a `ProblemModel`.
        intersections: of all products.
        matrix: organisations x products that the intersections were made from, columns in the same order.
        effects: a row per study: `product`, `mechanic`, `effect`, `se`, and where known `n_treatment`, `n_control`;
            None: nothing is known of uplift.
        margin: the largest difference in uplift that doesn't matter, outcome units; None: nothing can be unified.
        together: how often two products of each group stay together under resampling.
        alpha: of each mechanic's comparisons within a group, all pairs at once.

    Raises:
        DataError: a product that the intersections don't know, a margin that is not above 0, or effects that can't be
            used.
    """
    checked_alpha(alpha)
    if margin is not None:
        checked_margin(margin)
    places = _places(groups, intersections)
    cells = None if effects is None else read_cells(effects, least=(1, 1))
    matrix = sparse.csc_array(matrix)
    close = _more_than_chance(intersections)
    return tuple(
        _group(
            name,
            places[name],
            intersections,
            matrix,
            cells=cells,
            close=close[np.ix_(places[name], places[name])].toarray(),
            margin=margin,
            together=None if together is None else together.get(name),
            alpha=alpha,
        )
        for name in groups
    )


def _places(groups: Mapping[str, Sequence[str]], intersections: Intersections) -> dict[str, Codes]:
    number = {name: place for place, name in enumerate(intersections.products)}
    problems = Problems("the groups of products")
    for name, products in groups.items():
        for product in products:
            if product not in number:
                hint = did_you_mean(product, number)
                problems.add("unknown-product", "products are those of the deals", f"{name}: `{product}`", hint)
    problems.stop_if_any()
    return {name: np.array(sorted({number[p] for p in products}), dtype=np.intp) for name, products in groups.items()}


def _more_than_chance(intersections: Intersections) -> Any:
    """Products joined where their clients intersect more than chance, sparse and symmetric."""
    kept = intersections.q_value < Q
    size = (len(intersections.products),) * 2
    pairs = (intersections.first[kept], intersections.second[kept])
    half = sparse.csr_array((np.ones(int(kept.sum()), dtype=bool), pairs), shape=size)
    return sparse.csr_array(half + half.T)


def _group(
    name: str,
    places: Codes,
    intersections: Intersections,
    matrix: Any,
    *,
    cells: Cells | None,
    close: Bools,
    margin: float | None,
    together: float | None,
    alpha: float,
) -> FunnelGroup:
    products = tuple(intersections.products[place] for place in places)
    judged = [] if cells is None else _comparisons(products, cells, close, margin, alpha)
    alike, mechanics = _verdicts(products, judged)
    sets = tuple(
        FunnelSet(
            tuple(products[k] for k in members),
            tuple(sorted({m for i in members for j in members for m in mechanics.get((i, j), ())})),
            shared_clients(places[members], intersections, matrix),
        )
        for members in _cliques(alike)
    )
    stops = sorted((c for c in judged if c.answer == "keep apart"), key=lambda c: (-abs(c.difference), c.product))
    left = sorted(
        (c for c in judged if c.answer == "not known yet"), key=lambda c: (c.times or 0.0, c.product, c.other)
    )
    same = tuple(c for c in judged if c.answer == "unify")
    whole = any(len(found.products) == len(products) for found in sets)
    answer: Answer = "unify" if whole else "keep apart" if stops else "not known yet"
    pairs = int(np.triu(close, 1).sum())
    return FunnelGroup(
        group=name,
        products=products,
        clients=shared_clients(places, intersections, matrix),
        together=together,
        answer=answer,
        unify=sets,
        stops=tuple(stops),
        open=tuple(left),
        alike=same,
        n_stops=len(stops),
        n_open=len(left),
        n_alike=len(same),
        pairs=pairs,
        unmeasured=pairs - len({(c.product, c.other) for c in judged}),
        margin=margin,
    )


def _comparisons(
    products: tuple[str, ...], cells: Cells, close: Bools, margin: float | None, alpha: float
) -> list[Comparison]:
    """Every mechanic on every two of the products that share clients and both tried it."""
    number = {name: place for place, name in enumerate(cells.products)}
    inside = [(k, number[name]) for k, name in enumerate(products) if name in number]
    found = []
    for m, mechanic in enumerate(cells.mechanics):
        measured = [(k, place) for k, place in inside if cells.tried[place, m]]
        for at, (i, a) in enumerate(measured):
            for j, b in measured[at + 1 :]:
                if close[i, j]:
                    found.append(
                        compare(
                            products[i],
                            products[j],
                            mechanic,
                            effects=(float(cells.effect[a, m]), float(cells.effect[b, m])),
                            errors=(float(cells.se[a, m]), float(cells.se[b, m])),
                            lead_variances=(float(cells.lead_variance[a, m]), float(cells.lead_variance[b, m])),
                            margin=margin,
                            together=len(measured),
                            alpha=alpha,
                        )
                    )
    return found


def _verdicts(
    products: tuple[str, ...], judged: list[Comparison]
) -> tuple[Bools, dict[tuple[int, int], tuple[str, ...]]]:
    """Pairs on which every mechanic measured on both was shown to be the same, and those mechanics."""
    number = {name: place for place, name in enumerate(products)}
    answers: dict[tuple[int, int], list[Comparison]] = {}
    for comparison in judged:
        answers.setdefault((number[comparison.product], number[comparison.other]), []).append(comparison)
    alike = np.zeros((len(products), len(products)), dtype=bool)
    mechanics = {}
    for (i, j), several in answers.items():
        if all(comparison.answer == "unify" for comparison in several):
            alike[i, j] = alike[j, i] = True
            mechanics[i, j] = tuple(comparison.mechanic for comparison in several)
    return alike, mechanics


def _cliques(alike: Bools) -> list[Codes]:
    """Sets in which every two are alike, greedily from the best connected; no product is in two."""
    left = np.ones(len(alike), dtype=bool)
    found: list[Codes] = []
    while True:
        degree = (alike & left[:, None] & left[None, :]).sum(axis=1)
        if not degree.any():
            return found
        members = [int(np.argmax(degree))]
        for k in np.argsort(-degree, kind="stable"):
            if left[k] and k not in members and alike[k, members].all():
                members.append(int(k))
        found.append(np.array(sorted(members), dtype=np.intp))
        left[members] = False


def shared_clients(places: Codes, intersections: Intersections, matrix: Any) -> SharedClients:
    """Whom the products at `places` reach, and how much more than chance they share.

    Args:
        places: columns of `matrix`.
        intersections: their model of popularity and breadth alone is used.
        matrix: organisations x products, sparse columns.
    """
    many = np.asarray(sparse.csc_array(matrix)[:, places].sum(axis=1), dtype=np.float64).ravel()
    chance = intersections.null.chance[:, places]
    # Sums over pairs: half of the square of the sum less the squares.
    expected = float(((chance.sum(axis=1) ** 2 - (chance**2).sum(axis=1)) / 2) @ intersections.null.many)
    lift = float((many * (many - 1) / 2).sum()) / expected if expected > 0 else float("nan")
    return SharedClients(int((many >= 1).sum()), int((many >= 2).sum()), lift)
