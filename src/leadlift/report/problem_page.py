"""The page and the tables of a search for problems."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from leadlift.problems.cards import ProblemCard
from leadlift.problems.next_deals import NextDealTest
from leadlift.problems.records import NamesKept, ProblemsResult
from leadlift.report import format as fmt
from leadlift.report._table import Column, Row, Table
from leadlift.report.figures import Drawn
from leadlift.report.idea_tables import funnels_table, hypotheses_table, idea_notes
from leadlift.report.next_deals import lifts_table, next_deal_notes, rankings_table

if TYPE_CHECKING:
    from jinja2 import Template

HEAVIEST = 3
NAMED = 12


def problem_headline(result: ProblemsResult) -> str:
    """The answer in a sentence."""
    many = len(result.problems)
    if not many:
        why = "no two products share more organisations than popularity and breadth explain"
        if result.n_significant:
            why = (
                f"{result.n_significant:,} of {result.n_pairs:,} pairs of products share more organisations than "
                "chance, but no group of three or more comes back when organisations are resampled and predicts "
                "hidden deals"
            )
        return f"No problems found: {why}."
    covered = sum(len(card.products) for card in result.problems)
    noun = "problem" if many == 1 else "problems"
    return f"{many} client {noun} found, behind {covered:,} of {result.n_products:,} products."


def problem_notes(result: ProblemsResult) -> tuple[str, ...]:
    """What to know beside the table."""
    dropped = ", ".join(f"{fmt.count(n)} {reason.replace('_', ' ')}" for reason, n in result.rows.dropped.items())
    notes = [
        f"{fmt.count(result.rows.used)} of {fmt.count(result.rows.read)} rows used"
        f"{f' (left out: {dropped})' if dropped else ''}, "
        f"{fmt.count(result.n_organisations)} organisations, {fmt.count(result.n_significant)} of "
        f"{fmt.count(result.n_pairs)} pairs significant."
    ]
    if result.names is not None:
        notes.append(_names_kept(result.names))
    if result.n_unknown:
        notes.append(
            f"{fmt.count(result.n_unknown)} organisations have no deal in any problem's products: "
            "their problem is unknown."
        )
    if result.n_refused:
        notes.append(
            f"{result.n_refused} more groups of products were refused: unstable, or no gain on hidden deals "
            "(tables/communities.csv says why)."
        )
    if result.disagreements:
        few = ", ".join(result.disagreements[:5])
        notes.append(f"The factors put {len(result.disagreements)} or more products elsewhere, such as {few}.")
    notes += [check.message for check in result.checks if check.status != "pass"]
    return tuple(notes)


def _behind(names: tuple[str, ...]) -> str:
    """Names behind a number."""
    return f" ({', '.join(names)})" if names else ""


def _names_kept(names: NamesKept) -> str:
    parts = [
        f"{word} {len(some)}{_behind(some) if word != 'kept' else ''}"
        for word, some in (("kept", names.kept), ("new", names.new), ("gone", names.gone))
    ]
    return f"Names of problems against the earlier search: {', '.join(parts)}."


def problems_table(result: ProblemsResult) -> Table:
    """A row per problem."""
    return Table(
        name="problems",
        caption="Client problems that deals reveal",
        columns=(
            Column("problem"),
            Column("heaviest products"),
            Column("products", numeric=True),
            Column("organisations", numeric=True),
            Column("comes back", numeric=True),
            Column("gain (nats)", numeric=True),
            Column("p", numeric=True),
            Column("views agree", numeric=True),
        ),
        rows=tuple(_row(card) for card in result.problems),
        note=(
            "Organisations: those whose main problem it is. Comes back: mean similarity (Jaccard) with the most "
            "similar group when organisations are resampled; 0.75 or more is stable. Gain: in log-likelihood per "
            "hidden deal of organisations the problem was not learnt from, over popularity alone; p is adjusted over "
            "problems (Holm). "
            "Views agree: share of its products that factors, made without the graph, put together as well."
        ),
    )


def _row(card: ProblemCard) -> Row:
    heaviest = ", ".join(one.product.strip() for one in card.products[:HEAVIEST])
    return Row(
        (
            f"{card.problem}: {card.title}" if card.words else card.problem,
            heaviest,
            fmt.count(len(card.products)),
            fmt.count(card.organisations),
            fmt.number(card.recovered, 2),
            fmt.number(card.gain, 4),
            fmt.p_value(card.p_value),
            fmt.percent(card.agreement, 0),
        )
    )


def pairs_table(result: ProblemsResult, most: int = 15) -> Table:
    """The surest intersections."""
    rows = tuple(
        Row(
            (
                pair.product,
                pair.other,
                fmt.count(pair.shared),
                fmt.number(pair.expected, 1),
                fmt.number(pair.lift, 1),
                fmt.number(pair.jaccard, 2),
                fmt.p_value(pair.q_value),
            )
        )
        for pair in result.pairs[:most]
    )
    titles = ("shared", "expected", "lift", "Jaccard", "q")
    return Table(
        name="intersections",
        caption="The surest intersections",
        columns=(Column("product"), Column("other"), *(Column(title, numeric=True) for title in titles)),
        rows=rows,
        headers=2,
        note=(
            "Expected: organisations in common by the products' popularity and the organisations' breadth alone "
            "(bipartite configuration model). q: false discovery rate over all pairs (Benjamini-Yekutieli)."
        ),
    )


def problems_html(result: ProblemsResult, *, figures: Mapping[str, Drawn]) -> str:
    """The page of a search for problems: one HTML file that needs no network and no script."""
    return _template().render(
        result=result,
        headline=problem_headline(result),
        notes=problem_notes(result),
        table=problems_table(result),
        pairs=pairs_table(result),
        funnels=funnels_table(result.ideas),
        hypotheses=hypotheses_table(result.ideas),
        idea_notes=idea_notes(result.ideas),
        next_notes=next_deal_notes(result.next_deals),
        next_tables=() if result.next_deals is None else _next_tables(result.next_deals),
        figures=figures,
        named=NAMED,
        percent=fmt.percent,
        number=fmt.number,
        count=fmt.count,
    )


def _next_tables(test: NextDealTest) -> tuple[Table, ...]:
    return tuple(table for table in (rankings_table(test), lifts_table(test)) if table.rows)


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("leadlift.report", "templates")
    page = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return page.get_template("problems.html.j2")
