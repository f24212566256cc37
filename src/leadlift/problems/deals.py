"""Deals as they come in -> which organisation has which product since when, every row accounted for."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

from leadlift.base.arrays import Bools, Codes, Column, Floats
from leadlift.base.problems import Problems, did_you_mean, listed, nearest, share, stop
from leadlift.base.records import Check, RowAccount
from leadlift.data.cells import identifiers, numbers, times, truths
from leadlift.data.door import to_pandas
from leadlift.problems.deal_checks import deal_checks

Returns = Literal["refuse", "drop"]
WHERE = "the deals"
DAY = 86_400e6


@dataclass(frozen=True)
class DealColumns:
    """The deals' own names of what leadlift reads; None: the deals have no such column.

    Attributes:
        organisation, product: who bought what.
        closed_at: when the deal was closed.
        known_at: when it was known.
        won: whether it was won; None: every row is a deal won.
        amount: money; below 0 it is a return.
    """

    organisation: str = "organisation_id"
    product: str = "product"
    closed_at: str | None = "closed_at"
    known_at: str | None = "known_at"
    won: str | None = "won"
    amount: str | None = "amount"


@dataclass(frozen=True, eq=False)
class DealTable:
    """Products that organisations bought, as of a moment.

    Attributes:
        organisations: identifiers, sorted, shape (organisations,).
        products: names, sorted, shape (products,).
        matrix: 1 where an organisation has a product, sparse rows, shape (organisations, products).
        first_day: when it first bought it, days since 1970, in the order of `matrix.data`; NaN without dates.
        as_of: the moment that the deals were known at; None: all that there are.
        known_until: when the last of them was known; None without dates.
        account: where every row went.
        checks: what was looked at, and what to know of it.
    """

    organisations: Any
    products: Any
    matrix: Any
    first_day: Floats
    as_of: pd.Timestamp | None
    known_until: pd.Timestamp | None
    account: RowAccount
    checks: tuple[Check, ...]


def read_deals(
    deals: Any,
    columns: DealColumns | None = None,
    *,
    as_of: Any = None,
    returns: Returns = "refuse",
    timezone: str | None = None,
    least: int = 2,
) -> DealTable:
    """Reads and checks deals.

    Args:
        deals: a row per deal; a pandas, Polars or Arrow frame or a DuckDB relation.
        columns: the deals' own names; None: leadlift's. Columns that a frame may lack (`known_at`, `won`, `amount`,
            `closed_at` where no `as_of` is given) are passed over when they are not there.
        as_of: deals closed or known at this moment or later are left out; None: none are.
        returns: what to do with amounts below 0: refuse the deals, or leave those rows out and count them.
        timezone: of times that carry none; None: UTC.
        least: how many organisations and how many products there must be.

    Raises:
        DataError: the deals can't be used; every problem is named.
    """
    frame, columns = to_pandas(deals), columns or DealColumns()
    moment = None if as_of is None else _moment(as_of, timezone)
    names = deal_names(frame, columns, dated=moment is not None)
    reading = _Reading(frame, names)
    organisation, organisations = reading.codes("organisation")
    product, products = reading.codes("product")
    reading.drop("no_organisation", organisation < 0)
    reading.drop("no_product", product < 0)
    if "won" in names:
        reading.drop("lost", ~_won(reading))
    _returns(reading, returns)
    days = _days(reading, timezone)
    known = _known_days(reading, days, timezone)
    if moment is not None:
        reading.drop("after_as_of", ~(known < _day(moment)))
    reading.problems.stop_if_any()
    if not reading.kept.any():
        raise _nothing_left(reading, moment)
    table = _table(organisation, product, days, reading, organisations, products)
    _enough(table, least)
    account = reading.account()
    return DealTable(*table, moment, _last(known[reading.kept]), account, deal_checks(table[0], table[1], account))


class _Reading:
    """The rows still in, and why the others went."""

    def __init__(self, frame: pd.DataFrame, names: dict[str, str]) -> None:
        self.frame, self.names = frame, names
        self.kept = np.ones(len(frame), dtype=bool)
        self.dropped: dict[str, int] = {}
        self.problems = Problems(WHERE)

    def column(self, role: str) -> Column:
        """The column in a role."""
        return self.frame[self.names[role]]

    def drop(self, reason: str, rows: Bools) -> None:
        """Leaves rows out, unless an earlier reason did."""
        gone = int((self.kept & rows).sum())
        if gone:
            self.dropped[reason] = gone
            self.kept &= ~rows

    def codes(self, role: str) -> tuple[Codes, Codes]:
        """Number of each row's value among the sorted distinct ones, -1 for missing; and those values."""
        code, found = pd.factorize(self.column(role))
        text = identifiers(pd.Series(found))
        known = text.notna().to_numpy()
        values, back = np.unique(text[known].to_numpy(dtype=object), return_inverse=True)
        place = np.full(len(found) + 1, -1, dtype=np.intp)
        place[np.flatnonzero(known)] = back
        return place[code], values

    def account(self) -> RowAccount:
        """Where every row went."""
        return RowAccount(len(self.frame), int(self.kept.sum()), self.dropped)


