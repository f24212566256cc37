"""Whatever frame or file a log comes in, it is the same log."""

from __future__ import annotations

import codecs
import gzip
from datetime import date
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from leadlift.base.errors import DataError
from leadlift.data import AssignmentLog, read_table
from leadlift.data.door import to_pandas
from small_logs import small_log

NAMES = {
    "treatment": "arm",
    "control": "none",
    "propensity": {"none": "p_none", "call": "p_call"},
    "outcome": "won",
    "features": ["size", "channel", "seen", "vip", "orders"],
    "lead_id": "id",
    "organisation": "client",
    "score": "score",
    "stratum": "region",
    "value": "worth",
    "cost": "cost",
}


def rich_log() -> pd.DataFrame:
    """A log with every kind of column: text, numbers with gaps, booleans with gaps, dates, decimal shares."""
    rng = np.random.default_rng(3)
    frame = small_log(120)
    frame["p_none"] = frame["p_call"] = 0.5
    frame["region"] = rng.choice(["north", "south"], size=120)
    frame["worth"] = (frame["won"] * rng.lognormal(5, 1, size=120)).round(2)
    frame["cost"] = np.where(frame["arm"] == "call", 35.5, 0.0)
    frame["seen"] = pd.Timestamp("2026-01-05 10:30:00") + pd.to_timedelta(rng.integers(0, 50, 120), unit="D")
    frame["vip"] = pd.array(rng.random(120) < 0.3, dtype="boolean")
    frame["orders"] = pd.array(rng.integers(0, 9, 120), dtype="Int64")
    frame.loc[3, "vip"] = frame.loc[4, "orders"] = pd.NA
    frame.loc[5, "size"], frame.loc[6, "channel"], frame.loc[7, "won"] = np.nan, None, np.nan
    frame["won"] = frame["won"].astype("Int64")
    return frame


def lazy(frame):
    return pl.from_pandas(frame).lazy()


def relation(frame):
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return duckdb.connect().from_arrow(table)


FRAMES = {
    "pandas": lambda frame: frame,
    "pandas objects": lambda frame: frame.astype(object).where(frame.notna(), None),
    "pandas on Arrow": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    "pandas categories": lambda frame: frame.astype({"arm": "category", "channel": "category", "client": "category"}),
    "pandas with an index": lambda frame: frame.set_index(np.arange(120)[::-1] * 7),
    "polars": pl.from_pandas,
    "lazy polars": lazy,
    "arrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "duckdb": relation,
    "columns in another order": lambda frame: frame[frame.columns[::-1]],
}


@pytest.fixture(scope="module")
def wanted() -> AssignmentLog:
    return AssignmentLog.from_frame(rich_log(), **NAMES)


def same(log: AssignmentLog, wanted: AssignmentLog) -> None:
    assert log.digest == wanted.digest
    assert log.design_digest == wanted.design_digest
    assert log.arms == wanted.arms
    assert log.account == wanted.account
    assert log.lead_id.tolist() == wanted.lead_id.tolist()
    pd.testing.assert_frame_equal(log.features, wanted.features)
    for name in ("arm", "propensities", "outcome", "organisation", "stratum", "cell", "score", "value", "cost"):
        np.testing.assert_array_equal(getattr(log, name), getattr(wanted, name))


@pytest.mark.parametrize("kind", FRAMES)
def test_every_kind_of_frame_gives_the_same_log(kind, wanted):
    same(AssignmentLog.from_frame(FRAMES[kind](rich_log()), **NAMES), wanted)


@pytest.mark.parametrize("kind", ["log.csv", "log.csv.gz", "log.parquet", "log.tsv"])
def test_every_kind_of_file_gives_the_same_log(kind, wanted, tmp_path):
    path = tmp_path / kind
    frame = rich_log()
    if kind.endswith("parquet"):
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if kind.endswith("tsv") else ",")
    same(AssignmentLog.from_frame(read_table(path, ["arm", "id", "client", "region"]), **NAMES), wanted)


def test_the_digest_tells_logs_apart(wanted):
    for column, value in (("won", 1 - rich_log()["won"]), ("size", 1.0), ("client", "c"), ("p_call", 0.4)):
        changed = rich_log().assign(**{column: value})
        if column == "p_call":
            changed["p_none"] = 0.6
        assert AssignmentLog.from_frame(changed, **NAMES).digest != wanted.digest
    swapped = rich_log().rename(columns={"size": "cost", "cost": "size"})
    assert AssignmentLog.from_frame(swapped, **NAMES).digest != wanted.digest


def test_a_feature_named_like_a_part_of_the_log_takes_part_in_order_and_digest():
    frame = small_log(60).rename(columns={"arm": "lot", "size": "arm", "won": "sold", "channel": "outcome"})
    names = {"treatment": "lot", "control": "none", "propensity": {"none": 0.5, "call": 0.5}, "outcome": "sold"}
    frame["score"] = 0.5
    first = AssignmentLog.from_frame(frame, features=["arm", "outcome", "score"], **names)
    again = AssignmentLog.from_frame(
        frame.sample(frac=1, random_state=0), features=["arm", "outcome", "score"], **names
    )
    pd.testing.assert_frame_equal(first.features, again.features)
    other = AssignmentLog.from_frame(frame.assign(arm=0.0), features=["arm", "outcome", "score"], **names)
    assert first.digest == again.digest != other.digest


