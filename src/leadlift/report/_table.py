"""What a table is: columns, rows of formatted text, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass

from leadlift.base.record import Record


@dataclass(frozen=True)
class Column(Record):
    """One column: its title, and whether it holds numbers (set right) or words."""

    title: str
    numeric: bool = False


@dataclass(frozen=True)
class Row(Record):
    """One row: its cells, and the heading it stands under; empty when the table has no headings."""

    cells: tuple[str, ...]
    group: str = ""


@dataclass(frozen=True)
class Table(Record):
    """One table.

    Attributes:
        name: short, for file names.
        caption: what it shows, in words.
        columns: from left to right; the first `headers` of them name the row.
        rows: already formatted.
        headers: how many columns name the row.
        note: what the numbers mean.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    headers: int = 1
    note: str = ""

    @property
    def grouped(self) -> tuple[tuple[str, tuple[Row, ...]], ...]:
        """The rows under their headings, in order."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.group, []).append(row)
        return tuple((group, tuple(rows)) for group, rows in found.items())
