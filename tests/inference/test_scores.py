import json
from pathlib import Path

import numpy as np
import pytest

from leadlift.base.errors import DataError, PropensityError
from leadlift.inference import aipw_scores, contrast_scores, ipw_scores, mean_of_scores

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "inference_aipw.json").read_text())


def golden_scores():
    predicted = np.column_stack([GOLDEN["predicted_control"], GOLDEN["predicted_treated"]])
    return aipw_scores(GOLDEN["y"], GOLDEN["arm"], propensity=GOLDEN["propensity"], predicted=predicted)


def test_golden_aipw_scores():
    np.testing.assert_allclose(golden_scores(), GOLDEN["scores"], atol=1e-9)


@pytest.mark.parametrize("group", [None, "low", "medium", "high"])
def test_golden_mean_scores(group):
    segment = None
    expected = GOLDEN["ate"]
    if group:
        expected = GOLDEN["groups"][group]
        segment = np.isin(np.arange(12), np.arange(*expected["rows"]))
    mean = mean_of_scores(
        golden_scores(), stratum=np.zeros(12), unit=np.arange(12), n_units=12,
        units_treated=40, units_control=40, segment=segment,
    )  # fmt: skip
    assert mean.value == pytest.approx(expected["value"], abs=1e-12)
    assert mean.se == pytest.approx(expected["se"], abs=1e-12)


def test_a_lead_of_another_arm_has_the_predictions_part_only():
    scores = contrast_scores(
        [9.0, 9.0, 9.0], [-1, 2, 7], propensity_treated=[0.2] * 3, propensity_control=[0.3] * 3,
        predicted_treated=[1.0, 2.0, 3.0], predicted_control=[0.5, 0.5, 0.5],
    )  # fmt: skip
    assert scores.tolist() == [0.5, 1.5, 2.5]


def test_scores_are_unbiased_however_bad_the_predictions_with_three_arms():
    rng = np.random.default_rng(1)
    n = 200_000
    e = rng.dirichlet([5, 5, 5], n)
    arm = (rng.random(n)[:, None] > np.cumsum(e, axis=1)).sum(axis=1)
    arm = np.where(arm == 2, -1, arm)
    y = np.where(arm == 1, 3.0, np.where(arm == 0, 1.0, 50.0)) + e[:, 1]
    scores = contrast_scores(
        y, arm, propensity_treated=e[:, 1], propensity_control=e[:, 0],
        predicted_treated=np.full(n, -7.0) * e[:, 1], predicted_control=np.full(n, 4.0),
    )  # fmt: skip
    assert abs(scores.mean() - 2) < 4 * scores.std() / np.sqrt(n)


def test_swapping_the_arms_flips_the_sign():
    rng = np.random.default_rng(2)
    y, arm, e, m = rng.normal(size=20), rng.integers(0, 2, 20), rng.uniform(0.2, 0.8, 20), rng.normal(size=(20, 2))
    one = aipw_scores(y, arm, propensity=e, predicted=m)
    np.testing.assert_allclose(aipw_scores(y, 1 - arm, propensity=1 - e, predicted=m[:, ::-1]), -one, rtol=1e-12)
    np.testing.assert_allclose(
        ipw_scores(y, arm, propensity=e), aipw_scores(y, arm, propensity=e, predicted=np.zeros((20, 2)))
    )


@pytest.mark.parametrize("e", [0.0, 1.0, -0.1, 1.5])
def test_a_propensity_outside_0_and_1_stops(e):
    with pytest.raises(PropensityError, match=r"\[propensity-range\][^$]*1 of 2 rows \(50%\), e.g."):
        ipw_scores([1.0, 0.0], [1, 0], propensity=[0.5, e])


def test_propensities_that_add_up_to_more_than_1_stop():
    zero = [0.0]
    with pytest.raises(PropensityError, match="is at most 1"):
        contrast_scores(
            zero, [1], propensity_treated=[0.6], propensity_control=[0.6], predicted_treated=zero,
            predicted_control=zero,
        )  # fmt: skip


def test_a_missing_propensity_or_a_third_arm_stops():
    with pytest.raises(DataError, match="`propensity` has a finite number on every row"):
        ipw_scores([1.0], [1], propensity=[np.nan])
    with pytest.raises(DataError, match=r"`arm` is 0 or 1\n    1 of 2 rows"):
        ipw_scores([1.0, 1.0], [1, 2], propensity=[0.5, 0.5])
    with pytest.raises(DataError, match="`arm` holds whole numbers"):
        ipw_scores([1.0, 1.0], [1, 0.5], propensity=[0.5, 0.5])
    with pytest.raises(DataError, match="`predicted` has two columns"):
        aipw_scores([1.0], [1], propensity=[0.5], predicted=[0.5])
