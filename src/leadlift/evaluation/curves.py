"""Curves of a ranking, with one point per distinct predicted value: uplift, Qini and TOC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from leadlift.base.arrays import Floats
from leadlift.base.problems import stop
from leadlift.base.record import Record
from leadlift.evaluation.cumulated import cumulate
from leadlift.evaluation.definitions import TOC, Definition, Kind, checked_definition, gain_points, only_leadlifts
from leadlift.evaluation.gain_areas import area_over_random, too_large
from leadlift.evaluation.metric_inputs import MetricInputs, metric_inputs
from leadlift.inference import toc as toc_at

_TOTAL = "outcome units, over the leads touched"
_PER_LEAD = "outcome units per lead of the log"
_UNIT: dict[tuple[Definition, Kind], str] = {
    ("sklift", "uplift"): _TOTAL,
    ("sklift", "qini"): "outcome units, over the treated among the leads touched",
    ("causalml", "uplift"): _TOTAL,
    ("causalml", "qini"): "outcome units, over the treated among the leads touched",
}


@dataclass(frozen=True, eq=False)
class GainCurve(Record):
    """What touching the leads ranked highest gains. Arrays have shape (points,) and can't be written to.

    Attributes:
        kind: `uplift` or `qini`.
        definition: whose curve it is.
        leads: how many leads are touched, from 0 to n; one point per distinct predicted value. Linear in between.
            With sample weights, their sum, scaled to a mean of 1.
        share: the same as a share of all leads, from 0 to 1.
        gain: what that gains over touching none, in `unit`.
        random: the gain of touching as many at random: a straight line from 0 to the last gain, in `unit`.
        unit: the unit of `gain` and `random`.
        n_organisations: how many organisations the leads belong to; None where not given.
    """

    kind: Kind
    definition: Definition
    leads: Floats
    share: Floats
    gain: Floats
    random: Floats
    unit: str
    n_organisations: int | None = None

    def __post_init__(self) -> None:
        _read_only("a gain curve", self.leads, self.share, self.gain, self.random)

    @property
    def area(self) -> float:
        """Area between the curve and the random line over shares, in `unit`; `qini_score` for "leadlift".

        With sample weights `qini_score` is grf's sum over leads, this the integral: they differ by 1/n of the curve.
        """
        return area_over_random(self.leads, self.gain) / float(self.leads[-1])


@dataclass(frozen=True, eq=False)
class TargetingCurve(Record):
    """The targeting operator characteristic (TOC). Arrays have shape (points,) and can't be written to.

    Attributes:
        share: share of leads touched, inside (0, 1].
        toc: mean uplift of those leads less that of all, outcome units per lead touched; 0 at share 1. Between
            points it is not linear: share times (TOC + mean uplift) is.
        mean_uplift: mean uplift of all leads, outcome units per lead.
        definition: whose curve it is.
        unit: the unit of `toc`.
        n_organisations: how many organisations the leads belong to; None where not given.
    """

    share: Floats
    toc: Floats
    mean_uplift: float
    definition: Definition
    unit: str = "outcome units per lead touched"
    n_organisations: int | None = None

    def __post_init__(self) -> None:
        _read_only("a targeting curve", self.share, self.toc)


def _read_only(where: str, *arrays: Floats) -> None:
    if len({array.shape for array in arrays}) > 1:
        found = ", ".join(str(array.shape) for array in arrays)
        raise stop(where, "shape", "a curve's arrays have one value per point", found, "give each one the same points")
    for array in arrays:
        array.setflags(write=False)


def uplift_curve(
    y: Any,
    uplift: Any,
    treatment: Any,
    *,
    propensity: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
    definition: Definition = "leadlift",
) -> GainCurve:
    """The uplift (cumulative gain) curve of a ranking, exact under ties and the same in any row order.

    Args:
        y: outcome, shape (n,), outcome units.
        uplift: what leads are ranked by, highest first, shape (n,); a predicted uplift or any other score.
        treatment: 1 treated, 0 control, shape (n,).
        propensity: P(treatment = 1) by design, a number or shape (n,), inside (0, 1); None: the realised share.
        groups: organisation of each lead, any labels, shape (n,). They are counted; they don't move the curve.
        sample_weight: positive weights, shape (n,); None: all equal. For `leadlift` and `grf`.
        definition: whose curve: `leadlift` (= `grf`), `sklift`, `pylift` or `causalml` (not normalised).

    Raises:
        DataError: lengths differ, a value is missing, an arm is empty, a treatment other than 0 and 1, an unknown
            definition, propensities that differ where the definition compares plain means, or a weight that isn't
            positive or that the definition doesn't know.
        PropensityError: a propensity outside (0, 1).

    References:
        Devriendt, Guns, Verbeke (2020); Gutierrez, Gerardy (2016); pylift 0.1.5; causalml 0.18.

    Examples:
        >>> curve = uplift_curve([1, 0, 1, 0], [0.4, 0.4, 0.1, 0.1], [1, 0, 0, 1], propensity=0.5)
        >>> curve.share, curve.gain
        (array([0. , 0.5, 1. ]), array([0. , 0.5, 0. ]))
    """
    where = "`uplift_curve`"
    known = checked_definition(where, definition)
    inputs = metric_inputs(
        where, y, uplift, treatment, propensity=propensity, groups=groups, sample_weight=sample_weight
    )
    return _gain_curve(inputs, "uplift", known)


def qini_curve(
    y: Any,
    uplift: Any,
    treatment: Any,
    *,
    propensity: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
    definition: Definition = "leadlift",
) -> GainCurve:
    """The Qini curve of a ranking, exact under ties and the same in any row order.

    By "leadlift" it is the uplift curve: weights make up for arms of different size, so there is one curve only.
    sklift's and causalml's counts gains over treated leads.

    Args:
        y: outcome, shape (n,), outcome units.
        uplift: what leads are ranked by, highest first, shape (n,).
        treatment: 1 treated, 0 control, shape (n,).
        propensity: as `uplift_curve`.
        groups: as `uplift_curve`.
        sample_weight: as `uplift_curve`.
        definition: as `uplift_curve`.

    Raises:
        DataError: as `uplift_curve`.
        PropensityError: a propensity outside (0, 1).

    References:
        Radcliffe (2007), Direct Marketing Analytics Journal 3, 14-21.

    Examples:
        >>> curve = qini_curve([1, 0, 1, 0], [0.4, 0.3, 0.1, 0.1], [1, 0, 0, 1], definition="sklift")
        >>> curve.leads, curve.gain, curve.random
        (array([0., 1., 2., 4.]), array([0., 1., 1., 0.]), array([0., 0., 0., 0.]))
    """
    where = "`qini_curve`"
    known = checked_definition(where, definition)
    inputs = metric_inputs(
        where, y, uplift, treatment, propensity=propensity, groups=groups, sample_weight=sample_weight
    )
    return _gain_curve(inputs, "qini", known)


def _gain_curve(inputs: MetricInputs, kind: Kind, definition: Definition) -> GainCurve:
    with np.errstate(over="ignore", invalid="ignore"):
        totals, gain = gain_points(inputs, kind, definition)
    if not np.isfinite(gain).all():
        raise too_large(inputs)
    share = totals.leads / totals.n
    unit = _UNIT.get((definition, kind), _PER_LEAD)
    return GainCurve(kind, definition, totals.leads, share, gain, share * gain[-1], unit, inputs.n_organisations)


def toc(
    y: Any,
    uplift: Any,
    treatment: Any,
    *,
    propensity: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
    shares: Any = None,
    definition: Definition = "leadlift",
) -> TargetingCurve:
    """The TOC of a ranking: the mean uplift of the top share less that of all, from inverse-propensity scores.

    Args:
        y: outcome, shape (n,), outcome units.
        uplift: what leads are ranked by, highest first, shape (n,).
        treatment: 1 treated, 0 control, shape (n,).
        propensity: as `uplift_curve`.
        groups: as `uplift_curve`.
        sample_weight: as `uplift_curve`; shares are then shares of the weight.
        shares: where to read the TOC, shape (Q,), inside (0, 1]; None: at each distinct predicted value.
        definition: `leadlift` or `grf`, which are the same; the other libraries have no TOC.

    Raises:
        DataError: another definition, a share outside (0, 1], or as `uplift_curve`.
        PropensityError: a propensity outside (0, 1).

    References:
        Yadlowsky, Fleming, Shah, Brunskill, Wager (2025), JASA.

    Examples:
        >>> toc([1, 0, 1, 0], [0.4, 0.4, 0.1, 0.1], [1, 0, 0, 1], propensity=0.5).toc
        array([1., 0.])
    """
    where = "`toc`"
    known = only_leadlifts(where, checked_definition(where, definition), TOC)
    inputs = metric_inputs(
        where, y, uplift, treatment, propensity=propensity, groups=groups, sample_weight=sample_weight
    )
    scores, weight = inputs.scores, inputs.weight
    at = _distinct_shares(inputs) if shares is None else np.atleast_1d(np.array(shares, dtype=np.float64))
    curve = toc_at(scores, inputs.uplift, at, weight)
    mean = float(np.sort(scores if weight is None else weight * scores).mean())
    return TargetingCurve(at, curve, mean, known, n_organisations=inputs.n_organisations)


def _distinct_shares(inputs: MetricInputs) -> Floats:
    leads = cumulate(inputs, weighted=False).leads
    return leads[1:] / float(leads[-1])
