"""`leadlift demo`: a simulated company through the whole job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from leadlift.cli.show import Bars, show_result


def demo(
    leads: Annotated[int, typer.Option(help="How many leads to simulate.")] = 40_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same company.")] = 0,
    preset: Annotated[
        str, typer.Option(help="Whom a touch moves: fence_sitters, likeliest, unrelated or null (no one).")
    ] = "fence_sitters",
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("leadlift-demo"),
    write: Annotated[
        Path | None, typer.Option(help="Only write the company's tables as CSV into this folder, as a CRM would.")
    ] = None,
    lot: Annotated[
        Path | None,
        typer.Option(
            help="With --write: the list of a lot drawn on these leads; writes what came of it, nothing else."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result record.")] = False,
) -> None:
    """Simulate a company, run the six-group test on it, and show the truth beside each estimate."""
    from leadlift.study import run_demo, write_demo_answer, write_demo_tables

    if lot is not None and write is None:
        raise typer.BadParameter("it says what is written: name the folder with --write", param_hint="--lot")
    if write is not None:
        company: Any = {"leads": leads, "seed": seed, "preset": preset}
        written = write_demo_tables(write, **company) if lot is None else write_demo_answer(write, lot, **company)
        for name, rows in written.items():
            typer.echo(f"{write / name}  {rows:,} rows")
        return
    with Bars(quiet=as_json) as bars:
        result = run_demo(leads=leads, seed=seed, out=out, preset=preset, progress=bars)
    show_result(result, out, as_json=as_json)
