"""Effects by client problem, and the same partially pooled: each drawn towards those of its like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leadlift.base.arrays import Floats
from leadlift.base.problem_records import PooledEffect
from leadlift.base.records import Effect, SegmentTest
from leadlift.data import UNKNOWN_PROBLEM, AssignmentLog
from leadlift.evaluation.effects import ESTIMATORS, LEVEL, Cell, segment_cells, told
from leadlift.evaluation.groups import Segments
from leadlift.inference import covariance, partially_pooled


def problem_effects(
    log: AssignmentLog, segments: Segments, outcomes: Floats, *, seed: int
) -> tuple[list[Effect], list[SegmentTest], list[PooledEffect]]:
    """Effects by problem, or by problem within score groups, as `effects_by_segment` gives them; and pooled ones.

    Effects are pooled by arm, and towards the mean of their score group where there are such. `unknown` is no problem
    and is not pooled with those that are; nor is an effect without an interval by t.

    Args:
        log: the leads.
        segments: by problem, or score groups crossed with it.
        outcomes: out-of-fold expected outcomes under each arm, shape (n, arms).
        seed: of simulated critical values.
    """
    effects: list[Effect] = []
    tests: list[SegmentTest] = []
    pooled: list[PooledEffect] = []
    for estimator in ESTIMATORS:
        cells = segment_cells(log, segments, outcomes, estimator)
        found = told(log, cells, segments, estimator, seed=seed)
        effects += found[0]
        tests += found[1]
        for arm in log.treated_arms:
            pooled += _pooled(log, [cell for cell in cells if cell.treatment == arm], segments, estimator)
    return effects, tests, pooled


def _pooled(log: AssignmentLog, cells: Sequence[Cell], segments: Segments, estimator: str) -> list[PooledEffect]:
    """One arm's effects, pooled."""
    parts = segments.parts or tuple(("", name) for name in segments.names)
    kept = [k for k, cell in enumerate(cells) if parts[k][1] != UNKNOWN_PROBLEM and _usable(cell)]
    if not kept:
        return []
    estimates = [cells[k].estimate for k in kept]
    found = partially_pooled(
        np.array([estimate.value for estimate in estimates]),
        covariance(estimates),
        np.array([estimate.df for estimate in estimates]),
        like=np.unique([parts[k][0] for k in kept], return_inverse=True)[1],
        level=LEVEL,
    )
    if not np.isfinite(found.spread):
        return []
    return [
        PooledEffect(
            treatment=cells[k].treatment,
            outcome=log.names["outcome"],
            segment_by=segments.by,
            segment=cells[k].segment,
            estimator=estimator,
            effect=float(found.effect[place]),
            se=float(found.se[place]),
            lower=float(found.lower[place]),
            upper=float(found.upper[place]),
            weight=float(found.weight[place]),
            spread=found.spread,
        )
        for place, k in enumerate(kept)
    ]


def _usable(cell: Cell) -> bool:
    return cell.estimate.method != "none" and not cell.few_events and cell.estimate.se > 0
