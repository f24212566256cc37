"""What a metric says when it can't give a number: the words a user reads."""

import numpy as np
import pandas as pd
import pytest

from leadlift.base.errors import DataError, PropensityError
from leadlift.base.record import plain
from leadlift.evaluation.curves import qini_curve, toc, uplift_curve
from leadlift.evaluation.metrics import autoc, qini_score, rate, uplift_auc

Y, RANKING, T = [1, 0, 1, 0], [0.4, 0.3, 0.2, 0.1], [1, 0, 0, 1]
EVERY = pytest.mark.parametrize("metric", [qini_score, uplift_auc, autoc, qini_curve, uplift_curve, toc])


@EVERY
@pytest.mark.parametrize(("arm", "found"), [(1, "4 treated and 0 control"), (0, "0 treated and 4 control")])
def test_an_empty_arm(metric, arm, found):
    with pytest.raises(DataError, match=f"both arms have leads\n    {found} leads"):
        metric(Y, RANKING, [arm] * 4)


@EVERY
def test_lengths_that_differ(metric):
    with pytest.raises(DataError, match=r"y \(4,\), uplift \(3,\), treatment \(4,\)"):
        metric(Y, RANKING[:3], T)
    with pytest.raises(DataError, match=r"uplift \(4, 1\)"):
        metric(Y, np.array(RANKING)[:, None], T)
    with pytest.raises(DataError, match=r"propensity \(2,\)"):
        metric(Y, RANKING, T, propensity=[0.5, 0.5])
    with pytest.raises(DataError, match=r"groups \(3,\)"):
        metric(Y, RANKING, T, groups=["a", "b", "c"])


@EVERY
def test_no_leads(metric):
    with pytest.raises(DataError, match="0 rows"):
        metric([], [], [])


@EVERY
def test_all_missing_values_are_said_at_once(metric):
    with pytest.raises(DataError) as caught:
        metric(
            [np.nan, 0, 1, 0], [0.4, np.inf, np.nan, 0.1], T, propensity=[0.5, 0.5, 0.5, np.nan], groups=[1, None, 1, 1]
        )
    for line in (
        "4 problems in `",
        "`y` has a finite number on every row\n    1 of 4 rows (25%)",
        "`uplift` has a finite number on every row\n    2 of 4 rows (50%)",
        "`propensity` has a finite number on every row",
        "`groups` names the organisation of every lead\n    1 of 4 rows (25%)",
    ):
        assert line in str(caught.value)


@EVERY
def test_a_missing_value_of_pandas(metric):
    with pytest.raises(DataError, match="`y` has a finite number on every row"):
        metric(pd.Series([1, None, 0, 1], dtype="Int64"), RANKING, T)


@EVERY
def test_a_treatment_other_than_0_and_1(metric):
    with pytest.raises(DataError, match=r"`treatment` is 0 or 1\n    2 of 4 rows \(50%\): 2, 3"):
        metric(Y, RANKING, [0, 1, 2, 3])
    with pytest.raises(DataError, match="`treatment` holds numbers"):
        metric(Y, RANKING, ["call", "control", "control", "call"])


@EVERY
def test_a_propensity_outside_0_and_1(metric):
    with pytest.raises(PropensityError, match=r"inside \(0, 1\)\n    2 of 4 rows \(50%\), e.g. 1\n"):
        metric(Y, RANKING, T, propensity=[0.5, 1.0, 0.0, 0.5])
    with pytest.raises(PropensityError, match=r"inside \(0, 1\)\n    60\n"):
        metric(Y, RANKING, T, propensity=60)
    with pytest.raises(DataError, match="`propensity` holds numbers"):
        metric(Y, RANKING, T, propensity="half")


@EVERY
def test_an_unknown_definition_and_its_nearest_name(metric):
    with pytest.raises(DataError, match=r"`skilift`: did you mean `sklift`\?"):
        metric(Y, RANKING, T, definition="skilift")
    with pytest.raises(DataError, match="`zzz`: allowed: leadlift, grf, sklift, pylift, causalml"):
        metric(Y, RANKING, T, definition="zzz")


