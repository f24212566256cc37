"""Whom to touch, in plain words: the sentence that settles it, and what weakens it.

A strategy is said to be better only where the band of its paired difference lies above zero, and the best only where it
alone is left in the set of possibly best ones. What was not seen is "not distinguishable", with the most it could be.
"""

from __future__ import annotations

from leadlift.base.decisions import Measure, Settled, StopsPaying, StrategyValue
from leadlift.base.records import StudyResult
from leadlift.report import format as fmt
from leadlift.report._reading import listed
from leadlift.report._strategy_reading import (
    RANDOM,
    amount,
    at_capacity,
    best_estimate,
    by_strategy,
    current_name,
    decision_of,
    is_current,
    lines_of,
    measures,
    several_arms,
    spoken_name,
    strategy_name,
    touches,
    unit_of,
)


def strategy_words(result: StudyResult, measure: Measure | None = None) -> tuple[str, ...]:
    """The answer at the team's capacity in sentences, for one measure or all; empty without strategies."""
    if result.decision is None:
        return ()
    asked = measures(result) if measure is None else (measure,)
    return tuple(sentence for one in asked for sentence in _settled(result, one))


def strategy_cautions(result: StudyResult) -> tuple[str, ...]:
    """What a reader must know beside the numbers."""
    if result.decision is None:
        return ()
    decision = decision_of(result)
    said = []
    if not decision.given:
        said.append(
            "No capacity was given, so strategies are compared at a fifth of the leads: name the team's "
            "(`decide.capacity`)."
        )
    if decision.by_organisation:
        said.append(
            "Organisations were drawn, so a strategy here chooses organisations, by the mean over their leads; to "
            "choose single leads needs a lot by lead, or the assumption that leads do not sway one another."
        )
    if decision.assume_no_spillover:
        said.append(
            "Assumed, not tested: touching one lead of an organisation does nothing to its others "
            "(`assume_no_spillover`)."
        )
    if decision.capacity > decision.run_share * decision.leads:
        said.append(
            f"The lot touched {fmt.percent(decision.run_share, 0)} of the leads; the team's capacity is beyond that, "
            "where the same people would have more to do than was ever tried. Its values extrapolate."
        )
    elif any(is_current(result, row) and row.extrapolates for row in at_capacity(result, measures(result)[0])):
        said.append(
            f"The lot gave “{decision.current_treatment}” to fewer leads than the team's capacity: values at it by "
            "that arm alone extrapolate."
        )
    if any(row.method == "sequential" and not row.message for row in result.strategies):
        said.append(
            f"Strategies that follow a model are judged on {fmt.count(decision.held_back)} leads that no model had "
            "seen, and compared with the others on those."
        )
    unproven = [f"“{choice.treatment}”" for choice in result.choices if choice.chosen is None]
    if unproven and any(row.method == "sequential" and not row.message for row in result.strategies):
        said.append(
            f"No learner was seen to predict the uplift of {listed(unproven)} better than one number for all leads: "
            "what follows a model's uplift is shown to be compared, not to be acted on."
        )
    if decision.act is not None:
        by = by_strategy(spoken_name(decision.act.strategy))
        said.append(f"whom_to_touch.csv lists {fmt.count(decision.act.n)} leads {by}. {decision.act.warning}")
    said += [
        f"{spoken_name(name)}: {message}."
        for name, message in dict.fromkeys((row.strategy, row.message) for row in result.strategies if row.message)
    ]
    return tuple(said)


def _settled(result: StudyResult, measure: Measure) -> list[str]:
    rows = [row for row in at_capacity(result, measure) if row.value is not None]
    best = best_estimate(rows)
    if best is None:
        return []
    current = next((row for row in rows if is_current(result, row)), None)
    said = [_best_words(result, measure, best, current, rows), _possibly_best(result, rows)]
    if measure == "money":
        said.append(_stops_paying(result, best))
    return [sentence for sentence in said if sentence]


