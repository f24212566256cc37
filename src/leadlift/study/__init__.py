"""Floor 8: one function per command."""

from leadlift.study.assign import assign_leads
from leadlift.study.check import CheckResult, check_study
from leadlift.study.demo import run_demo, write_demo_answer, write_demo_tables
from leadlift.study.design import DesignResult, design_study
from leadlift.study.files import tables
from leadlift.study.forget import forget_client
from leadlift.study.plain_list import ListResult, run_any, write_list
from leadlift.study.problems import find_problems
from leadlift.study.progress import Progress, Silent
from leadlift.study.run import run_study
from leadlift.study.simulate import SimulatedCrm, simulate_crm
from leadlift.study.workspace import make_workspace, open_ui

__all__ = [
    "CheckResult",
    "DesignResult",
    "ListResult",
    "Progress",
    "Silent",
    "SimulatedCrm",
    "assign_leads",
    "check_study",
    "design_study",
    "find_problems",
    "forget_client",
    "make_workspace",
    "open_ui",
    "run_any",
    "run_demo",
    "run_study",
    "simulate_crm",
    "tables",
    "write_demo_answer",
    "write_demo_tables",
    "write_list",
]
