"""The page: one HTML file that needs no network and no script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

from leadlift.base.record import Record
from leadlift.base.records import Check, StudyResult
from leadlift.report import format as fmt
from leadlift.report._method import method, provenance, settings
from leadlift.report._reading import control_arm, effect_decimals, overall_of, simultaneous, treatments
from leadlift.report._strategy_tables import decision_notes
from leadlift.report._strategy_words import strategy_cautions, strategy_words
from leadlift.report.answer import answer
from leadlift.report.figures import Drawn, all_figures, missing_figures
from leadlift.report.problem_uplift import card_words, problem_notes_of, problem_words
from leadlift.report.tables import all_tables

if TYPE_CHECKING:
    from jinja2 import Template

MARKS = {"pass": ("✓", "passed"), "warn": ("!", "warning"), "stop": ("✕", "stopped")}
MOST_KEY_EFFECTS = 3


@dataclass(frozen=True)
class KeyNumber(Record):
    """One number of the strip on top: what it is, how much, and a remark."""

    label: str
    value: str
    remark: str = ""


def html(result: StudyResult, *, figures: Mapping[str, Drawn] | None = None) -> str:
    """The report of a study as one HTML page; the same text for the same result.

    Args:
        result: what the study found.
        figures: what `all_figures` gave for this result, to save drawing them again.

    Returns: a whole page: the answer first, then the numbers behind it, then how they came about.
    """
    said = answer(result)
    return _template().render(
        result=result,
        answer=said,
        whom=strategy_words(result),
        whom_notes=(*strategy_cautions(result), *decision_notes(result)),
        of_problems=problem_words(result),
        of_problems_notes=() if result.problems is None else problem_notes_of(result.problems),
        arms=said.arms if len(said.arms) > 1 else (),
        key_numbers=key_numbers(result),
        figures=all_figures(result) if figures is None else figures,
        missing=missing_figures(result),
        tables=all_tables(result),
        checks=[(*MARKS[check.status], check) for check in _worst_first(result)],
        method=method(result),
        provenance=provenance(result),
        settings=settings(result),
        number=fmt.number,
        percent=fmt.percent,
        count=fmt.count,
        card_effect=partial(card_words, result),
    )


def key_numbers(result: StudyResult) -> tuple[KeyNumber, ...]:
    """The few numbers that set the scene."""
    found = [_leads(result)]
    if result.organisations_given:
        remark = "which every interval allows for" if result.effects else ""
        found.append(KeyNumber("Organisations", fmt.count(result.n_organisations), remark))
    arms = treatments(result)[:MOST_KEY_EFFECTS]
    found += [one for arm in arms if (one := _overall(result, arm)) is not None]
    return (*found, _checks(result))


def _leads(result: StudyResult) -> KeyNumber:
    of = "" if result.rows.used == result.rows.read else f"of {fmt.count(result.rows.read)} read, "
    arms = len(result.arms)
    return KeyNumber("Leads used", fmt.count(result.rows.used), f"{of}in {arms} arms")


def _overall(result: StudyResult, arm: str) -> KeyNumber | None:
    effect = overall_of(result, arm)
    if effect is None or effect.effect is None:
        return None
    places = effect_decimals(result)
    lower, upper = simultaneous(effect)
    return KeyNumber(
        f"{arm} against {control_arm(result) or 'control'}",
        fmt.change(effect.effect, result.outcome_kind, places),
        f"95% interval {fmt.spoken(lower, upper, result.outcome_kind, places)}",
    )


def _checks(result: StudyResult) -> KeyNumber:
    n = {status: sum(check.status == status for check in result.checks) for status in MARKS}
    remarks = [f"{n['stop']} stopped it"] if n["stop"] else []
    if n["warn"]:
        remarks.append("1 warning" if n["warn"] == 1 else f"{n['warn']} warnings")
    return KeyNumber(
        "Checks passed", f"{n['pass']} of {len(result.checks)}", ", ".join(remarks) or "nothing to warn of"
    )


def _worst_first(result: StudyResult) -> list[Check]:
    order = list(MARKS)[::-1]
    return sorted(result.checks, key=lambda check: order.index(check.status))


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("leadlift.report", "templates")
    page = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page.filters["tight"] = _tight
    return page.get_template("page.html.j2")


def _tight(text: str) -> str:
    """Keeps a number and its unit, and a p-value, on one line."""
    return text.replace(" pp", "\u00a0pp").replace("p < ", "p\u00a0<\u00a0").replace("p = ", "p\u00a0=\u00a0")
