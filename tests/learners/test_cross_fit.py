"""Cross-fitting: no organisation on both sides, every lead judged by models that never saw it."""

from __future__ import annotations

from typing import ClassVar, get_args

import lightgbm
import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier

from leadlift.base.errors import DataError
from leadlift.base.learner_options import LearnerName, LearnerOptions
from leadlift.data import AssignmentLog
from leadlift.learners import TLearner, XLearner, cross_fit, fit_models, in_threads, make_learners, organisation_folds
from leadlift.learners.cross_fit import LEARNERS
from small_logs import COLUMNS, small_log


def log_of(n=600, arms=("none", "call"), **names):
    shares = dict.fromkeys(arms, 1 / len(arms))
    return AssignmentLog.from_frame(small_log(n, arms=arms), **{**COLUMNS, "propensity": shares, **names})


def test_folds_are_of_organisations_and_even():
    organisation = np.random.default_rng(0).integers(0, 101, size=5_000)
    fold = organisation_folds(organisation, 101, 5, np.random.default_rng(1))
    assert (pd.Series(fold).groupby(organisation).nunique() == 1).all()
    per_fold = pd.Series(organisation).groupby(fold).nunique()
    assert per_fold.max() - per_fold.min() <= 1
    again = organisation_folds(organisation, 101, 5, np.random.default_rng(1))
    np.testing.assert_array_equal(fold, again)
    assert (fold != organisation_folds(organisation, 101, 5, np.random.default_rng(2))).any()
    with pytest.raises(DataError, match=r"\[too-few-organisations\].*\n    4 organisations for 5 folds"):
        organisation_folds(np.arange(4), 4, 5, np.random.default_rng(0))


class Spy(TLearner):
    """A T-learner that notes whom it was fitted on and whom it judged."""

    seen: ClassVar[list] = []

    def fit(self, X, y, *, treatment, propensity, groups=None, sample_weight=None):
        self.fitted_on = set(groups)
        return super().fit(X, y, treatment=treatment, propensity=propensity, groups=groups)

    def predict(self, X, *, propensity=None):
        Spy.seen.append((self.fitted_on, list(X.index)))
        return super().predict(X, propensity=propensity)


def test_no_organisation_is_on_both_sides_of_a_fold():
    log = log_of(organisation="client")
    Spy.seen = []
    cross_fit(Spy(), log, folds=4)
    judged = []
    for fitted_on, rows in Spy.seen:
        assert not fitted_on & set(log.organisation[rows])
        judged += rows
    assert sorted(judged) == list(range(600))
    assert len(Spy.seen) == 4


@pytest.mark.parametrize("arms", [("none", "call"), ("none", "call", "sms")])
def test_predictions_stand_in_the_logs_order(arms):
    log = log_of(arms=arms)
    found = cross_fit(make_learners(["t", "x"], 0), log, folds=3, seed=0)
    assert set(found.uplift) == {"t", "x"}
    assert found.uplift["t"].shape == (600, len(arms) - 1)
    assert found.outcomes.shape == (600, len(arms))
    np.testing.assert_allclose(found.uplift["t"], found.outcomes[:, 1:] - found.outcomes[:, [0]])
    for k in range(3):
        models = fit_models(log, np.flatnonzero(found.fold != k), make_learners(["x"], 0), 0)
        rows = np.flatnonzero(found.fold == k)
        np.testing.assert_array_equal(models.uplift(log, rows)["x"], found.uplift["x"][rows])
        np.testing.assert_array_equal(models.outcomes(log, rows), found.outcomes[rows])


def test_the_number_of_processors_changes_no_bit(monkeypatch):
    log = log_of()
    found = []
    for processors in (1, 2, 8):
        monkeypatch.setattr("leadlift.learners.threads.cpu_count", lambda n=processors: n)
        found.append(cross_fit(make_learners(["t", "x"], 0), log).uplift)
    for other in found[1:]:
        np.testing.assert_array_equal(found[0]["x"], other["x"])
        np.testing.assert_array_equal(found[0]["t"], other["t"])


def test_in_threads_keeps_the_order_and_tells_of_each_step():
    told = []
    assert in_threads(lambda k: k * k, [3, 1, 2], told.append) == [9, 1, 4]
    assert told == ["1 of 3", "2 of 3", "3 of 3"]
    assert in_threads(lambda k: k, []) == []


def test_a_given_score_is_learnt_from_and_an_estimated_one_is_not():
    log = log_of(score="score")
    assert "score" in log.known_before
    assert "score" not in log.with_score(np.linspace(0, 1, 600), "estimated").known_before


def test_an_arm_in_one_fold_only_is_told():
    frame = small_log(600)
    frame["client"] = np.where(frame["arm"] == "call", "only", frame["client"])
    log = AssignmentLog.from_frame(frame, **{**COLUMNS, "organisation": "client"})
    with pytest.raises(DataError, match=r"(?s)\[too-few-organisations\].*call in one fold only"):
        cross_fit(TLearner(), log)


