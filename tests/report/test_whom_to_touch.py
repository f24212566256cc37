"""Whom to touch, in words, tables and the figure; from hand-made rows."""

import itertools
from dataclasses import replace

import pytest
import report_studies as made

from leadlift import report
from leadlift.base.decisions import ActedOn, Decision, LeaveAlone, ResponseShares, Settled, StopsPaying, StrategyValue
from leadlift.base.records import LearnerChoice
from leadlift.report import all_tables, draw_figure, strategy_cautions, strategy_words

CAPACITIES = (200.0, 400.0, 1_000.0, 2_000.0)
AMOUNTS = ("value", "value_lower", "value_upper", "value_se")


def rows(strategy, values, gaps=(None,) * 4, *, measure="outcome", treatment="call", best=True, half=10.0, **change):
    """A strategy's rows: values with bands of +-`half`, and differences to score first likewise."""
    return [
        StrategyValue(
            **{
                "strategy": strategy,
                "treatment": treatment,
                "measure": measure,
                "capacity": capacity,
                "share": capacity / 2_000,
                "n_touched": capacity,
                "value": value,
                "value_lower": value - half,
                "value_upper": value + half,
                "value_se": half / 3,
                "difference_from": "score_first",
                "difference": gap,
                "difference_lower": None if gap is None else gap - 7,
                "difference_upper": None if gap is None else gap + 7,
                "over_random": 1.0,
                "over_random_lower": -1.0,
                "over_random_upper": 3.0,
                "possibly_best": best,
                "extrapolates": capacity > 1_000,
                "method": "fixed",
                **change,
            }
        )
        for capacity, value, gap in zip(CAPACITIES, values, gaps, strict=True)
    ]


def settled(better_to, measure="outcome"):
    return Settled("fence_sitters_first", "call", measure, "score_first", 200.0, better_to, *(None,) * 5)


def study(*strategies, **change):
    decision = Decision(
        **{
            "capacity": 400.0,
            "given": True,
            "leads": 2_000,
            "per": "week",
            "current": "score_first",
            "current_treatment": "call",
            "run_share": 0.5,
            "by_organisation": False,
            "assume_no_spillover": False,
            "unit": "",
            "costs": {},
            "held_back": 0,
            "blocks_used": 0,
            **change,
        }
    )
    return made.study(strategies=tuple(row for of in strategies for row in of), decision=decision)


SCORE = rows("score_first", (5, 10, 30, 60), best=False)
FENCE = rows("fence_sitters_first", (12, 21, 41, 60), (9, 11, 9, 1))
NEAR = rows("fence_sitters_first", (6, 12, 31, 60), (1, 2, 1, 0))


def test_the_sentence_that_settles_it():
    said = strategy_words(study(SCORE, FENCE, settled=(settled(1_000.0),)))
    assert said[0] == (
        "With 400 touches a week, fence-sitters first brings 11 [4, 18] “won” more than score first; above 1,000 they "
        "can't be told apart."
    )
    assert said[1] == "It is settled: fence-sitters first is the best of the 2 compared there."


def test_what_was_not_seen_is_not_distinguishable_at_most():
    said = strategy_words(study(rows("score_first", (5, 10, 30, 60)), NEAR))
    assert said[0].startswith(
        "With 400 touches a week, fence-sitters first is not distinguishable from score first: at most 9 “won” more"
    )
    assert said[1] == "None of the 2 strategies compared can be told from the best there."


def test_what_differs_in_a_handful_of_leads_is_not_compared():
    few = [StrategyValue(**{**row.__dict__, "difference_lower": None, "difference_upper": None}) for row in NEAR]
    said = strategy_words(study(rows("score_first", (5, 10, 30, 60)), few))
    assert said[0].endswith("differ in too few leads, or too few outcomes among them, to be told apart.")


def test_score_first_can_be_right():
    random = rows("random", (2, 4, 10, 60), (-3, -8, -20, 0), best=False)
    said = strategy_words(study(rows("score_first", (5, 12, 30, 60)), random))
    assert said[0] == (
        "With 400 touches a week, no strategy was seen to do better than score first, which brings 8 [1, 15] “won” "
        "more than touching at random."
    )


