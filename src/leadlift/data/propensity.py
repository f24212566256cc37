"""Propensities: known by design, read in any of four forms, never estimated."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Column, Floats
from leadlift.base.errors import PropensityError
from leadlift.base.labels import label_text
from leadlift.base.problems import Problems, did_you_mean, listed_labels, share

SLACK = 1e-6


def propensity_matrix(
    given: Any, frame: pd.DataFrame, *, arms: list[str], stratum: Column | None, problems: Problems
) -> Floats:
    """P(arm) by design for each lead, shape (n, arms), control first; rows add up to 1.

    Args:
        given: a number per arm, a column per arm, the name of the column with P(treated) (two arms only), or
            shares per stratum.
        frame: the log's rows.
        arms: arm labels, control first.
        stratum: the stratum of each row, for shares per stratum.
        problems: takes what is wrong; the returned matrix is then of no use.
    """
    before = len(problems.found)
    if isinstance(given, Mapping) and set(given) == {"by_stratum"} and isinstance(given["by_stratum"], Mapping):
        given = given["by_stratum"]
    if isinstance(given, str):
        matrix = _treated_column(given, frame, arms, problems)
    elif isinstance(given, Mapping) and given and all(isinstance(shares, Mapping) for shares in given.values()):
        matrix = _by_stratum(given, arms, stratum, len(frame), problems)
    elif isinstance(given, Mapping) and given:
        matrix = _per_arm(given, frame, arms, problems)
    else:
        _add(
            problems,
            "propensity-missing",
            "the propensity of every arm is known",
            "none given" if given is None or given == {} else "found neither a mapping of arms nor a column",
            "give the shares that the design used, such as `{control: 0.5, call: 0.5}`",
        )
        matrix = np.full((len(frame), len(arms)), np.nan)
    if len(problems.found) == before:
        _check_range(matrix, problems)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(matrix / matrix.sum(axis=1, keepdims=True), dtype=np.float64)


def _add(problems: Problems, code: str, rule: str, found: str, fix: str) -> None:
    problems.add(code, rule, found, fix, PropensityError)


def _treated_column(name: str, frame: pd.DataFrame, arms: list[str], problems: Problems) -> Floats:
    if len(arms) != 2:
        _add(
            problems,
            "propensity-form",
            "one propensity column is enough only with two arms",
            f"`{name}` for {len(arms)} arms: {listed_labels(arms)}",
            "name a column per arm: `{arm: column}`",
        )
        return np.full((len(frame), len(arms)), np.nan)
    treated = _column(name, frame, problems)
    return np.column_stack([1 - treated, treated])


def _per_arm(given: Mapping[Any, Any], frame: pd.DataFrame, arms: list[str], problems: Problems) -> Floats:
    by_arm = {label_text(arm): value for arm, value in given.items()}
    _check_arms(by_arm, arms, "", problems)
    matrix = np.full((len(frame), len(arms)), np.nan)
    for index, arm in enumerate(arms):
        value = by_arm.get(arm)
        if isinstance(value, str):
            matrix[:, index] = _column(value, frame, problems)
        elif arm in by_arm:
            matrix[:, index] = _number(value)
            if np.isnan(matrix[0, index]):
                _add(
                    problems,
                    "propensity-missing",
                    "the propensity of every arm is known",
                    f"no number for {listed_labels([arm])}",
                    "add the share that the design gave it",
                )
    return matrix


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float | np.number | Decimal) else np.nan


def _by_stratum(
    given: Mapping[Any, Mapping[Any, Any]], arms: list[str], stratum: Column | None, n: int, problems: Problems
) -> Floats:
    matrix = np.full((n, len(arms)), np.nan)
    if stratum is None:
        _add(
            problems,
            "propensity-form",
            "shares by stratum need the stratum of each lead",
            "no `stratum` column given",
            "name it: `stratum: column`",
        )
        return matrix
    shares = {label_text(name): {label_text(arm): _number(p) for arm, p in row.items()} for name, row in given.items()}
    unknown = sorted(set(stratum.dropna()) - set(shares))
    if unknown:
        _add(
            problems,
            "propensity-stratum",
            "every stratum has its shares",
            f"no shares for {listed_labels(unknown)} ({int(stratum.isin(unknown).sum()):,} rows)",
            "add them",
        )
    for name, row in shares.items():
        _check_arms(row, arms, f" in stratum {name}", problems)
        matrix[(stratum == name).to_numpy()] = [row.get(arm, np.nan) for arm in arms]
    return matrix


def _check_arms(named: Mapping[str, Any], arms: list[str], where: str, problems: Problems) -> None:
    missing = [arm for arm in arms if arm not in named]
    extra = [arm for arm in named if arm not in arms]
    if missing:
        hint = f"; {did_you_mean(missing[0], extra)}" if extra else ""
        _add(
            problems,
            "propensity-arm",
            "the propensities name every arm in the data",
            f"no propensity for {listed_labels(missing)}{where}{hint}",
            "add the share that the design gave it",
        )
    elif extra:
        _add(
            problems,
            "propensity-arm",
            "every arm with a propensity is in the data",
            f"no lead has the arm {listed_labels(extra)}{where}; arms found: {listed_labels(arms)}",
            "take the arm out of the design, or export its leads as well",
        )


def _column(name: str, frame: pd.DataFrame, problems: Problems) -> Floats:
    if name not in frame.columns:
        _add(
            problems,
            "propensity-missing",
            "the propensity column is in the data",
            f"`{name}` is not there; {did_you_mean(name, map(str, frame.columns))}",
            "name the column that holds it",
        )
        return np.full(len(frame), np.nan)
    values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    missing = int(np.isnan(values).sum())
    if missing:
        _add(
            problems,
            "propensity-missing",
            "every lead's propensity is logged",
            f"`{name}`: no number in {share(missing, len(frame))}",
            "export the probabilities that the design logged",
        )
    return values


def _check_range(matrix: Floats, problems: Problems) -> None:
    total = matrix.sum(axis=1)
    outside = ~((matrix > 0) & (matrix < 1)).all(axis=1)
    if outside.any():
        row = matrix[outside][0]
        _add(
            problems,
            "propensity-range",
            "arm probabilities lie inside (0, 1)",
            f"{share(int(outside.sum()), len(matrix))}, e.g. {_shown(row)}",
            "leads whose arm was certain belong to no experiment: leave them out",
        )
    off = (np.abs(total - 1) > SLACK) & ~outside
    if off.any():
        row = matrix[off][0]
        _add(
            problems,
            "propensity-sum",
            "arm probabilities add up to 1",
            f"{share(int(off.sum()), len(matrix))}, e.g. {_shown(row)} = {row.sum():.7g}",
            "export the probabilities that the design logged, for every arm",
        )


def _shown(row: Floats) -> str:
    return " + ".join(f"{p:.7g}" for p in row)
