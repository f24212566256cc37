"""Can this log be trusted? The list of all checks, and how it is run."""

from __future__ import annotations

from leadlift.base.records import Check
from leadlift.data import AssignmentLog
from leadlift.design import (
    check_ledger,
    check_received,
    check_rows,
    check_season,
    check_split,
    check_support,
    check_touch,
)
from leadlift.design.check_rules import Evidence, Rule

RULES: tuple[Rule, ...] = (
    check_ledger.edited_ledger,
    check_rows.rows,
    check_rows.duplicates,
    check_split.sample_ratio,
    check_split.sample_ratio_by_stratum,
    check_rows.outcomes_missing,
    check_received.received_missing,
    check_received.received_arm,
    check_ledger.arm_switch,
    check_ledger.merged_organisations,
    check_rows.organisations,
    check_ledger.late_leads,
    check_split.balance,
    check_rows.propensities,
    check_ledger.design,
    check_ledger.holdout,
    check_ledger.overlap,
    check_touch.control_touched,
    check_touch.treated_untouched,
    check_touch.touch_after_close,
    check_ledger.already_won,
    check_ledger.repeated_deals,
    check_ledger.currencies,
    check_ledger.open_windows,
    check_support.support,
    check_season.season,
    check_rows.features,
    check_rows.known_later,
    check_rows.score,
)


def run_checks(evidence: Evidence) -> list[Check]:
    """What was wrong before, and every check that applies to the evidence, in the order of the list."""
    found = [rule.check(evidence) for rule in RULES]
    return [*evidence.problems, *(check for check in found if check is not None)]


def check_log(log: AssignmentLog, *, features_named: bool, seed: int) -> list[Check]:
    """Every check of a flat log.

    Args:
        log: the leads.
        features_named: whether the configuration names the features.
        seed: of the draws behind p-values.
    """
    return run_checks(Evidence(log, features_named=features_named, seed=seed))
