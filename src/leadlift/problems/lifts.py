"""How much oftener than by popularity suggested products are bought: measured on deals set aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from leadlift.base.arrays import Codes, Floats
from leadlift.base.record import Record
from leadlift.problems.order import best_first

# Suggestions per organisation that are looked at.
LOOKED_AT = 10
# Suggestions that were bought, per band at least; bands at most.
BOUGHT, BANDS = 40, 8
LEVEL = 0.95


@dataclass(frozen=True)
class LiftBand(Record):
    """Suggestions of which the ranking says about the same, and how they fared.

    Attributes:
        ratio_from: least ratio of the ranking's chance to popularity's; the next band's is its end.
        suggestions: how many there were.
        bought: how many of them were bought afterwards.
        lift: chance that an organisation's next product was the suggested one, over popularity's.
        lift_lower, lift_upper: 95%, over organisations.
    """

    ratio_from: float
    suggestions: int
    bought: int
    lift: float
    lift_lower: float
    lift_upper: float


@dataclass(frozen=True, eq=False)
class Suggested:
    """Products suggested, shape (suggestions,) each: row of the organisation, product, chances."""

    row: Codes
    product: Codes
    chance: Floats
    plain: Floats

    @property
    def ratio(self) -> Floats:
        """The ranking's chance over popularity's."""
        return self.chance / self.plain

    def only(self, kept: Any) -> Suggested:
        """Some of them."""
        return Suggested(self.row[kept], self.product[kept], self.chance[kept], self.plain[kept])


def suggested(chance: Floats, plain: Floats, *, most: int = LOOKED_AT) -> Suggested:
    """The likeliest products of each organisation of which the ranking says more than popularity does.

    Args:
        chance: by the ranking, 0 for products held or not to be named, shape (organisations, products).
        plain: by popularity, 0 for products held.
        most: per organisation.
    """
    top = best_first(chance, min(most, chance.shape[1]))
    row, place = np.nonzero(np.take_along_axis(chance > plain, top, axis=1))
    product = top[row, place]
    return Suggested(row, product, chance[row, product], plain[row, product])


def lift_bands(chance: Floats, plain: Floats, later: Any) -> tuple[LiftBand, ...]:
    """Lifts of suggestions over popularity by deals set aside, in bands of the ranking's own ratio.

    Each organisation counts the same: which of its later deals is the next one is drawn among them.

    Args:
        chance, plain: as of `suggested`.
        later: what organisations bought afterwards, sparse, shape (organisations, products).

    Returns: bands by ratio, ascending; none where nothing was suggested.
    """
    found = suggested(chance, plain)
    if not found.row.size:
        return ()
    many = np.diff(later.indptr)
    was_bought = np.zeros(chance.shape, dtype=bool)
    was_bought[np.repeat(np.arange(len(many)), many), later.indices] = True
    bought = was_bought[found.row, found.product]
    bands = int(np.clip(bought.sum() // BOUGHT, 1, BANDS))
    edges = np.unique(np.quantile(found.ratio, np.arange(bands) / bands))
    band = np.searchsorted(edges, found.ratio, side="right") - 1
    weight = 1.0 / many[found.row]
    return tuple(_band(float(edges[b]), found, bought, weight, band == b) for b in range(len(edges)))


def _band(start: float, found: Suggested, bought: Any, weight: Floats, rows: Any) -> LiftBand:
    expected = float(found.plain[rows].sum())
    hits = np.where(bought[rows], weight[rows], 0.0)
    total = float(hits.sum())
    lift = total / expected
    _, organisation = np.unique(found.row[rows], return_inverse=True)
    over = np.bincount(organisation, weights=hits - lift * found.plain[rows])
    variance = max(float((over**2).sum()), float((hits**2).sum()))
    lower, upper = gamma_interval(total, variance, float(weight[rows].mean()))
    return LiftBand(start, int(rows.sum()), int(bought[rows].sum()), lift, lower / expected, upper / expected)


def gamma_interval(total: float, variance: float, step: float) -> tuple[float, float]:
    """A 95% interval of a weighted sum of rare events; also where few or none were seen.

    Args:
        total: the sum.
        variance: of the sum.
        step: the mean weight of an event.

    References:
        Fay, Feuer (1997), Confidence intervals for directly standardized rates; Tiwari, Clegg, Zou (2006), whose
        upper limit this is.

    Examples:
        The exact interval of a Poisson count where all weights are 1:

        >>> [round(end, 3) for end in gamma_interval(10.0, 10.0, 1.0)]
        [4.795, 18.39]
    """
    tail = (1.0 - LEVEL) / 2.0
    lower = 0.0
    if total > 0 and variance > 0:
        lower = variance / (2.0 * total) * float(stats.chi2.ppf(tail, 2.0 * total**2 / variance))
    more, wider = total + step, variance + step**2
    return lower, wider / (2.0 * more) * float(stats.chi2.ppf(1.0 - tail, 2.0 * more**2 / wider))


def lifts_of(found: Suggested, bands: tuple[LiftBand, ...]) -> tuple[Floats, Floats, Floats]:
    """Each suggestion's lift with its interval: those of its band."""
    band = np.searchsorted([one.ratio_from for one in bands[1:]], found.ratio, side="right")
    values = np.array([(one.lift, one.lift_lower, one.lift_upper) for one in bands])[band]
    return values[:, 0], values[:, 1], values[:, 2]
