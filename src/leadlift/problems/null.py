"""What popularity and breadth alone would give: the bipartite configuration model, solved on distinct degrees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadlift.base.arrays import Codes, Floats

STEPS = 300
CLOSE = 1e-10
# Organisations of like breadth beyond this many products share a class; classes are this much wider than the last.
EXACT_TO = 48
WIDTH = 0.03


@dataclass(frozen=True, eq=False)
class NullModel:
    """Chances that an organisation has a product, were deals made by popularity and breadth alone.

    chance = x y / (1 + x y), with one x per breadth of organisations and one y per popularity of products, such that
    every organisation's number of products and every product's number of organisations is met in expectation.

    Attributes:
        breadth: how many products an organisation of each class has, shape (classes,).
        many: how many organisations are in each class, shape (classes,).
        popularity: how many organisations have each product, shape (products,).
        chance: of an organisation of a class to have a product, shape (classes, products).
        breadth_class: the class of each organisation, shape (organisations,).
    """

    breadth: Floats
    many: Floats
    popularity: Floats
    chance: Floats
    breadth_class: Codes


def configuration_model(breadth: Codes, popularity: Codes) -> NullModel:
    """The bipartite configuration model of organisations and products.

    Args:
        breadth: number of products of each organisation, shape (organisations,).
        popularity: number of organisations of each product, shape (products,); adds up to the same.

    Returns: the model. Organisations with every product, and products that every organisation has, have chance 1.

    References:
        Saracco, Di Clemente, Gabrielli, Squartini (2015), Randomizing bipartite networks: the case of the World Trade
        Web; Vallarano et al. (2021), Fast and scalable likelihood maximization for exponential random graph models.

    Examples:
        >>> model = configuration_model(np.array([1, 1, 2]), np.array([2, 1, 1]))
        >>> (model.chance * model.many[:, None]).sum(axis=0).round(6).tolist()
        [2.0, 1.0, 1.0]
    """
    mean, many, place = _classes(np.asarray(breadth))
    degrees, back, repeats = np.unique(popularity, return_inverse=True, return_counts=True)
    chance = _solve(mean, many, degrees.astype(np.float64), repeats.astype(np.float64))
    return NullModel(mean, many, np.asarray(popularity, dtype=np.float64), chance[:, back], place)


def _classes(breadth: Codes) -> tuple[Floats, Floats, Codes]:
    """Distinct breadths, the large ones in narrow bins: mean breadth, number of organisations, class of each."""
    bin_of = breadth.astype(np.float64)
    wide = breadth > EXACT_TO
    bin_of[wide] = EXACT_TO + 1 + np.floor(np.log(breadth[wide] / EXACT_TO) / np.log1p(WIDTH))
    # Who has every product is no neighbour of who has nearly all.
    bin_of[breadth == breadth.max(initial=0)] = np.inf
    _, place, many = np.unique(bin_of, return_inverse=True, return_counts=True)
    mean = np.bincount(place, weights=breadth, minlength=len(many)) / many
    return mean, many.astype(np.float64), place


def _solve(breadth: Floats, many: Floats, popularity: Floats, repeats: Floats) -> Floats:
    """Chances, shape (classes, distinct popularities), after certain and impossible ones are set aside."""
    chance = np.zeros((len(breadth), len(popularity)))
    rows, columns = np.ones(len(breadth), dtype=bool), np.ones(len(popularity), dtype=bool)
    need, want = breadth.copy(), popularity.copy()
    while rows.any() and columns.any():
        every_row = rows & (need >= repeats[columns].sum() - CLOSE)
        every_column = columns & (want >= many[rows].sum() - CLOSE)
        none_row, none_column = rows & (need <= CLOSE), columns & (want <= CLOSE)
        if every_row.any():
            chance[np.ix_(every_row, columns)] = 1.0
            want[columns] -= many[every_row].sum()
            rows &= ~every_row
        elif every_column.any():
            chance[np.ix_(rows, every_column)] = 1.0
            need[rows] -= repeats[every_column].sum()
            columns &= ~every_column
        elif none_row.any() or none_column.any():
            rows &= ~none_row
            columns &= ~none_column
        else:
            chance[np.ix_(rows, columns)] = _open(need[rows], many[rows], want[columns], repeats[columns])
            break
    return chance


def _open(breadth: Floats, many: Floats, popularity: Floats, repeats: Floats) -> Floats:
    """Newton's method on the log-likelihood, which is concave in log x and log y."""
    total = float(breadth @ many)
    a, b = np.log(breadth / np.sqrt(total)), np.log(popularity / np.sqrt(total))
    scale = np.concatenate([breadth * many, popularity * repeats])

    def likelihood(a: Floats, b: Floats) -> float:
        both = a[:, None] + b[None, :]
        return float((breadth * many) @ a + (popularity * repeats) @ b - many @ np.logaddexp(0.0, both) @ repeats)

    best = likelihood(a, b)
    for _ in range(STEPS):
        chance = 1.0 / (1.0 + np.exp(-(a[:, None] + b[None, :])))
        miss_a, miss_b = many * (breadth - chance @ repeats), repeats * (popularity - many @ chance)
        if np.abs(np.concatenate([miss_a, miss_b]) / scale).max() < CLOSE:
            break
        step_a, step_b = _newton_step(many[:, None] * (chance * (1.0 - chance)) * repeats[None, :], miss_a, miss_b)
        size = min(1.0, 8.0 / max(np.abs(step_a).max(), np.abs(step_b).max(), 1e-300))
        rise = float(miss_a @ step_a + miss_b @ step_b)
        while size > 1e-8:
            tried = likelihood(a + size * step_a, b + size * step_b)
            if tried >= best + 1e-4 * size * rise - 1e-12 * abs(best):
                break
            size /= 2.0
        a, b, best = a + size * step_a, b + size * step_b, tried
    return np.asarray(1.0 / (1.0 + np.exp(-(a[:, None] + b[None, :]))), dtype=np.float64)


def _newton_step(weight: Floats, miss_a: Floats, miss_b: Floats) -> tuple[Floats, Floats]:
    """Solves the bordered system by the smaller side; one direction is free (x grows, y shrinks) and stays put."""
    if weight.shape[0] > weight.shape[1]:
        step_b, step_a = _newton_step(weight.T, miss_b, miss_a)
        return step_a, step_b
    row, column = np.maximum(weight.sum(axis=1), 1e-300), np.maximum(weight.sum(axis=0), 1e-300)
    # On a common scale, since classes hold from one organisation to most of them.
    root = np.sqrt(row)
    schur = np.eye(len(row)) - ((weight / column) @ weight.T) / np.outer(root, root)
    schur += np.outer(root, root) / row.sum() + 1e-13 * np.eye(len(row))
    target = (miss_a - weight @ (miss_b / column)) / root
    step_a = np.linalg.solve(schur, target) / root
    return step_a, (miss_b - weight.T @ step_a) / column
