"""The answer: rows with bands and paired differences, crossings, and where more touches stop paying."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from leadlift.base.arrays import Bools, Floats
from leadlift.base.decisions import Decision, Measure, Settled, StopsPaying, StrategyValue
from leadlift.base.record import known
from leadlift.data import AssignmentLog
from leadlift.decide.comparing import Band, Compared, crossing
from leadlift.decide.judgement import Judgement, fewest_apart, judged, usable_blocks
from leadlift.decide.lines import Line
from leadlift.decide.question import RANDOM, Question, whole_organisations
from leadlift.evaluation import JudgedBlock
from leadlift.learners import OutOfFold


@dataclass(frozen=True, eq=False)
class Answered:
    """The answer in one measure: rows, and how each strategy stands to the current one."""

    values: tuple[StrategyValue, ...]
    settled: tuple[Settled, ...]
    stops_paying: tuple[StopsPaying, ...]


def answered(
    question: Question, judgement: Judgement, measure: Measure, seed: int, truth: Judgement | None = None
) -> Answered:
    """Bands, paired differences, possibly best sets and crossings of one measure; the truth beside, if it is known."""
    lines = judgement.lines
    if judgement.fixed is None and judgement.held is None:
        empty = [_rows(question, judgement, measure, k, None, None, None, None, None) for k in range(len(lines))]
        return Answered(tuple(row for rows in empty for row in rows), (), ())
    compared = Compared(
        judgement.fixed,
        judgement.held,
        fixed_places=judgement.fixed_places,
        n=len(lines),
        df=judgement.df,
        rng=np.random.default_rng([seed, 7]),
        fewest=fewest_apart(question),
        arms=[line.arm for line in lines],
    )
    shown = [k for k in range(len(lines)) if k not in judgement.message and compared.known(k)]
    value = dict(zip(shown, compared.bands([compared.of(k) for k in shown]), strict=True))
    current = current_line(question, lines)
    against = _differences(compared, shown, dict.fromkeys(shown, current))
    random = _differences(compared, shown, {k: _random_of(lines, k, current) for k in shown})
    candidates = [k for k in shown if not lines[k].reference]
    best = dict(zip(candidates, compared.possibly_best(candidates), strict=True))
    rows = [
        _rows(question, judgement, measure, k, value.get(k), against.get(k), random.get(k), best.get(k), truth)
        for k in range(len(lines))
    ]
    settled = [
        _settled(question, lines, k, measure, current, against[k]) for k in candidates if k in against and k != current
    ]
    stops = [
        _stops(question, compared, lines[k], k)
        for k in candidates
        if measure == "money" and lines[k].strategy != RANDOM
    ]
    return Answered(tuple(row for of in rows for row in of), tuple(settled), tuple(stops))


def _differences(compared: Compared, shown: Sequence[int], other: Mapping[int, int]) -> dict[int, Band]:
    pairs = [k for k in shown if k != other[k] and other[k] in shown and compared.comparable(k, other[k])]
    return dict(zip(pairs, compared.bands([compared.difference(k, other[k]) for k in pairs]), strict=True))


def current_line(question: Question, lines: Sequence[Line]) -> int:
    """Place of the strategy in use: as configured, else the first that a capacity limits."""
    name = question.settings.current
    rules = [k for k, line in enumerate(lines) if not line.reference]
    return next((k for k in rules if lines[k].strategy == name), rules[0])


def _random_of(lines: Sequence[Line], k: int, current: int) -> int:
    """The line that touches at random by the same arm, or by the current practice's."""
    arm = lines[k].arm if lines[k].arm is not None else lines[current].arm
    same = [j for j, line in enumerate(lines) if line.strategy == RANDOM]
    return next((j for j in same if lines[j].arm == arm), same[0])


def _rows(
    question: Question,
    judgement: Judgement,
    measure: Measure,
    k: int,
    value: Band | None,
    against: Band | None,
    random: Band | None,
    best: Bools | None,
    truth: Judgement | None,
) -> list[StrategyValue]:
    line, leads = judgement.lines[k], question.leads
    current = judgement.lines[current_line(question, judgement.lines)].strategy
    touched = _touched(judgement, k, question.shares)
    run = run_share(question.log, line.arm)
    real, ahead = (None, None) if truth is None else _true(truth, k, current_line(question, judgement.lines))

    def really(values: Floats | None, q: int) -> float | None:
        return None if values is None else known(float(values[q]) * leads)

    def total(band: Band | None, name: str, q: int) -> float | None:
        return None if band is None else known(float(getattr(band, name)[q]) * leads)

    return [
        StrategyValue(
            strategy=line.strategy,
            treatment=line.treatment,
            measure=measure,
            capacity=float(share * leads),
            share=float(share),
            n_touched=float(touched[q] * leads),
            value=total(value, "value", q),
            value_lower=total(value, "lower", q),
            value_upper=total(value, "upper", q),
            value_se=total(value, "se", q),
            difference_from=current,
            difference=total(against, "value", q),
            difference_lower=total(against, "lower", q),
            difference_upper=total(against, "upper", q),
            over_random=total(random, "value", q),
            over_random_lower=total(random, "lower", q),
            over_random_upper=total(random, "upper", q),
            possibly_best=None if best is None else bool(best[q]),
            extrapolates=bool(touched[q] > run + 1e-9),
            method="sequential" if line.learns else "fixed",
            message=judgement.message.get(k, ""),
            truth=really(real if value is not None else None, q),
            difference_truth=really(ahead if against is not None else None, q),
        )
        for q, share in enumerate(question.shares)
    ]


