import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from leadlift.base.errors import DataError, PropensityError
from leadlift.inference import covariance, difference_in_means, mean_of_scores, organisation_means, t_interval


def log(rng, units, rows_per_unit=3, cells=1):
    """An organisation-randomised log: unequal organisations, one arm and one cell each."""
    size = rng.integers(1, 2 * rows_per_unit, units)
    unit = np.repeat(np.arange(units), size)
    order = rng.permutation(units)
    cell_of, arm_of = np.empty(units, int), np.empty(units, int)
    cell_of[order] = np.arange(units) % cells
    arm_of[order] = (np.arange(units) // cells) % 2
    noise = rng.normal(size=units)[unit] + rng.normal(size=unit.size)
    return {
        "y": 1 + 0.5 * arm_of[unit] + cell_of[unit] + noise,
        "arm": arm_of[unit],
        "cell": cell_of[unit],
        "unit": unit,
        "n_units": units,
    }


def means(data, e=0.5, function=difference_in_means, **changes):
    data = {**data, **changes}
    n = len(data["y"])
    y, arm = data.pop("y"), data.pop("arm")
    return function(y, arm, propensity_treated=np.full(n, e), propensity_control=np.full(n, 1 - e), **data)


def brute_force_cr2(y, design, weight, unit, contrast):
    """Bell-McCaffrey with matrices: A_g = (I - H_gg)^(-1/2), df under independent errors of one variance."""
    x, z = design * np.sqrt(weight)[:, None], y * np.sqrt(weight)
    bread = np.linalg.inv(x.T @ x)
    hat = x @ bread @ x.T
    residual = z - hat @ z
    rows = [np.flatnonzero(unit == g) for g in np.unique(unit)]
    vectors = np.zeros((len(rows), len(y)))
    for k, g in enumerate(rows):
        values, basis = np.linalg.eigh(np.eye(g.size) - hat[np.ix_(g, g)])
        adjust = basis @ np.diag(values**-0.5) @ basis.T
        vectors[k, g] = contrast @ bread @ x[g].T @ adjust
    variance = ((vectors @ residual) ** 2).sum()
    spread = vectors @ (np.eye(len(y)) - hat) @ vectors.T
    return np.sqrt(variance), np.trace(spread) ** 2 / (spread**2).sum()


def saturated(data):
    cells = data["cell"].max() + 1
    design = np.zeros((len(data["y"]), 2 * cells))
    design[np.arange(len(data["y"])), data["arm"] * cells + data["cell"]] = 1
    cell_share = np.bincount(data["cell"]) / len(data["y"])
    return design, np.r_[-cell_share, cell_share]


@pytest.mark.parametrize("cells", [1, 3])
def test_cr2_and_its_df_are_those_of_explicit_matrices(cells):
    data = log(np.random.default_rng(5), 36, cells=cells)
    estimate = means(data).estimate
    design, contrast = saturated(data)
    se, df = brute_force_cr2(data["y"], design, np.ones(len(data["y"])), data["unit"], contrast)
    assert estimate.method == "satterthwaite"
    np.testing.assert_allclose([estimate.se, estimate.df], [se, df], rtol=1e-10)


def test_cr2_holds_for_units_that_span_cells_and_arms():
    rng = np.random.default_rng(6)
    n = 150
    data = {
        "y": rng.normal(size=n),
        "arm": rng.integers(0, 2, n),
        "cell": rng.integers(0, 2, n),
        "unit": rng.integers(0, 30, n),
        "n_units": 30,
    }
    estimate = means(data).estimate
    design, contrast = saturated(data)
    se, df = brute_force_cr2(data["y"], design, np.ones(n), data["unit"], contrast)
    np.testing.assert_allclose([estimate.se, estimate.df], [se, df], rtol=1e-10)


def test_cr2_in_merged_cells_is_that_of_weighted_least_squares():
    rng = np.random.default_rng(7)
    data = log(rng, 30)
    n = len(data["y"])
    # Propensities differ inside the cell, as they may after a merge.
    e = rng.uniform(0.2, 0.8, 30)[data["unit"]]
    result = difference_in_means(
        data["y"], data["arm"], propensity_treated=e, propensity_control=1 - e,
        cell=np.zeros(n), unit=data["unit"], n_units=30,
    )  # fmt: skip
    weight = 1 / np.where(data["arm"] == 1, e, 1 - e)
    design = np.column_stack([data["arm"] == 0, data["arm"] == 1]).astype(float)
    # The working variance is one per arm: weights are scaled to a mean of 1 in each.
    weight /= (np.bincount(data["arm"], weights=weight) / np.bincount(data["arm"]))[data["arm"]]
    se, df = brute_force_cr2(data["y"], design, weight, data["unit"], np.array([-1.0, 1.0]))
    assert n > 60
    np.testing.assert_allclose([result.estimate.se, result.estimate.df], [se, df], rtol=1e-10)


def test_single_leads_give_welchs_variance_and_df():
    rng = np.random.default_rng(8)
    arm = np.repeat([0, 1], [30, 12])
    y = rng.normal(size=42) * (1 + arm)
    estimate = means({"y": y, "arm": arm, "cell": np.zeros(42), "unit": np.arange(42), "n_units": 42}).estimate
    welch = stats.ttest_ind(y[arm == 1], y[arm == 0], equal_var=False)
    np.testing.assert_allclose(estimate.value / estimate.se, welch.statistic, rtol=1e-12)
    # Satterthwaite under equal variances: Welch's formula with 1/n for s^2/n.
    df = (1 / 12 + 1 / 30) ** 2 / (1 / 12**2 / 11 + 1 / 30**2 / 29)
    np.testing.assert_allclose(estimate.df, df, rtol=1e-12)


def test_cr1_is_the_textbook_sandwich():
    data = log(np.random.default_rng(9), 120)
    estimate = means(data).estimate
    treated = data["arm"] == 1
    residual = data["y"] - np.where(treated, data["y"][treated].mean(), data["y"][~treated].mean())
    part = np.bincount(data["unit"], weights=residual * np.where(treated, 1 / treated.sum(), -1 / (~treated).sum()))
    assert (estimate.method, estimate.df) == ("t", 119.0)
    np.testing.assert_allclose(estimate.se, np.sqrt(120 / 119 * (part**2).sum()), rtol=1e-12)
    np.testing.assert_allclose((estimate.influence**2).sum(), estimate.se**2, rtol=1e-12)


def test_a_value_is_given_without_an_error_under_ten_units_an_arm():
    estimate = means(log(np.random.default_rng(1), 19)).estimate
    assert np.isfinite(estimate.value)
    assert np.isnan([estimate.se, estimate.df]).all()
    assert np.isnan(estimate.influence).all()
    assert estimate.method == "none"
    assert means(log(np.random.default_rng(1), 20)).estimate.se > 0


def test_an_organisation_in_two_small_cells_is_one_unit_of_the_merged_cell():
    # Organisation 0 is the only treated one in cells 1 and 2: together they still hold one, and join cell 0.
    rng = np.random.default_rng(1)
    unit = np.r_[np.arange(24), np.arange(24), 0, 2, 4, 6, 0, 8, 10, 12]
    cell = np.repeat([0, 0, 1, 2], [24, 24, 4, 4])
    data = {"y": rng.normal(size=56), "arm": (np.r_[np.arange(24) % 2, np.arange(24) % 2, 1, 0, 0, 0, 1, 0, 0, 0])}
    estimate = means({**data, "cell": cell, "unit": unit, "n_units": 24}).estimate
    assert 0 < estimate.se < 2


def test_an_arm_without_leads_gives_no_value():
    data = log(np.random.default_rng(1), 30)
    result = means(data, arm=np.zeros_like(data["arm"]))
    assert np.isnan([result.estimate.value, result.treatment_mean]).all()
    assert (result.n_treatment, result.n_control) == (0, len(data["y"]))


def test_many_small_cells_use_cr2_however_many_units_there_are():
    # 100 cells of two units an arm: CR1's J/(J-1) would miss half of the variance.
    data = log(np.random.default_rng(3), 400, cells=100)
    assert means(data).estimate.method == "satterthwaite"
    assert 60 < means(data).estimate.df < 200


def test_cells_count_the_leads_of_other_arms_too():
    y = np.array([0.0, 0, 1, 1] * 2 + [0.0, 0, 0, 0] * 2)
    arm = np.array([0, 0, 1, 1] * 4)
    cell = np.repeat([0, 1], 8)
    others = {"y": np.zeros(16), "arm": np.full(16, -1), "cell": np.zeros(16, int)}
    both = {"y": np.r_[y, others["y"]], "arm": np.r_[arm, others["arm"]], "cell": np.r_[cell, others["cell"]]}
    two = means({"y": y, "arm": arm, "cell": cell, "unit": np.arange(16), "n_units": 16}, e=0.3)
    three = means({**both, "unit": np.arange(32), "n_units": 32}, e=0.3)
    assert two.estimate.value == 0.5
    assert three.estimate.value == 24 / 32
    assert (three.n_treatment, three.n_control) == (8, 8)


def test_differing_propensities_are_not_pooled():
    # Cell 0: 1 of 5 treated, outcome 1. Cell 1: 4 of 5 treated, outcome 0. No effect; pooled means differ by 0.6.
    arm = np.r_[np.arange(100) % 5 == 0, np.arange(100) % 5 != 0].astype(int)
    y, cell, e = np.repeat([1.0, 0.0], 100), np.repeat([0, 1], 100), np.repeat([0.2, 0.8], 100)
    for split in (cell, np.zeros(200, int)):
        result = difference_in_means(
            y, arm, propensity_treated=e, propensity_control=1 - e, cell=split, unit=np.arange(200), n_units=200
        )
        assert result.estimate.value == pytest.approx(0, abs=1e-12)


def test_organisation_means_are_welchs_test_of_organisations():
    data = log(np.random.default_rng(4), 90)
    result = means(data, function=organisation_means)
    mean = np.bincount(data["unit"], weights=data["y"]) / np.bincount(data["unit"])
    arm = data["arm"][np.unique(data["unit"], return_index=True)[1]]
    welch = stats.ttest_ind(mean[arm == 1], mean[arm == 0], equal_var=False)
    np.testing.assert_allclose(result.estimate.value / result.estimate.se, welch.statistic, rtol=1e-12)
    assert (result.n_treatment, result.n_control) == (45, 45)
    assert result.treatment_mean - result.control_mean == result.estimate.value


def test_organisation_means_refuse_an_organisation_with_two_arms():
    data = log(np.random.default_rng(4), 30)
    data["arm"][np.flatnonzero(data["unit"] == np.bincount(data["unit"]).argmax())[0]] ^= 1
    with pytest.raises(DataError, match=r"all leads of an organisation have one arm\n    1 organisations differ"):
        means(data, function=organisation_means)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"e": 1.0}, PropensityError, "`propensity_treated` lies inside"),
        ({"unit": np.arange(1, 61), "n_units": 60}, DataError, r"`unit` lies in 0 \.\.\. 59"),
        ({"cell": np.zeros(59)}, DataError, r"cell \(59,\)"),
        ({"y": np.full(60, np.nan)}, DataError, "`y` has a finite number on every row"),
        ({"segment": np.ones(60)}, DataError, "`segment` is boolean"),
    ],
)
def test_what_cannot_be_right_stops(change, error, message):
    data = {"y": np.zeros(60), "arm": np.arange(60) % 2, "cell": np.zeros(60), "unit": np.arange(60), "n_units": 60}
    with pytest.raises(error, match=message):
        means(data, **change)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(20, 60), st.integers(1, 6), st.sampled_from([0, 1]))
