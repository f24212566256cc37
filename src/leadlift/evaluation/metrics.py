"""One number for how well a ranking finds the leads that a touch moves: Qini, uplift area, AUTOC.

Libraries give different numbers these names. `definition` says which is meant:

| definition | `qini_score` | `uplift_auc` |
|---|---|---|
| leadlift, grf | grf's QINI of inverse-propensity scores: area between gain and random, outcome units per lead | same |
| sklift | scikit-uplift 0.5.1 `qini_auc_score`: share of a perfect ranking's area | `uplift_auc_score`, likewise |
| pylift | pylift 0.1.5 `Q_qini`, outcome units per lead | `Q_cgains`, outcome units per lead |
| causalml | causalml 0.18 `qini_score`: over the effect on all leads | `auuc_score`, likewise; about 0.5 at random |

Only leadlift's and grf's divide by nothing that can be 0. pylift's is theirs without ties where the propensity is the
realised share. sklift and causalml compare plain means of the arms and therefore refuse propensities that differ.
causalml and pylift let tied leads follow the order of the rows; here their curves too are linear within ties.
pylift counts any positive outcome as one, so for counts and money pass `y > 0` to get its number; here amounts count.
"""

from __future__ import annotations

from typing import Any

from leadlift.evaluation.definitions import TOC, WEIGHTS, Definition, Kind, checked_definition, only_leadlifts
from leadlift.evaluation.gain_areas import gain_area
from leadlift.evaluation.metric_inputs import MetricInputs, metric_inputs
from leadlift.inference import rank_area
from leadlift.inference.ranks import Target


def qini_score(
    y: Any,
    uplift: Any,
    treatment: Any,
    *,
    propensity: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
    top: float = 1.0,
    definition: Definition = "leadlift",
) -> float:
    """The Qini of a ranking: how much more it gains than touching as many leads at random.

    By "leadlift" the area between the cumulative inverse-propensity scores y t/p - y (1-t)/(1-p) and the random line.
    Positive is better than random; exactly 0 for a constant ranking. Ties are exact, the order of rows never matters.

    Args:
        y: outcome, shape (n,), outcome units.
        uplift: what leads are ranked by, highest first, shape (n,); a predicted uplift or any other score.
        treatment: 1 treated, 0 control, shape (n,).
        propensity: P(treatment = 1) by design, a number or shape (n,), inside (0, 1); None: the realised share.
        groups: organisation of each lead, any labels, shape (n,). Checked; an area doesn't depend on them.
        sample_weight: positive weights, shape (n,); None: all equal. For `leadlift` and `grf`.
        top: the share of leads over which the area runs, inside (0, 1], such as 0.3 where 30% can be touched; not
            divided by it. For `leadlift` and `grf`.
        definition: whose Qini; the table at the top of this module says what each one is.

    Returns:
        The area: outcome units per lead for `leadlift`, `grf` and `pylift`, a ratio for `sklift` and `causalml`.

    Raises:
        DataError: lengths differ, a value is missing, an arm is empty, a treatment other than 0 and 1, an unknown
            definition, propensities that differ, an outcome other than 0 and 1, weights, a partial area or a divisor
            of 0 where the definition doesn't allow it.
        PropensityError: a propensity outside (0, 1).

    References:
        Radcliffe (2007); Yadlowsky, Fleming, Shah, Brunskill, Wager (2025), JASA; grf 2.x.

    Examples:
        >>> y, ranking, treatment = [1, 0, 1, 0], [0.4, 0.3, 0.2, 0.1], [1, 0, 0, 1]
        >>> qini_score(y, ranking, treatment, propensity=0.5)
        0.25
        >>> qini_score(y, ranking, treatment, definition="sklift")
        0.8333333333333334
    """
    where = "`qini_score`"
    known = checked_definition(where, definition)
    inputs = metric_inputs(
        where, y, uplift, treatment, propensity=propensity, groups=groups, sample_weight=sample_weight
    )
    return _area(inputs, "qini", known, top)


