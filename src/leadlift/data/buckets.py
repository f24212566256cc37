"""The lot's buckets in SQL, for millions of identifiers; the design room has the same in plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from leadlift.base.arrays import Column, Floats

# From here on starting DuckDB costs less than a loop.
MANY = 50_000
# The first thirteen hexadecimal digits are 52 bits: a double holds them exactly.
BUCKET_SQL = "('0x' || substr(md5({salt} || ':' || {id}), 1, 13))::BIGINT / 4503599627370496"


def sql_buckets(ids: Column, salt: str) -> Floats:
    """Each identifier's place on the line from 0 to 1, by DuckDB.

    Args:
        ids: identifiers as text, shape (n,), none missing.
        salt: names the lot.

    Returns:
        Uniform in [0, 1), shape (n,), the same to the last bit as `leadlift.design.buckets`.

    >>> import pandas as pd
    >>> [round(float(bucket), 6) for bucket in sql_buckets(pd.Series(["org-1", "org-2"]), "spring-calls")]
    [0.654364, 0.368827]
    """
    return np.asarray(_asked(ids, BUCKET_SQL.format(salt="?", id="id"), [salt]), dtype=np.float64)


def all_different(ids: Column) -> bool:
    """Whether no identifier occurs twice: by DuckDB's hashes, and by the identifiers where two hashes agree.

    >>> import pandas as pd
    >>> all_different(pd.Series(["007", "7"])), all_different(pd.Series(["7", "7"]))
    (True, False)
    """
    if len(ids) < MANY:
        return bool(ids.is_unique)
    hashes = np.sort(_asked(ids, "hash(id)", []))
    return not (hashes[1:] == hashes[:-1]).any() or bool(ids.is_unique)


def _asked(ids: Column, expression: str, values: list[str]) -> Any:
    """The expression for each identifier, in their order."""
    import duckdb

    table = pa.table({"id": pa.array(ids, type=pa.large_string(), from_pandas=True)})
    with duckdb.connect() as connection:
        connection.register("ids", table)
        connection.execute("SET preserve_insertion_order = true")
        return connection.execute(f"SELECT {expression} AS answer FROM ids", values).fetchnumpy()["answer"]