def deal_names(frame: pd.DataFrame, columns: DealColumns, *, dated: bool) -> dict[str, str]:
    """Roles with a column in the frame; those that must be there and are not stop it all."""
    defaults, problems, names = DealColumns(), Problems(WHERE), {}
    for field in fields(columns):
        role, name = field.name, getattr(columns, field.name)
        optional = role not in ("organisation", "product") and name == getattr(defaults, role)
        if name is None:
            continue
        if name in frame.columns:
            names[role] = name
        elif not optional or (role == "closed_at" and dated):
            others = [str(column) for column in frame.columns]
            hint = did_you_mean(name, others)
            if nearest(name, others) is None:
                hint = f"say which it is, `{role}: NAME`; there are {listed(others)}"
            problems.add("missing-column", f"the deals have the column `{name}` ({role})", "it is not there", hint)
    problems.stop_if_any()
    if not len(frame):
        raise stop(WHERE, "empty", "there are deals", "0 rows", "export them again")
    return names


def _moment(as_of: Any, timezone: str | None) -> pd.Timestamp:
    moment = pd.Timestamp(as_of)
    return moment.tz_localize(timezone or "UTC") if moment.tzinfo is None else moment


def _won(reading: _Reading) -> Bools:
    column = reading.column("won")
    known = truths(column)
    odd = known.isna().to_numpy() & reading.kept
    if odd.any():
        reading.problems.add(
            "won",
            f"`{column.name}` says won or lost in every row",
            f"neither in {share(int(odd.sum()), len(column))}",
            "write true or false; leave open deals out",
        )
    return np.asarray(known.fillna(False).to_numpy(dtype=bool))


def _returns(reading: _Reading, returns: Returns) -> None:
    if "amount" not in reading.names:
        return
    column = reading.column("amount")
    known = numbers(column)
    unread = (known.isna() & column.notna()).to_numpy() & reading.kept
    if unread.any():
        reading.problems.add(
            "amount",
            f"the amount `{column.name}` is a number, since one below 0 is a return",
            f"none that can be read in {share(int(unread.sum()), len(column))}",
            "write numbers without a currency, or say that no column tells returns: `amount: null` (Python: "
            '`columns={"amount": None}`)',
        )
    negative = (known < 0).to_numpy() & reading.kept
    if not negative.any():
        return
    if returns == "drop":
        reading.drop("return", negative)
        return
    reading.problems.add(
        "negative-amount",
        f"the amount `{column.name}` of a deal won is 0 or more",
        f"below 0 in {share(int(negative.sum()), len(column))}",
        'leave returns and credit notes out, or say `returns: drop` (Python: `returns="drop"`)',
    )


