import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.power import NormalIndPower

from leadlift.base.errors import DataError
from leadlift.design.power import leads_needed
from leadlift.problems import TransferModel, hypotheses
from leadlift.problems.transfer_value import design_tests, expected_improvement, information, one_after_another


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(3)
    problem = np.arange(40) % 2
    truth = np.array([[3.0, 0.0, 1.0], [0.0, 2.0, 1.0]])[problem] + 0.3 * rng.normal(size=(40, 3))
    rows, columns = np.nonzero(rng.random(truth.shape) < 0.4)
    frame = pd.DataFrame({"product": [f"p{k:02d}" for k in rows], "mechanic": np.array(list("abc"))[columns]})
    frame = frame.assign(effect=truth[rows, columns], se=0.5, n_treatment=7_200, n_control=7_200)
    profiles = pd.DataFrame(np.eye(2)[problem], index=[f"p{k:02d}" for k in range(40)], columns=["P1", "P2"])
    return TransferModel(selection="none", points=64).fit(frame, profiles)


def test_hypotheses_are_untried_cells_by_expected_gain(model):
    found = hypotheses(model, break_even=0.5, most=10)
    tried = set(map(tuple, model.predict().query("tried")[["product", "mechanic"]].to_numpy()))
    assert len(found) == 10
    assert not {(h.product, h.mechanic) for h in found} & tried
    assert [h.rank_gain for h in found] == list(range(1, 11))
    gains = [h.expected_gain for h in found]
    assert gains == sorted(gains, reverse=True)
    for h in found:
        assert h.lower < h.predicted < h.upper
        assert h.expected_gain == pytest.approx(h.predicted - 0.5)
        assert 0.9 < h.chance <= 1


def test_they_name_the_problem_and_a_product_in_a_similar_situation(model):
    best = hypotheses(model, most=1)[0]
    assert (best.problem, best.mechanic) == ("P1", "a")
    assert int(best.like_product[1:]) % 2 == 0
    assert best.like_effect == pytest.approx(3.0, abs=1)


def test_a_product_of_other_problems_is_not_called_alike():
    """The mechanic was measured on products of P1 only: what is told of those of P2 is no like product."""
    frame = pd.DataFrame({"product": [f"p{k}" for k in range(0, 12, 2)], "mechanic": "call"})
    frame = frame.assign(effect=np.linspace(0.5, 1.5, 6), se=0.2)
    names = [f"p{k}" for k in range(12)]
    profiles = pd.DataFrame(np.eye(2)[np.arange(12) % 2], index=names, columns=["P1", "P2"])
    found = hypotheses(TransferModel(selection="none", points=16).fit(frame, profiles))
    assert {h.product for h in found} == set(names[1::2])
    assert {h.like_product for h in found} == {None}


def test_the_tests_are_those_of_the_design_room(model):
    for h in hypotheses(model, most=3, order="information"):
        wanted = leads_needed(
            h.designed_for, variances=[900.0, 900.0], shares=[0.5, 0.5], alpha=0.05, power=0.8, method="normal"
        )
        assert h.n_per_arm == pytest.approx(wanted / 2, rel=1e-4)


@pytest.mark.parametrize(("alpha", "power"), [(0.05, 0.8), (0.1, 0.9), (0.01, 0.8)])
def test_leads_per_arm_are_those_of_another_program(alpha, power):
    mean, sd, variance = np.array([2.0, 0.5, 0.02]), np.array([1.0, 0.8, 0.01]), np.array([900.0, 900.0, 0.09])
    found = design_tests(mean, sd, np.zeros(3), variance, 1.0, alpha=alpha, power=power)
    assert found.designed_for.tolist() == [2.0, 0.8, 0.02]
    for n, effect in zip(found.n_per_arm, found.designed_for / np.sqrt(variance), strict=True):
        assert n == np.ceil(NormalIndPower().solve_power(effect, alpha=alpha, power=power))


def test_a_test_is_told_the_chance_that_it_will_show_something():
    rng = np.random.default_rng(4)
    mean, sd, bar, variance = (np.array([value]) for value in (0.03, 0.02, 0.005, 0.09))
    found = design_tests(mean, sd, bar, variance, 1.0, alpha=0.05, power=0.8)
    truth = mean + sd * rng.normal(size=100_000)
    measured = truth + found.se * rng.normal(size=truth.size)
    assert (measured - bar > 1.96 * found.se).mean() == pytest.approx(found.assurance[0], abs=0.005)