def _best_words(
    result: StudyResult,
    measure: Measure,
    best: StrategyValue,
    current: StrategyValue | None,
    rows: list[StrategyValue],
) -> str:
    decision, many = decision_of(result), several_arms(result)
    at = f"With {touches(decision, best.capacity)}"
    ahead = [row for row in rows if (row.difference_lower or 0) > 0 and row.strategy not in ("everyone", "no_one")]
    name = current_name(result)
    if ahead:
        first = max(ahead, key=lambda row: row.difference or 0.0)
        gain = _counted(result, measure, first.difference, first.difference_lower, first.difference_upper)
        return f"{at}, {strategy_name(first, many)} brings {gain} more than {name}{_until(result, measure, first)}."
    # Touching at random by the same arm: another arm's may be worse for the arm's sake.
    behind = [
        row
        for row in rows
        if (row.strategy, row.treatment) == (RANDOM, decision.current_treatment) and (row.difference_upper or 0) < 0
    ]
    if best is current or best.difference is None:
        lead = _random_words(result, measure, current, behind)
        return f"{at}, no strategy was seen to do better than {name}{lead}."
    if best.difference_upper is None:
        return (
            f"{at}, {strategy_name(best, many)} and {name} differ in too few leads, or too few outcomes among them, "
            "to be "
            "told apart."
        )
    most = amount(result, measure, best.difference_upper)
    return (
        f"{at}, {strategy_name(best, many)} is not distinguishable from {name}: at most {most} "
        f"{unit_of(result, measure)} "
        f"more (estimate {amount(result, measure, best.difference, signed=True)})."
    )


def _random_words(
    result: StudyResult, measure: Measure, current: StrategyValue | None, behind: list[StrategyValue]
) -> str:
    if current is None or not behind:
        return ""
    lower, upper = behind[0].difference_upper, behind[0].difference_lower
    gain = _counted(
        result,
        measure,
        -(behind[0].difference or 0.0),
        None if lower is None else -lower,
        None if upper is None else -upper,
    )
    return f", which brings {gain} more than touching at random"


def _counted(
    result: StudyResult, measure: Measure, value: float | None, lower: float | None, upper: float | None
) -> str:
    ends = (
        ""
        if lower is None or upper is None
        else f" [{amount(result, measure, lower)}, {amount(result, measure, upper)}]"
    )
    after = " after touch costs" if measure == "money" else ""
    if measure == "money":
        return f"{unit_of(result, measure)} {amount(result, measure, value)}{ends}{after}"
    return f"{amount(result, measure, value)}{ends} {unit_of(result, measure)}"


def _until(result: StudyResult, measure: Measure, row: StrategyValue) -> str:
    """Where it ends: "; above 1,500 they can't be told apart"."""
    found = _settled_row(result, measure, row)
    largest = max(one.capacity for one in result.strategies)
    if found is None or found.better_from is None or found.better_to is None:
        return ""
    if not found.better_from <= row.capacity <= found.better_to:
        return ""
    if found.crosses_after is not None and found.crosses_before is not None and found.worse_from is not None:
        return (
            f"; between {fmt.count(round(found.crosses_after))} and {fmt.count(round(found.crosses_before))} touches "
            "they "
            "cross"
        )
    if found.better_to < largest:
        return f"; above {fmt.count(round(found.better_to))} they can't be told apart"
    return ""


def _settled_row(result: StudyResult, measure: Measure, row: StrategyValue) -> Settled | None:
    for found in decision_of(result).settled:
        if (found.strategy, found.treatment, found.measure) == (row.strategy, row.treatment, measure):
            return found
    return None


def _possibly_best(result: StudyResult, rows: list[StrategyValue]) -> str:
    many = several_arms(result)
    left = [row for row in rows if row.possibly_best]
    compared = [row for row in rows if row.possibly_best is not None]
    if len(compared) < 2:
        return ""
    if len(left) == 1:
        return f"It is settled: {strategy_name(left[0], many)} is the best of the {len(compared)} compared there."
    if len(left) == len(compared):
        return f"None of the {len(compared)} strategies compared can be told from the best there."
    return f"Possibly the best there: {listed(strategy_name(row, many) for row in left)}; the others are behind."


def _stops_paying(result: StudyResult, best: StrategyValue) -> str:
    found: StopsPaying | None = next(
        (
            row
            for row in decision_of(result).stops_paying
            if (row.strategy, row.treatment) == (best.strategy, best.treatment)
        ),
        None,
    )
    if found is None:
        return ""
    decision, largest = decision_of(result), max(row.capacity for row in result.strategies)
    first = min(row.capacity for row in next(iter(lines_of(result, "money").values())))
    by = by_strategy(strategy_name(best, several_arms(result)))
    unit = f" a {decision.per}" if decision.per else ""
    # The set of possibly best capacities says where most is earned, not that every single touch on the way pays.
    sure = found.pays_to > first
    fewest = (
        f"most is surely earned with {fmt.count(round(found.pays_to))} touches{unit} or more"
        if sure
        else "at no capacity is it sure that another touch pays"
    )
    most = (
        f"and {'' if sure else 'most is '}surely {'' if sure else 'earned '}with no more than "
        f"{fmt.count(round(found.stops_from))}"
        if found.stops_from < largest
        else "and no number was seen to be too many"
    )
    return f"{by[0].upper()}{by[1:]}, {fewest}, {most}."
