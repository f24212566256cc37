"""Each check of a ledger: broken alone it says so, and all others pass."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from leadlift.base.errors import DataError
from leadlift.data.ledger import LedgerStore, forget_organisation
from leadlift.study import check_study, design_study, run_study
from sound_logs import sound_ledger

SEED, LEADS = 3, 2_400
USED = "lead_id IN (SELECT lead_id FROM assignments WHERE NOT holdout AND NOT late {})"


@pytest.fixture(scope="session")
def sound(tmp_path_factory):
    """Makes a sound ledger of a kind once."""
    made: dict[str, Path] = {}

    def make(kind: str) -> Path:
        if kind not in made:
            made[kind] = tmp_path_factory.mktemp("sound")
            sound_ledger(made[kind], kind, SEED, LEADS)
        return made[kind]

    return make


class Place:
    """A copy of a ledger, its configuration, and ways to break them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config, self.ledger = folder / "spring.yaml", folder / "spring.duckdb"
        self.more: dict[str, Path] = {}

    def sql(self, *statements: str) -> None:
        with duckdb.connect(str(self.ledger)) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for statement in statements:
                assert connection.execute(statement).fetchall() != [(0,)], statement

    def query(self, text: str) -> pd.DataFrame:
        with duckdb.connect(str(self.ledger), read_only=True) as connection:
            return connection.sql(text).df()

    def settings(self, **changes) -> None:
        values = json.loads(self.config.read_text())
        for key, change in changes.items():
            values[key] = {**values.get(key, {}), **change}
        self.config.write_text(json.dumps(values))

    def append(self, like: pd.DataFrame, **changes) -> None:
        """Appends leads like these as one more draw, under names of their own."""
        store = LedgerStore(self.ledger)
        kept = store.read()
        frame = like.assign(lead_id="x-" + like["lead_id"], **changes).reset_index(drop=True)
        draw = kept.draws_of("spring")[-1]
        store.append(frame, replace(draw, assigned_at=draw.assigned_at), after=kept)

    def assigned(self) -> pd.DataFrame:
        return LedgerStore(self.ledger).read().assigned("spring")

    def crm(self, change) -> None:
        frame = pd.read_csv(self.folder / "crm.csv", dtype=str)
        change(frame).to_csv(self.folder / "crm.csv", index=False)
        self.more = {"received": self.folder / "crm.csv"}


def edited(place):
    place.sql("UPDATE assignments SET score = 0.99 WHERE lead_id = (SELECT min(lead_id) FROM assignments)")


def switched(place):
    some = place.assigned().drop_duplicates("unit_id").head(2)
    other = some["treatment"].map({"call": "control", "control": "call"})
    place.append(some, treatment=other, late=True)


def merged(place):
    first = place.assigned().drop_duplicates("unit_id").set_index("treatment")["organisation_id"]
    one, two = first["call"].iloc[0], first["control"].iloc[0]
    place.sql(f"INSERT INTO aliases VALUES ('{one}', '{two}', now())")


def config_changed(place):
    place.settings(experiment={"arms": {"control": {"share": 0.4}, "call": {"share": 0.6, "mechanics": ["call"]}}})


def holdout_drawn(place):
    held = place.assigned().query("holdout").drop_duplicates("unit_id").head(4)
    arms = np.resize(["control", "call", "email", "control"], len(held))
    shares = {"propensity_control": 0.4, "propensity_call": 0.35, "propensity_email": 0.25}
    place.append(held, treatment=arms, holdout=False, stratum="low", **shares)


def holdout_touched(place):
    place.sql(
        "INSERT INTO touches SELECT 'h-' || lead_id, lead_id, 'call', assigned_at + INTERVAL 2 DAY, 35.0, NULL, 1 "
        "FROM assignments WHERE holdout ORDER BY lead_id LIMIT 20"
    )


def not_shared(place):
    place.settings(experiment={"shares_with": []})


