"""`leadlift init`: a new workspace."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[Path, typer.Argument(help="A folder that is new or empty.")],
) -> None:
    """Make a folder with an experiment and its ledger, and a study of a simulated log, to put your own in."""
    from leadlift.study import make_workspace

    config = make_workspace(folder)
    place = shlex.quote(str(folder))
    typer.echo(
        f"{folder / 'experiment.yaml'} and its ledger are ready. Next: cd {place} && leadlift design experiment.yaml"
    )
    typer.echo(f"For a log that you have already: {config} and {folder / 'leads.csv'}; leadlift run {config.name}")
