"""Strategies: rules that rank leads. Each has a name, the columns it needs, and `rank`; anyone can add one.

    class BigFirst:
        name = "big_first"
        needs = ("employees",)

        def rank(self, leads):
            return leads["employees"].fillna(0).to_numpy()

    run_study(config, strategies=[BigFirst()])

`rank` gives each lead a number, the highest first. Equal numbers share what is left of the capacity; -inf: never touch.
With several arms it may give a column per arm, in the order of `leads.arms`: a lead then gets the arm whose number is
highest. A strategy that follows a fitted model says `learns = True` and finds predictions in `leads.uplift`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from leadlift.base.arrays import Floats, floats
from leadlift.base.problems import listed, stop
from leadlift.data.columns import labels
from leadlift.decide.leads import Leads

NEVER = -np.inf


class Strategy(Protocol):
    """A rule of whom to touch; see the module for an example."""

    @property
    def name(self) -> str:
        """What it is called in results."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns of the leads, known before the lot."""

    def rank(self, leads: Leads) -> Any:
        """A number per lead (or per lead and arm), the highest first."""


def learns(strategy: Strategy) -> bool:
    """Whether a fitted model orders the leads, so that the strategy is judged sequentially."""
    return bool(getattr(strategy, "learns", False))


def follows_score(strategy: Strategy) -> bool:
    """Whether the score orders the leads: a score that was estimated from the log makes the strategy a learned one."""
    return bool(getattr(strategy, "follows_score", False))


def learner_of(strategy: Strategy) -> str | None:
    """Whose predictions it follows; None: the study's choice."""
    return getattr(strategy, "learner", None)


def reference(strategy: Strategy) -> bool:
    """Whether it is a line to compare with and no rule that a capacity limits: everyone, no one."""
    return bool(getattr(strategy, "reference", False))


def score_of(leads: Leads, name: str) -> Floats:
    """The leads' score.

    Raises:
        DataError: they have none that came with them.
    """
    if leads.score is None:
        raise stop(
            f"the strategy `{name}`",
            "no-score",
            "the strategy orders leads by a score that came with them",
            "the log has none",
            "name the team's score (`data.score`), or leave the strategy out",
        )
    return leads.score


def _edge(leads: Leads, given: float | None, place: int, name: str) -> float:
    """A score that a strategy was given, else a cut of the score groups."""
    if given is not None:
        return given
    if not leads.cuts:
        rule, fix = "there are score groups, or the strategy names its scores", "`score_groups.cuts`, or `dead: 0.1`"
        raise stop(f"the strategy `{name}`", "no-cuts", rule, "neither", fix)
    return leads.cuts[place]


@dataclass(frozen=True)
class ScoreFirst:
    """The likeliest first."""

    name: str = "score_first"
    needs: tuple[str, ...] = ()
    follows_score: bool = True

    def rank(self, leads: Leads) -> Floats:
        """The score."""
        return score_of(leads, self.name)


@dataclass(frozen=True)
class FenceSittersFirst:
    """The middle of the score first: the likeliest buy anyway, the dead do not buy at all."""

    name: str = "fence_sitters_first"
    middle: float | None = None
    needs: tuple[str, ...] = ()
    follows_score: bool = True

    def rank(self, leads: Leads) -> Floats:
        """Nearness to the middle score."""
        score = score_of(leads, self.name)
        middle = (_edge(leads, self.middle, 0, self.name) + _edge(leads, self.middle, -1, self.name)) / 2
        nearness: Floats = -np.abs(score - middle)
        return nearness


@dataclass(frozen=True)
class SkipTheDead:
    """Never the low group; the others by score."""

    name: str = "skip_the_dead"
    dead: float | None = None
    needs: tuple[str, ...] = ()
    follows_score: bool = True

    def rank(self, leads: Leads) -> Floats:
        """The score, from the first cut on."""
        score = score_of(leads, self.name)
        return np.where(score < _edge(leads, self.dead, 0, self.name), NEVER, score)


