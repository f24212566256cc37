"""`leadlift import`: leads, touches and deals into the ledger."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadlift.cli.options import Wait

if TYPE_CHECKING:
    from leadlift.data.ledger.imports import ImportResult


def import_(
    config: Annotated[Path, typer.Argument(help="The experiment's configuration, a YAML file.")],
    table: Annotated[str, typer.Argument(help="leads, touches, deals or aliases (of merged organisations).")],
    file: Annotated[Path, typer.Argument(help="CSV, Parquet, or a DuckDB file with a table of that name.")],
    complete_until: Annotated[
        str | None,
        typer.Option(help="Until when the deals are complete; default: until the last one in the file was known."),
    ] = None,
    partial: Annotated[bool, typer.Option(help="Not all deals are in the file: leave windows open.")] = False,
    wait: Wait = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result record.")] = False,
) -> None:
    """Check a file against its contract and add what the ledger does not have; whole or not at all, safe to repeat."""
    from leadlift.base.errors import ConfigError
    from leadlift.study.import_ import import_file, table_of

    try:
        table_of(table)
    except ConfigError as error:
        # A wrong word on the command line is wrong usage.
        raise typer.BadParameter(str(error.problems[0].fix), param_hint=f"TABLE `{table}`") from None
    result = import_file(config, table, file, complete_until=complete_until, partial=partial, wait=wait)
    if as_json:
        sys.stdout.write(json.dumps(result.to_dict(), indent=1, ensure_ascii=False) + "\n")
        return
    typer.echo(_sentence(result))
    for note in result.notes:
        typer.echo(f"! {note}")


def _sentence(result: ImportResult) -> str:
    parts = [f"{result.added:,} added"]
    if result.new_versions:
        parts.append(f"{result.new_versions:,} with other data than before (old versions are kept)")
    if result.unchanged:
        parts.append(f"{result.unchanged:,} already there")
    if result.repeated:
        parts.append(f"{result.repeated:,} twice in the file")
    text = f"{result.file}: {result.read:,} {result.table} read; {', '.join(parts)}"
    if not result.changed:
        text += "; nothing changed"
    return f"{text}; deals are complete until {result.complete_until}" if result.complete_until else text
