"""What would make a log's answers wrong: each check adds its problem, and all are raised together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Bools, Codes, Column, Floats
from leadlift.base.problems import Problems, did_you_mean, listed, listed_labels, nearest, share

# Up to this many values, a feature that tells them apart as the outcome does can be nothing but the outcome.
FEW_VALUES = 20
# In fewer rows than this, two columns may well agree by chance.
ENOUGH_ROWS = 10


def check_columns(
    frame: pd.DataFrame, roles: Mapping[str, str], features: list[str], propensity: Any, problems: Problems
) -> tuple[dict[str, str], list[str]]:
    """Adds what is wrong with the columns; returns the roles and features that are there.

    Raises:
        DataError: without the arm, the outcome or rows nothing else can be checked.
    """
    present = list(frame.columns)
    twice = sorted({name for name in present if present.count(name) > 1})
    if twice:
        problems.add("repeated-column", "column names differ", f"{listed(twice)} more than once", "rename the columns")
    for role, name in roles.items():
        if name not in present:
            rule = f"the {role.replace('_', ' ')} column is in the data"
            problems.add("missing-column", rule, f"`{name}` is not there", did_you_mean(name, present))
    for name in dict.fromkeys(features):
        _check_feature(name, present, roles, problems)
    repeated = sorted({name for name in features if features.count(name) > 1})
    if repeated:
        problems.add("repeated-feature", "each feature is named once", listed(repeated), "name it once")
    if len(frame) == 0:
        problems.add("empty", "the log has rows", "0 rows", "export it again")
    if twice or len(frame) == 0 or roles["treatment"] not in present or roles["outcome"] not in present:
        for name in propensity_columns(propensity):
            if name not in present:
                rule = "the propensity column is in the data"
                problems.add("missing-column", rule, f"`{name}` is not there", did_you_mean(name, present))
        problems.stop_if_any()
    there = [name for name in dict.fromkeys(features) if name in present]
    return {role: name for role, name in roles.items() if name in present}, there


def _check_feature(name: str, present: list[str], roles: Mapping[str, str], problems: Problems) -> None:
    if name not in present:
        problems.add(
            "missing-column", "every feature is in the data", f"`{name}` is not there", did_you_mean(name, present)
        )
    elif name in (roles["treatment"], roles["outcome"]):
        role = "treatment" if name == roles["treatment"] else "outcome"
        problems.add(
            "leaking-feature",
            "a feature was known before assignment",
            f"`{name}` is the {role} itself",
            "take it out of `features`",
        )


def propensity_columns(propensity: Any) -> list[str]:
    """The columns that hold propensities."""
    if isinstance(propensity, str):
        return [propensity]
    if isinstance(propensity, Mapping):
        return list(dict.fromkeys(value for value in propensity.values() if isinstance(value, str)))
    return []


def refuse_missing(column: Column | None, name: str | None, role: str, problems: Problems) -> None:
    """Adds a problem where a lead has no organisation, stratum or identifier."""
    missing = 0 if column is None else int(column.isna().sum())
    if column is not None and missing:
        problems.add(
            f"{role.replace('_', '-')}-missing",
            f"every lead has its {role.replace('_', ' ')}",
            f"`{name}`: none in {share(missing, len(column))}",
            "fill it in, or leave those leads out",
        )


def check_arms(text: Column, control: str, problems: Problems) -> list[str]:
    """The arm labels, control first, then sorted; none where they can't be used."""
    missing = int(text.isna().sum())
    if missing:
        problems.add(
            "arm-missing",
            "every lead has an arm",
            f"`{text.name}`: none in {share(missing, len(text))}",
            "leave out leads that no lot was drawn for",
        )
    found = sorted(set(text.dropna()))
    if control not in found:
        shown = listed_labels(found)
        near = nearest(control, found) if shown == listed(found) else None
        problems.add(
            "control-missing",
            "the control arm is in the data",
            f"no lead has `{text.name}` = `{control}`; found: {shown}",
            f"did you mean `{near}`?" if near else "name the arm that is not touched: `control`",
        )
        return []
    if len(found) < 2:
        problems.add(
            "one-arm",
            "at least two arms, or nothing can be compared",
            f"every lead has `{text.name}` = `{control}`",
            "export the treated leads as well",
        )
        return []
    return [control, *[arm for arm in found if arm != control]]


