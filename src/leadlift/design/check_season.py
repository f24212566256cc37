"""Is the effect the same whenever leads were assigned?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadlift.base.arrays import Bools
from leadlift.base.problems import listed
from leadlift.data import AssignmentLog
from leadlift.design.check_rules import LEVEL, Evidence, Finding, counted, rule, warned
from leadlift.inference import difference_in_means, equality_test

FEWEST_UNITS = 50
FEWEST_EVENTS = 10


@rule(
    "season",
    "log",
    sees="Whether the effect differs between months of assignment: a Wald test for each arm, of months with "
    f"{FEWEST_UNITS} organisations and {FEWEST_EVENTS} outcomes in both arms.",
    warns=f"p times the number of arms < {LEVEL:g}",
    fix="the effect changed over time: report it by month, and don't carry it over to another season",
    by_chance=True,
)
def season(log: AssignmentLog, evidence: Evidence) -> Finding | None:
    """Effects by month of assignment."""
    if evidence.months is None:
        return None
    code, months = pd.factorize(np.asarray(evidence.months), sort=True)
    found = {arm: _equal(log, arm, code, list(map(str, months))) for arm in log.treated_arms}
    tested = {arm: result for arm, result in found.items() if result is not None}
    if not tested:
        return Finding(
            "pass", None, f"{counted(len(months), 'month')} of assignment, not enough outcomes to compare them"
        )
    arm, (p, effects) = min(tested.items(), key=lambda item: item[1][0])
    p = min(1.0, p * len(tested))
    shown = listed([f"{month} {value:+.3g}" for month, value in effects.items()])
    return Finding(warned(p < LEVEL), p, f"effect of {arm} by month of assignment: {shown}; p = {p:.3g}")


def _equal(log: AssignmentLog, arm: str, code: np.ndarray, months: list[str]) -> tuple[float, dict[str, float]] | None:
    """p-value of equal effects of an arm, and the effects; None where fewer than two months have enough outcomes."""
    contrast = log.contrast(arm)
    place = log.arms.index(arm)
    effects, influences, df = {}, [], []
    for number, month in enumerate(months):
        inside = code == number
        if not _enough(log, contrast, inside):
            continue
        difference = difference_in_means(
            log.outcome,
            contrast,
            propensity_treated=log.propensities[:, place],
            propensity_control=log.propensities[:, 0],
            cell=log.cell,
            unit=log.organisation,
            n_units=log.n_organisations,
            segment=inside,
        )
        estimate = difference.estimate
        if np.isfinite(estimate.se):
            effects[month] = float(estimate.value)
            influences.append(estimate.influence)
            df.append(estimate.df)
    if len(effects) < 2:
        return None
    influence = np.array(influences)
    test = equality_test(list(effects.values()), influence @ influence.T, df)
    return None if np.isnan(test.p_value) else (test.p_value, effects)


def _enough(log: AssignmentLog, contrast: np.ndarray, inside: Bools) -> bool:
    for side in (0, 1):
        chosen = inside & (contrast == side)
        if len(np.unique(log.organisation[chosen])) < FEWEST_UNITS:
            return False
        outcome = log.outcome[chosen]
        most = np.count_nonzero(outcome == outcome[0]) if len(outcome) else 0
        if len(outcome) - most < FEWEST_EVENTS or np.count_nonzero(outcome) < FEWEST_EVENTS:
            return False
    return True
