"""The AssignmentLog: labels, outcomes, row account, order, digests."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadlift.base.errors import DataError, PropensityError
from leadlift.base.records import RowAccount
from leadlift.data import AssignmentLog, read_table
from small_logs import COLUMNS, small_log


def log_of(frame, **names) -> AssignmentLog:
    return AssignmentLog.from_frame(frame, **{**COLUMNS, **names})


def labelled(none, call) -> pd.DataFrame:
    frame = small_log(80)
    frame["arm"] = frame["arm"].map({"none": none, "call": call})
    return frame


@pytest.mark.parametrize(
    ("control", "treated", "wanted"),
    [
        ("No", "Yes", ("No", "Yes")),
        ("None", "NA", ("None", "NA")),
        ("", "call", None),
        (0, 1, ("0", "1")),
        (0.0, 1.0, ("0", "1")),
        (False, True, ("False", "True")),
        ("false", "TRUE", ("False", "True")),
        ("007", "7", ("007", "7")),
        ("1.0", "1.10", ("1", "1.10")),
    ],
)
@pytest.mark.parametrize("through", ["frame", "csv", "parquet"])
def test_arm_labels_are_text(control, treated, wanted, through, tmp_path):
    frame = labelled(control, treated)
    if through != "frame":
        path = tmp_path / f"log.{through}"
        frame.to_csv(path, index=False) if through == "csv" else frame.to_parquet(path)
        frame = read_table(path, ["arm"])
    shares = {control: 0.5, treated: 0.5}
    if wanted is None:
        if through == "csv":
            with pytest.raises(DataError, match=r"\[arm-missing\]"):
                log_of(frame, control=control, propensity=shares)
        return
    log = log_of(frame, control=control, propensity=shares)
    assert log.arms == wanted
    assert log.arm_counts == dict.fromkeys(wanted, 40)
    assert log.digest == log_of(labelled(*wanted), control=wanted[0], propensity=dict.fromkeys(wanted, 0.5)).digest


def test_identifiers_keep_leading_zeros_and_case():
    frame = small_log(80)
    frame.loc[0, "id"] = "a1"
    frame.loc[1, "id"] = "A1"
    log = log_of(frame, lead_id="id", organisation="client")
    assert {"00002", "00079", "a1", "A1"} <= set(log.lead_id)
    assert log.lead_id.tolist() == sorted(log.lead_id)


@pytest.mark.parametrize(
    ("words", "positive", "kind"),
    [
        (("no", "yes"), None, "binary"),
        (("No", "YES"), None, "binary"),
        (("lost", "won"), None, "binary"),
        ((False, True), None, "binary"),
        ((0.0, 1.0), None, "binary"),
        (("0", "1"), None, "binary"),
        (("left", "bought"), "bought", "binary"),
        ((3, 7), 7, "binary"),
        ((False, True), True, "binary"),
        ((0, 4), None, "count"),
        ((0.0, 4.5), None, "money"),
        ((-2, 4), None, "money"),
        (("0", "4.5"), None, "money"),
    ],
)
def test_outcomes(words, positive, kind):
    frame = small_log(80)
    won = frame["won"].to_numpy()
    frame["won"] = frame["won"].map(dict(enumerate(words)))
    log = log_of(frame, positive=positive)
    assert log.outcome_kind == kind
    values = [0.0, 1.0] if kind == "binary" else [float(word) for word in words]
    np.testing.assert_array_equal(log.outcome, np.take(values, won[log.position]))


def test_rows_without_an_outcome_or_a_score_are_counted_by_arm():
    frame = small_log(100)
    frame.loc[frame["arm"] == "call", "won"] = frame["won"].where(frame.index % 3 > 0)
    frame.loc[[1, 2], "score"] = np.nan
    frame = pd.concat([frame, frame.iloc[[0, 0]]], ignore_index=True)
    without = int(frame["won"][:100].isna().sum())
    log = log_of(frame, lead_id="id", score="score")
    unscored = int((frame["won"].notna() & frame["score"].isna()).sum())
    assert log.account == RowAccount(102, 100 - without - unscored, dict(log.account.dropped))
    assert log.account.dropped == {
        "duplicate_row": 2,
        "missing_outcome": without,
        **({"missing_score": unscored} if unscored else {}),
    }
    assert log.loss_by_arm["none"] == (int(frame["score"][:100][frame["arm"] == "none"].isna().sum()), 50)
    assert sum(lost for lost, _ in log.loss_by_arm.values()) == without + unscored
    assert unscored > 0


def test_exact_copies_are_leads_of_their_own_where_there_is_no_identifier():
    frame = pd.concat([small_log(80), small_log(80).head(10)])
    assert len(log_of(frame)) == 90
    assert log_of(frame, lead_id="id").account == RowAccount(90, 80, {"duplicate_row": 10})


def test_the_row_account_must_add_up():
    log = log_of(small_log(80))
    with pytest.raises(ValueError, match="the row account says 79 rows, the log holds 80"):
        AssignmentLog(**{**vars(log), "account": RowAccount(79, 79)})


def test_without_organisations_each_lead_is_its_own():
    log = log_of(small_log(80))
    assert not log.organisations_given
    assert log.n_organisations == 80
    assert sorted(log.organisation) == list(range(80))
    given = log_of(small_log(80), organisation="client")
    assert given.organisations_given
    assert given.n_organisations == 16


@pytest.mark.parametrize("roles", [{}, {"lead_id": "id"}, {"organisation": "client"}, {"stratum": "channel"}])
def test_the_order_of_rows_changes_nothing(roles):
    frame = pd.concat([small_log(80), small_log(80).head(9)], ignore_index=True)
    if "lead_id" not in roles:
        frame["won"] = frame["won"].where(frame.index != 4)
    shuffled = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    one, two = log_of(frame, score="score", **roles), log_of(shuffled, score="score", **roles)
    for name in ("arm", "outcome", "score", "organisation", "stratum", "cell", "propensities"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    pd.testing.assert_frame_equal(one.features, two.features)
    assert one.digest == two.digest
    assert one.design_digest == two.design_digest
    assert frame["size"].to_numpy()[one.position].tolist() == one.features["size"].tolist()
    assert shuffled["size"].to_numpy()[two.position].tolist() == two.features["size"].tolist()


def test_features_are_all_other_columns_less_those_that_know_too_much():
    frame = small_log(400)
    frame["bought"] = frame["won"].map({1: "yes", 0: "no"})
    frame["called_at"] = np.where(frame["arm"] == "call", "9:30", None)
    log = log_of(frame, features=None, lead_id="id", organisation="client", score="score")
    assert list(log.features) == ["size", "channel"]
    assert log.left_out == {
        "bought": "settles the outcome",
        "called_at": "differs between arms more than a lot allows",
    }
    assert list(log.known_before) == ["size", "channel", "score"]


def test_two_columns_without_repeats_are_no_copies_of_each_other():
    """Both tell every row apart; only the same numbers are a copy."""
    rng = np.random.default_rng(0)
    frame = small_log(80).assign(won=rng.lognormal(size=80), size=rng.normal(size=80))
    assert len(log_of(frame)) == 80
    frame["size"] = 3 * frame["won"] - 1
    with pytest.raises(DataError, match="`size` says the same as the outcome"):
        log_of(frame)


def test_a_label_in_few_rows_is_no_copy_by_chance():
    assert len(log_of(small_log(8).assign(won=[0, 1] * 4, channel=["a", "b"] * 4))) == 8


def test_with_score():
    log = log_of(small_log(80))
    scored = log.with_score(np.linspace(0, 1, 80))
    assert log.score is None
    assert scored.score_source == "given"
    with pytest.raises(DataError, match=r"shape \(79,\), 0 not finite"):
        log.with_score(np.zeros(79))
    with pytest.raises(DataError, match=r"shape \(80,\), 1 not finite"):
        log.with_score(np.r_[np.nan, np.zeros(79)])


def test_contrast_and_names():
    frame = small_log(90, arms=("none", "call", "sms"))
    log = log_of(frame, propensity=dict.fromkeys(("none", "call", "sms"), 1 / 3))
    assert log.arms == ("none", "call", "sms")
    assert log.treated_arms == ("call", "sms")
    contrast = log.contrast("sms")
    assert [(contrast == code).sum() for code in (0, 1, -1)] == [30, 30, 30]
    assert repr(log) == "AssignmentLog(90 leads; none 30, call 30, sms 30; outcome won (binary))"


def test_times_are_days_in_their_zone():
    frame = small_log(40)
    frame["seen"] = pd.Timestamp("2026-03-01 12:00")
    days = log_of(frame, features=["seen"]).features["seen"]
    early = log_of(frame, features=["seen"], timezone="Europe/Berlin").features["seen"]
    np.testing.assert_allclose(days - early, 1 / 24)
    assert days[0] == (pd.Timestamp("2026-03-01 12:00") - pd.Timestamp(0)) / pd.Timedelta(days=1)


def test_durations_are_no_features():
    frame = small_log(40).assign(wait=pd.Timedelta(hours=3))
    with pytest.raises(DataError, match=r"\[feature-type\].*\n    `wait` holds something else"):
        log_of(frame, features=["wait"])


def test_the_kind_of_error_is_that_of_what_is_wrong():
    with pytest.raises(PropensityError):
        log_of(small_log(40), propensity={"none": 0.5, "call": 0.4})
    with pytest.raises(DataError) as both:
        log_of(small_log(40).assign(won=1), propensity={"none": 0.5, "call": 0.4})
    assert not isinstance(both.value, PropensityError)


def test_identifiers_are_kept_to_the_letter() -> None:
    frame = small_log(400)
    frame["id"] = ["1.0", "1", "TRUE", "True", *frame["id"][4:]]
    log = AssignmentLog.from_frame(
        frame, treatment="arm", control="none", propensity={"none": 0.5, "call": 0.5}, outcome="won", lead_id="id"
    )
    turned = AssignmentLog.from_frame(
        frame[::-1], treatment="arm", control="none", propensity={"none": 0.5, "call": 0.5}, outcome="won", lead_id="id"
    )
    assert log.lead_id is not None
    assert {"1.0", "1", "TRUE", "True"} <= set(log.lead_id)
    assert (log.outcome == turned.outcome).all()


@pytest.mark.parametrize("word", ["NA", "null", "nan", " "])
def test_a_word_for_nothing_is_no_organisation(word: str) -> None:
    frame = small_log(400)
    frame.loc[:99, "client"] = word
    with pytest.raises(DataError, match=r"`client`: none in 100 of 400 rows \(25%\)"):
        AssignmentLog.from_frame(
            frame,
            treatment="arm",
            control="none",
            propensity={"none": 0.5, "call": 0.5},
            outcome="won",
            organisation="client",
        )


def test_numbers_too_large_to_square_are_refused() -> None:
    frame = small_log(400).assign(amount=1.5)
    frame.loc[3, "amount"] = 1e300
    with pytest.raises(DataError, match=r"`amount`: larger in 1 of 400 rows"):
        AssignmentLog.from_frame(
            frame, treatment="arm", control="none", propensity={"none": 0.5, "call": 0.5}, outcome="amount"
        )
