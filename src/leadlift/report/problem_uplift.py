"""What the report says of client problems: cards with uplift, a table and a few sentences."""

from __future__ import annotations

from collections.abc import Mapping

from leadlift.base.problem_records import CardEffect, CardProduct, PooledEffect, UpliftCard
from leadlift.base.records import ProblemUse, SegmentTest, StudyResult
from leadlift.problems.labels import UNKNOWN
from leadlift.report import format as fmt
from leadlift.report._reading import (
    control_arm,
    effect_decimals,
    effects_of,
    estimator,
    listed,
    simultaneous,
    treatments,
    truth_of,
)
from leadlift.report._table import Column, Row, Table

HEAVIEST = 3
ON_AVERAGE = (
    "Decide by the simultaneous intervals: they hold for all problems together. Partially pooled effects draw each "
    "problem towards the others as far as the data say that they are alike. They are closer to the truth on average, "
    "and their intervals cover on average over problems, not each problem's effect."
)


def uplift_cards(
    result: StudyResult, sizes: Mapping[str, tuple[int, int]], products: Mapping[str, tuple[CardProduct, ...]]
) -> tuple[UpliftCard, ...]:
    """A card per problem of a study.

    Args:
        result: the study, with its effects.
        sizes: organisations and leads by problem, in the order of the cards.
        products: all products by problem, the heaviest first; empty without a problem model.
    """
    effects = {arm: effects_of(result, "problem", arm) for arm in treatments(result)}
    return tuple(
        UpliftCard(
            problem=name,
            products=products.get(name, ()),
            n_products=len(products[name]) if name in products else None,
            n_organisations=organisations,
            n_leads=leads,
            effects=tuple(_card_effect(result, arm, name) for arm in effects if name in effects[arm]),
        )
        for name, (organisations, leads) in sizes.items()
    )


def _card_effect(result: StudyResult, arm: str, problem: str) -> CardEffect:
    effect = effects_of(result, "problem", arm)[problem]
    near = pooled_of(result, arm).get(problem)
    lower, upper = simultaneous(effect)
    pooled = (None, None, None) if near is None else (near.effect, near.lower, near.upper)
    return CardEffect(arm, effect.effect, lower, upper, *pooled)


def pooled_of(result: StudyResult, treatment: str, segment_by: str = "problem") -> dict[str, PooledEffect]:
    """The answering estimator's partially pooled effects of one arm, by segment."""
    wanted = (segment_by, treatment, result.outcome, estimator(result, treatment, segment_by))
    return {e.segment: e for e in result.pooled if (e.segment_by, e.treatment, e.outcome, e.estimator) == wanted}


def problem_test_of(result: StudyResult, treatment: str) -> SegmentTest | None:
    """The test between problems that belongs to the answering estimator."""
    wanted = ("problem", treatment, result.outcome, estimator(result, treatment, "problem"))
    found = (t for t in result.segment_tests if (t.segment_by, t.treatment, t.outcome, t.estimator) == wanted)
    return next(found, None)


def problem_words(result: StudyResult) -> tuple[str, ...]:
    """Do problems differ in what a touch moves? A sentence per arm; none where the leads have no problems."""
    return tuple(_arm_words(result, arm) for arm in treatments(result) if effects_of(result, "problem", arm))


def _arm_words(result: StudyResult, arm: str) -> str:
    test, found = problem_test_of(result, arm), effects_of(result, "problem", arm)
    ends = {name: simultaneous(effect) for name, effect in found.items() if name != UNKNOWN}
    sure = [name for name, (lower, _) in ends.items() if (lower or 0.0) > 0]
    harmed = [name for name, (_, upper) in ends.items() if (upper or 0.0) < 0]
    parts = []
    if sure:
        parts.append(f"move {_problems(sure)}")
    if harmed:
        parts.append(f"harm {_problems(harmed)}")
    moved = f"is shown to {' and to '.join(parts)}" if parts else "is shown to move no single problem"
    if test is None or test.p_value is None:
        return f"{arm} {moved}; too few outcomes to say whether problems differ."
    p = fmt.spoken_p(test.p_value)
    rare = f" ({test.message})" if test.message else ""
    if test.p_value >= 0.05:
        return f"{arm} {moved}; problems can't be told apart in what they gain ({p}){rare}."
    return f"{arm} {moved}; problems differ ({p}), and {listed(test.possibly_best, 'or')} may gain most{rare}."


