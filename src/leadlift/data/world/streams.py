"""Random numbers by name and number: stream `name` of `seed` gives entity i its own draw, whoever else is drawn.

Only raw 64-bit words of Philox are used (numpy promises those never change), and normal draws are rounded, so that the
last bit of a machine's logarithm can't change a world.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv, ndtri

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def uniforms(seed: int, name: str, n: int) -> Floats:
    """The first `n` draws of a stream, uniform inside (0, 1), shape (n,).

    >>> bool((uniforms(1, "win", 3) == uniforms(1, "win", 5)[:3]).all())
    True
    """
    key = int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:16], "little")
    words = np.random.Philox(key=key).random_raw(n)
    return np.asarray((words >> np.uint64(11)) * 2.0**-53 + 2.0**-54, dtype=np.float64)


def normals(seed: int, name: str, n: int) -> Floats:
    """The first `n` draws of a stream, standard normal, shape (n,), rounded to nine decimals."""
    return np.asarray(np.round(ndtri(uniforms(seed, name, n)), 9), dtype=np.float64)


def gammas(seed: int, name: str, n: int, shape: float) -> Floats:
    """The first `n` draws of a stream, gamma with this shape and scale 1, shape (n,), above 0."""
    draws = np.round(gammaincinv(shape, uniforms(seed, name, n)), 12)
    return np.asarray(np.maximum(draws, 1e-12), dtype=np.float64)


def pick(u: Floats, weights: Floats) -> Integers:
    """Which of the weighted choices each uniform draw falls on, shape of `u`.

    >>> pick(np.array([0.1, 0.5, 0.95]), np.array([1.0, 2.0, 1.0])).tolist()
    [0, 1, 2]
    """
    upper = np.cumsum(weights)
    found = np.searchsorted(upper, u * upper[-1], side="right")
    return np.asarray(np.minimum(found, len(weights) - 1), dtype=np.int64)


def pick_rows(u: Floats, weights: Floats) -> Integers:
    """Which of its own weighted choices each row's draw falls on: `weights` has shape (len(u), choices)."""
    target = u * weights.sum(axis=1)
    chosen = np.zeros(len(u), dtype=np.int64)
    reached = np.zeros(len(u))
    for column in range(weights.shape[1] - 1):
        reached += weights[:, column]
        chosen += target >= reached
    return chosen


def counts(u: Floats, mean: float, shape: float) -> Integers:
    """Counts from uniform draws: negative binomial with this mean and shape (lower: wider spread).

    >>> counts(np.array([0.01, 0.5, 0.99]), 4.0, 1.5).tolist()
    [0, 3, 17]
    """
    if mean == 0:
        return np.zeros(len(u), dtype=np.int64)
    odds = mean / (mean + shape)
    term = total = (shape / (mean + shape)) ** shape
    upper = [total]
    while total < 1 - 1e-9 and len(upper) < 10_000:
        term *= odds * (shape + len(upper) - 1) / len(upper)
        total += term
        upper.append(total)
    return np.asarray(np.searchsorted(np.array(upper), u, side="right"), dtype=np.int64)


def clipped(values: Any, least: float, most: float) -> Floats:
    """Values kept inside [least, most]."""
    return np.asarray(np.clip(values, least, most), dtype=np.float64)
