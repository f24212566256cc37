"""Score groups: low, medium, high, at cuts frozen by the design or at quantiles of this log's scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadlift.base.arrays import Codes, Floats
from leadlift.base.config import ScoreGroups
from leadlift.base.problems import listed, stop
from leadlift.base.records import ScoreInfo
from leadlift.data import AssignmentLog


@dataclass(frozen=True, eq=False)
class Segments:
    """A partition of leads fixed without their outcomes: a code per lead, shape (n,), and the codes' names."""

    by: str
    names: tuple[str, ...]
    code: Codes


def everyone(log: AssignmentLog) -> Segments:
    """All leads as one segment."""
    return Segments("all", ("all",), np.zeros(len(log), dtype=np.intp))


def score_groups(log: AssignmentLog, settings: ScoreGroups) -> tuple[Segments, ScoreInfo] | None:
    """The score group of each lead; a score on a cut belongs to the group above it.

    Returns: None where the score was estimated and has too few values to make the groups.

    Raises:
        DataError: the cuts leave a group of a given score empty.
    """
    assert log.score is not None
    assert log.score_source is not None
    cuts = settings.edges if settings.cuts is not None else quantile_cuts(log.score, settings.edges)
    code = np.searchsorted(np.asarray(cuts), log.score, side="right").astype(np.intp)
    sizes = np.bincount(code, minlength=len(settings.names))
    if (sizes == 0).any():
        if log.score_source == "estimated":
            return None
        empty = [name for name, size in zip(settings.names, sizes, strict=True) if size == 0]
        raise stop(
            "the score groups",
            "empty-group",
            "every score group holds leads",
            f"none in {listed(empty)}; cuts {listed([f'{cut:.4g}' for cut in cuts])}, scores from "
            f"{log.score.min():.4g} to {log.score.max():.4g}, {len(np.unique(log.score)):,} different",
            "choose `score_groups.cuts` between the scores that occur, or fewer groups",
        )
    info = ScoreInfo(log.score_source, tuple(settings.names), tuple(map(float, cuts)), tuple(map(int, sizes)))
    return Segments("score_group", tuple(settings.names), code), info


def quantile_cuts(score: Floats, quantiles: list[float]) -> list[float]:
    """Scores that occur, each the lowest of its group, at the quantiles asked for.

    >>> quantile_cuts(np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), [1 / 3, 2 / 3])
    [0.3, 0.5]
    """
    ordered = np.sort(score)
    # Rounded, so that a third written 0.3333333 is a third.
    starts = np.round(np.asarray(quantiles) * len(ordered), 3).astype(np.intp)
    return [float(ordered[min(start, len(ordered) - 1)]) for start in starts]
