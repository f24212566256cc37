"""Values of another policy: closed forms, the Open Bandit data, and coverage where the truth is known."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadlift.base.errors import DataError, PropensityError
from leadlift.inference import contrast_scores, effective_sample_size, off_policy_value, t_interval

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "off_policy.json").read_text(encoding="utf-8"))
BANDIT = next(value for key, value in GOLDEN.items() if key.startswith("open bandit"))


def twelve_rows():
    y, taken, p1, pi, mu1, mu0 = (np.array(GOLDEN[k], dtype=float) for k in ("y", "t", "p1", "pi", "mu1", "mu0"))
    return {
        "y": y,
        "logged": np.where(taken == 1, p1, 1 - p1),
        "target": (taken == pi).astype(float),
        "predicted_taken": np.where(taken == 1, mu1, mu0),
        "predicted_target": np.where(pi == 1, mu1, mu0),
        "unit": np.arange(12),
        "n_units": 12,
    }


def test_twelve_rows_by_hand():
    found = {name: off_policy_value(**twelve_rows(), estimator=name) for name in ("ips", "snips", "dm", "dr")}
    assert found["ips"].value == pytest.approx(GOLDEN["IPS"]["value"], abs=1e-12)
    assert found["ips"].se == pytest.approx(GOLDEN["IPS"]["se"], abs=1e-12)
    assert found["snips"].value == pytest.approx(GOLDEN["SNIPS"]["value"], abs=1e-12)
    assert found["snips"].se == pytest.approx(GOLDEN["SNIPS"]["delta se"], abs=1e-12)
    assert found["dm"].value == pytest.approx(GOLDEN["DM"], abs=1e-12)
    assert found["dr"].value == pytest.approx(GOLDEN["DR"]["value"], abs=1e-12)
    assert found["dr"].se == pytest.approx(GOLDEN["DR"]["se"], abs=1e-12)


def test_effective_sample_size_by_hand():
    rows = twelve_rows()
    assert effective_sample_size(rows["logged"], rows["target"]) == pytest.approx(GOLDEN["effective sample size"])


def test_the_doubly_robust_difference_of_two_policies_is_the_mean_of_per_lead_scores():
    rows = twelve_rows()
    t, p1, mu1, mu0 = (np.array(GOLDEN[k], dtype=float) for k in ("t", "p1", "mu1", "mu0"))
    values = [
        off_policy_value(
            **{**rows, "target": (t == arm).astype(float), "predicted_target": mu1 if arm else mu0}, estimator="dr"
        ).value
        for arm in (1, 0)
    ]
    scores = contrast_scores(
        rows["y"], t, propensity_treated=p1, propensity_control=1 - p1, predicted_treated=mu1, predicted_control=mu0
    )
    assert scores == pytest.approx(GOLDEN["AIPW uplift scores"], abs=1e-9)
    assert values[0] - values[1] == pytest.approx(GOLDEN["ATE"]["value"], abs=1e-12)
    assert scores.mean() == pytest.approx(values[0] - values[1], abs=1e-12)


def test_where_the_target_is_what_was_run_every_value_is_the_mean():
    y = np.full(50, 0.7)
    rows = {"y": y, "logged": np.ones(50), "target": np.ones(50), "unit": np.arange(50), "n_units": 50}
    for name in ("ips", "snips"):
        value = off_policy_value(**rows, estimator=name)
        interval = t_interval(value.value, value.se, value.df, 0.95)
        assert value.value == pytest.approx(0.7)
        assert interval.lower <= 0.7 + 1e-12
        assert interval.upper >= 0.7 - 1e-12


def test_self_normalised_constant_has_no_width():
    rng = np.random.default_rng(1)
    value = off_policy_value(
        np.full(200, 3.0),
        logged=rng.uniform(0.1, 1, 200),
        target=rng.uniform(0, 1, 200),
        estimator="snips",
        unit=np.arange(200) // 2,
        n_units=100,
    )
    assert value.value == pytest.approx(3.0)
    assert value.se == pytest.approx(0.0, abs=1e-12)


def test_shuffled_rows_change_nothing():
    rng = np.random.default_rng(2)
    n = 300
    rows = {
        "y": rng.random(n),
        "logged": rng.uniform(0.2, 1, n),
        "target": rng.uniform(0, 1, n),
        "predicted_taken": rng.random(n),
        "predicted_target": rng.random(n),
        "unit": rng.integers(60, size=n),
    }
    order = rng.permutation(n)
    for name in ("ips", "snips", "dr"):
        one = off_policy_value(**rows, n_units=60, estimator=name)
        other = off_policy_value(**{k: v[order] for k, v in rows.items()}, n_units=60, estimator=name)
        assert (one.value, one.se) == (other.value, other.se)


def simulated(seed, organisations=150, actions=5):
    """Decisions logged by one policy, the rows of another, and the mean outcome that the other would have here."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(organisations), 1 + rng.poisson(1.0, organisations))
    rows = np.arange(len(unit))
    x = rng.normal(size=len(unit)) + 0.5 * rng.normal(size=organisations)[unit]
    step = np.arange(actions) / actions
    logged, target = (np.exp(slope * x[:, None] * step) for slope in (0.5, -0.8))
    logged, target = logged / logged.sum(axis=1, keepdims=True), target / target.sum(axis=1, keepdims=True)
    action = (logged.cumsum(axis=1) < rng.random(len(unit))[:, None]).sum(axis=1)
    mean = 1 / (1 + np.exp(1 - 0.4 * x[:, None] * np.linspace(-1, 1, actions) - 0.3 * step))
    mean = np.clip(mean + 0.1 * rng.normal(size=organisations)[unit][:, None], 0.01, 0.99)
    # A model that is wrong: half as steep, and off.
    model = 0.5 * mean + 0.15
    return {
        "y": (rng.random(len(unit)) < mean[rows, action]).astype(float),
        "logged": logged[rows, action],
        "target": target[rows, action],
        "predicted_taken": model[rows, action],
        "predicted_target": (target * model).sum(axis=1),
        "unit": unit,
        "n_units": organisations,
    }, float((target * mean).sum(axis=1).mean())


