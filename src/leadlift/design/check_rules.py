"""The registry of checks: what each sees, when it warns or stops, and the one fix it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from leadlift.base.problems import Problem, share
from leadlift.base.records import Check, Status
from leadlift.data import AssignmentLog
from leadlift.data.ledger.evidence import LedgerFacts

# A check that chance alone can raise does so with this probability at most. Ten of them together, more than apply to
# any log, raise a false alarm in at most 5% of sound logs.
LEVEL = 0.005
CERTAIN = 1e-6

Reads = Literal["log", "ledger", "received", "evidence"]


@dataclass(frozen=True)
class LotFacts:
    """The lot that the configuration describes.

    Attributes:
        unit: `organisation` or `lead`.
        mode: `hashed` or `blocked`.
        round: the round that `shares` belong to.
        shares: P(arm) by arm before any cap.
        capped: arms with a capacity.
        shares_with: experiments whose organisations it may draw as well.
        design_digest: of the frozen design; None: nothing was frozen.
    """

    unit: str
    mode: str
    round: int
    shares: Mapping[str, float]
    capped: tuple[str, ...] = ()
    shares_with: tuple[str, ...] = ()
    design_digest: str | None = None


@dataclass(frozen=True, eq=False)
class Evidence:
    """What checks may look at.

    Attributes:
        log: the leads; None where they make no log (a problem then says why).
        features_named: whether the configuration names the features.
        seed: of draws behind p-values.
        ledger: what the ledger says of the experiment; None: a flat log.
        lot: the lot that the configuration describes; None: a flat log.
        months: month of assignment of each lead of the log, such as 2026-03, shape (n,); None: not known.
        received: a row per unit that was drawn: `cell` (draw and stratum), `treatment`, `leads`, `missing` (leads that
            the CRM's list does not have), `other` (leads that it has in another arm); None: no list was given.
        problems: what was found wrong before any check ran.
        names: whether checks may name examples: only for a screen. Identifiers can be people's names, and what a study
            writes and tracks goes further than its ledger.
    """

    log: AssignmentLog | None
    features_named: bool = True
    seed: int = 0
    ledger: LedgerFacts | None = None
    lot: LotFacts | None = None
    months: Any = None
    received: pd.DataFrame | None = None
    problems: tuple[Check, ...] = ()
    names: bool = False


@dataclass(frozen=True)
class Finding:
    """What a check found: its status and figure, and what it saw in words; `fix` where the rule's own does not fit."""

    status: Status
    value: float | int | None
    words: str
    fix: str | None = None


@dataclass(frozen=True)
class Rule:
    """One check.

    Attributes:
        code: stable short name, for programs.
        reads: what it needs: a log, a ledger, the CRM's list, or all evidence.
        sees: what it looks at.
        warns, stops: when; empty: never.
        fix: one thing to do about it.
        by_chance: whether a sound log may raise it, with probability `LEVEL` at most.
        run: the check; None where it does not apply.
    """

    code: str
    reads: Reads
    sees: str
    warns: str
    stops: str
    fix: str
    by_chance: bool
    run: Callable[[Any, Evidence], Finding | None]

    def check(self, evidence: Evidence) -> Check | None:
        """The check's result; None where it does not apply."""
        subject = evidence if self.reads == "evidence" else getattr(evidence, self.reads)
        found = None if subject is None else self.run(subject, evidence)
        if found is None:
            return None
        fix = self.fix if found.fix is None else found.fix
        return Check(
            self.code, found.status, found.value, found.words if found.status == "pass" else f"{found.words}; {fix}"
        )


def rule(
    code: str, reads: Reads, *, sees: str, warns: str = "", stops: str = "", fix: str, by_chance: bool = False
) -> Callable[[Callable[[Any, Evidence], Finding | None]], Rule]:
    """Makes a check of a function that takes what it reads, and all evidence."""

    def made(run: Callable[[Any, Evidence], Finding | None]) -> Rule:
        return Rule(code, reads, sees, warns, stops, fix, by_chance, run)

    return made


def graded(p: float) -> Status:
    """Whether a p-value warns or stops."""
    return "stop" if p < CERTAIN else "warn" if p < LEVEL else "pass"


def warned(bad: bool) -> Status:
    """`warn` where something is bad."""
    return "warn" if bad else "pass"


def as_checks(problems: tuple[Problem, ...]) -> list[Check]:
    """Problems that leave no log to study, as checks that stop."""
    return [Check(problem.code, "stop", None, f"{problem.found}; {problem.fix}") for problem in problems]


def part_of(part: int, whole: int, what: str = "leads") -> str:
    """How many of how many.

    >>> part_of(12, 4800)
    '12 of 4,800 leads (0.25%)'
    """
    return share(part, whole).replace(" rows ", f" {what} ")


def counted(n: int, what: str) -> str:
    """A number with its noun.

    >>> counted(1, "draw"), counted(1200, "draw")
    ('1 draw', '1,200 draws')
    """
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
