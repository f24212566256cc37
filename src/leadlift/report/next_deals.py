"""How next products are ranked and what that is worth, in words and as tables."""

from __future__ import annotations

from leadlift.problems.next_deals import NextDealTest
from leadlift.report import format as fmt
from leadlift.report._table import Column, Row, Table


def next_deal_notes(test: NextDealTest | None) -> tuple[str, ...]:
    """What to know of next products beside the table; nothing where none were asked for."""
    if test is None:
        return ()
    if not test.n_measured:
        return ("Next products: none are named, since no organisation has two products to test a ranking on.",)
    others = f"deals set aside of {fmt.count(test.n_measured)} other organisations"
    gain = f"{fmt.change(test.gain, 'binary')} {fmt.interval(test.gain_lower, test.gain_upper, 'binary')}"
    if not test.worth:
        words = f"Next products: none are named, since on {others} no ranking could be told from popularity"
        return (f"{words} (NDCG@10 {gain}).",)
    ranked = f"Next products are ranked by {_by(test)}, {_chosen(test)}."
    return (ranked, f"On {others} this ranking beats popularity by {gain} in NDCG@10.", *_of_problems(test))


def _by(test: NextDealTest) -> str:
    neighbours = f"products {test.neighbours.split(',')[0]}" if test.neighbours else ""
    if test.neighbours is not None and "ridge" in test.neighbours:
        neighbours += " (ridge)"
    problems = f"problems at a weight of {test.problem_weight:g}" if test.problem_weight else ""
    trend = "" if test.trend == "none" else f"what sells of late ({test.trend})"
    return " and ".join(part for part in (neighbours, problems, trend) if part)


def _chosen(test: NextDealTest) -> str:
    many = f"{fmt.count(test.n_chosen)} organisations"
    if test.since is None:
        return f"as chosen by one hidden deal of each of {many}"
    return f"as chosen by the last deals (from {test.since} on) of {many}"


def _of_problems(test: NextDealTest) -> list[str]:
    """Whether problems add anything to the ranking; nothing where there are none."""
    if "problems alone" not in {one.ranking for one in test.scores}:
        return []
    if not test.problem_weight:
        return ["Problems add nothing to this ranking of single products: deals set aside gave them no weight."]
    ends = fmt.interval(test.problem_gain_lower, test.problem_gain_upper, "binary", 2)
    gain = f"{fmt.change(test.problem_gain, 'binary', 2)} {ends}"
    if test.problem_gain_lower > 0:
        return [f"Problems add {gain} in NDCG@10 to the ranking of single products."]
    return [f"Problems add nothing that shows to the ranking of single products: {gain} in NDCG@10."]


def rankings_table(test: NextDealTest) -> Table:
    """Rankings on the deals set aside of organisations that chose nothing."""
    rows = tuple(
        Row(
            (
                one.ranking,
                fmt.percent(one.recall),
                fmt.interval(one.recall_lower, one.recall_upper, "binary", 1),
                fmt.percent(one.ndcg),
                fmt.interval(one.ndcg_lower, one.ndcg_upper, "binary", 1),
            )
        )
        for one in sorted(test.scores, key=lambda one: -one.ndcg)
    )
    titles = ("recall@10", "95% interval", "NDCG@10", "95% interval")
    return Table(
        name="rankings",
        caption="Rankings of next products on deals set aside",
        columns=(Column("ranking"), *(Column(title, numeric=True) for title in titles)),
        rows=rows,
        note=(
            "Of the products that an organisation did not have, those it bought afterwards (at most ten) among the "
            "first ten; NDCG counts earlier places more. Means over organisations. A better ranking is no uplift: that "
            "an organisation buys a product next does not say that a touch made it."
        ),
    )


def lifts_table(test: NextDealTest) -> Table:
    """What suggestions were worth, by what the ranking said of them."""
    rows = tuple(
        Row(
            (
                fmt.number(one.ratio_from, 1),
                fmt.count(one.suggestions),
                fmt.count(one.bought),
                fmt.number(one.lift, 1),
                f"[{fmt.number(one.lift_lower, 1)}, {fmt.number(one.lift_upper, 1)}]",
                "yes" if one.lift_lower > 1 and test.worth else "no",
            )
        )
        for one in test.lifts
    )
    titles = ("ranking's ratio from", "suggestions", "bought", "lift", "95% interval")
    return Table(
        name="lifts",
        caption="Lift of suggestions on deals set aside",
        columns=(*(Column(title, numeric=True) for title in titles), Column("named")),
        rows=rows,
        headers=0,
        note=(
            "Lift: chance that a suggestion is the organisation's next product, over popularity's. A suggestion gets "
            "the lift of those of which the ranking says about the same (its own chance over popularity's); they are "
            "named if the interval lies above 1. The interval is over organisations: it holds as far as the deals to "
            "come are like those set aside."
        ),
    )
