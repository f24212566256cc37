"""Which clients are held out today, so that no list names them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from leadlift.base.arrays import Bools, Column
from leadlift.base.experiment import ExperimentConfig, HoldoutConfig
from leadlift.data.ledger.holdouts import HeldClients, held_clients
from leadlift.data.ledger.opening import WAIT
from leadlift.design.holdout import held_out


def held_out_today(
    config: ExperimentConfig, ledger: Path | None, wait: float = WAIT, *, today: date | None = None
) -> Callable[[Column], Bools]:
    """Says of organisations whether they are held out.

    A client is, whom any draw of the ledger held out, under the names that clients have now, or whom the holdout's lot
    holds out under either name. A holdout that has ended holds nobody.

    Args:
        config: the experiment.
        ledger: the ledger's file; None: there is none.
        wait: seconds to wait for another process that has the ledger open.
        today: the day; None: today.
    """
    day, lot = today or datetime.now(UTC).date(), config.experiment.holdout
    until = date.min if lot is None else lot.until
    drawn = HeldClients(frozenset(), {})
    if ledger is not None:
        drawn = held_clients(ledger, config.name, until=until, today=day, wait=wait)
    current = lot if lot is not None and lot.until > day else None
    return lambda organisations: _held(organisations, drawn, current)


def _held(organisations: Column, drawn: HeldClients, lot: HoldoutConfig | None) -> Bools:
    now = organisations.map(lambda name: drawn.aliases.get(name, name)).astype("str")
    held: Bools = now.isin(list(drawn.names)).to_numpy(dtype=bool)
    if lot is not None:
        held = held | held_out(now, lot.share, lot.salt) | held_out(organisations, lot.share, lot.salt)
    return held
