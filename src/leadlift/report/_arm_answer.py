"""What one arm's effects say about the score groups, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from leadlift.base.record import Record
from leadlift.base.records import Effect, StudyResult
from leadlift.report import format as fmt
from leadlift.report._reading import (
    control_arm,
    effect_decimals,
    effects_of,
    listed,
    overall_of,
    segment_test_of,
    simultaneous,
)

Verdict = Literal["best_group", "gain", "loss", "mixed", "not_distinguishable", "no_interval"]


@dataclass(frozen=True)
class ArmAnswer(Record):
    """What a study says about one arm.

    Attributes:
        treatment: the arm.
        verdict: `best_group` one group gains most; `gain` a gain, but not which group's is largest; `loss` no group
            gains and some or all lose; `mixed` some may gain, some lose; `not_distinguishable` neither gain nor loss
            was seen; `no_interval` too few organisations or outcomes to say.
        best: the groups that may gain most.
        harmed: the groups that lose by their simultaneous interval.
        headline: one sentence.
        sure: how sure it is.
        do: what to do next.
    """

    treatment: str
    verdict: Verdict
    best: tuple[str, ...]
    harmed: tuple[str, ...]
    headline: str
    sure: str
    do: str


@dataclass(frozen=True)
class _Facts:
    """What the sentences are built from."""

    arm: str
    outcome: str
    control: str
    overall: Effect | None
    by_group: dict[str, Effect]
    best: tuple[str, ...]
    p_equal: float | None
    why_not_tested: str
    kind: fmt.Kind
    decimals: int

    @property
    def gaining(self) -> tuple[str, ...]:
        return tuple(g for g, e in self.by_group.items() if (simultaneous(e)[0] or 0) > 0)

    @property
    def harmed(self) -> tuple[str, ...]:
        return tuple(g for g, e in self.by_group.items() if (simultaneous(e)[1] or 0) < 0)

    @property
    def overall_sign(self) -> int:
        lower, upper = simultaneous(self.overall) if self.overall else (None, None)
        return 1 if (lower or 0) > 0 else -1 if (upper or 0) < 0 else 0

    def says(self, effect: Effect) -> str:
        lower, upper = simultaneous(effect)
        if lower is None or upper is None:
            return f"{self._change(effect)} (no interval can be given)"
        interval = fmt.spoken(lower, upper, self.kind, self.decimals)
        return f"{self._change(effect)} (95% interval {interval})"

    def size(self, value: float) -> str:
        return fmt.size(value, self.kind, self.decimals) + ("" if self.kind == "binary" else " per lead")

    def _change(self, effect: Effect) -> str:
        change = fmt.change(effect.effect, self.kind, self.decimals)
        return change if self.kind == "binary" else f"{change} per lead"


def arm_answer(result: StudyResult, treatment: str) -> ArmAnswer:
    """The answer for one arm against control, from its effects by score group."""
    facts = _facts(result, treatment)
    verdict = _verdict(facts)
    return ArmAnswer(
        treatment=treatment,
        verdict=verdict,
        best=facts.best,
        harmed=facts.harmed,
        headline=_headline(facts, verdict),
        sure=_sure(facts, verdict),
        do=_do(facts, verdict),
    )


def _facts(result: StudyResult, treatment: str) -> _Facts:
    test = segment_test_of(result, treatment)
    by_group = effects_of(result, "score_group", treatment)
    best = tuple(name for name in by_group if test is not None and name in test.possibly_best)
    return _Facts(
        arm=treatment,
        outcome=result.outcome,
        control=control_arm(result) or "control",
        overall=overall_of(result, treatment),
        by_group=by_group,
        best=best or tuple(by_group),
        p_equal=test.p_value if test else None,
        why_not_tested=test.message if test else "",
        kind=result.outcome_kind,
        decimals=effect_decimals(result),
    )


def _verdict(facts: _Facts) -> Verdict:
    effects = [*facts.by_group.values(), *([facts.overall] if facts.overall else [])]
    if not any(simultaneous(effect)[0] is not None for effect in effects):
        return "no_interval"
    if len(facts.best) == 1 and len(facts.by_group) > 1 and facts.best[0] in facts.gaining:
        return "best_group"
    if facts.harmed and (facts.gaining or facts.overall_sign > 0):
        return "mixed"
    if facts.gaining or facts.overall_sign > 0:
        return "gain"
    if facts.harmed or facts.overall_sign < 0:
        return "loss"
    return "not_distinguishable"


def _headline(facts: _Facts, verdict: Verdict) -> str:
    arm, outcome = f"“{facts.arm}”", f"“{facts.outcome}”"
    if verdict == "best_group":
        group = facts.best[0]
        gain = facts.says(facts.by_group[group])
        return f"The {group} score group gains most from {arm}: {outcome} {gain}{_but_harmed(facts)}."
    if verdict == "no_interval":
        return f"Too few organisations or outcomes to say what {arm} does to {outcome}."
    overall = f"{facts.says(facts.overall)} over all leads" if facts.overall else "no overall estimate"
    if verdict == "not_distinguishable":
        return f"The effect of {arm} on {outcome} is not distinguishable from none: {overall}."
    if verdict == "loss":
        return f"{arm} does not help{_whom_it_harms(facts)}: {outcome} {overall}."
    return f"{arm} {_how_it_works(facts, verdict)}: {outcome} {overall}{_but_harmed(facts)}{_which_not_known(facts)}."


def _how_it_works(facts: _Facts, verdict: Verdict) -> str:
    if verdict == "mixed":
        return "helps some leads and harms others"
    return "works" if facts.overall_sign > 0 else f"works in the {_groups(facts.gaining)}"


def _which_not_known(facts: _Facts) -> str:
    if len(facts.by_group) < 2:
        return ""
    if len(facts.best) < 2:
        return f", and {facts.best[0]} does better than the other score groups"
    if len(facts.best) == len(facts.by_group):
        return ", but which score group gains most is not distinguishable"
    return f", but which of the {listed(facts.best)} score groups gains most is not distinguishable"


def _but_harmed(facts: _Facts) -> str:
    if not facts.harmed:
        return ""
    losses = (f"the {group} score group loses: {facts.says(facts.by_group[group])}" for group in facts.harmed)
    return f"; {listed(losses)}"


def _whom_it_harms(facts: _Facts) -> str:
    if facts.harmed:
        return f" and harms the {_groups(facts.harmed)}"
    return " and harms on average" if facts.overall_sign < 0 else ""


def _groups(names: tuple[str, ...]) -> str:
    return f"{listed(names)} score group{'' if len(names) == 1 else 's'}"


def _sure(facts: _Facts, verdict: Verdict) -> str:
    if verdict == "no_interval":
        return "No interval can be given, so nothing can be claimed."
    if len(facts.by_group) < 2:
        return "In 95 of 100 such studies the interval holds the true effect."
    return " ".join(filter(None, [_whether_groups_differ(facts), _which_may_be_best(facts), _at_most(facts)]))


def _whether_groups_differ(facts: _Facts) -> str:
    p = fmt.spoken_p(facts.p_equal)
    if facts.p_equal is None:
        reason = f": {facts.why_not_tested.rstrip('.')}" if facts.why_not_tested else ""
        return f"Whether score groups differ could not be tested{reason}."
    if facts.p_equal < 0.05:
        return f"Score groups differ in what they gain ({p})."
    most = _most_apart(facts)
    at_most = f", by {facts.size(most)} at most" if most is not None else ""
    return f"A difference between score groups was not seen ({p}); they may still differ{at_most}."


def _most_apart(facts: _Facts) -> float | None:
    """The most that two groups can differ by, if every simultaneous interval holds."""
    ends = [(lo, up) for lo, up in map(simultaneous, facts.by_group.values()) if lo is not None and up is not None]
    if len(ends) != len(facts.by_group):
        return None
    return max(up - lo for i, (_, up) in enumerate(ends) for j, (lo, _) in enumerate(ends) if i != j)


def _which_may_be_best(facts: _Facts) -> str:
    if len(facts.best) == 1:
        return f"With 95% confidence no other group gains more than {facts.best[0]}."
    return f"The group that gains most may be {listed(facts.best, 'or')}."


def _at_most(facts: _Facts) -> str:
    uppers = [simultaneous(effect)[1] for effect in facts.by_group.values()]
    known = [upper for upper in uppers if upper is not None]
    if facts.gaining or facts.overall_sign or len(known) < len(uppers):
        return ""
    return f"No group gains more than {facts.size(max(*known, 0.0))}."


def _do(facts: _Facts, verdict: Verdict) -> str:
    arm = f"“{facts.arm}”"
    spare = f" Leave the {_groups(facts.harmed)} alone." if facts.harmed else ""
    if verdict == "best_group":
        return (
            f"Give {arm} to the {facts.best[0]} score group first.{spare} Keep drawing by lot who is touched "
            "among some of the leads, so that the next round can check it."
        )
    if verdict == "no_interval":
        return "Run on with more organisations before deciding anything."
    if verdict == "not_distinguishable":
        return (
            f"Do not widen {arm} on this evidence. Where a gain inside the interval would still pay, run on with "
            "more leads, drawn by lot; else stop."
        )
    if verdict == "loss":
        return f"Stop {arm}{'' if facts.overall_sign < 0 else ' there'}.{spare}"
    if len(facts.by_group) < 2:
        return f"Keep {arm}, and keep drawing by lot who gets it."
    rest = [group for group in facts.by_group if group not in facts.best and group not in facts.harmed]
    last = f" Put {listed(rest)} last." if rest else ""
    first = (
        "do not favour a score group on this evidence"
        if len(facts.best) == len(facts.by_group)
        else f"start with {listed(facts.best)}"
    )
    return f"Keep {arm}, but {first}.{last}{spare} More leads, drawn by lot, would tell the groups apart."
