"""What the commands print: tables and a sentence on stdout, progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from leadlift.base.records import StudyResult
    from leadlift.report import Table

SHOWN = ("effects", "learners", "differences")


class Bars:
    """Progress bars on stderr, one line per step; nothing where stderr is not a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Iterator[Callable[[str], None]]:
        """Shows one step's bar until it is done."""
        task = self._bars.add_task(name, total=total)
        yield lambda words: self._bars.update(task, advance=1)
        self._bars.update(task, total=total or 1, completed=total or 1)


def show_result(result: StudyResult, folder: Path, *, as_json: bool) -> None:
    """Prints the effects table first, then the answer in words; or the record as JSON."""
    if as_json:
        sys.stdout.write(json.dumps(result.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        return
    from rich.console import Console

    from leadlift.report import all_tables, answer

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 118)
    tables = all_tables(result)
    for name in SHOWN:
        if name in tables and tables[name].rows:
            _print_table(console, tables[name])
    words = answer(result)
    console.print(f"\n[bold]{_plain(words.headline)}[/bold]")
    for part in (words.sure, words.do, *(f"! {caution}" for caution in words.cautions)):
        if part:
            console.print(_plain(part))
    console.print(f"\nreport   {folder / 'report.html'}", soft_wrap=True)
    console.print(f"results  {folder / 'results.json'}", soft_wrap=True)
    if result.mlflow is not None:
        console.print(f"MLflow   {result.mlflow.tracking_uri}  (leadlift ui)", soft_wrap=True)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _print_table(console: object, table: Table) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable

    assert isinstance(console, Console)
    shown = RichTable(title=_plain(table.caption), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        shown.add_column(_plain(column.title), justify="right" if column.numeric else "left")
    for heading, rows in table.grouped:
        if heading:
            shown.add_row(f"[italic]{_plain(heading)}[/italic]")
        for row in rows:
            shown.add_row(*map(_plain, row.cells))
    console.print(shown)