def test_models_do_not_predict_for_whom_they_were_fitted_on():
    log = log_of(organisation="client")
    models = fit_models(log, np.flatnonzero(log.organisation % 2 == 0), make_learners(["t"], 0), 0)
    held = np.flatnonzero(log.organisation % 2 == 1)
    assert models.uplift(log, held)["t"].shape == (len(held), 1)
    with pytest.raises(DataError, match=r"(?s)\[in-sample\].*1 of .* leads belong to organisations"):
        models.uplift(log, np.r_[held, np.flatnonzero(log.organisation % 2 == 0)[:1]])


def test_models_do_not_predict_for_leads_of_another_log():
    """Rows and organisations of another log are numbered otherwise: held-back leads could be those fitted on."""
    log, other = log_of(organisation="client"), log_of(400, organisation="client")
    models = fit_models(log, np.flatnonzero(log.organisation >= 40), make_learners(["t"], 0), 0)
    held = np.flatnonzero(log.organisation < 40)
    scored = log.with_score(np.linspace(0, 1, 600), "estimated")
    np.testing.assert_array_equal(models.outcomes(scored, held), models.outcomes(log, held))
    for predict in (models.uplift, models.outcomes):
        with pytest.raises(DataError, match=r"\[other-log\]"):
            predict(other, held)


class Tally(LGBMClassifier):
    """Counts fits: not plain LightGBM, so fitted through its own face."""

    fits: ClassVar[int] = 0

    def fit(self, X, y, **more):
        Tally.fits += 1
        return super().fit(X, y, **more)


def test_what_learners_share_is_fitted_once():
    log = log_of()
    model = Tally(n_estimators=2, n_jobs=1, verbosity=-1)
    learners = {"t": TLearner(outcome_model=model), "x": XLearner(outcome_model=model)}
    Tally.fits = 0
    cross_fit(learners, log, folds=3)
    assert Tally.fits == 3 * 2


def test_bins_are_cut_once_for_a_study(monkeypatch):
    log, cut = log_of(), []
    whole = lightgbm.Dataset.__init__

    def counted(self, data, *args, **more):
        cut.append(data is not None)
        whole(self, data, *args, **more)

    monkeypatch.setattr(lightgbm.Dataset, "__init__", counted)
    cross_fit(make_learners(["t", "x"], 0), log)
    assert sum(cut) == 1


def test_repeats_are_means_of_single_draws():
    log = log_of()
    one = cross_fit(make_learners(["t"], 0), log, folds=2)
    many = cross_fit(make_learners(["t"], 0), log, folds=2, repeats=3)
    assert (one.repeats, many.repeats) == (1, 3)
    np.testing.assert_array_equal(one.fold, many.fold)
    assert (one.uplift["t"] != many.uplift["t"]).any()
    np.testing.assert_array_equal(many.first, one.outcomes)
    np.testing.assert_allclose(many.uplift["t"], many.outcomes[:, 1:] - many.outcomes[:, [0]], atol=1e-12)


def test_permuted_blocks_are_kept_on_one_side():
    log = log_of(organisation="client")
    block = np.random.default_rng(0).integers(0, 200, size=600) // 2
    pair = np.where(log.organisation % 40 < 20, log.organisation % 40, 100 + log.organisation)
    found = cross_fit(make_learners(["t"], 0), log, folds=2, together=pair)
    assert (pd.Series(found.fold).groupby(pair).nunique() == 1).all()
    assert (pd.Series(found.fold).groupby(log.organisation).nunique() == 1).all()
    with pytest.raises(
        DataError, match=r"(?s)\[too-few-organisations\].*1: the permuted blocks join all 120 organisations"
    ):
        cross_fit(make_learners(["t"], 0), log, folds=2, together=block * 0)


def test_learners_with_options_and_all_names():
    options = {"x": {"patience": 5, "lightgbm": {"num_leaves": 5}}, "causal_forest": {"n_estimators": 4}}
    learners = make_learners(list(LEARNERS), 7, options)
    assert learners["x"].lightgbm == {"num_leaves": 5}
    assert {learner.random_state for learner in learners.values()} == {7}
    assert learners["causal_forest"].n_estimators == 4
    assert get_args(LearnerName) == tuple(LEARNERS)
    assert set(LearnerOptions.model_fields) == set(LEARNERS)


def test_leads_too_few_to_split_get_their_arms_mean():
    """On shared bins LightGBM would leave such a mean out of its scores of other rows."""
    log = log_of()
    found = cross_fit(make_learners(["t"], 0), log, folds=2)
    for k in range(2):
        others = found.fold != k
        means = [log.outcome[others & (log.arm == arm)].mean() for arm in range(2)]
        np.testing.assert_allclose(found.outcomes[~others], np.tile(means, ((~others).sum(), 1)), atol=1e-6)


def test_an_empty_block_has_no_predictions():
    log = log_of(arms=("none", "call", "sms"))
    models = fit_models(log, np.arange(600), make_learners(["t", "x"], 0), 0)
    none = np.array([], dtype=np.intp)
    assert {values.shape for values in models.uplift(log, none).values()} == {(0, 2)}
    assert models.outcomes(log, none).shape == (0, 3)
