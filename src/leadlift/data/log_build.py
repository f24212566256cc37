"""Builds an AssignmentLog from a flat frame: reads each column, collects every problem, then freezes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Bools, Codes, Column, Floats, floats
from leadlift.base.digest import digest_of, frame_digest
from leadlift.base.problems import Problems, did_you_mean, listed, share
from leadlift.base.records import RowAccount
from leadlift.data.columns import feature_values, labels, number_values, outcome_values
from leadlift.data.door import to_pandas
from leadlift.data.late import late_columns
from leadlift.data.log import AssignmentLog
from leadlift.data.propensity import propensity_matrix

WHERE = "the assignment log"


def build_log(
    frame: Any,
    *,
    roles: Mapping[str, str],
    control: str | int | bool,
    propensity: Any,
    features: list[str] | None,
    positive: str | None,
    already_dropped: Mapping[str, int] | None = None,
) -> AssignmentLog:
    """The log in `frame`; see `AssignmentLog.from_frame`.

    `already_dropped` counts rows by reason that were left out before: the row account starts with them.
    """
    frame = to_pandas(frame)
    problems = Problems(WHERE)
    _check_columns(frame, roles, features or [], problems)
    problems.stop_if_any()

    before = dict(already_dropped or {})
    read = len(frame) + sum(before.values())
    frame, repeats = _without_repeats(frame, roles, problems)
    dropped = {**before, **repeats}
    arm_text, arms = _arms(frame[roles["treatment"]], str(control), problems)
    outcome, kind = outcome_values(frame[roles["outcome"]], positive, problems)
    stratum = labels(frame[roles["stratum"]]) if "stratum" in roles else None
    _refuse_missing(stratum, roles.get("stratum"), "stratum", problems)
    organisation = labels(frame[roles["organisation"]]) if "organisation" in roles else None
    _refuse_missing(organisation, roles.get("organisation"), "organisation", problems)
    matrix = propensity_matrix(propensity, frame, arms=arms, stratum=stratum, problems=problems) if arms else None
    numbers = {
        role: number_values(frame[roles[role]], role, problems) for role in ("score", "value", "cost") if role in roles
    }
    _check_score(numbers.get("score"), roles.get("score"), problems)
    _check_outcome(outcome, roles["outcome"], problems)
    columns = features if features is not None else _other_columns(frame, roles, propensity)
    table = pd.DataFrame({name: feature_values(frame[name], problems) for name in columns}, index=frame.index)
    problems.stop_if_any()
    assert matrix is not None

    arm = pd.Categorical(arm_text, categories=arms).codes.astype(np.intp)
    left_out = {}
    if features is None:
        left_out = late_columns(table, outcome, arm)
        table = table.drop(columns=list(left_out))
    else:
        _refuse_outcome_copies(table, outcome, roles["outcome"], problems)
        problems.stop_if_any()

    parts = table.copy()
    parts["arm"], parts["outcome"] = arm_text, outcome
    for index, name in enumerate(arms):
        parts[("propensity", name)] = matrix[:, index]
    for name, extra in {**numbers, "stratum": stratum, "organisation": organisation}.items():
        if extra is not None:
            parts[("role", name)] = extra
    identifiers = labels(frame[roles["lead_id"]]) if "lead_id" in roles else None
    if identifiers is not None:
        parts[("role", "lead_id")] = identifiers
    parts.columns = pd.Index([str(column) for column in parts.columns])

    used, lost = _used_rows(outcome, numbers)
    dropped.update(lost)
    order = _canonical_order(identifiers, parts)
    order = order[used[order]]
    organisation_code, n_organisations = _codes(organisation, order)
    stratum_code, _ = _codes(stratum, order) if stratum is not None else (np.zeros(len(order), dtype=np.intp), 1)
    log = AssignmentLog(
        arms=tuple(arms),
        arm=arm[order],
        propensities=matrix[order],
        outcome=outcome[order],
        outcome_kind=kind,
        features=table.iloc[order].reset_index(drop=True),
        organisation=organisation_code,
        n_organisations=n_organisations,
        organisations_given=organisation is not None,
        stratum=stratum_code,
        cell=_cells(stratum_code, matrix[order]),
        score=numbers["score"][order] if "score" in numbers else None,
        score_source="given" if "score" in numbers else None,
        value=numbers["value"][order] if "value" in numbers else None,
        cost=numbers["cost"][order] if "cost" in numbers else None,
        lead_id=None if identifiers is None else identifiers.to_numpy(dtype=object)[order],
        position=frame.index.to_numpy(dtype=np.intp)[order],
        account=RowAccount(read=read, used=len(order), dropped=dropped),
        names=dict(roles),
        digest=frame_digest(parts.iloc[order]),
        design_digest=_design_digest(arms, stratum, matrix),
        loss_by_arm={name: (int((~used & (arm == i)).sum()), int((arm == i).sum())) for i, name in enumerate(arms)},
        left_out=left_out,
    )
    _check_varies(log, roles["outcome"], problems)
    problems.stop_if_any()
    return log


def _check_columns(frame: pd.DataFrame, roles: Mapping[str, str], features: list[str], problems: Problems) -> None:
    present = list(map(str, frame.columns))
    for role, name in roles.items():
        if name not in present:
            problems.add(
                "missing-column",
                f"the {role} column is in the data",
                f"`{name}` is not there",
                did_you_mean(name, present),
            )
    for name in features:
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
    repeated = sorted({name for name in features if features.count(name) > 1})
    if repeated:
        problems.add("repeated-feature", "each feature is named once", listed(repeated), "name it once")
    if len(frame) == 0:
        problems.add("empty", "the log has rows", "0 rows", "export it again")


def _without_repeats(
    frame: pd.DataFrame, roles: Mapping[str, str], problems: Problems
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Drops exact copies of a lead's row; a lead in two arms, or with two different rows, is a problem."""
    if "lead_id" not in roles:
        return frame, {}
    column = roles["lead_id"]
    _refuse_missing(labels(frame[column]), column, "lead_id", problems)
    copies = frame.duplicated()
    kept = frame[~copies]
    twice = kept[kept.duplicated(column, keep=False) & kept[column].notna()]
    arms_per_lead = twice.groupby(column)[roles["treatment"]].nunique()
    switched = int(twice[column].isin(arms_per_lead[arms_per_lead > 1].index).sum())
    if switched:
        problems.add(
            "arm-switch",
            "one arm per lead",
            f"leads in different arms: {share(switched, len(frame))}",
            "keep each lead's first assignment, or leave those leads out",
        )
    elif len(twice):
        problems.add(
            "duplicate-lead",
            "one row per lead",
            f"leads with different rows: {share(len(twice), len(frame))}",
            f"keep one row per `{column}`",
        )
    dropped = {"duplicate_row": int(copies.sum())} if copies.any() else {}
    return kept, dropped


