"""Mixtures and main problems as of a moment: from deals known before it, and from nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from leadlift.base.arrays import Codes, Column
from leadlift.base.problems import share, stop
from leadlift.base.records import RowAccount
from leadlift.data.cells import identifiers, times
from leadlift.data.door import to_pandas
from leadlift.problems.deals import DAY, WHERE, DealColumns, DealTable, Returns, deal_names, read_deals
from leadlift.problems.saved import SavedProblems

PREFIX = "mixture_"
# A column that no file has.
KNOWN = "known before (leadlift)"
TOO_LATE = "known after assignment"
NOT_ASKED = "of no lead"


@dataclass(frozen=True, eq=False)
class ProblemsAsOf:
    """What was known of each lead's organisation when the lead was assigned.

    Attributes:
        problem: main problem, `unknown` without a deal in any problem's products, shape (n,).
        mixtures: a column `mixture_<problem>` per problem; NaN where the problem is unknown, n rows.
        deals: where every deal went.
    """

    problem: Any
    mixtures: pd.DataFrame
    deals: RowAccount


def problems_as_of(
    saved: SavedProblems,
    deals: Any,
    organisations: Column,
    moments: Column,
    *,
    columns: DealColumns | None = None,
    returns: Returns = "refuse",
    timezone: str | None = None,
) -> ProblemsAsOf:
    """The mixture and the main problem of each lead's organisation as of the lead's moment.

    A deal enters if it was closed and known before the moment. Nothing is fitted.

    Args:
        saved: the problem model.
        deals: a row per deal, as for `ProblemModel.fit`.
        organisations: of the leads, shape (n,).
        moments: when each lead was assigned, UTC, shape (n,).
        columns: the deals' own names.
        returns: what to do with amounts below 0.
        timezone: of the deals' times that carry none; None: UTC.

    Raises:
        DataError: the model rests on deals that became known only after a lead was assigned; or the deals can't be
            used, or none was known in time.
    """
    refuse_later_model(saved, moments)
    client = identifiers(pd.Series(organisations).reset_index(drop=True))
    micro = _micro(pd.Series(moments).reset_index(drop=True))
    table, account = _in_time(to_pandas(deals), columns or DealColumns(), client, micro, returns, timezone)
    # Leads of one organisation and moment are asked for once.
    pairs = pd.MultiIndex.from_arrays([client, micro])
    code, asked = pd.factorize(pairs)
    matrix = _rows_as_of(table, asked)
    names = np.arange(len(asked)).astype(str)
    known = saved.found.known(matrix, table.products)
    mixtures = saved.found.frame(names, known)
    problem = saved.found.main(mixtures, names, known).to_numpy(dtype=object)
    lead = mixtures.iloc[code].reset_index(drop=True)
    lead.columns = pd.Index([f"{PREFIX}{name}" for name in saved.names])
    return ProblemsAsOf(problem[code], lead, account)


def refuse_later_model(saved: SavedProblems, moments: Column) -> None:
    """Raises DataError if the model rests on deals that became known only after a lead was assigned."""
    later = pd.Series(moments) <= saved.horizon
    if later.any():
        raise stop(
            "the problem model",
            "known-later",
            "only deals known before a lead is assigned decide its problem",
            f"the model rests on deals known until {saved.horizon:%Y-%m-%d %H:%M}; "
            f"{share(int(later.sum()), len(later))} leads were assigned by then",
            "find the problems as of a day before the first assignment: `as_of` in `leadlift problems`",
        )


def _micro(moments: Column) -> Any:
    return moments.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[us]").astype(np.int64)


def _in_time(
    frame: pd.DataFrame, columns: DealColumns, client: Column, micro: Any, returns: Returns, timezone: str | None
) -> tuple[DealTable, RowAccount]:
    """Deals of the leads' organisations that were known before the last of their leads was assigned."""
    names = deal_names(frame, columns, dated=True)
    known = times(frame[names["closed_at"]], timezone)
    if "known_at" in names:
        known = pd.concat([known, times(frame[names["known_at"]], timezone)], axis=1).max(axis=1, skipna=True)
    last = pd.Series(micro, index=client).groupby(level=0).max()
    asked = identifiers(frame[names["organisation"]]).map(last)
    # A deal without a time stays, to be refused by name.
    late = asked.notna() & known.notna() & ~(_micro(known.fillna(known.min())) < asked.fillna(0))
    dropped = {NOT_ASKED: int(asked.isna().sum()), TOO_LATE: int(late.sum())}
    kept = frame.assign(**{KNOWN: known})[asked.notna() & ~late]
    if kept.empty:
        lost = " and ".join(f"{n:,} {reason}" for reason, n in dropped.items() if n)
        rule, fix = "some deals of the leads' organisations were known in time", "export older deals as well"
        raise stop(WHERE, "no-deals", rule, f"of {len(frame):,} deals {lost}", fix)
    table = read_deals(
        kept, replace(columns, closed_at=KNOWN, known_at=None), returns=returns, timezone=timezone, least=1
    )
    lost_rows = {reason: n for reason, n in dropped.items() if n}
    return table, RowAccount(len(frame), table.account.used, {**lost_rows, **table.account.dropped})


def _rows_as_of(table: DealTable, asked: Any) -> Any:
    """What each organisation and moment had, sparse, shape (asked, products)."""
    row = pd.Index(table.organisations).get_indexer(asked.get_level_values(0))
    day = asked.get_level_values(1).to_numpy(dtype=np.float64) / DAY
    start, size = table.matrix.indptr[row], np.diff(table.matrix.indptr)[row]
    size = np.where(row >= 0, size, 0)
    pair = np.repeat(np.arange(len(asked)), size)
    entry = np.arange(len(pair)) - np.repeat(np.cumsum(size) - size, size) + np.repeat(start, size)
    there: Codes = np.flatnonzero(table.first_day[entry] < day[pair])
    cells = (pair[there], table.matrix.indices[entry[there]])
    return sparse.csr_array((np.ones(len(there)), cells), shape=(len(asked), len(table.products)))
