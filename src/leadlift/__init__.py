"""leadlift: which sales leads does a touch actually move?

Names are loaded when they are first used, so that importing the package stays quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadlift import base, data, decide, design, evaluation, inference, learners, problems, report, study
    from leadlift.data import AssignmentLog
    from leadlift.learners import DRLearner, RLearner, SLearner, TLearner, XLearner
    from leadlift.study import assign_leads, check_study, design_study, run_study, simulate_crm

_HOMES = {
    "AssignmentLog": "leadlift.data",
    "DRLearner": "leadlift.learners",
    "RLearner": "leadlift.learners",
    "SLearner": "leadlift.learners",
    "TLearner": "leadlift.learners",
    "XLearner": "leadlift.learners",
    "assign_leads": "leadlift.study",
    "check_study": "leadlift.study",
    "design_study": "leadlift.study",
    "run_study": "leadlift.study",
    "simulate_crm": "leadlift.study",
}
_ROOMS = ("base", "data", "decide", "design", "evaluation", "inference", "learners", "problems", "report", "study")

__all__ = [
    "AssignmentLog",
    "DRLearner",
    "RLearner",
    "SLearner",
    "TLearner",
    "XLearner",
    "assign_leads",
    "base",
    "check_study",
    "data",
    "decide",
    "design",
    "design_study",
    "evaluation",
    "inference",
    "learners",
    "problems",
    "report",
    "run_study",
    "simulate_crm",
    "study",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _ROOMS:
        return importlib.import_module(f"leadlift.{name}")
    raise AttributeError(f"module 'leadlift' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
