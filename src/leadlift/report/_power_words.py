"""A plan's answer in words: what is needed, what there is, what can be seen with it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from leadlift.design.plan_records import DesignPlan, PlanRow, Spending
from leadlift.report import format as fmt

FAMILIES = {"overall": "over all leads", "group": "by group", "difference": "of differences"}


def roughly(n: float | None) -> str:
    """A number of leads as people say it: two digits, rounded up.

    >>> roughly(9344), roughly(310), roughly(None)
    ('9,400', '310', '–')
    """
    if n is None:
        return fmt.MISSING
    if n < 1000:
        return f"{math.ceil(n):,}"
    step = 10 ** (math.floor(math.log10(n)) - 1)
    return f"{math.ceil(n / step) * step:,}"


def weeks(n: float | None) -> str:
    """A number of weeks; years where weeks say nothing any more.

    >>> weeks(7.2), weeks(300), weeks(None)
    ('8 weeks', '5.7 years', '–')
    """
    if n is None:
        return fmt.MISSING
    if n > 104:
        years = n / 52.18
        return f"{years:,.1f} years" if years < 10 else f"{years:,.0f} years"
    whole = math.ceil(n - 1e-9)
    return "1 week" if whole == 1 else f"{whole} weeks"


def plan_answer(plan: DesignPlan) -> tuple[str, ...]:
    """The answer, a sentence or two per question, most important first."""
    asked = [row for row in plan.rows if row.target is not None and row.question in ("overall", "group")]
    everywhere = len({row.target for row in asked}) == 1 and any(row.question == "overall" for row in asked)
    sentences = [_seeing(plan, row) for row in asked if row.question == "overall" or not everywhere]
    sentences += _in_one_group(plan, asked) if everywhere else ()
    if not asked:
        sentences += [_smallest(plan, row) for row in plan.rows if row.question == "overall"]
        sentences += _smallest_by_group(plan)
    sentences += [*_best(plan), *_split(plan), *_holdout(plan), *_ranking(plan)]
    if plan.leads_per_week is not None:
        sentences.append(f"Outcomes are complete {plan.window_days} days after the last lead has entered.")
    return tuple(sentences)


def level_words(plan: DesignPlan) -> str:
    """How the level is shared, for under the table."""
    tests = {row.question: round(plan.alpha / row.alpha) for row in plan.rows if row.question in FAMILIES}
    if plan.correction == "none":
        return f"Every test at level {plan.alpha:g}, two-sided; several are not corrected for."
    families = ", ".join(f"{n} {'test' if n == 1 else 'tests'} {FAMILIES[asked]}" for asked, n in tests.items())
    how = "Bonferroni" if plan.correction == "bonferroni" else "Holm, whose first rejection is at the same level"
    return f"Level {plan.alpha:g}, two-sided, shared by {families} ({how}); power {plan.power:g}."


def _place(segment: str) -> str:
    return "over all leads" if segment == "all" else f"in the {segment} group"


def _against(plan: DesignPlan, row: PlanRow) -> str:
    return f" ({row.treatment})" if len(plan.shares) > 2 else ""


def _change(plan: DesignPlan, value: float | None) -> str:
    """A change to one more digit than its first."""
    if value is None:
        return fmt.MISSING
    scaled = abs(value) * (100 if plan.outcome_kind == "binary" else 1)
    places = 1 if scaled >= 1 or scaled == 0 else min(6, 1 - math.floor(math.log10(scaled)))
    places = 0 if scaled >= 100 else places
    text = fmt.change(value, plan.outcome_kind, places)
    return text.replace(".0 pp", " pp")


def _seeing(plan: DesignPlan, row: PlanRow) -> str:
    need = f"Seeing {_change(plan, row.target)} {_place(row.segment)}{_against(plan, row)}"
    need += f" needs about {roughly(row.leads_needed)} leads"
    if row.segment != "all" and row.leads_needed is not None:
        need += f", {roughly(row.leads_needed * row.share)} of them {row.segment}"
    have = []
    if plan.leads_per_week is not None:
        have.append(f"you get {roughly(plan.leads_per_week)} a week, so {weeks(row.weeks_needed)}")
    elif plan.leads_at_hand is not None:
        have.append(f"you have {plan.leads_at_hand:,.0f}")
    if plan.leads_at_hand is not None:
        have.append(_least(plan, row))
    return "; ".join([need, *have]) + "."


def _in_one_group(plan: DesignPlan, asked: list[PlanRow]) -> Iterator[str]:
    for arm in dict.fromkeys(row.treatment for row in asked):
        rows = [row for row in asked if row.question == "group" and row.treatment == arm]
        if rows:
            each = ", ".join(f"{row.segment} {roughly(row.leads_needed)}" for row in rows)
            yield f"Seeing as much in one group alone{_against(plan, rows[0])} needs about: {each} leads."


def _least(plan: DesignPlan, row: PlanRow) -> str:
    within = f"in {weeks(plan.weeks)}" if plan.leads_per_week is not None else "with them"
    if row.detectable is None:
        return f"{within} no uplift there is can be seen" + (f" ({row.note})" if row.note else "")
    return f"the smallest you can see {within} is {_change(plan, row.detectable)}"


def _smallest(plan: DesignPlan, row: PlanRow) -> str:
    if plan.leads_at_hand is None:
        return "Give `plan.uplift` to learn how many leads it takes, or `plan.leads_per_week` to learn what they show."
    got = f"{roughly(plan.leads_at_hand)} leads"
    got += f" in {weeks(plan.weeks)}" if plan.leads_per_week is not None else ""
    return f"{got}: {_least(plan, row)} {_place(row.segment)}{_against(plan, row)}."


def _smallest_by_group(plan: DesignPlan) -> list[str]:
    found = []
    for arm in [arm for arm in plan.shares if arm != "control"]:
        rows = [row for row in plan.rows if row.question == "group" and row.treatment == arm]
        if rows and plan.leads_at_hand is not None:
            each = ", ".join(f"{_change(plan, row.detectable)} in {row.segment}" for row in rows)
            found.append(f"By group{_against(plan, rows[0])}: {each}.")
    return found


def _best(plan: DesignPlan) -> Iterator[str]:
    for arm in dict.fromkeys(row.treatment for row in plan.rows):
        rows = [row for row in plan.rows if row.treatment == arm]
        best = [row for row in rows if row.question == "best" and row.leads_needed is not None]
        pairs = [row for row in rows if row.question == "difference" and row.leads_needed is not None]
        for name, found in (("best", best), ("pair", pairs)):
            if not found or (name == "pair" and best):
                continue
            each = ", ".join(f"{row.segment} {roughly(row.leads_needed)}" for row in found)
            lead = f"by {_change(plan, found[0].target).lstrip('+')}"
            what = "Saying that one group gains most," if name == "best" else "Telling two groups' uplifts apart,"
            yield f"{what} {lead},{_against(plan, found[0])} needs about: {each} leads."


def _split(plan: DesignPlan) -> Iterator[str]:
    now, best = plan.spending, plan.cheapest
    if now is None or best is None:
        return
    late = plan.leads_at_hand is not None and best.leads > plan.leads_at_hand + 1
    free = now.cost == 0 or late
    if _same(now, best) or (not free and now.cost - best.cost < 0.01 * now.cost):
        better = "sooner" if free else "for much less"
        yield f"No other split shows the uplift asked for {_place(now.segment)} {better}."
        return
    shares = ", ".join(f"{arm} {share:.0%}" for arm, share in best.shares.items())
    how, when = ("quickest", "") if free else ("cheapest", " in time")
    yield (
        f"The {how} split that shows the uplift asked for {_place(now.segment)}{when} is {shares}: "
        f"{roughly(best.leads)} leads{_took(best)}, {roughly(best.touches)} touches{_cost(best)}. "
        f"The split given takes {roughly(now.leads)} leads{_took(now)}, {roughly(now.touches)} touches{_cost(now)}."
    )


def _took(spending: Spending) -> str:
    return "" if spending.weeks is None else f" ({weeks(spending.weeks)})"


def _cost(spending: Spending) -> str:
    return f", cost {roughly(spending.cost)}" if spending.cost else ""


def _same(now: Spending, best: Spending) -> bool:
    return all(abs(now.shares[arm] - best.shares[arm]) < 0.02 for arm in now.shares)


def _holdout(plan: DesignPlan) -> Iterator[str]:
    held = plan.holdout
    if held is None:
        return
    until = f"by its end in {weeks(held.weeks)}" if held.until_given else f"in {weeks(held.weeks)}"
    for row in held.rows:
        if held.planned is not None and abs(row.share - held.planned) < 1e-12:
            yield (
                f"The holdout of {fmt.percent(row.share, 0)} ({row.organisations:,} organisations) shows a programme "
                f"effect of {_change(plan, row.detectable_per_lead)} per lead or more {until}."
            )
    if held.target is not None:
        wanted = f"Seeing a programme effect of {_change(plan, held.target)} per lead {until}"
        if held.share_needed is None:
            yield f"{wanted} takes longer, whatever the holdout."
        else:
            yield f"{wanted} takes a holdout of {fmt.percent(held.share_needed)} of organisations."


def _ranking(plan: DesignPlan) -> Iterator[str]:
    ranking = plan.ranking
    if ranking is None:
        return
    if ranking.leads_needed is None:
        yield f"The pilot's Qini of {ranking.qini:g} is not above zero: no number of leads follows from it."
        return
    when = f" ({weeks(ranking.weeks_needed)})" if ranking.weeks_needed is not None else ""
    yield (
        f"A ranking as good as the pilot's (Qini {ranking.qini:g}) can be told from none with about "
        f"{roughly(ranking.leads_needed)} leads{when}; half of them only train it."
    )
