"""T- and X-learner: shapes, arms, propensities, features of every kind, repeatability, plain causalml beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from causalml.inference.meta import BaseTRegressor, BaseXRegressor
from lightgbm import LGBMRegressor
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from leadlift.base.errors import DataError, NotFittedError, PropensityError
from leadlift.learners import DRLearner, RLearner, SLearner, TLearner, XLearner
from leadlift.learners.models import REPEATABLE, UPLIFT_DEFAULTS

LEARNERS = [SLearner, TLearner, XLearner, RLearner, DRLearner]
TWO_STAGES = (XLearner, RLearner, DRLearner)
SHARES = np.array([0.5, 0.3, 0.2])
# Where numbers are only compared, or refused, few trees say as much as many.
FEW = {"n_estimators": 10}


def drawn(n=3000, arms=2, seed=0, binary=False):
    """Features, arms drawn with SHARES (or evenly), outcomes; arm k lifts leads with x0 > 0 by k."""
    rng = np.random.default_rng(seed)
    shares = SHARES if arms == 3 else np.array([0.5, 0.5])
    X = pd.DataFrame(rng.normal(size=(n, 3)), columns=["x0", "x1", "x2"])
    arm = rng.choice(arms, size=n, p=shares)
    mean = 0.5 * X["x1"].to_numpy() + arm * (X["x0"].to_numpy() > 0)
    y = mean + rng.normal(size=n)
    if binary:
        y = (rng.random(n) < 1 / (1 + np.exp(-y))).astype(float)
    return X, y, arm, np.tile(shares, (n, 1))


def fitted(Learner, *, arms=2, binary=False, **settings):
    X, y, arm, propensity = drawn(arms=arms, binary=binary)
    return Learner(**settings).fit(X, y, treatment=arm, propensity=propensity), X


@pytest.mark.parametrize("Learner", LEARNERS)
def test_clone_and_parameters(Learner):
    learner = Learner("none", outcome_model=LinearRegression(), random_state=7)
    copy = clone(learner)
    assert copy is not learner
    assert copy.get_params(deep=False).keys() == learner.get_params(deep=False).keys()
    assert (copy.control, copy.random_state) == ("none", 7)
    assert copy.set_params(random_state=8).random_state == 8
    assert not hasattr(clone(fitted(Learner)[0]), "shares_")


@pytest.mark.parametrize("Learner", LEARNERS)
@pytest.mark.parametrize("binary", [False, True])
def test_shapes_and_what_is_learnt(Learner, binary):
    two, X = fitted(Learner, binary=binary)
    three, _ = fitted(Learner, arms=3, binary=binary)
    assert two.predict(X).shape == (3000,)
    assert three.predict(X).shape == (3000, 2)
    assert three.classes_.tolist() == [0, 1, 2]
    np.testing.assert_allclose(three.shares_, SHARES)
    moved = X["x0"].to_numpy() > 0.3
    seen = 0.1 if Learner is SLearner else 0.4  # it shrinks uplift towards zero and towards its mean
    for uplift, lift in ((two.predict(X), 1), (three.predict(X)[:, 0], 1), (three.predict(X)[:, 1], 2)):
        scale = 0.2 if binary else 1.0
        assert uplift[moved].mean() > uplift[~moved].mean() + seen * lift * scale
        assert Learner is SLearner or abs(uplift[X["x0"].to_numpy() < -0.3].mean()) < (0.15 if binary else 0.35)


def test_labels_of_any_kind_control_first():
    X, y, arm, propensity = drawn(arms=3)
    names = np.array(["none", "call", "visit"])
    log = TLearner("none").fit(X, y, treatment=pd.Series(names[arm]), propensity=propensity[:, [0, 1, 2]])
    assert log.classes_.tolist() == ["none", "call", "visit"]
    codes, _ = fitted(TLearner, arms=3)
    np.testing.assert_array_equal(log.predict(X), codes.predict(X))
    flags = TLearner(False).fit(*drawn()[:2], treatment=drawn()[2] == 1, propensity=np.full(3000, 0.5))
    np.testing.assert_array_equal(flags.predict(X), fitted(TLearner)[0].predict(X))


@pytest.mark.parametrize("Learner", LEARNERS)
def test_swapping_the_arms_flips_the_sign(Learner):
    X, y, arm, propensity = drawn()
    one = Learner(lightgbm=FEW).fit(X, y, treatment=arm, propensity=propensity).predict(X)
    two = Learner(1, lightgbm=FEW).fit(X, y, treatment=arm, propensity=propensity[:, ::-1]).predict(X)
    np.testing.assert_allclose(one, -two, atol=1e-12)


@pytest.mark.parametrize("Learner", LEARNERS)
def test_two_arms_take_a_vector_or_a_matrix(Learner):
    X, y, arm, _ = drawn()
    p = np.where(X["x2"] > 0, 0.7, 0.4)
    vector = Learner(lightgbm=FEW).fit(X, y, treatment=arm, propensity=p)
    matrix = Learner(lightgbm=FEW).fit(X, y, treatment=arm, propensity=np.column_stack([1 - p, p]))
    np.testing.assert_array_equal(vector.predict(X, propensity=p), matrix.predict(X, propensity=vector_matrix(p)))
    np.testing.assert_allclose(vector.predict(X), vector.predict(X, propensity=np.full(3000, p.mean())), atol=1e-12)


def vector_matrix(p):
    return np.column_stack([1 - p, p])


def test_the_x_learner_mixes_by_the_share_among_arm_and_control():
    """With marginal propensities .5, .3, .2, arm 1 is mixed with .3 / .8: causalml's meaning of a propensity."""
    learner, X = fitted(XLearner, arms=3)
    plain = learner.encoder_.transform(X)
    for column, ((of_control, of_arm), share) in enumerate(
        zip(learner.effect_models_, [0.3 / 0.8, 0.2 / 0.7], strict=True)
    ):
        wanted = share * of_control.predict(plain) + (1 - share) * of_arm.predict(plain)
        np.testing.assert_allclose(learner.predict(X, propensity=np.tile(SHARES, (3000, 1)))[:, column], wanted)


