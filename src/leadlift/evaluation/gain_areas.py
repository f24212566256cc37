"""One number per curve: each library's area, with what it divides by checked before it divides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from leadlift.base.arrays import Floats
from leadlift.base.problems import stop
from leadlift.evaluation.cumulated import Cumulated
from leadlift.evaluation.definitions import Definition, Kind, binary_outcome, gain_points
from leadlift.evaluation.metric_inputs import MetricInputs

# A difference this small beside its terms is rounding, not a number to divide by.
ROUNDING = 1e-12


def gain_area(inputs: MetricInputs, kind: Kind, definition: Definition) -> float:
    """The area of a ranking by one definition.

    Raises:
        DataError: the definition divides by something that is 0 here, the outcome or the propensities don't suit it,
            or the area is too large for a float.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        totals, gain = gain_points(inputs, kind, definition)
        if not np.isfinite(gain).all():
            raise too_large(inputs)
        area = _AREA[definition](inputs, kind, totals, gain)
    if not np.isfinite(area):
        raise too_large(inputs)
    return area


def too_large(inputs: MetricInputs) -> Exception:
    """The error for outcomes and weights whose sums don't fit a float."""
    found = f"outcomes up to {float(np.abs(inputs.y).max()):g}, propensities {np.min(inputs.propensity):g} to "
    found += f"{np.max(inputs.propensity):g}"
    return stop(inputs.where, "too-large", "weighted sums of outcomes fit a float", found, "rescale the outcome")


def area_over_random(leads: Floats, gain: Floats) -> float:
    """Area between a curve and the straight line from its start to its end, gain units times leads."""
    # The gap is 0 at both ends, to the last bit: a constant ranking has area 0, not nearly 0.
    gap = gain - leads / leads[-1] * gain[-1]
    return float(np.trapezoid(gap, leads))


def _leadlift(inputs: MetricInputs, kind: Kind, totals: Cumulated, gain: Floats) -> float:
    return area_over_random(totals.leads, gain) / totals.n


def _pylift(inputs: MetricInputs, kind: Kind, totals: Cumulated, gain: Floats) -> float:
    # Its steps are 1/N wide, N half the sum of weights: n where the propensity is the realised share, else nearly n.
    steps = float(totals.treated[-1] + totals.control[-1]) / 2
    width_beyond_one = totals.n / steps - 1
    return area_over_random(totals.leads, gain) / steps + float(width_beyond_one * gain[-1] / 2)


def _causalml(inputs: MetricInputs, kind: Kind, totals: Cumulated, gain: Floats) -> float:
    treated = float(totals.treated_outcome[-1] / totals.treated[-1])
    control = float(totals.control_outcome[-1] / totals.control[-1])
    if abs(treated - control) <= ROUNDING * np.abs(inputs.y).max():
        rule = '"causalml" divides by the effect over all leads, which must not be 0'
        found = f"mean outcome {treated:g} treated and {control:g} control: the effect is 0"
        raise stop(inputs.where, "zero-effect", rule, found, 'use definition="leadlift", which divides by nothing')
    last = float(gain[-1])
    # It sums the curve at 0, 1, ..., n leads: the trapezoid and half of both ends.
    over_random = area_over_random(totals.leads, gain)
    area = over_random if kind == "qini" else over_random + (totals.n + 1) * last / 2
    return float(area / (totals.n + 1) / abs(last))


def _sklift(inputs: MetricInputs, kind: Kind, totals: Cumulated, gain: Floats) -> float:
    binary_outcome(inputs)
    ideal = replace(inputs, uplift=_sklift_ideal(inputs, kind))
    perfect_totals, perfect_gain = gain_points(ideal, kind, "sklift")
    perfect = area_over_random(perfect_totals.leads, perfect_gain)
    if abs(perfect) <= ROUNDING * totals.n**2:
        rule = '"sklift" divides by the area between the perfect curve and the random line, which must not be 0'
        found = f"the area is 0; {int(inputs.y.sum()):,} of {inputs.y.size:,} leads have the outcome"
        raise stop(
            inputs.where, "zero-perfect-area", rule, found, 'use definition="leadlift", which divides by nothing'
        )
    return area_over_random(totals.leads, gain) / perfect


def _sklift_ideal(inputs: MetricInputs, kind: Kind) -> Floats:
    """The ranking that scikit-uplift calls perfect: it knows each lead's arm and outcome."""
    responds, treated = inputs.y == 1, inputs.treated
    if kind == "qini":
        return np.where(treated, inputs.y, -inputs.y)
    first = responds if int((responds & ~treated).sum()) > int((~responds & treated).sum()) else treated
    ideal: Floats = 2.0 * (responds == treated) + first
    return ideal


_AREA: dict[Definition, Callable[[MetricInputs, Kind, Cumulated, Floats], float]] = {
    "leadlift": _leadlift,
    "grf": _leadlift,
    "sklift": _sklift,
    "pylift": _pylift,
    "causalml": _causalml,
}
