"""Floor 2: the tables' contracts, the AssignmentLog and the simulated World."""

from leadlift.data.files import find_file, read_table
from leadlift.data.log import AssignmentLog

__all__ = ["AssignmentLog", "find_file", "read_table"]
