"""The client problems of a study's leads: where they come from, and a card for each with the uplift there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from leadlift.base.records import ProblemUse, StudyResult
from leadlift.data import UNKNOWN_PROBLEM, AssignmentLog
from leadlift.problems.as_of import PREFIX
from leadlift.problems.labels import number_of
from leadlift.report import uplift_cards
from leadlift.study.log_problems import LogProblems


def with_problems(result: StudyResult, log: AssignmentLog, found: LogProblems) -> StudyResult:
    """The result with its problems; the same where the leads have none, or a check stopped the study."""
    if log.problem is None or result.stopped:
        return result
    saved = found.saved
    cards = uplift_cards(result, problem_sizes(log), {} if saved is None else saved.products_of())
    use = ProblemUse(
        source="made" if found.made else "logged",
        cards=cards,
        model=None if saved is None else saved.digest,
        known_until=None if saved is None or saved.known_until is None else saved.known_until.isoformat(),
        deals=found.deals,
        mixtures=tuple(str(name) for name in log.features.columns if str(name).startswith(PREFIX)),
    )
    return replace(result, problems=use)


def problem_sizes(log: AssignmentLog) -> dict[str, tuple[int, int]]:
    """Organisations and leads by main problem, in the order of their numbers, `unknown` last."""
    assert log.problem is not None
    names, code, leads = np.unique(log.problem.astype(str), return_inverse=True, return_counts=True)
    pairs = np.unique(np.column_stack([code, log.organisation]), axis=0)
    organisations = np.bincount(pairs[:, 0], minlength=len(names))
    order = sorted(range(len(names)), key=lambda k: (names[k] == UNKNOWN_PROBLEM, number_of(str(names[k])), names[k]))
    return {str(names[k]): (int(organisations[k]), int(leads[k])) for k in order}
