"""Floor 4: what an experiment can show, and checks of a log."""

from leadlift.design.assignment import Assignment, assign
from leadlift.design.assignment_records import AssignmentResult, CapacityUse, StratumDraw
from leadlift.design.balance import balance_rows
from leadlift.design.check_rules import Evidence, LotFacts, as_checks
from leadlift.design.checks import RULES, check_log, run_checks
from leadlift.design.clusters import Clusters, design_effect, estimate_clusters
from leadlift.design.crm_list import CrmMapping, changed_cells, crm_list, refuse_unknown_arms, safe_table
from leadlift.design.freeze import FrozenDesign, freeze, read_frozen
from leadlift.design.hashing import buckets
from leadlift.design.lead_list import LeadList, lead_list
from leadlift.design.lot import Drawn, Units, draw_lot
from leadlift.design.lot_checks import settings_digest
from leadlift.design.plan import plan_design
from leadlift.design.plan_records import DesignPlan
from leadlift.design.power import detectable, leads_needed, power_of
from leadlift.design.power_simulation import simulated_power
from leadlift.design.split import sample_ratio_p

__all__ = [
    "RULES",
    "Assignment",
    "AssignmentResult",
    "CapacityUse",
    "Clusters",
    "CrmMapping",
    "DesignPlan",
    "Drawn",
    "Evidence",
    "FrozenDesign",
    "LeadList",
    "LotFacts",
    "StratumDraw",
    "Units",
    "as_checks",
    "assign",
    "balance_rows",
    "buckets",
    "changed_cells",
    "check_log",
    "crm_list",
    "design_effect",
    "detectable",
    "draw_lot",
    "estimate_clusters",
    "freeze",
    "lead_list",
    "leads_needed",
    "plan_design",
    "power_of",
    "read_frozen",
    "refuse_unknown_arms",
    "run_checks",
    "safe_table",
    "sample_ratio_p",
    "settings_digest",
    "simulated_power",
]
