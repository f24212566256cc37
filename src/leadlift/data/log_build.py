"""Builds an AssignmentLog from a flat frame: reads each column, collects every problem, then freezes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Bools, Codes, Column, Floats, floats
from leadlift.base.digest import digest_of, frame_digest
from leadlift.base.labels import label_text
from leadlift.base.problems import Problems
from leadlift.base.records import RowAccount
from leadlift.data.columns import feature_values, identifiers, labels, number_values, outcome_values
from leadlift.data.door import to_pandas
from leadlift.data.drawn import drawn_units
from leadlift.data.late import late_columns
from leadlift.data.log import AssignmentLog
from leadlift.data.log_checks import (
    check_arms,
    check_columns,
    check_outcome,
    check_repeats,
    check_score,
    check_weight,
    propensity_columns,
    refuse_missing,
    refuse_outcome_copies,
)
from leadlift.data.propensity import propensity_matrix

WHERE = "the assignment log"

UNKNOWN_PROBLEM = "unknown"


def build_log(
    frame: Any,
    *,
    roles: Mapping[str, str],
    control: str | int | bool,
    propensity: Any,
    features: list[str] | None,
    positive: str | None,
    timezone: str | None = None,
    already_dropped: Mapping[str, int] | None = None,
) -> AssignmentLog:
    """The log in `frame`; see `AssignmentLog.from_frame`.

    `already_dropped` counts rows by reason that were left out before: the row account starts with them.
    """
    problems = Problems(WHERE)
    frame = to_pandas(frame)
    asked = dict(roles)
    earlier = dict(already_dropped or {})
    read = len(frame) + sum(earlier.values())
    roles, named = check_columns(frame, roles, features or [], propensity, problems)
    frame, repeats = _without_repeats(frame, roles, problems)

    arm_text = labels(frame[roles["treatment"]])
    arms = check_arms(arm_text, label_text(control), problems)
    texts: dict[str, Column] = {
        role: (labels if role in ("stratum", "block") else identifiers)(frame[roles[role]])
        for role in ("stratum", "block", "organisation", "lead_id")
        if role in roles
    }
    for role, text in texts.items():
        refuse_missing(text, roles[role], role, problems)
    if "problem" in roles:
        texts["problem"] = identifiers(frame[roles["problem"]]).fillna(UNKNOWN_PROBLEM)
    numbers: dict[str, Floats] = {}
    for role in ("score", "value", "cost", "weight"):
        if role in roles:
            before = len(problems.found)
            values = number_values(frame[roles[role]], role, problems)
            # One fault is said once: nothing is concluded from a column that can't be read.
            if len(problems.found) == before:
                numbers[role] = values
    check_score(numbers.get("score"), roles.get("score"), problems)
    check_weight(numbers.get("weight"), roles.get("weight"), problems)
    matrix = np.full((len(frame), len(arms)), np.nan)
    if arms and ("stratum" in asked) == ("stratum" in roles):
        matrix = propensity_matrix(propensity, frame, arms=arms, stratum=texts.get("stratum"), problems=problems)
    before_outcome = len(problems.found)
    outcome, kind = outcome_values(frame[roles["outcome"]], positive, problems)
    sound = len(problems.found) == before_outcome
    arm = pd.Index(arms, dtype=object).get_indexer(pd.Index(arm_text, dtype=object))
    used, lost = _used_rows(outcome, numbers)
    if sound:
        check_outcome(outcome, used, arm, arms, roles["outcome"], problems)
    columns = named if features is not None else _other_columns(frame, roles, propensity)
    table = pd.DataFrame({name: feature_values(frame[name], problems, timezone) for name in columns}, index=frame.index)
    if features is not None:
        own = [name for name in columns if name not in (roles["treatment"], roles["outcome"])]
        refuse_outcome_copies(table[own], outcome, roles["outcome"], problems)
    problems.stop_if_any()

    left_out = late_columns(table, outcome, arm) if features is None else {}
    table = table.drop(columns=list(left_out))
    content = _content(table, arm_text, outcome, dict(zip(arms, matrix.T, strict=True)), numbers, texts)
    order = _canonical_order(texts.get("lead_id"), content)
    order = order[used[order]]
    organisation, n_organisations = _codes(texts.get("organisation"), order)
    stratum = _codes(texts["stratum"], order)[0] if "stratum" in texts else np.zeros(len(order), dtype=np.intp)
    number = {role: values[order] for role, values in numbers.items()}
    return AssignmentLog(
        arms=tuple(arms),
        arm=arm[order],
        propensities=matrix[order],
        outcome=outcome[order],
        outcome_kind=kind,
        features=table.iloc[order].reset_index(drop=True),
        organisation=organisation,
        n_organisations=n_organisations,
        organisations_given="organisation" in texts,
        stratum=stratum,
        cell=_cells(stratum, matrix[order]),
        score=number.get("score"),
        score_source="given" if "score" in number else None,
        value=number.get("value"),
        cost=number.get("cost"),
        lead_id=texts["lead_id"].to_numpy(dtype=object)[order] if "lead_id" in texts else None,
        position=frame.index.to_numpy(dtype=np.intp)[order],
        account=RowAccount(read=read, used=len(order), dropped={**earlier, **repeats, **lost}),
        drawn=drawn_units(arm, matrix, texts.get("organisation"), texts.get("stratum"), lost=~used),
        names=dict(roles),
        digest=frame_digest(content.iloc[order]),
        design_digest=_design_digest(arms, texts.get("stratum"), matrix),
        loss_by_arm={name: (int((~used & (arm == i)).sum()), int((arm == i).sum())) for i, name in enumerate(arms)},
        left_out=left_out,
        problem=texts["problem"].to_numpy(dtype=object)[order] if "problem" in texts else None,
        weight=number.get("weight"),
        block=_codes(texts["block"], order)[0] if "block" in texts else None,
    )


def _without_repeats(
    frame: pd.DataFrame, roles: Mapping[str, str], problems: Problems
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Drops exact copies of a lead's row; a lead in two arms, or with two different rows, is a problem."""
    if "lead_id" not in roles:
        return frame, {}
    column = roles["lead_id"]
    copies = frame.duplicated() & frame[column].notna()
    kept = frame[~copies]
    repeated = kept[kept.duplicated(column, keep=False) & kept[column].notna()]
    check_repeats(repeated, column, roles["treatment"], len(frame), problems)
    return kept, {"duplicate_row": int(copies.sum())} if copies.any() else {}


