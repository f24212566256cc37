"""`leadlift ui`: MLflow's pages on this folder's runs."""

from __future__ import annotations

from typing import Annotated

import typer


def ui(
    uri: Annotated[
        str | None, typer.Option(help="The store; default MLFLOW_TRACKING_URI, else sqlite under mlruns/.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)] = 5000,
) -> None:
    """Open the MLflow UI on this workspace's runs, on 127.0.0.1."""
    from leadlift.study import open_ui

    hint = f"http://127.0.0.1:{port}  In the page, choose Model training at the top left. Ctrl-C stops it."
    raise typer.Exit(open_ui(uri=uri, port=port, ready=lambda: typer.echo(hint)))