@pytest.mark.parametrize(
    ("propensity", "code", "words"),
    [
        (np.full(2999, 0.5), "propensity-shape", r"shape \(3000,\) or \(3000, 2\)\n    shape \(2999,\)"),
        (np.full((3000, 3), 1 / 3), "propensity-shape", r"shape \(3000, 3\)"),
        (np.r_[0.0, np.full(2999, 0.5)], "propensity-range", "1 of 3,000 leads"),
        (np.r_[np.nan, np.full(2999, 0.5)], "propensity-range", "1 of 3,000 leads"),
        (np.full((3000, 2), 0.4), "propensity-sum", "3,000 of 3,000 leads"),
    ],
)
@pytest.mark.parametrize("Learner", LEARNERS)
def test_propensities_that_cannot_be(Learner, propensity, code, words):
    X, y, arm, fine = drawn()
    with pytest.raises(PropensityError, match=rf"(?s)\[{code}\].*{words}"):
        Learner(lightgbm=FEW).fit(X, y, treatment=arm, propensity=propensity)
    with pytest.raises(PropensityError, match=rf"\[{code}\]"):
        Learner(lightgbm=FEW).fit(X, y, treatment=arm, propensity=fine).predict(X, propensity=propensity)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"treatment": np.zeros(3000)}, "only `0.0`"),
        ({"treatment": np.ones(3000)}, r"`0` is not there; found: 1\.0"),
        ({"treatment": np.zeros(2999)}, "one-arm"),
        ({"treatment": np.r_[np.nan, drawn()[2][1:]]}, r"\[arm-missing\].*\n    none in 1\n"),
        ({"y": drawn()[1][1:]}, "`y` has one entry per lead\n    2,999 entries for 3,000 leads"),
        ({"y": np.r_[np.nan, drawn()[1][1:]]}, "`y` is finite\n    1 entries are not"),
        ({"y": ["Ann"] * 3000}, "`y` holds numbers\n    found text"),
        ({"sample_weight": np.ones(2)}, "`sample_weight` has one entry per lead"),
        ({"groups": np.ones(2)}, "`groups` has one entry per lead"),
        ({"X": np.zeros(3000)}, r"features have shape \(n, features\)\n    shape \(3000,\)"),
    ],
)
def test_input_that_cannot_be(changed, words):
    X, y, arm, propensity = drawn()
    given = {"X": X, "y": y, "treatment": arm, "propensity": propensity, **changed}
    with pytest.raises(DataError, match=words) as error:
        TLearner().fit(given.pop("X"), given.pop("y"), **given)
    assert "Ann" not in str(error.value)