def test_symmetries(seed, units, cells, which):
    rng = np.random.default_rng(seed)
    data = log(rng, units, cells=cells)
    function = [difference_in_means, organisation_means][which]
    base = means(data, function=function)
    swapped = means(data, arm=1 - data["arm"], function=function)
    np.testing.assert_allclose(swapped.estimate.value, -base.estimate.value, atol=1e-12)
    np.testing.assert_allclose(swapped.estimate.se, base.estimate.se, rtol=1e-9)
    scaled = means(data, y=5 - 3 * data["y"], function=function)
    np.testing.assert_allclose(scaled.estimate.value, -3 * base.estimate.value, atol=1e-10)
    np.testing.assert_allclose(scaled.estimate.se, 3 * base.estimate.se, rtol=1e-9)
    np.testing.assert_allclose(scaled.estimate.df, base.estimate.df, rtol=1e-9)
    order = rng.permutation(len(data["y"]))
    shuffled = means({k: v[order] if np.ndim(v) else v for k, v in data.items()}, function=function)
    assert shuffled.to_dict() == base.to_dict()
    twice = means({k: np.repeat(v, 2) if np.ndim(v) else v for k, v in data.items()}, function=function)
    np.testing.assert_allclose(twice.estimate.value, base.estimate.value, atol=1e-12)
    np.testing.assert_allclose(twice.estimate.se, base.estimate.se, rtol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(4, 60), st.integers(1, 6), st.sampled_from([10, 39, 40]))
