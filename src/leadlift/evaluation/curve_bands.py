"""Curves of fixed rankings with bands by organisation that hold for the whole curve at once.

A ranking that a model learnt from these leads is not fixed: `ranking_results` draws the curve of one that was judged
sequentially, with its band.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from leadlift.base.arrays import Codes, Floats
from leadlift.base.record import Record, known
from leadlift.base.records import CurvePoint
from leadlift.evaluation.area_intervals import judging_units
from leadlift.inference import band_critical_value, gain_curve, gain_curve_influence, unit_influence
from leadlift.inference import toc as toc_at

SHARES = np.round(np.arange(1, 21) / 20, 2)


@dataclass(frozen=True)
class TargetingPoint(Record):
    """One point of a TOC: the mean uplift of the top `share` less that of all, outcome units per lead touched.

    The band, `lower` to `upper`, is simultaneous over the curve; None at share 1, where the TOC is 0 by definition.
    """

    share: float
    toc: float
    lower: float | None
    upper: float | None


def gain_band(
    scores: Any,
    priority: Any,
    *,
    groups: Any = None,
    weights: Any = None,
    shares: Any = None,
    level: float = 0.95,
    rng: np.random.Generator,
) -> tuple[CurvePoint, ...]:
    """The gain curve of a fixed ranking with a band by organisation that holds for the whole curve at once.

    Args:
        scores: per-lead uplift scores of one arm against control, shape (n,), outcome units, such as `lead_scores` or
            `leadlift.inference.ipw_scores` make.
        priority: what leads are ranked by, highest first, shape (n,), fixed without their outcomes.
        groups: organisation of each lead, any labels, shape (n,); None: each lead for itself.
        weights: positive sample weights, shape (n,); None: all equal.
        shares: where to read the curve, inside (0, 1]; None: at every twentieth.
        level: simultaneous confidence, inside (0, 1).
        rng: source of the draws behind the critical value.

    Raises:
        DataError: fewer than 10 organisations, scores whose spread rests on fewer than 5 leads, a share outside
            [0, 1], a missing value, or lengths that differ.

    References:
        Montiel Olea, Plagborg-Moller (2019), Journal of Applied Econometrics 34, 1-17.
    """
    at = _shares(shares)
    gain = gain_curve(scores, priority, at, weights)
    influence = gain_curve_influence(scores, priority, at, weights)
    half = _half_width(influence, judging_units("`gain_band`", scores, groups), level, rng)
    end = float(gain_curve(scores, priority, [1.0], weights)[0])
    return tuple(
        CurvePoint(float(q), float(g), known(g - h), known(g + h), float(q * end))
        for q, g, h in zip(at, gain, half, strict=True)
    )


def toc_band(
    scores: Any,
    priority: Any,
    *,
    groups: Any = None,
    weights: Any = None,
    shares: Any = None,
    level: float = 0.95,
    rng: np.random.Generator,
) -> tuple[TargetingPoint, ...]:
    """The TOC of a fixed ranking with a band by organisation that holds for the whole curve at once.

    Args:
        scores: as `gain_band`.
        priority: as `gain_band`.
        groups: as `gain_band`.
        weights: as `gain_band`.
        shares: where to read the curve, inside (0, 1]; None: at every twentieth.
        level: as `gain_band`.
        rng: as `gain_band`.

    Raises:
        DataError: a share outside (0, 1], or as `gain_band`.

    References:
        Yadlowsky, Fleming, Shah, Brunskill, Wager (2025), JASA; Montiel Olea, Plagborg-Moller (2019).
    """
    at = _shares(shares)
    curve = toc_at(scores, priority, at, weights)
    gain = gain_curve_influence(scores, priority, np.append(at, 1.0), weights)
    # TOC(q) = gain(q)/q - gain(1), and so its influence.
    influence = np.where(at == 1, 0.0, gain[:, :-1] / at - gain[:, -1:])
    half = _half_width(influence, judging_units("`toc_band`", scores, groups), level, rng)
    return tuple(
        TargetingPoint(float(q), float(t), *((None, None) if q == 1 else (known(t - h), known(t + h))))
        for q, t, h in zip(at, curve, half, strict=True)
    )


def _shares(shares: Any) -> Floats:
    return SHARES if shares is None else np.atleast_1d(np.asarray(shares, dtype=np.float64))


def _half_width(influence: Floats, unit: Codes, level: float, rng: np.random.Generator) -> Floats:
    by_unit = unit_influence(influence, unit, int(unit.max()) + 1)
    # In an order of their own: units' names and the order of rows then change no bit.
    by_unit = by_unit[np.lexsort(by_unit.T)]
    half: Floats = band_critical_value(by_unit, level=level, rng=rng) * np.sqrt((by_unit**2).sum(axis=0))
    return half
