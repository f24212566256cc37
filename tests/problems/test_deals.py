import numpy as np
import pandas as pd
import pytest

from leadlift.base.errors import DataError
from leadlift.problems import DealColumns, read_deals


def deals(rows=60, **changes):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "organisation_id": [f"o{i}" for i in rng.integers(12, size=rows)],
            "product": [f"p{j}" for j in rng.integers(5, size=rows)],
            "closed_at": pd.date_range("2026-01-01", periods=rows, freq="D", tz="UTC"),
            "won": rng.random(rows) < 0.7,
            "amount": rng.uniform(1, 9, rows).round(2),
        }
    )
    return frame.assign(**changes)


def said(frame, **arguments):
    with pytest.raises(DataError) as stopped:
        read_deals(frame, **arguments)
    return str(stopped.value)


def test_rows_add_up_and_pairs_count_once():
    frame = deals()
    table = read_deals(frame, as_of="2026-02-10")
    kept = frame[frame["won"] & (frame["closed_at"] < "2026-02-10")]
    assert table.account.used == len(kept)
    assert dict(table.account.dropped) == {
        "lost": (~frame["won"]).sum(),
        "after_as_of": table.account.dropped["after_as_of"],
    }
    pairs = kept.groupby(["organisation_id", "product"])["closed_at"].min()
    assert table.matrix.nnz == len(pairs)
    row = np.repeat(np.arange(len(table.organisations)), np.diff(table.matrix.indptr))
    first = pd.Series(
        pd.to_datetime(table.first_day, unit="D", utc=True),
        pd.MultiIndex.from_arrays([table.organisations[row], table.products[table.matrix.indices]]),
    )
    assert (first.sort_index().to_numpy() == pairs.sort_index().to_numpy()).all()


def test_a_deal_known_only_later_is_left_out():
    frame = deals(known_at=lambda f: f["closed_at"])
    frame.loc[3, ["won", "known_at"]] = [True, pd.Timestamp("2027-01-01", tz="UTC")]
    before = read_deals(frame, as_of="2026-03-15").account
    assert before.dropped["after_as_of"] == 1


def test_no_organisations():
    words = said(deals(organisation_id=None))
    assert "no-names" in words
    assert "no_organisation 60" in words


def test_some_without_an_organisation_are_counted():
    frame = deals(won=True)
    frame.loc[:4, "organisation_id"] = None
    assert read_deals(frame).account.dropped == {"no_organisation": 5}


@pytest.mark.parametrize("column", ["organisation_id", "product"])
def test_only_one(column):
    words = said(deals(**{column: "the only one"}))
    assert f"one-{column.removesuffix('_id')}" in words


def test_all_after_the_date():
    assert "after_as_of" in said(deals(), as_of="2025-01-01")


def test_all_lost():
    assert "deals lost show no problem" in said(deals(won=False))


def test_negative_amounts_are_refused_or_dropped():
    frame = deals(won=True)
    frame.loc[:6, "amount"] = -5.0
    words = said(frame)
    assert "negative-amount" in words
    assert "7 of 60 rows" in words
    assert read_deals(frame, returns="drop").account.dropped == {"return": 7}


def test_names_that_differ_by_case_or_blanks_are_told_and_kept():
    frame = deals(won=True)
    frame.loc[0, "product"], frame.loc[1, "product"] = "P1", " p1 "
    table = read_deals(frame)
    (check,) = (one for one in table.checks if one.code == "product-names")
    assert check.status == "warn"
    assert "`P1`" in check.message
    assert {"P1", "p1", " p1 "} <= set(table.products)


def test_organisations_alike_are_counted_and_never_named():
    frame = deals(won=True)
    frame.loc[:1, "organisation_id"] = [" o7", "O7"]
    check = next(check for check in read_deals(frame).checks if check.code == "organisation-names")
    assert (check.status, check.value) == ("warn", 3)
    assert "o7" not in check.message.lower()


@pytest.mark.parametrize("column", ["organisation_id", "product"])
def test_many_rows_that_name_none_are_told(column):
    frame = deals(won=True)
    frame.loc[:11, column] = None
    (told,) = [check for check in read_deals(frame).checks if check.status == "warn"]
    assert "12 of 60 rows (20%) name no" in told.message


def test_amounts_that_cannot_be_read_are_not_taken_for_sales():
    frame = deals(won=True, amount=[f"EUR {'-' if i % 3 else ''}5" for i in range(60)])
    words = said(frame)
    assert "60 of 60 rows" in words
    assert "`amount: null`" in words
    assert len(read_deals(frame, DealColumns(amount=None)).organisations) == 12
    assert read_deals(deals(won=True, amount=None)).account.used == 60


def test_a_column_that_is_not_there_is_named_with_the_nearest():
    words = said(deals().rename(columns={"product": "produkt"}))
    assert "did you mean `produkt`?" in words
    words = said(deals().rename(columns={"organisation_id": "kunde"}))
    assert "`organisation: NAME`; there are kunde, product" in words


def test_times_and_outcomes_that_cannot_be_read():
    words = said(deals(closed_at="soon", won="maybe"))
    assert "[won]" in words
    words = said(deals(closed_at="soon", won=True))
    assert "[closed-at]" in words


def test_numbers_as_identifiers():
    frame = deals(organisation_id=lambda f: f["organisation_id"].str[1:].astype(float), won=True)
    assert "7" in set(read_deals(frame).organisations)


def test_own_names_of_columns():
    frame = deals(won=True).rename(columns={"organisation_id": "client", "closed_at": "day"})
    columns = DealColumns(organisation="client", closed_at="day", won=None, amount=None)
    assert len(read_deals(frame, columns).organisations) == 12


def test_without_rows():
    assert "0 rows" in said(deals().head(0))