def _true(truth: Judgement, k: int, current: int) -> tuple[Floats | None, Floats | None]:
    """What a line really brings per lead, and how much more than the current one, on the leads that judge it."""
    own = {place: row for row, place in enumerate(truth.fixed_places)}
    fixed = None if truth.fixed is None else truth.fixed.value
    held = None if truth.held is None else truth.held.value
    value = fixed[own[k]] if fixed is not None and k in own else None if held is None else held[k]
    if fixed is not None and k in own and current in own:
        return value, fixed[own[k]] - fixed[own[current]]
    return value, None if held is None else held[k] - held[current]


def _touched(judgement: Judgement, k: int, shares: Floats) -> Floats:
    """The share of leads that a line touches at each capacity; of everyone, all."""
    line = judgement.lines[k]
    own = {place: row for row, place in enumerate(judgement.fixed_places)}
    if judgement.fixed is not None and k in own:
        return np.asarray(judgement.fixed.touched[own[k]])
    return (
        np.asarray(judgement.held.touched[k])
        if judgement.held is not None
        else (0 * shares if line.reference else shares)
    )


def run_share(log: AssignmentLog, arm: int | None = None) -> float:
    """The share of leads that the lot gave a touch, or one treated arm's: the largest capacity that was ever run."""
    return float((log.arm > 0 if arm is None else log.arm == arm + 1).mean())


def _settled(question: Question, lines: Sequence[Line], k: int, measure: Measure, current: int, band: Band) -> Settled:
    found = crossing(band)
    capacity = question.shares * question.leads

    def at(place: int | None) -> float | None:
        return None if place is None else float(capacity[place])

    def ends(places: tuple[int, ...]) -> tuple[float | None, float | None]:
        stretch = longest_stretch(places)
        return (at(stretch[0]), at(stretch[-1])) if stretch else (None, None)

    after = before = None
    if found.better and found.worse:
        first, second = sorted([found.better, found.worse], key=lambda places: places[0])
        after = at(max(place for place in first if place < second[0]))
        before = at(second[0])
    return Settled(
        lines[k].strategy,
        lines[k].treatment,
        measure,
        lines[current].strategy,
        *ends(found.better),
        *ends(found.worse),
        at(found.estimate),
        after,
        before,
    )


def longest_stretch(places: Sequence[int]) -> tuple[int, ...]:
    """The longest run of neighbouring places, the first of equals: a gap is not part of what is sure.

    >>> longest_stretch([1, 2, 5, 6, 7, 9])
    (5, 6, 7)
    """
    best: tuple[int, ...] = ()
    run: tuple[int, ...] = ()
    for place in places:
        run = (*run, place) if run and place == run[-1] + 1 else (place,)
        best = run if len(run) > len(best) else best
    return best


def _stops(question: Question, compared: Compared, line: Line, k: int) -> StopsPaying:
    one = question.settings.representative
    per_lead = question.shares * (one.cost / one.touches if one is not None else 0.0)
    best, kept = compared.possibly_best_capacity(k, per_lead)
    capacity = question.shares * question.leads
    inside = np.flatnonzero(kept)
    return StopsPaying(
        line.strategy, line.treatment, float(capacity[best]), float(capacity[inside[0]]), float(capacity[inside[-1]])
    )


def decide(
    question: Question, fitted: OutOfFold, blocks: Sequence[JudgedBlock], *, seed: int
) -> tuple[tuple[StrategyValue, ...], Decision]:
    """Every strategy's value at every capacity, and what they were compared for.

    Args:
        question: as `ask` checked it.
        fitted: out-of-fold predictions of all leads: the models of per-lead scores.
        blocks: what models fitted on earlier organisations said of later ones, for learned strategies.
        seed: of simulated critical values.
    """
    measures: tuple[Measure, ...] = ("outcome",) if question.money is None else ("outcome", "money")
    values: list[StrategyValue] = []
    settled: list[Settled] = []
    stops: list[StopsPaying] = []
    judgement = None
    truth = None if question.truth is None else judged(question, fitted, blocks, "truth", seed=seed)
    for measure in measures:
        judgement = judged(question, fitted, blocks, measure, seed=seed)
        answer = answered(question, judgement, measure, seed, truth if measure == "outcome" else None)
        values += answer.values
        settled += answer.settled
        stops += answer.stops_paying
    assert judgement is not None
    log, lines = question.log, judgement.lines
    current = lines[current_line(question, lines)]
    usable = usable_blocks(question, blocks)
    learned = any(line.learns for line in lines)
    costs = {} if question.money is None else dict(zip(log.treated_arms, map(float, question.money.cost), strict=True))
    return tuple(values), Decision(
        capacity=question.capacity,
        given=question.settings.capacity is not None,
        leads=question.leads,
        per=question.settings.per or "",
        current=current.strategy,
        current_treatment=current.treatment,
        run_share=run_share(log),
        by_organisation=question.per_organisation,
        assume_no_spillover=whole_organisations(log) and question.settings.assume_no_spillover,
        unit="" if question.money is None else question.money.unit,
        costs=costs,
        held_back=sum(len(block.rows) for block in usable) if learned else 0,
        blocks_used=len(usable) if learned else 0,
        settled=tuple(settled),
        stops_paying=tuple(stops),
    )
