"""BANT: leads by budget, authority, need and timing, as far as each is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from leadlift.base.arrays import Column, Floats, floats
from leadlift.base.problems import Problems, listed
from leadlift.decide.leads import Leads

# Words that need no explanation. Others must be given: what a word is worth is the team's to say.
WORDS: Mapping[str, float | None] = {
    **dict.fromkeys(("yes", "true", "high"), 1.0),
    **dict.fromkeys(("medium", "mid"), 0.5),
    **dict.fromkeys(("no", "false", "low"), 0.0),
    **dict.fromkeys(("unknown", "n/a", ""), None),
}


@dataclass(frozen=True)
class Bant:
    """The weighted mean of budget, authority, need and timing, each between 0 and 1; a missing one is left out.

    Numbers become shares: how many of the leads have less. Words are worth what `words` says, else yes and high 1,
    medium a half, no and low 0, unknown nothing. A lead of which nothing is known comes last.

    Attributes:
        columns: the column of each part that is used.
        weights: of each part; those not named weigh 1.
        words: by column, what its words are worth, 0 to 1; None: not known.
        lower_is_better: parts in which a smaller number is better, such as days until the decision.
    """

    columns: Mapping[str, str]
    weights: Mapping[str, float] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    lower_is_better: Sequence[str] = ()
    name: str = "bant"

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns used."""
        return tuple(self.columns.values())

    def rank(self, leads: Leads) -> Floats:
        """The weighted mean; below all others where nothing is known.

        Raises:
            DataError: a column holds words that nobody gave a worth; all of them are named.
        """
        parts = self._parts(leads)
        weight = np.array([self.weights.get(part, 1.0) for part in self.columns])[:, None] * np.isfinite(parts)
        total = weight.sum(axis=0)
        mean = np.divide((weight * np.nan_to_num(parts)).sum(axis=0), total, out=np.zeros_like(total), where=total > 0)
        return np.where(total > 0, mean, -1.0)

    def reasons(self, leads: Leads) -> list[str]:
        """What is known of each lead, each part between 0 and 1: `budget 1, authority 0.5, need unknown`."""
        told = [
            [f"{part} {'unknown' if np.isnan(value) else f'{value:.3g}'}" for value in values]
            for part, values in zip(self.columns, self._parts(leads), strict=True)
        ]
        return [", ".join(of) for of in zip(*told, strict=True)]

    def _parts(self, leads: Leads) -> Floats:
        problems = Problems(f"the strategy `{self.name}`")
        parts = np.array([self._part(part, leads[column], problems) for part, column in self.columns.items()])
        problems.stop_if_any()
        return parts

    def _part(self, part: str, column: Column, problems: Problems) -> Floats:
        given = self.words.get(str(column.name))
        if pd.api.types.is_numeric_dtype(column.dtype) and given is None:
            values = floats(column)
            return _shares(-values if part in self.lower_is_better else values)
        if part in self.lower_is_better:
            found = f"`{column.name}` ({part}) holds words"
            fix = "leave it out there, and say in `words` what each is worth"
            problems.add("lower-words", "`lower_is_better` is of columns of numbers", found, fix)
        return _worth(column, given or WORDS, problems, lowered=given is None)


def _shares(values: Floats) -> Floats:
    """The share of the known values that are smaller, ties halved; NaN stays NaN."""
    known = values[np.isfinite(values)]
    if not known.size:
        return np.full(len(values), np.nan)
    ordered = np.sort(known)
    below = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return np.where(np.isfinite(values), below / (2 * known.size), np.nan)


def _worth(column: Column, words: Mapping[str, float | None], problems: Problems, *, lowered: bool) -> Floats:
    text = column.astype("str").str.strip().where(column.notna(), "")
    text = text.str.lower() if lowered else text
    known = {**words, "": None}
    unknown = sorted(set(text.unique()) - set(known))
    if unknown:
        problems.add(
            "unknown-word",
            f"every word in `{column.name}` has a worth between 0 and 1, or null",
            f"not {listed(unknown, 6)}",
            f"`words: {{{column.name}: {{{unknown[0]}: 0.5, ...}}}}`",
        )
    worth = {word: np.nan if value is None else float(value) for word, value in known.items()}
    return np.asarray(text.map(worth), dtype=np.float64)
