"""What the checks ask of a ledger: its chain, its units, and counts of what should not be there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from leadlift.data.assignment_tables import PREFIX
from leadlift.data.assignments import DrawInfo
from leadlift.data.ledger.aliases import canonical, merged_arms
from leadlift.data.ledger.chain import ChainCheck, verify
from leadlift.data.ledger.frames import query_frame, quoted, text
from leadlift.data.ledger.outcomes import Windows, drawn


@dataclass(frozen=True, eq=False)
class LedgerFacts:
    """One experiment in a ledger, as far as checks need it.

    Attributes:
        chain: whether the assignments are those that were appended.
        draws: what each draw says of itself, by its batch.
        units: a row per unit that the lot drew, by `unit_id`: `batch` and `stratum` of its first lead, `treatment`,
            `arms` and `chances` (how many different ones its leads have), `leads`, `late`, `assigned_at`, and a
            `propensity_<arm>` per arm.
        leads: leads by where they stand: `used`, `open`, `late`, `holdout`.
        touched: a row per arm, of used leads: `treatment`, `leads`, `touched`; empty where no touches were imported.
        first_touches, closed_before: used leads with a touch, and those of them with a deal closed before it.
        already_won: used leads of which a deal had been won before they were assigned.
        deals_won, deals_repeated: won deals of the experiment's clients, and those that repeat another one but for
            their identifier.
        currencies: won deals by currency; "" where none is given.
        holdout_leads, holdout_touched: leads held out, and those touched before the holdout's end.
        holdout_assigned: organisations held out by some experiment and drawn by this one before the holdout's end.
        overlaps: a row per other experiment, its arm and the arm here: `experiment`, `theirs`, `treatment`, `clients`
            that both drew within one window.
        merged: merged organisations whose leads were drawn into different arms, in words.
        forgotten: assignments of this experiment that were erased on request.
    """

    chain: ChainCheck
    draws: Mapping[int, DrawInfo]
    units: pd.DataFrame
    leads: Mapping[str, int]
    touched: pd.DataFrame
    first_touches: int
    closed_before: int
    already_won: int
    deals_won: int
    deals_repeated: int
    currencies: Mapping[str, int]
    holdout_leads: int
    holdout_touched: int
    holdout_assigned: int
    overlaps: pd.DataFrame
    merged: tuple[str, ...]
    forgotten: int

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms of all draws."""
        return tuple(name.removeprefix(PREFIX) for name in self.units.columns if str(name).startswith(PREFIX))


def ledger_facts(connection: Any, windows: Windows) -> LedgerFacts:
    """The facts of one experiment.

    Args:
        connection: to the ledger, which is only read.
        windows: of the experiment.
    """
    draws = _draws(connection, windows.experiment)
    arms = list(dict.fromkeys(arm for draw in draws.values() for arm in draw.arms))
    with drawn(connection, windows), canonical(connection):
        touches, closed_before = _first_touches(connection, windows)
        return LedgerFacts(
            chain=verify(connection),
            draws=draws,
            units=_units(connection, arms),
            leads=_counts(connection, _STANDING),
            touched=_touched(connection, windows),
            first_touches=touches,
            closed_before=closed_before,
            already_won=_number(connection, _ALREADY_WON),
            deals_won=_number(connection, f"SELECT count(*) FROM ({_WON})"),
            deals_repeated=_number(connection, _REPEATED),
            currencies=_counts(connection, _CURRENCIES),
            holdout_leads=_number(connection, "SELECT count(*) FROM drawn WHERE holdout"),
            holdout_touched=_number(connection, _HOLDOUT_TOUCHED, {"experiment": windows.experiment}),
            holdout_assigned=_number(connection, _HOLDOUT_ASSIGNED),
            overlaps=_overlaps(connection, windows),
            merged=tuple(merged_arms(connection, windows.experiment)),
            forgotten=_number(connection, _FORGOTTEN, {"experiment": windows.experiment}),
        )


def _draws(connection: Any, experiment: str) -> dict[int, DrawInfo]:
    query = "SELECT batch, info FROM batches WHERE experiment = $experiment ORDER BY batch"
    rows = connection.execute(query, {"experiment": experiment}).fetchall()
    return {batch: _info(json.loads(info)) for batch, info in rows}


def _info(held: dict[str, Any]) -> DrawInfo:
    cuts = held["score_cuts"]
    return DrawInfo(**{**held, "arms": tuple(held["arms"]), "score_cuts": None if cuts is None else tuple(cuts)})


def _number(connection: Any, query: str, values: Mapping[str, Any] | None = None) -> int:
    ((number,),) = connection.execute(query, dict(values) if values else None).fetchall()
    return int(number or 0)


def _counts(connection: Any, query: str) -> dict[str, int]:
    return {str(name): int(n) for name, n in connection.execute(query).fetchall()}


def _units(connection: Any, arms: list[str]) -> pd.DataFrame:
    wide = ", ".join(f"coalesce(chance[{text(arm)}], 0.0) AS {quoted(PREFIX + arm)}" for arm in arms)
    query = f"""
        SELECT * EXCLUDE (chance), {wide} FROM (
            SELECT unit_id, min(batch) AS batch, first(stratum ORDER BY batch, place) AS stratum,
                first(treatment ORDER BY batch, place) AS treatment, count(DISTINCT treatment) AS arms,
                count(DISTINCT propensities) AS chances, count(*) AS leads, count(*) FILTER (late) AS late,
                min(assigned_at) AS assigned_at, first(propensities ORDER BY batch, place) AS chance
            FROM drawn WHERE NOT holdout GROUP BY unit_id
        ) ORDER BY unit_id
    """
    return query_frame(connection, query)


