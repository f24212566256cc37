"""What came of an experiment's leads: deals, touches and windows, each deal counted once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd

from leadlift.base.problems import share, stop
from leadlift.base.records import RowAccount
from leadlift.data.ledger.aliases import canonical
from leadlift.data.ledger.frames import query_frame

WHERE = "the deals"


@dataclass(frozen=True)
class Windows:
    """Which leads are asked for, and when what counts.

    Attributes:
        experiment: its name.
        window_days: days from the assignment in which a deal counts.
        touch_days: days from the assignment in which a first touch counts.
        mechanics: what counts as a touch; none: everything.
        cut_off: until when deals are known to be complete, UTC.
    """

    experiment: str
    window_days: int
    touch_days: int
    mechanics: tuple[str, ...]
    cut_off: pd.Timestamp


def complete_until(connection: Any) -> pd.Timestamp:
    """Until when the deals are complete: what the last complete import said.

    Raises:
        DataError: no deals were imported.
    """
    ((known,),) = connection.execute("SELECT max(epoch_us(complete_until)) FROM imports").fetchall()
    if known is None:
        raise stop(
            WHERE,
            "no-deals",
            "deals were imported, so that outcomes are known",
            "no complete import of deals",
            "import them: `leadlift import CONFIG deals FILE`",
        )
    return pd.Timestamp(known, unit="us", tz="UTC")


def observed_lag(connection: Any) -> float:
    """Days within which 99% of the deals were known after they closed; 0 where the deals don't say."""
    query = "SELECT quantile_disc(epoch_us(known_at) - epoch_us(closed_at), 0.99) FROM deals WHERE known_at IS NOT NULL"
    ((lag,),) = connection.execute(query).fetchall()
    return 0.0 if lag is None else float(-(-max(int(lag), 0) // 86_400_000_000))


@contextmanager
def drawn(connection: Any, windows: Windows) -> Iterator[None]:
    """Makes the temporary tables `drawn` and `credited`.

    `drawn` has a row per lead of the experiment: its assignment, `client` (its organisation, merged ones under one
    name), `ends` (of its window), `open`, and the version of it that was known when it was assigned.
    `credited` has a row per deal won and lead that it counts to, with its share: 1 for the lead that the deal names;
    without one, equal shares among the client's drawn leads of the same product, where known, whose window is open.
    """
    values = {"experiment": windows.experiment, "cut_off": windows.cut_off.isoformat()}
    with canonical(connection):
        connection.execute(_DRAWN.format(window=int(windows.window_days)), values)
        connection.execute(_CREDITED)
    try:
        yield
    finally:
        connection.execute("DROP TABLE drawn")
        connection.execute("DROP TABLE credited")


_DRAWN = """
    CREATE TEMP TABLE drawn AS
    SELECT a.* EXCLUDE (features, score, salt, row_hash), coalesce(a.score, v.score) AS score,
        coalesce(c.organisation_id, a.organisation_id) AS client, v.product,
        a.assigned_at + to_days({window}) AS ends, ends > $cut_off::TIMESTAMPTZ AS open,
        CASE WHEN a.features = '{{}}' THEN coalesce(v.features, '{{}}')
            WHEN v.features IS NULL THEN a.features
            ELSE json_merge_patch(v.features, a.features)::VARCHAR END AS features,
        a.features AS logged
    FROM (FROM assignments WHERE experiment = $experiment) a
    LEFT JOIN canonical c ON c.alias = a.organisation_id
    ASOF LEFT JOIN (
        SELECT * FROM leads QUALIFY row_number() OVER (PARTITION BY lead_id, known_at ORDER BY version DESC) = 1
    ) v ON v.lead_id = a.lead_id AND v.known_at <= a.assigned_at
"""

_CREDITED = """
    CREATE TEMP TABLE credited AS
    WITH won AS (
        SELECT d.* EXCLUDE (organisation_id), coalesce(c.organisation_id, d.organisation_id) AS client
        FROM deals d LEFT JOIN canonical c ON c.alias = d.organisation_id WHERE d.won
    )
    SELECT d.deal_id, a.lead_id, 1.0::DOUBLE AS share, d.amount
    FROM won d JOIN drawn a ON a.lead_id = d.lead_id AND d.closed_at >= a.assigned_at AND d.closed_at < a.ends
    UNION ALL
    SELECT d.deal_id, a.lead_id, 1.0 / count(*) OVER (PARTITION BY d.deal_id), d.amount
    FROM won d JOIN drawn a ON a.client = d.client AND d.closed_at >= a.assigned_at AND d.closed_at < a.ends
    WHERE d.lead_id IS NULL AND NOT a.late
        AND (d.product IS NULL OR a.product IS NULL OR d.product = a.product)
"""


def lead_outcomes(connection: Any, windows: Windows) -> pd.DataFrame:
    """A row per drawn lead, by `lead_id`, inside `drawn`.

    Returns: the assignment (`propensities` left out), `client`, `holdout`, `late`, `open`, `converted` (deals won
        within the window, shares of split ones), `revenue` and `cost` (money within the window), `touched`.
    """
    mechanics = list(windows.mechanics)
    query = f"""
        SELECT a.lead_id, a.client AS organisation_id, a.unit_id, a.round, a.stratum, a.score, a.score_group, a.problem,
            a.treatment, a.holdout, a.late, a.open, a.assigned_at,
            coalesce(d.converted, 0.0) AS converted, coalesce(d.revenue, 0.0) AS revenue,
            coalesce(t.cost, 0.0) AS cost, coalesce(t.touched, false) AS touched
        FROM drawn a
        LEFT JOIN (
            SELECT lead_id, sum(share ORDER BY deal_id) AS converted, sum(share * amount ORDER BY deal_id) AS revenue
            FROM credited GROUP BY lead_id
        ) d ON d.lead_id = a.lead_id
        LEFT JOIN (
            SELECT a.lead_id, round(sum(t.cost ORDER BY t.touch_id), 6) AS cost,
                bool_or(t.touched_at <= a.assigned_at + to_days({int(windows.touch_days)})
                    AND (len($mechanics) = 0 OR list_contains($mechanics, t.mechanic))) AS touched
            FROM drawn a JOIN touches t ON t.lead_id = a.lead_id
                AND t.touched_at >= a.assigned_at AND t.touched_at < a.ends
            GROUP BY a.lead_id
        ) t ON t.lead_id = a.lead_id
        ORDER BY a.lead_id
    """
    return query_frame(connection, query, {"mechanics": mechanics})


def deal_account(connection: Any) -> RowAccount:
    """Where every deal of the ledger went, inside `drawn`: `used` counts to leads whose outcome is used."""
    query = """
        WITH lead AS (
            SELECT lead_id, CASE WHEN holdout THEN 'holdout' WHEN late THEN 'late_lead' WHEN open THEN 'open_window'
                ELSE 'used' END AS fate FROM drawn
        ), credit AS (
            SELECT deal_id, CASE WHEN bool_or(fate = 'used') THEN 'used' ELSE min(fate) END AS fate
            FROM credited JOIN lead USING (lead_id) GROUP BY deal_id
        )
        SELECT CASE WHEN NOT d.won THEN 'lost' WHEN c.fate IS NOT NULL THEN c.fate
            WHEN l.lead_id IS NOT NULL THEN 'outside_window'
            WHEN d.lead_id IS NOT NULL THEN 'other_lead' ELSE 'no_lead' END AS fate, count(*)
        FROM deals d LEFT JOIN credit c USING (deal_id) LEFT JOIN lead l ON l.lead_id = d.lead_id
        GROUP BY 1 ORDER BY 1
    """
    found = dict(connection.execute(query).fetchall())
    used = found.pop("used", 0)
    return RowAccount(used + sum(found.values()), used, found)


def refuse_deals_without_leads(connection: Any) -> None:
    """Stops an experiment on leads whose deals don't say which lead they are of, inside `drawn`.

    Raises:
        DataError: a deal that was won in the window of one of its client's leads names no lead.
    """
    query = """
        SELECT count(DISTINCT deal_id), count(DISTINCT deal_id) FILTER (d.lead_id IS NULL)
        FROM credited c JOIN deals d USING (deal_id)
    """
    ((deals, without),) = connection.execute(query).fetchall()
    if without:
        raise stop(
            WHERE,
            "deal-without-lead",
            "with `unit: lead`, every deal says which lead it is of",
            f"no `lead_id` in {share(without, deals)}",
            "export `lead_id` with the deals, or draw organisations: `unit: organisation`",
        )
