"""What the part on whom to touch asks of a result: which strategies, at the team's capacity, in which unit."""

from __future__ import annotations

from collections.abc import Sequence

from leadlift.base.decisions import Decision, Measure, StrategyValue
from leadlift.base.records import StudyResult
from leadlift.report import format as fmt

RANDOM = "random"
REFERENCES = ("everyone", "no_one")
# Totals of money from here on are told in thousands, or in three digits.
LARGE = 100_000


def strategy_name(row: StrategyValue, several_arms: bool) -> str:
    """A strategy's name in words, with its arm where there are several."""
    name = spoken_name(row.strategy)
    return f"{name} ({row.treatment})" if several_arms else name


def current_name(result: StudyResult) -> str:
    """The strategy in use, in words, with its arm where there are several."""
    decision = decision_of(result)
    name = spoken_name(decision.current)
    return f"{name} ({decision.current_treatment})" if several_arms(result) else name


NAMES = {
    "fence_sitters_first": "fence-sitters first",
    "bant": "BANT",
    "representatives_pick": "representative's pick",
    "uplift_value_first": "uplift x value first",
    "random": "at random",
}


def spoken_name(strategy: str) -> str:
    """A strategy's name in words."""
    return NAMES.get(strategy, strategy.replace("_", " "))


def by_strategy(words: str) -> str:
    """How leads are chosen, in words.

    >>> by_strategy("score first"), by_strategy("by problem"), by_strategy("at random (call)")
    ('by score first', 'by problem', 'at random (call)')
    """
    return words if words.startswith(("by ", "at ")) else f"by {words}"


def several_arms(result: StudyResult) -> bool:
    """Whether strategies have more than one touch to choose from."""
    return len({row.treatment for row in result.strategies}) > 1


def measures(result: StudyResult) -> tuple[Measure, ...]:
    """Outcome, and money where it is known."""
    return tuple(dict.fromkeys(row.measure for row in result.strategies))


def lines_of(result: StudyResult, measure: Measure) -> dict[tuple[str, str], list[StrategyValue]]:
    """The rows of each strategy and arm by capacity, in the order of the study."""
    found: dict[tuple[str, str], list[StrategyValue]] = {}
    for row in result.strategies:
        if row.measure == measure:
            found.setdefault((row.strategy, row.treatment), []).append(row)
    return found


def at_capacity(result: StudyResult, measure: Measure) -> list[StrategyValue]:
    """One row per strategy and arm, at the team's capacity."""
    wanted = decision_of(result).capacity
    return [min(rows, key=lambda row: abs(row.capacity - wanted)) for rows in lines_of(result, measure).values()]


def decision_of(result: StudyResult) -> Decision:
    """The decision of a study that has one."""
    assert result.decision is not None
    return result.decision


def is_current(result: StudyResult, row: StrategyValue) -> bool:
    """Whether a row is the strategy in use."""
    decision = decision_of(result)
    return (row.strategy, row.treatment) == (decision.current, decision.current_treatment)


def knows_truth(result: StudyResult) -> bool:
    """Whether a simulated company says what strategies really bring."""
    return any(row.truth is not None for row in result.strategies)


def best_estimate(rows: Sequence[StrategyValue]) -> StrategyValue | None:
    """The rule with the largest estimate; lines to compare with are no rules."""
    rules = [row for row in rows if row.value is not None and row.strategy not in REFERENCES]
    return max(rules, key=lambda row: row.value or 0.0, default=None)


def touches(decision: Decision, capacity: float) -> str:
    """A capacity in words: 400 touches a week."""
    per = f" a {decision.per}" if decision.per else f" among {fmt.count(decision.leads)} leads"
    return f"{fmt.count(round(capacity))} touches{per}"


def amount(result: StudyResult, measure: Measure, value: float | None, *, signed: bool = False) -> str:
    """A total in the measure's unit, without its name; large money in three digits, which are more than is known."""
    if measure == "money" and value is not None and abs(value) >= LARGE:
        value = float(f"{value:.3g}")
    return fmt.number(value, places(result, measure), signed=signed)


def scale_of(result: StudyResult, measure: Measure) -> float:
    """Totals of money are told in thousands where they are large: six digits and more say more than is known."""
    ends = [
        end for row in at_capacity(result, measure) for end in (row.value_lower, row.value_upper) if end is not None
    ]
    return 1000.0 if measure == "money" and max(map(abs, ends), default=0.0) >= LARGE else 1.0


def places(result: StudyResult, measure: Measure) -> int:
    """Decimals that suit the totals at the team's capacity."""
    widths = [
        row.value_upper - row.value_lower
        for row in at_capacity(result, measure)
        if row.value_upper is not None and row.value_lower is not None
    ]
    return fmt.decimals_for(widths, "money")


def unit_of(result: StudyResult, measure: Measure) -> str:
    """What is counted: the outcome's name, or the unit of money."""
    return decision_of(result).unit if measure == "money" else f"“{result.outcome}”"
