"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

MOST_WAIT = 86_400.0
Wait = Annotated[
    float,
    typer.Option(min=0.0, max=MOST_WAIT, help="Seconds to wait for another process that has the ledger open."),
]
