from __future__ import annotations

import dataclasses

import pytest
import report_studies as made

from leadlift.base.records import Check, ScoreInfo
from leadlift.report import answer


def test_clear_medium_win():
    said = answer(made.study())
    assert said.headline == (
        "The medium score group gains most from “call”: “won” +5.2 pp (95% interval 3.8 to 6.6 pp)."
    )
    assert said.arms[0].verdict == "best_group"
    assert said.arms[0].best == ("medium",)
    assert "Score groups differ in what they gain (p < 0.0001)." in said.sure
    assert said.do.startswith("Give “call” to the medium score group first.")
    assert said.cautions == ()


def test_not_distinguishable_never_says_equal():
    said = answer(made.not_distinguishable())
    assert said.headline == (
        "“call” works: “won” +2.1 pp (95% interval 1.4 to 2.8 pp) over all leads, "
        "but which score group gains most is not distinguishable."
    )
    # Upper end of medium, 2.6 + 2.4 x 0.6, less lower end of low, 1.7 - 2.4 x 0.6: 3.78.
    assert "A difference between score groups was not seen (p = 0.61); they may still differ, by 3.8 pp" in said.sure
    assert "may be low, medium or high" in said.sure
    assert "do not favour a score group" in said.do
    assert "equal" not in f"{said.headline} {said.sure} {said.do} {said.ranking}"


def test_two_groups_left_are_named():
    study = made.study(segment_tests=made.between("call", ["medium", "high"], 0.01))
    said = answer(study)
    assert said.headline.endswith("but which of the medium and high score groups gains most is not distinguishable.")
    assert "start with medium and high. Put low last." in said.do


def test_null_says_at_most():
    said = answer(made.null())
    assert said.headline.startswith("The effect of “call” on “won” is not distinguishable from none: +0.1 pp")
    # Upper end of high: 0.3 + 2.4 x 0.6 = 1.74.
    assert "No group gains more than 1.7 pp." in said.sure
    assert "Do not widen “call” on this evidence." in said.do
    assert "no evidence here that uplift differs" in said.ranking


def test_harmed_group_is_left_alone():
    said = answer(made.harmful())
    assert "; the high score group loses: −3.1 pp (95% interval −4.5 to −1.7 pp)." in said.headline
    assert "Leave the high score group alone." in said.do
    assert said.arms[0].harmed == ("high",)


def test_loss_everywhere():
    values = {"all": -0.03, "low": -0.03, "medium": -0.031, "high": -0.029}
    said = answer(
        made.study(effects=made.effects("call", values), segment_tests=made.between("call", made.GROUPS, 0.9))
    )
    assert said.arms[0].verdict == "loss"
    assert said.headline.startswith(
        "“call” does not help and harms the low, medium and high score groups: “won” −3.0 pp"
    )
    assert said.do.startswith("Stop “call”.")


def test_single_best_group_without_a_gain_is_no_win():
    """Hsu's set may hold one group whose own gain is not clear: no gain may be claimed then."""
    values = {"all": -0.002, "low": -0.03, "medium": 0.008, "high": -0.03}
    said = answer(
        made.study(effects=made.effects("call", values), segment_tests=made.between("call", ["medium"], 1e-6))
    )
    assert said.arms[0].verdict == "loss"
    assert "gains most" not in said.headline


def test_stopped_says_why():
    said = answer(made.stopped())
    assert said.headline.startswith("Stopped, so there is no answer yet: The split is not as planned")
    assert said.do == "Mend what stopped the study and run it again."
    assert said.cautions == ("610 leads are still open. Wait for them.",)
    assert said.arms == ()


def test_every_arm_is_picked_out():
    said = answer(made.three_arms())
    assert [arm.treatment for arm in said.arms] == ["Mens E-Mail", "Womens E-Mail"]
    assert "“Mens E-Mail” works" in said.headline
    assert "the medium score group gains most from “Womens E-Mail”" in said.headline
    assert any("not compared with each other" in caution for caution in said.cautions)


def test_many_arms_are_counted():
    arms = ("a", "b", "c")
    said = answer(
        made.study(
            arms={"control": 4, "a": 4, "b": 4, "c": 4},
            effects=tuple(e for arm in arms for e in made.effects(arm, made.CLEAR)),
            segment_tests=tuple(t for arm in arms for t in made.between(arm, ["medium"], 0.001)),
        )
    )
    assert said.headline.startswith("3 of 3 arms show a gain over control: “a” (most in the medium score group), “b”")


def test_money_is_in_outcome_units():
    said = answer(made.money())
    assert "“spend” +125 per lead (95% interval 90 to 159)" in said.headline
    assert "pp" not in said.headline


def test_without_score_groups():
    said = answer(made.no_score())
    assert said.headline == "“call” works: “won” +2.1 pp (95% interval 1.4 to 2.8 pp) over all leads."
    assert "There are no score groups, so only overall effects could be compared." in said.cautions


