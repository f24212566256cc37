"""What each strategy says of leads, by hand; and what it refuses."""

import numpy as np
import pandas as pd
import pytest

from leadlift.base.errors import DataError
from leadlift.base.strategies import known_names
from leadlift.decide import (
    Bant,
    ByProblem,
    FenceSittersFirst,
    Leads,
    RepresentativesPick,
    ScoreFirst,
    SkipTheDead,
    Triage,
    UpliftFirst,
    UpliftValueFirst,
    named_strategies,
    ranking_of,
)

NEVER = -np.inf


def leads(uplift=None, worth=None, **columns):
    score = np.array([0.05, 0.2, 0.5, 0.9])
    return Leads(pd.DataFrame(columns, index=range(4)), score, (0.1, 0.6), ("call",), uplift, worth, np.array([10.0]))


def order(strategy, given):
    return np.argsort(-ranking_of(strategy, given), kind="stable").tolist()


def test_strategies_of_the_score():
    assert order(ScoreFirst(), leads()) == [3, 2, 1, 0]
    # The middle of the middle group is 0.35.
    assert order(FenceSittersFirst(), leads()) in ([1, 2, 0, 3], [2, 1, 0, 3])
    assert order(FenceSittersFirst(middle=0.9), leads()) == [3, 2, 1, 0]
    assert ranking_of(SkipTheDead(), leads()).tolist() == [NEVER, 0.2, 0.5, 0.9]
    assert ranking_of(Triage(), leads()).tolist() == [NEVER, -0.2, -0.5, NEVER]
    assert ranking_of(Triage(column="pain"), leads(pain=[1, np.nan, 3, 4])).tolist() == [NEVER, 0.0, 3.0, NEVER]


def test_bant_weighs_what_is_known():
    given = leads(money=[1, 2, 3, np.nan], boss=["yes", "No", None, "unknown"])
    bant = Bant({"budget": "money", "authority": "boss"}, {"budget": 1.0, "authority": 3.0})
    # Shares of the three budgets below, ties halved: 1/6, 3/6, 5/6.
    expected = [(1 / 6 + 3) / 4, (3 / 6) / 4, 5 / 6, -1.0]
    assert ranking_of(bant, given) == pytest.approx(np.array(expected))
    soon = Bant({"timing": "days"}, lower_is_better=["timing"])
    assert order(soon, leads(days=[30, 5, 90, 60])) == [1, 0, 3, 2]


def test_bant_refuses_words_that_nobody_gave_a_worth():
    given = leads(boss=["chief", "clerk", None, "yes"])
    with pytest.raises(DataError, match=r"\[unknown-word\].*`boss`(.|\n)*not chief, clerk"):
        ranking_of(Bant({"authority": "boss"}), given)
    words = {"boss": {"chief": 1.0, "clerk": 0.0, "yes": None}}
    assert ranking_of(Bant({"authority": "boss"}, words=words), given).tolist() == [1.0, 0.0, -1.0, -1.0]


def test_a_pick_is_a_rank_or_a_tick():
    assert order(RepresentativesPick("pick"), leads(pick=[3, 1, np.nan, 2])) == [1, 3, 0, 2]
    assert ranking_of(RepresentativesPick("pick"), leads(pick=["x", None, "no", "Yes"])).tolist() == [1, 0, 0, 1]
    with pytest.raises(DataError, match="maybe"):
        ranking_of(RepresentativesPick("pick"), leads(pick=["maybe", "no", "no", "yes"]))


def test_uplift_and_its_value():
    uplift = np.array([[0.1], [0.2], [-0.1], [0.05]])
    assert order(UpliftFirst(), leads(uplift)) == [1, 0, 3, 2]
    worth = np.array([1_000.0, 100.0, 1_000.0, 1_000.0])
    assert ranking_of(UpliftValueFirst(), leads(uplift, worth)).tolist() == [90.0, 10.0, NEVER, 40.0]
    with pytest.raises(DataError, match="per_outcome"):
        ranking_of(UpliftValueFirst(), leads(uplift))


def test_by_problem_in_a_given_order_and_by_predicted_uplift():
    given = leads(problem=["a", "b", None, "b"])
    assert order(ByProblem(order=("b", "a")), given) == [1, 3, 0, 2]
    numbered = leads(problem=[1.0, 2.0, np.nan, 2.0])
    assert order(ByProblem(order=("2", "1")), numbered) == [1, 3, 0, 2]
    uplift = np.array([[0.3], [0.1], [9.0], [0.2]])
    learnt = ranking_of(ByProblem(), leads(uplift, problem=["a", "b", None, "b"]))
    assert learnt[:2] == pytest.approx([0.3, 0.15])
    assert learnt.argmin() == 2
    with pytest.raises(DataError, match="no lead has c"):
        ranking_of(ByProblem(order=("c",)), given)


def test_every_name_makes_a_strategy():
    more = {
        "bant": {"columns": {"budget": "money"}},
        "representatives_pick": {"column": "pick"},
    }
    from leadlift.base.strategies import StrategyConfig

    made = named_strategies([StrategyConfig(strategy=name, **more.get(name, {})) for name in known_names()])
    assert [one.name for one in made] == list(known_names())


class Custom:
    name = "custom"
    needs = ()

    def __init__(self, values):
        self.values = values

    def rank(self, leads):
        return self.values


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 1, 1, 1], "the same number for all 4 leads"),
        ([NEVER] * 4, "never touch for all 4 leads"),
        ([1, np.nan, 2, 3], "1 of 4 rows"),
        ([1, np.inf, 2, 3], "1 of 4 rows"),
        ([1, 2, 3], r"shape \(3,\)"),
    ],
)
def test_a_strategy_that_ranks_nothing_is_refused(values, words):
    with pytest.raises(DataError, match=words):
        ranking_of(Custom(values), leads())


def test_a_column_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(DataError, match="did you mean `pick`"):
        ranking_of(RepresentativesPick("pik"), leads(pick=[1, 2, 3, 4]))
