"""What strategies cost: a million leads, twelve strategies, 100 capacities, bands from 1,000 draws or more.

    python benchmarks/strategies.py                 a million leads, in a process of its own
    python benchmarks/strategies.py --leads 200000

Ten strategies are fixed beforehand and judged on all leads; two follow a model and are judged, beside the others, on
the half of the organisations that no model had seen. The physical limit is sorting the leads once per strategy.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import time

import numpy as np

from leadlift.decide.comparing import Compared
from leadlift.decide.touching import Part, earned

FIXED, LEARNED, CAPACITIES, BLOCKS = 10, 2, 100, 4


def parts(leads: int) -> tuple[Part, list[Part], int]:
    """All leads with the fixed strategies, and four blocks of half of the organisations with all of them."""
    rng = np.random.default_rng(0)
    n_units = leads * 5 // 8
    unit = np.sort(rng.integers(n_units, size=leads))
    scores = rng.normal(size=leads) + 0.1
    # Two strategies tie a lot, as groups and rounded scores do; one has no order at all.
    orders = [rng.normal(size=leads) for _ in range(FIXED + LEARNED - 3)]
    orders += [rng.integers(3, size=leads).astype(float), np.round(rng.normal(size=leads), 2), np.zeros(leads)]
    edges = n_units // 2 + np.linspace(0, n_units - n_units // 2, BLOCKS + 1).astype(int)
    rows = [np.flatnonzero((unit >= a) & (unit < b)) for a, b in itertools.pairwise(edges)]
    fixed = orders[LEARNED:]
    held = [Part(unit[r], [order[r] for order in orders], [scores[r]] * len(orders)) for r in rows]
    return Part(unit, fixed, [scores] * len(fixed)), held, n_units


def strategies(leads: int) -> dict[str, float]:
    """Seconds of the bare sorts and of everything, and the peak of memory."""
    whole, held, n_units = parts(leads)
    started = time.perf_counter()
    for part in (whole, *held):
        for order in part.priority:
            np.argsort(order)
    sorts = time.perf_counter() - started
    shares = np.arange(1, CAPACITIES + 1) / CAPACITIES
    started, processor = time.perf_counter(), time.process_time()
    own, other = earned([whole], n_units, shares), earned(held, n_units, shares)
    n = FIXED + LEARNED
    rng = np.random.default_rng(1)
    compared = Compared(own, other, fixed_places=range(LEARNED, n), n=n, df=np.inf, rng=rng)
    compared.bands([compared.of(s) for s in range(n)])
    compared.bands([compared.difference(s, LEARNED) for s in range(n) if s != LEARNED])
    compared.possibly_best(range(n))
    return {
        "seconds": time.perf_counter() - started,
        "processor": time.process_time() - processor,
        "sorts": sorts,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=1_000_000)
    leads = parser.parse_args().leads
    cost = strategies(leads)
    print(f"{leads:,} leads, {FIXED + LEARNED} strategies, {CAPACITIES} capacities")
    print(
        f"  {cost['seconds']:.1f} s ({cost['processor']:.1f} s of processor), {cost['peak_mb']:,.0f} MB; "
        f"bare sorts {cost['sorts']:.2f} s; ratio {cost['seconds'] / cost['sorts']:.0f}"
    )


if __name__ == "__main__":
    main()