def test_values_are_unbiased_and_intervals_hold_the_truth_in_95_of_100_logs_though_the_model_is_wrong():
    truth = float(np.mean([simulated(10_000 + seed, organisations=4_000)[1] for seed in range(60)]))
    logs = [simulated(seed)[0] for seed in range(500)]
    for name in ("ips", "snips", "dr"):
        values = [off_policy_value(**rows, estimator=name) for rows in logs]
        intervals = [t_interval(one.value, one.se, one.df, 0.95) for one in values]
        # 99.9% of binomial counts of 500 with chance 0.95.
        assert 458 <= sum(one.lower <= truth <= one.upper for one in intervals) <= 489
        found = np.array([one.value for one in values])
        assert abs(found.mean() - truth) < 3.3 * found.std() / np.sqrt(500)
    dm = [off_policy_value(**rows, estimator="dm") for rows in logs]
    # A wrong model's own value is off, and no error says so.
    assert abs(np.mean([one.value for one in dm]) - truth) > 0.004
    assert all(np.isnan(one.se) for one in dm)


def bandit(real_data):
    frame = pd.read_parquet(real_data("open_bandit/random_all.parquet"))
    target = np.array(GOLDEN["bts_counts"]) / 100_000
    policy = target[:, frame["position"] - 1].T
    taken = policy[np.arange(len(frame)), frame["item_id"]]
    return frame, policy, taken


