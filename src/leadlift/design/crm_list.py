"""The list for the CRM: who is in which arm, as a CSV file that no spreadsheet executes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd
from pandas.api import types
from pydantic import Field

from leadlift.base.arrays import Column
from leadlift.base.errors import ConfigError
from leadlift.base.fields import ColumnName, Label, Settings
from leadlift.base.problems import Problems, did_you_mean, listed

HOLDOUT = "holdout"
DEFAULT_COLUMNS = ("lead_id", "organisation_id", "experiment", "treatment", "stratum", "assigned_at")
# What makes a spreadsheet compute a cell: at its start, also behind blanks, or behind a character that may end a cell
# elsewhere. The second row holds the full-width forms, which some spreadsheets take for the plain ones.
TRIGGER = re.compile(r"(^|[\t\r\n;,|])(?=[\s\"]*[=+\-@＝＋－＠])|^(?=[\t\r\n])")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


class CrmMapping(Settings):
    """How a CRM calls our columns, and whose rows it gets."""

    version: Literal[1] = 1
    crm: str = Field("CRM", min_length=1)
    columns: dict[ColumnName, str] = Field(
        {name: name for name in DEFAULT_COLUMNS}, min_length=1, description="The CRM's column: ours."
    )
    arms: list[Label] | None = Field(None, description="Only these arms (`holdout` counts as one); absent: all leads.")


def crm_list(assigned: pd.DataFrame, mapping: CrmMapping) -> pd.DataFrame:
    """The CRM's list of assigned leads: its names, `holdout` as the arm of those held out, every cell harmless.

    Args:
        assigned: a row per lead, with the columns of the `assignments` table.
        mapping: names the columns and chooses the arms.

    Raises:
        ConfigError: the mapping names a column or an arm that is not there.
    """
    arm = assigned["treatment"].astype("str").mask(assigned["holdout"], HOLDOUT)
    frame = assigned.assign(treatment=arm)
    _refuse_unknown(frame, mapping)
    if mapping.arms is not None:
        frame = frame[arm.isin(mapping.arms)]
    columns = {crm: frame[ours] for crm, ours in mapping.columns.items()}
    return safe_table(pd.DataFrame(columns))


def safe_table(table: pd.DataFrame) -> pd.DataFrame:
    """A table to be exported, of which no spreadsheet executes a name or a cell; see `safe_cells`."""
    return pd.DataFrame({harmless(str(name)): safe_cells(table[name]) for name in table.columns}, index=table.index)


def safe_cells(column: Column) -> Column:
    """A column whose text no spreadsheet executes; numbers, truth values and times stay what they are.

    >>> safe_cells(pd.Series(["=1+1", "-12.5", "org-1"])).tolist()
    ["'=1+1", '-12.5', 'org-1']
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    if types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype):
        return column
    text = column.astype("str")
    # Far fewer cells can be dangerous than there are.
    suspect = text.str.contains(r"[=+\-@＝＋－＠\t\r\n]", na=False)
    return text.mask(suspect, text[suspect].map(harmless).reindex(text.index)) if suspect.any() else text


def harmless(cell: str) -> str:
    """A cell with an apostrophe before whatever a spreadsheet would compute; numbers stay numbers.

    >>> [harmless(cell) for cell in ["@SUM(A1)", "+49 30 1234", "-7", "a;=cmd", "west - east"]]
    ["'@SUM(A1)", "'+49 30 1234", '-7', "a;'=cmd", 'west - east']
    """
    return cell if NUMBER.fullmatch(cell) else TRIGGER.sub(r"\1'", cell)


def changed_cells(before: pd.DataFrame, after: pd.DataFrame, columns: Mapping[str, str]) -> int:
    """How many identifiers in the list are not written as they are, so that the CRM would not find them."""
    ids = [(crm, ours) for crm, ours in columns.items() if ours.endswith("_id")]
    same = [after[harmless(crm)].eq(before.loc[after.index, ours]) for crm, ours in ids]
    return sum(int((~column).sum()) for column in same)


def _refuse_unknown(frame: pd.DataFrame, mapping: CrmMapping) -> None:
    problems, present = Problems(f"the list for {mapping.crm}"), [str(name) for name in frame.columns]
    for crm, ours in mapping.columns.items():
        if ours not in present:
            hint = f"{did_you_mean(ours, present)} There are {listed(present, 30)}"
            problems.add("list-column", f"`{crm}` is one of our columns", f"`{ours}` is none", hint, ConfigError)
    problems.stop_if_any()


def refuse_unknown_arms(mapping: CrmMapping, arms: Sequence[str]) -> None:
    """Raises ConfigError if the mapping asks for arms that the experiment does not have."""
    problems = Problems(f"the list for {mapping.crm}")
    allowed = [*arms, HOLDOUT]
    for arm in mapping.arms or []:
        if arm not in allowed:
            rule = f"`arms` are those of the experiment: {listed(allowed)}"
            problems.add("list-arm", rule, f"`{arm}`", did_you_mean(arm, allowed), ConfigError)
    problems.stop_if_any()