_STANDING = """
    SELECT CASE WHEN holdout THEN 'holdout' WHEN late THEN 'late' WHEN open THEN 'open' ELSE 'used' END, count(*)
    FROM drawn GROUP BY 1 ORDER BY 1
"""

_TOUCH = "(len($mechanics) = 0 OR list_contains($mechanics, t.mechanic))"


def _touched(connection: Any, windows: Windows) -> pd.DataFrame:
    query = f"""
        SELECT treatment, count(*) AS leads, count(*) FILTER (lead_id IN (
            SELECT a.lead_id FROM drawn a JOIN touches t ON t.lead_id = a.lead_id AND t.touched_at >= a.assigned_at
                AND t.touched_at <= a.assigned_at + to_days({int(windows.touch_days)}) WHERE {_TOUCH}
        )) AS touched
        FROM drawn WHERE NOT holdout AND NOT late AND NOT open AND EXISTS (FROM touches)
        GROUP BY treatment ORDER BY treatment
    """
    return query_frame(connection, query, {"mechanics": list(windows.mechanics)})


def _first_touches(connection: Any, windows: Windows) -> tuple[int, int]:
    query = f"""
        WITH first AS (
            SELECT a.lead_id, min(t.touched_at) AS touched_at FROM drawn a JOIN touches t ON t.lead_id = a.lead_id
                AND t.touched_at >= a.assigned_at AND t.touched_at < a.ends
            WHERE NOT a.holdout AND NOT a.late AND NOT a.open AND {_TOUCH} GROUP BY a.lead_id
        )
        SELECT count(*), count(*) FILTER (EXISTS (
            FROM deals d JOIN drawn a ON a.lead_id = d.lead_id
            WHERE d.lead_id = first.lead_id AND d.closed_at >= a.assigned_at AND d.closed_at < first.touched_at
        )) FROM first
    """
    ((touches, before),) = connection.execute(query, {"mechanics": list(windows.mechanics)}).fetchall()
    return int(touches), int(before)


_ALREADY_WON = """
    SELECT count(DISTINCT a.lead_id) FROM drawn a JOIN deals d ON d.lead_id = a.lead_id
    WHERE d.won AND d.closed_at < a.assigned_at AND NOT a.holdout AND NOT a.late
"""

_WON = """
    SELECT d.* FROM deals d LEFT JOIN canonical c ON c.alias = d.organisation_id
    WHERE d.won AND coalesce(c.organisation_id, d.organisation_id) IN (SELECT client FROM drawn)
"""

_REPEATED = f"""
    SELECT coalesce(sum(n - 1), 0) FROM (
        SELECT count(*) AS n FROM ({_WON})
        GROUP BY organisation_id, product, lead_id, closed_at, amount, currency HAVING count(*) > 1
    )
"""

_CURRENCIES = f"SELECT coalesce(currency, ''), count(*) FROM ({_WON}) GROUP BY 1 ORDER BY 2 DESC, 1"

# The day on which a draw's holdout ends, kept beside the draw.
_UNTIL = "TRY_CAST(b.info->>'holdout_until' AS DATE)"

_HOLDOUT_TOUCHED = f"""
    SELECT count(DISTINCT a.lead_id)
    FROM drawn a JOIN touches t ON t.lead_id = a.lead_id AND t.touched_at >= a.assigned_at
        JOIN batches b ON b.batch = a.batch AND b.experiment = $experiment
    WHERE a.holdout AND ({_UNTIL} IS NULL OR t.touched_at < {_UNTIL} + INTERVAL 1 DAY)
"""

_HOLDOUT_ASSIGNED = f"""
    SELECT count(DISTINCT a.client) FROM drawn a JOIN (
        SELECT coalesce(c.organisation_id, h.organisation_id) AS client, max({_UNTIL}) AS until,
            min(h.assigned_at) AS since
        FROM assignments h JOIN batches b ON b.batch = h.batch LEFT JOIN canonical c ON c.alias = h.organisation_id
        WHERE h.holdout GROUP BY 1
    ) held USING (client)
    WHERE NOT a.holdout AND a.assigned_at >= held.since
        AND (held.until IS NULL OR a.assigned_at < held.until + INTERVAL 1 DAY)
"""


def _overlaps(connection: Any, windows: Windows) -> pd.DataFrame:
    days = int(windows.window_days)
    query = f"""
        SELECT o.experiment, o.treatment AS theirs, a.treatment, count(DISTINCT a.client) AS clients
        FROM (SELECT client, treatment, min(assigned_at) AS assigned_at FROM drawn WHERE NOT holdout GROUP BY ALL) a
        JOIN (
            SELECT o.experiment, coalesce(c.organisation_id, o.organisation_id) AS client, o.treatment,
                min(o.assigned_at) AS assigned_at
            FROM assignments o LEFT JOIN canonical c ON c.alias = o.organisation_id
            WHERE NOT o.holdout AND o.experiment <> $experiment GROUP BY ALL
        ) o ON o.client = a.client AND abs(epoch(o.assigned_at) - epoch(a.assigned_at)) < {days * 86_400}
        GROUP BY ALL ORDER BY ALL
    """
    return query_frame(connection, query, {"experiment": windows.experiment})


_FORGOTTEN = "SELECT count(*) FROM forgotten JOIN batches USING (batch) WHERE experiment = $experiment"


def assigned_leads(connection: Any, experiment: str) -> pd.DataFrame:
    """Every lead that the experiment drew, by `lead_id`, with its `unit_id`, `batch`, `stratum` and `treatment`."""
    query = """
        SELECT lead_id, unit_id, batch, stratum, treatment FROM assignments
        WHERE experiment = $experiment AND NOT holdout ORDER BY lead_id
    """
    return query_frame(connection, query, {"experiment": experiment})
