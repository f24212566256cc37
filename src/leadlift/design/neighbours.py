"""Other experiments on the same organisations: shared or excluded, by declaration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Bools, Codes, Column
from leadlift.base.experiment import ExperimentConfig
from leadlift.base.problems import Problems, did_you_mean
from leadlift.data import DrawInfo, KeptAssignments
from leadlift.design.holdout import held_out

WHERE = "the other experiments"


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Which new leads belong to other experiments.

    Attributes:
        free: leads that this experiment may draw, shape (n,).
        reasons: leads that it may not, counted by reason.
        notes: what should be said.
    """

    free: Bools
    reasons: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def neighbours(
    organisations: Column, held: Bools, config: ExperimentConfig, kept: KeptAssignments, *, now: pd.Timestamp
) -> Neighbours:
    """Leaves out organisations that other experiments exclude or hold out.

    Args:
        organisations: of each new lead, shape (n,).
        held: whether this experiment's own holdout has it, shape (n,).
        config: names the experiments it shares organisations with, and those it excludes.
        kept: what was drawn so far.
        now: holdouts that end before it are over.

    Raises:
        DataError: organisations in another experiment that the configuration names in neither list.
    """
    lot, problems = config.experiment, Problems(WHERE)
    others = [name for name in kept.experiments if name != config.name]
    # Organisations are looked up once each, not once per lead.
    code, names = pd.factorize(organisations, use_na_sentinel=False)
    held = _any(held, code, len(names))
    free = np.ones(len(names), dtype=bool)
    reasons: dict[str, int] = {}
    notes: list[str] = []
    for other in others:
        theirs = _met(names, kept.organisations(other), now)
        common = theirs.drawn & ~held
        if common.any() and other not in (*lot.shares_with, *lot.excludes):
            _undeclared(problems, other, int(common.sum()), len(names))
        _refuse_same_salts(problems, other, config, kept.draws_of(other))
        touched = int((theirs.drawn & held).sum())
        if touched:
            notes.append(f"organisations held out here that are in {other}, which may touch them: {touched:,}")
        lost = _held_elsewhere(names, theirs, kept.draws_of(other), now) & ~held & free
        _count(reasons, f"held out by {other}", lost[code])
        free &= ~lost
        if other in lot.excludes:
            _count(reasons, f"in {other}", (common & free)[code])
            free &= ~common
    problems.stop_if_any()
    return Neighbours(free[code], reasons, (*notes, *_not_seen(config, others)))


@dataclass(frozen=True, eq=False)
class _Met:
    """What another experiment did with each organisation: met it, drew it, holds it out today; each of shape (n,)."""

    met: Bools
    drawn: Bools
    held: Bools


def _met(names: Any, theirs: pd.DataFrame, now: pd.Timestamp) -> _Met:
    place = pd.Index(theirs["organisation_id"]).get_indexer(pd.Index(names))
    met, holdout = place >= 0, theirs["holdout"].to_numpy(dtype=bool)
    until = pd.to_datetime(theirs["holdout_until"].astype("str"), utc=True, errors="coerce")
    today = holdout & (until > now.normalize()).to_numpy()
    return _Met(met, met & ~_at(holdout, place), met & _at(today, place))


def _at(values: Bools, place: Codes) -> Bools:
    return values[place] if len(values) else np.zeros(len(place), dtype=bool)


def _any(values: Bools, code: Codes, n: int) -> Bools:
    return np.bincount(code, weights=values, minlength=n) > 0


def _held_elsewhere(names: Any, theirs: _Met, draws: Sequence[DrawInfo], now: pd.Timestamp) -> Bools:
    """Which organisations another experiment holds out today, those that it has not met yet by its holdout's lot."""
    out, strangers = theirs.held.copy(), ~theirs.met
    for share, salt in {(held["share"], held["salt"]) for held in _holdouts(draws, now)}:
        out[strangers] |= held_out(pd.Series(names[strangers]), share, salt)
    return out


def _holdouts(draws: Sequence[DrawInfo], now: pd.Timestamp | None = None) -> list[Mapping[str, Any]]:
    """The holdouts of these draws; with a day, those that have not ended by it."""
    found = [draw.settings.get("holdout") for draw in draws]
    return [held for held in found if held and (now is None or date.fromisoformat(held["until"]) > now.date())]


def _refuse_same_salts(problems: Problems, other: str, config: ExperimentConfig, draws: Sequence[DrawInfo]) -> None:
    """Two lots by one salt are one lot: one would follow the other."""
    lots, holdouts = {draw.salt for draw in draws}, {held["salt"] for held in _holdouts(draws)}
    if other in config.experiment.shares_with and config.salt in lots:
        _same_salt(problems, f"{other} drew by `{config.salt}` too: the arms of one would follow the other's")
    if config.salt in holdouts:
        _same_salt(problems, f"{other} holds out by `{config.salt}`: arms would follow its holdout")
    holdout = config.experiment.holdout
    if holdout is not None and holdout.salt in lots:
        _same_salt(problems, f"{other} drew by `{holdout.salt}`: this holdout would follow its arms")


def _count(reasons: dict[str, int], reason: str, which: Bools) -> None:
    if which.any():
        reasons[reason] = int(which.sum())


def _not_seen(config: ExperimentConfig, others: list[str]) -> list[str]:
    notes = []
    for key in ("excludes", "shares_with"):
        for name in getattr(config.experiment, key):
            if name not in others:
                hint = f" ({did_you_mean(name, others)})" if others else ""
                notes.append(f"`{key}` names {name}, which has no assignments here yet{hint}")
    return notes


def _undeclared(problems: Problems, other: str, common: int, organisations: int) -> None:
    problems.add(
        "overlap",
        "experiments share or exclude each other's organisations by declaration",
        f"{common:,} of {organisations:,} new organisations are in {other} too",
        f"`excludes: [{other}]` leaves them out, `shares_with: [{other}]` draws them as well",
    )


def _same_salt(problems: Problems, found: str) -> None:
    rule = "experiments that know each other draw by different salts"
    problems.add("same-salt", rule, found, "give this one a `salt` of its own")
