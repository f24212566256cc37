"""From strategies to lines: one ranking of leads by one touch, ready to be cut at any capacity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from leadlift.base.arrays import Codes, Floats
from leadlift.base.problems import share, stop
from leadlift.decide.leads import Leads
from leadlift.decide.strategies import Strategy, reference
from leadlift.decide.touching import Part

# Means of equal numbers differ by so much, relatively, at most.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Line:
    """One strategy by one touch.

    Attributes:
        strategy: its name.
        treatment: the arm; of a strategy that chooses between arms, all of them.
        arm: place of the arm among the treated ones; None: the strategy chooses.
        learns: whether a fitted model orders the leads.
        reference: whether it is a line to compare with, which no capacity limits.
    """

    strategy: str
    treatment: str
    arm: int | None
    learns: bool
    reference: bool


def ranking_of(strategy: Strategy, leads: Leads, *, learns: bool = False) -> Floats:
    """What a strategy says of each lead, checked: shape (n,), or (n, arms) where it chooses between arms.

    Args:
        strategy: the strategy.
        leads: what it may look at.
        learns: whether something fitted orders the leads, which may find nothing to tell them apart by.

    Raises:
        DataError: a shape that does not fit, NaN, or the same number for every lead.
    """
    for column in strategy.needs:
        leads[column]
    values = np.asarray(strategy.rank(leads), dtype=np.float64)
    where, n, arms = f"the strategy `{strategy.name}`", len(leads), len(leads.arms)
    if values.ndim == 2 and values.shape == (n, 1):
        values = values[:, 0]
    if values.shape not in ((n,), (n, arms)):
        rule = f"a strategy gives a number per lead, shape ({n},), or per lead and arm, shape ({n}, {arms})"
        raise stop(where, "strategy-shape", rule, f"shape {values.shape}", "return one number per lead")
    wrong = ~(np.isfinite(values) | (values == -np.inf)) & (not reference(strategy))
    if wrong.any():
        rows = int(wrong.reshape(n, -1).any(axis=1).sum())
        rule = "a strategy gives every lead a number; -inf: never touch"
        raise stop(where, "strategy-missing", rule, f"NaN or infinity in {share(rows, n)}", "fill them in `rank`")
    if not (getattr(strategy, "ties", False) or learns) and n > 1 and len(np.unique(values)) == 1:
        never = float(values.flat[0]) == -np.inf
        found = f"{'never touch' if never else 'the same number'} for all {n:,} leads"
        rule = "a strategy tells leads apart"
        raise stop(where, "strategy-ties", rule, found, "use `random` for no order, or check its column")
    return values


def lines_of(
    strategies: Sequence[Strategy],
    arms: Sequence[str],
    by_arm: Mapping[str, bool],
    learns: Callable[[Strategy], bool],
) -> list[Line]:
    """A line per strategy and arm, or one line where the strategy chooses between arms.

    Args:
        strategies: the strategies.
        arms: the treated arms.
        by_arm: whether a strategy gave a number per arm; those that are not there are taken to.
        learns: whether something fitted orders a strategy's leads.
    """
    lines = []
    for strategy in strategies:
        facts = (learns(strategy), reference(strategy))
        if by_arm.get(strategy.name, True) and len(arms) > 1:
            lines.append(Line(strategy.name, " or ".join(arms), None, *facts))
        else:
            lines += [Line(strategy.name, arm, k, *facts) for k, arm in enumerate(arms)]
    return lines


def choose(line: Line, ranking: Floats) -> tuple[Floats, Codes]:
    """Priority of each lead on a line, and the arm it would get (place among the treated arms), both of shape (n,)."""
    if line.arm is not None:
        priority = ranking if ranking.ndim == 1 else ranking[:, line.arm]
        return priority, np.full(len(priority), line.arm)
    return ranking.max(axis=1), ranking.argmax(axis=1)


def by_organisation(ranking: Floats, organisation: Codes) -> Floats:
    """Each lead gets its organisation's mean, over those of its leads that would be touched at all.

    Where organisations were drawn, a touch is something that happens to an organisation: to choose a lead is to choose
    all of its organisation's leads.
    """
    columns = ranking[:, None] if ranking.ndim == 1 else ranking
    _, code = np.unique(organisation, return_inverse=True)
    result = np.empty_like(columns)
    for k, column in enumerate(columns.T):
        touched = column > -np.inf
        total = np.bincount(code, weights=np.where(touched, column, 0.0))
        count = np.bincount(code, weights=touched)
        mean = np.divide(total, count, out=np.full(len(total), -np.inf), where=count > 0)
        result[:, k] = _tied(mean)[code]
    return result[:, 0] if ranking.ndim == 1 else result


def _tied(means: Floats) -> Floats:
    """Means that differ by rounding only are made one number: else the size of organisations would order equals."""
    order = np.argsort(means)
    low, high = means[order][:-1], means[order][1:]
    with np.errstate(invalid="ignore"):
        near = high - low <= ROUNDING * np.minimum(np.abs(low), np.abs(high))
    first = np.flatnonzero(np.r_[True, (low != high) & ~near])
    result = np.empty_like(means)
    result[order] = np.repeat(means[order][first], np.diff(np.r_[first, len(means)]))
    return result


def part_of(lines: Sequence[Line], rankings: Mapping[str, Floats], scores: Floats, organisation: Codes) -> Part:
    """Leads that are ranked together, with every line's priority and the scores of its touch.

    Args:
        lines: the lines.
        rankings: by strategy, as `ranking_of` gives them.
        scores: per-lead scores of each treated arm, shape (n, arms), outcome units.
        organisation: of each lead, shape (n,).
    """
    chosen = [choose(line, rankings[line.strategy]) for line in lines]
    rows = np.arange(len(organisation))
    return Part(organisation, [priority for priority, _ in chosen], [scores[rows, arm] for _, arm in chosen])
