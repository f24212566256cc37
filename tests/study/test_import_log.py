"""From the ledger to the AssignmentLog: each deal once, closed windows only, nothing that became known later."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from import_files import filled, frame, lot, workspace

from leadlift.base.errors import DataError
from leadlift.data import make_world, six_group_assignment
from leadlift.data.ledger import verify_ledger
from leadlift.study import simulate_crm

LEADS = """
    lead_id organisation_id product created_at size
    a       A               crm     01-01      1
    b       A               erp     01-02      2
    c       B               crm     01-03      3
    d       B               -       01-04      4
    e       C               crm     01-05      5
    f       D               crm     01-06      6
"""
LOT = """
    lead_id organisation_id treatment
    a       A               call
    b       A               call
    c       B               control
    d       B               control
    e       C               call
    f       D               control
"""
DEALS = """
    deal_id organisation_id product lead_id closed_at won amount
    1       A               crm     a       02-01     yes 100
    2       B               crm     c       02-02     no  50
    9       X               crm     -       05-20     yes 1
"""


def words(call, error=DataError):
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


@pytest.fixture
def small(tmp_path):
    place = workspace(tmp_path, features=["size"])
    place.put("leads", frame(LEADS))
    place.assign(lot(LOT))
    return place


def outcomes(found, column="converted"):
    return dict(zip(found.leads["lead_id"], found.leads[column], strict=True))


def test_the_log_equals_the_simulators_own(tmp_path):
    crm = simulate_crm(leads=20_000, seed=3)
    found = filled(tmp_path, crm).log()
    log, own = found.log, crm.log
    assert log.account == own.account
    assert log.arm_counts == own.arm_counts
    np.testing.assert_array_equal(log.lead_id, own.lead_id)
    for name in ("arm", "outcome", "value", "cost", "score", "propensities", "organisation", "stratum"):
        np.testing.assert_array_equal(getattr(log, name), getattr(own, name), err_msg=name)
    pd.testing.assert_frame_equal(log.features, own.features)
    assert (log.digest, log.design_digest) == (own.digest, own.design_digest)
    touched = crm.flat.set_index("lead_id")["touched"].loc[log.lead_id.tolist()]
    np.testing.assert_array_equal(found.leads["touched"], touched)
    assert found.chain_head == verify_ledger(tmp_path / "calls.duckdb").head
    assert (found.booking_lag_days, found.merged) == (5.0, ())


def test_units_that_are_leads(tmp_path):
    crm = simulate_crm(leads=3_000, seed=4, unit="lead")
    assert filled(tmp_path, crm, unit="lead").log().log.digest == crm.log.digest


@pytest.mark.parametrize("days", [60, 93, 95, 120])
def test_windows_are_open_until_their_deals_are_booked(tmp_path, days):
    world = make_world(leads=2_000, seed=5)
    assigned = six_group_assignment(world)
    until = world.today + pd.Timedelta(days=days)
    seen = world.observe(assigned, until=until)
    place = workspace(tmp_path, features=world.features, more="deals: {booking_lag_days: 5}")
    place.put("leads", world.leads)
    place.assign(assigned)
    place.put("touches", seen.touches)
    place.put("deals", seen.deals, complete_until=until.isoformat())
    late, is_open = seen.outcomes["late"], seen.outcomes["open"]
    kept = seen.outcomes[~late & ~is_open].sort_values("lead_id")
    if days < 95:
        assert "[all-open] some leads have a closed window\n    1,900 of 2,000 leads" in words(place.log)
        return
    found = place.log()
    np.testing.assert_array_equal(found.log.outcome, kept["converted"])
    assert found.log.account.dropped == {"late_lead": int(late.sum())}


def test_some_windows_are_open(small):
    later = lot("lead_id organisation_id treatment\n g E call\n h F control")
    small.assign(later.assign(assigned_at=later["assigned_at"] + pd.Timedelta(days=50)))
    small.put("deals", frame(DEALS))
    found = small.log()
    assert found.log.account.dropped == {"open_window": 2}
    assert found.cut_off == pd.Timestamp("2026-05-20T12:00:00Z")
    # 90 days after 10 January is 10 April; a lag of 41 days leaves the 9th.
    set_lag(small, 40)
    assert len(small.log().log) == 6
    set_lag(small, 41)
    assert "[all-open]" in words(small.log)


def set_lag(place, days):
    text = place.config.read_text()
    place.config.write_text(text.split("deals:")[0] + f"deals: {{booking_lag_days: {days}}}\n")


@pytest.mark.parametrize("unlinked", [0.0, 0.3, 1.0])
def test_a_deal_counts_once(tmp_path, unlinked):
    crm = simulate_crm(leads=3_000, seed=6, leads_per_organisation=4.0, unlinked_share=unlinked, other_deals=0.5)
    place = filled(tmp_path, crm)
    found = place.log()
    deals = crm.tables["deals"]
    assert found.deals.read == len(deals)
    assert found.log.outcome.sum() == pytest.approx(found.deals.used, abs=1e-9)
    assert found.deals.dropped["lost"] == (~deals["won"]).sum()
    with duckdb.connect(str(place.ledger), read_only=True) as connection:
        assert connection.execute("SELECT count(*), sum(amount) FROM deals").fetchall()[0] == pytest.approx(
            (len(deals), deals["amount"].sum())
        )
    named = deals[deals["won"] & deals["lead_id"].isin(found.log.lead_id)]
    assert found.log.outcome.sum() >= 0.8 * len(named)


def test_deals_without_a_lead_are_split_among_leads_of_the_product(small):
    small.put(
        "deals",
        frame(
            """
            deal_id organisation_id product lead_id closed_at won amount
            1       A               crm     -       02-01     yes 100
            2       A               -       -       02-02     yes 60
            3       B               crm     -       02-03     yes 40
            4       B               erp     -       02-04     yes 30
            5       C               erp     -       02-05     yes 7
            6       E               crm     -       02-05     yes 5
            9       X               crm     -       05-20     yes 1
            """
        ),
    )
    found = small.log()
    # 1: the lead about crm. 2: both. 3: the lead about crm and that of an unknown product. 4: the latter. 5: none.
    assert outcomes(found) == {"a": 1.5, "b": 0.5, "c": 0.5, "d": 1.5, "e": 0.0, "f": 0.0}
    assert outcomes(found, "revenue") == {"a": 130.0, "b": 30.0, "c": 20.0, "d": 50.0, "e": 0.0, "f": 0.0}
    assert (found.deals.read, found.deals.used, dict(found.deals.dropped)) == (7, 4, {"no_lead": 3})


def test_deals_count_within_the_window_only(small):
    small.put(
        "deals",
        frame(
            """
            deal_id organisation_id product lead_id closed_at won amount
            1       A               crm     a       01-09     yes 1
            2       A               crm     b       01-10     yes 2
            3       B               crm     c       04-09     yes 4
            4       B               crm     d       04-10     yes 8
            5       C               crm     -       04-10     yes 16
            6       C               crm     -       01-09     yes 32
            7       D               crm     f       02-01     yes 64
            8       D               crm     f       02-02     yes 128
            9       X               crm     -       05-20     yes 1
            """
        ),
    )
    found = small.log()
    assert outcomes(found, "revenue") == {"a": 0.0, "b": 2.0, "c": 4.0, "d": 0.0, "e": 0.0, "f": 192.0}
    assert outcomes(found)["f"] == 2.0
    assert dict(found.deals.dropped) == {"no_lead": 3, "outside_window": 2}


def test_leads_on_their_own_need_their_deals(tmp_path):
    place = workspace(tmp_path, unit="lead")
    place.put("leads", frame(LEADS))
    place.assign(lot(LOT))
    place.put("deals", frame(DEALS + "\n 3 B crm - 02-02 yes 5"))
    text = words(place.log)
    assert "[deal-without-lead] with `unit: lead`, every deal says which lead it is of" in text
    assert "1 of 2 rows" in text


def test_late_and_held_out_leads_are_counted_not_used(small):
    more = """
        lead_id organisation_id treatment late holdout
        g       A               call      yes  no
        h       E               -         no   yes
        i       E               -         yes  yes
    """
    small.assign(lot(more).assign(propensity_control=[0.5, 0, 0], propensity_call=[0.5, 0, 0]))
    small.put("deals", frame(DEALS + "\n 3 A crm g 02-02 yes 5\n 4 E crm h 02-02 yes 5\n 5 A crm - 02-03 yes 8"))
    found = small.log()
    assert found.log.account.dropped == {"holdout": 2, "late_lead": 1}
    assert found.log.account.read == 9
    # A deal without a lead belongs to the leads that were drawn, not to the late one.
    assert outcomes(found)["a"] == 2.0
    assert dict(found.deals.dropped) == {"holdout": 1, "late_lead": 1, "lost": 1, "no_lead": 1}


def test_who_was_touched_and_at_what_cost(small):
    touches = """
        touch_id lead_id mechanic touched_at cost
        1        a       call     01-20      10
        2        a       call     04-01      5
        3        a       call     05-01      99
        4        b       email    01-20      1
        5        c       call     01-24      2
        6        e       call     01-09      50
        7        f       call     01-23      4
    """
    small.put("touches", frame(touches))
    small.put("deals", frame(DEALS))
    found = small.log()
    assert outcomes(found, "touched") == {"a": True, "b": False, "c": False, "d": False, "e": False, "f": True}
    assert outcomes(found, "cost") == {"a": 15.0, "b": 1.0, "c": 2.0, "d": 0.0, "e": 0.0, "f": 4.0}


def test_features_are_those_known_at_the_assignment(small):
    versions = frame(
        "lead_id organisation_id product created_at size known_at\n a A crm 01-01 7 01-09\n b A erp 01-02 9 02-01"
    )
    small.put("leads", versions)
    small.put("leads", frame(LEADS).assign(size=1000), now=pd.Timestamp("2026-03-01T00:00:00Z"))
    small.put("deals", frame(DEALS))
    assert small.log().log.features["size"].tolist() == [7.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_a_feature_known_only_later_is_refused_by_name(small):
    small.put("leads", frame(LEADS).assign(budget=5), now=pd.Timestamp("2026-03-01T00:00:00Z"))
    small.put("deals", frame(DEALS))
    small.config.write_text(small.config.read_text().replace("[size]", "[size, budget]"))
    small.put("leads", frame(LEADS).assign(budget=5), now=pd.Timestamp("2026-03-01T00:00:00Z"))
    text = words(small.log)
    assert "[known-later] a feature was known when its lead was assigned" in text
    assert "`budget` became known only afterwards in 6 of 6 rows (100%), e.g. lead a" in text
    assert "take `budget` out of `leads.features`" in text


def test_a_lead_known_only_later_brings_no_feature(tmp_path):
    place = workspace(tmp_path, features=["size"])
    known = ["01-01", "01-02", "01-03", "01-11", "01-05", "01-06"]
    place.put("leads", frame(LEADS).assign(known_at=[f"2026-{day}T00:00:00Z" for day in known], score=0.5))
    place.assign(lot(LOT))
    place.put("deals", frame(DEALS))
    text = words(place.log)
    assert "`size` became known only afterwards in 1 of 6 rows" in text
    assert "`score` became known only afterwards in 1 of 6 rows" in text
    assert "e.g. lead d" in text


def test_what_was_logged_with_the_assignment_comes_first(tmp_path):
    place = workspace(tmp_path, features=["size", "region"])
    place.put("leads", frame(LEADS).assign(region="north"))
    place.assign(lot(LOT).assign(size=[10.0, 20.0, 30.0, 40.0, 50.0, None]))
    place.put("deals", frame(DEALS))
    log = place.log().log
    assert log.features["size"].fillna(-1).tolist() == [10.0, 20.0, 30.0, 40.0, 50.0, -1.0]
    assert set(log.features["region"]) == {"north"}


def test_a_missing_feature_is_named_with_the_nearest(small):
    small.put("deals", frame(DEALS))
    small.config.write_text(small.config.read_text().replace("[size]", "[sizes]"))
    assert "did you mean `size`?" in words(small.log)


def test_features_that_nobody_named(tmp_path):
    place = workspace(tmp_path)
    place.put("leads", frame(LEADS).assign(since="2025-03-01T00:00:00Z", member=[True, False] * 3))
    place.assign(lot(LOT))
    place.put("deals", frame(DEALS))
    features = place.log().log.features
    assert sorted(features.columns) == ["member", "since", "size"]
    assert features["since"].iloc[0] == (pd.Timestamp("2025-03-01") - pd.Timestamp(0)).days


@pytest.mark.parametrize("name", ["revenue", "cost", "touched", "converted", "treatment", "lead_id x"])
def test_a_feature_may_be_called_like_a_column_of_ours(tmp_path, name):
    place = workspace(tmp_path, features=[name])
    place.put("leads", frame(LEADS).rename(columns={"size": name}))
    place.assign(lot(LOT))
    place.put("deals", frame(DEALS))
    log = place.log().log
    assert log.features[name].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert log.outcome.tolist() == [1.0, 0, 0, 0, 0, 0]


def test_merged_organisations_are_one_cluster_and_reported(small):
    small.put("aliases", pd.DataFrame({"alias": ["B"], "organisation_id": ["A"]}))
    small.put("deals", frame(DEALS + "\n 3 A erp - 02-03 yes 8"))
    found = small.log()
    assert found.log.n_organisations == 3
    assert found.merged == ("calls: merged organisation A has leads in call, control",)
    # Lead d, of an unknown product, is now the client's as well.
    assert outcomes(found)["b"] == outcomes(found)["d"] == 0.5


@pytest.mark.parametrize(
    ("value", "expected"),
    [("{column: amount}", [100.0, 0, 0, 0, 0, 0]), ("{per_outcome: 12}", [12.0, 0, 0, 0, 0, 0])],
)
def test_what_an_outcome_is_worth(small, value, expected):
    small.put("deals", frame(DEALS))
    small.config.write_text(small.config.read_text().replace("{column: amount}", value))
    assert small.log().log.value.tolist() == expected


def test_money_as_the_outcome(small):
    small.put("deals", frame(DEALS))
    assert small.log(outcome="revenue").log.outcome.tolist() == [100.0, 0, 0, 0, 0, 0]


def test_the_order_of_rows_and_files_changes_nothing(tmp_path):
    crm = simulate_crm(leads=500, seed=8, unlinked_share=0.5, leads_per_organisation=5.0)
    digests = []
    for turn in range(2):
        folder = tmp_path / str(turn)
        folder.mkdir()
        place = workspace(folder, features=crm.world.features)
        shuffled = {name: table.sample(frac=1, random_state=turn) for name, table in crm.tables.items()}
        place.put("leads", shuffled["leads"])
        place.assign(shuffled["assignments"])
        for table in ("touches", "deals"):
            half = len(shuffled[table]) // 2
            place.put(table, shuffled[table].iloc[:half])
            place.put(table, shuffled[table].iloc[half:])
        digests.append(place.log().log.digest)
    assert digests[0] == digests[1]


def test_a_ledger_without_this_experiment_or_without_deals(small):
    assert "[no-deals] deals were imported" in words(small.log)
    small.config.write_text(small.config.read_text().replace("name: calls", "name: mails"))
    text = words(small.log)
    assert "[no-assignments]" in text
    assert "none in `mails`; the ledger holds calls" in text


def test_deals_that_are_not_all_leave_windows_open(small):
    small.put("deals", frame(DEALS), partial=True)
    assert "[no-deals]" in words(small.log)
    small.put("deals", frame(DEALS))
    assert len(small.log().log) == 6


def test_the_ledger_is_free_while_the_log_is_used(small):
    small.put("deals", frame(DEALS))
    found = small.log()
    with duckdb.connect(str(small.ledger)) as connection:
        connection.execute("DELETE FROM deals")
    assert found.log.outcome.sum() == 1.0
