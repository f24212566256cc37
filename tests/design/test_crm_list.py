"""The CRM's list: nothing in it is executed, numbers stay numbers."""

import csv
import io

import pandas as pd
import pytest

from leadlift.base.errors import ConfigError
from leadlift.design import CrmMapping, changed_cells, crm_list
from leadlift.design.crm_list import harmless, safe_cells
from small_lists import drawn, experiment, leads


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1-1",
        "-2+3",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        " =1",
        '"=1',
        "＝1",
        "＋1",
        "-cmd|' /C calc'!A0",
        "+49 30 1",
    ],
)
def test_what_a_spreadsheet_computes_gets_an_apostrophe(cell: str) -> None:
    assert harmless(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["org-1", "a = b", "ann@example.org", "-12", "+3.5", "-1e-5", "1+1", "", "'=1", "—"])
def test_other_cells_stay(cell: str) -> None:
    assert harmless(cell) == cell


def test_formulas_behind_a_character_that_ends_a_cell_elsewhere() -> None:
    assert harmless("a;=1") == "a;'=1"
    assert harmless("a,b\n@x") == "a,b\n'@x"
    assert harmless("\t=1") == "'\t'=1"
    assert harmless("a|-2; b") == "a|'-2; b"


def test_numbers_stay_numbers_and_missing_cells_empty() -> None:
    frame = pd.DataFrame({"n": [-1.5, 2.0], "k": [-3, 4], "t": ["=x", None], "b": [True, False]})
    text = pd.DataFrame({name: safe_cells(frame[name]) for name in frame}).to_csv(index=False)
    assert text.splitlines() == ["n,k,t,b", "-1.5,-3,'=x,True", "2.0,4,,False"]


def test_no_cell_of_a_written_list_begins_a_formula() -> None:
    frame = leads(40)
    frame["lead_id"] = ["=L", "+L", "-L", "@L", "\tL"] * (len(frame) // 5) + ["-7"] * (len(frame) % 5)
    frame["lead_id"] = frame["lead_id"] + frame.index.astype("str")
    frame["organisation_id"] = "=" + frame["organisation_id"]
    assigned = drawn(frame, experiment(holdout={"share": 0.2, "until": "2027-01-01"})).frame
    table = crm_list(assigned, CrmMapping())
    rows = list(csv.reader(io.StringIO(table.to_csv(index=False))))
    assert len(rows) == len(frame) + 1
    assert [cell for row in rows for cell in row if cell[:1] in "=+-@\t\r" and not cell.lstrip("-").isdigit()] == [
        ""
    ] * 0
    assert set(table["treatment"]) == {"control", "call", "holdout"}
    assert changed_cells(assigned, table, CrmMapping().columns) >= len(frame)


def test_a_mapping_names_columns_and_chooses_arms() -> None:
    assigned = drawn(leads(60), experiment()).frame
    mapping = CrmMapping(columns={"Id": "lead_id", "=Arm": "treatment", "p": "propensity_call"}, arms=["call"])
    table = crm_list(assigned, mapping)
    assert list(table.columns) == ["Id", "'=Arm", "p"]
    assert set(table["'=Arm"]) == {"call"}
    assert table["p"].eq(0.4).all()


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(ConfigError, match="did you mean `lead_id`"):
        crm_list(drawn(leads(), experiment()).frame, CrmMapping(columns={"Id": "leadid"}))
