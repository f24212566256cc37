"""A list to act on: who is on it, why, and that no spreadsheet executes it."""

import numpy as np
import pandas as pd
import pytest

from leadlift.base.errors import ConfigError, DataError
from leadlift.base.strategies import DecideConfig
from leadlift.decide import Bant, Leads, Random, ScoreFirst, UpliftFirst, act_list, ask, named_strategies

# What the columns of the IT-services deals say, in the words of their file.
SALVIRT = Bant(
    columns={"budget": "Budgt_alloc", "authority": "Authority", "need": "Needs_def"},
    weights={"need": 2.0},
    words={
        "Authority": {"Low": 0, "Mid": 0.5, "High": 1},
        "Needs_def": {"Yes": 1, "Info gathering": 0.5, "Poor": 0, "No": 0},
    },
)


def leads(n=6, **more):
    score = np.array([0.1, 0.5, 0.3, 0.9, 0.7, 0.2])[:n]
    return Leads(pd.DataFrame(index=range(n)), score, (0.2, 0.6), more.pop("arms", ("call",)), **more)


def test_the_first_come_first_with_a_reason():
    found = act_list(leads(), ScoreFirst(), 2, lead_id=list("abcdef"))
    assert found.to_dict("list") == {
        "place": [1, 2],
        "lead_id": ["d", "e"],
        "touch": ["call", "call"],
        "reason": ["score first: 0.9", "score first: 0.7"],
    }


def test_each_lead_by_the_arm_that_moves_it_most():
    uplift = np.array([[0.1, 0.0], [0.0, 0.3], [0.2, 0.1], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    found = act_list(leads(arms=("call", "gift"), uplift=uplift), UpliftFirst(), 3)
    assert found[["lead_id", "touch"]].values.tolist() == [[1, "gift"], [2, "call"], [0, "call"]]
    with pytest.raises(ConfigError, match="there are call, gift"):
        act_list(leads(arms=("call", "gift")), ScoreFirst(), 3)


def test_organisations_are_touched_whole_as_long_as_they_fit():
    found = act_list(leads(), ScoreFirst(), 3, organisation=["x", "y", "x", "y", "z", "z"])
    # Means: y 0.7, z 0.45, x 0.2; y and z together are four leads.
    assert sorted(found["lead_id"]) == [1, 3]


def test_equals_are_drawn_and_the_draw_can_be_repeated():
    one, same, other = (act_list(leads(), Random(), 3, seed=seed)["lead_id"].tolist() for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_no_spreadsheet_executes_it():
    found = act_list(leads(), ScoreFirst(), 2, lead_id=["", "", "", "=cmd()", "+49 30", ""])
    assert found["lead_id"].tolist() == ["'=cmd()", "'+49 30"]


def test_more_touches_than_leads_are_refused():
    with pytest.raises(ConfigError, match="7 touches for 6 leads"):
        act_list(leads(), ScoreFirst(), 7)


def test_leads_without_an_organisation_are_refused_where_organisations_are_touched_whole():
    with pytest.raises(DataError, match=r"2 of 6 .*have none"):
        act_list(leads(), ScoreFirst(), 3, organisation=["x", None, "x", "y", np.nan, "z"])


def test_deals_that_were_not_drawn_are_ranked_but_are_no_evidence(real_data):
    deals = pd.read_parquet(real_data("salvirt_b2b.parquet"))
    with pytest.raises(DataError, match=r"without arms and probabilities(.|\n)*a list can still be ranked"):
        ask(deals, [SALVIRT], DecideConfig())
    found = act_list(deals, SALVIRT, 50)
    assert len(found) == 50
    assert found["reason"].str.startswith("bant: ").all()
    top = deals.iloc[found["lead_id"].to_numpy()]
    assert (top["Needs_def"] == "Yes").mean() > (deals["Needs_def"] == "Yes").mean()
    with pytest.raises(DataError, match="every word in `Source`"):
        act_list(deals, Bant({"authority": "Authority", "need": "Source"}), 5)


def test_names_make_strategies_for_lists_too():
    found = act_list(pd.DataFrame({"s": [0.1, 0.9]}), named_strategies(["score_first"])[0], 1, score="s")
    assert found["lead_id"].tolist() == [1]
