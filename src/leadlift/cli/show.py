"""What the commands print: tables and a sentence on stdout, progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import Console

    from leadlift.base.records import StudyResult
    from leadlift.report import Table
    from leadlift.study import ListResult

WIDTH = 110
# Said in the report; a terminal has no room for them.
LEFT_OUT = ("AUTOC", "blocks", "judged", "gain", "organisations")


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

    from leadlift.report import all_tables, answer, problem_words, strategy_words, summary_table

    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    others = all_tables(result)
    if "organisations" in others:
        _print_table(console, others["organisations"], ("std.",))
    if "compliers" in others:
        _print_table(console, others["compliers"])
    _print_table(console, summary_table(result))
    for name in ("problem_uplift", "learners", "differences", "strategies"):
        if name in others:
            _print_table(console, others[name], LEFT_OUT)
    words = answer(result)
    for line in filter(None, (words.organisations, words.headline)):
        console.print(f"\n[bold]{_plain(line)}[/bold]")
    whom = " ".join(strategy_words(result))
    said = (words.sure, words.do, words.ranking, *problem_words(result), whom)
    for part in (*said, *(f"! {caution}" for caution in words.cautions)):
        if part:
            console.print(_plain(part))
    act = None if result.decision is None else result.decision.act
    if act is not None:
        console.print(f"! {_plain(act.warning)}")
    console.print(f"\nreport   {folder / 'report.html'}", soft_wrap=True)
    if act is not None:
        console.print(f"list     {folder / 'whom_to_touch.csv'}", soft_wrap=True)
    console.print(f"results  {folder / 'results.json'}", soft_wrap=True)
    if result.mlflow is not None:
        console.print(f"MLflow   {result.mlflow.tracking_uri}  (leadlift ui)", soft_wrap=True)


def show_list(result: ListResult, folder: Path, *, as_json: bool) -> None:
    """Prints how many leads were listed, and what that is worth as evidence; or the record as JSON."""
    if as_json:
        sys.stdout.write(json.dumps(result.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        return
    from rich.console import Console

    from leadlift.report import by_strategy, spoken_name

    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    by = by_strategy(spoken_name(result.strategy))
    console.print(f"[bold]{result.listed:,} of {result.leads:,} leads, {_plain(by)}[/bold]")
    for words in (result.evidence, result.warning):
        console.print(f"! {_plain(words)}")
    console.print(f"\nlist     {folder / 'whom_to_touch.csv'}", soft_wrap=True)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _print_table(console: Console, table: Table, left_out: Collection[str] = ()) -> None:
    """Prints one table per heading; columns whose title starts with a word of `left_out` are left to the report."""
    from rich import box
    from rich.table import Table as RichTable

    places = _kept_columns(table, left_out)
    for heading, rows in table.grouped:
        title = f"{table.caption} ({heading})" if heading else table.caption
        console.print(f"[bold]{_plain(title)}[/bold]")
        shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
        for place in places:
            column = table.columns[place]
            shown.add_column(_plain(column.title), justify="right" if column.numeric else "left")
        for row in rows:
            shown.add_row(*(_plain(row.cells[place]) for place in places))
        console.print(shown)


def _kept_columns(table: Table, left_out: Collection[str]) -> list[int]:
    """Places of the columns to print; an interval goes with the number before it."""
    kept, dropping = [], False
    for place, column in enumerate(table.columns):
        follows = column.title.startswith("95%")
        dropping = dropping if follows else column.title.split(" ")[0] in left_out
        if not dropping:
            kept.append(place)
    return kept