def _problems(names: list[str]) -> str:
    return f"{len(names)} problems ({listed(names)})" if len(names) > 1 else names[0]


def problem_notes_of(use: ProblemUse) -> tuple[str, ...]:
    """Where the problems come from."""
    notes = []
    if use.source == "logged":
        notes.append("Each lead's problem is the one logged when it was assigned; nothing was fitted again.")
    else:
        notes.append(
            "Each lead's problem was made from the problem model and the deals known before the lead was assigned; "
            "nothing was fitted again."
        )
    if use.known_until is not None:
        notes.append(f"The problem model rests on deals known until {use.known_until[:10]}.")
    if use.deals is not None:
        lost = use.deals.dropped.get("known after assignment", 0)
        notes.append(
            f"{fmt.count(use.deals.used)} of {fmt.count(use.deals.read)} deals were used; {fmt.count(lost)} became "
            "known only after the assignment and were left out."
        )
    if use.mixtures:
        notes.append(f"The learners saw the mixture of problems: {listed(use.mixtures)}.")
    return tuple(notes)


def uplift_cards_table(result: StudyResult) -> Table:
    """A row per problem and arm: its products, whose main problem it is, and what the arm moves there."""
    kind, places = result.outcome_kind, effect_decimals(result)
    pp = " (pp)" if kind == "binary" else ""
    cards = () if result.problems is None else result.problems.cards
    named = any(card.products for card in cards)
    known = any(truth_of(result, arm, "problem") for arm in treatments(result))
    rows = []
    for arm in treatments(result):
        truth = truth_of(result, arm, "problem")
        for card in cards:
            for effect in (one for one in card.effects if one.treatment == arm):
                cells = (
                    card.problem,
                    *([heaviest(card)] if named else []),
                    fmt.count(card.n_organisations),
                    fmt.count(card.n_leads),
                    fmt.bare(effect.effect, kind, places, signed=True),
                    fmt.interval(effect.simultaneous_lower, effect.simultaneous_upper, kind, places),
                    fmt.bare(effect.pooled, kind, places, signed=True),
                    fmt.interval(effect.pooled_lower, effect.pooled_upper, kind, places),
                    *([fmt.bare(truth.get(card.problem), kind, places, signed=True)] if known else []),
                )
                rows.append(Row(cells, f"{arm} against {control_arm(result) or 'control'}"))
    numbers = ["organisations", "leads", f"effect{pp}", "simultaneous 95%", f"pooled{pp}", "95% on average"]
    numbers += ["true effect"] if known else []
    return Table(
        name="problem_uplift",
        caption=f"Effect on “{result.outcome}” by client problem",
        columns=(
            Column("problem"),
            *([Column("heaviest products")] if named else []),
            *(Column(title, numeric=True) for title in numbers),
        ),
        rows=tuple(rows),
        note=ON_AVERAGE,
    )


def card_words(result: StudyResult, effect: CardEffect) -> str:
    """What one arm moves where a problem is the main one, in a sentence."""
    kind, places = result.outcome_kind, effect_decimals(result)
    own = fmt.estimate(effect.effect, effect.simultaneous_lower, effect.simultaneous_upper, kind, places)
    if effect.pooled is None:
        return f"{own}, simultaneous"
    return f"{own}, simultaneous; pooled {fmt.change(effect.pooled, kind, places)}"


def heaviest(card: UpliftCard, most: int = HEAVIEST) -> str:
    """A card's heaviest products in a cell."""
    return ", ".join(one.product.strip() for one in card.products[:most]) or fmt.MISSING
