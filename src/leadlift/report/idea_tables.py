"""Funnels and hypotheses as tables and notes."""

from __future__ import annotations

from leadlift.problems.funnels import FunnelGroup
from leadlift.problems.funnels_equivalence import Comparison
from leadlift.problems.ideas import Ideas
from leadlift.problems.transfer_hypotheses import Hypothesis
from leadlift.report import format as fmt
from leadlift.report._table import Column, Row, Table

NAMED = 5
STOPS = 3


def funnels_table(ideas: Ideas) -> Table:
    """A row per problem: whom its products share, and whether they may share a funnel."""
    titles = ("products", "organisations", "with two or more", "lift")
    return Table(
        name="funnels",
        caption="Funnels to unify",
        columns=(
            Column("problem"),
            *(Column(title, numeric=True) for title in titles),
            Column("one funnel for all"),
            Column("may share a funnel"),
            Column("stop signs"),
        ),
        rows=tuple(_funnel(group) for group in ideas.funnels),
        note=(
            "Organisations have at least one of the products: one funnel would cover them. One funnel for all: keep "
            "apart where a stop sign stands, unify only where every two products are alike. Lift: how often an "
            "organisation has two of them, over how often by popularity and breadth alone. Products may share a funnel "
            "if they share clients more than chance and every mechanic measured on both has the same uplift within the "
            "margin (two one-sided tests at 5%, all pairs of a mechanic at once). A stop sign is a difference shown at "
            "95%. A difference that is not significant shows nothing."
        ),
    )


def _funnel(group: FunnelGroup) -> Row:
    sets = "; ".join(_few(found.products) for found in group.unify) or fmt.MISSING
    stops = "; ".join(_stop(stop) for stop in group.stops[:STOPS]) or fmt.MISSING
    more = group.n_stops - len(group.stops[:STOPS])
    return Row(
        (
            group.group,
            fmt.count(len(group.products)),
            fmt.count(group.clients.organisations),
            fmt.count(group.clients.shared),
            fmt.number(group.clients.lift, 2),
            group.answer,
            sets,
            stops + (f" and {more} more" if more > 0 else ""),
        )
    )


def _few(names: tuple[str, ...]) -> str:
    more = len(names) - NAMED
    return " + ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _stop(one: Comparison) -> str:
    return f"{one.mechanic}: {one.product} / {one.other} {short(one.difference, signed=True)}"


def hypotheses_table(ideas: Ideas, most: int = 15) -> Table:
    """The first hypotheses, with the test that would decide each."""
    return Table(
        name="hypotheses",
        caption="Mechanics worth trying, by expected gain",
        columns=(
            Column("product"),
            Column("mechanic"),
            Column("problem"),
            Column("predicted", numeric=True),
            Column("95% interval", numeric=True),
            Column("pays with", numeric=True),
            Column("leads per arm", numeric=True),
            Column("test shows it with", numeric=True),
            Column("measured on a product like it"),
        ),
        rows=tuple(_hypothesis(one) for one in ideas.hypotheses[:most]),
        headers=2,
        note=(
            "None of these was tried. Predicted: true uplift of this product with this mechanic, in outcome units; the "
            "interval is of that cell, not of an average. Pays with: the chance that uplift is above break-even. Leads "
            "per arm: of a two-arm test that finds the predicted uplift over break-even with power 80% (5%, "
            "two-sided), or one standard deviation of the prediction where that is more; the test shows uplift with "
            "the chance given, all that is not known considered. These are hypotheses: nothing here is measured."
        ),
    )


def _hypothesis(one: Hypothesis) -> Row:
    like = fmt.MISSING
    if one.like_product is not None:
        like = f"{one.like_product}: {short(one.like_effect, signed=True)} (se {short(one.like_se)})"
    return Row(
        (
            one.product,
            one.mechanic,
            one.problem or fmt.MISSING,
            short(one.predicted, signed=True),
            f"{short(one.lower)} to {short(one.upper)}",
            fmt.percent(one.chance, 0),
            fmt.count(one.n_per_arm),
            fmt.percent(one.assurance, 0),
            like,
        )
    )


def short(value: float | None, *, signed: bool = False) -> str:
    """A number of unknown unit with three digits or so.

    >>> short(0.01234, signed=True), short(12.345), short(None)
    ('+0.0123', '12.3', '–')
    """
    if not fmt.present(value) or value is None:
        return fmt.MISSING
    size = abs(value)
    decimals = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 4
    return fmt.number(value, decimals, signed=signed)


def idea_notes(ideas: Ideas) -> tuple[str, ...]:
    """What to know beside the tables."""
    notes = []
    easiest = [
        one
        for group in ideas.funnels
        for one in group.open
        if one.leads and group.margin is not None and abs(one.difference) < group.margin
    ]
    if easiest:
        one = min(easiest, key=lambda comparison: comparison.leads or 0)
        notes.append(
            f"{sum(group.n_open for group in ideas.funnels):,} comparisons are not known yet; the first to be "
            f"settled, {one.mechanic} on {one.product} and {one.other}, takes {fmt.count(one.leads)} more leads "
            "(power 80% if there is no difference)."
        )
    if ideas.teachings:
        first = ideas.teachings[0]
        size = "" if first.n_per_arm is None else f" ({fmt.count(first.n_per_arm)} leads per arm)"
        notes.append(f"The test that teaches most about all products: {first.mechanic} on {first.product}{size}.")
    if ideas.hypotheses and all(one.n_per_arm is None for one in ideas.hypotheses):
        notes.append(
            "Leads per arm are not known, since no effect tells how many leads it was measured on: give the effects "
            "`n_treatment` and `n_control`."
        )
    chosen = [part for part in ideas.components if part.component == "selection" and part.upper > 0]
    if chosen:
        notes.append(
            "What was tried is taken to have been chosen by belief: predictions are lower, and intervals wider, than "
            "measured effects alone would say. If a lot chose, say so (`chosen_by: lot`)."
        )
    return (*notes, *(check.message for check in ideas.checks if check.status != "pass"))