def _other_columns(frame: pd.DataFrame, roles: Mapping[str, str], propensity: Any) -> list[str]:
    taken = {*roles.values(), *propensity_columns(propensity)}
    return [name for name in frame.columns if name not in taken]


def _content(
    features: pd.DataFrame,
    arm: Column,
    outcome: Floats,
    propensities: Mapping[str, Floats],
    numbers: Mapping[str, Floats],
    texts: Mapping[str, Column],
) -> pd.DataFrame:
    """All that the log holds, under names that no two parts share: what it is sorted and digested by."""
    parts: dict[str, Any] = {f"feature {name}": features[name] for name in features.columns}
    parts |= {"arm": arm, "outcome": outcome}
    parts |= {f"propensity {name}": column for name, column in propensities.items()}
    parts |= {f"role {name}": column for name, column in {**numbers, **texts}.items()}
    return pd.DataFrame(parts, index=arm.index)


def _used_rows(outcome: Floats, numbers: Mapping[str, Floats]) -> tuple[Bools, dict[str, int]]:
    """Rows with an outcome and, where there is one, a score; the others are counted by reason."""
    lost: dict[str, int] = {}
    used = np.ones(len(outcome), dtype=bool)
    for reason, values in (("missing_outcome", outcome), ("missing_score", numbers.get("score"))):
        if values is not None:
            missing = np.isnan(values) & used
            used &= ~missing
            if missing.any():
                lost[reason] = int(missing.sum())
    return used, lost


def _canonical_order(identifiers: Column | None, parts: pd.DataFrame) -> Codes:
    if identifiers is not None:
        return np.argsort(identifiers.to_numpy(dtype=str), kind="stable")
    keys = [_sort_key(parts[name]) for name in sorted(parts.columns, reverse=True)]
    return np.lexsort(keys)


def _sort_key(column: Column) -> np.ndarray[Any, Any]:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return floats(column)
    return pd.factorize(column, sort=True)[0]


def _codes(column: Column | None, order: Codes) -> tuple[Codes, int]:
    if column is None:
        return np.arange(len(order), dtype=np.intp), len(order)
    codes, uniques = pd.factorize(column.iloc[order], sort=True)
    return codes.astype(np.intp), len(uniques)


def _cells(stratum: Codes, propensities: Floats) -> Codes:
    keys = np.column_stack([stratum, np.round(propensities, 12)])
    return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1).astype(np.intp)


def _design_digest(arms: list[str], stratum: Column | None, matrix: Floats) -> str:
    names = np.full(len(matrix), "") if stratum is None else stratum.to_numpy(dtype=str)
    table = pd.DataFrame(np.round(matrix, 12), columns=arms).assign(**{"": names}).drop_duplicates()
    rows = sorted(map(list, table.astype(object).to_numpy().tolist()), key=repr)
    return digest_of({"arms": arms, "propensities": rows})
