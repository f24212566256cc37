"""What came of an experiment's organisations: all their deals in the window that began with their first draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Bools, Codes, Floats
from leadlift.base.problems import stop
from leadlift.base.records import RowAccount
from leadlift.data.ledger.aliases import canonical
from leadlift.data.ledger.frames import query_frame, text
from leadlift.data.ledger.outcomes import Windows


@dataclass(frozen=True, eq=False)
class OrganisationTotals:
    """A row per organisation whose window is closed, by name.

    An organisation's window begins with its first draw. All deals that it won in it count, each once: those of its
    leads, of late ones too, and those that no lead is behind.

    Attributes:
        organisation: names, shape (n,).
        arms: control first.
        arm: codes into `arms`, shape (n,).
        propensities: P(arm | not held out), shape (n, arms).
        cell: codes of stratum x propensities, shape (n,).
        groups: names of the score groups from the lowest up; none without scores.
        group: the highest of its leads' at the first draw, codes into `groups`, -1 for none, shape (n,).
        deals: deals won, shape (n,).
        revenue: their money, shape (n,).
        touched: whether a lead of its was touched within the touch window, shape (n,).
        account: where the organisations drawn went.
        deal_account: where every deal of the ledger went; used are those that count to these organisations.
    """

    organisation: np.ndarray[Any, Any]
    arms: tuple[str, ...]
    arm: Codes
    propensities: Floats
    cell: Codes
    groups: tuple[str, ...]
    group: Codes
    deals: Floats
    revenue: Floats
    touched: Bools
    account: RowAccount
    deal_account: RowAccount

    def __len__(self) -> int:
        return len(self.arm)


_CLIENTS = """
    CREATE TEMP TABLE client AS
    SELECT client, since, since + to_days({window}) AS ends, treatment, stratum, propensities, score_group,
        CASE WHEN held THEN 'holdout' WHEN arms > 1 THEN 'merged_arms' WHEN since + to_days({window}) > $cut_off
            THEN 'open_window' ELSE 'used' END AS fate
    FROM (
        SELECT client, min(assigned_at) AS since, bool_or(holdout) AS held, count(DISTINCT treatment) AS arms,
            arg_min(treatment, (assigned_at, lead_id)) AS treatment,
            arg_min(stratum, (assigned_at, lead_id)) AS stratum,
            arg_min(propensities, (assigned_at, lead_id)) AS propensities,
            max(list_position($groups, score_group)) FILTER (NOT late) AS score_group
        FROM drawn GROUP BY client
    )
"""

_WON = """
    CREATE TEMP TABLE client_deal AS
    SELECT d.deal_id, c.client, d.amount
    FROM (
        SELECT d.* EXCLUDE (organisation_id), coalesce(c.organisation_id, d.organisation_id) AS client
        FROM deals d LEFT JOIN canonical c ON c.alias = d.organisation_id
    ) d JOIN client c ON c.client = d.client AND d.won AND d.closed_at >= c.since AND d.closed_at < c.ends
"""

_TOTALS = """
    SELECT c.client, c.treatment, c.stratum, c.score_group, coalesce(d.deals, 0)::DOUBLE AS deals,
        coalesce(d.revenue, 0.0) AS revenue, coalesce(t.touched, false) AS touched, {shares}
    FROM client c
    LEFT JOIN (
        SELECT client, count(*) AS deals, sum(amount ORDER BY deal_id) AS revenue FROM client_deal GROUP BY client
    ) d ON d.client = c.client
    LEFT JOIN (
        SELECT a.client, true AS touched FROM drawn a JOIN touches t ON t.lead_id = a.lead_id
            AND NOT a.late AND t.touched_at >= a.assigned_at AND t.touched_at <= a.assigned_at + to_days({touch})
            AND (len($mechanics) = 0 OR list_contains($mechanics, t.mechanic))
        GROUP BY a.client
    ) t ON t.client = c.client
    WHERE c.fate = 'used' ORDER BY c.client