def test_open_bandit_random_log_values_the_learnt_policy(real_data):
    frame, policy, taken = bandit(real_data)
    rows = {"y": frame["click"], "logged": frame["propensity_score"], "target": taken}
    rows |= {"unit": np.arange(len(frame)), "n_units": len(frame)}
    ips = off_policy_value(**rows, estimator="ips")
    assert round(ips.value, 6) == BANDIT["IPW"]
    # A model that is no more than the items' click rates, drawn towards the overall rate, fitted on other rows.
    predicted = item_rates(frame, folds=3)
    model = {
        "predicted_taken": predicted[np.arange(len(frame)), frame["item_id"]],
        "predicted_target": (policy * predicted).sum(axis=1),
    }
    dm, dr = (off_policy_value(**rows, **model, estimator=name) for name in ("dm", "dr"))
    assert dm.value == pytest.approx(BANDIT["DM"], abs=0.0005)
    assert dr.value == pytest.approx(BANDIT["DR"], abs=0.0005)
    for value in (ips, dr, off_policy_value(**rows, estimator="snips")):
        interval = t_interval(value.value, value.se, value.df, 0.95)
        assert interval.lower < BANDIT["on-policy truth"] < interval.upper


def item_rates(frame, folds):
    fold = np.arange(len(frame)) % folds
    rates = np.empty((len(frame), 80))
    for k in range(folds):
        seen = frame[fold != k]
        clicks = np.bincount(seen["item_id"], weights=seen["click"], minlength=80)
        shown = np.bincount(seen["item_id"], minlength=80)
        rates[fold == k] = (clicks + 500 * seen["click"].mean()) / (shown + 500)
    return rates


def coverage(estimator, logs=400, n=400):
    """How often the interval holds the truth: pairs of rows share a unit, half of the probabilities are small."""
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(logs):
        x = np.repeat(rng.random(n // 2), 2)
        logged = np.where(x < 0.5, 0.3, 0.7)
        taken = rng.random(n) < logged
        y = 1 + x + taken * (2 * x - 0.8) + np.repeat(rng.normal(size=n // 2), 2) * 0.5
        target = np.where(taken, 0.9, 0.1)
        p = np.where(taken, logged, 1 - logged)
        model = {"predicted_taken": 1 + x + taken * x, "predicted_target": 1 + x + 0.9 * x}
        value = off_policy_value(
            y, logged=p, target=target, estimator=estimator, unit=np.arange(n) // 2, n_units=n // 2, **model
        )
        interval = t_interval(value.value, value.se, value.df, 0.95)
        # E[1 + x + 0.9 (2x - 0.8)] with x uniform.
        hits += interval.lower <= 1.5 + 0.9 * 0.2 <= interval.upper
    return hits / logs


@pytest.mark.parametrize("estimator", ["ips", "snips", "dr"])
def test_intervals_hold_the_truth(estimator):
    # 99.9% of binomial shares of 400 with chance 0.95.
    assert 0.9125 <= coverage(estimator) <= 0.9825


def test_what_cannot_be_used_is_said():
    rows = twelve_rows()
    with pytest.raises(DataError, match="did you mean `snips`"):
        off_policy_value(**rows, estimator="snip")
    with pytest.raises(PropensityError, match="logged"):
        off_policy_value(**{**rows, "logged": np.zeros(12)}, estimator="ips")
    with pytest.raises(PropensityError, match="target"):
        off_policy_value(**{**rows, "target": np.full(12, 1.5)}, estimator="ips")
    with pytest.raises(DataError, match="predicted_target"):
        off_policy_value(**{**rows, "predicted_target": None}, estimator="dr")
    with pytest.raises(DataError, match="never in 12 rows"):
        off_policy_value(**{**rows, "target": np.zeros(12)}, estimator="ips")
    with pytest.raises(DataError, match="1 of 12 rows"):
        off_policy_value(**{**rows, "y": np.r_[np.nan, rows["y"][1:]]}, estimator="ips")


def test_a_model_alone_gets_no_error():
    value = off_policy_value(**twelve_rows(), estimator="dm")
    assert np.isnan(value.se)
    assert value.method == "none"