def uplift_auc(
    y: Any,
    uplift: Any,
    treatment: Any,
    *,
    propensity: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
    top: float = 1.0,
    definition: Definition = "leadlift",
) -> float:
    """The area of a ranking's uplift (cumulative gain) curve.

    By "leadlift" it equals `qini_score`: weights make up for arms of different size, so there is one curve only.

    Args:
        y: outcome, shape (n,), outcome units.
        uplift: what leads are ranked by, highest first, shape (n,).
        treatment: 1 treated, 0 control, shape (n,).
        propensity: as `qini_score`.
        groups: as `qini_score`.
        sample_weight: as `qini_score`.
        top: as `qini_score`.
        definition: whose area; the table at the top of this module says what each one is.

    Returns:
        The area: outcome units per lead for `leadlift`, `grf` and `pylift`, a ratio for `sklift` and `causalml`.
        All but `causalml` are measured from the random line.

    Raises:
        DataError: as `qini_score`.
        PropensityError: a propensity outside (0, 1).

    References:
        Devriendt, Guns, Verbeke (2020); Gutierrez, Gerardy (2016).

    Examples:
        >>> uplift_auc([1, 0, 1, 0], [0.4, 0.3, 0.2, 0.1], [1, 0, 0, 1], propensity=0.5)
        0.25
    """
    where = "`uplift_auc`"
    known = checked_definition(where, definition)
    inputs = metric_inputs(
        where, y, uplift, treatment, propensity=propensity, groups=groups, sample_weight=sample_weight
    )
    return _area(inputs, "uplift", known, top)


def _area(inputs: MetricInputs, kind: Kind, definition: Definition, top: float) -> float:
    if inputs.weight is None and top == 1:
        return gain_area(inputs, kind, definition)
    only_leadlifts(inputs.where, definition, WEIGHTS)
    return rate(inputs.scores, inputs.uplift, weights=inputs.weight, target="qini", top=top)


def autoc(
    y: Any,
    uplift: Any,
    treatment: Any,
    *,
    propensity: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
    top: float = 1.0,
    definition: Definition = "leadlift",
) -> float:
    """AUTOC of a ranking: the TOC averaged over all shares, which looks harder at the very top than Qini does.

    Args:
        y: outcome, shape (n,), outcome units.
        uplift: what leads are ranked by, highest first, shape (n,).
        treatment: 1 treated, 0 control, shape (n,).
        propensity: as `qini_score`.
        groups: as `qini_score`.
        sample_weight: as `qini_score`.
        top: as `qini_score`.
        definition: `leadlift` or `grf`, which are the same. causalml's `rate_score` weighs shares by 1/q, which is
            another quantity; scikit-uplift and pylift have none.

    Returns:
        Outcome units per lead touched; exactly 0 for a constant ranking.

    Raises:
        DataError: another definition, or as `qini_score`.
        PropensityError: a propensity outside (0, 1).

    References:
        Yadlowsky, Fleming, Shah, Brunskill, Wager (2025), JASA.

    Examples:
        >>> autoc([1, 0, 1, 0], [0.4, 0.4, 0.1, 0.1], [1, 0, 0, 1], propensity=0.5)
        0.5833333333333334
    """
    where = "`autoc`"
    only_leadlifts(where, checked_definition(where, definition), TOC)
    inputs = metric_inputs(
        where, y, uplift, treatment, propensity=propensity, groups=groups, sample_weight=sample_weight
    )
    return rate(inputs.scores, inputs.uplift, weights=inputs.weight, target="autoc", top=top)


def rate(scores: Any, priority: Any, *, weights: Any = None, target: Target = "autoc", top: float = 1.0) -> float:
    """Rank-weighted average treatment effect of a priority, from per-lead scores of any kind.

    Args:
        scores: per-lead uplift scores (`lead_scores`, or doubly robust scores from elsewhere), shape (n,), outcome
            units.
        priority: what leads are ranked by, highest first, shape (n,).
        weights: positive sample weights, shape (n,); None: all equal.
        target: `autoc` or `qini`.
        top: the share of leads over which the area runs, inside (0, 1]; not divided by it.

    Returns:
        The area, outcome units per lead; exactly 0 for a constant priority.

    Raises:
        DataError: no leads, lengths that differ, a missing value, a weight that isn't positive, another target, or a
            share outside (0, 1].

    References:
        Yadlowsky, Fleming, Shah, Brunskill, Wager (2025), JASA; grf 2.x, rank_average_treatment_effect.

    Examples:
        >>> rate([3.0, 1.0, 0.0, 0.0], [4, 3, 2, 1], target="qini")
        0.3125
    """
    return rank_area(scores, priority, target=target, weights=weights, top=top).value