def test_objects_come_in_as_what_they_are():
    frame = to_pandas(
        pd.DataFrame(
            {
                "flag": pd.Series([True, None, False], dtype=object),
                "price": [Decimal("1.50"), None, Decimal(2)],
                "whole": pd.Series([1, None, 3], dtype=object),
                "day": [date(2026, 1, 5), None, date(2026, 1, 6)],
                "bytes": [b"web", None, b"phone"],
                "tags": [["a"], None, ["b"]],
                7: ["x", "y", "z"],
            }
        )
    )
    assert [str(frame[name].dtype) for name in ("flag", "price", "whole")] == ["boolean", "float64", "Int64"]
    assert pd.api.types.is_datetime64_any_dtype(frame["day"].dtype)
    assert frame["bytes"].dropna().tolist() == ["web", "phone"]
    assert frame["tags"].dropna().tolist() == ["['a']", "['b']"]
    assert "7" in frame.columns


@pytest.mark.parametrize("frame", [[1, 2], {"a": [1]}, "log.csv", np.zeros((2, 2)), None])
def test_what_is_no_frame_is_refused(frame):
    with pytest.raises(DataError, match="pandas, Polars or Arrow frame or a DuckDB relation\n    found something else"):
        to_pandas(frame)


def test_two_columns_of_one_name_are_refused():
    frame = pd.concat([small_log(40), small_log(40)[["size"]]], axis=1)
    with pytest.raises(DataError, match=r"\[repeated-column\] column names differ\n    size more than once"):
        AssignmentLog.from_frame(frame, **{**NAMES, "features": ["size"]})


TEXT = small_log(60).assign(channel=lambda d: d["channel"].replace("fair", "Zürich, Messe")).to_csv(index=False)
SEMICOLONS = small_log(60).to_csv(index=False, sep=";", decimal=",")
PLAIN = {key: NAMES[key] for key in ("treatment", "control", "outcome", "lead_id", "organisation", "score")} | {
    "propensity": {"none": 0.5, "call": 0.5},
    "features": ["size", "channel"],
}
ENCODED = {
    "byte-order mark": codecs.BOM_UTF8 + TEXT.encode(),
    "UTF-16": TEXT.encode("utf-16"),
    "UTF-16, big end first": codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    "UTF-16 without a mark": TEXT.encode("utf-16-le"),
    "Windows-1252": TEXT.encode("cp1252"),
    "CRLF": TEXT.replace("\n", "\r\n").encode(),
    "old Mac": TEXT.replace("\n", "\r").encode(),
    "blank lines": ("\n" + TEXT.replace("\n", "\n\n")).encode(),
    "gzip": gzip.compress(TEXT.encode()),
}


def log_of(path, content: bytes, **names) -> AssignmentLog:
    path.write_bytes(content)
    identifiers = ["arm", "id", "client"]
    return AssignmentLog.from_frame(read_table(path, identifiers), **{**PLAIN, **names})


@pytest.mark.parametrize("kind", ENCODED)
def test_encodings(kind, tmp_path):
    wanted = log_of(tmp_path / "plain.csv", TEXT.encode())
    assert set(wanted.features["channel"]) == {"web", "phone", "Zürich, Messe"}
    assert log_of(tmp_path / "log.csv", ENCODED[kind]).digest == wanted.digest


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_separators_and_decimal_commas(separator, tmp_path):
    wanted = log_of(tmp_path / "plain.csv", small_log(60).to_csv(index=False).encode())
    text = small_log(60).to_csv(index=False, sep=separator, decimal=",")
    assert log_of(tmp_path / "log.csv", text.encode()).digest == wanted.digest


def test_quoted_newlines_quotes_and_separators_stay_in_their_field(tmp_path):
    frame = small_log(60)
    frame.loc[0, "channel"] = 'a "b",\nc'
    log = log_of(tmp_path / "log.csv", frame.to_csv(index=False).encode())
    assert 'a "b",\nc' in set(log.features["channel"])
    assert len(log) == 60


def test_a_newline_in_the_header(tmp_path):
    text = small_log(60).rename(columns={"size": "size\nin m2"}).to_csv(index=False)
    log = log_of(tmp_path / "log.csv", text.encode(), features=["size\nin m2"])
    assert list(log.features) == ["size\nin m2"]


def test_thousands_are_not_guessed(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("a;b\n1,5;1.234\n2,5;2.345\n")
    with pytest.raises(OSError, match=r"`b` holds numbers such as 1\.234 while other columns have decimal commas"):
        read_table(path)
    path.write_text("a;b\n1,5;1.234,5\n2,5;2.345\n")
    assert read_table(path)["b"].tolist() == [1234.5, 2345.0]


def test_a_parquet_file_keeps_what_pandas_had_as_its_index(tmp_path):
    path = tmp_path / "log.parquet"
    small_log(60).set_index("id").to_parquet(path)
    assert read_table(path)["id"].tolist() == small_log(60)["id"].tolist()
    small_log(60).sample(frac=1).to_parquet(path)
    assert list(read_table(path)) == list(small_log(60))


def test_numbers_are_read_to_the_last_bit(tmp_path):
    values = np.random.default_rng(0).normal(size=2000) * 10.0 ** np.random.default_rng(1).integers(-9, 9, 2000)
    path = tmp_path / "log.csv"
    pd.DataFrame({"x": values}).to_csv(path, index=False)
    assert read_table(path)["x"].tolist() == values.tolist()