def check_repeats(repeated: pd.DataFrame, column: str, treatment: str, rows: int, problems: Problems) -> None:
    """Adds a problem where `repeated`, rows of leads that have several, hold different arms or different content."""
    arms = repeated.groupby(column)[treatment].nunique()
    switched = int(repeated[column].isin(arms[arms > 1].index).sum())
    if switched:
        problems.add(
            "arm-switch",
            "one arm per lead",
            f"leads in different arms: {share(switched, rows)}",
            "keep each lead's first assignment, or leave those leads out",
        )
    elif len(repeated):
        problems.add(
            "duplicate-lead",
            "one row per lead",
            f"leads with different rows: {share(len(repeated), rows)}",
            f"keep one row per `{column}`",
        )


def check_score(score: Floats | None, name: str | None, problems: Problems) -> None:
    """Adds a problem where scores are no probabilities, or none is there."""
    if score is None:
        return
    if np.isnan(score).all():
        problems.add("score-missing", "leads have scores", f"`{name}` is empty in every row", "name another column")
    outside = int(((score < 0) | (score > 1)).sum())
    if outside:
        problems.add(
            "score-range",
            "scores lie in [0, 1]",
            f"`{name}`: {share(outside, len(score))}, from {np.nanmin(score):.4g} to {np.nanmax(score):.4g}",
            "rescale the score, e.g. divide percentages by 100",
        )


def check_weight(weight: Floats | None, name: str | None, problems: Problems) -> None:
    """Adds a problem where a lead's weight is missing, or is no positive number."""
    bad = 0 if weight is None else int((~(np.isfinite(weight) & (weight > 0))).sum())
    if weight is not None and bad:
        problems.add(
            "weight-range",
            "a weight is a positive number: how many leads each stands for",
            f"`{name}`: {share(bad, len(weight))} have none, or none above 0",
            "one over the probability with which the lead was kept in the log",
        )


def check_outcome(outcome: Floats, used: Bools, arm: Codes, arms: list[str], name: str, problems: Problems) -> None:
    """Adds a problem where outcomes are missing or constant, or an arm has none."""
    if np.isnan(outcome).all():
        problems.add("outcome-missing", "leads have outcomes", f"`{name}` is empty in every row", "name another column")
        return
    values = outcome[used]
    if len(values) and values.min() == values.max():
        problems.add(
            "constant-outcome",
            "the outcome varies",
            f"`{name}` is {values[0]:g} in all {len(values):,} rows that can be used",
            "check the outcome column, or wait until outcomes are in",
        )
    empty = [label for index, label in enumerate(arms) if not (arm[used] == index).any()]
    if empty:
        problems.add(
            "empty-arm",
            "every arm has leads with an outcome",
            f"none in {listed_labels(empty)}",
            "wait until outcomes are in, or leave the arm out",
        )


def refuse_outcome_copies(table: pd.DataFrame, outcome: Floats, name: str, problems: Problems) -> None:
    """Adds a problem for each feature that says the same as the outcome in every row."""
    present = ~np.isnan(outcome)
    y = outcome[present]
    codes = pd.factorize(y)[0]
    if len(y) < ENOUGH_ROWS or codes.max() == 0:
        return
    for feature in table.columns:
        if _is_copy(table.loc[present, feature], y, codes):
            problems.add(
                "leaking-feature",
                "a feature was known before the outcome",
                f"`{feature}` says the same as the outcome `{name}` in every row",
                "take it out of `features`",
            )


def _is_copy(column: Column, y: Floats, codes: Codes) -> bool:
    other, values = pd.factorize(column)
    if len(values) != codes.max() + 1 or (other != codes).any():
        return False
    if len(values) <= FEW_VALUES:
        return True
    # Any two columns without repeats tell all rows apart: only the same numbers, or multiples, are a copy.
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return False
    with np.errstate(all="ignore"):
        likeness = abs(float(np.corrcoef(column.to_numpy(dtype=float), y)[0, 1]))
    return 1 - 1e-9 < likeness < 1 + 1e-9
