"""Floor 4: checks of a log."""

from leadlift.design.balance import balance_rows
from leadlift.design.checks import check_log

__all__ = ["balance_rows", "check_log"]
