"""Other experiments on the same organisations: shared or excluded, by declaration."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from leadlift.base.arrays import Bools, Column
from leadlift.base.experiment import ExperimentConfig
from leadlift.base.problems import Problems, did_you_mean
from leadlift.data import KeptAssignments

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
    free = np.ones(len(organisations), dtype=bool)
    reasons: dict[str, int] = {}
    for other in others:
        theirs = kept.organisations(other)
        out = _held_elsewhere(theirs, now)
        taken = theirs.loc[~theirs["holdout"], "organisation_id"]
        common = organisations.isin(taken).to_numpy() & ~held
        if common.any() and other not in (*lot.shares_with, *lot.excludes):
            _undeclared(problems, other, organisations[common].nunique(), organisations.nunique())
        if other in lot.shares_with and config.salt in {draw.salt for draw in kept.draws_of(other)}:
            _same_salt(problems, other, config.salt)
        lost = organisations.isin(out).to_numpy() & ~held & free
        _count(reasons, f"held out by {other}", lost)
        free &= ~lost
        if other in lot.excludes:
            _count(reasons, f"in {other}", common & free)
            free &= ~common
    problems.stop_if_any()
    return Neighbours(free, reasons, tuple(_not_seen(config, others)))


def _held_elsewhere(theirs: pd.DataFrame, now: pd.Timestamp) -> Column:
    until = pd.to_datetime(theirs["holdout_until"].astype("str"), utc=True, errors="coerce")
    return theirs.loc[theirs["holdout"] & (until >= now.normalize()), "organisation_id"]


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


def _same_salt(problems: Problems, other: str, salt: str) -> None:
    problems.add(
        "same-salt",
        "experiments that share organisations draw by different salts",
        f"{other} drew by `{salt}` too: the arms of one would follow the other's",
        "give this one a `salt` of its own",
    )
