"""Intersections and problems at size, against a bare sparse product and mlxtend's fpgrowth in the same run.

    python benchmarks/problems.py                        every case, and the ratios
    python benchmarks/problems.py fit                    one case, as JSON
    python benchmarks/problems.py --scale 0.1
    LEADLIFT_PEERS=/path/to/python python benchmarks/problems.py      with mlxtend (benchmarks/peers.txt)

The full size is 1,000,000 organisations, 1,000 products and 10,000,000 deals; what peers are held against is a
twentieth of it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

ORGANISATIONS, PRODUCTS, DEALS, PROBLEMS = 1_000_000, 1_000, 10_000_000, 25
SMALL = 0.05
PEER = """
import sys, time
import pandas as pd
from mlxtend.frequent_patterns import fpgrowth
from scipy import sparse
matrix = sparse.load_npz(sys.argv[1])
frame = pd.DataFrame.sparse.from_spmatrix(matrix.astype(bool), columns=[str(j) for j in range(matrix.shape[1])])
started = time.perf_counter()
found = fpgrowth(frame, min_support=10 / matrix.shape[0], max_len=2)
print(time.perf_counter() - started, len(found))
"""


def deals(scale: float) -> pd.DataFrame:
    """Organisations with one main problem each, heavy-tailed breadth, and a quarter of the deals by popularity."""
    rng = np.random.default_rng(0)
    organisations, rows = int(ORGANISATIONS * scale), int(DEALS * scale)
    breadth = rng.lognormal(0.0, 0.8, organisations)
    owner = np.sort(rng.choice(organisations, rows, p=breadth / breadth.sum()))
    popularity = np.exp(rng.normal(0, 0.7, PRODUCTS))
    of_problem = rng.permutation(PRODUCTS).reshape(PROBLEMS, -1)
    main = rng.integers(PROBLEMS, size=organisations)[owner]
    by_problem = of_problem[main, rng.integers(PRODUCTS // PROBLEMS, size=rows)]
    anything = rng.choice(PRODUCTS, rows, p=popularity / popularity.sum())
    product = np.where(rng.random(rows) < 0.75, by_problem, anything)
    day = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(rng.integers(730, size=rows), unit="D")
    return pd.DataFrame({"organisation_id": owner, "product": product, "closed_at": day})


def matrix_of(frame: pd.DataFrame) -> Any:
    ones = np.ones(len(frame), dtype=np.int32)
    shape = (int(frame["organisation_id"].max()) + 1, PRODUCTS)
    matrix = sparse.csr_array((ones, (frame["organisation_id"], frame["product"])), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def intersections(frame: pd.DataFrame) -> dict[str, Any]:
    """From the rows of deals to every pair with its p- and q-value."""
    from leadlift.problems import intersect, read_deals

    started = time.perf_counter()
    table = read_deals(frame)
    read = time.perf_counter()
    found = intersect(table.matrix, list(table.products))
    return {"seconds": time.perf_counter() - started, "reading": read - started, "pairs": len(found)}


def fit(frame: pd.DataFrame) -> dict[str, Any]:
    """The whole model: intersections, resamples, hidden deals, mixtures, cards; then next products of everybody."""
    from leadlift.problems import ProblemModel

    started = time.perf_counter()
    model = ProblemModel().fit(frame)
    fitted = time.perf_counter()
    model.next_deals()
    ranked = time.perf_counter()
    found = model.upsell_fitted()
    return {
        "seconds": fitted - started,
        "ranking": ranked - fitted,
        "next_products": time.perf_counter() - ranked,
        "suggestions": len(found),
        "problems": model.n_problems_,
    }


def pairs(frame: pd.DataFrame) -> dict[str, Any]:
    """Intersections alone, from a matrix."""
    from leadlift.problems import intersect

    matrix = matrix_of(frame)
    started = time.perf_counter()
    found = intersect(matrix, [str(j) for j in range(PRODUCTS)])
    return {"seconds": time.perf_counter() - started, "pairs": len(found)}


def product(frame: pd.DataFrame) -> dict[str, Any]:
    """A bare sparse product: shared organisations of every pair, nothing else."""
    matrix = matrix_of(frame)
    started = time.perf_counter()
    both = matrix.T.tocsr() @ matrix
    return {"seconds": time.perf_counter() - started, "pairs": (both.nnz - PRODUCTS) // 2}


def fpgrowth(frame: pd.DataFrame) -> dict[str, Any]:
    """mlxtend's fpgrowth: pairs that ten organisations or more have."""
    python = os.environ.get("LEADLIFT_PEERS")
    if python is None:
        return {"seconds": None}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "matrix.npz"
        sparse.save_npz(path, sparse.csr_matrix(matrix_of(frame)))
        done = subprocess.run([python, "-c", PEER, str(path)], check=True, capture_output=True, text=True)
    seconds, many = done.stdout.split()
    return {"seconds": float(seconds), "pairs": int(many)}


CASES = {"intersections": 1.0, "fit": 1.0, "pairs": SMALL, "product": SMALL, "fpgrowth": SMALL}


def run_case(name: str, scale: float) -> dict[str, Any]:
    frame = deals(CASES[name] * scale)
    before = time.process_time()
    found = globals()[name](frame)
    found["cpu_seconds"] = round(time.process_time() - before, 2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return {"case": name, "deals": len(frame), **found, "peak_gb": round(peak, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="?", choices=list(CASES))
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(run_case(options.case, options.scale)))
        return
    found = {}
    for name in CASES:
        command = [sys.executable, __file__, name, "--scale", str(options.scale)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found[name] = json.loads(done.stdout)
        print(found[name], flush=True)
    for rival in ("product", "fpgrowth"):
        if found[rival]["seconds"]:
            print(f"pairs / {rival}: {found['pairs']['seconds'] / found[rival]['seconds']:.2f}")


if __name__ == "__main__":
    main()
