"""The client problems of a study's leads: where they come from, and a card for each with the uplift there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from leadlift.base.records import ProblemUse, StudyResult
from leadlift.data import UNKNOWN_PROBLEM, AssignmentLog
from leadlift.problems.labels import number_of
from leadlift.report import uplift_cards


def with_problems(result: StudyResult, log: AssignmentLog) -> StudyResult:
    """The result with its problems; the same where the leads have none, or a check stopped the study."""
    if log.problem is None or result.stopped:
        return result
    cards = uplift_cards(result, problem_sizes(log), {})
    return replace(result, problems=ProblemUse("logged", cards))


def problem_sizes(log: AssignmentLog) -> dict[str, tuple[int, int]]:
    """Organisations and leads by main problem, in the order of their numbers, `unknown` last."""
    assert log.problem is not None
    names, code, leads = np.unique(log.problem.astype(str), return_inverse=True, return_counts=True)
    pairs = np.unique(np.column_stack([code, log.organisation]), axis=0)
    organisations = np.bincount(pairs[:, 0], minlength=len(names))
    order = sorted(range(len(names)), key=lambda k: (names[k] == UNKNOWN_PROBLEM, number_of(str(names[k])), names[k]))
    return {str(names[k]): (int(organisations[k]), int(leads[k])) for k in order}
