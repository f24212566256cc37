"""Labels of arms, strata and organisations: one text per value, wherever it came from."""

from __future__ import annotations

import re

WHOLE = re.compile(r"[+-]?\d+\.0")
BOOLEANS = {"true": "True", "false": "False"}


def label_text(value: object) -> str:
    """The label of a value: whole numbers without `.0`, true and false however a file spells them.

    A CSV file says `true` or `TRUE` where Parquet holds a boolean, and `1.0` where it holds the number 1; YAML's `true`
    and `1` must name those arms.

    >>> [label_text(value) for value in (1.0, "1.0", True, "TRUE", "007", "1.10")]
    ['1', '1', 'True', 'True', '007', '1.10']
    """
    text = str(value)
    if WHOLE.fullmatch(text):
        return text.removesuffix(".0")
    return BOOLEANS.get(text.lower(), text)