@pytest.mark.parametrize("metric", [autoc, toc])
@pytest.mark.parametrize("definition", ["sklift", "pylift", "causalml"])
def test_a_definition_without_a_toc(metric, definition):
    with pytest.raises(DataError, match=f"`{definition}`, which has none that means the same"):
        metric(Y, RANKING, T, definition=definition)


@pytest.mark.parametrize("metric", [qini_score, uplift_auc, qini_curve, uplift_curve])
@pytest.mark.parametrize("definition", ["sklift", "causalml"])
def test_plain_means_refuse_propensities_that_differ(metric, definition):
    with pytest.raises(DataError, match=r"propensities from 0\.25 to 0\.5"):
        metric(Y, RANKING, T, propensity=[0.5, 0.5, 0.25, 0.25], definition=definition)
    one_for_all = metric(
        [1, 0, 1, 1, 0, 0], [6, 5, 4, 3, 2, 1], [1, 0] * 3, propensity=[0.5] * 6, definition=definition
    )
    none_given = metric([1, 0, 1, 1, 0, 0], [6, 5, 4, 3, 2, 1], [1, 0] * 3, definition=definition)
    assert plain(one_for_all) == plain(none_given)


@pytest.mark.parametrize("metric", [qini_score, uplift_auc])
def test_causalml_at_no_effect(metric):
    with pytest.raises(DataError, match=r"mean outcome 0.5 treated and 0.5 control: the effect is 0"):
        metric(Y, RANKING, T, definition="causalml")
    with pytest.raises(DataError, match=r"mean outcome 0 treated and 0 control: the effect is 0"):
        metric([0, 0, 0, 0], RANKING, T, definition="causalml")
    with pytest.raises(DataError, match="divides by the effect over all leads"):
        metric([0.1, 0.3, 0.2, 0.2, 0.3, 0.1], [6, 5, 4, 3, 2, 1], [1, 1, 1, 0, 0, 0], definition="causalml")


@pytest.mark.parametrize("metric", [qini_score, uplift_auc])
def test_sklift_without_outcomes(metric):
    with pytest.raises(DataError, match="the area is 0; 0 of 4 leads have the outcome"):
        metric([0, 0, 0, 0], RANKING, T, definition="sklift")


@pytest.mark.parametrize("metric", [qini_score, uplift_auc])
def test_sklift_with_an_outcome_other_than_0_and_1(metric):
    with pytest.raises(DataError, match=r"another outcome on 1 of 4 rows \(25%\)"):
        metric([1, 0, 2.5, 0], RANKING, T, definition="sklift")


@pytest.mark.parametrize("definition", ["leadlift", "pylift"])
def test_definitions_that_divide_by_nothing_are_0_without_outcomes(definition):
    assert qini_score([0, 0, 0, 0], RANKING, T, definition=definition) == 0.0


@pytest.mark.parametrize("metric", [qini_score, uplift_auc, qini_curve, uplift_curve])
@pytest.mark.parametrize("definition", ["leadlift", "pylift", "causalml"])
def test_sums_too_large_for_a_float_stop_without_a_warning(metric, definition):
    with pytest.raises(DataError, match="weighted sums of outcomes fit a float"):
        metric([1.7e308, 0, 1.7e308, 0], RANKING, [1, 0, 1, 0], definition=definition)


def test_rate_says_what_it_knows():
    with pytest.raises(DataError, match=r"`quini`: did you mean `qini`\?"):
        rate([1.0, 2.0], [1, 2], target="quini")


@EVERY
@pytest.mark.parametrize("odd", [np.arange("2026-01-01", "2026-01-05", dtype="M8[D]"), np.ones(4) * 1j])
def test_dates_and_complex_numbers_are_no_outcomes(metric, odd):
    with pytest.raises(DataError, match="`y` holds numbers"):
        metric(odd, [4, 3, 2, 1], [1, 0, 1, 0])
