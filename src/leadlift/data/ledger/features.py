"""What was known of each lead when it was assigned, and the refusal of what became known only later."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from leadlift.base.problems import Problems, did_you_mean, share
from leadlift.data.ledger.frames import feature_kind, query_frame, quoted, text

USED = "FROM drawn WHERE NOT holdout AND NOT late AND NOT open"
ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"


def known_features(connection: Any, names: list[str] | None) -> pd.DataFrame:
    """Features of the used leads as they were known when each was assigned, a row per lead, by `lead_id`.

    Args:
        connection: inside `drawn`.
        names: which; None: all that are known.

    Raises:
        DataError: a feature is not there, or became known only after the assignment; every one is named.
    """
    ((structure,),) = connection.execute(f"SELECT json_group_structure(features::JSON)::VARCHAR {USED}").fetchall()
    held = json.loads(structure) if structure else {}
    kinds: dict[str, Any] = held if isinstance(held, dict) else {}
    wanted = list(kinds) if names is None else names
    _refuse(connection, wanted, kinds)
    if not wanted:
        return query_frame(connection, f"SELECT lead_id {USED} ORDER BY lead_id")
    types = {name: feature_kind(kinds[name]) for name in wanted}
    opened = f"json_transform(features, {text(json.dumps(types))}) AS f"
    columns = ", ".join(f"f.{quoted(name)} AS {quoted('feature ' + name)}" for name in wanted)
    query = f"SELECT lead_id, {columns} FROM (SELECT lead_id, {opened} {USED}) ORDER BY lead_id"
    frame = query_frame(connection, query)
    frame.columns = pd.Index(["lead_id", *wanted])
    return frame.assign(**{name: _moments(frame[name]) for name in wanted if types[name] == "VARCHAR"})


def logged_names(connection: Any, prefix: str) -> list[str]:
    """Features that were logged with assignments of used leads and begin so, by name, inside `drawn`."""
    query = f"SELECT DISTINCT unnest(json_keys(logged)) AS name {USED} ORDER BY name"
    return [name for (name,) in connection.execute(query).fetchall() if name.startswith(prefix)]


def _moments(column: pd.Series[Any]) -> pd.Series[Any]:
    """Times as times again: they are kept as text."""
    filled = column.dropna()
    if len(filled) and filled.str.fullmatch(ISO).all():
        return pd.to_datetime(column, format="ISO8601", utc=True)
    return column


def _refuse(connection: Any, wanted: list[str], kinds: dict[str, Any]) -> None:
    problems = Problems("the features")
    ((rows,),) = connection.execute(f"SELECT count(*) {USED}").fetchall()
    for name in [*_not_everywhere(connection, wanted), "score"]:
        late, example = _known_later(connection, name)
        if late:
            problems.add(
                "known-later",
                "a feature was known when its lead was assigned",
                f"`{name}` became known only afterwards in {share(late, rows)}, e.g. lead {example}",
                f"take `{name}` out of `leads.features`, or import what was known before, with its `known_at`",
            )
        elif name not in kinds and name != "score":
            fix = did_you_mean(name, kinds) if kinds else "import the leads with their features"
            problems.add("missing-column", "the ledger has every feature", f"`{name}` is not there", fix)
    problems.stop_if_any()


def _not_everywhere(connection: Any, wanted: list[str]) -> list[str]:
    """Features that some lead has no word of; an empty value is a word."""
    query = f"SELECT DISTINCT json_keys(features), json_keys(logged) {USED}"
    key_sets = [{*known, *logged} for known, logged in connection.execute(query).fetchall()]
    return [name for name in wanted if not all(name in keys for keys in key_sets)]


def _known_later(connection: Any, name: str) -> tuple[int, str | None]:
    """Leads that had no such feature when they were assigned, but have one now."""
    has = "{}.score IS NOT NULL" if name == "score" else "json_exists({}.features, $path)"
    logged = "" if name == "score" else "AND NOT json_exists(a.logged, $path)"
    query = f"""
        SELECT count(*), min(lead_id) FROM (SELECT * {USED}) a
        WHERE NOT {has.format("a")} {logged}
            AND EXISTS (FROM leads l WHERE l.lead_id = a.lead_id AND l.known_at > a.assigned_at AND {has.format("l")})
    """
    pointer = "/" + name.replace("~", "~0").replace("/", "~1")
    values = {} if name == "score" else {"path": pointer}
    ((late, example),) = connection.execute(query, values or None).fetchall()
    return int(late), example
