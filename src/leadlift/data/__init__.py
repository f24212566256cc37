"""Floor 2: the tables' contracts, the AssignmentLog and the simulated World."""

from leadlift.data.assignments import AssignmentStore, DrawInfo, KeptAssignments
from leadlift.data.buckets import all_different, sql_buckets
from leadlift.data.files import find_file, read_table
from leadlift.data.log import AssignmentLog
from leadlift.data.log_build import UNKNOWN_PROBLEM, build_log
from leadlift.data.world import World, WorldConfig, flat_log, make_world, six_group_assignment

__all__ = [
    "UNKNOWN_PROBLEM",
    "AssignmentLog",
    "AssignmentStore",
    "DrawInfo",
    "KeptAssignments",
    "World",
    "WorldConfig",
    "all_different",
    "build_log",
    "find_file",
    "flat_log",
    "make_world",
    "read_table",
    "six_group_assignment",
    "sql_buckets",
]
