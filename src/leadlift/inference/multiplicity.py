"""p-values adjusted for how many there are, without assuming how they are correlated."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from statsmodels.stats.multitest import multipletests

from leadlift.base.problems import stop
from leadlift.inference._arrays import Floats

Adjustment = Literal["bonferroni", "holm", "holm_sidak", "benjamini_hochberg", "benjamini_yekutieli"]

_NAMES = {
    "bonferroni": "bonferroni",
    "holm": "holm",
    "holm_sidak": "holm-sidak",
    "benjamini_hochberg": "fdr_bh",
    "benjamini_yekutieli": "fdr_by",
}


def adjust_p_values(p: Any, *, method: Adjustment) -> Floats:
    """Adjusted p-values, in the order given.

    Holm and Bonferroni bound the chance of one false finding or more, whatever the correlation; Holm-Sidak does so
    for independent tests; the Benjamini ones bound the share of false findings. Bands over groups use `max_t`.

    Args:
        p: p-values, shape (m,), inside [0, 1]; NaN stays NaN and doesn't count as a test.
        method: how.

    Returns:
        Shape (m,).

    Raises:
        DataError: a p-value outside [0, 1].

    Examples:
        >>> adjust_p_values([0.01, 0.04, 0.03], method="holm").round(2).tolist()
        [0.03, 0.06, 0.06]
    """
    values = np.atleast_1d(np.asarray(p, dtype=np.float64))
    known = ~np.isnan(values)
    if ((values[known] < 0) | (values[known] > 1)).any():
        raise stop("p-values", "p-range", "p-values lie in [0, 1]", f"{values.tolist()}", "compute them again")
    adjusted = np.full(values.shape, np.nan)
    if known.any():
        adjusted[known] = multipletests(values[known], method=_NAMES[method])[1]
    return adjusted