def test_symmetries_of_score_means(seed, units, cells, an_arm):
    rng = np.random.default_rng(seed)
    data = log(rng, units, cells=cells)

    def run(scores, rows):
        return mean_of_scores(
            scores[rows], stratum=data["cell"][rows], unit=data["unit"][rows], n_units=units,
            units_treated=an_arm, units_control=an_arm,
        )  # fmt: skip

    rows = np.arange(len(data["y"]))
    base = run(data["y"], rows)
    np.testing.assert_allclose(base.value, data["y"].mean(), rtol=1e-10)
    np.testing.assert_allclose(run(-2 * data["y"], rows).se, 2 * base.se, rtol=1e-9)
    assert run(data["y"], rng.permutation(rows)).to_dict() == base.to_dict()
    twice = run(data["y"], np.repeat(rows, 2))
    np.testing.assert_allclose([twice.value, twice.se], [base.value, base.se], rtol=1e-9)


def test_means_of_scores_centre_within_strata():
    stratum = np.repeat([0, 1], 50)
    scores = np.where(stratum == 1, 100.0, 0.0) + np.tile([1.0, -1.0], 50)
    run = {"unit": np.arange(100), "n_units": 100, "units_treated": 50, "units_control": 50}
    estimate = mean_of_scores(scores, stratum=stratum, **run)
    np.testing.assert_allclose(estimate.se, np.sqrt(100 / 99 * 100) / 100, rtol=1e-12)
    assert mean_of_scores(scores, stratum=np.zeros(100), **run).se > 5


