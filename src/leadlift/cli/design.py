"""`leadlift design`: what an experiment can show, before it is spent."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from leadlift.study import DesignResult


def design(
    config: Annotated[Path, typer.Argument(help="The experiment's configuration with its `plan`, a YAML file.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the frozen design; default designs/ and the configuration's name.")
    ] = None,
    replace: Annotated[bool, typer.Option(help="Freeze again where the folder holds another design.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result record.")] = False,
) -> None:
    """Sample size, smallest uplift seen, weeks, costs and holdout of an experiment; freezes the design."""
    from leadlift.study import design_study

    folder = Path("designs") / config.stem if out is None else out
    result = design_study(config, out=folder, replace=replace)
    if as_json:
        sys.stdout.write(json.dumps(result.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    else:
        show(result, folder)


def show(result: DesignResult, folder: Path | None = None) -> None:
    """Prints the table, the answer and, with a folder, where the design was written."""
    from rich.console import Console

    from leadlift.cli.show import WIDTH, _plain, _print_table
    from leadlift.report import plan_notes, plan_table

    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    _print_table(console, plan_table(result.plan))
    for note in plan_notes(result.plan):
        console.print(_plain(note))
    console.print(f"\n[bold]{_plain(result.answer[0])}[/bold]")
    for words in (*result.answer[1:], *(f"! {caution}" for caution in result.plan.cautions)):
        console.print(_plain(words))
    if folder is None:
        return
    before = f", frozen on {result.frozen.frozen_on}" if result.frozen_before else ""
    written = f"\ndesign   {folder / 'design.json'}  (digest {result.frozen.digest}{before})"
    console.print(_plain(written), soft_wrap=True)
    if result.plan.curves:
        console.print(_plain(f"figure   {folder / 'power_curves.png'}"), soft_wrap=True)
