"""Answers to a plan's questions: leads needed, the smallest uplift seen, power; by formula, or drawn where few."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from leadlift.design.clusters import Clusters
from leadlift.design.plan_questions import Ask
from leadlift.design.plan_records import HowFound, PlanRow, PowerCurve
from leadlift.design.power import Method, detectable, leads_needed, power_of, quantiles
from leadlift.design.power_simulation import FEW_ORGANISATIONS, FEWEST_ORGANISATIONS, Part, simulated_power

ENOUGH_EVENTS = 20
ROUNDS = 5
CLOSE = 0.004
POINTS = 41


@dataclass(frozen=True)
class Answerer:
    """Answers questions under one level, power and inflow.

    Attributes:
        alpha: two-sided level before multiplicity.
        power: wanted.
        corrected: whether the level is shared by the tests of a family.
        money: whether outcomes are money.
        whole: whether organisations are drawn whole.
        per_week: leads that enter a week, if known.
        at_hand: leads that enter in the time given, if known.
        seed: of the draws.
    """

    alpha: float
    power: float
    corrected: bool
    money: bool
    whole: bool
    per_week: float | None
    at_hand: float | None
    seed: int

    def row(self, ask: Ask) -> PlanRow:
        """The answer to one question."""
        needed = None if ask.target is None else self.leads_for(ask, ask.target)
        smallest = self._at_hand(lambda leads: self.smallest(ask, leads))
        reached = None
        if ask.target is not None:
            target = ask.target
            reached = self._at_hand(lambda leads: self.reached(ask, target, leads))
        return PlanRow(
            question=ask.question,
            treatment=ask.treatment,
            segment=ask.segment,
            share=ask.share,
            baseline=ask.baseline,
            target=ask.target,
            alpha=self.level(ask),
            power=self.power,
            leads_needed=None if needed is None else math.ceil(needed),
            weeks_needed=needed / self.per_week if needed is not None and self.per_week else None,
            detectable=smallest,
            power_at_hand=reached,
            design_effect=ask.clusters.design_effect,
            method=self._how(ask),
            note=self._note(ask),
        )

    def level(self, ask: Ask) -> float:
        """The level of one test. Holm's first rejection is at alpha over the number of tests, like Bonferroni's."""
        return self.alpha / ask.tests if self.corrected else self.alpha

    def method(self, ask: Ask) -> Method:
        """Student's t for money and for organisations drawn whole, whose number is what counts; else the normal."""
        return "welch" if self.money or (self.whole and ask.clusters.mean > 1) else "normal"

    def leads_for(self, ask: Ask, effect: float, power: float | None = None) -> float:
        """Leads in all for which the power at `effect` is reached; not rounded."""
        wanted = self.power if power is None else power
        leads = leads_needed(
            effect,
            variances=ask.variances_at(effect),
            shares=ask.shares,
            alpha=self.level(ask),
            power=wanted,
            method=self.method(ask),
            leads_per_unit=ask.clusters.mean,
        )
        fewest = self._fewest(ask)
        leads = max(leads, fewest)
        for _ in range(ROUNDS):
            if min(ask.organisations(leads)) >= FEW_ORGANISATIONS:
                break
            found = self._drawn(ask, effect, leads)
            if abs(found - wanted) < CLOSE or (found > wanted and leads <= fewest):
                break
            leads = max(leads / self._correction(ask, found, wanted) ** 2, fewest)
        return leads

    def smallest(self, ask: Ask, leads: float, power: float | None = None, *, drawn: bool = True) -> float | None:
        """The smallest positive uplift seen from `leads`; None if there is none."""
        wanted = self.power if power is None else power
        effect = detectable(
            variances_at=ask.variances_at,
            leads=leads * ask.shares,
            alpha=self.level(ask),
            power=wanted,
            method=self.method(ask),
            leads_per_unit=ask.clusters.mean,
            largest=ask.largest * (1 - 1e-9),
        )
        if effect is None or not drawn or not self._few(ask, leads):
            return effect
        if min(ask.organisations(leads)) < FEWEST_ORGANISATIONS:
            return None
        for _ in range(ROUNDS):
            found = self._drawn(ask, effect, leads)
            if abs(found - wanted) < CLOSE:
                break
            effect /= self._correction(ask, found, wanted)
            if effect >= ask.largest:
                return None
        return effect

    def reached(self, ask: Ask, effect: float, leads: float, *, drawn: bool = True) -> float:
        """Power at `effect` from `leads`."""
        if drawn and self._few(ask, leads):
            return self._drawn(ask, effect, leads)
        return power_of(
            effect,
            variances=ask.variances_at(effect),
            leads=leads * ask.shares,
            alpha=self.level(ask),
            method=self.method(ask),
            leads_per_unit=ask.clusters.mean,
        )

    def curve(self, ask: Ask) -> PowerCurve:
        """Detectable uplift by leads and power by uplift, by formula throughout."""
        at_hand = self.at_hand if self.at_hand is not None else self.leads_for(ask, ask.target or 1.0)
        leads = np.linspace(0.1, 2.0, POINTS) * at_hand
        seen = [self.smallest(ask, float(n), drawn=False) for n in leads]
        smallest = self.smallest(ask, at_hand, drawn=False)
        widest = min(2 * max(smallest or ask.largest, abs(ask.target or 0)), ask.largest * (1 - 1e-9))
        uplift = np.linspace(0, widest, POINTS)
        power = [self.reached(ask, float(u), at_hand, drawn=False) for u in uplift]
        return PowerCurve(
            ask.treatment,
            ask.segment,
            tuple(leads.tolist()),
            tuple(seen),
            tuple(uplift.tolist()),
            tuple(power),
            ask.target,
        )

    def _at_hand(self, answer: Callable[[float], float | None]) -> float | None:
        return None if self.at_hand is None else answer(self.at_hand)

    def _few(self, ask: Ask, leads: float) -> bool:
        return min(ask.organisations(leads)) < FEW_ORGANISATIONS

    def _fewest(self, ask: Ask) -> float:
        """Leads for ten organisations an arm: with fewer no interval is given."""
        return FEWEST_ORGANISATIONS / min(n / 1e9 for n in ask.organisations(1e9))

    def _drawn(self, ask: Ask, effect: float, leads: float) -> float:
        start = 0.0 if len(ask.groups) == 1 or ask.question == "overall" else (ask.groups[1].target or 0.0)
        groups = ask.groups if ask.question == "difference" else ask.groups[:1]
        parts = []
        for place, group in enumerate(groups):
            share = ask.share if ask.question != "difference" else group.share
            counts = [max(1, round(leads * share * arm / ask.clusters.mean)) for arm in ask.arm_shares]
            mean, sd = (group.mean, group.sd) if ask.question != "overall" else (ask.baseline or 0.0, self._sd(ask))
            uplift = start + effect if place == 0 else start
            parts.append(Part((counts[0], counts[1]), self._alike(ask, mean, uplift), mean, uplift, sd))
        return simulated_power(parts, alpha=self.level(ask), rng=np.random.default_rng([self.seed, 4]))

    def _alike(self, ask: Ask, rate: float, uplift: float) -> Clusters:
        """Organisations whose totals vary as the question says: what groups add or strata take away goes into rho."""
        clusters = ask.clusters
        if len(ask.groups) == 1 or ask.question != "overall" or self.money or clusters.met <= 1:
            return clusters
        rates = np.array([rate, rate + uplift])
        asked, free = ask.variances_at(uplift) / ask.shares, rates * (1 - rates) / ask.shares
        return replace(clusters, rho=min(max((asked.sum() / free.sum() - 1) / (clusters.met - 1), 0.0), 0.99))

    def _sd(self, ask: Ask) -> float | None:
        if not self.money:
            return None
        return math.sqrt(float(ask.variances_at(0.0)[0]) / ask.clusters.design_effect)

    def _correction(self, ask: Ask, found: float, wanted: float) -> float:
        """How far the standard error by formula was off, from the power drawn."""
        bounded = min(max(found, 0.02), 0.98)
        critical = quantiles(self.level(ask), 0.5)
        return max(critical + float(stats.norm.ppf(bounded)), 0.3 * critical) / (
            critical + float(stats.norm.ppf(wanted))
        )

    def _how(self, ask: Ask) -> HowFound:
        leads = self.at_hand
        if leads is None:
            return self.method(ask)
        fewest = min(ask.organisations(leads))
        if fewest < FEWEST_ORGANISATIONS:
            return "none"
        return "simulation" if fewest < FEW_ORGANISATIONS else self.method(ask)

    def _note(self, ask: Ask) -> str:
        if self.at_hand is None:
            return ""
        fewest = min(ask.organisations(self.at_hand))
        if fewest < FEWEST_ORGANISATIONS:
            return f"{fewest} organisations in an arm: under {FEWEST_ORGANISATIONS} no interval is given"
        if not self.money and ask.baseline is not None:
            rate = min(ask.baseline, 1 - ask.baseline)
            events = rate * self.at_hand * float(ask.shares.min())
            if events < ENOUGH_EVENTS:
                return f"about {events:.0f} outcomes in an arm: too few for more than a rough answer"
        return ""
