"""The `leadlift` command. Exit codes: 0 done; 1 the data or the design stops it; 2 wrong usage."""

from __future__ import annotations

import sys

import typer

from leadlift.base.errors import LeadliftError
from leadlift.cli import assign, demo, design, init, run, ui

app = typer.Typer(
    name="leadlift",
    help="Which sales leads does a touch actually move? Uplift from randomised logs with known propensities.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("init")(init.init)
app.command("design")(design.design)
app.command("assign")(assign.assign)
app.command("run")(run.run)
app.command("ui")(ui.ui)


def main() -> None:
    """Runs the command line."""
    try:
        app()
    except LeadliftError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        sys.exit(130)