def test_unit_totals_are_centred_in_strata_when_units_differ_in_size():
    rng = np.random.default_rng(3)
    unit = np.repeat(np.arange(100), rng.integers(1, 9, 100))
    stratum = unit % 2
    scores = 5.0 * stratum + rng.normal(size=unit.size)
    estimate = mean_of_scores(scores, stratum=stratum, unit=unit, n_units=100, units_treated=50, units_control=50)
    total = np.bincount(unit, weights=scores - scores.mean()) / unit.size
    centred = total - np.where(np.arange(100) % 2, total[1::2].mean(), total[::2].mean())
    np.testing.assert_allclose(estimate.influence, centred * np.sqrt(100 / 99), atol=1e-12)


def test_few_units_give_score_means_no_more_df_than_welchs():
    scores = np.random.default_rng(1).normal(size=212)
    run = {"stratum": np.zeros(212), "unit": np.arange(212), "n_units": 212}
    few = mean_of_scores(scores, units_treated=12, units_control=200, **run)
    assert few.method == "satterthwaite"
    assert few.df == pytest.approx(12.36, abs=0.01)
    np.testing.assert_allclose(few.se, scores.std(ddof=1) / np.sqrt(212), rtol=1e-12)
    assert np.isnan(mean_of_scores(scores, units_treated=9, units_control=203, **run).se)
    assert mean_of_scores(scores, units_treated=40, units_control=172, **run).df == 211


def test_an_empty_segment_has_no_mean_of_scores():
    empty = np.zeros(4, bool)
    run = {"stratum": np.zeros(4), "unit": np.arange(4), "n_units": 4, "units_treated": 40, "units_control": 40}
    assert np.isnan(mean_of_scores(np.ones(4), segment=empty, **run).value)


