"""What every curve and area does with its arguments first: check them all, and say all that is wrong at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Bools, Codes, Floats, floats
from leadlift.base.errors import PropensityError
from leadlift.base.problems import Problems, listed, share, stop
from leadlift.inference import ipw_scores

Propensity = Floats | float
# What numpy would turn into numbers that mean nothing here.
_KINDS = {"M": "dates", "m": "durations", "c": "complex numbers"}


@dataclass(frozen=True, eq=False)
class MetricInputs:
    """Checked columns of a ranking to be judged.

    Attributes:
        where: name of the metric, for messages.
        y: outcome, shape (n,), outcome units.
        uplift: what leads are ranked by, highest first, shape (n,).
        treated: whether the lot said treatment, shape (n,); both arms occur.
        propensity: P(treatment), inside (0, 1): one number where all leads share it, else shape (n,).
        organisation: codes 0 ... J - 1 in the order of their labels, shape (n,); None where not given.
        weight: positive sample weights with mean 1, shape (n,); None: all equal.
    """

    where: str
    y: Floats
    uplift: Floats
    treated: Bools
    propensity: Propensity
    organisation: Codes | None = None
    weight: Floats | None = None

    @property
    def n_organisations(self) -> int | None:
        """How many organisations the leads belong to; None where not given."""
        return None if self.organisation is None else int(self.organisation.max()) + 1

    @property
    def propensity_by_lead(self) -> Floats:
        """The propensity on every row, shape (n,)."""
        return np.broadcast_to(np.asarray(self.propensity, dtype=np.float64), self.y.shape)

    @property
    def weight_by_lead(self) -> Floats:
        """The weight of every row, shape (n,): 1 where none were given."""
        return np.ones_like(self.y) if self.weight is None else self.weight

    @property
    def scores(self) -> Floats:
        """Per-lead inverse-propensity scores, shape (n,), outcome units."""
        return ipw_scores(self.y, self.treated.astype(np.int64), propensity=self.propensity_by_lead)


def metric_inputs(
    where: str,
    y: Any,
    uplift: Any,
    treatment: Any,
    *,
    propensity: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
) -> MetricInputs:
    """Checks the arguments that all metrics share.

    Args:
        where: name of the metric, for messages.
        y: outcome, shape (n,), outcome units.
        uplift: what leads are ranked by, shape (n,).
        treatment: 1 treated, 0 control, shape (n,).
        propensity: P(treatment = 1), a number or shape (n,); None: the realised share of treated leads.
        groups: organisation of each lead, shape (n,), any labels; None: not given.
        sample_weight: positive weights, shape (n,); None: all equal. Rescaling them changes nothing.

    Raises:
        DataError: no leads, lengths differ, a value is missing or not a number, a treatment other than 0 and 1, an
            arm without leads, or a weight that isn't positive.
        PropensityError: a propensity outside (0, 1).
    """
    given = {"y": y, "uplift": uplift, "treatment": treatment}
    if propensity is not None and np.ndim(propensity) > 0:
        given["propensity"] = propensity
    if sample_weight is not None:
        given["sample_weight"] = sample_weight
    columns = {name: _numbers(where, name, column) for name, column in given.items()}
    labels = {} if groups is None else {"groups": np.asarray(groups)}
    _same_length(where, {name: column.shape for name, column in (columns | labels).items()})
    problems = Problems(where)
    for name, column in columns.items():
        _finite(problems, name, column)
    _two_arms(problems, columns["treatment"])
    if labels:
        _named(problems, labels["groups"])
    if "sample_weight" in columns:
        _positive(problems, columns["sample_weight"])
    problems.stop_if_any()
    treated, weight = columns["treatment"] == 1, _mean_one(columns.get("sample_weight"))
    chosen = columns.get("propensity", propensity)
    return MetricInputs(
        where,
        columns["y"],
        columns["uplift"],
        treated,
        _propensity(where, _realised(treated, weight) if chosen is None else chosen),
        _codes(labels["groups"]) if labels else None,
        weight,
    )


def ranking_column(where: str, name: str, column: Any, n: int) -> Floats:
    """What n leads are ranked by, shape (n,).

    Raises:
        DataError: not a finite number for each of n leads.
    """
    values = _numbers(where, name, column)
    _same_length(where, {"leads": (n,), name: values.shape})
    problems = Problems(where)
    _finite(problems, name, values)
    problems.stop_if_any()
    return values


def organisation_codes(where: str, groups: Any, n: int) -> Codes:
    """Codes 0 ... J - 1 of organisations in any labels, in the order of these, shape (n,).

    Raises:
        DataError: not one label for each of n leads, or a missing one.
    """
    labels = np.asarray(groups)
    _same_length(where, {"leads": (n,), "groups": labels.shape})
    problems = Problems(where)
    _named(problems, labels)
    problems.stop_if_any()
    return _codes(labels)


def _codes(labels: np.ndarray[Any, Any]) -> Codes:
    return pd.factorize(labels, sort=True)[0].astype(np.intp)


def _numbers(where: str, name: str, column: Any) -> Floats:
    kind = _KINDS.get(np.asarray(column).dtype.kind)
    if kind:
        raise stop(where, "not-a-number", f"`{name}` holds numbers", f"{kind}", "code it as numbers first")
    try:
        return floats(column) if isinstance(column, pd.Series) else np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError) as error:
        rule = f"`{name}` holds numbers"
        raise stop(where, "not-a-number", rule, f"{error}", "code it as numbers first") from error


def _same_length(where: str, shapes: dict[str, tuple[int, ...]]) -> None:
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        found = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise stop(where, "shape", "columns have one value per lead", found, "pass arrays of shape (n,)")
    if (0,) in shapes.values():
        raise stop(where, "empty", "a ranking has leads", "0 rows", "pass the leads that were ranked")


def _finite(problems: Problems, name: str, column: Floats) -> None:
    missing = int(column.size - np.isfinite(column).sum())
    if missing:
        rule = f"`{name}` has a finite number on every row"
        problems.add("missing-value", rule, share(missing, column.size), "drop these rows, and count them, first")


def _two_arms(problems: Problems, treatment: Floats) -> None:
    treated, control = int((treatment == 1).sum()), int((treatment == 0).sum())
    other = int(np.isfinite(treatment).sum()) - treated - control
    if other:
        odd = np.unique(treatment[np.isfinite(treatment) & (treatment != 0) & (treatment != 1)])
        found = f"{share(other, treatment.size)}: {listed([f'{value:g}' for value in odd], most=3)}"
        fix = "judge one arm against control at a time, coded 1 and 0"
        problems.add("arm-code", "`treatment` is 0 or 1", found, fix)
    elif not treated or not control:
        found = f"{treated:,} treated and {control:,} control leads"
        fix = "judge the ranking on leads of both arms"
        problems.add("empty-arm", "both arms have leads", found, fix)


def _named(problems: Problems, groups: np.ndarray[Any, Any]) -> None:
    missing = int(np.asarray(pd.isna(groups)).sum())
    if missing:
        rule = "`groups` names the organisation of every lead"
        problems.add("missing-value", rule, share(missing, groups.size), "drop these rows, and count them, first")


def _positive(problems: Problems, weight: Floats) -> None:
    bad = int((weight <= 0).sum())
    if bad:
        rule = "`sample_weight` is positive on every row"
        problems.add("weights", rule, share(bad, weight.size), "drop these rows, and count them, first")


def _mean_one(weight: Floats | None) -> Floats | None:
    # Sums of sorted values don't depend on the order of rows.
    return None if weight is None else weight * (weight.size / float(np.sort(weight).sum()))


def _realised(treated: Bools, weight: Floats | None) -> float:
    """The share of treated leads, by weight."""
    return float(treated.mean() if weight is None else np.sort(weight[treated]).sum() / np.sort(weight).sum())


def _propensity(where: str, propensity: Any) -> Propensity:
    values = _numbers(where, "propensity", propensity)
    outside = ~((values > 0) & (values < 1))
    if outside.any():
        rule = "`propensity` lies inside (0, 1)"
        found = f"{share(int(outside.sum()), values.size)}, e.g. {values[outside][0]:g}"
        if values.ndim == 0:
            found = f"{float(values):g}"
        fix = "leave out rows on which this contrast was never drawn"
        raise stop(where, "propensity-range", rule, found, fix, PropensityError)
    constant = values.ndim == 0 or bool((values == values[0]).all())
    return float(values.flat[0]) if constant else values
