"""A study's learners through the main job: every one of them, repeats, permuted blocks, threads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from leadlift.base.config import parse_config
from leadlift.data import AssignmentLog
from leadlift.evaluation import judging, lead_scores
from leadlift.learners import TLearner, cross_fit
from leadlift.learners.cross_fit import LEARNERS
from leadlift.learners.sample import Sample
from leadlift.report._method import method
from leadlift.study.analyse import analyse
from leadlift.study.files import leads_frame
from leadlift.study.progress import Silent
from leadlift.study.run import _result as study_result
from small_logs import COLUMNS, small_log

FORESTS = {"n_estimators": 4, "max_depth": 3, "min_samples_leaf": 50}
# Enough for trees of small logs to split.
SMALL = {"min_child_samples": 20, "n_estimators": 10}


def blocked_log(n=600):
    """Pairs of clients in permuted blocks, three arms."""
    frame = small_log(n, arms=("none", "call", "sms"))
    frame["pair"] = np.arange(n) // 10
    frame.loc[::7, "size"] = np.nan
    return frame


def options():
    return {name: FORESTS if "forest" in name else SMALL for name in LEARNERS}


def small_study(**more):
    values = {"name": "threads", "learner_options": options(), "folds": 2, **more}
    return parse_config({"learners": list(LEARNERS), **values})


@pytest.fixture(scope="module")
def log():
    thirds = dict.fromkeys(("none", "call", "sms"), 1 / 3)
    names = {**COLUMNS, "propensity": thirds, "organisation": "client", "block": "pair", "lead_id": "id"}
    return AssignmentLog.from_frame(blocked_log(), **names)


def ran(log, config, monkeypatch, processors):
    """All of results.json but the run and the time, and the leads, made with so many threads."""
    monkeypatch.setattr("leadlift.learners.threads.cpu_count", lambda: processors)
    monkeypatch.setattr("leadlift.learners.features.cpu_count", lambda: processors)
    findings = analyse(log, config, Silent())
    result = study_result(config, findings, ()).to_dict()
    return {name: value for name, value in result.items() if name != "created_at"}, leads_frame(findings)


def test_results_do_not_depend_on_the_number_of_threads(log, monkeypatch):
    config = small_study(repeats=2)
    (one, leads), (two, same_leads) = (ran(log, config, monkeypatch, processors) for processors in (1, 2))
    assert one == two
    pd.testing.assert_frame_equal(leads, same_leads, check_exact=True)
    assert {row["learner"] for row in one["learners"]} == {*LEARNERS, "score"}
    for name in LEARNERS:
        assert leads[f"uplift_{name}[call]"].nunique() > 1, name


def test_every_nuisance_of_a_study_is_fitted_once(log, monkeypatch):
    """Per fold and per block held back: outcomes by arm, once more in each inner fold, and the learners' own models."""
    fits = []
    whole = Sample.fit

    def counted(self, spec, name, positions, y, weight=None):
        fits.append((len(self), name))
        return whole(self, spec, name, positions, y, weight)

    monkeypatch.setattr(Sample, "fit", counted)
    judged = []
    fit = judging.fit_models
    monkeypatch.setattr(judging, "fit_models", lambda *given: judged.append(1) or fit(*given))
    analyse(log, small_study(learners=["t", "x", "r", "dr"], learner_options={}, folds=3), Silent())
    arms, inner, pairs = 3, 5, 2
    own = {"x": 2 * pairs, "r": pairs, "dr": pairs}
    assert len(fits) == (3 + len(judged)) * (arms + inner * arms + sum(own.values()))
    assert 1 <= len(judged) <= 4


def test_repeats_and_blocks_reach_every_step(log, monkeypatch):
    findings = analyse(log, small_study(learners=["t"], learner_options={}, repeats=3), Silent())
    found = findings.out_of_fold
    direct = cross_fit({"t": TLearner()}, log, folds=2, repeats=3)
    assert found.repeats == 3
    np.testing.assert_array_equal(found.uplift["t"], direct.uplift["t"])
    assert (pd.Series(found.fold).groupby(log.block).nunique() == 1).all()
    # Groups of an estimated score are cut within folds: each fold's scores come from the other folds alone.
    np.testing.assert_array_equal(findings.log.score, found.first[:, 0])
    assert (found.first != found.outcomes).any()
    once = analyse(log, small_study(learners=["t"], learner_options={}), Silent())
    np.testing.assert_array_equal(once.log.score, findings.log.score)
    effects = [[row.effect for row in one.effects if row.estimator == "aipw"] for one in (once, findings)]
    assert effects[0] != effects[1]


def test_scores_of_several_draws_are_the_mean_of_each_draws_scores(log):
    many = cross_fit({"t": TLearner()}, log, folds=2, repeats=2)
    one = cross_fit({"t": TLearner()}, log, folds=2)
    other = 2 * many.outcomes - one.outcomes
    mean = (lead_scores(log, "call", one.outcomes) + lead_scores(log, "call", other)) / 2
    np.testing.assert_allclose(lead_scores(log, "call", many.outcomes), mean)


def test_one_block_of_all_is_nothing_to_hold_back(study, leadlift):
    frame = small_log().assign(all="one")
    ended = leadlift("run", study(frame, block="all"))
    assert ended.code == 1
    assert "[too-few-organisations]" in ended.err
    assert "leave `block` out" in ended.err


def test_a_block_that_is_missing_is_told(study, leadlift):
    frame = small_log().assign(pair=np.where(np.arange(400) < 3, None, "p"))
    ended = leadlift("run", study(frame, block="pair"))
    assert ended.code == 1
    assert "[block-missing] every lead has its block" in ended.err


def test_weights_and_repeats_are_told(monkeypatch):
    frame = small_log().assign(stands_for=np.tile([1.0, 3.0], 200))
    log = AssignmentLog.from_frame(frame, **COLUMNS, weight="stands_for")
    config = small_study(learners=["t"], learner_options={}, repeats=2)
    result = study_result(config, analyse(log, config, Silent()), ())
    told = dict(method(result))
    assert result.to_dict()["weight"] == "stands_for"
    assert "“stands_for”" in told["Weights"]
    assert told["Learners"].endswith("means over 2 draws of the folds.")
    assert "Weights" not in dict(method(replace(result, weight=None)))
    assert "stands_for" not in log.features.columns
