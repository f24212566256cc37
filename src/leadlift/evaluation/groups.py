"""Score groups: low, medium, high, at cuts frozen by the design or at quantiles of this log's scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadlift.base.arrays import Codes, Floats
from leadlift.base.config import ScoreGroups
from leadlift.base.errors import LeadliftError
from leadlift.base.problems import listed, stop
from leadlift.base.records import ScoreInfo
from leadlift.data import AssignmentLog


@dataclass(frozen=True, eq=False)
class Segments:
    """A partition of leads fixed without their outcomes: a code per lead, shape (n,), and the codes' names.

    `parts` are what a name is made of where two partitions are crossed.
    """

    by: str
    names: tuple[str, ...]
    code: Codes
    parts: tuple[tuple[str, str], ...] = ()

    @property
    def hold_problems(self) -> bool:
        """Whether leads are parted by client problem, alone or within other segments."""
        return "problem" in self.by.split(" x ")


def everyone(log: AssignmentLog) -> Segments:
    """All leads as one segment."""
    return Segments("all", ("all",), np.zeros(len(log), dtype=np.intp))


def problem_segments(log: AssignmentLog) -> Segments | None:
    """Each lead's main problem as it was logged at assignment; None where the log has none, or only one."""
    if log.problem is None:
        return None
    names, code = np.unique(log.problem.astype(str), return_inverse=True)
    return Segments("problem", tuple(map(str, names)), code.astype(np.intp)) if len(names) > 1 else None


def crossed(one: Segments, other: Segments) -> Segments:
    """Segments of both, such as `high, P2`; those without a lead are left out."""
    both = one.code * len(other.names) + other.code
    found, code = np.unique(both, return_inverse=True)
    parts = tuple((one.names[k // len(other.names)], other.names[k % len(other.names)]) for k in found)
    return Segments(f"{one.by} x {other.by}", tuple(map(", ".join, parts)), code.astype(np.intp), parts)


def score_groups(
    log: AssignmentLog, settings: ScoreGroups, fold: Codes | None = None
) -> tuple[Segments, ScoreInfo] | None:
    """The score group of each lead; a score on a cut belongs to the group above it.

    An estimated score is cut within each fold: the model of a fold whose controls did badly was fitted on leads that
    did better, and scores the fold too high. Cut over all folds at once, bad luck would choose the group.

    Args:
        log: the leads, with a score.
        settings: cuts, or quantiles; for an estimated score, cuts become the quantiles at which they stand.
        fold: fold of each lead, shape (n,), of an estimated score.

    Returns: None where the score was estimated and has too few values in some fold to make the groups.

    Raises:
        DataError: the cuts leave a group of a given score empty.
    """
    assert log.score is not None
    assert log.score_source is not None
    names = tuple(settings.names)
    if log.score_source == "estimated":
        fold = np.zeros(len(log), dtype=np.intp) if fold is None else fold
        within = _groups_within(log.score, settings, fold, log.weight)
        if within is None:
            return None
        code, cuts = within
    else:
        cuts = settings.edges if settings.cuts is not None else quantile_cuts(log.score, settings.edges, log.weight)
        code = _cut(log.score, cuts)
    sizes = np.bincount(code, minlength=len(names))
    if (sizes == 0).any():
        raise _empty_group(log.score, cuts, [name for name, size in zip(names, sizes, strict=True) if size == 0])
    info = ScoreInfo(log.score_source, names, tuple(map(float, cuts)), tuple(map(int, sizes)))
    return Segments("score_group", names, code), info


def _cut(score: Floats, cuts: list[float]) -> Codes:
    return np.searchsorted(np.asarray(cuts), score, side="right").astype(np.intp)


def _groups_within(
    score: Floats, settings: ScoreGroups, fold: Codes, weight: Floats | None
) -> tuple[Codes, list[float]] | None:
    """Groups at the same quantiles of every fold, and the mean cuts; None where a fold lacks a group."""
    quantiles = settings.edges
    if settings.cuts is not None:
        quantiles = [float(np.average(score < cut, weights=weight)) for cut in settings.cuts]
    code = np.empty(len(score), dtype=np.intp)
    cuts = []
    for k in np.unique(fold):
        rows = fold == k
        cuts.append(quantile_cuts(score[rows], quantiles, None if weight is None else weight[rows]))
        code[rows] = _cut(score[rows], cuts[-1])
        if (np.bincount(code[rows], minlength=len(quantiles) + 1) == 0).any():
            return None
    return code, [float(cut) for cut in np.mean(cuts, axis=0)]


def _empty_group(score: Floats, cuts: list[float], empty: list[str]) -> LeadliftError:
    return stop(
        "the score groups",
        "empty-group",
        "every score group holds leads",
        f"none in {listed(empty)}; cuts {listed([f'{cut:.4g}' for cut in cuts])}, scores from "
        f"{score.min():.4g} to {score.max():.4g}, {len(np.unique(score)):,} different",
        "choose `score_groups.cuts` between the scores that occur, or fewer groups",
    )


def quantile_cuts(score: Floats, quantiles: list[float], weight: Floats | None = None) -> list[float]:
    """Scores that occur, each the lowest of its group, at the quantiles asked for, of leads or of their weight.

    >>> quantile_cuts(np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), [1 / 3, 2 / 3])
    [0.3, 0.5]
    """
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    if weight is not None:
        below = np.round(np.r_[0.0, np.cumsum(weight[order])[:-1]] / weight.sum(), 6)
        at = np.searchsorted(below, np.round(quantiles, 6), side="right") - 1
        return [float(ordered[place]) for place in at]
    # Rounded, so that a third written 0.3333333 is a third.
    starts = np.round(np.asarray(quantiles) * len(ordered), 3).astype(np.intp)
    return [float(ordered[min(start, len(ordered) - 1)]) for start in starts]