def controls_called(place):
    place.sql(
        "INSERT INTO touches SELECT 'c-' || lead_id, lead_id, 'call', assigned_at + INTERVAL 1 DAY, 35.0, NULL, 1 "
        "FROM assignments WHERE treatment = 'control' AND NOT late ORDER BY lead_id LIMIT 80"
    )


def few_calls(place):
    place.sql("DELETE FROM touches WHERE hash(lead_id) % 10 < 3")


def called_after_the_close(place):
    place.sql(
        "UPDATE touches SET touched_at = d.closed_at + INTERVAL 1 HOUR FROM deals d WHERE d.lead_id = touches.lead_id"
        " AND d.closed_at > touches.touched_at AND hash(d.lead_id) % 4 = 0"
    )


def won_before(place):
    place.sql(
        "INSERT INTO deals SELECT 'w-' || lead_id, organisation_id, NULL, lead_id, assigned_at - INTERVAL 9 DAY, true, "
        "500.0, 'EUR', NULL, 1 FROM assignments WHERE NOT late ORDER BY lead_id LIMIT 12"
    )


def deals_twice(place):
    place.sql(
        "INSERT INTO deals SELECT 'r-' || deal_id, * EXCLUDE (deal_id) FROM deals WHERE won AND lead_id IS NULL "
        "AND organisation_id IN (SELECT organisation_id FROM assignments) ORDER BY deal_id LIMIT 60"
    )


def two_currencies(place):
    place.sql("UPDATE deals SET currency = 'USD' WHERE hash(deal_id) % 9 = 0")


def imported_early(place):
    place.settings(deals={"booking_lag_days": 40})


def short_window(place):
    place.settings(experiment={"window_days": 10, "touch_days": 9})


def spring_only(place):
    # The first month's calls failed, the others were as good as they were.
    place.sql(
        "UPDATE deals SET won = false WHERE hash(deal_id) % 10 < 9 AND "
        + USED.format("AND treatment = 'call' AND batch = 1"),
    )


def crm_lost_calls(place):
    rng = np.random.default_rng(0)
    place.crm(lambda frame: frame[(frame["treatment"] != "call") | (rng.random(len(frame)) > 0.08)])


def crm_swapped(place):
    other = {"call": "control", "control": "call"}
    place.crm(
        lambda frame: frame.assign(treatment=frame["treatment"].where(frame.index > 9, frame["treatment"].map(other)))
    )


def known_later(place):
    place.sql(
        "INSERT INTO leads SELECT lead_id, version + 1, organisation_id, product, created_at, score, problem, "
        "'{\"signed\": 1.0}', known_at + INTERVAL 400 DAY, import_id FROM leads"
    )
    values = json.loads(place.config.read_text())
    values["leads"]["features"].append("signed")
    place.config.write_text(json.dumps(values))


def nothing_won(place):
    place.sql("UPDATE deals SET won = false WHERE lead_id IS NOT NULL")


def no_deals(place):
    place.sql("DELETE FROM deals", "UPDATE imports SET complete_until = NULL")


def late_calls(place):
    """Organisations that were called bring up more leads."""
    called = place.assigned().query("treatment == 'call' and not late").drop_duplicates("unit_id").head(180)
    place.append(called, late=True)


