"""What can be said of strategies beside each other: bands, paired differences, possibly best sets, crossings.

All of it comes from one covariance: of the values of every strategy at every capacity, on the leads that judge it.
Strategies that were fixed before the lot are judged on all leads. What a fitted model orders is judged on leads that no
model had seen, and so is any difference from it: both sides on the same leads.

References: Hothorn, Bretz, Westfall (2008); Hsu (1981, 1996), Multiple Comparisons; Montiel Olea, Plagborg-Moller
(2019).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leadlift.base.arrays import Bools, Floats
from leadlift.decide.touching import Sample, joint

LEVEL = 0.95
MOST_NUMBERS, LEAST_DRAWS, MOST_DRAWS = 8_000_000, 2_000, 10_000
# An error below this share of the largest is no error: the two touch the same leads.
NOTHING = 1e-7


@dataclass(frozen=True, eq=False)
class Band:
    """Numbers at Q capacities with a simultaneous band; NaN where there is no error."""

    value: Floats
    se: Floats
    lower: Floats
    upper: Floats


class Compared:
    """Values of S strategies at Q capacities, and draws from their joint distribution.

    Args:
        fixed: values on all leads, of the strategies in `fixed_places`; None: there are none.
        held: values of all strategies on leads that no model had seen; None: no strategy learns.
        fixed_places: which strategies are fixed, places among the S.
        n: S.
        df: degrees of freedom of the errors.
        rng: source of the draws.
        fewest: how many leads two strategies must treat differently for a difference to have an error; where they
            treat fewer so, a handful of outcomes would decide it.
        arms: of each strategy, by place among the treated ones; None: it chooses. Strategies of different arms treat
            all leads differently that either touches.
    """

    def __init__(
        self,
        fixed: Sample | None,
        held: Sample | None,
        *,
        fixed_places: Sequence[int],
        n: int,
        df: float,
        rng: np.random.Generator,
        fewest: float = 0.0,
        arms: Sequence[int | None] | None = None,
    ) -> None:
        samples = [sample for sample in (fixed, held) if sample is not None]
        self.n = n
        self._arms = [0] * n if arms is None else list(arms)
        self.q = samples[0].value.shape[1]
        self._own = {s: k for k, s in enumerate(fixed_places)} if fixed is not None else {}
        offset = len(self._own)
        self._held = {s: offset + s for s in range(n)} if held is not None else {}
        self.values = np.concatenate([sample.value.reshape(-1) for sample in samples])
        found = joint(samples)
        self.covariance, self._apart, self._fewest = found.covariance, found.apart, fewest
        self._largest = float(np.sqrt(max(np.diag(self.covariance).max(), 0.0)))
        draws = int(np.clip(MOST_NUMBERS // max(self.values.size, 1), LEAST_DRAWS, MOST_DRAWS))
        self._draws = _drawn(self.covariance, df, rng, draws)

    def known(self, s: int) -> bool:
        """Whether strategy `s` has a value at all."""
        return s in self._own or s in self._held

    def comparable(self, a: int, b: int) -> bool:
        """Whether two strategies were judged on the same leads."""
        return (a in self._own and b in self._own) or (a in self._held and b in self._held)

    def _rows(self, block: int) -> slice:
        return slice(block * self.q, (block + 1) * self.q)

    def _combination(self, parts: Sequence[tuple[int, float]]) -> tuple[Floats, Floats, Floats]:
        """Value, error and draws of a sum of blocks with signs, each of shape (..., Q)."""
        value = np.asarray(sum(sign * self.values[self._rows(block)] for block, sign in parts))
        variance = sum(
            one * other * np.diag(self.covariance[self._rows(a), self._rows(b)])
            for a, one in parts
            for b, other in parts
        )
        draws = np.asarray(sum(sign * self._draws[:, self._rows(block)] for block, sign in parts))
        se = np.sqrt(np.maximum(variance, 0.0))
        certain = se <= NOTHING * self._largest
        # What touches the same leads differs by rounding only.
        value = np.where(certain & (np.abs(value) <= NOTHING * self._largest), 0.0, value)
        return value, np.where(certain, 0.0, se), draws

    def of(self, s: int) -> tuple[Floats, Floats, Floats]:
        """Value, error and draws of one strategy: on all leads where it is fixed."""
        return self._combination([(self._own.get(s, self._held.get(s, -1)), 1.0)])

    def difference(self, a: int, b: int) -> tuple[Floats, Floats, Floats]:
        """Value, error and draws of `a` less `b`, on the same leads; the error is NaN where too few are apart."""
        places = self._own if a in self._own and b in self._own else self._held
        value, se, draws = self._combination([(places[a], 1.0), (places[b], -1.0)])
        alike = self._arms[a] is not None and self._arms[a] == self._arms[b]
        few = alike & (se > 0) & (self._apart[places[a], places[b]] < self._fewest)
        return value, np.where(few, np.nan, se), draws

    def bands(self, numbers: Sequence[tuple[Floats, Floats, Floats]]) -> list[Band]:
        """Bands that hold over all of `numbers` at once."""
        largest = [np.abs(_standardised(draws, se)).max(axis=1) for _, se, draws in numbers]
        critical = _quantile(np.max(largest, axis=0)) if largest else np.nan
        return [_band(value, se, critical) for value, se, _ in numbers]

    def possibly_best(self, candidates: Sequence[int]) -> Bools:
        """Which candidates can't be told from the best at each capacity, at all capacities at once (Hsu).

        With probability 95% at least, the truly best of every capacity is among those that are left.

        Returns: shape (candidates, Q).
        """
        result = np.ones((len(candidates), self.q), dtype=bool)
        for row, k in enumerate(candidates):
            rivals = [self.difference(j, k) for j in candidates if j != k and self.comparable(j, k)]
            if not rivals:
                continue
            critical = _quantile(np.max([_standardised(draws, se).max(axis=1) for _, se, draws in rivals], axis=0))
            for ahead, se, _ in rivals:
                result[row] &= ~((se > 0) & (ahead > critical * se))
        return result

    def possibly_best_capacity(self, s: int, cost: Floats) -> tuple[int, Bools]:
        """Where a strategy's value less `cost`, shape (Q,), may be largest (Hsu over capacities).

        Returns: the place of the largest estimate, and the places that can't be told from it, shape (Q,).
        """
        block = self._own.get(s, self._held.get(s, -1))
        value, draws = self.values[self._rows(block)] - cost, self._draws[:, self._rows(block)]
        spread = self.covariance[self._rows(block), self._rows(block)]
        variance = np.diag(spread)[:, None] + np.diag(spread)[None, :] - 2 * spread
        se = np.sqrt(np.maximum(variance, 0.0))
        se = np.where(se > NOTHING * self._largest, se, 0.0)
        kept = np.ones(self.q, dtype=bool)
        for k in range(self.q):
            critical = _quantile(_standardised(draws - draws[:, [k]], se[k]).max(axis=1))
            kept[k] = not ((se[k] > 0) & (value - value[k] > critical * se[k])).any()
        return int(np.argmax(value)), kept


def _drawn(covariance: Floats, df: float, rng: np.random.Generator, draws: int) -> Floats:
    normal = rng.standard_normal((draws, len(covariance))) @ _root(covariance).T
    spread = np.sqrt(rng.chisquare(df, draws) / df) if np.isfinite(df) else np.ones(draws)
    result: Floats = normal / spread[:, None]
    return result


def _root(covariance: Floats) -> Floats:
    """R with R R' = covariance, which may be singular: then up to the least jitter that serves."""
    largest = float(np.diag(covariance).max(initial=0.0))
    for jitter in (1e-14, 1e-12, 1e-10, 1e-8):
        try:
            return np.asarray(np.linalg.cholesky(covariance + jitter * largest * np.eye(len(covariance))))
        except np.linalg.LinAlgError:
            continue
    values, vectors = np.linalg.eigh(covariance)
    root: Floats = vectors * np.sqrt(np.clip(values, 0, None))
    return root