"""


def organisation_totals(
    connection: Any, windows: Windows, arms: Sequence[str], groups: Sequence[str]
) -> OrganisationTotals:
    """The totals of all organisations drawn, inside `drawn`.

    Args:
        connection: to the ledger.
        windows: which experiment, and what counts when.
        arms: of all draws, control first.
        groups: names of the score groups from the lowest up.

    Raises:
        DataError: no organisation's window is closed.
    """
    window, touch = int(windows.window_days), int(windows.touch_days)
    given = {"groups": list(groups), "cut_off": windows.cut_off.isoformat()}
    connection.execute(_CLIENTS.format(window=window).replace("$cut_off", "$cut_off::TIMESTAMPTZ"), given)
    shares = ", ".join(f"coalesce(c.propensities[{text(arm)}], 0.0) AS p{k}" for k, arm in enumerate(arms))
    query = _TOTALS.format(shares=shares, touch=touch)
    try:
        with canonical(connection):
            connection.execute(_WON)
            frame = query_frame(connection, query, {"mechanics": list(windows.mechanics)})
            return _totals(frame, tuple(arms), tuple(groups), _account(connection), _deals(connection))
    finally:
        for name in ("client_deal", "client"):
            connection.execute(f"DROP TABLE IF EXISTS {name}")


def _account(connection: Any) -> RowAccount:
    found = dict(connection.execute("SELECT fate, count(*) FROM client GROUP BY fate ORDER BY fate").fetchall())
    used = found.pop("used", 0)
    return RowAccount(used + sum(found.values()), used, found)


def _deals(connection: Any) -> RowAccount:
    """Where every deal went: lost, of an organisation that was not drawn or is not used, or outside its window."""
    query = """
        SELECT CASE WHEN NOT d.won THEN 'lost' WHEN c.client IS NULL THEN 'other_organisation'
            WHEN c.fate <> 'used' THEN c.fate WHEN w.deal_id IS NULL THEN 'outside_window' ELSE 'used' END AS went,
            count(*)
        FROM deals d LEFT JOIN canonical n ON n.alias = d.organisation_id
        LEFT JOIN client c ON c.client = coalesce(n.organisation_id, d.organisation_id)
        LEFT JOIN client_deal w ON w.deal_id = d.deal_id GROUP BY 1 ORDER BY 1
    """
    found = dict(connection.execute(query).fetchall())
    used = found.pop("used", 0)
    return RowAccount(used + sum(found.values()), used, found)


def _totals(
    frame: pd.DataFrame, arms: tuple[str, ...], groups: tuple[str, ...], account: RowAccount, deals: RowAccount
) -> OrganisationTotals:
    if frame.empty:
        raise stop(
            "the organisations",
            "all-open",
            "some organisations have a closed window",
            f"none of {account.read:,}",
            "wait, or import later deals: `leadlift import CONFIG deals FILE`",
        )
    matrix = frame[[f"p{k}" for k in range(len(arms))]].to_numpy(dtype=np.float64)
    stratum = pd.factorize(frame["stratum"], sort=True)[0]
    keys = np.column_stack([stratum, np.round(matrix, 12)])
    group = frame["score_group"].fillna(0).to_numpy(dtype=np.intp) - 1
    return OrganisationTotals(
        organisation=frame["client"].to_numpy(dtype=object),
        arms=arms,
        arm=pd.Index(arms, dtype=object).get_indexer(pd.Index(frame["treatment"], dtype=object)),
        propensities=matrix,
        cell=np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1).astype(np.intp),
        groups=groups if (group >= 0).any() else (),
        group=group,
        deals=frame["deals"].to_numpy(dtype=np.float64),
        revenue=frame["revenue"].to_numpy(dtype=np.float64),
        touched=frame["touched"].to_numpy(dtype=bool),
        account=account,
        deal_account=deals,
    )