def _arms(column: Column, control: str, problems: Problems) -> tuple[Column, list[str]]:
    text = labels(column)
    missing = int(text.isna().sum())
    if missing:
        problems.add(
            "arm-missing",
            "every lead has an arm",
            f"`{column.name}`: none in {share(missing, len(text))}",
            "leave out leads that no lot was drawn for",
        )
    found = sorted(set(text.dropna()))
    if control not in found and len(text):
        problems.add(
            "control-missing",
            "the control arm is in the data",
            f"no lead has `{column.name}` = {control!r}; found: {listed(found)}",
            did_you_mean(control, found),
        )
        return text, []
    if len(found) < 2:
        problems.add(
            "one-arm",
            "at least two arms, or nothing can be compared",
            f"every lead has `{column.name}` = {control!r}",
            "export the treated leads as well",
        )
        return text, []
    return text, [control, *[arm for arm in found if arm != control]]


def _refuse_missing(column: Column | None, name: str | None, role: str, problems: Problems) -> None:
    missing = 0 if column is None else int(column.isna().sum())
    if column is not None and missing:
        problems.add(
            f"{role.replace('_', '-')}-missing",
            f"every lead has its {role.replace('_', ' ')}",
            f"`{name}`: none in {share(missing, len(column))}",
            "fill it in, or leave those leads out",
        )


def _check_score(score: Floats | None, name: str | None, problems: Problems) -> None:
    if score is None:
        return
    outside = int(((score < 0) | (score > 1)).sum())
    if outside:
        problems.add(
            "score-range",
            "scores lie in [0, 1]",
            f"`{name}`: {share(outside, len(score))}, from {np.nanmin(score):.4g} to {np.nanmax(score):.4g}",
            "rescale the score, e.g. divide percentages by 100",
        )


def _check_outcome(outcome: Floats, name: str, problems: Problems) -> None:
    if len(outcome) and np.isnan(outcome).all():
        problems.add("outcome-missing", "leads have outcomes", f"`{name}` is empty in every row", "name another column")


def _other_columns(frame: pd.DataFrame, roles: Mapping[str, str], propensity: Any) -> list[str]:
    taken = set(roles.values())
    if isinstance(propensity, str):
        taken.add(propensity)
    elif isinstance(propensity, Mapping):
        taken.update(value for value in propensity.values() if isinstance(value, str))
    return [name for name in map(str, frame.columns) if name not in taken]


def _refuse_outcome_copies(table: pd.DataFrame, outcome: Floats, name: str, problems: Problems) -> None:
    present = ~np.isnan(outcome)
    codes = pd.factorize(outcome[present])[0]
    for feature in table.columns:
        other, values = pd.factorize(table.loc[present, feature])
        if len(values) == codes.max() + 1 and (other == codes).all():
            problems.add(
                "leaking-feature",
                "a feature was known before the outcome",
                f"`{feature}` says the same as the outcome `{name}` in every row",
                "take it out of `features`",
            )


def _check_varies(log: AssignmentLog, name: str, problems: Problems) -> None:
    if len(log) == 0 or log.outcome.min() == log.outcome.max():
        shown = f"{log.outcome[0]:g}" if len(log) else "missing"
        problems.add(
            "constant-outcome",
            "the outcome varies",
            f"`{name}` is {shown} in all {len(log):,} rows",
            "check the outcome column, or wait until outcomes are in",
        )
    empty = [arm for arm, n in log.arm_counts.items() if n == 0]
    if empty:
        problems.add(
            "empty-arm",
            "every arm has leads with an outcome",
            f"none in {listed(empty)}",
            "wait until outcomes are in, or leave the arm out",
        )


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
