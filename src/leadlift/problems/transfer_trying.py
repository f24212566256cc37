"""Which cells a company tries says what it believed of them: how far that moves what was measured there.

Let a cell be tried when the company's belief, a normal index, exceeds a bar, and let that index correlate by `rho` with
what is particular to the cell and its product. Then what is particular to tried cells is expected at rho sd lambda,
to others at -rho sd lambda', with lambda the inverse Mills ratio at the index of being tried (Heckman 1979). rho can
hardly be learnt from effects alone, so it is integrated over, not estimated.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from leadlift.base.arrays import Bools, Floats

RIDGE = 1.0
STEPS = 50


def trying_index(tried: Bools, profile: Floats) -> Floats:
    """Normal index of the chance that a cell is tried, by mechanic, problem and both, shape of `tried`.

    Args:
        tried: shape (products, mechanics).
        profile: shares of problems, shape (products, problems).
    """
    products, mechanics = tried.shape
    if tried.all() or not tried.any():
        return np.full(tried.shape, 3.0 if tried.all() else -3.0)
    ways = np.kron(np.eye(mechanics), np.ones((products, 1)))
    every = np.tile(profile, (mechanics, 1))
    crossed = np.hstack([ways[:, [m]] * every for m in range(mechanics)]) if profile.shape[1] else np.empty((0, 0))
    parts = [np.ones((products * mechanics, 1)), ways, *([every, crossed] if crossed.size else [])]
    fitted = _ridge_logistic(np.hstack(parts), tried.T.ravel().astype(float))
    least = 0.5 / tried.size
    return np.asarray(special.ndtri(np.clip(fitted, least, 1 - least)).reshape(mechanics, products).T, dtype=float)


def _ridge_logistic(X: Floats, y: Floats) -> Floats:
    """Fitted chances of a logistic regression, all but the first column shrunk; Newton's method."""
    penalty = np.full(X.shape[1], RIDGE)
    penalty[0] = 1e-6
    beta = np.zeros(X.shape[1])
    beta[0] = special.logit((y.sum() + 0.5) / (len(y) + 1.0))
    for _ in range(STEPS):
        chance = special.expit(X @ beta)
        gradient = X.T @ (y - chance) - penalty * beta
        curvature = (X * (chance * (1 - chance))[:, None]).T @ X + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        beta += step * min(1.0, 4.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    return np.asarray(special.expit(X @ beta), dtype=float)


def selected(tried: Bools, index: Floats) -> tuple[Floats, Floats]:
    """Expected shift, and share of variance that selection takes, per unit of rho and rho squared.

    >>> shift, narrowing = selected(np.array([[True, False]]), np.array([[0.0, 0.0]]))
    >>> shift.round(3).tolist(), narrowing.round(3).tolist()
    ([[0.798, -0.798]], [[0.637, 0.637]])
    """
    side = np.where(tried, index, -index)
    mills = np.exp(-0.5 * side**2 - special.log_ndtr(side)) / np.sqrt(2 * np.pi)
    return np.where(tried, mills, -mills), mills * (mills + side)
