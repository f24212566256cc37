"""Floor 4: what an experiment can show, and checks of a log."""

from leadlift.design.balance import balance_rows
from leadlift.design.checks import check_log
from leadlift.design.clusters import Clusters, design_effect, estimate_clusters
from leadlift.design.freeze import FrozenDesign, freeze, read_frozen
from leadlift.design.plan import plan_design
from leadlift.design.plan_records import DesignPlan
from leadlift.design.power import detectable, leads_needed, power_of
from leadlift.design.power_simulation import simulated_power
from leadlift.design.split import sample_ratio_p

__all__ = [
    "Clusters",
    "DesignPlan",
    "FrozenDesign",
    "balance_rows",
    "check_log",
    "design_effect",
    "detectable",
    "estimate_clusters",
    "freeze",
    "leads_needed",
    "plan_design",
    "power_of",
    "read_frozen",
    "sample_ratio_p",
    "simulated_power",
]
