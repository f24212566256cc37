"""A list to act on: whom to touch, by which arm, and why. It needs no lot, and is no evidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Floats
from leadlift.base.errors import ConfigError
from leadlift.base.problems import did_you_mean, share, stop
from leadlift.data.door import to_pandas
from leadlift.decide.leads import Leads
from leadlift.decide.lines import by_organisation, ranking_of
from leadlift.decide.strategies import Strategy
from leadlift.design.crm_list import safe_table

WHERE = "the list to act on"
WARNING = (
    "Acting on this list without a lot ends the evidence: whoever is touched is then chosen, and no later log can tell "
    "what the touch did. Keep drawing by lot who is touched among some of the leads (`leadlift assign`)."
)


def act_list(
    leads: Leads | Any,
    strategy: Strategy,
    capacity: int,
    *,
    lead_id: Any = None,
    organisation: Any = None,
    treatment: str | None = None,
    score: str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Whom to touch by one strategy, the first to be touched first; every cell harmless to a spreadsheet.

    Leads of one number share a place: who of them is on the list is drawn.

    Args:
        leads: what a strategy may look at, or a plain frame of leads: a list needs no lot.
        strategy: the rule.
        capacity: how many touches.
        lead_id: identifier of each lead, shape (n,), or the name of a frame's column; None: the row number.
        organisation: organisation of each lead where organisations are touched as a whole: those that still fit.
        treatment: the arm; None: the one that the strategy chooses, or the only one.
        score: the score's column, of a frame.
        seed: of the draw among equals.

    Returns: `place`, `lead_id`, `touch` (where an arm is known), `reason`.

    Raises:
        ConfigError: more touches than leads, or an arm that is none.
        DataError: the strategy can't rank these leads.

    Examples:
        >>> from leadlift.decide import RepresentativesPick
        >>> frame = pd.DataFrame({"id": ["=a", "b", "c"], "pick": [2, 1, None]})
        >>> act_list(frame, RepresentativesPick("pick"), 2, lead_id="id")[["place", "lead_id"]].values.tolist()
        [[1, 'b'], [2, "'=a"]]
    """
    if not isinstance(leads, Leads):
        frame = to_pandas(leads)
        lead_id = frame[_column(frame, lead_id)] if isinstance(lead_id, str) else lead_id
        given = None if score is None else frame[_column(frame, score)].to_numpy(dtype=np.float64)
        leads = Leads(frame.reset_index(drop=True), given, (), ())
    if not 1 <= capacity <= len(leads):
        found = f"{capacity:,} touches for {len(leads):,} leads"
        raise stop(WHERE, "capacity", "there are at least as many leads as touches", found, "lower it", ConfigError)
    if organisation is not None and (nameless := int(pd.isna(np.asarray(organisation, dtype=object)).sum())):
        rule, found = (
            "every lead has an organisation, which is touched whole",
            share(nameless, len(leads)) + " have none",
        )
        raise stop(WHERE, "no-organisation", rule, found, "fill it in, or leave these leads out")
    ranking = ranking_of(strategy, leads)
    shown, arm = _chosen(ranking, leads, treatment)
    priority = shown if organisation is None else by_organisation(shown, pd.factorize(np.asarray(organisation))[0])
    order = _first(priority, capacity, organisation, seed)
    names = np.arange(len(leads)) if lead_id is None else np.asarray(lead_id, dtype=object)
    listed = pd.DataFrame({"place": np.arange(1, len(order) + 1), "lead_id": names[order]})
    if leads.arms:
        listed["touch"] = np.array(leads.arms, dtype=object)[arm[order]]
    listed["reason"] = _reasons(strategy, leads, shown, order)
    return safe_table(listed)


def _column(frame: pd.DataFrame, name: str) -> str:
    if name not in frame.columns:
        hint = did_you_mean(name, map(str, frame.columns))
        raise stop(WHERE, "missing-column", f"`{name}` is a column of the leads", "there is none", hint)
    return name


def _chosen(ranking: Floats, leads: Leads, treatment: str | None) -> tuple[Floats, Codes]:
    """Each lead's number, and its arm."""
    if treatment is not None and treatment not in leads.arms:
        hint = did_you_mean(treatment, leads.arms)
        raise stop(WHERE, "treatment", "`treatment` is an arm that touches", f"`{treatment}`", hint, ConfigError)
    if ranking.ndim == 2 and treatment is None:
        return ranking.max(axis=1), ranking.argmax(axis=1)
    if treatment is None and len(leads.arms) > 1:
        rule, found = "the list says by which arm", f"there are {', '.join(leads.arms)}"
        raise stop(WHERE, "treatment", rule, found, "name it: `decide.act.treatment`", ConfigError)
    arm = 0 if treatment is None else leads.arms.index(treatment)
    return ranking if ranking.ndim == 1 else ranking[:, arm], np.full(len(leads), arm)


def _first(priority: Floats, capacity: int, organisation: Any, seed: int) -> Codes:
    """The leads on the list, in order; organisations whole, as long as they fit."""
    n = len(priority)
    owner = np.arange(n) if organisation is None else pd.factorize(np.asarray(organisation))[0]
    lot = np.random.default_rng([seed, 9]).permutation(int(owner.max()) + 1)[owner]
    order = np.lexsort((np.arange(n), lot, -priority))
    order = order[priority[order] > -np.inf]
    if organisation is None:
        return order[:capacity]
    ends = np.flatnonzero(np.r_[np.diff(owner[order]) != 0, True]) + 1
    return order[: ends[ends <= capacity].max(initial=0)]


def _reasons(strategy: Strategy, leads: Leads, shown: Floats, order: Codes) -> list[str]:
    """Why each lead is on the list; a strategy with `reasons` says more than its number."""
    said = [_reason(strategy, leads, value) for value in shown[order]]
    more = getattr(strategy, "reasons", None)
    if more is None:
        return said
    each = more(leads)
    return [f"{words} ({each[row]})" for words, row in zip(said, order, strict=True)]


def _reason(strategy: Strategy, leads: Leads, value: float) -> str:
    name = strategy.name.replace("_", " ")
    if getattr(strategy, "ties", False):
        return f"{name}: by lot"
    if leads.uplift is not None and getattr(strategy, "learns", False):
        return f"{name}: predicted {value:+.4g}"
    return f"{name}: {value:.4g}"