BREAKS = [
    ("edited-ledger", "hashed", edited, "stop", "was edited; restore the ledger from a copy"),
    ("arm-switch", "hashed", switched, "stop", "units in two arms: 2 of 1,"),
    ("merged-organisations", "hashed", merged, "warn", "has leads in call, control"),
    ("late-leads", "hashed", late_calls, "warn", "the arm changes how many leads come up"),
    ("design", "hashed", config_changed, "stop", "the configuration has call 0.6, control 0.4"),
    ("holdout", "three arms, holdout", holdout_drawn, "stop", "4 organisations assigned; the programme can't"),
    ("holdout", "three arms, holdout", holdout_touched, "warn", "leads, 20 of them touched"),
    ("overlap", "another experiment, CRM", not_shared, "warn", "clients in other experiments too: newsletter "),
    ("control-touched", "hashed", controls_called, "warn", "touches that controls get hide the effect"),
    ("treated-untouched", "hashed", few_calls, "warn", "the arm was not carried out: draw as many"),
    ("touch-after-close", "hashed", called_after_the_close, "warn", "log touches on the day they happen"),
    ("already-won", "hashed", won_before, "warn", "won before they were assigned: 12 of "),
    ("repeated-deals", "hashed", deals_twice, "warn", "won deals that repeat another one: 60 of "),
    ("currencies", "hashed", two_currencies, "stop", "convert the amounts before the import"),
    ("open-windows", "hashed", imported_early, "warn", "the answer is that of the earliest leads, if any"),
    ("support", "hashed", short_window, "warn", "fewer than 20 expected in an arm"),
    ("season", "hashed", spring_only, "warn", "the effect changed over time: report it by month"),
    (
        "received-missing",
        "another experiment, CRM",
        crm_lost_calls,
        "warn",
        "assigned, but not in the CRM's list: call",
    ),
    ("received-arm", "another experiment, CRM", crm_swapped, "warn", "in another arm in the CRM: 10 of 2,"),
    ("known-later", "hashed", known_later, "stop", "`signed` became known only afterwards in "),
    ("constant-outcome", "hashed", nothing_won, "stop", "check the outcome column"),
    ("open-windows", "hashed", no_deals, "warn", "(100%); the answer is that of the earliest leads, if any: wait"),
]


def failures(place):
    found = check_study(place.config, names=True, **place.more).checks
    return {check.code: (check.status, check.message) for check in found if check.status != "pass"}


@pytest.fixture
def copy(sound, tmp_path):
    def made(kind: str) -> Place:
        shutil.copytree(sound(kind), tmp_path / "place")
        return Place(tmp_path / "place")

    return made


@pytest.mark.parametrize(
    ("code", "kind", "change", "status", "words"), BREAKS, ids=lambda value: getattr(value, "__name__", None)
)
def test_a_break_is_seen_by_its_check_alone(copy, code, kind, change, status, words):
    place = copy(kind)
    change(place)
    found = failures(place)
    assert {name: result for name, (result, _) in found.items()} == {code: status}, found
    assert words in found[code][1]


@pytest.mark.parametrize("change", [edited, switched, merged])
def test_what_is_written_or_tracked_names_no_unit_and_no_lead(copy, change):
    place = copy("hashed")
    change(place)
    shown = " ".join(message for _, message in failures(place).values())
    held = place.assigned()
    identifiers = set(held["unit_id"].astype("str")) | set(held["lead_id"].astype("str"))
    words = " ".join(check.message for check in check_study(place.config).checks)
    assert any(name in shown.replace(",", " ").replace(";", " ").split() for name in identifiers)
    assert not any(name in words.replace(",", " ").replace(";", " ").split() for name in identifiers)
    assert "`leadlift check` shows examples" in words


def units_lost(share, **where):
    """Loses units of a draw before they are logged, as a faulty export would."""

    def logged(frame):
        code, names = pd.factorize(frame["unit_id"])
        chosen = (np.random.default_rng(len(frame)).random(len(names)) < share)[code]
        for name, value in where.items():
            chosen &= (frame[name].astype("str") == value).to_numpy()
        return frame[~chosen]

    return logged


def high_and_low(frame):
    return units_lost(0.34, treatment="call", stratum="high")(
        units_lost(0.34, treatment="control", stratum="low")(frame)
    )


def other_propensities(frame):
    return frame.assign(propensity_control=0.51, propensity_call=0.49)


def larger_called(frame):
    called = frame["treatment"] == "call"
    return frame.assign(employees=frame["employees"] + 0.4 * called * frame["employees"].std())


