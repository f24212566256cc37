"""Ranks products by `implicit`'s ALS; run in an environment that has it (benchmarks/peers.txt).

python als.py TRAIN.npz OUT.npy K     TRAIN: organisations x products, sparse; OUT: the K best that each lacks
"""

from __future__ import annotations

import itertools
import sys

import numpy as np
from implicit.als import AlternatingLeastSquares
from scipy import sparse

GRID = list(itertools.product((8, 16, 32, 64), (0.01, 0.1), (1.0, 10.0)))


def fitted(matrix: sparse.csr_matrix, factors: int, regularization: float, alpha: float) -> AlternatingLeastSquares:
    model = AlternatingLeastSquares(
        factors=factors, regularization=regularization, alpha=alpha, iterations=15, random_state=0, num_threads=1
    )
    model.fit(matrix, show_progress=False)
    return model


def best(matrix: sparse.csr_matrix, k: int) -> tuple[int, float, float]:
    """The settings that find most of the products hidden, one for each organisation that has two or more."""
    rng = np.random.default_rng(0)
    breadth = np.diff(matrix.indptr)
    rows = np.flatnonzero(breadth >= 2)
    place = matrix.indptr[rows] + (rng.random(len(rows)) * breadth[rows]).astype(int)
    hidden = matrix.indices[place]
    train = matrix.copy()
    train.data[place] = 0
    train.eliminate_zeros()

    def found(settings: tuple[int, float, float]) -> float:
        ids, _ = fitted(train, *settings).recommend(rows, train[rows], N=k)
        return float((ids == hidden[:, None]).any(axis=1).mean())

    return max(GRID, key=found)


def main() -> None:
    matrix = sparse.csr_matrix(sparse.load_npz(sys.argv[1])).astype(np.float32)
    k = int(sys.argv[3])
    settings = best(matrix, k)
    ids, _ = fitted(matrix, *settings).recommend(np.arange(matrix.shape[0]), matrix, N=k)
    np.save(sys.argv[2], ids)
    print(*settings)


if __name__ == "__main__":
    main()
