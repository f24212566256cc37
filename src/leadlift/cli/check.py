"""`leadlift check`: can this log be trusted?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadlift.cli.options import Wait

if TYPE_CHECKING:
    from leadlift.study.check import CheckResult

MARKS = {"pass": "pass", "warn": "[yellow]warn[/yellow]", "stop": "[bold red]stop[/bold red]"}


def check(
    config: Annotated[Path, typer.Argument(help="The configuration of a study or of an experiment, a YAML file.")],
    received: Annotated[
        Path | None, typer.Option(help="Leads and arms as the CRM has them now, CSV or Parquet; needs a ledger.")
    ] = None,
    crm: Annotated[Path | None, typer.Option(help="The CRM's column names, a YAML file as for assign.")] = None,
    wait: Wait = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result record.")] = False,
) -> None:
    """Split, balance, arms, touches, holdout, outcomes and the ledger's history; exit 1 when any check stops."""
    from leadlift.study import check_study

    result = check_study(config, received=received, crm=crm, names=not as_json, wait=wait)
    if as_json:
        sys.stdout.write(json.dumps(result.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    else:
        _show(result)
    if result.stopped:
        raise typer.Exit(1)


def _show(result: CheckResult) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from leadlift.cli.show import WIDTH, _plain

    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("check", "", "what was found"):
        shown.add_column(title, no_wrap=title != "what was found", vertical="top")
    for found in result.checks:
        shown.add_row(_plain(found.code), MARKS[found.status], _plain(found.message))
    console.print(f"[bold]{_plain(result.study)}: can this {result.source} be trusted?[/bold]")
    console.print(shown)
    console.print(_plain(_verdict(result)))


def _verdict(result: CheckResult) -> str:
    counts = {status: sum(c.status == status for c in result.checks) for status in MARKS}
    passed = f"{counts['pass']} of {len(result.checks)} checks passed"
    if counts["stop"]:
        return f"{passed}; {counts['stop']} {'stops' if counts['stop'] == 1 else 'stop'} it: mend that first."
    if counts["warn"]:
        return (
            f"{passed}; {counts['warn']} {'warns' if counts['warn'] == 1 else 'warn'}, to be said beside the numbers."
        )
    return f"{passed}."
