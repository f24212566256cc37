"""Messages are built here from facts, collected, and raised once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from leadlift.base.errors import DataError, LeadliftError


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: what rule, what was found, one fix.

    Attributes:
        code: short name of the rule, such as `arm-switch`; stable, for programs.
        rule: what holds in data that leadlift can use.
        found: what was found instead: names, values, how many rows.
        fix: one thing to do about it.
        error: the kind of error that stands for it.
    """

    code: str
    rule: str
    found: str
    fix: str
    error: type[LeadliftError] = DataError

    def __str__(self) -> str:
        return f"[{self.code}] {self.rule}\n    {self.found}\n    fix: {self.fix}"


@dataclass
class Problems:
    """Collects problems so that a user sees all of them at once.

    >>> problems = Problems("the assignment log")
    >>> problems.add("empty", "a log has rows", "0 rows", "export again")
    >>> problems.stop_if_any()
    Traceback (most recent call last):
        ...
    leadlift.base.errors.DataError: 1 problem in the assignment log
    [empty] a log has rows
        0 rows
        fix: export again
    """

    where: str
    found: list[Problem] = field(default_factory=list)

    def add(self, code: str, rule: str, found: str, fix: str, error: type[LeadliftError] = DataError) -> None:
        """Notes one problem; nothing is raised yet."""
        self.found.append(Problem(code, rule, found, fix, error))

    def stop_if_any(self) -> None:
        """Raises every problem noted, as one error of the first problem's kind.

        Raises:
            LeadliftError: one or more problems were noted.
        """
        if self.found:
            raise problem_error(self.where, self.found)


def problem_error(where: str, problems: list[Problem]) -> LeadliftError:
    """The error that says all `problems` in `where`."""
    many = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    kinds = {problem.error for problem in problems}
    kind = problems[0].error if len(kinds) == 1 else DataError
    error = kind("\n".join([f"{many} in {where}", *map(str, problems)]))
    error.problems = tuple(problems)
    return error


def stop(
    where: str, code: str, rule: str, found: str, fix: str, error: type[LeadliftError] = DataError
) -> LeadliftError:
    """The error for a single problem, to be raised by the caller."""
    return problem_error(where, [Problem(code, rule, found, fix, error)])


def nearest(name: str, allowed: Iterable[str]) -> str | None:
    """The allowed name most like `name`, or None when nothing is alike.

    >>> nearest("outcom", ["outcome", "treatment"])
    'outcome'
    """
    names = list(allowed)
    lowered = {candidate.lower(): candidate for candidate in reversed(names)}
    match = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
    return lowered[match[0]] if match else None


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """A hint for a wrong name: the nearest allowed one, else all that are allowed."""
    names = list(allowed)
    match = nearest(name, names)
    if match is not None:
        return f"did you mean `{match}`?"
    return "allowed: " + listed(names)


def listed(items: Iterable[object], most: int = 12) -> str:
    """Items as a short readable list.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    words = [str(item) for item in items]
    if len(words) <= most:
        return ", ".join(words) if words else "(none)"
    return f"{', '.join(words[:most])} and {len(words) - most:,} more"


def listed_labels(labels: Iterable[str], most: int = 12) -> str:
    """Labels from the data for a message; counted, not shown, where they could be names of people.

    >>> listed_labels(["call", "none"]), listed_labels(["call", "ann@example.org"])
    ('call, none', '2 different values')
    """
    words = list(labels)
    if len(words) > most or any("@" in word or len(word) > 60 for word in words):
        return f"{len(words):,} different values"
    return listed(words, most)


def share(part: int, whole: int) -> str:
    """How many of how many, for messages.

    >>> share(12, 4800)
    '12 of 4,800 rows (0.25%)'
    """
    percent = 100 * part / whole if whole else 0.0
    shown = f"{percent:.2g}" if percent < 10 else f"{percent:.0f}"
    return f"{part:,} of {whole:,} rows ({shown}%)"
