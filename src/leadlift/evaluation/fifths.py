"""Predicted against observed uplift by fifths of the prediction, out of fold: to look at, not to infer from."""

from __future__ import annotations

import numpy as np

from leadlift.base.arrays import Floats
from leadlift.base.records import UpliftBin, known
from leadlift.data import AssignmentLog
from leadlift.evaluation.scores import lead_scores
from leadlift.inference import mean_of_scores, t_interval
from leadlift.learners import OutOfFold

BINS = 5


def uplift_fifths(log: AssignmentLog, fitted: OutOfFold) -> list[UpliftBin]:
    """Leads sorted by out-of-fold prediction and cut into fifths; fewer where predictions tie across a cut."""
    return [
        row
        for index, arm in enumerate(log.treated_arms)
        for name, uplift in fitted.uplift.items()
        for row in _fifths(log, name, arm, uplift[:, index], lead_scores(log, arm, fitted.outcomes))
    ]


def _fifths(log: AssignmentLog, learner: str, arm: str, predicted: Floats, scores: Floats) -> list[UpliftBin]:
    cuts = np.unique(np.quantile(predicted, np.arange(1, BINS) / BINS, method="inverted_cdf"))
    code = np.searchsorted(cuts, predicted, side="left")
    rows = []
    for number, k in enumerate(np.unique(code), start=1):
        inside = code == k
        contrast = log.contrast(arm)[inside]
        units = [len(np.unique(log.organisation[inside][contrast == a])) for a in (1, 0)]
        mean = mean_of_scores(
            scores,
            stratum=log.stratum,
            unit=log.organisation,
            n_units=log.n_organisations,
            units_treated=units[0],
            units_control=units[1],
            segment=inside,
        )
        interval = t_interval(mean.value, mean.se, mean.df, 0.95)
        rows.append(
            UpliftBin(
                learner,
                arm,
                number,
                int(inside.sum()),
                float(predicted[inside].mean()),
                mean.value,
                known(interval.lower),
                known(interval.upper),
            )
        )
    return rows