@pytest.mark.parametrize("Learner", LEARNERS)
def test_predict_before_fit(Learner):
    with pytest.raises(NotFittedError, match=f"{Learner.__name__} predicts after fit: call fit first"):
        Learner().predict(np.zeros((2, 2)))
    with pytest.raises(AttributeError):
        Learner().predict(np.zeros((2, 2)))


def mixed(n=3000, seed=2):
    rng = np.random.default_rng(seed)
    X, y, arm, propensity = drawn(n)
    X["channel"] = rng.choice(["web", "phone", None], size=n)
    X["vip"] = rng.random(n) < 0.5
    X["size"] = pd.array(rng.integers(0, 9, n), dtype="Int64")
    X.loc[::7, ["x0", "size"]] = np.nan
    return X, y + (X["channel"] == "web") * arm, arm, propensity


@pytest.mark.parametrize("Learner", LEARNERS)
def test_missing_values_and_text(Learner):
    X, y, arm, propensity = mixed()
    learner = Learner().fit(X, y, treatment=arm, propensity=propensity)
    uplift = learner.predict(X)
    assert np.isfinite(uplift).all()
    assert uplift[X["channel"] == "web"].mean() > uplift[X["channel"] == "phone"].mean() + (
        0.1 if Learner is SLearner else 0.5
    )
    # A category never seen is a missing one; a frame with other columns, in another order, is read by name.
    unseen, missing = X.assign(channel="fair"), X.assign(channel=None)
    np.testing.assert_array_equal(learner.predict(unseen), learner.predict(missing))
    np.testing.assert_array_equal(learner.predict(X[X.columns[::-1]].assign(other=1)), uplift)
    # Categories keep their codes in a frame that holds only some of them.
    some = X[X["channel"] == "web"]
    np.testing.assert_array_equal(learner.predict(some), uplift[X["channel"] == "web"])


def test_features_that_went_missing_or_turned_to_text():
    X, y, arm, propensity = mixed()
    learner = TLearner().fit(X, y, treatment=arm, propensity=propensity)
    with pytest.raises(DataError, match="every feature of the fit is there\n    x0, vip"):
        learner.predict(X.drop(columns=["x0", "vip"]))
    with pytest.raises(DataError, match="`x0` was a number and now holds text") as error:
        learner.predict(X.assign(x0="Ann Smith"))
    assert "Ann" not in str(error.value)


@pytest.mark.parametrize("Learner", LEARNERS)
def test_frames_of_every_kind(Learner):
    X, y, arm, propensity = drawn()
    wanted = Learner(lightgbm=FEW).fit(X, y, treatment=arm, propensity=propensity).predict(X)
    for frame in (X.to_numpy(), pl.from_pandas(X), X.set_index(np.arange(3000)[::-1])):
        learner = Learner(lightgbm=FEW).fit(frame, y, treatment=arm, propensity=propensity)
        np.testing.assert_array_equal(learner.predict(frame), wanted)
    text = pl.from_pandas(mixed()[0])
    learner = Learner(lightgbm=FEW).fit(text, y, treatment=pl.Series(arm), propensity=propensity)
    np.testing.assert_array_equal(
        learner.predict(text),
        Learner(lightgbm=FEW).fit(mixed()[0], y, treatment=arm, propensity=propensity).predict(mixed()[0]),
    )