def test_money_says_its_unit_and_where_more_touches_stop_paying():
    money = [row for of in (SCORE, FENCE) for row in of]
    money = [StrategyValue(**{**row.__dict__, "measure": "money"}) for row in money]
    stops = StopsPaying("fence_sitters_first", "call", 1_000.0, 400.0, 1_000.0)
    said = strategy_words(study(SCORE, FENCE, money, unit="EUR", costs={"call": 35.0}, stops_paying=(stops,)), "money")
    assert "EUR 11 [4, 18] after touch costs more than score first" in said[0]
    assert said[-1] == (
        "By fence-sitters first, most is surely earned with 400 touches a week or more, "
        "and surely with no more than 1,000."
    )


def test_a_strategy_has_one_colour_in_outcomes_and_in_money():
    from leadlift.report._strategies import _places, _shown

    near = rows("triage", (3, 4, 5, 6), (1, 1, 1, 1))
    money = [replace(row, measure="money", value=-(row.value or 0.0)) for of in (SCORE, FENCE, near) for row in of]
    found = study(SCORE, FENCE, near, money, unit="EUR", costs={"call": 1.0})
    outcome, paid = _shown(found, "outcome"), _shown(found, "money")
    assert list(outcome) != list(paid)
    assert {key: place for key, place in _places(found, outcome).items() if key in paid} == _places(found, paid)


def test_large_money_in_words_has_three_digits():
    large = [
        replace(row, measure="money", value=1_234_567.0 + k, difference=123_456.0, difference_upper=987_654.0)
        for k, row in enumerate(FENCE)
    ]
    score = [replace(row, measure="money") for row in SCORE]
    said = strategy_words(study(score, large, unit="EUR", costs={"call": 1.0}), "money")[0]
    assert "123,000" in said
    assert "988,000" in said


def test_a_rule_that_says_by_itself_is_not_said_to_be_by_by():
    problem = rows("by_problem", (12, 21, 41, 60), (9, 11, 9, 1), measure="money")
    score = rows("score_first", (5, 10, 30, 60), measure="money")
    stops = StopsPaying("by_problem", "call", 1_000.0, 400.0, 1_000.0)
    act = ActedOn("by_problem", "call", 40, False, "")
    found = study(score, problem, unit="EUR", costs={"call": 1.0}, stops_paying=(stops,), act=act)
    assert strategy_words(found)[-1].startswith("By problem, most is surely earned")
    assert "40 leads by problem." in " ".join(strategy_cautions(found))


def test_what_weakens_it_is_said_beside_it():
    act = ActedOn("score_first", "call", 40, False, "Acting on it ends the evidence.")
    said = " ".join(
        strategy_cautions(study(SCORE, FENCE, given=False, by_organisation=True, capacity=1_500.0, act=act))
    )
    for words in ("No capacity was given", "chooses organisations", "extrapolate", "ends the evidence"):
        assert words in said
    assumed = strategy_cautions(study(SCORE, FENCE, assume_no_spillover=True))
    assert "Assumed, not tested" in " ".join(assumed)


def test_a_strategy_without_a_value_says_why():
    none = [
        StrategyValue(**{**row.__dict__, "value": None, "message": "too few outcomes"})
        for row in rows("uplift_first", (0, 0, 0, 0))
    ]
    found = study(SCORE, FENCE, none)
    assert "uplift first: too few outcomes." in strategy_cautions(found)
    cells = all_tables(found)["strategies"].rows[2].cells
    assert cells[2:9] == ("–",) * 7
    assert cells[9] == "too few outcomes"


def test_the_figure_is_dashed_beyond_what_was_run_and_told_in_words():
    drawn = draw_figure(study(SCORE, FENCE), "strategies")
    assert "dashed: more than was ever run" in drawn.svg
    assert "stroke-dasharray" in drawn.svg
    assert "fence-sitters first 21" in drawn.alt
    with pytest.raises(ValueError, match="asks for none"):
        draw_figure(made.study(), "strategies")


def test_what_a_simulated_company_knows_is_shown_beside():
    known = rows("fence_sitters_first", (12, 21, 41, 60), (9, 11, 9, 1), truth=17.25, difference_truth=8.0)
    table = all_tables(study(SCORE, known))["strategies"]
    assert [column.title for column in table.columns][4] == "truth"
    assert [row.cells[4] for row in table.rows] == ["–", "17"]
    assert "true difference" in draw_figure(study(SCORE, known), "strategies").svg
    assert "truth" not in [column.title for column in all_tables(study(SCORE, FENCE))["strategies"].columns]
    assert "true difference" not in draw_figure(study(SCORE, FENCE), "strategies").svg


