"""`leadlift init`: a new workspace."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[Path, typer.Argument(help="A folder that is new or empty.")],
) -> None:
    """Make a folder with a configuration and a simulated log that it runs on, to put your own in their place."""
    from leadlift.study import make_workspace

    config = make_workspace(folder)
    place = shlex.quote(str(folder))
    typer.echo(f"{config} and {folder / 'leads.csv'} are ready. Next: cd {place} && leadlift run {config.name}")
