"""Who is drawn, who is late, who is held out; strata that stay; other experiments."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from leadlift.base.errors import ConfigError, DataError
from leadlift.data import DrawInfo, KeptAssignments
from leadlift.design import Assignment
from small_lists import NOTHING, NOW, THREE, TWO, drawn, experiment, leads, newcomers

HOLDOUT = {"share": 0.2, "until": "2027-06-30"}


@dataclass(frozen=True)
class InMemory(KeptAssignments):
    """Draws kept in memory: what a draw asks of its past does not depend on where that is."""

    frames: tuple[pd.DataFrame, ...] = field(default=())

    def leads(self, name: str) -> pd.DataFrame:
        parts = [f for d, f in zip(self.draws, self.frames, strict=True) if d.experiment == name]
        return pd.concat(parts, ignore_index=True) if parts else NOTHING.leads(name)

    def organisations(self, name: str) -> pd.DataFrame:
        until = self.draws_of(name)[0].holdout_until
        frame = self.leads(name)[["organisation_id", "holdout"]].drop_duplicates("organisation_id")
        return frame.assign(holdout_until=until)


def kept(*assignments: Assignment) -> InMemory:
    infos: tuple[DrawInfo, ...] = tuple(a.info for a in assignments)
    return InMemory(infos, (), tuple(a.frame for a in assignments))


def units(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop_duplicates("unit_id").set_index("unit_id").sort_index()


def words(error, call) -> str:
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


def test_the_table_has_the_columns_of_the_contract() -> None:
    frame = drawn(leads(), experiment(strata=["score_group", "problem"], holdout=HOLDOUT)).frame
    assert list(frame.columns) == [
        *("experiment", "round", "lead_id", "organisation_id", "unit_id", "stratum", "score", "score_group", "problem"),
        *("treatment", "propensity_control", "propensity_call", "propensity_holdout", "holdout", "late"),
        *("policy", "design_digest", "assigned_at"),
    ]
    assert (frame["propensity_holdout"] == 0.2).all()
    assert frame["lead_id"].iloc[0] == "0000"
    assert str(frame["assigned_at"].dtype) == "datetime64[us, UTC]"


def test_organisations_stay_whole() -> None:
    frame = drawn(leads(200), experiment()).frame
    per_organisation = frame.groupby("organisation_id")[["treatment", "stratum", "unit_id"]].nunique()
    assert (per_organisation == 1).all(axis=None)
    assert frame["treatment"].nunique() == 2


def test_the_stratum_is_the_highest_group_and_the_main_problem() -> None:
    frame = pd.DataFrame(
        {
            "lead_id": list("abcdef"),
            "organisation_id": ["x", "x", "x", "y", "y", "z"],
            "score": [0.1, 0.7, 0.2, 0.1, 0.2, 0.5],
            "problem": ["data", "people", "people", "people", "data", None],
        }
    )
    found = units(drawn(frame, experiment(strata=["score_group", "problem"])).frame)
    assert found["stratum"].astype("str").to_dict() == {"x": "high/people", "y": "low/data", "z": "high/unknown"}


def test_held_out_organisations_have_no_arm_and_propensity_zero() -> None:
    frame = drawn(leads(200), experiment(holdout=HOLDOUT)).frame
    held = frame[frame["holdout"]]
    assert 0.1 < len(units(held)) / 200 < 0.3
    assert held["treatment"].isna().all()
    assert (held[["propensity_control", "propensity_call"]] == 0).all(axis=None)
    assert frame.loc[~frame["holdout"], "propensity_call"].eq(0.4).all()


def test_every_experiment_holds_out_the_same_organisations() -> None:
    one = drawn(leads(200), experiment("one", holdout=HOLDOUT)).frame
    other = drawn(leads(200), experiment("other", holdout=HOLDOUT, mode="blocked")).frame
    assert one["holdout"].tolist() == other["holdout"].tolist()
    assert one["treatment"].tolist() != other["treatment"].tolist()


@pytest.mark.parametrize("lot", [{}, {"mode": "blocked"}, {"capacity": {"call": 60}}, {"unit": "lead"}])
def test_row_order_changes_nothing(lot) -> None:
    frame = leads(120)
    one = drawn(frame, experiment(holdout=HOLDOUT, **lot)).frame
    other = drawn(frame.sample(frac=1.0, random_state=5), experiment(holdout=HOLDOUT, **lot)).frame
    columns = ["lead_id", "stratum", "treatment", "holdout", "propensity_call"]
    texts = [f[columns].astype({"stratum": "str", "treatment": "str"}) for f in (one, other)]
    pd.testing.assert_frame_equal(texts[0], texts[1].sort_values("lead_id", ignore_index=True))


@pytest.mark.parametrize("unit", ["organisation", "lead"])
def test_old_assignments_stay_when_ten_times_as_many_arrive_shuffled(unit) -> None:
    small = leads(500)
    grown = leads(5000, seed=1).assign(lead_id=lambda f: "new-" + f["lead_id"])
    grown["organisation_id"] = grown["organisation_id"] + "-new"
    everyone = pd.concat([small, grown]).sample(frac=1.0, random_state=1)
    config = experiment(unit=unit, holdout=HOLDOUT, arms=THREE)
    before = drawn(small, config).frame.set_index("lead_id")
    after = drawn(everyone, config).frame.set_index("lead_id").loc[before.index]
    assert after["treatment"].tolist() == before["treatment"].tolist()
    assert after["holdout"].tolist() == before["holdout"].tolist()


def test_late_leads_inherit_and_old_ones_are_not_drawn_again() -> None:
    config = experiment(holdout=HOLDOUT)
    first = drawn(leads(40), config)
    more = pd.DataFrame(
        {
            "lead_id": ["L1", "L2"],
            "organisation_id": ["org-3", "new"],
            "score": [0.99, 0.99],
            "problem": ["data", "data"],
        }
    )
    second = drawn(pd.concat([leads(40), more]), config, kept(first))
    assert second.frame["lead_id"].tolist() == ["L2", "L1"]
    unit = units(first.frame).loc["org-3"]
    late = second.frame.set_index("lead_id").loc["L1"]
    for name in ("stratum", "propensity_call", "propensity_control", "holdout"):
        assert late[name] == unit[name]
    assert late["treatment"] == unit["treatment"] or pd.isna(unit["treatment"])
    assert second.frame["late"].tolist() == [False, True]
    assert second.result.rows.dropped == {"already assigned": len(leads(40))}
    assert second.result.draw == 2
    assert drawn(pd.concat([leads(40), more]), config, kept(first, second)).frame.empty


def test_quantile_cuts_are_those_of_the_first_draw() -> None:
    config = experiment()
    config = config.model_copy(
        update={"score_groups": config.score_groups.model_copy(update={"cuts": None, "quantiles": [0.5]})}
    )
    first = drawn(leads(100), config)
    later = leads(50, seed=9).assign(lead_id=lambda f: "b" + f["lead_id"], organisation_id="b", score=0.001)
    second = drawn(later, config, kept(first))
    assert second.result.score_cuts == first.result.score_cuts
    assert set(second.frame["stratum"]) == {"low"}


def test_leads_created_later_wait() -> None:
    frame = leads(20).assign(created_at="2026-01-01T00:00:00Z")
    frame.loc[:2, "created_at"] = "2026-04-01T00:00:00+02:00"
    config = experiment()
    config = config.model_copy(update={"leads": config.leads.model_copy(update={"created_at": "created_at"})})
    done = drawn(frame, config)
    assert done.result.rows.dropped == {"not created yet": 3}
    assert len(done.frame) == len(frame) - 3


def test_leads_stand_for_themselves_without_an_organisation_column() -> None:
    frame = drawn(leads().drop(columns="organisation_id"), experiment(unit="lead")).frame
    assert frame["organisation_id"].tolist() == frame["lead_id"].tolist() == frame["unit_id"].tolist()


def test_identifiers_are_the_same_from_numbers_and_text() -> None:
    frame = leads(30)
    as_numbers = frame.assign(
        lead_id=np.arange(len(frame)), organisation_id=frame["organisation_id"].str[4:].astype(float)
    )
    as_text = as_numbers.assign(
        lead_id=as_numbers["lead_id"].astype("str"), organisation_id=frame["organisation_id"].str[4:]
    )
    one, other = (drawn(f, experiment()).frame for f in (as_numbers, as_text))
    assert one["treatment"].tolist() == other["treatment"].tolist()
    assert one["organisation_id"].tolist() == other["organisation_id"].tolist()


# --- capacity


def test_a_cap_is_kept_and_logged() -> None:
    config = experiment(arms=THREE, mode="blocked", capacity={"call": 40})
    done = drawn(leads(150), config)
    use = done.result.capacity
    assert (done.frame["treatment"] == "call").sum() == use.assigned <= 40
    assert use.scale < 1
    total = done.frame[["propensity_control", "propensity_call", "propensity_mail"]].sum(axis=1)
    assert np.abs(total - 1).max() < 1e-12
    assert use.expected == pytest.approx(done.frame["propensity_call"].sum())
    ratio = done.frame["propensity_control"] / done.frame["propensity_mail"]
    assert np.abs(ratio - 5 / 3).max() < 1e-9


def test_late_leads_use_capacity_first_and_old_units_keep_their_arm() -> None:
    config = experiment(capacity={"call": 40})
    first = drawn(leads(150), config)
    called = first.frame.loc[first.frame["treatment"] == "call", "organisation_id"].unique()[:6]
    late = pd.DataFrame({"lead_id": [f"L{k}" for k in range(6)], "organisation_id": called, "score": 0.3})
    new = newcomers(80, 4)
    second = drawn(pd.concat([late, new]), config, kept(first))
    assert second.result.capacity.late == 6
    assert (second.frame["treatment"] == "call").sum() == second.result.capacity.assigned <= 40
    assert second.frame.loc[second.frame["late"], "treatment"].eq("call").all()
    many = pd.concat([late.assign(lead_id=lambda f, k=k: f["lead_id"] + str(k)) for k in range(7)])
    text = words(DataError, lambda: drawn(pd.concat([many, new]), config, kept(first)))
    assert "42 late leads of earlier units in call leave 0 of 40" in text


def test_late_leads_over_the_capacity_are_said_where_nobody_is_new() -> None:
    config = experiment(capacity={"call": 40})
    first = drawn(leads(150), config)
    called = first.frame.loc[first.frame["treatment"] == "call", "organisation_id"].iloc[0]
    late = pd.DataFrame({"lead_id": [f"L{k}" for k in range(41)], "organisation_id": called, "score": 0.3})
    assert "41 late leads took over call, over its capacity of 40" in drawn(late, config, kept(first)).result.notes[0]


def test_a_holdout_that_is_over_stops() -> None:
    later = pd.Timestamp("2027-06-30T00:00:00Z")
    text = words(ConfigError, lambda: drawn(leads(), experiment(holdout=HOLDOUT), now=later))
    assert "it ended on 2027-06-30" in text


# --- other experiments


def test_excluded_organisations_are_left_out_and_shared_ones_drawn() -> None:
    first = drawn(leads(100), experiment("winter", holdout=HOLDOUT))
    wide = pd.concat([leads(100), leads(20, 3).assign(organisation_id="new", lead_id=lambda f: "n" + f["lead_id"])])
    apart = drawn(wide, experiment("spring", holdout=HOLDOUT, excludes=["winter"]), kept(first))
    drawn_now = set(apart.frame.loc[~apart.frame["holdout"], "organisation_id"])
    assert drawn_now == {"new"}
    assert apart.result.rows.dropped["in winter"] == int((~first.frame["holdout"]).sum())
    both = drawn(wide, experiment("spring", holdout=HOLDOUT, shares_with=["winter"]), kept(first))
    assert len(both.frame) == len(wide)


def test_undeclared_overlap_stops() -> None:
    first = drawn(leads(100), experiment("winter"))
    text = words(DataError, lambda: drawn(leads(100), experiment("spring"), kept(first)))
    assert "100 of 100 new organisations are in winter too" in text
    assert "`excludes: [winter]`" in text


def test_a_shared_salt_stops() -> None:
    first = drawn(leads(100), experiment("winter"))
    config = experiment("spring", shares_with=["winter"], salt="winter")
    assert "winter drew by `winter` too" in words(DataError, lambda: drawn(leads(100), config, kept(first)))


def test_another_experiments_holdout_is_left_alone_until_it_ends() -> None:
    first = drawn(leads(100), experiment("winter", holdout=HOLDOUT))
    config = experiment("spring", shares_with=["winter"])
    held = int(first.frame["holdout"].sum())
    assert drawn(leads(100), config, kept(first)).result.rows.dropped == {"held out by winter": held}
    over = drawn(leads(100), config, kept(first), now=pd.Timestamp("2027-07-01T00:00:00Z"))
    assert over.result.rows.dropped == {}


def test_another_experiments_holdout_is_left_alone_also_where_it_was_not_met_yet() -> None:
    first = drawn(leads(10), experiment("winter", holdout=HOLDOUT))
    config = experiment("spring", shares_with=["winter"])
    apart = drawn(leads(300), config, kept(first))
    all_held = drawn(leads(300), experiment("winter", holdout=HOLDOUT)).frame
    held = set(all_held.loc[all_held["holdout"], "organisation_id"])
    assert len(held) > 40
    assert not held & set(apart.frame["organisation_id"])
    assert set(apart.frame["organisation_id"]) | held == set(all_held["organisation_id"])
    assert apart.result.rows.dropped["held out by winter"] == int(all_held["holdout"].sum())
    over = drawn(leads(300), config, kept(first), now=pd.Timestamp("2027-06-30T00:00:00Z"))
    assert over.result.rows.dropped == {}


def test_a_holdout_that_another_experiment_may_touch_is_said() -> None:
    first = drawn(leads(100), experiment("winter"))
    config = experiment("spring", holdout=HOLDOUT, excludes=["winter"])
    second = drawn(leads(100), config, kept(first))
    held = int(second.frame["holdout"].groupby(second.frame["organisation_id"]).max().sum())
    assert held > 5
    assert second.result.notes == (f"organisations held out here that are in winter, which may touch them: {held}",)


def test_a_salt_of_another_experiments_holdout_stops() -> None:
    first = drawn(leads(100), experiment("winter", holdout=HOLDOUT))
    config = experiment("spring", shares_with=["winter"], salt="holdout")
    assert "arms would follow its holdout" in words(DataError, lambda: drawn(leads(100), config, kept(first)))
    config = experiment("spring", shares_with=["winter"], holdout={**HOLDOUT, "salt": "winter"})
    assert "this holdout would follow its arms" in words(DataError, lambda: drawn(leads(100), config, kept(first)))


def test_an_unknown_neighbour_is_noted() -> None:
    first = drawn(leads(100), experiment("winter"))
    done = drawn(leads(100), experiment("spring", shares_with=["winter"], excludes=["winters"]), kept(first))
    assert "`excludes` names winters" in done.result.notes[0]
    assert "did you mean `winter`?" in done.result.notes[0]


# --- one design per round


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"arms": {"control": {"share": 0.5}, "call": {"share": 0.5}}}, "arms"),
        ({"mode": "blocked"}, "mode"),
        ({"salt": "other"}, "salt"),
        ({"holdout": HOLDOUT}, "holdout"),
        ({"cuts": (0.4,)}, "score_groups"),
    ],
)
def test_a_round_keeps_its_design(change, key) -> None:
    first = drawn(leads(), experiment())
    text = words(ConfigError, lambda: drawn(leads(), experiment(**change), kept(first)))
    assert f"since draw 1: {key} changed" in text


def test_the_next_round_may_have_other_shares_but_no_other_strata() -> None:
    first = drawn(leads(), experiment())
    new = newcomers(30, 8)
    late = pd.DataFrame({"lead_id": ["L"], "organisation_id": ["org-1"], "score": [0.2]})
    second = drawn(pd.concat([new, late]), experiment(arms=THREE, round=2), kept(first))
    assert second.frame["round"].eq(2).all()
    assert second.info.arms == ("control", "call", "mail")
    row = second.frame.set_index("lead_id").loc["L"]
    assert (row["propensity_control"], row["propensity_call"], row["propensity_mail"]) == (0.6, 0.4, 0.0)
    third = drawn(
        late.assign(lead_id="M", organisation_id="n8-org-1"), experiment(arms=TWO, round=3), kept(first, second)
    )
    assert "propensity_mail" in third.frame
    text = words(ConfigError, lambda: drawn(new, experiment(unit="lead", round=2), kept(first)))
    assert "units and strata stay through all rounds" in text


def test_a_round_that_was_followed_is_over() -> None:
    first = drawn(leads(), experiment())
    second = drawn(newcomers(30, 8), experiment(arms=THREE, round=2), kept(first))
    text = words(ConfigError, lambda: drawn(newcomers(30, 9), experiment(), kept(first, second)))
    assert "round 1 after round 2" in text
    assert "go on with `round: 2`" in text


def test_a_design_frozen_anew_within_a_round_is_said() -> None:
    first = drawn(leads(), experiment(), digest="aaaa")
    again = drawn(newcomers(30, 8), experiment(), kept(first), digest="bbbb")
    assert again.result.notes == ("the design was frozen anew: the draw before was made under aaaa, this one is bbbb",)
    assert drawn(newcomers(30, 8), experiment(), kept(first), digest="aaaa").result.notes == ()
    assert drawn(newcomers(30, 8), experiment(arms=THREE, round=2), kept(first), digest="bbbb").result.notes == ()


def test_a_hashed_stratum_of_one_is_said() -> None:
    list_of_three = pd.DataFrame(
        {"lead_id": ["1", "2", "3"], "organisation_id": ["a", "b", "c"], "score": [0.1, 0.2, 0.9]}
    )
    found = drawn(list_of_three, experiment(cuts=(0.5,)))
    assert found.result.notes == ("one unit so far in high: nothing can be compared there until more arrive",)
    later = list_of_three.assign(lead_id=["4", "5", "6"], organisation_id=["d", "e", "f"], score=[0.1, 0.2, 0.9])
    assert drawn(later, experiment(cuts=(0.5,)), kept(found)).result.notes == ()


def test_capacity_may_change_from_draw_to_draw() -> None:
    first = drawn(leads(), experiment(capacity={"call": 20}))
    new = newcomers(30, 8)
    assert drawn(new, experiment(capacity={"call": 30}), kept(first)).result.capacity.capacity == 30


def test_the_present_time_is_utc() -> None:
    assert drawn(leads(), experiment()).result.assigned_at == NOW.isoformat()
