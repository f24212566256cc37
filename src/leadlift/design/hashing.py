"""Buckets: each identifier's own place on the line from 0 to 1, whoever else is drawn."""

from __future__ import annotations

import hashlib

import numpy as np

from leadlift.base.arrays import Column, Floats
from leadlift.data import sql_buckets
from leadlift.data.buckets import MANY


def buckets(ids: Column, salt: str) -> Floats:
    """Each identifier's bucket: the first 13 hexadecimal digits of md5(salt:id), over 16^13.

    An identifier's bucket depends on nothing but itself and the salt, so that it stays when others arrive. Another
    salt gives buckets independent of these.

    Args:
        ids: identifiers as text (hashed as UTF-8), shape (n,), none missing.
        salt: names the lot.

    Returns:
        Uniform in [0, 1), shape (n,); multiples of 2^-52.

    References: docs/assignment.md has test vectors and the same in SQL.

    >>> import pandas as pd
    >>> [round(float(bucket), 6) for bucket in buckets(pd.Series(["org-1", "org-2"]), "spring-calls")]
    [0.654364, 0.368827]
    """
    if len(ids) >= MANY:
        return sql_buckets(ids, salt)
    start = hashlib.md5(f"{salt}:".encode(), usedforsecurity=False)
    return np.array([_bucket(start, name) for name in ids.tolist()], dtype=np.float64)


def _bucket(start: hashlib._Hash, name: str) -> float:
    hashed = start.copy()
    hashed.update(name.encode())
    return int(hashed.hexdigest()[:13], 16) / 2**52