def test_leads_and_break_even_decide_the_order(model):
    few = {f"p{k:02d}": 1.0 for k in range(40)} | {"p03": 1_000.0}
    assert hypotheses(model, leads=few, most=1)[0].product == "p03"
    costly = hypotheses(model, break_even={"a": 100.0}, most=20)
    assert "a" not in {h.mechanic for h in costly}
    with pytest.raises(DataError, match="did you mean"):
        hypotheses(model, break_even={"aa": 1.0})
    with pytest.raises(DataError, match="unknown-name"):
        hypotheses(model, leads={"nobody": 1.0})


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ({"most": 0}, "most"),
        ({"order": "best"}, "order"),
        ({"alpha": 0}, "alpha"),
        ({"power": 1}, "power"),
        ({"break_even": float("nan")}, "number"),
        ({"break_even": "0.1"}, "number"),
        ({"break_even": {"a": float("nan")}}, "number"),
        ({"leads": {"p01": "many"}}, "number"),
        ({"leads": {"p01": -1.0}}, "leads"),
    ],
)
def test_settings_that_mean_nothing_are_refused(model, setting, code):
    with pytest.raises(DataError, match=rf"\[{code}\]"):
        hypotheses(model, **setting)


def test_where_everything_was_tried_there_is_nothing_to_try(model):
    every = model.predict()[["product", "mechanic"]].assign(effect=np.arange(120) % 7 / 3.0, se=0.5)
    assert hypotheses(TransferModel(points=16).fit(every)) == ()


def test_without_arm_sizes_there_is_no_number_of_leads(model):
    frame = model.predict().query("tried").rename(columns={"measured": "effect"})
    again = TransferModel(selection="none", points=16).fit(frame[["product", "mechanic", "effect", "se"]])
    assert {h.n_per_arm for h in hypotheses(again, most=5)} == {None}


def test_expected_improvement_is_the_mean_of_the_better_choice():
    draws = np.random.default_rng(0).normal(size=400_000)
    for distance in (-0.7, 0.0, 1.1):
        simulated = np.maximum(distance + 0.8 * draws, 0).mean() - max(distance, 0)
        found = expected_improvement(np.array([distance]), np.array([0.8]))[0]
        assert found == pytest.approx(simulated, abs=0.003)


def test_information_is_what_deciding_later_gains():
    """Two cells, one is tested: draw the truth, the test's result, the better decision on both."""
    rng = np.random.default_rng(1)
    mean, covariance, se = np.array([0.2, -0.3]), np.array([[1.0, 0.6], [0.6, 0.8]]), 0.5
    truth = rng.multivariate_normal(mean, covariance, 400_000)
    result = truth[:, 0] + se * rng.normal(size=len(truth))
    learnt = mean + np.outer(result - mean[0], covariance[0]) / (covariance[0, 0] + se**2)
    leads = np.array([1.0, 3.0])
    simulated = ((learnt > 0) * truth * leads).mean(axis=0) - np.maximum(mean, 0) * leads
    found = information(covariance[:1], covariance[0, :1], np.array([se]), mean, leads)[0]
    np.testing.assert_allclose(found, simulated, atol=0.01)


def test_a_test_of_the_same_thing_comes_later():
    """Cells 0 and 1 are nearly one; cell 2 is apart and matters less."""
    covariance = np.array([[1.0, 0.99, 0.0], [0.99, 1.0, 0.0], [0.0, 0.0, 0.5]])
    se, distance, leads = np.full(3, 0.1), np.zeros(3), np.ones(3)
    alone, order = one_after_another(covariance, np.arange(3), se, distance, leads, 3)
    assert alone[0] > alone[2]
    assert order.tolist() == [0, 2, 1]


def test_a_cell_that_is_just_worth_it_gets_a_test_that_ends():
    found = design_tests(
        np.array([1.0]), np.array([0.5]), np.array([1.0]), np.array([900.0]), 1.0, alpha=0.05, power=0.8
    )
    assert found.designed_for[0] == 0.5
    assert 0 < found.assurance[0] < 0.5
