"""Questions that every part of the report asks of a result: which arm is control, which groups, which effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from leadlift.base.records import Effect, RankingResult, SegmentTest, StudyResult
from leadlift.report import format as fmt

LEARNERS = {
    "s": "S-learner",
    "t": "T-learner",
    "x": "X-learner",
    "r": "R-learner",
    "dr": "DR-learner",
    "uplift_forest": "uplift forest",
    "causal_forest": "causal forest",
    "score": "score",
}
TOTAL = "organisation_total"
ANSWERING = ("all", "score_group")
ESTIMATORS = {"aipw": "AIPW", "difference_in_means": "difference in means"}
INTERVALS = {
    "t": "t",
    "satterthwaite": "CR2, Satterthwaite",
    "miettinen_nurminen": "Miettinen-Nurminen",
    "none": "none given",
}


def learner_name(learner: str) -> str:
    """A learner's name in words."""
    return LEARNERS.get(learner, learner)


def estimator_name(estimator: str) -> str:
    """An estimator's name in words."""
    return ESTIMATORS.get(estimator, estimator.replace("_", " "))


def shorten(text: str, most: int) -> str:
    """Text cut to `most` characters, for places that can't wrap.

    >>> shorten("Spring campaign, second call", 12)
    'Spring camp…'
    """
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def listed(words: Iterable[str], last: str = "and") -> str:
    """Words as a list in a sentence.

    >>> listed(["low", "medium", "high"]), listed(["low", "high"], "or")
    ('low, medium and high', 'low or high')
    """
    items = list(words)
    return f" {last} ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def control_arm(result: StudyResult) -> str | None:
    """The control's name: as the settings say, else the one arm that no effect is about."""
    named = _control_setting(result.settings)
    if named in result.arms:
        return named
    treated = {effect.treatment for effect in result.effects}
    rest = [arm for arm in result.arms if arm not in treated]
    return rest[0] if len(rest) == 1 and treated else None


def _control_setting(settings: Mapping[str, Any]) -> str | None:
    """`data.control`, or `data.treatment.control`."""
    data = settings.get("data")
    if not isinstance(data, Mapping):
        return None
    treatment = data.get("treatment")
    inside = treatment.get("control") if isinstance(treatment, Mapping) else None
    named = data.get("control", inside)
    return None if named is None else str(named)


def treatments(result: StudyResult) -> tuple[str, ...]:
    """The arms that are compared with control, in the result's order."""
    named = {e.treatment for e in result.effects} | {r.treatment for r in result.learners}
    named |= {row.treatment for row in result.balance}
    known = [arm for arm in result.arms if arm in named]
    return (*known, *sorted(named.difference(known)))


def effects_on_leads(result: StudyResult) -> tuple[Effect, ...]:
    """All effects but those on organisations' totals."""
    return tuple(effect for effect in result.effects if effect.estimand != TOTAL)


def groups(result: StudyResult) -> tuple[str, ...]:
    """The score groups from the lowest up."""
    found = dict.fromkeys(e.segment for e in effects_on_leads(result) if e.segment_by == "score_group")
    ordered = [name for name in (result.score.names if result.score else ()) if name in found]
    return (*ordered, *(name for name in found if name not in ordered))


def estimator(result: StudyResult, treatment: str, segment_by: str = "score_group") -> str | None:
    """The estimator that answers for one arm: AIPW, unless another one has intervals where AIPW has none.

    With few outcomes only the difference in means has intervals that hold. Small segments of another kind don't
    decide for all leads and score groups.
    """
    family = ANSWERING if segment_by in ANSWERING else (segment_by,)
    missing: dict[str, int] = {}
    for e in result.effects:
        kind = (e.treatment, e.outcome, e.estimand)
        if kind == (treatment, result.outcome, "per_lead") and e.segment_by in family:
            missing[e.estimator] = missing.get(e.estimator, 0) + (e.ci_lower is None or e.ci_upper is None)
    return min(missing, key=lambda name: (missing[name], name != "aipw"), default=None)


def effects_of(result: StudyResult, segment_by: str, treatment: str) -> dict[str, Effect]:
    """The answering estimator's effects of one arm per lead, by segment."""
    chosen = estimator(result, treatment, segment_by)
    found = {
        e.segment: e
        for e in result.effects
        if (e.segment_by, e.treatment, e.outcome, e.estimator, e.estimand)
        == (segment_by, treatment, result.outcome, chosen, "per_lead")
    }
    if segment_by != "score_group":
        return found
    return {name: found[name] for name in groups(result) if name in found}


def overall_of(result: StudyResult, treatment: str) -> Effect | None:
    """The answering estimator's effect of one arm over all leads."""
    return next(iter(effects_of(result, "all", treatment).values()), None)


def segment_test_of(result: StudyResult, treatment: str) -> SegmentTest | None:
    """The test between score groups that belongs to the answering estimator."""
    found = [
        test
        for test in result.segment_tests
        if (test.segment_by, test.treatment, test.outcome) == ("score_group", treatment, result.outcome)
    ]
    chosen = [test for test in found if test.estimator == estimator(result, treatment)]
    return next(iter(chosen or found), None)


def rankings_of(result: StudyResult, treatment: str) -> tuple[RankingResult, ...]:
    """The rankings judged for one arm, learners first and the score last."""
    found = [ranking for ranking in result.learners if ranking.treatment == treatment]
    return tuple(sorted(found, key=lambda ranking: ranking.learner == "score"))


def simultaneous(effect: Effect) -> tuple[float | None, float | None]:
    """The interval that holds for all groups together, else the plain one."""
    if effect.simultaneous_lower is None or effect.simultaneous_upper is None:
        return effect.ci_lower, effect.ci_upper
    return effect.simultaneous_lower, effect.simultaneous_upper


def effect_decimals(result: StudyResult) -> int:
    """Decimals that suit the effects of this study."""
    effects = effects_on_leads(result)
    widths = [e.ci_upper - e.ci_lower for e in effects if e.ci_upper is not None and e.ci_lower is not None]
    return fmt.decimals_for(widths or [e.effect for e in effects], result.outcome_kind)


def area_decimals(result: StudyResult) -> int:
    """Decimals that suit the areas of this study, which are several times smaller than its effects."""
    widths = [
        r.qini_upper - r.qini_lower for r in result.learners if r.qini_upper is not None and r.qini_lower is not None
    ]
    return fmt.decimals_for(widths, result.outcome_kind)


def truth_of(result: StudyResult, treatment: str, segment_by: str) -> dict[str, float]:
    """The true effects of one arm by segment; empty outside simulated companies."""
    return {
        row.segment: row.effect for row in result.truth if (row.treatment, row.segment_by) == (treatment, segment_by)
    }
