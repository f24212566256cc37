"""The answer in plain words: which score group gains most from a touch, how sure that is, and what to do.

Words follow three rules. A gain is claimed only when its simultaneous interval lies above zero. "Gains most" is claimed
only when one group is left in the set of possibly best groups. A difference that was not seen is never called equality:
it is "not distinguishable", with the most that it could be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from leadlift.base.record import Record
from leadlift.base.records import Effect, StudyResult
from leadlift.report._arm_answer import ArmAnswer, arm_answer
from leadlift.report._organisations import organisation_words
from leadlift.report._ranking_words import ranking_words
from leadlift.report._reading import effects_of, groups, listed, treatments

NAMED_IN_HEADLINE = 2


@dataclass(frozen=True)
class Answer(Record):
    """What a study says, for someone who will act on it.

    Attributes:
        headline: the answer in one sentence.
        sure: how sure that is: whether groups differ, which may be best, what the intervals hold for.
        do: what to do next.
        ranking: whether ranking leads by predicted uplift beats ranking them by score.
        cautions: what weakens the answer, one sentence each.
        arms: the same per arm; one entry for a study with a single arm against control.
        organisations: what each arm brings per organisation, where the lot was drawn for organisations; said first.
    """

    headline: str
    sure: str
    do: str
    ranking: str
    cautions: tuple[str, ...]
    arms: tuple[ArmAnswer, ...] = ()
    organisations: str = ""


def answer(result: StudyResult) -> Answer:
    """The answer of a study in plain words.

    Args:
        result: what the study found; effects in outcome units.

    Returns: sentences in the user's own words for arms, outcome and groups.
    """
    if result.stopped:
        return _stopped(result)
    arms = tuple(arm_answer(result, arm) for arm in treatments(result) if _has_effects(result, arm))
    if not arms:
        return _nothing_estimated(result)
    return Answer(
        headline=_headline(arms),
        sure=_sure(result, arms),
        do=" ".join(a.do for a in arms),
        ranking=ranking_words(result),
        cautions=_cautions(result, arms),
        arms=arms,
        organisations=organisation_words(result),
    )


def _has_effects(result: StudyResult, arm: str) -> bool:
    return any(e.treatment == arm and e.outcome == result.outcome for e in result.effects)


def _headline(arms: tuple[ArmAnswer, ...]) -> str:
    if len(arms) <= NAMED_IN_HEADLINE:
        first, *rest = (a.headline.rstrip(".") for a in arms)
        return "; ".join([first, *(re.sub("^T(?=he |oo )", "t", other) for other in rest)]) + "."
    gains = [a for a in arms if a.verdict in ("best_group", "gain")]
    if not gains:
        return f"None of the {len(arms)} arms shows a gain over control."
    named = listed(
        f"“{a.treatment}”" + (f" (most in the {a.best[0]} score group)" if a.verdict == "best_group" else "")
        for a in gains
    )
    return f"{len(gains)} of {len(arms)} arms show a gain over control: {named}."


def _sure(result: StudyResult, arms: tuple[ArmAnswer, ...]) -> str:
    words = [f"“{a.treatment}”: {a.sure}" if len(arms) > 1 else a.sure for a in arms]
    if len(groups(result)) > 1 and any(a.verdict != "no_interval" for a in arms):
        together = "arms and score groups" if len(arms) > 1 else "score groups"
        words.append(f"The intervals hold for all {together} together.")
    return " ".join(words)


def _stopped(result: StudyResult) -> Answer:
    stops = [check.message for check in result.checks if check.status == "stop"]
    reason = _sentence(stops[0])
    more = f" {len(stops) - 1} more checks stopped it as well." if len(stops) > 1 else ""
    return Answer(
        headline=f"Stopped, so there is no answer yet: {reason}",
        sure=f"Nothing was estimated, since the numbers would have been wrong.{more}",
        do="Mend what stopped the study and run it again.",
        ranking="",
        cautions=tuple(_sentence(message) for message in stops[1:]) + _warned(result),
    )


def _nothing_estimated(result: StudyResult) -> Answer:
    return Answer(
        headline=f"No effect on “{result.outcome}” was estimated.",
        sure="There is nothing to be sure of.",
        do="Look at the checks and the row account for the reason.",
        ranking=ranking_words(result),
        cautions=_warned(result),
    )


def _cautions(result: StudyResult, arms: tuple[ArmAnswer, ...]) -> tuple[str, ...]:
    words = list(_warned(result))
    if result.score is not None and result.score.source == "estimated":
        words.append(
            "The score groups were made from this log, by models that never saw the lead they score; "
            "a score that came with the leads would be firmer ground."
        )
    if not groups(result):
        words.append("There are no score groups, so only overall effects could be compared.")
    words.extend(_too_few(result, arms))
    if len(arms) > 1:
        words.append("Each arm is compared with control; the arms are not compared with each other.")
    return tuple(dict.fromkeys(words))


def _warned(result: StudyResult) -> tuple[str, ...]:
    return tuple(_sentence(check.message) for check in result.checks if check.status == "warn")


def _too_few(result: StudyResult, arms: tuple[ArmAnswer, ...]) -> list[str]:
    shown = [
        effect
        for arm in arms
        for by in ("all", "score_group")
        for effect in effects_of(result, by, arm.treatment).values()
    ]
    none = [e for e in shown if e.ci_lower is None or e.ci_upper is None]
    few = [e for e in shown if e.interval == "miettinen_nurminen" and e not in none]
    words = []
    if few:
        words.append(
            f"Few outcomes, so plain differences with intervals for rare outcomes are given in: {_named(few)}."
        )
    if none:
        words.append(f"Too few organisations or outcomes for any interval in: {_named(none)}.")
    return words


def _named(effects: list[Effect]) -> str:
    return "; ".join(
        dict.fromkeys(f"“{e.treatment}”, {'all leads' if e.segment_by == 'all' else e.segment}" for e in effects)
    )


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else text + "."
