"""`leadlift check` on the command line."""

import json

import numpy as np
import pandas as pd

from small_logs import small_log

DATA = {"lead_id": "id", "score": "score"}


def test_a_sound_log_passes(leadlift, study):
    ended = leadlift("check", study(small_log(2_000), **DATA))
    assert ended.code == 0, ended.err
    assert "study: can this log be trusted?" in ended.out
    assert "11 of 11 checks passed." in ended.out


def test_a_broken_split_stops_and_says_why(leadlift, study):
    frame = small_log(2_000)
    ended = leadlift("check", study(frame[(frame["arm"] == "none") | (np.arange(2_000) % 4 > 0)], **DATA))
    assert ended.code == 1
    assert "sample-ratio" in ended.out
    assert "10 of 11 checks passed; 1 stops it: mend that first." in ended.out
    assert ended.err == ""


def test_the_record(leadlift, study):
    ended = leadlift("check", study(small_log(2_000), lead_id="id"), "--json")
    values = json.loads(ended.out)
    assert (values["study"], values["source"]) == ("study", "log")
    assert {check["code"]: check["status"] for check in values["checks"] if check["status"] != "pass"} == {
        "score": "warn"
    }
    assert ended.code == 0


def test_a_log_that_makes_no_study_stops_with_its_reasons(leadlift, study):
    frame = small_log(400)
    again = frame.head(3).assign(arm=frame["arm"].head(3).map({"none": "call", "call": "none"}))
    frame = pd.concat([frame, again], ignore_index=True)
    ended = leadlift("check", study(frame, **DATA), "--json")
    assert ended.code == 1
    (stop,) = json.loads(ended.out)["checks"]
    assert (stop["code"], stop["status"]) == ("arm-switch", "stop")
    assert "leads in different arms: 6 of 403 rows (1.5%); keep each lead's first assignment" in stop["message"]


def test_a_list_of_the_crm_needs_a_ledger(leadlift, study):
    ended = leadlift("check", study(), "--received", "list.csv")
    assert ended.code == 1
    assert "the CRM's list is compared with a ledger" in ended.err
