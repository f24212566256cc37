"""The `leadlift` command. Exit codes: 0 done; 1 the data or the design stops it; 2 wrong usage."""

from __future__ import annotations

import signal
import sys

import typer

from leadlift.base.errors import LeadliftError
from leadlift.cli import assign, check, demo, design, forget, import_, init, problems, run, ui

app = typer.Typer(
    name="leadlift",
    help="Which sales leads does a touch actually move? Uplift from randomised logs with known propensities.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo", short_help="A simulated company through the whole job, truth shown.")(demo.demo)
app.command("init", short_help="A new workspace: an experiment, its ledger, an example log.")(init.init)
app.command("design", short_help="How many leads, for how long, to see which uplift.")(design.design)
app.command("assign", short_help="Draw the lot and write the list for the CRM.")(assign.assign)
app.command("import", short_help="Leads, touches and deals into the ledger.")(import_.import_)
app.command("check", short_help="Can this log, or this ledger, be trusted?")(check.check)
app.command("forget", short_help="Erase a client from the ledger, for good.")(forget.forget)
app.command("problems", short_help="Client problems that the deals done reveal.")(problems.problems)
app.command("run", short_help="The main job: check, learn, judge, track, report.")(run.run)
app.command("ui", short_help="The MLflow UI on this folder's runs.")(ui.ui)


def main() -> None:
    """Runs the command line."""
    # A killed run tidies up like an interrupted one.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        app(prog_name="leadlift")
    except LeadliftError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        sys.exit(130)
