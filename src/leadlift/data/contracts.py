"""Contracts of the workspace's tables: what a file must hold before anything of it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from leadlift.base.arrays import Column
from leadlift.base.problems import Problems, did_you_mean, listed_labels, share
from leadlift.data.cells import identifiers, numbers, times, truths, without_zone

if TYPE_CHECKING:
    from pandera.pandas import Check, DataFrameSchema

TableName = Literal["leads", "touches", "deals", "aliases"]
Kind = Literal["identifier", "text", "time", "share", "money", "truth"]
EXAMPLE = "2026-03-31T09:30:00+02:00"


@dataclass(frozen=True)
class Field:
    """One column of a table: what it holds, whether the column must be there, and whether every cell is filled."""

    name: str
    kind: Kind
    needed: bool = True
    filled: bool = True


CONTRACTS: Mapping[TableName, tuple[Field, ...]] = {
    "leads": (
        Field("lead_id", "identifier"),
        Field("organisation_id", "identifier"),
        Field("product", "text", needed=False, filled=False),
        Field("created_at", "time"),
        Field("score", "share", needed=False, filled=False),
        Field("problem", "text", needed=False, filled=False),
        Field("known_at", "time", needed=False),
    ),
    "touches": (
        Field("touch_id", "identifier"),
        Field("lead_id", "identifier"),
        Field("mechanic", "text"),
        Field("touched_at", "time"),
        Field("cost", "money"),
        Field("rep_id", "identifier", needed=False, filled=False),
    ),
    "deals": (
        Field("deal_id", "identifier"),
        Field("organisation_id", "identifier"),
        Field("product", "text", filled=False),
        Field("lead_id", "identifier", needed=False, filled=False),
        Field("closed_at", "time"),
        Field("won", "truth"),
        Field("amount", "money", filled=False),
        Field("currency", "text", needed=False, filled=False),
        Field("known_at", "time", needed=False),
    ),
    "aliases": (Field("alias", "identifier"), Field("organisation_id", "identifier")),
}

READ: Mapping[Kind, Callable[[Column], Column]] = {
    "identifier": identifiers,
    "text": identifiers,
    "time": times,
    "share": numbers,
    "money": numbers,
    "truth": truths,
}
# What a cell is, and what to do where it is not.
WORDS: Mapping[Kind, tuple[str, str]] = {
    "identifier": ("an identifier", "export it as text"),
    "text": ("text", "export it as text"),
    "time": (f"a time such as {EXAMPLE}", "export times in ISO 8601, year first"),
    "share": ("a number", "write numbers, or leave the cell empty"),
    "money": ("a number", "write numbers, or leave the cell empty"),
    "truth": ("yes or no (true or false, 1 or 0, won or lost)", "write true or false"),
}


def read_columns(
    table: TableName,
    frame: pd.DataFrame,
    names: Mapping[str, str],
    *,
    timezone: str | None,
    needed: Sequence[str] = (),
    spared: Sequence[str] = (),
) -> pd.DataFrame:
    """The table in a file, under leadlift's names and in its types; other columns are left out.

    Args:
        table: which one.
        frame: the file's rows.
        names: the file's own name of each column; others are called as leadlift calls them.
        timezone: of times that carry none; None: they are refused.
        needed: further columns of the file that must be there.
        spared: columns of the contract that may be absent here.

    Raises:
        DataError: the contract is broken; every failure is named.
    """
    fields = [field for field in CONTRACTS[table] if field.name not in spared or names.get(field.name) in frame]
    own = {field.name: names.get(field.name, field.name) for field in fields}
    problems = Problems(f"the {table}")
    _check(table, fields, frame, own, timezone, problems)
    for name in needed:
        if name not in frame.columns:
            _missing(table, name, frame, problems, did_you_mean(name, map(str, frame.columns)))
    problems.stop_if_any()
    read: dict[Kind, Callable[[Column], Column]] = {**READ, "time": partial(times, timezone=timezone)}
    there = [field for field in fields if own[field.name] in frame.columns]
    return pd.DataFrame({field.name: read[field.kind](frame[own[field.name]]) for field in there})


def schema(fields: Sequence[Field], names: Mapping[str, str], timezone: str | None) -> DataFrameSchema:
    """The contract of a table as a pandera schema over the file's own columns.

    >>> list(schema(CONTRACTS["aliases"], {"alias": "old", "organisation_id": "new"}, None).columns)
    ['old', 'new']
    """
    import pandera.pandas as pa

    columns = {
        names[field.name]: pa.Column(checks=_checks(field, timezone), required=field.needed, nullable=True)
        for field in fields
    }
    return pa.DataFrameSchema(columns)


def _checks(field: Field, timezone: str | None) -> list[Check]:
    from pandera.pandas import Check

    rule, fix = WORDS[field.kind]
    read = READ[field.kind]
    readable = Check(lambda c: read(c).notna() | _blank(c), name=f"not-{field.kind}", title=f"is {rule}")
    checks = [_worded(readable, fix)]
    if field.filled:
        filled = Check(lambda c: ~_blank(c), name="empty-cell", title="is filled in every row", ignore_na=False)
        checks.append(_worded(filled, "fill it in, or leave those rows out"))
    if field.kind == "time" and timezone is None:
        zoned = Check(lambda c: ~without_zone(c), name="time-zone", title="says its time zone")
        checks.append(_worded(zoned, "name the zone to assume: `data: {timezone: Europe/Berlin}`"))
    if field.kind == "share":
        inside = Check(lambda c: ~_outside(numbers(c), 0.0, 1.0), name="score-range", title="lies in [0, 1]")
        checks.append(_worded(inside, "divide percentages by 100"))
    if field.kind == "money":
        finite = Check(
            lambda c: ~_outside(numbers(c), 0.0, np.finfo(float).max), name="money-range", title="is 0 or more"
        )
        checks.append(_worded(finite, "export amounts without a sign; leave out refunds"))
    return checks


def _worded(check: Check, fix: str) -> Check:
    check.description = fix
    return check


def _blank(column: Column) -> Column:
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column.isna()
    return column.isna() | (column.map(str, na_action="ignore").astype("str").str.strip() == "")


def _outside(column: Column, least: float, most: float) -> Column:
    return (column < least) | (column > most)


def _check(
    table: TableName,
    fields: Sequence[Field],
    frame: pd.DataFrame,
    names: Mapping[str, str],
    timezone: str | None,
    problems: Problems,
) -> None:
    from pandera.errors import SchemaErrors

    try:
        schema(fields, names, timezone).validate(frame, lazy=True)
    except SchemaErrors as errors:
        for failure in errors.schema_errors:
            _explain(table, failure, frame, names, problems)


def _explain(table: TableName, failure: Any, frame: pd.DataFrame, names: Mapping[str, str], problems: Problems) -> None:
    if failure.reason_code.name == "COLUMN_NOT_IN_DATAFRAME":
        name = str(failure.failure_cases)
        role = next(role for role, own in names.items() if own == name)
        hint = did_you_mean(name, map(str, frame.columns))
        _missing(table, name, frame, problems, f"{hint} Name it: `{table}: {{{role}: ...}}`")
        return
    if failure.check_output is None:
        raise failure
    bad = ~failure.check_output.reindex(frame.index, fill_value=True).to_numpy(dtype=bool)
    column, check = failure.schema.name, failure.check
    cells = frame[column][bad]
    first = int(np.flatnonzero(bad)[0]) + 1
    shown = "" if cells.isna().all() else f": {listed_labels([str(cells.dropna().iloc[0])])}"
    found = f"{share(int(bad.sum()), len(frame))}, first in row {first:,}{shown}"
    problems.add(check.name, f"`{column}` {check.title}", found, check.description)


def _missing(table: TableName, name: str, frame: pd.DataFrame, problems: Problems, fix: str) -> None:
    problems.add("missing-column", f"the {table} have the column `{name}`", "it is not there", fix)
