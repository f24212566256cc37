"""How numbers look, on the page and on the terminal alike.

Shares change in percentage points, money and counts in their own unit. Minus is a true minus sign and a missing number
is a dash, so that a column of numbers lines up and nothing reads as zero that isn't.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

Kind = Literal["binary", "count", "money"]

MISSING = "–"
MINUS = "−"
MOST_DECIMALS = 6


def present(value: float | None) -> bool:
    """Whether a number is there: neither None nor NaN nor infinite."""
    return value is not None and math.isfinite(value)


def decimals_for(widths: Iterable[float | None], kind: Kind) -> int:
    """Decimals that show two digits of a typical interval's width.

    Args:
        widths: widths of intervals (or sizes of numbers), outcome units; missing ones are skipped.
        kind: what the outcome is; shares are shown in percentage points, so count two decimals less.

    Returns: decimals, 0 to 6; at least 1 for percentage points.

    >>> decimals_for([0.034], "binary"), decimals_for([0.034], "money"), decimals_for([260.0], "money")
    (1, 3, 0)
    """
    sizes = sorted(width for width in widths if width is not None and math.isfinite(width) and width > 0)
    least = 1 if kind == "binary" else 0
    if not sizes:
        return max(least, 2 if kind != "binary" else 1)
    typical = sizes[len(sizes) // 2] * (100 if kind == "binary" else 1)
    return min(MOST_DECIMALS, max(least, math.ceil(1 - math.log10(typical))))


def number(value: float | None, decimals: int, *, signed: bool = False) -> str:
    """A number with thousands separators and a true minus; a rounded zero has no sign.

    >>> number(-1234.567, 1), number(0.04, 1, signed=True), number(None, 1)
    ('−1,234.6', '0.0', '–')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{abs(value):,.{decimals}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    return (MINUS if value < 0 else "+" if signed else "") + text


def count(value: int | None) -> str:
    """How many.

    >>> count(21307)
    '21,307'
    """
    return MISSING if value is None else f"{value:,}"


def percent(share: float | None, decimals: int = 1) -> str:
    """A share as a percentage.

    >>> percent(0.1062)
    '10.6%'
    """
    return f"{number(100 * share, decimals)}%" if share is not None and math.isfinite(share) else MISSING


def level(value: float | None, kind: Kind, decimals: int = 1) -> str:
    """A mean outcome: a percentage for shares, else a number in outcome units."""
    return percent(value, decimals) if kind == "binary" else number(value, decimals)


def bare(value: float | None, kind: Kind, decimals: int, *, signed: bool = False) -> str:
    """A change without its unit, for columns and interval ends: percentage points for shares."""
    scale = 100 if kind == "binary" else 1
    return number(None if value is None else value * scale, decimals, signed=signed)


def unit(kind: Kind) -> str:
    """What a change is counted in, as it is written behind a number."""
    return "pp" if kind == "binary" else ""


def change(value: float | None, kind: Kind, decimals: int | None = None) -> str:
    """A change with sign and unit.

    >>> change(0.0214, "binary"), change(-12.4, "money", 2)
    ('+2.1 pp', '−12.40')
    """
    return _with_unit(bare(value, kind, _decimals(decimals, [value], kind), signed=True), kind)


def size(value: float | None, kind: Kind, decimals: int | None = None) -> str:
    """A size without a sign, with its unit: for "at most 1.6 pp"."""
    return _with_unit(bare(value, kind, _decimals(decimals, [value], kind)), kind)


def interval(lower: float | None, upper: float | None, kind: Kind, decimals: int | None = None) -> str:
    """An interval without its unit.

    >>> interval(0.004, 0.038, "binary"), interval(None, None, "money")
    ('[0.4, 3.8]', '–')
    """
    if lower is None or upper is None:
        return MISSING
    places = _decimals(decimals, [upper - lower], kind)
    return f"[{bare(lower, kind, places)}, {bare(upper, kind, places)}]"


def spoken(lower: float | None, upper: float | None, kind: Kind, decimals: int | None = None) -> str:
    """An interval inside a sentence.

    >>> spoken(-0.004, 0.038, "binary")
    '−0.4 to 3.8 pp'
    """
    if lower is None or upper is None:
        return "not available"
    places = _decimals(decimals, [upper - lower], kind)
    return f"{bare(lower, kind, places)} to {_with_unit(bare(upper, kind, places), kind)}"


def estimate(
    value: float | None, lower: float | None, upper: float | None, kind: Kind, decimals: int | None = None
) -> str:
    """An estimate with its interval.

    >>> estimate(0.021, 0.004, 0.038, "binary")
    '+2.1 pp [0.4, 3.8]'
    >>> estimate(0.021, None, None, "binary")
    '+2.1 pp'
    """
    if value is None:
        return MISSING
    if lower is None or upper is None:
        return change(value, kind, decimals)
    places = _decimals(decimals, [upper - lower], kind)
    return f"{change(value, kind, places)} {interval(lower, upper, kind, places)}"


def p_value(p: float | None) -> str:
    """A p-value with two digits, and never as 0.

    >>> p_value(0.0342), p_value(0.4), p_value(1e-9), p_value(None)
    ('0.034', '0.40', '<0.0001', '–')
    """
    if p is None or not math.isfinite(p):
        return MISSING
    if p < 0.0001:
        return "<0.0001"
    return f"{p:.{2 if p >= 0.1 else 3 if p >= 0.01 else 4}f}"


def spoken_p(p: float | None) -> str:
    """A p-value inside a sentence.

    >>> spoken_p(0.034), spoken_p(1e-9)
    ('p = 0.034', 'p < 0.0001')
    """
    text = p_value(p)
    return f"p {text[0]} {text[1:]}" if text.startswith("<") else f"p = {text}"


def _with_unit(text: str, kind: Kind) -> str:
    return f"{text} {unit(kind)}" if unit(kind) and text != MISSING else text


def _decimals(decimals: int | None, widths: Iterable[float | None], kind: Kind) -> int:
    return decimals if decimals is not None else decimals_for((abs(w) if w else None for w in widths), kind)