@pytest.mark.parametrize("Learner", LEARNERS)
def test_the_seed_settles_every_bit(Learner):
    one, X = fitted(Learner, random_state=3, lightgbm=FEW)
    two, _ = fitted(Learner, random_state=3, lightgbm=FEW)
    np.testing.assert_array_equal(one.predict(X), two.predict(X))
    sampled = LGBMRegressor(**{**UPLIFT_DEFAULTS, **REPEATABLE, **FEW}, subsample=0.5, subsample_freq=1)
    seeds = [fitted(Learner, outcome_model=clone(sampled).set_params(random_state=s))[0].predict(X) for s in (1, 1, 2)]
    np.testing.assert_array_equal(seeds[0], seeds[1])
    assert (seeds[0] != seeds[2]).any()


def test_the_number_of_threads_changes_no_bit():
    X, y, arm, propensity = drawn()
    model = {
        jobs: LGBMRegressor(**{**UPLIFT_DEFAULTS, **REPEATABLE, **FEW, "n_jobs": jobs}, random_state=0)
        for jobs in (1, 2)
    }
    fits = [
        XLearner(outcome_model=m, effect_model=m).fit(X, y, treatment=arm, propensity=propensity)
        for m in model.values()
    ]
    np.testing.assert_array_equal(fits[0].predict(X), fits[1].predict(X))


@pytest.mark.parametrize("Learner", [SLearner, TLearner, XLearner])
def test_a_weight_of_two_is_a_row_twice(Learner):
    """Exact where the model takes weights exactly; LightGBM counts rows, not weights, in its smallest leaf."""
    X, y, arm, propensity = drawn(600)
    twice = np.r_[np.arange(600), np.arange(0, 600, 3)]
    weight = np.where(np.arange(600) % 3 == 0, 2.0, 1.0)
    for model in (LinearRegression(), DecisionTreeRegressor(max_leaf_nodes=6, random_state=0)):
        settings = {"outcome_model": model, **({"effect_model": model} if Learner is XLearner else {})}
        weighted = Learner(**settings).fit(X, y, treatment=arm, propensity=propensity, sample_weight=weight)
        copied = Learner(**settings).fit(X.iloc[twice], y[twice], treatment=arm[twice], propensity=propensity[twice])
        np.testing.assert_allclose(weighted.predict(X), copied.predict(X), atol=1e-9)
    ones = Learner().fit(X, y, treatment=arm, propensity=propensity, sample_weight=np.ones(600))
    plain = Learner().fit(X, y, treatment=arm, propensity=propensity)
    np.testing.assert_allclose(ones.predict(X), plain.predict(X), atol=1e-12)


def test_a_weighted_mean_where_there_is_nothing_to_split_on():
    arm = np.array([0, 0, 1, 1])
    y, weight = np.array([0.0, 1.0, 0.0, 1.0]), np.array([3.0, 1.0, 1.0, 3.0])
    X = pd.DataFrame(index=range(4))
    learner = TLearner().fit(X, y, treatment=arm, propensity=np.full(4, 0.5), sample_weight=weight)
    np.testing.assert_allclose(learner.predict(X), 0.75 - 0.25)


@pytest.mark.parametrize("Learner", LEARNERS)
def test_an_arm_whose_outcomes_are_all_alike(Learner):
    X, y, arm, propensity = drawn(binary=True)
    y = np.where(arm == 0, 0.0, y)
    learner = Learner().fit(X, y, treatment=arm, propensity=propensity)
    assert np.isfinite(learner.predict(X)).all()
    assert learner.predict(X).mean() == pytest.approx(y[arm == 1].mean(), abs=0.03)
    outcomes = TLearner().fit(X, y, treatment=arm, propensity=propensity).predict_outcomes(X)
    np.testing.assert_array_equal(outcomes[:, 0], 0.0)


@pytest.mark.parametrize("Learner", LEARNERS)
def test_no_features_and_no_rows(Learner):
    _, y, arm, propensity = drawn()
    empty = pd.DataFrame(index=range(3000))
    uplift = Learner().fit(empty, y, treatment=arm, propensity=propensity).predict(empty)
    # Folds inside the R- and DR-learner move it a little, boosting a single feature leaves a remainder.
    near = {SLearner: 0.01, RLearner: 1e-3, DRLearner: 1e-3}.get(Learner, 1e-9)
    np.testing.assert_allclose(uplift, y[arm == 1].mean() - y[arm == 0].mean(), rtol=near)
    learner, X = fitted(Learner)
    assert learner.predict(X.iloc[:0]).shape == (0,)
    assert fitted(Learner, arms=3)[0].predict(X.iloc[:0]).shape == (0, 2)