def _standardised(draws: Floats, se: Floats) -> Floats:
    return np.divide(draws, se, out=np.zeros_like(draws), where=se > 0)


def _quantile(largest: Floats) -> float:
    return float(np.quantile(largest, LEVEL))


def _band(value: Floats, se: Floats, critical: float) -> Band:
    return Band(value, se, value - critical * se, value + critical * se)


@dataclass(frozen=True)
class Crossing:
    """Where one strategy stops being better than another, as places among the capacities.

    Attributes:
        better: places at which it is surely better.
        worse: places at which it is surely worse.
        estimate: the first place after which the sign of the estimate changes for good; None: it does not.
    """

    better: tuple[int, ...]
    worse: tuple[int, ...]
    estimate: int | None


def crossing(band: Band) -> Crossing:
    """Where a difference leaves zero, and where its estimate changes sign, read off its band."""
    with np.errstate(invalid="ignore"):
        better, worse = (np.flatnonzero((band.se > 0) & sure) for sure in (band.lower > 0, band.upper < 0))
    signs = np.sign(np.where(band.se > 0, band.value, 0.0))
    known = np.flatnonzero(signs)
    changes = [int(a) for a, b in itertools.pairwise(known) if signs[a] != signs[b]]
    return Crossing(tuple(map(int, better)), tuple(map(int, worse)), changes[-1] if changes else None)