def test_the_page_holds_bounds_and_groups_to_leave_alone():
    shares = (ResponseShares("call", "persuadable", 0.02, 0.12, 0.01, 0.13),)
    groups = (
        LeaveAlone("call", "score_group", "high", 90, "harmful", -0.05, -0.01, None, None),
        LeaveAlone("call", "score_group", "low", 90, "keep", 0.01, 0.02, None, None),
    )
    page = report.html(study(SCORE, FENCE, shares=shares, leave_alone=groups))
    assert "persuadable: buys only if touched" in page
    assert "harmful" in page
    assert [row.cells[0] for row in all_tables(study(SCORE, FENCE, leave_alone=groups))["leave_alone"].rows] == [
        "score high"
    ]


def test_large_money_is_told_in_thousands():
    rich = [
        StrategyValue(
            **{
                name: value * 50_000 if name in AMOUNTS and value is not None else value
                for name, value in {**row.__dict__, "measure": "money"}.items()
            }
        )
        for row in (*SCORE, *FENCE)
    ]
    table = all_tables(study(SCORE, FENCE, rich, unit="EUR", costs={"call": 35.0}))["strategies"]
    money = dict(table.grouped)["EUR thousand after touch costs"]
    assert [row.cells[2] for row in money] == ["500", "1,050"]
    assert [row.cells[2] for row in dict(table.grouped)["“won”"]] == ["10", "21"]


def test_a_ranking_without_evidence_is_not_to_be_acted_on():
    learned = [StrategyValue(**{**row.__dict__, "method": "sequential"}) for row in NEAR]
    none = LearnerChoice("call", None, None)
    shown = strategy_cautions(replace(study(SCORE, learned), choices=(none,)))
    assert any("No learner was seen to predict the uplift of “call” better than one number" in line for line in shown)
    assert not any("No learner" in line for line in strategy_cautions(study(SCORE, learned)))


ARMS = "Mens E-Mail", "Womens E-Mail"
FREE = "uplift_first", "uplift_value_first", "by_problem"


def several(current=(5, 30, 40, 60)):
    """Two arms to choose from; the strategy in use beats touching at random by the other arm only."""
    at_random = [
        rows("random", (4, 28, 38, 60), (-1, -2, -2, 0), treatment=ARMS[0]),
        rows("random", (1, 5, 10, 20), (-4, -25, -30, -40), treatment=ARMS[1], best=False),
    ]
    score = [rows("score_first", current, treatment=ARMS[0]), rows("score_first", (1, 4, 9, 20), treatment=ARMS[1])]
    free = [rows(one, (4, 27, 39, 60), (1, -3, -1, 0), treatment=" or ".join(ARMS)) for one in FREE]
    return study(*score, *free, *at_random[::-1], current_treatment=ARMS[0])


def test_at_random_is_by_the_arm_in_use():
    assert strategy_words(several())[0] == (
        "With 400 touches a week, no strategy was seen to do better than score first (Mens E-Mail)."
    )


@pytest.mark.parametrize("narrow", [True, False])
def test_long_names_leave_room_to_draw_in(narrow):
    from leadlift.report._canvas import style
    from leadlift.report._strategies import draw

    with style():
        figure = draw(several(), narrow=narrow)
        figure.draw_without_rendering()
    width = figure.bbox.width
    for axes in figure.axes:
        assert axes.get_window_extent().width > width * (0.4 if narrow else 0.2)
        assert axes._left_title.get_window_extent().x1 <= width
    names = [label.get_window_extent() for label in figure.axes[1].get_yticklabels()]
    assert all(below.y1 <= above.y0 for below, above in itertools.pairwise(names))
    assert figure.legends[0].get_window_extent().x1 <= width


def test_an_arm_that_was_given_to_fewer_leads_than_the_capacity_is_said():
    beyond = [replace(row, extrapolates=True) for row in rows("score_first", (5, 30, 40, 60), treatment=ARMS[0])]
    other = rows("random", (1, 5, 10, 20), treatment=ARMS[1])
    said = strategy_cautions(study(beyond, other, current_treatment=ARMS[0]))
    assert any("The lot gave “Mens E-Mail” to fewer leads" in one for one in said)