def test_outcomes_by_arm_make_up_the_t_learner():
    learner, X = fitted(TLearner, arms=3)
    outcomes = learner.predict_outcomes(X)
    assert outcomes.shape == (3000, 3)
    np.testing.assert_array_equal(outcomes[:, 1:] - outcomes[:, [0]], learner.predict(X))


def test_a_classifier_predicts_chances():
    learner, X = fitted(TLearner, binary=True, outcome_model=LogisticRegression())
    outcomes = learner.predict_outcomes(X)
    assert 0 < outcomes.min() < outcomes.max() < 1


def lightgbm():
    return LGBMRegressor(**UPLIFT_DEFAULTS, **REPEATABLE, random_state=0)


def few_values(**of):
    """Features of few values, which LightGBM gives a bin each: cut once or for each model, bins are the same."""
    X, y, arm, propensity = drawn(**of)
    X = np.clip(np.round(X * 8), -12, 12)
    X["channel"] = np.random.default_rng(4).choice(["web", "phone", "fair"], size=len(X))
    X.loc[::9, "x2"] = np.nan
    return X, y + (X["channel"] == "web") * arm, arm, propensity


@pytest.mark.parametrize("arms", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("Learner", [TLearner, XLearner])
def test_on_shared_bins_learners_are_causalmls(Learner, binary, weighted, arms):
    X, y, arm, propensity = few_values(arms=arms)
    y = (y > 0.5).astype(float) if binary else y
    weight = np.random.default_rng(5).uniform(0.5, 2, size=len(y)) if weighted else None
    given = {"treatment": arm, "propensity": propensity, "sample_weight": weight}
    ours = Learner(lightgbm=FEW).fit(X, y, **given).predict(X, propensity=propensity)
    theirs = Learner(backend="causalml", lightgbm=FEW).fit(X, y, **given).predict(X, propensity=propensity)
    assert np.ptp(ours) > 0
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


@pytest.mark.parametrize("settings", [{"bagging": 0.5}, {"min_child_samples": 10_000}, {"min_child_samples": 1000}])
@pytest.mark.parametrize("Learner", [TLearner, XLearner])
def test_models_that_split_seldom_or_never_are_causalmls_too(Learner, settings):
    X, y, arm, propensity = few_values()
    bagged = {"subsample": 0.5, "subsample_freq": 1, "min_child_samples": 700}
    more = bagged if "bagging" in settings else settings
    given = {"treatment": arm, "propensity": propensity}
    found = [
        Learner(lightgbm=more, backend=backend).fit(X, y, **given).predict(X) for backend in ("shared", "causalml")
    ]
    np.testing.assert_allclose(found[0], found[1], atol=1e-9)
    if more["min_child_samples"] > len(X):
        np.testing.assert_allclose(found[0].mean(), y[arm == 1].mean() - y[arm == 0].mean())


@pytest.mark.parametrize("arms", [2, 3])
def test_the_causalml_backend_is_causalml(arms):
    """Nothing of ours between its learners and its numbers, bare LightGBM and pairwise propensities given."""
    X, y, arm, propensity = drawn(arms=arms)
    given = {"treatment": arm, "propensity": propensity}
    plain = BaseTRegressor(learner=lightgbm(), control_name=0)
    plain.fit(X, treatment=arm, y=y)
    ours = TLearner(backend="causalml").fit(X, y, **given)
    np.testing.assert_array_equal(ours.predict(X).reshape(3000, -1), plain.predict(X))
    plain = BaseXRegressor(learner=lightgbm(), control_name=0)
    pair = {k: propensity[:, k] / (propensity[:, 0] + propensity[:, k]) for k in range(1, arms)}
    plain.fit(X, treatment=arm, y=y, p=pair)
    ours = XLearner(backend="causalml").fit(X, y, **given)
    np.testing.assert_array_equal(ours.predict(X, propensity=propensity).reshape(3000, -1), plain.predict(X, p=pair))


@pytest.mark.parametrize("Learner", [SLearner, TLearner, XLearner])
def test_other_models_are_causalmls_too(Learner):
    X, y, arm, propensity = drawn(arms=3)
    model = {"outcome_model": LinearRegression()} | (
        {"effect_model": LinearRegression()} if Learner is XLearner else {}
    )
    found = [
        Learner(**model, backend=backend).fit(X, y, treatment=arm, propensity=propensity).predict(X)
        for backend in ("shared", "causalml")
    ]
    np.testing.assert_allclose(found[0], found[1], atol=1e-12)


class Stubborn(LinearRegression):
    """Predicts a wrong thing whatever it is fitted on."""

    def fit(self, X, y, sample_weight=None):
        return super().fit(X, 5 + 3 * np.asarray(X)[:, 0], sample_weight=sample_weight)


@pytest.mark.parametrize("Learner", [RLearner, DRLearner])
def test_wrong_outcome_models_do_not_move_the_mean(Learner):
    """Three arms, effects 1 and 2, outcomes foretold wrongly: marginal propensities would give 3.1 and 4.6."""
    rng = np.random.default_rng(8)
    n = 20_000
    X = pd.DataFrame(rng.normal(size=(n, 2)), columns=["a", "b"])
    shares = np.where(X[["a"]].to_numpy() > 0, [[0.6, 0.2, 0.2]], [[0.3, 0.3, 0.4]])
    arm = (rng.random(n)[:, None] > shares.cumsum(axis=1)).sum(axis=1)
    y = 2 * X["b"].to_numpy() ** 2 + arm + rng.normal(size=n)
    for backend in ("shared", "causalml"):
        learner = Learner(outcome_model=Stubborn(), effect_model=LinearRegression(), backend=backend)
        uplift = learner.fit(X, y, treatment=arm, propensity=shares).predict(X)
        np.testing.assert_allclose(uplift.mean(axis=0), [1, 2], atol=0.5)


@pytest.mark.parametrize("backend", ["shared", "causalml"])
@pytest.mark.parametrize("Learner", LEARNERS)
def test_missing_values_categories_and_weights_on_every_backend(Learner, backend):
    X, y, arm, propensity = mixed(1500)
    X["tier"] = pd.Categorical.from_codes(np.arange(1500) % 3, ["a", "b", "c"])
    weight = np.random.default_rng(1).uniform(0.5, 2, 1500)
    given = {"treatment": arm, "propensity": propensity, "sample_weight": weight}
    learner = Learner(backend=backend, lightgbm=FEW).fit(X, y, **given)
    assert np.isfinite(learner.predict(X)).all()
    unweighted = Learner(backend=backend, lightgbm=FEW).fit(X, y, treatment=arm, propensity=propensity)
    assert (learner.predict(X) != unweighted.predict(X)).any()


@pytest.mark.parametrize("arms", [2, 3])
def test_the_r_learner_is_causalmls_where_expected_outcomes_are_the_same(arms):
    X, y, arm, propensity = few_values(arms=arms)
    X = X.drop(columns="channel").fillna(0)
    found = [
        RLearner(outcome_model=Stubborn(), backend=backend, lightgbm=FEW)
        .fit(X, y, treatment=arm, propensity=propensity)
        .predict(X)
        for backend in ("shared", "causalml")
    ]
    np.testing.assert_allclose(found[0], found[1], atol=1e-9)


def test_an_arm_without_two_folds_is_told():
    X, y, arm, propensity = drawn(400)
    with pytest.raises(DataError, match=r"(?s)\[too-few-organisations\].*arm 1 \(0 is control\) in one fold only"):
        DRLearner().fit(X, y, treatment=arm, propensity=propensity, groups=np.where(arm == 1, 0, np.arange(400)))


def test_a_classifier_refuses_other_outcomes():
    X, y, arm, propensity = drawn()
    with pytest.raises(DataError, match=r"(?s)\[classifier\].*outcomes are other numbers"):
        TLearner(outcome_model=LogisticRegression()).fit(X, y, treatment=arm, propensity=propensity)