def test_nothing_but_nulls():
    said = answer(made.nulls())
    assert said.headline == "Too few organisations or outcomes to say what “call” does to “won”."
    assert any(caution.startswith("Too few organisations or outcomes for any interval") for caution in said.cautions)
    assert said.ranking == "No learner's ranking could be judged. Too few outcomes: 11 of 20 needed."


def test_no_effects_at_all():
    said = answer(made.study(effects=(), segment_tests=(), learners=(), differences=(), balance=()))
    assert said.headline == "No effect on “won” was estimated."


def test_cautions_from_checks_scores_and_few_outcomes():
    few = tuple(dataclasses.replace(e, interval="miettinen_nurminen") for e in made.study().effects)
    said = answer(
        made.study(
            effects=few,
            checks=(*made.CHECKS, Check("late", "warn", 0.1, "Late leads differ between arms")),
            score=ScoreInfo("estimated", made.GROUPS, (0.2, 0.6), (1, 1, 1)),
        )
    )
    assert said.cautions[0] == "Late leads differ between arms."
    assert said.cautions[1].startswith("The score groups were made from this log")
    assert said.cautions[2].startswith("Few outcomes, so plain differences with intervals for rare outcomes are given")


class TestRankings:
    def test_learner_beats_the_score(self):
        words = answer(made.study()).ranking
        assert "the T-learner's and the X-learner's ranking finds the leads that gain more" in words
        assert (
            "gains 0.40 pp more per lead with the X-learner (95% interval of the difference 0.22 to 0.58 pp)" in words
        )

    def test_the_chosen_learner_is_named_and_why(self):
        study = made.study()
        (choice,) = study.choices
        within = dataclasses.replace(choice, chosen="t", best="x")
        words = answer(made.study(choices=(within,))).ranking
        assert (
            "Chosen is the T-learner: the simplest whose loss is within one standard error of the best, the X" in words
        )
        best = dataclasses.replace(choice, chosen="x", best="x")
        assert "Chosen is the X-learner: none simpler comes" in answer(made.study(choices=(best,))).ranking

    def test_no_learner_is_chosen_where_none_beats_a_constant(self):
        words = answer(made.null()).ranking
        assert "There is no evidence here that uplift differs between leads." in words
        assert "Chosen" not in words

    def test_a_learner_that_beats_a_constant_in_loss_alone_is_said_to(self):
        (choice,) = made.study().choices
        candidates = tuple(dataclasses.replace(c, qini_lower=-0.001) for c in choice.candidates)
        words = answer(made.study(choices=(dataclasses.replace(choice, candidates=candidates),))).ranking
        assert "prediction is closer to the uplift observed than one number for all" in words

    def test_not_distinguishable_from_the_score(self):
        words = answer(made.not_distinguishable()).ranking
        assert "not distinguishable from ranking by score: it may gain up to 0.21 pp per lead more or less" in words

    def test_score_ranks_better(self):
        words = answer(made.study(differences=made.differences("call", {"t": -0.004}))).ranking
        assert "0.40 pp less per lead with the T-learner" in words

    def test_groups_differ_though_no_learner_found_it(self):
        study = made.study(learners=made.rankings("call", {"t": 0.0001, "score": 0.002}), differences=())
        assert answer(study).ranking == (
            "No learner's ranking was seen to find the leads that gain more, though score groups differ."
        )

    def test_uplift_rises_along_a_prediction_whose_ranking_was_not_seen_to_gain(self):
        null = made.null()
        (choice,) = null.choices
        message = "no learner beats a constant, though uplift rises along a prediction"
        words = answer(dataclasses.replace(null, choices=(dataclasses.replace(choice, message=message),))).ranking
        assert "No learner's ranking was seen to gain more than one at random, though uplift rises along a" in words
        assert "no evidence here" not in words

    @pytest.mark.parametrize(("n", "found"), [(1, True), (4, False)])
    def test_the_more_learners_the_more_it_takes(self, n, found):
        """2.1 errors from zero is enough for one learner (1.96), not for one of four (2.50)."""
        learners = made.rankings("call", {f"learner {i}": 0.0008 * (2.1 if i == 0 else 0) for i in range(n)})
        words = answer(made.study(learners=learners, differences=())).ranking
        assert ("the learner 0's ranking finds" in words) == found


def test_few_outcomes_are_answered_by_the_estimator_that_has_intervals():
    empty = dict.fromkeys(("ci_lower", "ci_upper", "simultaneous_lower", "simultaneous_upper"))
    effects = tuple(
        dataclasses.replace(e, **empty, interval="none")
        if e.estimator == "aipw"
        else dataclasses.replace(e, interval="miettinen_nurminen")
        for e in made.study().effects
    )
    reason = "fewer than 20 expected events in some group and arm"
    tests = tuple(
        dataclasses.replace(test, p_value=None, possibly_best=made.GROUPS, message=reason)
        for test in made.study().segment_tests
    )
    said = answer(made.study(effects=effects, segment_tests=tests))
    assert said.arms[0].verdict == "gain"
    assert f"Whether score groups differ could not be tested: {reason}." in said.sure
    assert said.cautions[0].startswith("Few outcomes, so plain differences with intervals for rare outcomes")