@dataclass(frozen=True)
class Triage:
    """Neither those who close anyway nor those who won't; the rest by need for attention.

    Need is a column (larger: more), else a low score.
    """

    name: str = "triage"
    column: str | None = None
    dead: float | None = None
    sure: float | None = None
    follows_score: bool = True

    @property
    def needs(self) -> tuple[str, ...]:
        """The column of need."""
        return () if self.column is None else (self.column,)

    def rank(self, leads: Leads) -> Floats:
        """Need between the cuts; unknown need comes last there."""
        score = score_of(leads, self.name)
        low, high = _edge(leads, self.dead, 0, self.name), _edge(leads, self.sure, -1, self.name)
        need = -score if self.column is None else number_of(leads, self.column, self.name)
        need = np.where(np.isnan(need), np.nanmin(need) - 1 if np.isfinite(need).any() else 0.0, need)
        return np.where((score < low) | (score >= high), NEVER, need)


@dataclass(frozen=True)
class RepresentativesPick:
    """What the representative said before the lot: a rank (1 is first) or a tick."""

    column: str
    name: str = "representatives_pick"

    @property
    def needs(self) -> tuple[str, ...]:
        """The column of the pick."""
        return (self.column,)

    def rank(self, leads: Leads) -> Floats:
        """Ticked first, or by rank; leads without a rank come last."""
        column = leads[self.column]
        if not pd.api.types.is_numeric_dtype(column.dtype):
            return ticks(column, self.name)
        values = floats(column)
        if np.isin(values[np.isfinite(values)], (0.0, 1.0)).all():
            return np.nan_to_num(values, nan=0.0)
        last = np.nanmax(values) + 1 if np.isfinite(values).any() else 0.0
        return -np.where(np.isnan(values), last, values)


YES, NO = frozenset({"yes", "true", "x", "1", "y"}), frozenset({"no", "false", "", "0", "n"})


def ticks(column: Any, name: str) -> Floats:
    """1 for a tick, 0 for none, shape (n,); missing is none.

    Raises:
        DataError: other words.
    """
    words = column.astype("str").str.strip().str.lower().where(column.notna(), "")
    unknown = sorted(set(words) - YES - NO)
    if unknown:
        rule = "a pick is a rank, or a tick in the words yes and no"
        found, fix = f"`{column.name}` holds {listed(unknown, 5)}", "export ranks, or yes and no"
        raise stop(f"the strategy `{name}`", "unknown-word", rule, found, fix)
    return np.asarray(words.isin(YES), dtype=np.float64)


def number_of(leads: Leads, column: str, name: str) -> Floats:
    """A column of numbers; missing ones are NaN.

    Raises:
        DataError: the column holds words.
    """
    values = leads[column]
    if not pd.api.types.is_numeric_dtype(values.dtype):
        words = listed(sorted(map(str, values.dropna().unique()))[:50], 5)
        rule, fix = f"`{column}` is a number", "name a column of numbers"
        raise stop(f"the strategy `{name}`", "text-in-number", rule, f"it holds {words}", fix)
    numbers = floats(values)
    if len(numbers) and np.isnan(numbers).all():
        rule, fix = f"some lead has a number in `{column}`", "fill it, or name another column"
        raise stop(f"the strategy `{name}`", "empty-column", rule, f"none of {len(numbers):,} has", fix)
    known = numbers[~np.isnan(numbers)]
    if len(numbers) > 1 and len(known) == len(numbers) and known.min() == known.max():
        rule, found = f"`{column}` tells leads apart", f"it is {known[0]:g} for all {len(numbers):,}"
        raise stop(f"the strategy `{name}`", "strategy-ties", rule, found, "name another column, or none")
    return numbers


@dataclass(frozen=True)
class UpliftFirst:
    """The largest predicted uplift first."""

    name: str = "uplift_first"
    learner: str | None = None
    needs: tuple[str, ...] = ()
    learns: bool = True

    def rank(self, leads: Leads) -> Floats:
        """Predicted uplift of each arm."""
        return predicted(leads, self.name)


