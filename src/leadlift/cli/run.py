"""`leadlift run`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadlift.cli.options import Wait
from leadlift.cli.show import Bars, show_list, show_result


def run(
    config: Annotated[
        Path, typer.Argument(readable=False, help="The study's or the experiment's configuration, a YAML file.")
    ],
    out: Annotated[
        Path | None, typer.Option(readable=False, help="Folder for the results; default results/ and the study's name.")
    ] = None,
    wait: Wait = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result record.")] = False,
) -> None:
    """Check a log, estimate who is moved by a touch, judge the rankings, track and report it all.

    A configuration with a `list` instead of a log ranks leads that were not drawn: a list to act on, and no study.
    """
    from leadlift.study import ListResult, run_any

    folder = Path("results") / config.stem if out is None else out
    with Bars(quiet=as_json) as bars:
        result = run_any(config, folder, wait=wait, progress=bars)
    if isinstance(result, ListResult):
        show_list(result, folder, as_json=as_json)
        return
    show_result(result, folder, as_json=as_json)
    if result.stopped:
        raise typer.Exit(1)