def _days(reading: _Reading, timezone: str | None) -> Floats:
    if "closed_at" not in reading.names:
        return np.full(len(reading.frame), np.nan)
    column = reading.column("closed_at")
    days = _as_days(times(column, timezone))
    unknown = np.isnan(days) & reading.kept
    if unknown.any():
        reading.problems.add(
            "closed-at",
            f"`{column.name}` is a time in every deal won",
            f"none that can be read in {share(int(unknown.sum()), len(column))}",
            "export times in ISO 8601, year first",
        )
    return days


def _known_days(reading: _Reading, days: Floats, timezone: str | None) -> Floats:
    """When a deal was known: it closed, and someone wrote it down."""
    if "known_at" not in reading.names:
        return days
    known = _as_days(times(reading.column("known_at"), timezone))
    return np.fmax(days, known)


def _as_days(moments: Column) -> Floats:
    micro = moments.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    days = micro.astype(np.int64) / DAY
    days[np.isnat(micro)] = np.nan
    return np.asarray(days, dtype=np.float64)


def _day(moment: pd.Timestamp) -> float:
    return float(moment.timestamp() / 86_400)


def _last(days: Floats) -> pd.Timestamp | None:
    """The latest of these days; None where there are none."""
    dated = days[~np.isnan(days)]
    return pd.Timestamp(round(float(dated.max()) * DAY), unit="us", tz="UTC") if len(dated) else None


def _nothing_left(reading: _Reading, moment: pd.Timestamp | None) -> Exception:
    lost = listed(f"{reason} {n:,}" for reason, n in reading.dropped.items())
    worst = max(reading.dropped, key=lambda reason: reading.dropped[reason])
    fixes = {
        "no_organisation": f"name the column of organisations; `{reading.names['organisation']}` is empty",
        "no_product": f"name the column of products; `{reading.names['product']}` is empty",
        "lost": "deals lost show no problem; export those won",
        "after_as_of": f"choose a later date than {moment.date() if moment is not None else ''}, or export older deals",
        "return": "export the sales, not only the returns",
    }
    code = "no-names" if worst in ("no_organisation", "no_product") else "no-deals"
    return stop(WHERE, code, "deals won are left to study", f"all {len(reading.frame):,} rows went: {lost}",
                fixes[worst])  # fmt: skip


def _table(
    organisation: Codes, product: Codes, days: Floats, reading: _Reading, organisations: Any, products: Any
) -> tuple[Any, Any, Any, Floats]:
    """Only organisations and products with a deal kept; each pair once, with its first day."""
    rows = reading.kept
    organisation, organisations = _used(organisation[rows], organisations)
    product, products = _used(product[rows], products)
    key = organisation * len(products) + product
    order = np.argsort(key, kind="stable")
    key = key[order]
    start = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    first_day = np.minimum.reduceat(days[rows][order], start)
    key = key[start]
    indptr = np.searchsorted(key, np.arange(len(organisations) + 1) * len(products))
    matrix = sparse.csr_array(
        (np.ones(len(key), dtype=np.int32), key % len(products), indptr), shape=(len(organisations), len(products))
    )
    return organisations, products, matrix, first_day


def _used(code: Codes, values: Any) -> tuple[Codes, Any]:
    there = np.zeros(len(values), dtype=bool)
    there[code] = True
    return (np.cumsum(there) - 1)[code], values[there]


def _enough(table: tuple[Any, Any, Any, Floats], least: int) -> None:
    problems = Problems(WHERE)
    for name, values, words in (
        ("organisation", table[0], "several organisations"),
        ("product", table[1], "several products"),
    ):
        if len(values) < least:
            problems.add(
                f"one-{name}",
                f"problems show where {words} intersect",
                f"deals won of {len(values)} {name}",
                f"add deals, or check the column of {name}s",
            )
    problems.stop_if_any()
