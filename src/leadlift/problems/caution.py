"""How far an organisation's own deals are trusted: learnt from deals that were hidden."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from leadlift.base.arrays import Codes, Floats
from leadlift.problems.heldout import Hidden, hide_one
from leadlift.problems.mixtures import Mixtures, fit_mixtures

# Deals that the base rate may count for: never less than one, so that one deal alone never settles a mixture.
CONCENTRATIONS = 2.0 ** np.arange(8)
MOST = 5_000
# Organisations that the products' weights are learnt from on the way.
ENOUGH = 20_000


def fit_cautious(
    matrix: Any,
    label: Codes,
    background: Floats,
    *,
    noise: float = 0.15,
    concentration: float | None = None,
    seed: int = 0,
) -> Mixtures:
    """Mixtures whose shrinkage to the base rate predicts hidden deals best.

    Where problems say little of the next deal, an organisation's few deals say little of its problems: the base rate
    then counts for many of them. With a fixed small count such mixtures would be sure of what nobody can know.

    Args:
        matrix, label, background, noise: as of `fit_mixtures`.
        concentration: how many deals the base rate counts for; None: learnt.
        seed: of the deals that are hidden to learn it.
    """
    if concentration is None:
        concentration = learnt_concentration(matrix, label, background, noise=noise, seed=seed)
    return fit_mixtures(matrix, label, background, noise=noise, concentration=concentration)


def learnt_concentration(matrix: Any, label: Codes, background: Floats, *, noise: float, seed: int) -> float:
    """The count at which hidden deals are likeliest, by mixtures that were learnt without them.

    Returns: a number between the least and the largest of `CONCENTRATIONS`; the largest if no deal can be hidden.
    """
    rng = np.random.default_rng([seed, 4])
    matrix = sampled(matrix, ENOUGH, rng)
    several = np.flatnonzero(np.diff(matrix.indptr) >= 2)
    rows = np.sort(rng.permutation(several)[:MOST])
    hidden = hide_one(matrix, rows, rng)
    hidden = _inside(hidden, label)
    if not len(hidden.product):
        return float(CONCENTRATIONS[-1])
    model = fit_mixtures(_without(matrix, hidden), label, background, noise=noise)
    score = np.array([_log_chance(replace(model, concentration=float(c)), hidden) for c in CONCENTRATIONS])
    return float(2.0 ** _peak(np.log2(CONCENTRATIONS), score))


def sampled(matrix: Any, most: int, rng: np.random.Generator) -> Any:
    """All organisations, or `most` of them by lot where there are more, in their order."""
    many = matrix.shape[0]
    return matrix if many <= most else matrix[np.sort(rng.choice(many, most, replace=False))]


def _inside(hidden: Hidden, label: Codes) -> Hidden:
    """Only hidden deals of the problems' products: nothing is predicted of the others."""
    kept = label[hidden.product] >= 0
    return Hidden(hidden.matrix[kept], hidden.product[kept], hidden.row[kept])


def _without(matrix: Any, hidden: Hidden) -> Any:
    """The organisations' deals less the hidden ones."""
    taken = matrix.copy()
    taken.sort_indices()
    columns = matrix.shape[1]
    key = np.repeat(np.arange(matrix.shape[0]), np.diff(taken.indptr)) * columns + taken.indices
    taken.data[np.searchsorted(key, hidden.row * columns + hidden.product)] = 0
    taken.eliminate_zeros()
    return taken


def _log_chance(model: Mixtures, hidden: Hidden) -> float:
    """Mean log chance of each hidden product among those of problems that the organisation is not shown to have."""
    shares, shown = model.shares(hidden.matrix), hidden.matrix
    owner = np.repeat(np.arange(shown.shape[0]), np.diff(shown.indptr))
    each = np.einsum("ij,ij->i", shares[owner], model.weight.T[shown.indices])
    held = np.bincount(owner, weights=each, minlength=shown.shape[0])
    chance = np.einsum("ij,ij->i", shares, model.weight.T[hidden.product])
    return float(np.log(chance / np.maximum(1.0 - held, chance)).mean())


def _peak(at: Floats, value: Floats) -> float:
    """Where the parabola through the highest value and its neighbours peaks; the end if the highest is there."""
    k = int(np.argmax(value))
    if k in (0, len(value) - 1):
        return float(at[k])
    left, middle, right = value[k - 1 : k + 2]
    bend = left - 2.0 * middle + right
    return float(at[k] if bend >= 0 else at[k] + 0.5 * (left - right) / bend * (at[1] - at[0]))
