"""Labels of arms, strata and organisations: one text per value, wherever it came from."""

from __future__ import annotations

BOOLEANS = {"true": "True", "false": "False"}


def label_text(value: object) -> str:
    """The label of a value: whole numbers without `.0`, true and false however a file spells them.

    A CSV file says `true` or `TRUE` where Parquet holds a boolean, and YAML's `true` must name that arm.

    >>> [label_text(value) for value in (1.0, True, "TRUE", "007")]
    ['1', 'True', 'True', '007']
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    return BOOLEANS.get(text.lower(), text)
