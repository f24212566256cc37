"""`leadlift forget`: erase a client."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from leadlift.cli.options import Wait


def forget(
    config: Annotated[Path, typer.Argument(help="The experiment's configuration, a YAML file.")],
    organisation: Annotated[str, typer.Argument(help="The client's identifier, to the letter.")],
    wait: Wait = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result record.")] = False,
) -> None:
    """Erase all that the ledger holds of a client, for good; the chain keeps keyed hashes and still verifies."""
    from leadlift.study import forget_client

    gone = forget_client(config, organisation, wait=wait)
    if as_json:
        sys.stdout.write(json.dumps(gone.to_dict(), indent=1, ensure_ascii=False) + "\n")
        return
    counts = f"{gone.assignments:,} assignments, {gone.leads:,} versions of leads, {gone.touches:,} touches, "
    typer.echo(f"erased {organisation}: {counts}{gone.deals:,} deals")
    if gone.identifiers > 1:
        typer.echo(f"with it, {gone.identifiers - 1:,} identifiers that were merged into one client")
    for copy in gone.copies:
        typer.echo(f"! {copy} was made when the ledger was upgraded and still holds the client: delete it")
    typer.echo("! not erased: files that were imported, lists for the CRM, results and MLflow runs")
