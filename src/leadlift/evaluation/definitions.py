"""Gain curves as leadlift, grf, scikit-uplift, pylift and causalml define them, from running totals of both arms.

With Y_t, Y_c the outcomes and N_t, N_c the numbers of the two arms among the k leads ranked highest (of n; weighted:
each lead counts one over the propensity of its arm):

| definition | uplift curve | Qini curve | unit |
|---|---|---|---|
| leadlift, grf, weighted | (Y_t - Y_c) / n | the same | outcome units per lead |
| sklift, causalml | k (Y_t/N_t - Y_c/N_c) | Y_t - Y_c N_t/N_c | outcome units |
| pylift, weighted | (Y_t/N_t - Y_c/N_c) (N_t + N_c)/N | Y_t/N_t(all) - Y_c/N_c(all) | outcome units per lead |

While one arm has not occurred yet, sklift and pylift put 0 for what it would divide; causalml draws a straight line
from the start to the first lead where both have (of the lift for its uplift curve, of the curve itself for its Qini).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np

from leadlift.base.arrays import Bools, Floats
from leadlift.base.problems import did_you_mean, share, stop
from leadlift.evaluation.cumulated import Cumulated, cumulate
from leadlift.evaluation.metric_inputs import MetricInputs

Definition = Literal["leadlift", "grf", "sklift", "pylift", "causalml"]
Kind = Literal["uplift", "qini"]
DEFINITIONS: tuple[str, ...] = get_args(Definition)
WEIGHTED = ("leadlift", "grf", "pylift")
WEIGHTS, TOC = "weights and partial areas are", "the TOC and its area are"


def checked_definition(where: str, definition: Any) -> Definition:
    """The definition, if it is one.

    Raises:
        DataError: a name that isn't a definition; the message says the nearest one.
    """
    if definition not in DEFINITIONS:
        found = f"`{definition}`: {did_you_mean(str(definition), DEFINITIONS)}"
        raise stop(where, "definition", f"`definition` is one of {', '.join(DEFINITIONS)}", found, "choose one")
    known: Definition = definition
    return known


def only_leadlifts(where: str, definition: Definition, what: str) -> Definition:
    """The definition, if it is leadlift's or grf's, which are the same.

    Raises:
        DataError: another library's, which has nothing that means the same.
    """
    if definition not in ("leadlift", "grf"):
        rule = f"{what} for `leadlift` and `grf`, which agree"
        found = f"`{definition}`, which has none that means the same"
        raise stop(where, "definition", rule, found, 'use definition="leadlift"')
    return definition


def gain_points(inputs: MetricInputs, kind: Kind, definition: Definition) -> tuple[Cumulated, Floats]:
    """A curve's totals, and its gain at each of them, both starting at 0 leads.

    Raises:
        DataError: sklift or causalml where leads differ in propensity: they compare plain means of the arms; weights
            where the definition has none.
    """
    if inputs.weight is not None:
        only_leadlifts(inputs.where, definition, WEIGHTS)
    weighted = definition in WEIGHTED
    if not weighted:
        _same_propensity(inputs, definition)
    totals = cumulate(inputs, weighted=weighted)
    return totals, _GAIN[definition, kind](totals)


def _same_propensity(inputs: MetricInputs, definition: Definition) -> None:
    if not isinstance(inputs.propensity, float):
        low, high = float(inputs.propensity.min()), float(inputs.propensity.max())
        rule = f'"{definition}" compares plain means of the arms: all leads need the same propensity'
        fix = 'use definition="leadlift", which weighs each lead by its own'
        raise stop(inputs.where, "propensity-differs", rule, f"propensities from {low:g} to {high:g}", fix)


def _leadlift(totals: Cumulated) -> Floats:
    return (totals.treated_outcome - totals.control_outcome) / totals.n


def _lift(totals: Cumulated) -> Floats:
    """Treated mean less control mean, where the mean of no leads is 0."""
    return _over(totals.treated_outcome, totals.treated) - _over(totals.control_outcome, totals.control)


def _over(part: Floats, whole: Floats) -> Floats:
    ratio: Floats = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return ratio


def _sklift_uplift(totals: Cumulated) -> Floats:
    return _lift(totals) * totals.leads


def _sklift_qini(totals: Cumulated) -> Floats:
    return totals.treated_outcome - totals.control_outcome * _over(totals.treated, totals.control)


def _causalml_uplift(totals: Cumulated) -> Floats:
    both = (totals.treated > 0) & (totals.control > 0)
    return _line_until(both, _lift(totals), totals.leads) * totals.leads


def _causalml_qini(totals: Cumulated) -> Floats:
    return _line_until(totals.control > 0, _sklift_qini(totals), totals.leads)


def _line_until(defined: Bools, values: Floats, leads: Floats) -> Floats:
    """The values where defined; before that, a straight line from 0 leads to the first that is."""
    known = defined.copy()
    known[0] = True
    filled: Floats = np.interp(leads, leads[known], values[known])
    return filled


def _pylift_uplift(totals: Cumulated) -> Floats:
    count = totals.treated + totals.control
    return _lift(totals) * count / float(count[-1])


def _pylift_qini(totals: Cumulated) -> Floats:
    return totals.treated_outcome / float(totals.treated[-1]) - totals.control_outcome / float(totals.control[-1])


_GAIN: dict[tuple[Definition, Kind], Callable[[Cumulated], Floats]] = {
    ("leadlift", "uplift"): _leadlift,
    ("leadlift", "qini"): _leadlift,
    ("grf", "uplift"): _leadlift,
    ("grf", "qini"): _leadlift,
    ("sklift", "uplift"): _sklift_uplift,
    ("sklift", "qini"): _sklift_qini,
    ("causalml", "uplift"): _causalml_uplift,
    ("causalml", "qini"): _causalml_qini,
    ("pylift", "uplift"): _pylift_uplift,
    ("pylift", "qini"): _pylift_qini,
}


def binary_outcome(inputs: MetricInputs) -> None:
    """Stops unless the outcome is 0 or 1.

    Raises:
        DataError: another outcome.
    """
    y = inputs.y
    other = int(((y != 0) & (y != 1)).sum())
    if other:
        rule = '"sklift" divides by the area of a perfect ranking, which it knows for outcomes of 0 and 1 only'
        fix = 'use definition="leadlift" for counts and money'
        raise stop(inputs.where, "outcome-kind", rule, f"another outcome on {share(other, y.size)}", fix)
