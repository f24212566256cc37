"""The lot's buckets in SQL, for millions of identifiers; the design room has the same in plain Python."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from leadlift.base.arrays import Column, Floats

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
    import duckdb

    table = pa.table({"id": pa.array(ids, type=pa.large_string(), from_pandas=True)})
    query = f"SELECT {BUCKET_SQL.format(salt='?', id='id')} AS bucket FROM ids"
    with duckdb.connect() as connection:
        connection.register("ids", table)
        # The answer must stand in the order of the question.
        connection.execute("SET preserve_insertion_order = true")
        column = connection.execute(query, [salt]).fetchnumpy()["bucket"]
    return np.asarray(column, dtype=np.float64)
