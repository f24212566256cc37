"""Single columns of a log: labels, outcomes, numbers and features, each checked, problems collected."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from pandas.api import types

from leadlift.base.arrays import Column, Floats, floats
from leadlift.base.labels import label_text
from leadlift.base.problems import Problems, listed_labels, share

OutcomeKind = Literal["binary", "count", "money"]

# Words that stand for a missing value in a text file.
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "#n/a"})
# Beyond this, squares overflow in the single precision that LightGBM works in.
LARGEST = 1e15
YES = frozenset({"yes", "true", "y", "1", "won"})
NO = frozenset({"no", "false", "n", "0", "lost"})


def labels(column: Column) -> Column:
    """Labels as text, the same from every kind of file; missing ones stay missing.

    >>> labels(pd.Series([1.0, 0.0])).tolist(), labels(pd.Series(["1.0", "007"])).tolist()
    (['1', '0'], ['1', '007'])
    """
    if types.is_float_dtype(column.dtype):
        column = pd.Series(floats(column), index=column.index, name=column.name)
    texts = {value: label_text(value) for value in column.dropna().unique()}
    return column.map(texts).astype(object).where(column.notna(), None)


def identifiers(column: Column) -> Column:
    """Identifiers as text, to the letter; words that stand for nothing, such as NA, are missing.

    >>> identifiers(pd.Series(["1.0", "TRUE", "na"])).tolist()
    ['1.0', 'TRUE', None]
    """
    if types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype):
        return labels(column)
    text = column.astype("string")
    known = column.notna() & ~text.str.strip().str.lower().isin(MISSING).fillna(True)
    return text.astype(object).where(known.astype(bool), None)


def outcome_values(column: Column, positive: str | None, problems: Problems) -> tuple[Floats, OutcomeKind]:
    """The outcome as numbers, and its kind; missing values stay NaN.

    Two words such as yes and no become 1 and 0; other words need `positive`.
    """
    if positive is not None:
        values = _is_positive(column, positive, problems)
    elif types.is_bool_dtype(column.dtype):
        values = floats(column.astype(float))
    elif types.is_numeric_dtype(column.dtype):
        values = floats(column)
    else:
        values = _from_words(column, problems)
    _refuse_infinite(values, str(column.name), problems)
    return values, _kind(values)


def _kind(values: Floats) -> OutcomeKind:
    present = values[~np.isnan(values)]
    if np.isin(present, (0.0, 1.0)).all():
        return "binary"
    whole = bool((present == np.round(present)).all() and (present >= 0).all())
    return "count" if whole else "money"


def _is_positive(column: Column, positive: str, problems: Problems) -> Floats:
    words = labels(column)
    found = sorted(set(words.dropna()))
    positive = label_text(positive)
    if positive not in found or len(found) > 2:
        problems.add(
            "outcome-positive",
            "`outcome.positive` names one of the outcome's two values",
            f"`{positive}`; `{column.name}` holds {listed_labels(found)}",
            "name one of them",
        )
    return floats((words == positive).astype(float).where(column.notna(), np.nan))


def _from_words(column: Column, problems: Problems) -> Floats:
    words = labels(column).str.strip().str.lower()
    found = set(words.dropna())
    if found <= YES | NO:
        return floats(words.map({**dict.fromkeys(YES, 1.0), **dict.fromkeys(NO, 0.0)}))
    numbers = pd.to_numeric(words, errors="coerce")
    odd = numbers.isna() & words.notna()
    if not odd.any():
        return floats(numbers)
    if odd[words.notna()].all() and len(found) == 2:
        fix = "name the value that counts as 1: `outcome: {column: ..., positive: ...}`"
    else:
        fix = "write numbers, or leave the cell empty where the outcome is missing"
    problems.add(
        "text-in-number",
        f"the outcome `{column.name}` is a number, or yes and no",
        f"text in {share(int(odd.sum()), len(column))}",
        fix,
    )
    return floats(numbers)


def number_values(column: Column, role: str, problems: Problems) -> Floats:
    """A column of numbers; missing values stay NaN."""
    if types.is_numeric_dtype(column.dtype):
        values = floats(column)
    else:
        numbers = pd.to_numeric(column, errors="coerce")
        odd = numbers.isna() & column.notna()
        if odd.any():
            problems.add(
                "text-in-number",
                f"the {role} `{column.name}` is a number",
                f"text in {share(int(odd.sum()), len(column))}",
                "write numbers, or leave the cell empty",
            )
        values = floats(numbers)
    _refuse_infinite(values, str(column.name), problems)
    return values


def _refuse_infinite(values: Floats, name: str, problems: Problems) -> None:
    huge = int((np.abs(values[np.isfinite(values)]) > LARGEST).sum())
    if huge:
        problems.add(
            "too-large",
            f"numbers are at most {LARGEST:.0e}",
            f"`{name}`: larger in {share(huge, len(values))}",
            "leave the cell empty where the number is not known, or choose another unit",
        )
    infinite = int(np.isinf(values).sum())
    if infinite:
        problems.add(
            "infinite",
            "numbers are finite",
            f"`{name}`: infinite in {share(infinite, len(values))}",
            "leave the cell empty where the number is not known",
        )


def feature_values(column: Column, problems: Problems, timezone: str | None = None) -> Column:
    """A feature a learner can take: numbers, times as days, or text; missing values pass through.

    Times without a zone are taken to be in `timezone`, else UTC.
    """
    dtype = column.dtype
    if types.is_bool_dtype(dtype) or types.is_numeric_dtype(dtype):
        values = floats(column)
        _refuse_infinite(values, str(column.name), problems)
        return pd.Series(values, index=column.index, name=column.name)
    if types.is_datetime64_any_dtype(dtype):
        if timezone is not None and column.dt.tz is None:
            column = column.dt.tz_localize(timezone, ambiguous="NaT", nonexistent="shift_forward")
        days = (pd.to_datetime(column, utc=True) - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
        return days.astype(float)
    if isinstance(dtype, pd.CategoricalDtype) or types.is_string_dtype(dtype) or types.is_object_dtype(dtype):
        return labels(column)
    problems.add(
        "feature-type",
        "a feature is a number, a date, text or true/false",
        f"`{column.name}` holds something else, such as durations",
        "turn it into one of them, or leave it out of `features`",
    )
    return pd.Series(np.nan, index=column.index, name=column.name)
