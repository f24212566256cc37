"""`leadlift assign`: draw the lot for a list of leads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadlift.cli.options import Wait
from leadlift.cli.show import WIDTH, Bars

if TYPE_CHECKING:
    from leadlift.design import AssignmentResult


def assign(
    config: Annotated[Path, typer.Argument(help="The experiment's configuration, a YAML file.")],
    leads: Annotated[Path, typer.Option(help="The leads, CSV or Parquet: a row per lead.")],
    crm: Annotated[
        Path | None, typer.Option(help="How the CRM calls the list's columns, a YAML file; see configs/crm/.")
    ] = None,
    crm_list: Annotated[
        Path | None, typer.Option("--list", help="The CRM's list; default NAME-list.csv beside the configuration.")
    ] = None,
    design: Annotated[
        Path | None, typer.Option(help="The frozen design; default designs/, the configuration's name, design.json.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(help="The moment of the draw, with its zone, for a rehearsal on past leads; default now."),
    ] = None,
    wait: Wait = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result record.")] = False,
) -> None:
    """Draw the lot for leads not drawn before, log every probability, and write the CRM's list."""
    from leadlift.study.assign import assign_leads

    with Bars(quiet=as_json) as bars:
        result = assign_leads(config, leads, crm=crm, out=crm_list, design=design, wait=wait, now=at, progress=bars)
    if as_json:
        typer.echo(json.dumps(result.to_dict(), indent=1, ensure_ascii=False, allow_nan=False))
        return
    _print_strata(result)
    for line in _lines(result):
        typer.echo(line)


def _print_strata(result: AssignmentResult) -> None:
    import sys

    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if not result.strata:
        return
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    console.print(
        f"[bold]{escape(result.experiment)}, draw {result.draw}: the lot for {result.units:,} new units[/bold]"
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("stratum")
    table.add_column("arm")
    for title in ("propensity", f"{result.unit}s", "leads"):
        if title != "leads" or result.unit != "lead":
            table.add_column(title, justify="right")
    for row in result.strata:
        cells = [escape(row.stratum), escape(row.treatment), f"{row.propensity:.6g}", f"{row.units:,}"]
        table.add_row(*cells, *([f"{row.leads:,}"] if result.unit != "lead" else []))
    console.print(table)


def _lines(result: AssignmentResult) -> list[str]:
    rows = result.rows
    lost = "".join(f", {n:,} {reason}" for reason, n in rows.dropped.items())
    lines = [f"{rows.read:,} leads read: {rows.used:,} assigned{lost}"]
    if result.holdout_leads:
        lines.append(f"held out: {result.holdout_leads:,} leads of {result.holdout_organisations:,} organisations")
    if result.late:
        lines.append(f"late: {result.late:,} leads of {result.unit}s drawn before took their arm over")
    if result.capacity is not None:
        c = result.capacity
        lines.append(f"capacity: {c.assigned:,} of {c.capacity:,} leads in {c.treatment}, {c.expected:,.1f} expected")
    lines += [f"! {note}" for note in result.notes]
    if result.path is not None:
        lines.append(f"\nkept  {result.path}")
    return [*lines, f"{'' if result.path else chr(10)}list  {result.crm_list}"]
