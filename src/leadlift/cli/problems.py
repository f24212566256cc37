"""`leadlift problems`: which client problems do the deals done reveal?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadlift.cli.options import Wait
from leadlift.cli.show import Bars

if TYPE_CHECKING:
    from leadlift.problems.records import ProblemsResult


def problems(
    config: Annotated[
        Path,
        typer.Argument(readable=False, help="The configuration with its `deals`, or an experiment's with its ledger."),
    ],
    out: Annotated[
        Path | None, typer.Option(readable=False, help="Folder for the results; default results/ and the study's name.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(help="Only deals known before this day, YYYY-MM-DD; for an experiment, that of its draw."),
    ] = None,
    previous: Annotated[
        Path | None,
        typer.Option(readable=False, help="Results of an earlier search: problems keep the names they had there."),
    ] = None,
    wait: Wait = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result record.")] = False,
) -> None:
    """Intersections of deals, the problems behind them, mixtures and next products by organisation."""
    from leadlift.study.problems import default_folder, find_problems

    folder = default_folder(config) if out is None else out
    with Bars(quiet=as_json) as bars:
        result = find_problems(config, out=folder, as_of=as_of, previous=previous, wait=wait, progress=bars)
    if as_json:
        sys.stdout.write(json.dumps(result.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    else:
        _show(result, folder)


def _show(result: ProblemsResult, folder: Path) -> None:
    from rich.console import Console

    from leadlift.cli.show import WIDTH, _plain, _print_table
    from leadlift.report.idea_tables import funnels_table, hypotheses_table, idea_notes
    from leadlift.report.next_deals import next_deal_notes
    from leadlift.report.problem_page import problem_headline, problem_notes, problems_table

    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    if result.problems:
        _print_table(console, problems_table(result))
    console.print(f"[bold]{_plain(problem_headline(result))}[/bold]")
    for words in problem_notes(result):
        console.print(_plain(words))
    if result.ideas.rows is not None and result.problems:
        console.print()
        _print_table(console, funnels_table(result.ideas))
        if result.ideas.hypotheses:
            _print_table(console, hypotheses_table(result.ideas, most=10))
        for words in idea_notes(result.ideas):
            console.print(_plain(words))
    notes = next_deal_notes(result.next_deals)
    if notes:
        console.print()
    for words in notes:
        console.print(_plain(words))
    console.print(f"\nreport   {folder / 'report.html'}", soft_wrap=True)
    console.print(f"results  {folder / 'results.json'}", soft_wrap=True)
    console.print(f"tables   {folder / 'tables'}", soft_wrap=True)
    console.print(f"model    {folder / 'problem_model.json'}", soft_wrap=True)
    if result.mlflow is not None:
        console.print(f"MLflow   {result.mlflow.tracking_uri}  (leadlift ui)", soft_wrap=True)