@dataclass(frozen=True)
class UpliftValueFirst:
    """Predicted uplift x what a deal is worth, less the touch's cost; no lead whose touch would not pay."""

    name: str = "uplift_value_first"
    learner: str | None = None
    needs: tuple[str, ...] = ()
    learns: bool = True
    needs_worth: bool = True

    def rank(self, leads: Leads) -> Floats:
        """Predicted profit of each arm."""
        if leads.worth is None:
            raise no_worth(self.name)
        cost = 0.0 if leads.cost is None else leads.cost
        profit = predicted(leads, self.name) * leads.worth[:, None] - cost
        return np.where(profit > 0, profit, NEVER)


def no_worth(name: str) -> Exception:
    """Why a strategy that weighs money can't rank."""
    rule, found = "what an outcome is worth is known", "there is no `value`"
    fix = "`value: {per_outcome: 1200, unit: EUR}`, or `{column: amount, unit: EUR}`"
    return stop(f"the strategy `{name}`", "no-value", rule, found, fix)


def predicted(leads: Leads, name: str) -> Floats:
    """Predicted uplift, shape (n, arms).

    Raises:
        DataError: no model was asked.
    """
    if leads.uplift is None:
        rule, fix = "a model has predicted the uplift of every lead", "`learners: [x]`"
        raise stop(f"the strategy `{name}`", "no-prediction", rule, "none has", fix)
    return leads.uplift


@dataclass(frozen=True)
class ByProblem:
    """Problem by problem: in a given order, else by the uplift predicted for each."""

    name: str = "by_problem"
    column: str = "problem"
    order: tuple[str, ...] | None = None
    learner: str | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The column of problems."""
        return (self.column,)

    @property
    def learns(self) -> bool:
        """Whether predictions order the problems."""
        return self.order is None

    def rank(self, leads: Leads) -> Floats:
        """A number per problem; leads without a problem come last."""
        # A problem is written as `order` is: 2, not 2.0.
        codes, names = pd.factorize(labels(leads[self.column]))
        if self.order is not None:
            unknown = [name for name in self.order if name not in set(names)]
            if unknown:
                rule, found = f"`order` names problems in `{self.column}`", f"no lead has {listed(unknown)}"
                raise stop(f"the strategy `{self.name}`", "unknown-problem", rule, found, f"there are {listed(names)}")
            place = {name: -float(k) for k, name in enumerate(self.order)}
            worth = np.array([place.get(name, -float(len(place))) for name in names])
            return np.where(codes < 0, -np.inf if not len(worth) else worth.min(initial=0.0) - 1, worth[codes])
        uplift = predicted(leads, self.name)
        known = codes >= 0
        size = np.maximum(np.bincount(codes[known], minlength=len(names)), 1)
        by_problem = [np.bincount(codes[known], weights=arm[known], minlength=len(names)) / size for arm in uplift.T]
        last = min((float(means.min()) for means in by_problem if means.size), default=0.0) - 1
        return np.column_stack([np.where(known, means[codes], last) for means in by_problem])


@dataclass(frozen=True)
class Random:
    """Whoever: what any ranking must beat."""

    name: str = "random"
    needs: tuple[str, ...] = ()
    ties: bool = True

    def rank(self, leads: Leads) -> Floats:
        """One number for all: every lead has the same share of the capacity."""
        return np.zeros(len(leads))


@dataclass(frozen=True)
class Everyone:
    """All leads, whatever the capacity."""

    name: str = "everyone"
    needs: tuple[str, ...] = ()
    ties: bool = True
    reference: bool = True

    def rank(self, leads: Leads) -> Floats:
        """Always."""
        return np.full(len(leads), np.inf)


@dataclass(frozen=True)
class NoOne:
    """No lead at all."""

    name: str = "no_one"
    needs: tuple[str, ...] = ()
    ties: bool = True
    reference: bool = True

    def rank(self, leads: Leads) -> Floats:
        """Never."""
        return np.full(len(leads), NEVER)