DRAWN_WRONG = [
    ("sample-ratio", "hashed", units_lost(0.22, treatment="call"), "warn", "at every look; the split is not the one"),
    ("sample-ratio-by-stratum", "hashed", high_and_low, "warn", "find what was lost or added in that stratum"),
    ("sample-ratio", "blocked", units_lost(0.02, treatment="call"), "stop", "blocks that don't add up: "),
    ("design", "hashed", other_propensities, "stop", "other propensities than call 0.5, control 0.5 in "),
    ("balance", "hashed", larger_called, "warn", "arms differ more than a lot explains"),
]


@pytest.mark.parametrize(("code", "kind", "logged", "status", "words"), DRAWN_WRONG)
def test_a_draw_that_was_logged_wrongly_is_seen_by_its_check_alone(tmp_path, code, kind, logged, status, words):
    sound_ledger(tmp_path, kind, SEED, LEADS, logged=logged)
    found = failures(Place(tmp_path))
    assert {name: result for name, (result, _) in found.items()} == {code: status}, found
    assert words in found[code][1]


@pytest.mark.parametrize("kind", ["hashed", "blocked", "capped", "leads drawn", "three arms, holdout"])
def test_sound_ledgers_pass(sound, kind):
    assert failures(Place(sound(kind))) == {}


def test_another_frozen_design_stops(copy):
    place = copy("hashed")
    place.settings(plan={"baseline": 0.15, "leads_per_week": 100, "rho": 0.0})
    folder = place.folder / "designs" / "spring"
    design_study(place.config, out=folder)
    found = failures(place)
    assert {name: status for name, (status, _) in found.items()} == {"design": "stop"}
    assert "was made from design" in found["design"][1]
    path = folder / "design.json"
    path.write_text(path.read_text().replace('"share": 0.5', '"share": 0.6'))
    assert "was edited after it was frozen" in failures(place)["design-edited"][1]


def test_an_experiment_without_assignments_is_nothing_to_check(copy):
    place = copy("hashed")
    values = json.loads(place.config.read_text())
    place.config.write_text(json.dumps({**values, "name": "autumn"}))
    with pytest.raises(DataError, match=r"\[no-assignments\]"):
        check_study(place.config)


@pytest.mark.parametrize("kept", ["assignments", "studies"])
def test_assignments_that_were_removed_are_not_assigned_anew(copy, kept):
    place = copy("hashed")
    if kept == "assignments":
        place.sql("DELETE FROM batches")
    else:
        noted = "INSERT INTO studies SELECT 'r', experiment, 'd', digest, '[1]', '[]', appended_at FROM batches"
        place.sql(noted, "DELETE FROM batches", "DELETE FROM assignments")
    assert [(check.code, check.status) for check in check_study(place.config).checks] == [("edited-ledger", "stop")]


def test_what_was_erased_on_request_is_said(copy):
    place = copy("hashed")
    ((client, rows),) = place.query(
        "SELECT organisation_id, count(*) FROM assignments GROUP BY ALL ORDER BY ALL LIMIT 1"
    ).to_numpy()
    forget_organisation(place.ledger, client)
    said = next(check for check in check_study(place.config).checks if check.code == "edited-ledger")
    assert (said.status, said.message.endswith(f"; {rows} of them erased on request")) == ("pass", True)


def test_a_study_of_the_ledger_has_the_same_checks(copy, monkeypatch):
    place = copy("hashed")
    controls_called(place)
    monkeypatch.chdir(place.folder)
    place.settings(tracking={"uri": "sqlite:///runs.db"})
    place.settings(score_groups={})
    values = json.loads(place.config.read_text())
    place.config.write_text(json.dumps({**values, "learners": ["t"]}))
    result = run_study(place.config)
    assert result.checks == check_study(place.config).checks
    assert {check.code for check in result.checks if check.status != "pass"} == {"control-touched"}
    edited(place)
    stopped = run_study(place.config)
    assert stopped.stopped
    assert stopped.effects == ()
