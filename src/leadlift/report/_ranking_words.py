"""Whether predicted uplift ranks leads better than their score does, in plain words."""

from __future__ import annotations

from leadlift.base.records import LearnerChoice, RankingDifference, StudyResult
from leadlift.report import format as fmt
from leadlift.report._reading import area_decimals, learner_name, listed, segment_test_of, treatments

LEVEL = 0.05


def ranking_words(result: StudyResult) -> str:
    """What the rankings say, arm by arm; empty when none was judged."""
    arms = [arm for arm in treatments(result) if any(r.treatment == arm for r in result.learners)]
    said = {arm: _arm_words(result, arm) for arm in arms}
    if len(set(said.values())) == 1:
        return next(iter(said.values()))
    return " ".join(f"“{arm}”: {words}" for arm, words in said.items() if words)


def _arm_words(result: StudyResult, arm: str) -> str:
    learners = [r for r in result.learners if r.treatment == arm and r.learner != "score"]
    judged = [r for r in learners if r.qini is not None and r.qini_lower is not None]
    if learners and not judged:
        reasons = dict.fromkeys(r.message for r in learners if r.message)
        reason = "; ".join(reason.rstrip(".") for reason in reasons)
        return f"No learner's ranking could be judged. {reason[:1].upper()}{reason[1:]}.".removesuffix(" .")
    if not learners:
        return ""
    against = [
        d
        for d in result.differences
        if d.treatment == arm and d.against == "score" and d.lower is not None and d.upper is not None
    ]
    return " ".join([_holds(result, arm), *_differences(result, against)])


def _holds(result: StudyResult, arm: str) -> str:
    choice = next((c for c in result.choices if c.treatment == arm), None)
    if choice is not None and choice.chosen is not None:
        return " ".join([_beats(choice), *_chosen(choice)])
    test = segment_test_of(result, arm)
    if test is not None and test.p_value is not None and test.p_value < LEVEL:
        return "No learner's ranking was seen to find the leads that gain more, though score groups differ."
    if choice is not None and "along a prediction" in choice.message:
        return "No learner's ranking was seen to gain more than one at random, though uplift rises along a prediction."
    return "There is no evidence here that uplift differs between leads."


def _beats(choice: LearnerChoice) -> str:
    finds = [c for c in choice.candidates if (c.qini_lower or 0.0) > 0]
    if finds:
        named = listed(f"the {learner_name(c.learner)}'s" for c in finds)
        return f"On leads it had not seen, {named} ranking finds the leads that gain more."
    named = listed(f"the {learner_name(c.learner)}'s" for c in choice.candidates if c.beats_constant)
    return f"On leads it had not seen, {named} prediction is closer to the uplift observed than one number for all."


def _chosen(choice: LearnerChoice) -> list[str]:
    if len(choice.candidates) < 2:
        return []
    chosen, best = learner_name(choice.chosen or ""), learner_name(choice.best or "")
    if choice.chosen == choice.best:
        return [f"Chosen is the {chosen}: none simpler comes within one standard error of its loss."]
    return [f"Chosen is the {chosen}: the simplest whose loss is within one standard error of the best, the {best}."]


def _differences(result: StudyResult, against: list[RankingDifference]) -> list[str]:
    surely = _holm(against)
    places = area_decimals(result)

    def size(value: float) -> str:
        return fmt.size(value, result.outcome_kind, places)

    ahead = [d for d in surely if (d.difference or 0) > 0]
    behind = [d for d in surely if (d.difference or 0) < 0]
    unclear = [d for d in against if d not in surely]
    words: list[str] = []
    for compared, found in (("more", ahead), ("less", behind)):
        gains = [
            f"{size(abs(d.difference or 0))} {compared} per lead with the {learner_name(d.learner)} (95% interval of "
            f"the difference {fmt.spoken(d.lower, d.upper, result.outcome_kind, places)})"
            for d in found
        ]
        if gains:
            words.append(
                "Averaged over how many leads are touched, ranking by predicted uplift gains "
                f"{listed(gains)} than ranking by score."
            )
    if unclear:
        most = max(max(abs(d.lower or 0), abs(d.upper or 0)) for d in unclear)
        named = listed(f"the {learner_name(d.learner)}'s" for d in unclear)
        words.append(
            f"{named[0].upper()}{named[1:]} ranking is not distinguishable from ranking by score: "
            f"it may gain up to {size(most)} per lead more or less."
        )
    return words


def _holm(against: list[RankingDifference]) -> list[RankingDifference]:
    """The differences that stand after allowing for how many were looked at (Holm)."""
    ordered = sorted(against, key=lambda d: 1.0 if d.p_value is None else d.p_value)
    standing = []
    for i, difference in enumerate(ordered):
        excludes = (difference.lower or 0) > 0 or (difference.upper or 0) < 0
        p = difference.p_value if difference.p_value is not None else (0.0 if excludes else 1.0)
        if not excludes or p * (len(ordered) - i) >= LEVEL:
            break
        standing.append(difference)
    return standing