def test_covariances_between_segments_and_estimators_are_those_of_replications():
    """Segments that share organisations, and two estimators, over 400 draws of the lot."""
    rng = np.random.default_rng(12)
    units, n = 60, 360
    unit, cell = np.repeat(np.arange(units), 6), np.zeros(n)
    segments = [np.arange(n) % 2 == 0, np.arange(n) % 2 == 1, np.arange(n) % 3 == 0]
    drawn, said = [], []
    for _ in range(400):
        base = rng.normal(size=units)[unit] + 0.5 * rng.normal(size=n)
        arm = (rng.permutation(units) % 2)[unit]
        data = {"y": base, "arm": arm, "cell": cell, "unit": unit, "n_units": units}
        estimates = [means(data, segment=s).estimate for s in segments]
        scores = np.where(arm == 1, 2, -2) * base
        estimates.append(
            mean_of_scores(scores, stratum=cell, unit=unit, n_units=units, units_treated=30, units_control=30)
        )
        drawn.append([e.value for e in estimates])
        said.append(covariance(estimates))
    np.testing.assert_allclose(np.mean(said, axis=0), np.cov(np.array(drawn).T), rtol=0.2)


def test_intervals_of_few_organisations_cover():
    """16 + 14 organisations of unequal size: CR2 with Satterthwaite. (Sizes 20 and 2 cover in about 93.5%.)"""
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(800):
        size = np.where(np.arange(30) % 5 == 0, 8, 2)
        unit = np.repeat(np.arange(30), size)
        arm = (rng.permutation(30) < 16).astype(int)[unit]
        y = rng.normal(size=30)[unit] + rng.normal(size=unit.size)
        data = {"y": y, "arm": arm, "cell": np.zeros(unit.size), "unit": unit, "n_units": 30}
        estimate = means(data).estimate
        interval = t_interval(estimate.value, estimate.se, estimate.df, 0.95)
        hits += interval.lower <= 0 <= interval.upper
    assert 0.93 <= hits / 800 <= 0.98


@pytest.fixture(scope="module")
def real_data():
    folder = os.environ.get("LEADLIFT_DATA")
    if not folder:
        pytest.skip("LEADLIFT_DATA not set: the folder with hillstrom.parquet and cmf_microfinance.parquet")
    return Path(folder)


@pytest.mark.parametrize(
    ("segment", "effect", "se"), [("Mens E-Mail", 0.076590, 0.003386), ("Womens E-Mail", 0.045233, 0.003234)]
)
def test_hillstrom_visits(real_data, segment, effect, se):
    import pandas as pd

    frame = pd.read_parquet(real_data / "hillstrom.parquet")
    n = len(frame)
    arm = np.select([frame.segment == segment, frame.segment == "No E-Mail"], [1, 0], -1)
    third = np.full(n, 1 / 3)
    result = difference_in_means(
        frame.visit, arm, propensity_treated=third, propensity_control=third,
        cell=np.zeros(n), unit=np.arange(n), n_units=n,
    )  # fmt: skip
    assert result.estimate.value == pytest.approx(effect, abs=5e-7)
    assert result.estimate.se == pytest.approx(se, abs=5e-7)


def test_microfinance_areas(real_data):
    import pandas as pd

    frame = pd.read_parquet(real_data / "cmf_microfinance.parquet")
    frame = frame[frame.spandana_1.isin(["Yes", "No"])]
    unit = pd.factorize(frame.areaid)[0]
    data = {
        "y": (frame.spandana_1 == "Yes").to_numpy(float),
        "arm": (frame.treatment == "Treatment").to_numpy(int),
        "cell": np.zeros(len(frame)),
        "unit": unit,
        "n_units": 104,
    }
    assert len(frame) == 6811
    by_lead, by_area = means(data).estimate, means(data, function=organisation_means).estimate
    assert [round(100 * by_lead.value, 3), round(100 * by_lead.se, 2)] == [15.544, 2.35]
    assert [round(100 * by_area.value, 3), round(100 * by_area.se, 2)] == [13.133, 2.43]
